// Backups of a vault that serves, and vaults made of them: what clients accept, and what they do not.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <regex>

#include "support/faults.h"
#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;

// Whether the process catches SIGTERM by now.
bool has_handlers(pid_t process) {
    const std::string status = read_text(Path("/proc") / std::to_string(process) / "status");
    std::smatch match;
    return std::regex_search(status, match, std::regex("SigCgt:\\s*([0-9a-f]+)")) &&
           ((std::stoull(match[1], nullptr, 16) >> (SIGTERM - 1)) & 1) != 0;
}

// Every file with its bytes, every directory and link with its kind.
std::map<Path, std::string> contents_of(const Path& directory) {
    std::map<Path, std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(directory))
        out[entry.path()] = entry.is_regular_file() ? read_text(entry.path()) : "-";
    return out;
}

class BackupCommand : public ThreeComputers {
public:
    Path image_of(const std::string& id, const Path& root) const {
        return root / (root == duplicate() ? "duplicate_store" : "image_store") / id.substr(0, 2) / id;
    }
    // In the place of a file: what is none.
    static void become_directory(const Path& file) {
        fs::remove(file);
        fs::create_directory(file);
    }
    // Neither a start nor a command makes anything of what a restore left in `where`.
    void expect_no_vault(const Path& where, const Words& more = {}) const {
        // All but this, which a check makes.
        write_text(where / "repair.lock", "");
        fs::permissions(where / "repair.lock", fs::perms::owner_read | fs::perms::owner_write);
        const auto before = contents_of(where);
        for (const Words& words : {Words{"status"}, Words{"run", "--listen", "127.0.0.1:0"}, Words{"check"},
                                   Words{"check", "--repair"}, Words{"rekey", "--store"}}) {
            Words all = words;
            all.insert(all.end(), more.begin(), more.end());
            const Done refused = Command("sat-vaultd", all).home(where).run();
            EXPECT_EQ(refused.exit, exits::kConfig) << words.front() << refused.out << refused.err;
            EXPECT_THAT(refused.err, HasSubstr("has not come to its end")) << words.front();
            EXPECT_THAT(refused.err, HasSubstr("run the restore again")) << words.front();
        }
        EXPECT_EQ(contents_of(where), before);
    }
    Path backup_dir() const { return dir() / "backup"; }
    Done backup() { return vaultd_command({"backup", backup_dir(), "--duplicate", duplicate()}).json().run(); }
    // A vault whose keys a passphrase protects, and its commands.
    Path locked_vault() const {
        copy_cached("locked-vault", dir() / "locked");
        write_text(dir() / "pass", std::string(kLockedPassphrase) + "\n");
        fs::permissions(dir() / "pass", fs::perms::owner_read | fs::perms::owner_write);
        return dir() / "locked";
    }
    Done vaultd_on(const Path& where, Words words) const {
        words.insert(words.end(), {"--data", where, "--passphrase-file", dir() / "pass"});
        return Command("sat-vaultd", std::move(words)).json().run();
    }
    // In place of the data directory, of which the keys alone are kept.
    Done restore() {
        fs::rename(data(), dir() / "old");
        fs::create_directory(data());
        fs::permissions(data(), fs::perms::owner_all);
        fs::copy(dir() / "old" / "keys", data() / "keys", fs::copy_options::recursive);
        return vaultd_command({"restore", backup_dir()}).json().run();
    }
};

