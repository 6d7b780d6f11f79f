// The operator's commands: a work held is neither served nor transferred; nothing an operator can do gives one away.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>

#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;

class Admin : public ThreeComputers {};

TEST_F(Admin, AHeldWorkIsNeitherServedNorTransferred) {
    const std::string id = upload();
    const std::string claim_id = claim(kCollector, id);
    const Done held = vaultd({"hold", id, "--reason", "A court asked"});
    ASSERT_EQ(held.exit, 0) << held.out << held.err;
    const Done request = collector({"request", id, "-o", dir() / "held.jpg"});
    EXPECT_EQ(request.exit, exits::kHeld) << request.out << request.err;
    EXPECT_EQ(request.code(), "held");
    EXPECT_FALSE(fs::exists(dir() / "held.jpg"));
    EXPECT_EQ(second({"claim", id, "--wait", "0"}).exit, exits::kHeld);
    EXPECT_EQ(artist({"confirm", id, "--claim", claim_id}).exit, exits::kHeld);
    const Done shown = collector({"show", id});
    ASSERT_EQ(shown.exit, 0) << "its metadata stays";
    EXPECT_EQ(shown.data()["held"], true);
    EXPECT_EQ(collector({"history", id}).data()["holds"][0]["reason"], "A court asked");
    const Done again = vaultd({"hold", id, "--reason", "Twice"});
    EXPECT_EQ(again.exit, exits::kChanged);
    EXPECT_THAT(again.err, HasSubstr("the work is held already"));
    EXPECT_THAT(again.err, HasSubstr("hint: nothing was changed"));

    ASSERT_EQ(vaultd({"release", id}).exit, 0);
    EXPECT_EQ(collector({"request", id, "-o", dir() / "free.jpg"}).exit, 0);
    EXPECT_EQ(artist({"confirm", id, "--claim", claim_id}).exit, 0);
    EXPECT_EQ(collector({"claim", id}).exit, 0);
    // The history holds through the hold and the release, signed by the vault.
    const Done history = collector({"history", id});
    EXPECT_EQ(history.exit, 0) << history.out << history.err;
    EXPECT_EQ(history.data()["items"].size(), 2U);
}

TEST_F(Admin, AHoldBetweenTheYesAndTheAcceptanceStopsIt) {
    const std::string id = upload();
    claim(kCollector, id);
    ASSERT_EQ(artist({"confirm", id}).exit, 0);
    ASSERT_EQ(vaultd({"hold", id, "--reason", "Wait"}).exit, 0);
    EXPECT_EQ(collector({"claim", id}).exit, exits::kHeld);
    EXPECT_EQ(owner_of(id), wallet(artist_home()).hex());
    ASSERT_EQ(vaultd({"release", id}).exit, 0);
    EXPECT_EQ(collector({"claim", id}).exit, 0);
}

TEST_F(Admin, TheCommandsWorkOnAStoppedVaultAsWell) {
    const std::string id = upload();
    stop_vault();
    ASSERT_EQ(vaultd({"hold", id, "--reason", "Offline"}).exit, 0);
    const Done status = vaultd_command({"status"}).json().run();
    EXPECT_EQ(status.exit, 0) << status.out << status.err;
    start_vault();
    EXPECT_EQ(collector({"request", id, "-o", dir() / "held.jpg"}).exit, exits::kHeld);
    ASSERT_EQ(vaultd({"release", id}).exit, 0);
    EXPECT_EQ(collector({"request", id, "-o", dir() / "held.jpg"}).exit, 0);
}

TEST_F(Admin, WhatNeedsAStoppedVaultSaysThatOneRuns) {
    for (const std::vector<std::string>& words : {std::vector<std::string>{"run", "--listen", "127.0.0.1:0"},
                                                  {"passphrase", "--no-passphrase"},
                                                  {"rekey", "--store"},
                                                  {"check"}}) {
        const Done refused = vaultd_command({words.begin(), words.end()}).run();
        EXPECT_EQ(refused.exit, exits::kUnreachable) << words[0] << refused.err;
        EXPECT_THAT(refused.err, HasSubstr("a vault runs on " + data().string())) << words[0];
        EXPECT_THAT(refused.err, HasSubstr("hint: stop it")) << words[0];
    }
}

TEST_F(Admin, HelpAndMistakesAreNamedAsTheyWereTyped) {
    const Done help = Command("sat-vaultd", {"init", "--help"}).run();
    EXPECT_THAT(help.out, HasSubstr("Usage: sat-vaultd init"));
    const Done misspelt = Command("sat-vaultd", {"frob"}).run();
    EXPECT_EQ(misspelt.exit, exits::kUsage);
    EXPECT_THAT(misspelt.err, HasSubstr("there is no command frob"));
}

TEST_F(Admin, WhatIsNotThereCannotBeHeld) {
    const Done unknown = vaultd({"hold", ArtworkId::generate().str(), "--reason", "r"});
    EXPECT_EQ(unknown.exit, exits::kNotThere);
    EXPECT_EQ(unknown.err.find("browse"), std::string::npos) << "this program has no such command";
    EXPECT_EQ(vaultd({"release", ArtworkId::generate().str()}).exit, exits::kNotThere);
    const std::string id = upload();
    const Done free = vaultd({"release", id});
    EXPECT_NE(free.exit, 0) << "it is not held";
}

TEST_F(Admin, StatusCounts) {
    upload();
    const std::string id = upload();
    claim(kCollector, id);
    const Done status = vaultd_command({"status"}).json().run();
    ASSERT_EQ(status.exit, 0) << status.out << status.err;
    EXPECT_EQ(status.data()["works"], 2);
    EXPECT_EQ(status.data()["open_claims"], 1);
    EXPECT_EQ(status.data()["copies"], 2);
    EXPECT_EQ(vaultd({"status"}).exit, 0);
}

TEST_F(Admin, TheFingerprintIsTheOneThatClientsSee) {
    const Done done = vaultd({"fingerprint"});
    EXPECT_EQ(done.exit, 0) << done.err;
    EXPECT_EQ(done.out, vault().fingerprint() + "\n");
}

TEST_F(Admin, AVaultWithoutADataDirectoryMakesItsOwn) {
    VaultProcess fresh({.data = dir() / "fresh", .more = {"--no-passphrase"}});
    const Done done =
        artist_command({"upload", picture(), "--title", "T"}).vault(fresh.address()).pin(fresh.fingerprint()).run();
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(done.data()["copies"], 1) << "no duplicate directory, one copy";
    EXPECT_EQ(fresh.terminate(), 0);
}

TEST_F(Admin, TheAdminSocketIsTheOwnersAlone) {
    const auto status = fs::status(data() / "admin.sock");
    ASSERT_EQ(status.type(), fs::file_type::socket);
    EXPECT_EQ(status.permissions() & (fs::perms::group_all | fs::perms::others_all), fs::perms::none);
    stop_vault();
    EXPECT_FALSE(fs::exists(data() / "admin.sock"));
    start_vault();
}

TEST_F(Admin, OnSigtermWhatIsUnderWayIsFinished) {
    const Command waiting = artist_command({"watch"});
    Process watch = waiting.begin();
    const std::string id = upload();
    EXPECT_EQ(vault().terminate(), 0) << "a watcher does not hold it up";
    watch.signal(SIGTERM);
    watch.wait();
    start_vault();
    EXPECT_EQ(collector({"show", id}).exit, 0);
}

}  // namespace
}  // namespace sat::test
