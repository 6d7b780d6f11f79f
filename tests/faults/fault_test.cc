// The vault while one of its calls fails, once: of the disk, of SQLite, for memory; and while its disk is full.  It
// says so or ends in order, tells no lie, goes on, and loses nothing.  A sample of the calls by default; all of them
// with SAT_FULL=1.  docs/decisions/0013 says what running out of memory does.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>

#include "base/memory.h"
#include "faults/figures.h"
#include "faults/sanitized.h"
#include "faults/scene.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;

// SQLite's result codes, which no header outside of store/ knows.
constexpr int kSqliteBusy = 5;
constexpr int kSqliteNoMemory = 7;
constexpr int kSqliteIoError = 10;
constexpr int kSqliteFull = 13;

// A vault that ended by itself said why, and not by a signal.
void expect_orderly_end(const Outcome& outcome, const std::string& when) {
    EXPECT_LT(outcome.exit_code, 128) << when << ": " << outcome.err;
    EXPECT_NE(outcome.exit_code, 0) << when;
    EXPECT_THAT(outcome.err, HasSubstr("error")) << when;
    EXPECT_THAT(outcome.err, HasSubstr("hint")) << when << ": " << outcome.exit_code;
}

// One run of the story with a fault that is armed already.  Whether the vault served to the end of it.
bool expect_survival(Scene& scene, const Scene::Environment& environment, const std::string& when) {
    bool lived = false;
    if (scene.start(environment)) {
        const Scene::Ran ran = scene.play();
        for (const std::string& lie : ran.dishonest) ADD_FAILURE() << when << ": " << lie;
        lived = scene.running();
        if (lived) {
            EXPECT_TRUE(ran.to_the_end) << when;
            // A fault that did not come yet is meant for the vault's end, not for those who look.
            if (scene.faults().injected() > 0) scene.verify(when);
            lived = scene.running();
        }
        if (lived) scene.stop();
    }
    scene.faults().disarm();
    const Outcome outcome = scene.outcome();
    if (outcome.exit_code != 0) expect_orderly_end(outcome, when);
    if (testing::Test::HasFatalFailure()) return lived;
    if (!scene.start()) {
        ADD_FAILURE() << when << ", then: " << scene.outcome().err;
        return lived;
    }
    scene.verify(when + ", started again");
    if (!testing::Test::HasFatalFailure()) scene.repeat(when);
    if (!testing::Test::HasFatalFailure()) scene.verify(when + ", and the step repeated");
    EXPECT_EQ(scene.stop(), 0) << when;
    scene.expect_clean(when);
    return lived;
}

// How many calls of a kind a run has, from the vault's start to its end.
std::uint64_t count_calls(Scene& scene, FaultKind kind) {
    scene.reset();
    scene.faults().count(kind);
    EXPECT_TRUE(scene.start(scene.faults().env()));
    EXPECT_TRUE(scene.play().to_the_end);
    EXPECT_EQ(scene.stop(), 0);
    return scene.faults().calls();
}

TEST(Fault, AnyCallOfTheDiskMayFailOnceAndNothingIsLost) {
    const SceneDirectory directory;
    Scene scene(directory.path());
    const std::uint64_t calls = count_calls(scene, FaultKind::io);
    ASSERT_GT(calls, 200U);
    std::uint64_t injected = 0;
    for (const std::uint64_t call : points(calls, 10)) {
        const std::string when = "disk call " + std::to_string(call) + " of " + std::to_string(calls) + " fails";
        scene.reset();
        scene.faults().fail_at(FaultKind::io, call, EIO);
        expect_survival(scene, scene.faults().env(), when);
        injected += scene.faults().injected();
        if (HasFailure() && !run_in_full()) break;
    }
    // The last few calls may not come every time.
    EXPECT_GE(injected, points(calls, 10).size() * 9 / 10);
    report_figure("disk calls failed", injected);
}