TEST_F(BackupCommand, OfARunningVaultIsVerifiedAndRestoredAndClientsGoOn) {
    const std::string first = upload("First");
    hand_over(first, kArtist, kCollector);
    const std::string second_id = upload("Second");
    const std::string pending = claim(kSecond, second_id);
    const Done made = backup();
    ASSERT_EQ(made.exit, 0) << made.out << made.err;
    EXPECT_EQ(made.data()["works"], 2);
    EXPECT_EQ(made.data()["leaves"], 3);
    EXPECT_EQ(made.data()["keys"], false);
    EXPECT_THAT(made.data()["notes"][0].get<std::string>(), HasSubstr("they have no passphrase"));
    EXPECT_FALSE(fs::exists(backup_dir() / "keys"));
    for (const Path& file : files_below(backup_dir())) {
        EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write) << file;
        EXPECT_EQ(read_text(file).find("Second"), std::string::npos) << file;
    }
    for (const auto& entry : fs::directory_iterator(dir()))
        EXPECT_EQ(entry.path().string().find(".part"), std::string::npos) << "nothing is left over";
    const Done again = backup();
    EXPECT_EQ(again.exit, exits::kExists) << again.out;

    stop_vault();
    const Done occupied = vaultd_command({"restore", backup_dir()}).json().run();
    EXPECT_EQ(occupied.exit, exits::kExists) << occupied.out;
    const Done restored = restore();
    ASSERT_EQ(restored.exit, 0) << restored.out << restored.err;
    start_vault();
    EXPECT_EQ(owner_of(first), wallet(collector_home()).hex());
    EXPECT_EQ(collector({"request", second_id, "-o", dir() / "second.jpg"}).exit, 0);
    EXPECT_EQ(artist({"confirm", second_id, "--claim", pending}).exit, 0) << "open claims are in it";
    EXPECT_EQ(second({"claim", second_id}).exit, 0);
    EXPECT_EQ(owner_of(second_id), wallet(second_home()).hex());
}

TEST_F(BackupCommand, MadeWhileOthersUploadIsOneWholeView) {
    upload("Before");
    for (std::uint32_t round = 1; round <= 3; ++round) {
        Process large = artist_command({"upload", tiff(2'000'000, round), "--title", "Large"}).begin();
        Process small = collector_command({"upload", picture(), "--title", "Small"}).begin();
        const Done made = backup();
        EXPECT_EQ(made.exit, 0) << made.out << made.err;
        EXPECT_GE(made.data()["works"].get<int>(), 1);
        EXPECT_EQ(made.data()["damaged"], 0) << made.out;
        EXPECT_EQ(large.wait().exit_code, 0);
        EXPECT_NE(small.wait().exit_code, -1);
        fs::remove_all(backup_dir());
    }
    EXPECT_EQ(backup().data()["works"].get<std::size_t>(), collector({"browse", "--all"}).data()["items"].size());
}

TEST_F(BackupCommand, ARestoredVaultThatLostAcknowledgedHistoryIsRefusedAndSaysWhatIsMissing) {
    const std::string before = upload("Before");
    ASSERT_EQ(backup().exit, 0);
    const std::string after = upload("After");
    stop_vault();
    ASSERT_EQ(restore().exit, 0);
    // Nor does it start beside the duplicate that has more.
    const Done beside = vaultd_command({"status", "--duplicate", duplicate()}).json().run();
    EXPECT_EQ(beside.exit, exits::kConfig) << beside.out;
    start_vault({.data = data()});
    EXPECT_EQ(second({"show", before}).exit, 0) << "who has seen nothing of it misses nothing";
    const Done refused = artist({"show", before});
    EXPECT_EQ(refused.exit, exits::kLedger) << refused.out;
    ASSERT_TRUE(eventually([&] { return fs::exists(data() / "contradiction"); }));
    stop_vault();
    no_vault();
    const Done stopped = vaultd_command({"status"}).json().run();
    EXPECT_EQ(stopped.exit, exits::kConfig);
    EXPECT_THAT(stopped.error()["message"].get<std::string>(), HasSubstr("2 leaves"));
    // The duplicate has what the backup lacks.
    const Done healed = vaultd_command({"check", "--repair", "--duplicate", duplicate()}).json().run();
    EXPECT_EQ(healed.exit, 0) << healed.out;
    start_vault();
    EXPECT_EQ(owner_of(after), wallet(artist_home()).hex());
}

