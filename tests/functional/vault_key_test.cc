// The vault's key: the four cases that a client knows, as ssh knows them for hosts, and nothing sent before they are
// judged.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "support/programs.h"
#include "support/relay.h"

namespace sat::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class VaultKey : public ThreeComputers {
public:
    Command unpinned(Words words) { return collector_command(std::move(words)).pin(""); }
    std::string other_pin() const { return "SHA256:" + std::string(64, 'a'); }
    // Another vault, with other keys, at the address where this one was.
    void swap_vault() {
        const std::string address = vault().address();
        stop_vault();
        copy_cached("other-vault", dir() / "impostor");
        start_vault({.data = dir() / "impostor", .listen = address});
    }
};

TEST_F(VaultKey, AnUnknownKeyWithNobodyToAskIsRefused) {
    Relay relay(vault().socket_address());
    const Done done = unpinned({"browse"}).vault(relay.address()).run();
    EXPECT_EQ(done.exit, exits::kVaultKeyUnknown) << done.out << done.err;
    EXPECT_THAT(done.out, HasSubstr(vault().fingerprint())) << "a person has to be able to compare it";
    EXPECT_EQ(relay.passed(Direction::to_vault), 0U) << "nothing was sent to a vault that is not trusted";
    EXPECT_EQ(unpinned({"browse"}).vault(relay.address()).run().exit, exits::kVaultKeyUnknown)
        << "and nothing was written down";
}

TEST_F(VaultKey, APinnedKeyIsTakenAndRemembered) {
    EXPECT_EQ(collector({"browse"}).exit, 0);
    EXPECT_EQ(unpinned({"browse"}).run().exit, 0);
}

TEST_F(VaultKey, AnUnknownKeyIsAcceptedOnRequestAndRemembered) {
    const auto told = testing::AllOf(HasSubstr("trusted from now on"), HasSubstr(vault().fingerprint()));
    EXPECT_THAT(unpinned({"browse", "--accept-new"}).json(false).run().err, told);
    EXPECT_THAT(unpinned({"browse", "--accept-new"}).json(false).run().err, Not(told));
    EXPECT_EQ(unpinned({"browse"}).run().exit, 0);
    const Done whoami = unpinned({"whoami"}).run();
    ASSERT_EQ(whoami.data()["vaults"].size(), 1U) << whoami.out;
    EXPECT_EQ(whoami.data()["vaults"][0]["key"], vault().fingerprint());
}

TEST_F(VaultKey, APinThatDiffersIsRefused) {
    Relay relay(vault().socket_address());
    for (const Words& more : {Words{}, Words{"--accept-new"}}) {
        const Done done = unpinned({"browse"}).vault(relay.address()).pin(other_pin()).also(more).run();
        EXPECT_EQ(done.exit, exits::kVaultKeyChanged) << done.out << done.err;
    }
    EXPECT_EQ(relay.passed(Direction::to_vault), 0U);
    EXPECT_EQ(unpinned({"browse"}).pin("SHA256:short").run().exit, exits::kBadData);
    EXPECT_EQ(unpinned({"browse"}).pin("MD5:" + std::string(64, 'a')).run().exit, exits::kBadData);
}

TEST_F(VaultKey, ANewWalletIsNotMadeForAVaultThatIsKnownByAnotherKey) {
    ASSERT_EQ(collector({"browse"}).exit, 0);
    const std::string wallet = collector({"whoami"}).data()["wallet"];
    const Words words = {"init", "--force", "--no-passphrase"};
    const Done done = unpinned(words).pin(other_pin()).run();
    EXPECT_EQ(done.exit, exits::kVaultKeyChanged) << done.out << done.err;
    EXPECT_THAT(done.error()["message"].get<std::string>(), HasSubstr(vault().fingerprint()));
    EXPECT_EQ(collector({"whoami"}).data()["wallet"], wallet) << "the old one is still there";
    const Done made = collector(words);
    EXPECT_EQ(made.exit, 0) << made.out << made.err;
    EXPECT_NE(collector({"whoami"}).data()["wallet"], wallet);
}

