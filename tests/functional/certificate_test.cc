// Certificates with the real programs: made at a vault, checked where there is none.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "ledger/certificate.h"
#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CertificateFile : public ThreeComputers {
public:
    // A work that went from the artist to the collector, and its certificate.
    void certify(const std::string& title = "Sunrise") {
        id_ = upload(title);
        hand_over(id_, kArtist, kCollector);
        const Done done = second({"certificate", id_, "-o", file()});
        ASSERT_EQ(done.exit, 0) << done.out << done.err;
        EXPECT_EQ(done.data()["artwork"], id_);
        EXPECT_EQ(done.data()["owner"], wallet(collector_home()).hex());
        EXPECT_EQ(done.data()["bytes"], fs::file_size(file()));
    }
    const std::string& id() const { return id_; }
    Path file() const { return dir() / "sunrise.cert"; }
    std::string key() { return vault().fingerprint(); }

    // By somebody who has no wallet and never met the vault.
    Command verify(const Path& certificate, Words more = {}) const {
        Words words = {"verify", certificate};
        words.insert(words.end(), more.begin(), more.end());
        return Command("sat-collector", words).home(dir() / "nobody").json();
    }

private:
    std::string id_;
};

// Runs `argv` where there is no network at all: not even this machine's own.
Outcome without_network(Words argv) {
    Words words = {"/usr/bin/unshare", "--net"};
    if (::getuid() != 0) words.emplace_back("--map-root-user");
    words.insert(words.end(), argv.begin(), argv.end());
    return test::run({.argv = words, .env = {{"HOME", "/nonexistent"}}});
}

TEST_F(CertificateFile, IsVerifiedWithoutVaultNetworkOrWallet) {
    certify();
    const std::string vault_key = key();
    const std::string address = vault().address();
    // The namespace is empty: a vault that runs cannot be reached from it.
    const Outcome reached = without_network(
        {program_path("sat-collector"), "browse", "--home", collector_home(), "--vault", address, "--no-input"});
    EXPECT_EQ(reached.exit_code, exits::kUnreachable) << reached.err;
    stop_vault();
    no_vault();
    const Words argv = {program_path("sat-collector"),
                        "verify",
                        file(),
                        "--image",
                        picture(),
                        "--vault-key",
                        vault_key,
                        "--home",
                        dir() / "nobody"};
    Words json = argv;
    json.emplace_back("--json");
    const Outcome outcome = without_network(json);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
    const Json data = check_document("verify", outcome)["data"];
    EXPECT_EQ(data["intact"], true);
    EXPECT_EQ(data["artwork"]["id"], id());
    EXPECT_EQ(data["artwork"]["title"], "Sunrise");
    EXPECT_EQ(data["artwork"]["wallet_address"], wallet(artist_home()).hex());
    EXPECT_EQ(data["signed_by"]["vault"], vault_key);
    EXPECT_EQ(data["signed_by"]["known"], "named");
    EXPECT_EQ(data["signed_by"]["people"].size(), 2U);
    EXPECT_EQ(data["ledger"]["size"], 2);
    EXPECT_EQ(data["ledger"]["witnesses"].size(), 0U);
    EXPECT_EQ(data["owner"]["wallet"], wallet(collector_home()).hex());
    EXPECT_EQ(data["owner"]["seq"], 1);
    EXPECT_EQ(data["owner"]["held"], false);
    EXPECT_EQ(data["image"]["matches"], true);
    ASSERT_EQ(data["history"].size(), 2U);
    EXPECT_EQ(data["history"][0]["owner"], wallet(artist_home()).hex());
    EXPECT_EQ(data["history"][1]["from"], wallet(artist_home()).hex());
    EXPECT_FALSE(fs::exists(dir() / "nobody"));

    const Outcome text = without_network(argv);
    EXPECT_EQ(text.exit_code, 0) << text.err;
    EXPECT_THAT(text.out, AllOf(HasSubstr("the certificate is intact"), HasSubstr("Sunrise"), HasSubstr(vault_key),
                                HasSubstr("in the ledger"), HasSubstr("the one that its artist signed"),
                                HasSubstr(wallet(collector_home()).hex()), HasSubstr("registered it")));
}