TEST_F(BackupCommand, TakesKeysThatAPassphraseProtectsAndRestoresIntoAnEmptyDirectory) {
    const Path locked = locked_vault();
    {
        VaultProcess process({.data = locked, .more = {"--passphrase-file", dir() / "pass"}});
        EXPECT_EQ(vaultd_on(locked, {"backup", backup_dir()}).exit, 0);
        EXPECT_EQ(process.terminate(), 0);
    }
    EXPECT_TRUE(fs::exists(backup_dir() / "keys" / "sign.pem"));
    EXPECT_THAT(read_text(backup_dir() / "keys" / "sign.pem"), HasSubstr("ENCRYPTED"));
    const Path fresh = dir() / "fresh";
    const Done restored = vaultd_on(fresh, {"restore", backup_dir()});
    EXPECT_EQ(restored.exit, 0) << restored.out << restored.err;
    EXPECT_EQ(vaultd_on(fresh, {"check"}).exit, 0);
    VaultProcess process({.data = fresh, .more = {"--passphrase-file", dir() / "pass"}});
    EXPECT_EQ(process.terminate(), 0);
}

TEST_F(BackupCommand, LeavesTheKeysOutWhereOnlySomeOfThemAreProtected) {
    const Path locked = locked_vault();
    ASSERT_EQ(vaultd_on(locked, {"status"}).exit, 0) << "from now on there is something to back up";
    const Path kem = locked / "keys" / "kem.pem";
    const Outcome opened = test::run({.argv = {"/usr/bin/openssl", "pkey", "-in", kem, "-passin",
                                               "file:" + (dir() / "pass").string(), "-out", dir() / "clear.pem"}});
    ASSERT_EQ(opened.exit_code, 0) << opened.err;
    fs::copy_file(dir() / "clear.pem", kem, fs::copy_options::overwrite_existing);
    const Done made = vaultd_on(locked, {"backup", backup_dir()});
    ASSERT_EQ(made.exit, 0) << made.out << made.err;
    EXPECT_EQ(made.data()["keys"], false);
    EXPECT_THAT(made.data()["notes"][0].get<std::string>(), HasSubstr("kem.pem has a private key in it that no"));
    EXPECT_FALSE(fs::exists(backup_dir() / "keys"));
}

TEST_F(BackupCommand, IsNotRestoredWithAnotherVaultsKeys) {
    upload();
    ASSERT_EQ(backup().exit, 0);
    stop_vault();
    no_vault();
    const Path fresh = dir() / "fresh";
    ASSERT_EQ(Command("sat-vaultd", {"init", "--no-passphrase", "--data", fresh}).json().run().exit, 0);
    const Done refused = Command("sat-vaultd", {"restore", backup_dir(), "--data", fresh}).json().run();
    EXPECT_EQ(refused.exit, exits::kConfig) << refused.out;
    EXPECT_THAT(refused.error()["message"].get<std::string>(), HasSubstr("does not open with these keys"));
    EXPECT_FALSE(fs::exists(fresh / "master.key"));
    fs::remove_all(fresh / "keys");
    fs::copy(data() / "keys", fresh / "keys", fs::copy_options::recursive);
    EXPECT_EQ(Command("sat-vaultd", {"restore", backup_dir(), "--data", fresh}).json().run().exit, 0)
        << "nothing was put there that would be in the way";
}

// However far it came: the last name that it gives is the master key's.
TEST_F(BackupCommand, ARestoreThatWasCutOffIsRunAgain) {
    const std::string id = upload();
    ASSERT_EQ(backup().exit, 0);
    stop_vault();
    ASSERT_EQ(restore().exit, 0);
    const std::vector<std::string> places = {"leaves",      "identities",     "metadata_store",
                                             "image_store", "catalog.sqlite", "master.key"};
    for (std::size_t placed = 0; placed < places.size(); ++placed) {
        SCOPED_TRACE(placed);
        fs::create_directory(data() / "restore.part");
        fs::permissions(data() / "restore.part", fs::perms::owner_all);
        for (std::size_t i = placed; i < places.size(); ++i)
            fs::rename(data() / places[i], data() / "restore.part" / places[i]);
        const Done again = vaultd_command({"restore", backup_dir()}).json().run();
        ASSERT_EQ(again.exit, 0) << again.out << again.err;
        EXPECT_FALSE(fs::exists(data() / "restore.part"));
    }
    start_vault();
    EXPECT_EQ(owner_of(id), wallet(artist_home()).hex());
    stop_vault();
    no_vault();
    // Without the copies of a restore it is not one that was cut off.
    fs::remove(data() / "master.key");
    EXPECT_EQ(vaultd_command({"restore", backup_dir()}).json().run().exit, exits::kExists);
    EXPECT_TRUE(fs::exists(data() / "image_store" / id.substr(0, 2) / id));
}

