// The life of keys after they were made, at either end: another passphrase, newer keys, a backup and its return; and
// that a crash in the middle of any of them leaves keys that open.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "base/time.h"
#include "client/key_home.h"
#include "support/faults.h"
#include "support/programs.h"
#include "vault/key_life.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;

constexpr std::string_view kNewPassphrase = "another one, and longer";

class KeyLife : public ThreeComputers {
public:
    Path passphrase(std::string_view text, const std::string& name = "passphrase") {
        const Path file = dir() / name;
        write_text(file, std::string(text) + "\n");
        fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
        return file;
    }
    Path old_passphrase() { return passphrase(kLockedPassphrase, "old-passphrase"); }
    Path new_passphrase() { return passphrase(kNewPassphrase, "new-passphrase"); }
    // RSA keys and scrypt: seconds of work, more on a machine that is busy with other tests.
    static Done patient(Command command) { return command.patience(std::chrono::minutes(4)).run(); }
    // A collector whose keys have a passphrase.
    Path locked_home() {
        const Path home = dir() / "locked";
        if (!fs::exists(home)) copy_cached("locked", home);
        return home;
    }
    Done locked(Words words, const Words& more = {}) {
        return patient(collector_command(std::move(words)).home(locked_home()).also(more));
    }
    // At the address where clients know it.
    void start_again(const Words& more = {}) {
        start_vault({.data = data(), .duplicate = duplicate(), .listen = address_, .more = more});
    }
    void stop() {
        address_ = vault().address();
        stop_vault();
    }
    // Spread over `count` calls, the last ones one by one; all of them with SAT_FULL.
    static std::vector<std::uint64_t> points(std::uint64_t count, std::uint64_t spread, std::uint64_t last) {
        std::vector<std::uint64_t> out;
        const std::uint64_t step = run_in_full() ? 1 : std::max<std::uint64_t>(1, count / spread);
        for (std::uint64_t call = 1; call <= count;
             call += call + last > count ? 1 : std::min(step, count - last + 1 - call))
            out.push_back(call);
        return out;
    }
    std::size_t documents_known(const Path& home) {
        const auto known = parse_json(read_text(home / "known_vaults.json"));
        return known ? (*known)["vaults"][0]["chain"].size() : 0;
    }
    std::string back(const std::string& id) {
        fs::remove(dir() / "back.jpg");
        const Done done = collector({"request", id, "-o", dir() / "back.jpg"});
        EXPECT_EQ(done.exit, 0) << done.out << done.err;
        return done.exit == 0 ? read_text(dir() / "back.jpg") : std::string();
    }

private:
    std::string address_;
};

TEST_F(KeyLife, APassphraseIsChangedAndTakenAway) {
    const Path old_one = old_passphrase();
    const Path new_one = new_passphrase();
    EXPECT_EQ(locked({"passphrase", "--passphrase-file", new_one, "--new-passphrase-file", new_one}).exit,
              exits::kKeyLocked);
    EXPECT_EQ(locked({"passphrase", "--passphrase-file", old_one}).exit, exits::kKeyLocked) << "nobody to ask";
    const Done changed = locked({"passphrase", "--passphrase-file", old_one, "--new-passphrase-file", new_one});
    ASSERT_EQ(changed.exit, 0) << changed.out << changed.err;
    EXPECT_EQ(changed.data()["encrypted"], true);
    EXPECT_EQ(locked({"browse", "--passphrase-file", old_one}).exit, exits::kKeyLocked);
    EXPECT_EQ(locked({"browse", "--passphrase-file", new_one}).exit, 0);
    const Done taken = locked({"passphrase", "--passphrase-file", new_one, "--no-passphrase"});
    ASSERT_EQ(taken.exit, 0) << taken.out << taken.err;
    EXPECT_EQ(taken.data()["encrypted"], false);
    EXPECT_THAT(taken.err, HasSubstr("unprotected"));
    EXPECT_EQ(locked({"browse"}).exit, 0);
    EXPECT_EQ(locked({"passphrase", "--no-passphrase", "--new-passphrase-file", new_one}).exit, exits::kUsage);
}