TEST(Fault, AnyStepOfSqliteMayFailOnceAndNothingIsLost) {
    const SceneDirectory directory;
    Scene scene(directory.path());
    const std::uint64_t calls = count_calls(scene, FaultKind::step);
    ASSERT_GT(calls, 100U);
    constexpr int kCodes[] = {kSqliteIoError, kSqliteFull, kSqliteNoMemory, kSqliteBusy};
    std::uint64_t injected = 0;
    for (const std::uint64_t call : points(calls, 8)) {
        const int code = kCodes[call % std::size(kCodes)];
        const std::string when = "SQLite's step " + std::to_string(call) + " of " + std::to_string(calls) +
                                 " fails with " + std::to_string(code);
        scene.reset();
        scene.faults().fail_at(FaultKind::step, call, code);
        expect_survival(scene, scene.faults().env(), when);
        injected += scene.faults().injected();
        if (HasFailure() && !run_in_full()) break;
    }
    // The last few calls may not come every time.
    EXPECT_GE(injected, points(calls, 8).size() * 9 / 10);
    report_figure("SQLite steps failed", injected);
}

TEST(Fault, AnyAllocationMayFailOnceAndNothingIsLost) {
    if (is_sanitized(program_path("sat-vaultd"))) {
        std::cout << "the program has a sanitizer's allocator: no allocation was made to fail\n";
        return;
    }
    const SceneDirectory directory;
    Scene scene(directory.path());
    scene.reset();
    scene.faults().record_stacks();
    ASSERT_TRUE(scene.start(scene.faults().memory_env("sat-vaultd")));
    ASSERT_TRUE(scene.play().to_the_end);
    ASSERT_EQ(scene.stop(), 0);
    const std::vector<std::uint64_t> stacks = scene.faults().stacks();
    ASSERT_GT(stacks.size(), 500U);
    std::uint64_t injected = 0;
    std::uint64_t ended = 0;
    for (const std::uint64_t number : points(stacks.size(), 8)) {
        const std::string when =
            "allocation by call path " + std::to_string(number) + " of " + std::to_string(stacks.size()) + " fails";
        scene.reset();
        scene.faults().fail_stack(stacks[number - 1]);
        if (!expect_survival(scene, scene.faults().memory_env("sat-vaultd"), when)) ++ended;
        injected += scene.faults().injected();
        if (HasFailure() && !run_in_full()) break;
    }
    EXPECT_GE(injected, points(stacks.size(), 8).size() / 2) << "not every run takes the same paths";
    EXPECT_GT(ended, 0U) << "most of them end the vault";
    report_figure("allocations of the vault failed", injected);
}

TEST(Fault, AFullDiskRefusesAndNothingIsHalfStored) {
    const SceneDirectory directory;
    Scene scene(directory.path());
    scene.reset();
    ASSERT_TRUE(scene.start(scene.faults().env()));
    scene.faults().count();
    ASSERT_TRUE(scene.play().to_the_end);
    const std::uint64_t calls = scene.faults().calls();
    ASSERT_EQ(scene.stop(), 0);
    ASSERT_GT(calls, 100U);
    std::uint64_t refused = 0;
    for (const std::uint64_t call : points(calls, 8)) {
        const std::string when = "full from call " + std::to_string(call) + " of " + std::to_string(calls);
        scene.reset();
        ASSERT_TRUE(scene.start(scene.faults().env()));
        scene.faults().full_at(call, call % 2 == 0);
        const auto full = scene.play_while_refused();
        for (const std::string& lie : full.dishonest) ADD_FAILURE() << when << ": " << lie;
        ASSERT_TRUE(scene.running()) << when << ": it goes on";
        refused += full.refused;
        scene.faults().disarm();
        scene.verify(when);
        // With room again everything goes on where it stood.
        const Scene::Ran rest = scene.play();
        for (const std::string& lie : rest.dishonest) ADD_FAILURE() << when << ", with room again: " << lie;
        EXPECT_TRUE(rest.to_the_end) << when;
        scene.verify(when + ", with room again");
        EXPECT_EQ(scene.stop(), 0) << when;
        ASSERT_TRUE(scene.start()) << when;
        scene.verify(when + ", started again");
        EXPECT_EQ(scene.stop(), 0) << when;
        scene.expect_clean(when);
        if (HasFailure() && !run_in_full()) break;
    }
    EXPECT_GT(refused, 0U);
    report_figure("points at which the disk was full", points(calls, 8).size());
}

}  // namespace
}  // namespace sat::test