// A new vault under the old identity would sign a ledger that begins anew.
TEST_F(BackupCommand, ARestoreThatWasCutOffWhileItCopiedLetsNoVaultStartBeforeItIsRunAgain) {
    const std::string id = upload();
    ASSERT_EQ(backup().exit, 0);
    stop_vault();
    no_vault();
    fs::rename(data(), dir() / "old");
    fs::create_directories(data() / "restore.part");
    for (const Path& path : {data(), data() / "restore.part"}) fs::permissions(path, fs::perms::owner_all);
    fs::copy(dir() / "old" / "keys", data() / "keys", fs::copy_options::recursive);
    write_text(data() / "lock", "");
    expect_no_vault(data());
    fs::copy_file(backup_dir() / "leaves", data() / "restore.part" / "leaves");
    expect_no_vault(data());
    const auto beside = contents_of(duplicate());
    expect_no_vault(data(), {"--duplicate", duplicate()});
    EXPECT_EQ(contents_of(duplicate()), beside);
    const Done again = vaultd_command({"restore", backup_dir()}).json().run();
    ASSERT_EQ(again.exit, 0) << again.out << again.err;
    EXPECT_FALSE(fs::exists(data() / "restore.part"));
    start_vault({.data = data()});
    EXPECT_EQ(owner_of(id), wallet(artist_home()).hex());
}

TEST_F(BackupCommand, ARestoreThatFailedLetsNoVaultStartEither) {
    upload();
    ASSERT_EQ(backup().exit, 0);
    stop_vault();
    no_vault();
    const Path leaves = backup_dir() / "leaves";
    fs::rename(leaves, dir() / "leaves");
    fs::create_symlink(dir() / "leaves", leaves);
    fs::rename(data(), dir() / "old");
    fs::create_directory(data());
    fs::permissions(data(), fs::perms::owner_all);
    fs::copy(dir() / "old" / "keys", data() / "keys", fs::copy_options::recursive);
    const Done failed = vaultd_command({"restore", backup_dir()}).json().run();
    EXPECT_EQ(failed.exit, exits::kUnreadable) << failed.out;
    EXPECT_TRUE(fs::is_empty(data() / "restore.part")) << "what was copied takes no room";
    expect_no_vault(data());
    fs::rename(dir() / "leaves", leaves);
    EXPECT_EQ(vaultd_command({"restore", backup_dir()}).json().run().exit, 0);
    EXPECT_EQ(vaultd_command({"check"}).json().run().exit, 0);
}

TEST_F(BackupCommand, KeysThatCameOutOfABackupStartNothingBeforeItsVaultIsThere) {
    const Path locked = locked_vault();
    ASSERT_EQ(vaultd_on(locked, {"status"}).exit, 0);
    ASSERT_EQ(vaultd_on(locked, {"backup", backup_dir()}).exit, 0);
    write_text(dir() / "wrong", "another passphrase\n");
    fs::permissions(dir() / "wrong", fs::perms::owner_read | fs::perms::owner_write);
    const Path fresh = dir() / "fresh";
    const Done locked_out =
        Command("sat-vaultd", {"restore", backup_dir(), "--data", fresh, "--passphrase-file", dir() / "wrong"})
            .json()
            .run();
    EXPECT_EQ(locked_out.exit, exits::kKeyLocked) << locked_out.out;
    ASSERT_TRUE(fs::exists(fresh / "keys" / "identity.json"));
    EXPECT_EQ(vaultd_on(fresh, {"status"}).exit, exits::kConfig);
    EXPECT_FALSE(fs::exists(fresh / "master.key"));
    EXPECT_EQ(vaultd_on(fresh, {"restore", backup_dir()}).exit, 0);
    EXPECT_EQ(vaultd_on(fresh, {"status"}).exit, 0);
}

