// Turns among groups.  docs/decisions/0012.
// SPDX-License-Identifier: Apache-2.0
#include "net/fair_turns.h"

#include "net_fixtures.h"

namespace sat {
namespace {

class FairTurnsTest : public ::testing::Test {
protected:
    // Takes a turn, says so, and keeps it until the others have had the network thread.
    asio::awaitable<void> worker(std::string group, std::string name, SteadyTime until = kNever) {
        const auto turn = co_await turns.take(std::move(group), until);
        said.push_back(turn ? name : name + " in vain");
        if (!turn) co_return;
        while (hold) {
            asio::steady_timer timer(loop.context, 1ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    // Starts workers one after the other, each once the one before it waits.
    std::vector<Running<bool>> start(const std::vector<std::pair<std::string, std::string>>& whom) {
        std::vector<Running<bool>> running;
        for (const auto& [group, name] : whom) {
            const std::size_t before = turns.waiting() + said.size();
            running.push_back(loop.start(worker(group, name)));
            EXPECT_TRUE(loop.until([&] { return turns.waiting() + said.size() > before; }));
        }
        return running;
    }

    Loop loop;
    FairTurns turns{loop.context.get_executor()};
    bool hold = true;
    std::vector<std::string> said;
};

TEST_F(FairTurnsTest, WhoSendsManyWaitsBehindWhoSendsOne) {
    const auto running = start({{"a", "a1"}, {"a", "a2"}, {"a", "a3"}, {"b", "b1"}, {"c", "c1"}, {"b", "b2"}});
    EXPECT_EQ(said, std::vector<std::string>{"a1"});
    EXPECT_EQ(turns.waiting(), 5U);
    hold = false;
    for (const auto& one : running) EXPECT_TRUE(loop.finish(one));
    EXPECT_EQ(said, (std::vector<std::string>{"a1", "a2", "b1", "c1", "a3", "b2"}));
    EXPECT_EQ(turns.waiting(), 0U);
    // And it begins anew.
    EXPECT_TRUE(loop.finish(loop.start(worker("a", "a4"))));
    EXPECT_EQ(said.back(), "a4");
}

TEST_F(FairTurnsTest, WhoseTimeIsOverLeavesAndTheOthersKeepTheirOrder) {
    auto first = start({{"a", "a1"}});
    auto late = loop.start(worker("b", "b1", std::chrono::steady_clock::now()));
    EXPECT_TRUE(loop.until([&] { return late.done(); }));
    EXPECT_EQ(said.back(), "b1 in vain");
    auto others = start({{"b", "b2"}, {"c", "c1"}});
    hold = false;
    EXPECT_TRUE(loop.finish(first.front()));
    for (const auto& one : others) EXPECT_TRUE(loop.finish(one));
    EXPECT_EQ(said, (std::vector<std::string>{"a1", "b1 in vain", "b2", "c1"}));
}

TEST_F(FairTurnsTest, NobodyWaitsAfterTheStop) {
    auto running = start({{"a", "a1"}, {"a", "a2"}, {"b", "b1"}});
    turns.stop();
    EXPECT_TRUE(loop.finish(running[1]));
    EXPECT_TRUE(loop.finish(running[2]));
    EXPECT_TRUE(loop.finish(loop.start(worker("c", "c1"))));
    hold = false;
    EXPECT_TRUE(loop.finish(running[0]));
    EXPECT_EQ(std::ranges::count_if(said, [](const std::string& text) { return text.ends_with("in vain"); }), 3);
    EXPECT_EQ(turns.waiting(), 0U);
}

}  // namespace
}  // namespace sat