TEST_F(CertificateFile, CountsOnlyFromAVaultThatIsKnown) {
    certify();
    const Done unknown = verify(file()).run();
    EXPECT_EQ(unknown.exit, exits::kVaultKeyUnknown) << unknown.out;
    EXPECT_THAT(unknown.error()["message"].get<std::string>(),
                AllOf(HasSubstr("every signature holds"), HasSubstr(key())));
    EXPECT_EQ(verify(file()).pin(key()).run().exit, 0);
    const Done other = verify(file()).pin("SHA256:" + wallet(second_home()).hex()).run();
    EXPECT_EQ(other.exit, exits::kVaultKeyChanged) << other.out;
    // Who pinned the vault once needs no key.
    const Done pinned = verify(file()).home(second_home()).run();
    ASSERT_EQ(pinned.exit, 0) << pinned.out << pinned.err;
    EXPECT_EQ(pinned.data()["signed_by"]["known"], "pinned");
    const Done mine = Command("sat-artist", {"verify", file()}).home(collector_home()).json(false).run();
    EXPECT_EQ(mine.exit, 0) << mine.err;
    EXPECT_THAT(mine.out, HasSubstr("(me)"));
    EXPECT_THAT(Command("sat-artist", {"verify", file(), "-q"}).home(artist_home()).json(false).run().out,
                testing::Eq(wallet(collector_home()).hex() + "\n"));
}

TEST_F(CertificateFile, GoesToStandardOutputWhereThatIsNamed) {
    certify();
    const Done done = Command("sat-artist", {"certificate", id(), "-o", "-"})
                          .home(artist_home())
                          .vault(vault().address())
                          .json(false)
                          .run();
    ASSERT_EQ(done.exit, 0) << done.err;
    write_text(dir() / "piped", done.out);
    EXPECT_EQ(verify((dir() / "piped").string()).pin(key()).run().exit, 0);
    EXPECT_FALSE(fs::exists("-"));
    EXPECT_EQ(artist({"certificate", id(), "-o", "-"}).exit, exits::kUsage) << "two documents on one output";
}

TEST_F(CertificateFile, OfAnotherLedgerThanTheOneShownHereIsEvidence) {
    certify();
    const VaultKeys keys = vault_keys();
    const Path kept = second_home() / "checkpoints" / keys.chain.wallet().hex();
    const Path evidence_kept = kept.string() + ".fork-kept";
    const Path evidence_shown = kept.string() + ".fork-shown";
    const auto expect_contradiction = [&](const Done& done) {
        EXPECT_EQ(done.exit, exits::kLedger) << done.out << done.err;
        EXPECT_EQ(done.code(), "checkpoint_inconsistent");
    };
    const std::string genuine = read_text(kept);
    const auto head = open_checkpoint(genuine, keys.chain.wallet(), keys.log.public_key());
    ASSERT_TRUE(head);
    const std::string other = sign_checkpoint(keys.chain.wallet(), {head->size, Digest{}}, keys.log);
    write_text(kept, other);
    expect_contradiction(verify(file()).home(second_home()).run());
    EXPECT_EQ(read_text(evidence_kept), other);
    EXPECT_EQ(read_text(evidence_shown), parse_json(read_text(file()))->at("checkpoint").get<std::string>());
    // From then on this home relies on nothing of that vault's, named or not.
    write_text(kept, genuine);
    expect_contradiction(verify(file()).home(second_home()).run());
    expect_contradiction(verify(file()).home(second_home()).pin(key()).run());
    expect_contradiction(second({"browse"}));
    fs::remove(evidence_kept);
    fs::remove(evidence_shown);
    EXPECT_EQ(verify(file()).home(second_home()).pin(key()).run().exit, 0);
}