TEST_F(BackupCommand, TakesWhatCannotBeReadFromTheDuplicateOrGoesWithoutIt) {
    const std::string id = upload();
    const std::string other = upload("Another");
    const std::string good = read_text(image_of(id, data()));
    Faults faults(dir() / "faults");
    // A bad sector.
    faults.make_unreadable("/vault/image_store/" + id.substr(0, 2) + "/" + id);
    const Done healed =
        vaultd_command({"backup", backup_dir(), "--duplicate", duplicate()}).env(faults.env()).json().run();
    ASSERT_EQ(healed.exit, 0) << healed.out << healed.err;
    EXPECT_GT(faults.injected(), 0U);
    EXPECT_EQ(read_text(image_of(id, backup_dir())), good);
    fs::remove_all(backup_dir());
    const Done without = vaultd_command({"backup", backup_dir()}).env(faults.env()).json().run();
    EXPECT_EQ(without.exit, exits::kBadProof) << without.out;
    EXPECT_EQ(without.error()["found"]["damages"][0]["artwork"], id);
    EXPECT_FALSE(fs::exists(image_of(id, backup_dir())));
    EXPECT_TRUE(fs::exists(image_of(other, backup_dir())));
    fs::remove_all(backup_dir());
    // What is no file at all.
    become_directory(image_of(id, data()));
    ASSERT_EQ(backup().exit, 0);
    EXPECT_EQ(read_text(image_of(id, backup_dir())), good);
    fs::remove_all(backup_dir());
    become_directory(image_of(id, duplicate()));
    const Done lost = backup();
    EXPECT_EQ(lost.exit, exits::kBadProof) << lost.out;
    EXPECT_EQ(lost.error()["found"]["damages"].size(), 1U) << lost.out;
    EXPECT_EQ(lost.error()["found"]["damages"][0]["artwork"], id);
    EXPECT_TRUE(fs::exists(image_of(other, backup_dir()))) << "what is good of it is kept";
}

TEST_F(BackupCommand, KeepsADamagedFileThatCanBeReadWhereTheOtherCannot) {
    const std::string id = upload();
    std::string bytes = read_text(image_of(id, data()));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    write_text(image_of(id, data()), bytes);
    become_directory(image_of(id, duplicate()));
    EXPECT_EQ(backup().exit, exits::kBadProof);
    EXPECT_EQ(read_text(image_of(id, backup_dir())), bytes);
}

TEST_F(BackupCommand, TakesTheMasterKeyFromTheDuplicateToo) {
    upload();
    Faults faults(dir() / "faults");
    faults.make_unreadable("/vault/master.key");
    const Done made =
        vaultd_command({"backup", backup_dir(), "--duplicate", duplicate()}).env(faults.env()).json().run();
    ASSERT_EQ(made.exit, 0) << made.out << made.err;
    EXPECT_EQ(read_text(backup_dir() / "master.key"), read_text(data() / "master.key"));
    EXPECT_EQ(vaultd_command({"backup", dir() / "none"}).env(faults.env()).json().run().exit, exits::kIo);
    EXPECT_FALSE(fs::exists(dir() / "none"));
}

