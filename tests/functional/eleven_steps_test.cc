// The eleven steps, one test each, between three homes, over TCP, with the real programs.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "crypto/hash.h"
#include "ledger/artwork_id.h"
#include "ledger/statement.h"
#include "support/programs.h"
#include "support/relay.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;
using testing::IsSubsetOf;
using testing::Not;

class ElevenSteps : public ThreeComputers {
public:
    Words upload_words(const Path& file) {
        return {"upload",        file,
                "--title",       "Sunrise over Harbour",
                "--description", "Oil, seen from the pier",
                "--artist",      "Ada Artist",
                "--created",     "2026-05-17"};
    }
};

std::string file_sha256(const Path& file) { return sha256(as_bytes(read_text(file))).hex(); }

mode_t mode_of(const Path& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777;
}

// Everything that passed one way, so that a test can look for what should not be readable in it.
struct Tap {
    std::mutex mutex;
    Bytes seen;

    Treatment treatment() {
        return {.edit = [this](std::size_t, Bytes frame) {
            const std::lock_guard lock(mutex);
            append(seen, frame);
            return std::vector<Bytes>{std::move(frame)};
        }};
    }
    std::string text() {
        const std::lock_guard lock(mutex);
        return to_string(seen);
    }
};

TEST_F(ElevenSteps, Step01EachPartyMakesAKeyPairAndAWallet) {
    const Path passphrase = dir() / "passphrase";
    write_text(passphrase, "quite a long passphrase\n");
    fs::permissions(passphrase, fs::perms::owner_read | fs::perms::owner_write);
    for (const std::string program : {"sat-artist", "sat-collector"}) {
        const Path home = dir() / (program + "-home");
        const Done done = Command(program, {"init", "--passphrase-file", passphrase, "--name", "N. Ame", "--contact",
                                            "n@example.org"})
                              .home(home)
                              .json()
                              .run();
        ASSERT_EQ(done.exit, 0) << done.out << done.err;
        EXPECT_EQ(done.data()["name"], "N. Ame");
        EXPECT_EQ(done.data()["contact"], "n@example.org");
        EXPECT_EQ(done.data()["home"], home.string());
        EXPECT_TRUE(done.data()["vaults"].empty());
        EXPECT_NE(done.data()["key_id"], done.data()["kem_id"]);

        // The wallet is the hash of the public key as the stock tool has it.
        const Outcome der = test::run({.argv = {"/usr/bin/openssl", "pkey", "-in", home / "sign.pem", "-passin",
                                                "file:" + passphrase.string(), "-pubout", "-outform", "DER"}});
        ASSERT_EQ(der.exit_code, 0) << der.err;
        EXPECT_EQ(sha256(as_bytes(der.out)).hex(), done.data()["wallet"]);
        EXPECT_EQ(mode_of(home), 0700U);
        EXPECT_EQ(mode_of(home / "sign.pem"), 0600U);
        EXPECT_EQ(mode_of(home / "kem.pem"), 0600U);
        EXPECT_THAT(read_text(home / "sign.pem"), HasSubstr("BEGIN ENCRYPTED PRIVATE KEY"));

        const Done whoami = Command(program, {"whoami"}).home(home).json().run();
        EXPECT_EQ(whoami.exit, 0) << whoami.err;
        EXPECT_EQ(whoami.data()["wallet"], done.data()["wallet"]);
        EXPECT_EQ(whoami.data()["name"], "N. Ame");
    }
    const Done init = Command("sat-vaultd", {"init", "--no-passphrase"}).home(dir() / "new-vault").run();
    ASSERT_EQ(init.exit, 0) << init.out << init.err;
    const Done fingerprint = Command("sat-vaultd", {"fingerprint"}).home(dir() / "new-vault").run();
    EXPECT_EQ(fingerprint.exit, 0) << fingerprint.err;
    EXPECT_THAT(fingerprint.out, testing::MatchesRegex("SHA256:[0-9a-f]+\n"));
}

TEST_F(ElevenSteps, Step02TheVaultShowsItsKeyAndTheClientPinsIt) {
    const Done done = artist({"list"});
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_TRUE(done.data()["items"].empty());
    const Done whoami = artist_command({"whoami"}).run();
    ASSERT_EQ(whoami.exit, 0) << whoami.err;
    ASSERT_EQ(whoami.data()["vaults"].size(), 1U) << whoami.out;
    EXPECT_EQ(whoami.data()["vaults"][0]["address"], vault().address());
    EXPECT_EQ(whoami.data()["vaults"][0]["key"], vault().fingerprint());
    // From now on nothing has to be said about the key.
    EXPECT_EQ(artist_command({"list"}).pin("").run().exit, 0);
}