TEST_F(CertificateFile, TellsTheImageFromAnother) {
    certify();
    EXPECT_EQ(verify(file(), {"--image", picture()}).pin(key()).run().exit, 0);
    const Path wrong = dir() / "wrong.jpg";
    std::string image = read_text(picture());
    image[image.size() / 2] = static_cast<char>(image[image.size() / 2] ^ 1);
    write_text(wrong, image);
    for (const std::string& other : {image, image.substr(1), image + "x", std::string()}) {
        write_text(wrong, other);
        const Done done = verify(file(), {"--image", wrong}).pin(key()).run();
        EXPECT_EQ(done.exit, exits::kBadProof) << done.out;
        EXPECT_EQ(done.code(), "hash_mismatch");
        EXPECT_THAT(done.error()["message"].get<std::string>(), HasSubstr("the certificate holds, but"));
        EXPECT_EQ(done.error()["hint"], "give the image that the certificate is about") << "no operator can help";
    }
    EXPECT_EQ(verify(file(), {"--image", dir() / "missing.jpg"}).pin(key()).run().exit, exits::kUnreadable);
}

TEST_F(CertificateFile, RefusesEveryChange) {
    certify();
    const std::string text = read_text(file());
    const Path wrong = dir() / "wrong.cert";
    const auto refused = [&](const std::string& what, const std::string& changed) {
        write_text(wrong, changed);
        const Done done = verify(wrong).pin(key()).run();
        EXPECT_EQ(done.exit, exits::kBadProof) << what << done.out << done.err;
        EXPECT_FALSE(done.error().value("message", "").empty()) << what;
    };
    // The unit test changes every byte of one; here the program reads it from a file.
    const std::size_t stride = run_in_full() ? 1 : text.size() / 24;
    for (std::size_t at = 0; at < text.size(); at += stride) {
        std::string changed = text;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        refused("byte " + std::to_string(at), changed);
    }
    refused("nothing", "");
    refused("half of it", text.substr(0, text.size() / 2));
    refused("a line end", text + "\n");
    refused("too long", text + std::string(kMaxCertificate, ' '));
    const Json json = parse_json(text).value();
    for (const auto& [name, value] : json.items()) {
        Json without = json;
        without.erase(name);
        refused("without " + name, without.dump());
    }
    // Of another work, well certified.
    const std::string other = upload("Other");
    ASSERT_EQ(second({"certificate", other, "-o", dir() / "other.cert"}).exit, 0);
    const Json foreign = parse_json(read_text(dir() / "other.cert")).value();
    for (const char* part : {"identities", "leaves", "head", "checkpoint"}) {
        Json mixed = json;
        mixed[part] = foreign[part];
        refused(std::string("a foreign ") + part, mixed.dump());
    }
    EXPECT_EQ(verify(dir() / "missing.cert").run().exit, exits::kUnreadable);
}

TEST_F(CertificateFile, IsWrittenWholeOrNotAtAll) {
    certify();
    const std::string before = read_text(file());
    const Done there = second({"certificate", id(), "-o", file()});
    EXPECT_EQ(there.exit, exits::kExists) << there.out;
    EXPECT_EQ(read_text(file()), before);
    EXPECT_EQ(second({"certificate", id(), "-o", file(), "--force"}).exit, 0);
    EXPECT_NE(read_text(file()), before) << "the vault's word on the owner is signed anew";
    EXPECT_EQ(verify(file()).pin(key()).run().exit, 0);

    EXPECT_EQ(second({"certificate", "000000001Y", "-o", dir() / "none.cert"}).exit, exits::kNotThere);
    EXPECT_EQ(second({"certificate", id()}).exit, exits::kUsage);
    EXPECT_EQ(second({"certificate", id(), "-o", dir() / "no" / "such" / "directory"}).exit, exits::kIo);
    for (const auto& entry : fs::directory_iterator(dir()))
        EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("none.cert")));
}

TEST_F(CertificateFile, StaysTrueAfterTheWorkMovedOn) {
    certify();
    hand_over(id(), kCollector, kSecond);
    const Done old = verify(file()).pin(key()).run();
    ASSERT_EQ(old.exit, 0) << old.out;
    EXPECT_EQ(old.data()["owner"]["wallet"], wallet(collector_home()).hex()) << "at its checkpoint";
    ASSERT_EQ(second({"certificate", id(), "-o", dir() / "later.cert"}).exit, 0);
    const Done later = verify(dir() / "later.cert").pin(key()).run();
    ASSERT_EQ(later.exit, 0) << later.out;
    EXPECT_EQ(later.data()["owner"]["wallet"], wallet(second_home()).hex());
    EXPECT_EQ(later.data()["history"].size(), 3U);
}