TEST_F(BackupCommand, IsRestoredWithoutWhatCannotBeReadOfIt) {
    const std::string id = upload();
    // On another shelf: what makes one of them unreadable leaves the other alone.
    std::string other = upload("Another");
    int works = 2;
    for (; other.substr(0, 2) == id.substr(0, 2); ++works) other = upload("Another");
    ASSERT_EQ(backup().exit, 0);
    stop_vault();
    no_vault();
    fs::rename(data(), dir() / "old");
    const auto restore_with = [&](const std::string& unreadable, int error = EIO) {
        Faults faults(dir() / "faults");
        faults.make_unreadable(unreadable, error);
        fs::remove_all(data());
        fs::create_directory(data());
        fs::permissions(data(), fs::perms::owner_all);
        fs::copy(dir() / "old" / "keys", data() / "keys", fs::copy_options::recursive);
        return vaultd_command({"restore", backup_dir()}).env(faults.env()).json().run();
    };
    // A file, and a directory that cannot be listed.
    for (const std::string& unreadable : {id.substr(0, 2) + "/" + id, id.substr(0, 2)}) {
        const Done partial = restore_with("/backup/image_store/" + unreadable);
        EXPECT_EQ(partial.exit, exits::kBadProof) << partial.out << partial.err;
        EXPECT_EQ(partial.error()["found"]["damages"][0]["where"], image_of(id, data()).string());
        EXPECT_TRUE(fs::exists(data() / "master.key"));
        EXPECT_THAT(partial.error()["message"].get<std::string>(), HasSubstr("could not be read or is damaged"));
        EXPECT_THAT(partial.error()["hint"].get<std::string>(), HasSubstr("to restore again"));
        EXPECT_TRUE(fs::exists(image_of(other, data())));
    }
    // Not half of it: the catalogue has it all.
    const Done leafless = restore_with("/backup/leaves");
    EXPECT_EQ(leafless.exit, exits::kBadProof) << leafless.out << leafless.err;
    EXPECT_EQ(leafless.error()["found"]["damages"].size(), 1U) << leafless.out;
    EXPECT_EQ(leafless.error()["found"]["damages"][0]["part"], "leaves");
    EXPECT_EQ(leafless.error()["found"]["damages"][0]["remedy"], "rebuild");
    EXPECT_FALSE(fs::exists(data() / "leaves"));
    EXPECT_EQ(vaultd_command({"status"}).json().run().data()["leaves"], works);
    EXPECT_EQ(read_text(data() / "leaves"), read_text(backup_dir() / "leaves"));
    EXPECT_EQ(vaultd_command({"check"}).json().run().exit, 0);
    // What says nothing of the disk takes no name from anything: the restore is run again.
    const std::string shelf = "/backup/image_store/" + id.substr(0, 2);
    for (const std::string& away : {shelf + "/" + id, shelf, std::string("/backup/leaves")}) {
        const Done failed = restore_with(away, ESTALE);
        EXPECT_EQ(failed.exit, exits::kIo) << away << failed.out << failed.err;
        EXPECT_THAT(failed.error()["hint"].get<std::string>(), HasSubstr("run the restore again"));
        EXPECT_TRUE(fs::exists(data() / "restore.part"));
        EXPECT_FALSE(fs::exists(data() / "master.key"));
        EXPECT_EQ(vaultd_command({"restore", backup_dir()}).json().run().exit, 0) << away;
    }
    EXPECT_EQ(restore_with("/backup/catalog.sqlite").exit, exits::kIo) << "without it there is no vault";
    EXPECT_FALSE(fs::exists(data() / "master.key"));
}