TEST_F(ElevenSteps, Step03TheArtistsProgramMakesAndSignsTheMetadata) {
    const Path file = picture("picture.png");
    const Done done = artist(upload_words(file));
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    const Json& work = done.data();
    check_artwork(work);
    EXPECT_EQ(work["title"], "Sunrise over Harbour");
    EXPECT_EQ(work["description"], "Oil, seen from the pier");
    EXPECT_EQ(work["artist"], "Ada Artist");
    EXPECT_EQ(work["creation_date"], "2026-05-17");
    EXPECT_EQ(work["file_path"], "picture.png") << "the base name: the full path never leaves the machine";
    EXPECT_EQ(work["wallet_address"], wallet(artist_home()).hex());
    EXPECT_EQ(work["media_type"], "image/png");
    EXPECT_EQ(work["width"], kSampleWidth);
    EXPECT_EQ(work["height"], kSampleHeight);
    EXPECT_EQ(work["bytes"], fs::file_size(file));
    EXPECT_EQ(work["sha256"], file_sha256(file));
    EXPECT_EQ(work["release"], "original");

    // What the vault's socket saw is the owner's to read, and nobody else's.
    const Done mine = artist({"show", work["id"]});
    ASSERT_EQ(mine.exit, 0) << mine.err;
    EXPECT_EQ(mine.data()["sender_ip"], "127.0.0.1");
    EXPECT_GT(mine.data()["sender_port"].get<int>(), 0);
    const Done theirs = collector({"show", work["id"]});
    ASSERT_EQ(theirs.exit, 0) << theirs.err;
    EXPECT_FALSE(theirs.data().contains("sender_ip"));
    EXPECT_FALSE(theirs.data().contains("sender_port"));
}

TEST_F(ElevenSteps, Step04ImageAndMetadataTravelEncrypted) {
    Tap tap;
    Relay relay(vault().socket_address());
    relay.treat(Direction::to_vault, tap.treatment());
    const Path file = picture("picture.tif");
    const Done done = artist_command(upload_words(file)).vault(relay.address()).run();
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    const std::string wire = tap.text();
    const std::string image = read_text(file);
    ASSERT_GT(wire.size(), image.size());
    EXPECT_THAT(wire, Not(HasSubstr("Sunrise")));
    EXPECT_THAT(wire, Not(HasSubstr("Ada Artist")));
    EXPECT_THAT(wire, Not(HasSubstr("picture.tif")));
    for (std::size_t at = 0; at + 24 <= image.size(); at += 100)
        EXPECT_EQ(wire.find(image.substr(at, 24)), std::string::npos);
}

TEST_F(ElevenSteps, Step05VaultDecryptsVerifiesGivesAnIdAndKeepsDuplicates) {
    const Done done = artist(upload_words(picture()));
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    const std::string id = done.data()["id"];
    EXPECT_TRUE(ArtworkId::from_canonical(id).has_value()) << id;
    EXPECT_EQ(done.data()["copies"], 2);

    const auto receipt = parse_and_verify<Receipt>(done.data()["receipt"].get<std::string>(), vault_keys().chain);
    ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
    EXPECT_EQ(receipt->body.status, ReceiptStatus::registered);
    EXPECT_EQ(receipt->body.copies, 2);

    // Image and metadata stand under the ID, in both places, byte for byte the same.
    for (const auto& [first, copy] : {std::pair<Path, Path>{"image_store", "duplicate_store"},
                                      std::pair<Path, Path>{"metadata_store", "duplicate_metadata_store"}}) {
        const auto stored = files_below(data() / first);
        ASSERT_EQ(stored.size(), 1U) << first;
        EXPECT_THAT(stored[0].string(), HasSubstr(id));
        const Path same = duplicate() / copy / fs::relative(stored[0], data() / first);
        EXPECT_EQ(read_text(stored[0]), read_text(same)) << same;
        EXPECT_FALSE(read_text(stored[0]).empty());
    }
    // Two uploads of one picture are two works.
    EXPECT_NE(upload("Another"), id);
}

