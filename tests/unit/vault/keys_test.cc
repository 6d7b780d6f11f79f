// The vault's keys on disk.  docs/storage.md, "Keys".
// SPDX-License-Identifier: Apache-2.0
#include "unit/vault/fixture.h"

namespace sat {
namespace {

class VaultKeysTest : public ::testing::Test {
protected:
    // Made once: it takes a second.
    static void SetUpTestSuite() {
        made = std::make_unique<TemporaryDirectory>();
        const SecretBytes passphrase(as_bytes("correct horse"));
        auto keys = create_vault_keys(*made / "data/keys", RsaBits::b3072, &passphrase, kStart);
        ASSERT_TRUE(keys.has_value()) << keys.error().message;
        wallet = keys->wallet();
    }
    static void TearDownTestSuite() { made.reset(); }

    void SetUp() override {
        std::filesystem::copy(*made / "data/keys", keys(), std::filesystem::copy_options::recursive);
        std::filesystem::permissions(keys(), std::filesystem::perms::owner_all);
    }
    Path keys() const { return directory / "keys"; }
    std::optional<Errc> load() const { return code_of(load_vault_keys(keys(), nullptr)); }
    // The same keys unencrypted: opening them over and over would cost a second each time.
    void take_passphrase_off() const {
        for (const char* file : {"sign.pem", "kem.pem", "store.pem", "log.pem"}) {
            const auto key = load_private_key(keys() / file, &passphrase);
            ASSERT_TRUE(key.has_value());
            std::filesystem::remove(keys() / file);
            ASSERT_TRUE(save_private_key(keys() / file, *key, nullptr));
        }
    }

    static std::unique_ptr<TemporaryDirectory> made;
    static Wallet wallet;
    const SecretBytes passphrase{as_bytes("correct horse")};
    TemporaryDirectory directory;
};

std::unique_ptr<TemporaryDirectory> VaultKeysTest::made;
Wallet VaultKeysTest::wallet;

TEST_F(VaultKeysTest, ComeBackWithTheirPassphrase) {
    EXPECT_TRUE(vault_keys_exist(keys()));
    EXPECT_TRUE(vault_keys_are_encrypted(keys()));
    EXPECT_EQ(read_vault_identity(keys()).value().wallet(), wallet);
    const auto loaded = load_vault_keys(keys(), &passphrase);
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
    EXPECT_EQ(loaded->wallet(), wallet);
    EXPECT_EQ(loaded->chain.kind(), IdentityKind::vault);
    EXPECT_EQ(loaded->sign.public_key().id(), wallet);
    EXPECT_EQ(code_of(load_vault_keys(keys(), nullptr)), Errc::key_locked);
    const SecretBytes wrong(as_bytes("wrong"));
    EXPECT_EQ(code_of(load_vault_keys(keys(), &wrong)), Errc::key_locked);
}

TEST_F(VaultKeysTest, AreMadeOnceAndWholeOrNot) {
    EXPECT_EQ(code_of(create_vault_keys(keys(), RsaBits::b3072, nullptr, kStart)), Errc::exists);
    EXPECT_FALSE(std::filesystem::exists(directory / "keys.part"));
    // Without its identity it is still no place for new keys.
    std::filesystem::remove(keys() / "identity.json");
    EXPECT_FALSE(vault_keys_exist(keys()));
    EXPECT_EQ(code_of(create_vault_keys(keys(), RsaBits::b3072, nullptr, kStart)), Errc::exists);
    EXPECT_EQ(load(), Errc::config);
    EXPECT_FALSE(vault_keys_exist(directory / "nowhere"));
    EXPECT_EQ(code_of(read_vault_identity(directory / "nowhere")), Errc::config);
}

TEST_F(VaultKeysTest, AreRefusedWithOtherModesMissingOrMixedUp) {
    using std::filesystem::perms;
    take_passphrase_off();
    EXPECT_FALSE(vault_keys_are_encrypted(keys()));
    std::filesystem::permissions(keys() / "store.pem", perms(0640));
    EXPECT_EQ(load(), Errc::config);
    std::filesystem::permissions(keys() / "store.pem", perms(0600));
    std::filesystem::permissions(keys(), perms(0750));
    EXPECT_EQ(load(), Errc::config);
    std::filesystem::permissions(keys(), perms(0700));
    EXPECT_EQ(load(), std::nullopt);

    const char* const files[] = {"sign.pem", "kem.pem", "store.pem", "log.pem"};
    for (const char* file : files) {
        std::filesystem::rename(keys() / file, keys() / "away");
        EXPECT_EQ(load(), Errc::config) << file;
        // Another one's key in its place.
        const char* other = file == files[0] ? files[1] : files[0];
        std::filesystem::copy_file(keys() / other, keys() / file);
        EXPECT_EQ(load(), Errc::config) << file;
        std::filesystem::remove(keys() / file);
        std::filesystem::rename(keys() / "away", keys() / file);
    }
    EXPECT_EQ(load(), std::nullopt);
}

}  // namespace
}  // namespace sat