TEST_F(VaultKey, AChangedKeyIsRefusedWhateverTheFlagsSay) {
    ASSERT_EQ(collector({"browse"}).exit, 0);
    const std::string old_key = vault().fingerprint();
    swap_vault();
    ASSERT_NE(vault().fingerprint(), old_key);
    const Done changed = unpinned({"browse"}).run();
    EXPECT_EQ(changed.exit, exits::kVaultKeyChanged) << changed.out << changed.err;
    EXPECT_FALSE(changed.error()["hint"].get<std::string>().empty()) << "it says what to do";
    EXPECT_EQ(unpinned({"browse", "--accept-new"}).run().exit, exits::kVaultKeyChanged);
    EXPECT_EQ(unpinned({"browse", "-y"}).run().exit, exits::kVaultKeyChanged);
    EXPECT_EQ(unpinned({"browse"}).pin(vault().fingerprint()).run().exit, exits::kVaultKeyChanged)
        << "nor by naming the new one";
    // Somebody who never met the old one has nothing to compare with.
    EXPECT_EQ(second({"browse"}).exit, 0);
}

TEST_F(VaultKey, OnATerminalAPersonIsAskedAndNoConnectionWaitsForTheAnswer) {
    Relay relay(vault().socket_address());
    Process process = unpinned({"browse"}).vault(relay.address()).terminal().begin();
    ASSERT_TRUE(process.wait_for_output(vault().fingerprint())) << process.out();
    ASSERT_TRUE(process.wait_for_output("?")) << process.out();
    EXPECT_EQ(relay.passed(Direction::to_vault), 0U);
    const int before = relay.connections();
    process.write("yes\n");
    const Outcome outcome = process.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
    EXPECT_GT(relay.connections(), before) << "it dialled again";
    EXPECT_EQ(unpinned({"browse"}).vault(relay.address()).run().exit, 0);
}

TEST_F(VaultKey, AWalletMadeBesideAnUnknownKeyIsThereAndPinsItWithTheNextCommand) {
    const auto anew = [this](Words words) { return unpinned(std::move(words)).home(dir() / "anew"); };
    const Done made = anew({"init", "--no-passphrase"}).run();
    EXPECT_EQ(made.exit, exits::kVaultKeyUnknown) << made.out;
    EXPECT_THAT(made.error()["message"].get<std::string>(), HasSubstr("the wallet was made"));
    EXPECT_THAT(made.error()["hint"].get<std::string>(), HasSubstr("do not run init again"));
    EXPECT_EQ(anew({"init", "--no-passphrase"}).run().exit, exits::kExists);
    EXPECT_EQ(anew({"browse"}).pin(vault().fingerprint()).run().exit, 0);
    EXPECT_EQ(anew({"browse"}).run().exit, 0) << "pinned from then on";
}

TEST_F(VaultKey, ANewWalletIsPrintedWhateverBecomesOfItsVault) {
    const auto init = [this](const std::string& vault, const Words& more = {}) {
        Words words = {"init", "--no-passphrase"};
        words.insert(words.end(), more.begin(), more.end());
        const Done done = unpinned(words).home(dir() / "anew").vault(vault).json(false).run();
        EXPECT_THAT(done.out, HasSubstr(wallet(dir() / "anew").hex())) << done.err;
        EXPECT_THAT(done.err, HasSubstr("keys export"));
        EXPECT_THAT(done.err, HasSubstr("do not run init again"));
        return done;
    };
    EXPECT_EQ(init("127.0.0.1:1").exit, exits::kUnreachable);
    EXPECT_EQ(init(vault().address(), {"--force"}).exit, exits::kVaultKeyUnknown);
    ASSERT_EQ(unpinned({"browse"}).home(dir() / "anew").pin(vault().fingerprint()).run().exit, 0);
    swap_vault();
    const Done changed = init(vault().address(), {"--force"});
    EXPECT_EQ(changed.exit, exits::kVaultKeyChanged) << changed.err;
    EXPECT_THAT(changed.err, Not(HasSubstr("is not pinned")));
}

TEST_F(VaultKey, OnATerminalANoIsANo) {
    Process process = unpinned({"browse"}).terminal().begin();
    ASSERT_TRUE(process.wait_for_output("?")) << process.out();
    process.write("no\n");
    EXPECT_EQ(process.wait().exit_code, exits::kVaultKeyUnknown) << process.out();
    EXPECT_EQ(unpinned({"browse"}).run().exit, exits::kVaultKeyUnknown);
}