TEST_F(BackupCommand, LeavesOutWhateverLiesBesideTheKeys) {
    const Path locked = locked_vault();
    ASSERT_EQ(vaultd_on(locked, {"status"}).exit, 0) << "from now on there is something to back up";
    const Path keys = locked / "keys";
    const Outcome opened = test::run({.argv = {"/usr/bin/openssl", "pkey", "-in", keys / "store.pem", "-passin",
                                               "file:" + (dir() / "pass").string(), "-out", keys / "store.pem.bak"}});
    ASSERT_EQ(opened.exit_code, 0) << opened.err;
    ASSERT_THAT(read_text(keys / "store.pem.bak"), HasSubstr("BEGIN PRIVATE KEY"));
    fs::create_directory(keys / "old");
    fs::copy_file(keys / "store.pem.bak", keys / "old" / "store.pem");
    const Done made = vaultd_on(locked, {"backup", backup_dir()});
    ASSERT_EQ(made.exit, 0) << made.out << made.err;
    EXPECT_EQ(made.data()["keys"], true);
    const auto expect_no_open_key = [](const Path& where) {
        for (const Path& file : files_below(where))
            EXPECT_THAT(read_text(file), Not(HasSubstr("BEGIN PRIVATE KEY"))) << file;
    };
    expect_no_open_key(backup_dir());
    const Path fresh = dir() / "fresh";
    EXPECT_EQ(vaultd_on(fresh, {"restore", backup_dir()}).exit, 0) << "and nothing is missing";
    // A private key under the name of a public one.
    fs::remove_all(backup_dir());
    write_text(keys / "sign.pub.pem", read_text(keys / "sign.pub.pem") + read_text(keys / "store.pem.bak"));
    const Done second = vaultd_on(locked, {"backup", backup_dir()});
    ASSERT_EQ(second.exit, 0) << second.out << second.err;
    EXPECT_EQ(second.data()["keys"], false);
    EXPECT_THAT(second.data()["notes"][0].get<std::string>(),
                HasSubstr("sign.pub.pem has a private key in it that no"));
    expect_no_open_key(backup_dir());
    // One that cannot be read.
    fs::remove_all(backup_dir());
    write_text(keys / "sign.pub.pem", std::string(64 * 1024 + 1, 'x'));
    const Done third = vaultd_on(locked, {"backup", backup_dir()});
    ASSERT_EQ(third.exit, 0) << third.out << third.err;
    EXPECT_EQ(third.data()["keys"], false);
    EXPECT_THAT(third.data()["notes"][0].get<std::string>(), HasSubstr("sign.pub.pem is larger than 65536 bytes"));
}

TEST_F(BackupCommand, LiesNowhereInTheVaultsDirectoriesHoweverItIsNamed) {
    upload();
    for (const Path& where : {data(), duplicate()}) {
        const auto before = contents_of(where);
        for (const char* name : {"bare", "./bare", "not/../bare"}) {
            const Done refused = vaultd_command({"backup", name, "--duplicate", duplicate()}).in(where).json().run();
            EXPECT_EQ(refused.exit, exits::kConfig) << name << refused.out;
        }
        const auto after = contents_of(where);
        EXPECT_EQ(after.size(), before.size());
    }
}

TEST_F(BackupCommand, WithALinkInItIsRefusedAndItsNameMovesNoTerminal) {
    const std::string id = upload();
    ASSERT_EQ(backup().exit, 0);
    stop_vault();
    no_vault();
    fs::create_directory(dir() / "elsewhere");
    write_text(dir() / "elsewhere" / "secret", "not in any backup");
    const Path fresh = dir() / "fresh";
    fs::create_directory(fresh);
    fs::permissions(fresh, fs::perms::owner_all);
    fs::copy(data() / "keys", fresh / "keys", fs::copy_options::recursive);
    for (const Path& link : {backup_dir() / "image_store" / "\x1b]0;owned\x07\n",
                             image_of(id, backup_dir()).parent_path() / "\x1b]0;owned\x07\n",
                             backup_dir() / "metadata_store" / "\x1b]0;owned\x07\n"}) {
        fs::create_symlink(dir() / "elsewhere", link);
        const Done refused = Command("sat-vaultd", {"restore", backup_dir()}).home(fresh).run();
        EXPECT_EQ(refused.exit, exits::kUnreadable) << link << refused.out << refused.err;
        EXPECT_THAT(refused.err, HasSubstr("\\x1B]0;owned\\x07\\x0A is a symbolic link"));
        EXPECT_EQ(refused.err.find('\x1b'), std::string::npos);
        EXPECT_EQ(refused.err.find('\x07'), std::string::npos);
        for (const Path& file : files_below(fresh)) EXPECT_NE(file.filename(), "secret");
        fs::remove(link);
    }
    fs::rename(backup_dir() / "image_store", dir() / "images");
    fs::create_directory_symlink(dir() / "images", backup_dir() / "image_store");
    EXPECT_EQ(Command("sat-vaultd", {"restore", backup_dir()}).home(fresh).run().exit, exits::kUnreadable);
    fs::remove(backup_dir() / "image_store");
    fs::rename(dir() / "images", backup_dir() / "image_store");
    EXPECT_EQ(Command("sat-vaultd", {"restore", backup_dir()}).home(fresh).run().exit, 0);
}