TEST_F(ElevenSteps, Step06TheCollectorConnectsAndItsKeyIsSeenByTheVaultAlone) {
    upload();
    Tap tap;
    Relay relay(vault().socket_address());
    relay.treat(Direction::to_vault, tap.treatment());
    const Done done = collector_command({"browse"}).vault(relay.address()).run();
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    const Person person = load_person(collector_home());
    const std::string wire = tap.text();
    EXPECT_GT(wire.size(), 2000U);
    EXPECT_THAT(wire, Not(HasSubstr(to_string(person.party.kem().public_key().spki()))));
    EXPECT_THAT(wire, Not(HasSubstr(to_base64url(person.party.kem().public_key().spki()))));
    EXPECT_THAT(wire, Not(HasSubstr(person.wallet().hex())));
    EXPECT_THAT(wire, Not(HasSubstr(to_string(person.wallet().view()))));
}

TEST_F(ElevenSteps, Step07TheMetadataOfAllWorksComesVerified) {
    const std::string first = upload("First light");
    const std::string second_id = upload("Second light");
    const Done done = collector({"browse"});
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    ASSERT_EQ(done.data()["items"].size(), 2U) << done.out;
    EXPECT_TRUE(done.data()["next_cursor"].is_null());
    EXPECT_EQ(done.data()["items"][0]["id"], second_id) << "newest first";
    EXPECT_EQ(done.data()["items"][1]["id"], first);
    for (const Json& item : done.data()["items"]) {
        check_artwork(item);
        EXPECT_EQ(item["owner"], wallet(artist_home()).hex());
        EXPECT_EQ(item["transfers"], 0);
    }
    const Done found = collector({"browse", "SECOND"});
    ASSERT_EQ(found.data()["items"].size(), 1U) << found.out;
    EXPECT_EQ(found.data()["items"][0]["id"], second_id);
}

TEST_F(ElevenSteps, Step08TheCollectorFetchesTheImageAndClaimsTheWork) {
    const std::string id = upload();
    const Path wanted = dir() / "fetched.jpg";
    const Done done = collector({"request", id, "-o", wanted});
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(done.data()["artwork"], id);
    EXPECT_EQ(done.data()["file"], wanted.string());
    EXPECT_EQ(done.data()["kind"], "original");
    EXPECT_EQ(done.data()["verified"], true);
    EXPECT_EQ(done.data()["sha256"], file_sha256(picture()));
    EXPECT_EQ(done.data()["bytes"], fs::file_size(wanted));
    EXPECT_EQ(read_text(wanted), read_text(picture()));

    const Done claimed = collector({"claim", id, "--wait", "0", "--message", "For my hall"});
    EXPECT_EQ(claimed.exit, exits::kPending) << claimed.out << claimed.err;
    const Done claims = collector({"claims"});
    ASSERT_EQ(claims.data()["items"].size(), 1U) << claims.out;
    check_claim(claims.data()["items"][0]);
    EXPECT_EQ(claims.data()["items"][0]["artwork"], id);
    EXPECT_EQ(claims.data()["items"][0]["state"], "pending");
}

TEST_F(ElevenSteps, Step09TheOwnerIsToldAtOnceAndInTheInbox) {
    const std::string id = upload();
    Process watch = artist_command({"watch", "--once"}).begin();
    const std::string claim_id = claim(kCollector, id);
    const Outcome seen = watch.wait();
    ASSERT_FALSE(seen.timed_out) << seen.out << seen.err;
    EXPECT_EQ(seen.exit_code, 0) << seen.err;
    const Json document = check_document("watch", seen);
    ASSERT_TRUE(document.contains("data")) << seen.out;
    EXPECT_EQ(document["data"]["claim"], claim_id);
    EXPECT_EQ(document["data"]["artwork"], id);
    EXPECT_EQ(document["data"]["from"], wallet(collector_home()).hex());
    EXPECT_EQ(document["data"]["to"], wallet(artist_home()).hex());

    const Done inbox = artist({"inbox"});
    ASSERT_EQ(inbox.exit, 0) << inbox.err;
    ASSERT_EQ(inbox.data()["items"].size(), 1U) << inbox.out;
    check_claim(inbox.data()["items"][0]);
    EXPECT_EQ(inbox.data()["items"][0]["claim"], claim_id);
}

TEST_F(ElevenSteps, Step10TheOwnersYesReachesTheWaitingCollector) {
    const std::string id = upload();
    const Command waiting = collector_command({"claim", id, "--wait", "60"});
    Process process = waiting.begin();
    ASSERT_TRUE(eventually([&] { return !artist({"inbox"}).data()["items"].empty(); }));
    const Done yes = artist({"confirm", id});
    ASSERT_EQ(yes.exit, 0) << yes.out << yes.err;
    check_claim(yes.data());
    EXPECT_THAT((std::vector<std::string>{yes.data()["state"]}), IsSubsetOf({"confirmed", "completed"}));
    const Done done = waiting.finish(process);
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(done.data()["state"], "completed");
    EXPECT_EQ(done.data()["artwork"], id);
}