TEST_F(KeyLife, OnATerminalTheOldPassphraseIsAskedForAndTheNewOneTwice) {
    Process process = collector_command({"passphrase"}).home(locked_home()).terminal().begin();
    ASSERT_TRUE(process.wait_for_output("Passphrase of"));
    process.write(std::string(kLockedPassphrase) + "\n");
    ASSERT_TRUE(process.wait_for_output("New passphrase"));
    process.write(std::string(kNewPassphrase) + "\n");
    ASSERT_TRUE(process.wait_for_output("once more"));
    process.write(std::string(kNewPassphrase) + "\n");
    const Outcome outcome = process.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
    EXPECT_EQ(locked({"browse", "--passphrase-file", new_passphrase()}).exit, 0);
}

// Killed at any call that changes the disk: the home opens with one of the two, all of it.
TEST_F(KeyLife, APassphraseChangeThatIsCutOffLeavesAHomeThatOpens) {
    Faults faults(dir() / "faults");
    const SecretBytes fresh(as_bytes(kNewPassphrase));
    const Path file = new_passphrase();
    const auto change = [&](const Path& home) {
        return Command("sat-collector", {"passphrase", "--new-passphrase-file", file})
            .home(home)
            .env(faults.env())
            .run();
    };
    const Path counted = dir() / "counted";
    fs::copy(collector_home(), counted, fs::copy_options::recursive);
    faults.count();
    ASSERT_EQ(change(counted).exit, 0);
    const std::uint64_t calls = faults.calls();
    ASSERT_GT(calls, 10U);
    std::size_t olds = 0;
    std::size_t news = 0;
    for (const std::uint64_t call : points(calls, 3, 4)) {
        const Path home = dir() / ("home-" + std::to_string(call));
        fs::copy(collector_home(), home, fs::copy_options::recursive);
        faults.kill_at(call);
        EXPECT_NE(change(home).exit, 0);
        faults.disarm();
        const auto opened = KeyHome::open(home);
        ASSERT_TRUE(opened) << call << ": " << opened.error().message;
        const auto encrypted = opened->keys_are_encrypted();
        ASSERT_TRUE(encrypted) << call;
        EXPECT_TRUE(opened->unlock_sign(*encrypted ? &fresh : nullptr)) << call;
        EXPECT_TRUE(opened->unlock_kem(*encrypted ? &fresh : nullptr)) << call;
        ++(*encrypted ? news : olds);
        EXPECT_FALSE(fs::exists(home / "keys.next")) << call;
        EXPECT_EQ(Command("sat-collector", {"whoami"}).home(home).run().exit, 0) << call;
    }
    EXPECT_GT(olds, 0U);
    EXPECT_GT(news, 0U);
}