TEST_F(BackupCommand, EndsAtASignalAndLeavesNothing) {
    const Path locked = locked_vault();
    ASSERT_EQ(
        Command("sat-vaultd", {"status", "--data", locked, "--passphrase-file", dir() / "pass"}).json().run().exit, 0);
    ASSERT_EQ(::mkfifo((dir() / "ask").c_str(), 0600), 0);
    // It waits for the passphrase, so that the signal comes before the first work.
    const std::string shell = "exec \"$0\" \"$@\" 3<" + (dir() / "ask").string();
    Process process({.argv = {"/bin/bash", "-c", shell, program_path("sat-vaultd"), "backup", backup_dir(), "--data",
                              locked, "--passphrase-fd", "3", "--json"},
                     .env = {{"HOME", dir()}}});
    FileDescriptor answer(::open((dir() / "ask").c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(answer);
    ASSERT_TRUE(eventually([&] { return has_handlers(process.pid()); }));
    process.signal(SIGTERM);
    ASSERT_TRUE(write_all(answer.get(), as_bytes(std::string(kLockedPassphrase) + "\n"), "the passphrase"));
    answer.reset();
    EXPECT_EQ(process.wait().exit_code, 128 + SIGTERM);
    for (const auto& entry : fs::directory_iterator(dir()))
        EXPECT_FALSE(entry.path().filename().string().starts_with("backup")) << entry.path();
}

TEST_F(BackupCommand, AndARepairKeepOutOfEachOthersWay) {
    upload();
    const FileDescriptor repairing(::open((data() / "repair.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_EQ(::flock(repairing.get(), LOCK_EX), 0);
    const Done refused = backup();
    EXPECT_EQ(refused.code(), "busy") << refused.out;
    EXPECT_FALSE(fs::exists(backup_dir()));
    ASSERT_EQ(::flock(repairing.get(), LOCK_SH), 0);
    EXPECT_EQ(backup().exit, 0) << "two backups read side by side";
    stop_vault();
    no_vault();
    EXPECT_EQ(vaultd_command({"check", "--repair"}).json().run().code(), "busy");
    EXPECT_EQ(vaultd_command({"check"}).json().run().exit, 0);
}

TEST_F(BackupCommand, HealsFromTheDuplicateNamesWhatIsLostAndRefusesWrongPlaces) {
    const std::string id = upload();
    const auto shelf = [&](const Path& store) { return store / id.substr(0, 2) / id; };
    const Path image = shelf(data() / "image_store");
    std::string bytes = read_text(image);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    write_text(image, bytes);
    ASSERT_EQ(backup().exit, 0) << "the duplicate has it good";
    write_text(shelf(duplicate() / "duplicate_store"), bytes);
    fs::remove_all(backup_dir());
    const Done partial = backup();
    EXPECT_EQ(partial.exit, exits::kBadProof) << partial.out;
    EXPECT_EQ(partial.error()["found"]["damages"][0]["artwork"], id);
    EXPECT_TRUE(fs::exists(backup_dir() / "catalog.sqlite")) << "what is good of it is kept";
    EXPECT_EQ(vaultd_command({"backup", data() / "inside"}).json().run().exit, exits::kConfig);
    // Nothing can take the place of a mount point; nor is the parent's disk filled before that is found.
    EXPECT_EQ(vaultd_command({"backup", "/proc"}).json().run().exit, exits::kConfig);
    EXPECT_EQ(vaultd_command({"backup", dir() / "no" / "such"}).json().run().exit, exits::kIo);
    EXPECT_EQ(vaultd_command({"restore", dir() / "nothing"}).json().run().exit, exits::kUnreadable);
}

}  // namespace
}  // namespace sat::test