TEST_F(VaultKey, AVaultThatDoesNotHoldTheKeyItShowsGetsNothing) {
    // It shows the real vault's identity, which anybody can record, without its keys.
    const Bytes identity = vault_party().identity_frame();
    ScriptedVault impostor([&identity](Socket& socket) {
        socket.send(identity);
        const auto hello = socket.receive_frame();
        if (!hello) return;
        // Any SERVER_HELLO will do: none can be right.
        ByteWriter body;
        body.u8(0x04).raw(Bytes(32, std::byte{9})).vec16(Bytes(384, std::byte{1})).vec16(Bytes(300, std::byte{2}));
        socket.send(encode_frame(body.bytes(), Phase::handshake));
        socket.closes(seconds(10));
    });
    const Done done = collector_command({"browse"}).vault(impostor.address()).run();
    EXPECT_TRUE(done.exit == exits::kBadProof || done.exit == exits::kProtocol || done.exit == exits::kUnreachable)
        << done.exit << done.out << done.err;
}

// A key in the form that every use asks for, of a modulus divisible by 3: the full check alone sees it.
KemPublicKey broken(const KemPublicKey& key) {
    Bytes spki = key.spki();
    std::fill(spki.begin() + 33, spki.end() - 5, std::byte{0xff});
    return KemPublicKey::from_spki(spki).value();
}

class BrokenVaultKey : public VaultKey {
public:
    BrokenVaultKey()
        : vault_([this](Socket& socket) {
              const std::optional<IdentityChain> shown = this->shown();
              if (!shown) {
                  serve_requests(socket, *party_, *checkpoint_, [](Session& session, const auto&, const auto&) {
                      return session.send(RecordType::response,
                                          ok_response({{"items", Json::array()}, {"next_cursor", nullptr}}));
                  });
                  return;
              }
              ByteWriter body;
              body.u8(0x02).raw(shown->encode());
              socket.send(encode_frame(body.bytes(), Phase::handshake));
              const auto more = socket.receive_some();
              if (more) received_ += more->size();
          }) {}
    void SetUp() override {
        VaultKey::SetUp();
        const std::lock_guard lock(mutex_);
        party_.emplace(vault_party());
        checkpoint_.emplace(empty_checkpoint(vault_keys()));
    }
    void expect_refused(const Done& done) {
        EXPECT_EQ(done.exit, exits::kBadProof) << done.out << done.err;
        EXPECT_EQ(done.code(), "key_policy") << done.out << done.err;
        EXPECT_EQ(received_, 0U) << "nothing is wrapped to such a key";
    }
    // From now on, in the place of the real one.
    void show(IdentityChain chain) {
        const std::lock_guard lock(mutex_);
        shown_.emplace(std::move(chain));
    }
    std::string address() const { return vault_.address(); }
    std::size_t received() const { return received_; }

private:
    std::optional<IdentityChain> shown() {
        const std::lock_guard lock(mutex_);
        return shown_;
    }

    std::optional<HandshakeParty> party_;
    std::optional<std::string> checkpoint_;
    std::mutex mutex_;
    std::optional<IdentityChain> shown_;
    std::atomic<std::size_t> received_ = 0;
    ScriptedVault vault_;
};

TEST_F(BrokenVaultKey, OfANewVaultIsNeverFiled) {
    const VaultKeys keys = vault_keys();
    show(make_identity(IdentityKind::vault, keys.sign, broken(keys.kem.public_key()), keys.log.public_key(), 1));
    const Command browse = unpinned({"browse"}).vault(address());
    expect_refused(Command(browse).also({"--accept-new"}).run());
    expect_refused(Command(browse).pin(vault().fingerprint()).run());
    Process asked = Command(browse).terminal().begin();
    ASSERT_TRUE(asked.wait_for_output("?")) << asked.out();
    asked.write("yes\n");
    EXPECT_EQ(asked.wait().exit_code, exits::kBadProof) << asked.out();
    EXPECT_EQ(received(), 0U);
    EXPECT_EQ(Command(browse).run().exit, exits::kVaultKeyUnknown) << "nothing was written down";
}

TEST_F(BrokenVaultKey, OfAChainThatGrewIsNotTaken) {
    const Command browse = collector_command({"browse"}).vault(address());
    const Done met = Command(browse).run();
    ASSERT_EQ(met.exit, 0) << met.out << met.err;
    const VaultKeys keys = vault_keys();
    show(extend_identity(keys.chain, keys.sign, keys.sign.public_key(), broken(keys.kem.public_key()), 2).value());
    expect_refused(Command(browse).run());
    expect_refused(Command(browse).run());
}

}  // namespace
}  // namespace sat::test
