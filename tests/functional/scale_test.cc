// Many at once: a thousand watchers on one vault, sixteen uploads together, and who does not pay for whom.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <set>

#include "support/programs.h"
#include "support/relay.h"

namespace sat::test {
namespace {

class Scale : public ThreeComputers {};

TEST_F(Scale, AThousandWatchersAreConnectedAndEachIsTold) {
    const std::size_t watchers = run_in_full() ? 4'000 : 1'000;
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, watchers + 200);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ASSERT_GE(limit.rlim_cur, watchers + 100) << "this system allows too few descriptors to try";

    const std::string id = upload();
    const Person owner = load_person(artist_home());
    std::vector<Session> sessions;
    sessions.reserve(watchers);
    for (std::size_t i = 0; i < watchers; ++i) {
        auto session = open_session(vault().socket_address(), owner);
        ASSERT_TRUE(session.has_value()) << i;
        ASSERT_TRUE(session->request("claim.subscribe", Json::object()).value("ok", false)) << i;
        sessions.push_back(std::move(*session));
    }
    // The programs find their way beside them.
    const std::string claim_id = claim(kCollector, id);
    std::size_t told = 0;
    for (Session& session : sessions) {
        const auto event = session.next_event();
        if (event && (*event)["e"] == "claim.opened") ++told;
    }
    EXPECT_EQ(told, watchers);
    EXPECT_EQ(artist({"confirm", id}).exit, 0);
    EXPECT_EQ(collector({"claim", id}).exit, 0);
    EXPECT_LT(vault().process().peak_memory(), std::uint64_t{512} << 20);
    // They are still there.
    EXPECT_TRUE(sessions.front().request("claim.inbox", Json::object()).value("ok", false));
    EXPECT_TRUE(sessions.back().request("claim.inbox", Json::object()).value("ok", false));
}

TEST_F(Scale, SixteenUploadsAtOnceAreServed) {
    const Path file = tiff(4'000'000);
    copy_cached("stranger", dir() / "stranger");
    const std::vector<Path> homes = {artist_home(), collector_home(), second_home(), dir() / "stranger"};
    // All sixteen are stopped in the middle, so that they are under way together.
    Relay relay(vault().socket_address());
    relay.treat(Direction::to_vault, {.hold_after = 1'000'000});
    std::vector<Command> commands;
    std::vector<Process> processes;
    for (std::size_t i = 0; i < 16; ++i) {
        // Of one file and one wallet a second upload would go on with the first, once that stands still.
        const Path own = dir() / ("upload-" + std::to_string(i) + ".tif");
        std::filesystem::copy_file(file, own);
        commands.push_back(artist_command({"upload", own, "--title", "Upload " + std::to_string(i)})
                               .home(homes[i % homes.size()])
                               .vault(relay.address()));
        processes.push_back(commands.back().begin());
    }
    ASSERT_TRUE(relay.wait_held(16));
    const Done status = vaultd_command({"status"}).json().run();
    EXPECT_EQ(status.data()["uploads"], 16) << status.out;
    EXPECT_EQ(collector({"browse"}).exit, 0) << "and others are served beside them";
    relay.release();
    std::set<std::string> ids;
    for (std::size_t i = 0; i < commands.size(); ++i) {
        const Done done = commands[i].patience(seconds(120)).finish(processes[i]);
        EXPECT_EQ(done.exit, 0) << i << done.out << done.err;
        if (done.exit == 0) ids.insert(done.data()["id"].get<std::string>());
    }
    ASSERT_EQ(ids.size(), 16U);
    EXPECT_EQ(collector({"browse", "--all"}).data()["items"].size(), 16U);
    EXPECT_EQ(collector({"request", *ids.begin(), "-o", dir() / "one.tif"}).exit, 0);
    EXPECT_EQ(read_text(dir() / "one.tif"), read_text(file));
    EXPECT_LT(vault().process().peak_memory(), std::uint64_t{64} << 20);
}

TEST_F(Scale, ManyCommandsOfOneHomeDoNotDisturbEachOther) {
    upload();
    std::vector<Process> processes;
    const Command browse = collector_command({"browse"});
    for (int i = 0; i < 24; ++i) processes.push_back(browse.begin());
    for (Process& process : processes) EXPECT_EQ(browse.finish(process).exit, 0);
}

}  // namespace
}  // namespace sat::test