TEST_F(CertificateFile, ShowsNothingThatMovesATerminal) {
    certify("Sun\x1b[2Jrise \xE2\x80\xAE");
    const Done done = verify(file()).json(false).pin(key()).run();
    EXPECT_EQ(done.exit, 0) << done.err;
    EXPECT_THAT(done.out, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\xE2\x80\xAE")), HasSubstr("\\x1B")));
}

TEST_F(CertificateFile, CarriesTheSignaturesOfWitnesses) {
    certify();
    const Path note = dir() / "cosigned";
    const Done witness = second({"ledger", "witness", "--name", "witness.example", "-o", note, "--once"});
    ASSERT_EQ(witness.exit, 0) << witness.out << witness.err;
    const std::string witness_key = witness.data()["witness"];
    EXPECT_THAT(witness_key, testing::StartsWith("witness.example+"));
    upload("Afterwards");
    const Path file = dir() / "witnessed.cert";
    const Done done = collector({"certificate", id(), "-o", file, "--checkpoint", note, "--witness", witness_key});
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(done.data()["size"], 2) << "the ledger has grown since";
    const Done verified = verify(file, {"--witness", witness_key}).pin(key()).run();
    ASSERT_EQ(verified.exit, 0) << verified.out << verified.err;
    ASSERT_EQ(verified.data()["ledger"]["witnesses"].size(), 1U);
    EXPECT_EQ(verified.data()["ledger"]["witnesses"][0]["key"], witness_key);
    EXPECT_EQ(verified.data()["ledger"]["witnesses"][0]["required"], true);
    EXPECT_THAT(verify(file, {"--witness", witness_key}).json(false).pin(key()).run().out,
                AllOf(HasSubstr("  witness       witness.example, "), Not(HasSubstr("cosigned by"))));
    // Anybody could have added it: it is a witness's for who names the key.
    const Done unnamed = verify(file).pin(key()).run();
    ASSERT_EQ(unnamed.exit, 0) << unnamed.out;
    EXPECT_EQ(unnamed.data()["ledger"]["witnesses"][0]["required"], false);
    EXPECT_THAT(verify(file).json(false).pin(key()).run().out,
                AllOf(HasSubstr("cosigned by   " + witness_key + " (a key not known here)"),
                      Not(HasSubstr("  witness       "))));

    // One that did not sign, a key that is none, a note without its witness.
    const std::string stranger = encode_vkey("other.example", LogKey::generate().public_key(), VkeyType::cosignature);
    EXPECT_EQ(verify(file, {"--witness", stranger}).pin(key()).run().exit, exits::kBadProof);
    EXPECT_EQ(verify(file, {"--witness", "nonsense"}).pin(key()).run().exit, exits::kBadData);
    EXPECT_EQ(collector({"certificate", id(), "-o", dir() / "x", "--checkpoint", note, "--witness", stranger}).exit,
              exits::kBadProof);
    EXPECT_EQ(collector({"certificate", id(), "-o", dir() / "x", "--checkpoint", note}).exit, exits::kUsage);
    // What is no checkpoint is this side's mistake, and the vault is not asked.
    write_text(dir() / "words", "no checkpoint\n");
    for (const Path& wrong : {picture(), tiff(100'000), dir() / "words"}) {
        const Done wrong_one =
            collector_command({"certificate", id(), "-o", dir() / "x", "--checkpoint", wrong, "--witness", stranger})
                .vault("127.0.0.1:1")
                .run();
        EXPECT_EQ(wrong_one.exit, exits::kBadData) << wrong_one.out;
        EXPECT_THAT(wrong_one.error()["hint"].get<std::string>(), HasSubstr("ledger witness"));
    }
    EXPECT_FALSE(fs::exists(dir() / "x"));
}

}  // namespace
}  // namespace sat::test
