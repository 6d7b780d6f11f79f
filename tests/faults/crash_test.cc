// The vault killed, or its power cut, at any call that changes its disk.  A sample of the points by default; all of
// them with SAT_FULL=1.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "faults/figures.h"
#include "faults/power_cut.h"
#include "faults/scene.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

constexpr int kKilled = 128 + SIGKILL;

// After the vault was killed: it starts, has what it acknowledged, goes on, and is whole.
void expect_recovery(Scene& scene, const std::string& when) {
    scene.faults().disarm();
    ASSERT_TRUE(scene.start()) << when << ": " << scene.outcome().err;
    scene.verify(when);
    if (!testing::Test::HasFatalFailure()) scene.repeat(when);
    if (!testing::Test::HasFatalFailure()) scene.verify(when + ", and the step repeated");
    EXPECT_EQ(scene.stop(), 0) << when;
    scene.expect_clean(when);
}

// From the start of the vault to its end by SIGTERM.
void kill_everywhere(Scene& scene, std::uint64_t sample, const std::string& what) {
    scene.reset();
    scene.faults().count();
    ASSERT_TRUE(scene.start(scene.faults().env()));
    const Scene::Ran whole = scene.play();
    ASSERT_TRUE(whole.to_the_end);
    ASSERT_EQ(scene.stop(), 0);
    const std::uint64_t calls = scene.faults().calls();
    ASSERT_GT(calls, 100U);
    std::uint64_t killed = 0;
    for (const std::uint64_t call : points(calls, sample)) {
        const std::string when = what + ", killed at call " + std::to_string(call) + " of " + std::to_string(calls);
        scene.reset();
        scene.faults().kill_at(call);
        if (scene.start(scene.faults().env())) {
            const Scene::Ran ran = scene.play();
            for (const std::string& lie : ran.dishonest) ADD_FAILURE() << when << ": " << lie;
            if (ran.to_the_end && scene.running()) scene.stop();
        }
        const Outcome outcome = scene.outcome();
        // The last few calls may not come every time: how many pages SQLite writes depends on what is drawn at random.
        if (outcome.exit_code == 0) continue;
        EXPECT_EQ(outcome.exit_code, kKilled) << when << ": " << outcome.err;
        ++killed;
        expect_recovery(scene, when);
        if (testing::Test::HasFailure()) break;
    }
    EXPECT_GE(killed, points(calls, sample).size() * 9 / 10);
    report_figure("kill -9 points", killed);
}

TEST(Crash, NothingThatWasAcknowledgedIsLostByAKill) {
    const SceneDirectory directory;
    Scene scene(directory.path());
    kill_everywhere(scene, 12, "a vault in use");
}

TEST(Crash, ANewVaultKilledAtAnyPointStartsAgain) {
    const SceneDirectory directory;
    Scene scene(directory.path(), true);
    kill_everywhere(scene, 6, "a new vault");
}

// One run is written down call by call; what a cut after each of them leaves is then made, and a vault started on it.
void cut_everywhere(Scene& scene, const Path& directory, std::uint64_t sample, const std::string& what) {
    struct Moment {
        std::uint64_t records = 0;
        Known known;
        Path homes;
    };
    std::vector<Moment> moments;
    const Path journal = directory / "journal";
    const auto remember = [&] {
        Moment moment{scene.faults().records(), scene.known(), directory / ("homes-" + std::to_string(moments.size()))};
        fs::copy(scene.homes(), moment.homes, fs::copy_options::recursive);
        moments.push_back(std::move(moment));
    };
    scene.reset();
    PowerCut power({scene.data(), scene.duplicate()});
    remember();
    ASSERT_TRUE(scene.start(scene.faults().journal_env(journal)));
    const Scene::Ran whole = scene.play(remember);
    ASSERT_TRUE(whole.to_the_end);
    ASSERT_EQ(scene.stop(), 0);
    power.read_journal(journal);
    ASSERT_EQ(power.records(), scene.faults().records());
    ASSERT_GT(power.records(), 100U);

    using Unsynced = PowerCut::Unsynced;
    std::uint64_t cuts = 0;
    for (const std::uint64_t at : points(power.records(), sample)) {
        power.advance(at);
        std::size_t last = 0;
        while (last + 1 < moments.size() && moments[last + 1].records <= at) ++last;
        std::vector<Unsynced> kinds{Unsynced::lost, Unsynced::named, Unsynced::torn};
        if (!run_in_full()) kinds = {kinds[cuts % 3]};
        for (const Unsynced kind : kinds) {
            const std::string when = what + ", power cut after record " + std::to_string(at) + " of " +
                                     std::to_string(power.records()) + ", kind " +
                                     std::to_string(static_cast<int>(kind));
            power.restore(kind, at);
            fs::remove_all(scene.homes());
            fs::copy(moments[last].homes, scene.homes(), fs::copy_options::recursive);
            scene.pretend(moments[last].known, scene.pending_of(last), last);
            ++cuts;
            expect_recovery(scene, when);
            if (testing::Test::HasFailure()) return;
        }
    }
    report_figure("power cuts", cuts);
}

TEST(Crash, NothingThatWasAcknowledgedIsLostByAPowerCut) {
    const SceneDirectory directory;
    Scene scene(directory.path());
    cut_everywhere(scene, directory.path(), 12, "a vault in use");
}

TEST(Crash, ANewVaultWhosePowerIsCutStartsAgain) {
    const SceneDirectory directory;
    Scene scene(directory.path(), true);
    cut_everywhere(scene, directory.path(), 6, "a new vault");
}

}  // namespace
}  // namespace sat::test