TEST_F(ElevenSteps, Step11TheCollectorsMetadataArrivesAndTheOwnerChanges) {
    const std::string id = upload();
    hand_over(id, kArtist, kCollector);
    EXPECT_EQ(owner_of(id), wallet(collector_home()).hex());
    const Done history = second({"history", id});
    ASSERT_EQ(history.exit, 0) << history.out << history.err;
    const Json& items = history.data()["items"];
    ASSERT_EQ(items.size(), 2U) << history.out;
    EXPECT_EQ(items[0]["seq"], 0);
    EXPECT_EQ(items[0]["owner"], wallet(artist_home()).hex());
    EXPECT_TRUE(items[0]["from"].is_null());
    EXPECT_EQ(items[1]["seq"], 1);
    EXPECT_EQ(items[1]["owner"], wallet(collector_home()).hex());
    EXPECT_EQ(items[1]["from"], wallet(artist_home()).hex());
    for (const Json& item : items) EXPECT_EQ(item["verified"], true);
    EXPECT_TRUE(artist({"list"}).data()["items"].empty());
    const Done mine = collector({"list"});
    ASSERT_EQ(mine.data()["items"].size(), 1U) << mine.out;
    EXPECT_EQ(mine.data()["items"][0]["id"], id);
    EXPECT_EQ(mine.data()["items"][0]["transfers"], 1);
    // Said again, it is done already.
    EXPECT_EQ(collector({"claim", id}).exit, 0);
}

TEST_F(ElevenSteps, SecondHandOverAsksTheNewOwnerAndTheArtistCanNoLongerAnswer) {
    const std::string id = upload();
    hand_over(id, kArtist, kCollector);

    const std::string claim_id = claim(kSecond, id);
    EXPECT_TRUE(artist({"inbox"}).data()["items"].empty()) << "the artist is asked no more";
    for (const std::string answer : {"confirm", "decline"}) {
        const Done refused = artist({answer, id, "--claim", claim_id});
        EXPECT_EQ(refused.exit, exits::kNotAllowed) << answer << refused.out << refused.err;
        EXPECT_EQ(refused.error()["message"], "you have given this work away already");
        EXPECT_EQ(artist({answer, id}).exit, exits::kNotAllowed) << answer;
    }
    EXPECT_EQ(owner_of(id), wallet(collector_home()).hex());
    const Done inbox = collector({"inbox"});
    ASSERT_EQ(inbox.data()["items"].size(), 1U) << inbox.out;
    EXPECT_EQ(inbox.data()["items"][0]["claim"], claim_id);

    EXPECT_EQ(collector({"confirm", id}).exit, 0);
    EXPECT_EQ(second({"claim", id}).exit, 0);
    EXPECT_EQ(owner_of(id), wallet(second_home()).hex());
    const Done history = artist({"history", id});
    ASSERT_EQ(history.data()["items"].size(), 3U) << history.out;
    EXPECT_EQ(history.data()["items"][2]["from"], wallet(collector_home()).hex());
    EXPECT_EQ(history.data()["items"][2]["owner"], wallet(second_home()).hex());
    // And the work can come home.
    EXPECT_EQ(Command("sat-collector", {"claim", id, "--wait", "0"})
                  .home(artist_home())
                  .vault(vault().address())
                  .json()
                  .run()
                  .exit,
              exits::kPending);
}

TEST_F(ElevenSteps, WithPassphrasesOnEveryKeyAllElevenStepsHappen) {
    const Path passphrase = dir() / "passphrase";
    write_text(passphrase, std::string(kLockedPassphrase) + "\n");
    fs::permissions(passphrase, fs::perms::owner_read | fs::perms::owner_write);
    copy_cached("locked", dir() / "locked");
    const auto locked = [&](Words words) {
        words.insert(words.end(), {"--passphrase-file", passphrase});
        return collector_command(std::move(words)).home(dir() / "locked").run();
    };
    const std::string id = upload();
    EXPECT_EQ(locked({"request", id, "-o", dir() / "copy.jpg"}).exit, 0);
    EXPECT_EQ(locked({"claim", id, "--wait", "0"}).exit, exits::kPending);
    EXPECT_EQ(artist({"confirm", id}).exit, 0);
    EXPECT_EQ(locked({"claim", id}).exit, 0);
    EXPECT_EQ(owner_of(id), wallet(dir() / "locked").hex());
}

}  // namespace
}  // namespace sat::test
