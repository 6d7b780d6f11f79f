// A client's home: what init leaves, what it never touches, and what opening refuses.
// SPDX-License-Identifier: Apache-2.0
#include "client/key_home.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/json.h"
#include "support/keys.h"
#include "support/temporary.h"

namespace sat {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const Path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
}

SecretBytes secret(std::string_view text) { return SecretBytes(as_bytes(text)); }

// A home is made once, by the code under test; its keys take seconds.
struct MadeHome {
    TemporaryDirectory directory;
    SecretBytes passphrase = secret("correct horse");
    Wallet wallet;

    MadeHome() {
        const KeyHome::NewKeys keys{RsaBits::b3072, &passphrase, {"Ada Artist", "ada@example.org"}, false};
        const auto home = KeyHome::create(directory / "home", keys, 1'700'000'000);
        SAT_ASSERT(home);
        wallet = home->wallet();
    }
    static const MadeHome& instance() {
        static const MadeHome made;
        return made;
    }
};

class KeyHomeTest : public testing::Test {
public:
    KeyHomeTest() { fs::copy(MadeHome::instance().directory / "home", home(), fs::copy_options::recursive); }
    Path home() const { return directory_ / "home"; }
    const Wallet& wallet() const { return MadeHome::instance().wallet; }

private:
    TemporaryDirectory directory_;
};

TEST_F(KeyHomeTest, IsMadeForItsOwnerAlone) {
    EXPECT_EQ(mode_of(home()), 0700U);
    for (const char* name : {"sign.pem", "kem.pem", "identity.jws", "profile.json"})
        EXPECT_EQ(mode_of(home() / name), 0600U) << name;
}

TEST_F(KeyHomeTest, TellsItsWalletWithoutAPassphrase) {
    const auto opened = KeyHome::open(home());
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->wallet(), wallet());
    EXPECT_EQ(opened->profile(), (Profile{"Ada Artist", "ada@example.org"}));
    EXPECT_TRUE(opened->keys_are_encrypted().value());
}

TEST_F(KeyHomeTest, OpensItsKeysWithThePassphraseAlone) {
    const auto opened = KeyHome::open(home());
    ASSERT_TRUE(opened);
    const SecretBytes right = secret("correct horse");
    const SecretBytes wrong = secret("correct horses");
    EXPECT_EQ(opened->unlock_sign(&wrong).error().code, Errc::key_locked);
    EXPECT_EQ(opened->unlock_kem(nullptr).error().code, Errc::key_locked);
    ASSERT_TRUE(opened->unlock_sign(&right));
    EXPECT_EQ(opened->unlock_kem(&right)->public_key().id(), opened->chain().kem_key().id());
}

TEST_F(KeyHomeTest, IsNotMadeTwice) {
    const Bytes before = read_file(home() / "sign.pem", 65536).value();
    EXPECT_EQ(KeyHome::create(home(), {}, 1).error().code, Errc::exists);
    EXPECT_EQ(read_file(home() / "sign.pem", 65536).value(), before);
}

TEST_F(KeyHomeTest, ForcedAsideItKeepsEveryOldFile) {
    const Bytes old_key = read_file(home() / "sign.pem", 65536).value();
    KeyHome::NewKeys keys;
    keys.force = true;
    const auto fresh = KeyHome::create(home(), keys, 1);
    ASSERT_TRUE(fresh) << fresh.error().message;
    EXPECT_NE(fresh->wallet(), wallet());
    const std::string mark = ".old-" + wallet().hex().substr(0, 8);
    EXPECT_EQ(read_file(home() / ("sign.pem" + mark), 65536).value(), old_key);
    for (const char* name : {"kem.pem", "identity.jws", "profile.json"})
        EXPECT_TRUE(fs::exists(home() / (name + mark))) << name;
    EXPECT_FALSE(fresh->keys_are_encrypted().value());
    EXPECT_EQ(KeyHome::open(home())->wallet(), fresh->wallet());
}

TEST_F(KeyHomeTest, AnInterruptedInitIsPutAsideAndDoneAgain) {
    fs::remove(home() / "identity.jws");
    EXPECT_FALSE(KeyHome::exists(home()));
    const auto fresh = KeyHome::create(home(), {}, 1);
    ASSERT_TRUE(fresh) << fresh.error().message;
    EXPECT_TRUE(fs::exists(home() / "sign.pem.old-unfinished"));
}

TEST_F(KeyHomeTest, RefusesKeysThatOthersMayRead) {
    const auto opened = KeyHome::open(home());
    ASSERT_TRUE(opened);
    fs::permissions(home() / "kem.pem", fs::perms::others_read, fs::perm_options::add);
    EXPECT_EQ(opened->keys_are_encrypted().error().code, Errc::config);
    const SecretBytes right = secret("correct horse");
    EXPECT_EQ(opened->unlock_kem(&right).error().code, Errc::config);
    fs::permissions(home(), fs::perms::group_read, fs::perm_options::add);
    EXPECT_EQ(KeyHome::open(home()).error().code, Errc::config);
}

TEST_F(KeyHomeTest, RefusesAKeyThatIsNotTheIdentitys) {
    const auto opened = KeyHome::open(home());
    ASSERT_TRUE(opened);
    fs::remove(home() / "sign.pem");
    ASSERT_TRUE(save_private_key(home() / "sign.pem", test_signing_key("somebody").handle(), nullptr));
    EXPECT_EQ(opened->unlock_sign(nullptr).error().code, Errc::config);
}

TEST_F(KeyHomeTest, RefusesAnIdentityThatDoesNotHold) {
    const auto overwrite = [&](std::string_view text) {
        ASSERT_TRUE(
            write_file_atomically(home() / "identity.jws", as_bytes(text), AtomicFile::Existing::replace, 0600));
        EXPECT_EQ(KeyHome::open(home()).error().code, Errc::config) << text;
    };
    overwrite("");
    overwrite("[]");
    overwrite("[\"a.b.c\"]");
    std::string text = to_string(read_file(MadeHome::instance().directory / "home/identity.jws", 65536).value());
    text[text.size() - 20] = text[text.size() - 20] == 'A' ? 'B' : 'A';
    overwrite(text);
    EXPECT_EQ(KeyHome::open(home() / "nowhere").error().code, Errc::config);
}

TEST(Profile, TakesTwoHundredCharactersAndNotOneMore) {
    std::string text;
    for (std::size_t i = 0; i < kMaxProfileText; ++i) text += "é";
    EXPECT_TRUE((Profile{text, text}.check()));
    EXPECT_EQ((Profile{text + "x", ""}.check().error().code), Errc::bad_data);
    EXPECT_EQ((Profile{"", "\xC3\x28"}.check().error().code), Errc::bad_data);
}

}  // namespace
}  // namespace sat
