// Backups of a vault that serves, and vaults made of them: what clients accept, and what they do not.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>

#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;

class BackupCommand : public ThreeComputers {
public:
    Path backup_dir() const { return dir() / "backup"; }
    Done backup() { return vaultd_command({"backup", backup_dir(), "--duplicate", duplicate()}).json().run(); }
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
    EXPECT_EQ(made.data()["keys"], false) << "they have no passphrase";
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
    const Path locked = dir() / "locked";
    copy_cached("locked-vault", locked);
    write_text(dir() / "pass", std::string(kLockedPassphrase) + "\n");
    const auto vaultd_on = [&](const Path& where, Words words) {
        words.insert(words.end(), {"--data", where, "--passphrase-file", dir() / "pass"});
        return Command("sat-vaultd", std::move(words)).json().run();
    };
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
    EXPECT_EQ(vaultd_command({"backup", dir() / "no" / "such"}).json().run().exit, exits::kIo);
    EXPECT_EQ(vaultd_command({"restore", dir() / "nothing"}).json().run().exit, exits::kUnreadable);
}

}  // namespace
}  // namespace sat::test
