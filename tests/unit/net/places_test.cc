// Places by key.
// SPDX-License-Identifier: Apache-2.0
#include "net/places.h"

#include <map>
#include <set>

#include "net_fixtures.h"

namespace sat {
namespace {

TEST(Places, AreSoManyForEachKeyAndGoToWhoWaitedLongest) {
    Loop loop;
    Places<std::string> places(loop.context.get_executor(), 2);
    std::vector<std::string> said;
    std::set<std::string> done;  // who has been told to give their place back
    const auto worker = [&](std::string key, std::string name) -> asio::awaitable<void> {
        const auto place = co_await places.take(std::move(key));
        said.push_back(name);
        while (!done.contains(name)) {
            asio::steady_timer timer(loop.context, 1ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    };
    std::map<std::string, Running<bool>> running;
    for (const std::string name : {"a1", "a2", "a3", "a4", "b1"}) {
        running.emplace(name, loop.start(worker(name.substr(0, 1), name)));
        // Each comes to where it takes its place, or waits, before the next one begins.
        bool passed = false;
        asio::post(loop.context, [&] { passed = true; });
        ASSERT_TRUE(loop.until([&] { return passed; }));
    }
    ASSERT_TRUE(loop.until([&] { return said.size() == 3; }));
    EXPECT_EQ(said, (std::vector<std::string>{"a1", "a2", "b1"})) << "the others wait, and not for another key's";
    done.insert("a2");
    EXPECT_TRUE(loop.finish(running.at("a2")));
    ASSERT_TRUE(loop.until([&] { return said.size() == 4; }));
    EXPECT_EQ(said.back(), "a3");
    done.insert({"a1", "a3", "a4", "b1"});
    for (const char* name : {"a1", "a3", "a4", "b1"}) EXPECT_TRUE(loop.finish(running.at(name)));
    EXPECT_EQ(said.back(), "a4");
    EXPECT_EQ(places.keys(), 0U);
    // And it begins anew.
    EXPECT_TRUE(loop.finish(loop.start(worker("a", "a1"))));
}

}  // namespace
}  // namespace sat