TEST_F(KeyLife, WalletsWithNewKeysGoOnWhereTheyWere) {
    const std::string id = upload();
    ASSERT_EQ(second({"ledger", "follow", "--once"}).exit, 0);
    claim(kCollector, id);
    const Path old_home = dir() / "old-artist";
    fs::copy(artist_home(), old_home, fs::copy_options::recursive);
    const Wallet before = wallet(artist_home());

    const Done rekeyed = patient(artist_command({"rekey"}));
    ASSERT_EQ(rekeyed.exit, 0) << rekeyed.out << rekeyed.err;
    EXPECT_EQ(rekeyed.data()["wallet"], before.hex()) << "the wallet stays";
    EXPECT_NE(rekeyed.data()["key_id"], before.hex());
    EXPECT_EQ(rekeyed.data()["documents"], 2);
    EXPECT_EQ(rekeyed.data()["left"], 2);
    EXPECT_EQ(rekeyed.data()["told"], true);
    const Done old = artist_command({"list"}).home(old_home).run();
    EXPECT_EQ(old.exit, exits::kProtocol) << "the old keys open no session any more: " << old.out;

    EXPECT_EQ(artist({"confirm", id}).exit, 0) << "a claim that waited is answered with the new keys";
    EXPECT_EQ(patient(collector_command({"rekey"})).exit, 0);
    const Done completed = collector({"claim", id});
    EXPECT_EQ(completed.exit, 0) << completed.out << completed.err << "a yes that was said is taken with new keys";
    EXPECT_EQ(owner_of(id), wallet(collector_home()).hex());
    EXPECT_EQ(back(id), read_text(picture())) << "images come wrapped to the new kem";
    const std::string later = upload("Later");

    EXPECT_EQ(second({"history", id}).data()["items"].size(), 2U);
    const Done follow = second({"ledger", "follow", "--once"});
    EXPECT_EQ(follow.exit, 0) << follow.out << follow.err << "statements of old and of new keys";
    const Path certificate = dir() / "proof.json";
    ASSERT_EQ(second({"certificate", id, "-o", certificate}).exit, 0);
    EXPECT_EQ(second({"verify", certificate}).exit, 0);

    // The identity files went along: the catalogue can be made of them.
    stop();
    const Done check = vaultd({"check", "--duplicate", duplicate()});
    EXPECT_EQ(check.exit, 0) << check.out;
    for (const char* name : {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"}) fs::remove(data() / name);
    const Done repair = vaultd({"check", "--repair", "--duplicate", duplicate()});
    EXPECT_EQ(repair.exit, 0) << repair.out;
    start_again();
    EXPECT_EQ(second({"history", id}).exit, 0);
    EXPECT_EQ(owner_of(later), before.hex());
}

// Whoever has stolen keys, came in before they were replaced, and asks for nothing more.
TEST_F(KeyLife, ConnectionsOfReplacedKeysAreEndedThatStandIdleOrInAStream) {
    // More than the sockets between the two ends hold: the stream stands still until somebody reads.
    const Done large = artist({"upload", tiff(std::size_t{48} << 20), "--title", "Large"});
    ASSERT_EQ(large.exit, 0) << large.out << large.err;
    const Person thief = load_person(artist_home());
    auto watching = open_session(vault().socket_address(), thief);
    auto fetching = open_session(vault().socket_address(), thief);
    auto other = open_session(vault().socket_address(), load_person(collector_home()));
    ASSERT_TRUE(watching && fetching && other);
    ASSERT_EQ(watching->request("claim.subscribe", Json::object())["ok"], true);
    ASSERT_EQ(other->request("claim.subscribe", Json::object())["ok"], true);
    ASSERT_EQ(fetching->request("artwork.fetch", {{"artwork", large.data()["id"]}, {"offset", 0}})["ok"], true);

    ASSERT_EQ(patient(artist_command({"rekey"})).exit, 0);
    const auto word = watching->receive();
    ASSERT_TRUE(word.has_value()) << "it would go on hearing of claims";
    EXPECT_EQ(word->type, RecordType::close);
    EXPECT_EQ(to_hex(word->body), "0006");
    std::size_t records = 0;
    for (auto record = fetching->receive(); record; record = fetching->receive()) ++records;
    EXPECT_LT(records, (std::size_t{48} << 20) / 65'600) << "it was cut off";
    EXPECT_EQ(other->request("ledger.checkpoint", Json::object())["ok"], true) << "another wallet's stays";
}

TEST_F(KeyLife, ARekeyInItsOwnHomeTellsAWatchToBeRunAgain) {
    const std::string id = upload();
    const Command watching = artist_command({"watch"});
    Process watch = watching.begin();
    const std::string claim_id = claim(kCollector, id);
    ASSERT_TRUE(watch.wait_for_output(claim_id)) << watch.out() << watch.err();
    ASSERT_EQ(patient(artist_command({"rekey"})).exit, 0);
    const Outcome ended = watch.wait();
    EXPECT_EQ(ended.exit_code, exits::kInterrupted) << ended.out << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("run the same command again"));
    EXPECT_THAT(ended.out, Not(HasSubstr("backup")));
    EXPECT_EQ(artist({"watch", "--once"}).exit, 0);
}

TEST_F(KeyLife, AWalletTakesThreeRekeysAndSaysWhichIsTheLast) {
    std::string key = artist({"whoami"}).data()["key_id"];
    for (int left = 2; left >= 0; --left) {
        const Done done = patient(Command("sat-artist", {"rekey"}).home(artist_home()).json());
        ASSERT_EQ(done.exit, 0) << done.out << done.err;
        EXPECT_EQ(done.data()["left"], left);
        EXPECT_EQ(done.data()["told"], false) << "no vault was named";
        EXPECT_EQ(done.err.find("the last") != std::string::npos, left == 0) << done.err;
        EXPECT_NE(done.data()["key_id"], key);
        key = done.data()["key_id"];
    }
    const Done full = patient(artist_command({"rekey"}));
    EXPECT_EQ(full.exit, exits::kNotAllowed) << full.out;
    EXPECT_EQ(artist({"whoami"}).data()["key_id"], key) << "and nothing changed";
    upload("Under the fourth document");
}

TEST_F(KeyLife, PinsMoveToAVaultsNewKeysAndNeverBack) {
    const std::string id = upload();
    ASSERT_EQ(collector({"browse"}).exit, 0);
    ASSERT_EQ(documents_known(collector_home()), 1U);
    const std::string fingerprint = vault().fingerprint();
    EXPECT_EQ(patient(vaultd_command({"rekey", "--kem"})).exit, exits::kUnreachable) << "it runs";
    stop();
    fs::copy(data() / "keys", dir() / "old-keys", fs::copy_options::recursive);
    EXPECT_EQ(patient(vaultd_command({"rekey"})).exit, exits::kUsage);
    const Done rekeyed = patient(vaultd_command({"rekey", "--kem"}).json());
    ASSERT_EQ(rekeyed.exit, 0) << rekeyed.out << rekeyed.err;
    EXPECT_EQ(rekeyed.data()["documents"], 2);

    start_again();
    EXPECT_EQ(vault().fingerprint(), fingerprint);
    EXPECT_EQ(collector_command({"browse"}).pin("").run().exit, 0);
    EXPECT_EQ(documents_known(collector_home()), 2U) << "the pin moved by itself";
    EXPECT_EQ(second({"browse"}).exit, 0) << "whoever meets it now pins the same fingerprint";
    EXPECT_EQ(back(id), read_text(picture()));
    upload("After the rekey");
    stop();
    EXPECT_EQ(vaultd({"check", "--duplicate", duplicate()}).exit, 0);

    // Somebody puts the old keys back, or has stolen them.
    fs::rename(data() / "keys", dir() / "new-keys");
    fs::rename(dir() / "old-keys", data() / "keys");
    start_again();
    for (const Words& more : {Words{}, Words{"--accept-new"}}) {
        const Done replayed = collector_command({"browse"}).also(more).run();
        EXPECT_EQ(replayed.exit, exits::kVaultKeyChanged) << replayed.out;
    }
    stop_vault();
    start_vault({.data = data(), .duplicate = duplicate()});
    EXPECT_EQ(collector({"browse"}).exit, exits::kVaultKeyChanged) << "nor at another address";
    stop_vault();
    fs::remove_all(data() / "keys");
    fs::rename(dir() / "new-keys", data() / "keys");
    start_again();
    EXPECT_EQ(collector({"browse"}).exit, 0);
}

TEST_F(KeyLife, ANewStoreKeyOpensEverythingInBothDirectories) {
    const std::string id = upload();
    const std::string other = upload("Another");
    hand_over(other, kArtist, kCollector);
    stop();
    EXPECT_EQ(patient(vaultd_command({"rekey", "--store", "--bits", "4096"})).exit, exits::kUsage)
        << "headers keep their size";
    const std::string master = read_text(data() / "master.key");
    const Done rekeyed = patient(vaultd_command({"rekey", "--store", "--duplicate", duplicate()}).json());
    ASSERT_EQ(rekeyed.exit, 0) << rekeyed.out << rekeyed.err;
    EXPECT_EQ(rekeyed.data()["works"], 2);
    EXPECT_EQ(rekeyed.data()["documents"], 1) << "the identity does not name it";
    EXPECT_NE(read_text(data() / "master.key"), master);
    EXPECT_EQ(read_text(data() / "master.key"), read_text(duplicate() / "master.key"));
    const Done check = vaultd({"check", "--duplicate", duplicate()});
    EXPECT_EQ(check.exit, 0) << check.out;
    start_again();
    EXPECT_EQ(back(id), read_text(picture()));
    EXPECT_EQ(owner_of(other), wallet(collector_home()).hex());
    stop();
    // Without the duplicate named its images open no more, and are mended from the good ones.
    const Words without = {"rekey", "--store", "--kem", "--no-duplicate"};
    EXPECT_EQ(patient(vaultd_command({"rekey", "--store", "--kem"})).exit, exits::kConfig) << "it has one";
    EXPECT_EQ(patient(vaultd_command(without).also({"--duplicate", duplicate()})).exit, exits::kUsage);
    ASSERT_EQ(patient(vaultd_command(without)).exit, 0);
    EXPECT_EQ(vaultd({"check"}).exit, 0);
    EXPECT_EQ(vaultd({"check", "--duplicate", duplicate()}).exit, exits::kBadProof);
    EXPECT_EQ(vaultd({"check", "--repair", "--duplicate", duplicate()}).exit, 0);
    // A backup of it is whole, and so is what is restored from it.
    ASSERT_EQ(vaultd({"backup", dir() / "backup"}).exit, 0);
    const Path seal = passphrase("for the safe alone", "seal");
    ASSERT_EQ(patient(vaultd_command({"keys", "export", dir() / "vault.keys", "--new-passphrase-file", seal})).exit, 0);
    const Words import = {"keys", "import", dir() / "vault.keys", "--passphrase-file", seal, "--no-passphrase"};
    ASSERT_EQ(patient(Command("sat-vaultd", import).home(dir() / "restored")).exit, 0);
    const Done restored = Command("sat-vaultd", {"restore", dir() / "backup"}).home(dir() / "restored").json().run();
    EXPECT_EQ(restored.exit, 0) << restored.out;
    start_again();
    EXPECT_EQ(back(id), read_text(picture()));
}

// Whatever call it dies at, and whatever that call left half written: the next command finds a vault that is whole.
TEST_F(KeyLife, AStoreRekeyThatIsCutOffIsFinishedOrDidNotHappen) {
    const std::string id = upload();
    upload("Another");
    stop();
    Faults faults(dir() / "faults");
    const auto rekey = [&] {
        return patient(vaultd_command({"rekey", "--store", "--duplicate", duplicate()}).env(faults.env()));
    };
    faults.count();
    ASSERT_EQ(rekey().exit, 0);
    const std::uint64_t calls = faults.calls();
    ASSERT_GT(calls, 20U);
    std::size_t waiting = 0;
    for (const std::uint64_t call : points(calls, 5, 0)) {
        const std::string when = "killed at call " + std::to_string(call) + " of " + std::to_string(calls);
        faults.kill_at(call);
        EXPECT_NE(rekey().exit, 0) << when;
        faults.disarm();
        if (fs::exists(data() / "keys.next" / "headers")) {
            ++waiting;
            // The write that it died in was torn, in both copies.
            for (const Path& store : {data() / "image_store", duplicate() / "duplicate_store"}) {
                std::string image = read_text(files_below(store).front());
                std::fill(image.begin() + 120, image.begin() + 200, '\x55');
                write_text(files_below(store).front(), image);
            }
        }
        const Done check = vaultd({"check", "--duplicate", duplicate()});
        ASSERT_EQ(check.exit, 0) << when << check.out;
        EXPECT_FALSE(fs::exists(data() / "keys.next")) << when;
    }
    EXPECT_GT(waiting, 0U);
    start_again();
    EXPECT_EQ(back(id), read_text(picture()));
}

TEST_F(KeyLife, AChangeThatBothDirectoriesHaveNeedsTheDuplicateNoMore) {
    stop();
    Faults faults(dir() / "faults");
    const auto rekey = [&] {
        return patient(vaultd_command({"rekey", "--store", "--duplicate", duplicate()}).env(faults.env()));
    };
    faults.count();
    ASSERT_EQ(rekey().exit, 0);
    const std::uint64_t calls = faults.calls();
    const Path set = data() / "keys.next";
    const auto only_the_name_is_left = [&] {
        return fs::exists(set / "duplicate") && !fs::exists(set / "headers") && !fs::exists(set / "master.key");
    };
    for (std::uint64_t call = calls; call > 0 && call + 30 > calls && !only_the_name_is_left(); --call) {
        faults.kill_at(call);
        EXPECT_NE(rekey().exit, 0);
        faults.disarm();
    }
    ASSERT_TRUE(only_the_name_is_left());
    fs::rename(duplicate(), dir() / "unplugged");
    const Done check = vaultd({"check"});
    EXPECT_EQ(check.exit, 0) << check.out << check.err;
    EXPECT_FALSE(fs::exists(set));
    fs::rename(dir() / "unplugged", duplicate());
    start_again();
}

// The keys change all the same, and what the image should begin with is kept: its old key is no more.
TEST_F(KeyLife, AnImageThatTheDiskDoesNotGiveWhileKeysChangeLocksNobodyOut) {
    const std::string id = upload();
    stop();
    // A change that counts and is not carried out yet.
    VaultRekey rekey;
    rekey.data = data();
    rekey.duplicate = duplicate();
    rekey.store = true;
    rekey.now = now_unix();
    int asked = 0;
    rekey.stopped = [&] {
        if (++asked == 2) fs::rename(duplicate() / "master.key", dir() / "master.key");
        return false;
    };
    EXPECT_FALSE(rekey_vault(rekey));
    fs::rename(dir() / "master.key", duplicate() / "master.key");
    ASSERT_TRUE(fs::exists(data() / "keys.next" / "headers"));
    fs::create_directory(dir() / "waiting");
    for (const Path& place : {data(), duplicate()})
        fs::copy(place, dir() / "waiting" / place.filename(), fs::copy_options::recursive);

    Faults faults(dir() / "faults");
    const Path header = data() / "damaged" / (id + ".header");
    std::size_t kept = 0;
    // The first to be opened and read, and to be written to, are the images of both directories.
    for (std::uint64_t call = 1; call < 60 && kept < 3; ++call) {
        for (const Path& place : {data(), duplicate()}) {
            fs::remove_all(place);
            fs::copy(dir() / "waiting" / place.filename(), place, fs::copy_options::recursive);
        }
        faults.fail_at(FaultKind::io, call, EIO);
        (void)vaultd_command({"check", "--duplicate", duplicate()}).env(faults.env()).run();
        faults.disarm();
        if (!fs::exists(header)) continue;
        ++kept;
        EXPECT_FALSE(fs::exists(data() / "keys.next")) << call;
        const Done repaired = vaultd({"check", "--repair", "--duplicate", duplicate()});
        EXPECT_EQ(repaired.exit, 0) << call << repaired.out;
        const std::string begin = read_text(header);
        for (const Path& store : {data() / "image_store", duplicate() / "duplicate_store"})
            EXPECT_EQ(read_text(files_below(store).front()).substr(0, begin.size()), begin) << call << store;
    }
    EXPECT_EQ(kept, 3U);
    start_again();
    EXPECT_EQ(back(id), read_text(picture()));
}

TEST_F(KeyLife, AWalletComesBackFromItsKeyBackup) {
    const std::string id = upload();
    EXPECT_EQ(collector({"claim", id, "--wait", "0"}).exit, exits::kPending);
    const Path file = dir() / "artist.keys";
    const Path seal = passphrase("for the safe alone", "seal");
    EXPECT_EQ(patient(artist_command({"keys", "export", file})).exit, exits::kKeyLocked)
        << "a file without a passphrase is never made";
    EXPECT_FALSE(fs::exists(file));
    const Done out = patient(artist_command({"keys", "export", file, "--new-passphrase-file", seal}));
    ASSERT_EQ(out.exit, 0) << out.out << out.err;
    EXPECT_EQ(patient(artist_command({"keys", "export", file, "--new-passphrase-file", seal})).exit, exits::kExists);
    const std::string bytes = read_text(file);
    for (const char* secret : {"PRIVATE KEY", "Ada Artist"}) EXPECT_EQ(bytes.find(secret), std::string::npos) << secret;
    EXPECT_EQ(patient(artist_command({"keys", "import", file, "--passphrase-file", seal})).exit, exits::kExists);

    const Wallet before = wallet(artist_home());
    const std::string profile = read_text(artist_home() / "profile.json");
    fs::remove_all(artist_home());
    EXPECT_EQ(patient(artist_command({"keys", "import", file, "--passphrase-file", new_passphrase()})).exit,
              exits::kKeyLocked);
    std::string damaged = bytes;
    damaged[bytes.size() / 2] = static_cast<char>(damaged[bytes.size() / 2] ^ 1);
    write_text(dir() / "damaged.keys", damaged);
    EXPECT_EQ(patient(artist_command({"keys", "import", dir() / "damaged.keys", "--passphrase-file", seal})).exit,
              exits::kBadData);
    EXPECT_EQ(patient(artist_command({"keys", "import", dir() / "nowhere", "--passphrase-file", seal})).exit,
              exits::kUnreadable);
    EXPECT_FALSE(KeyHome::exists(artist_home())) << "nothing came of any of them";

    const Done in = patient(artist_command({"keys", "import", file, "--passphrase-file", seal, "--no-passphrase"}));
    ASSERT_EQ(in.exit, 0) << in.out << in.err;
    EXPECT_EQ(in.data()["wallet"], before.hex());
    EXPECT_EQ(read_text(artist_home() / "profile.json"), profile);
    EXPECT_EQ(artist_command({"confirm", id}).pin("").run().exit, 0) << "the pins came back too";
    EXPECT_EQ(collector({"claim", id}).exit, 0);
}

TEST_F(KeyLife, AVaultComesBackFromItsKeyBackup) {
    const std::string id = upload();
    const Path file = dir() / "vault.keys";
    const Path seal = passphrase("for the safe alone", "seal");
    // It may run: its keys stay as they are.
    ASSERT_EQ(patient(vaultd_command({"keys", "export", file, "--new-passphrase-file", seal})).exit, 0);
    stop();
    EXPECT_EQ(patient(vaultd_command({"keys", "import", file, "--passphrase-file", seal})).exit, exits::kExists);
    fs::remove_all(data() / "keys");
    EXPECT_EQ(patient(vaultd_command({"keys", "import", file, "--passphrase-file", new_passphrase()})).exit,
              exits::kKeyLocked);
    const Done other =
        patient(artist_command({"keys", "export", dir() / "artist.keys", "--new-passphrase-file", seal}));
    ASSERT_EQ(other.exit, 0) << other.out;
    EXPECT_EQ(patient(vaultd_command({"keys", "import", dir() / "artist.keys", "--passphrase-file", seal})).exit,
              exits::kBadData);
    const Done in = patient(vaultd_command({"keys", "import", file, "--passphrase-file", seal}));
    ASSERT_EQ(in.exit, 0) << in.out << in.err;
    // Under the backup's passphrase, until it is given another.
    EXPECT_EQ(vaultd({"check"}).exit, exits::kKeyLocked);
    EXPECT_EQ(
        patient(vaultd_command({"passphrase", "--passphrase-file", seal, "--new-passphrase-file", new_passphrase()}))
            .exit,
        0);
    EXPECT_EQ(vaultd({"check", "--passphrase-file", seal}).exit, exits::kKeyLocked);
    start_again({"--passphrase-file", new_passphrase()});
    EXPECT_EQ(back(id), read_text(picture()));
    stop();
    EXPECT_EQ(patient(vaultd_command({"passphrase", "--passphrase-file", new_passphrase(), "--no-passphrase"})).exit,
              0);
    start_again();
}

// Killed at any call that changes the disk: there are all keys, or the import can be done again.
TEST_F(KeyLife, AnImportOfAVaultsKeysThatIsCutOffLeavesAllOrNone) {
    const Path file = dir() / "vault.keys";
    const Path seal = passphrase("for the safe alone", "seal");
    ASSERT_EQ(patient(vaultd_command({"keys", "export", file, "--new-passphrase-file", seal})).exit, 0);
    Faults faults(dir() / "faults");
    const auto import = [&](const Path& to) {
        const Words words = {"keys", "import", file, "--passphrase-file", seal, "--no-passphrase"};
        return patient(Command("sat-vaultd", words).home(to).env(faults.env()));
    };
    faults.count();
    ASSERT_EQ(import(dir() / "counted").exit, 0);
    const std::uint64_t calls = faults.calls();
    ASSERT_GT(calls, 10U);
    std::size_t again = 0;
    std::size_t finished = 0;
    auto chosen = points(calls, 3, 0);
    // At its end, when the keys count already.
    if (!run_in_full()) chosen.insert(chosen.end(), {calls - 2, calls});
    for (const std::uint64_t call : chosen) {
        const std::string when = "killed at call " + std::to_string(call) + " of " + std::to_string(calls);
        const Path to = dir() / ("import-" + std::to_string(call));
        faults.kill_at(call);
        EXPECT_NE(import(to).exit, 0) << when;
        faults.disarm();
        const int exit = import(to).exit;
        ++(exit == 0 ? again : finished);
        EXPECT_TRUE(exit == 0 || exit == exits::kExists) << when << ": " << exit;
        EXPECT_TRUE(load_vault_keys(to / "keys", nullptr)) << when;
        EXPECT_FALSE(fs::exists(to / "keys.next")) << when;
    }
    EXPECT_GT(again, 0U);
    EXPECT_GT(finished, 0U);
}

}  // namespace
}  // namespace sat::test
