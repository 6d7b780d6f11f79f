// SPDX-License-Identifier: Apache-2.0
#include "net/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <set>

namespace sat {
namespace {

TEST(WorkerPoolTest, EverythingThatIsPostedIsDoneInItsOrderBeforeJoinReturns) {
    for (const int count : {0, 1, 100}) {
        std::vector<int> done;
        WorkerPool pool(1);
        for (int i = 0; i < count; ++i) pool.post([&done, i] { done.push_back(i); });
        pool.join();
        ASSERT_EQ(done.size(), static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
    }
}

TEST(WorkerPoolTest, JoinWaitsForWhatTheLastOnesPost) {
    std::atomic<int> done = 0;
    WorkerPool pool(3);
    std::function<void(int)> again = [&](int left) {
        ++done;
        if (left > 0) pool.post([&again, left] { again(left - 1); });
    };
    std::promise<void> gate;
    pool.post([&, opened = gate.get_future().share()] {
        opened.wait();
        again(50);
    });
    std::thread opener([&] { gate.set_value(); });
    pool.join();
    opener.join();
    EXPECT_EQ(done, 51);
}

TEST(WorkerPoolTest, AsManyRunAtOnceAsThereAreThreadsAndTheOthersWait) {
    constexpr int kThreads = 4;
    std::promise<void> gate;
    const std::shared_future<void> opened = gate.get_future().share();
    std::promise<void> all_began;
    std::atomic<int> began = 0;
    std::atomic<int> done = 0;
    WorkerPool pool(kThreads);
    for (int i = 0; i < kThreads; ++i)
        pool.post([&] {
            if (++began == kThreads) all_began.set_value();
            opened.wait();
            ++done;
        });
    all_began.get_future().wait();
    for (int i = 0; i < kThreads; ++i)
        pool.post([&] {
            EXPECT_EQ(began, kThreads);
            ++done;
        });
    gate.set_value();
    pool.join();
    EXPECT_EQ(done, 2 * kThreads);
}

TEST(WorkerPoolTest, TheThreadThatWasIdleLastIsTakenFirst) {
    WorkerPool pool(8);
    std::set<std::thread::id> seen;
    for (int i = 0; i < 20; ++i) {
        while (pool.idle() < 8) std::this_thread::yield();
        pool.post([&] { seen.insert(std::this_thread::get_id()); });
    }
    pool.join();
    EXPECT_EQ(seen.size(), 1U);
}

TEST(WorkerPoolTest, WhatCanOnlyBeMovedIsPostedToo) {
    std::promise<int> told;
    auto value = std::make_unique<int>(7);
    WorkerPool pool(1);
    pool.post([&told, value = std::move(value)] { told.set_value(*value); });
    EXPECT_EQ(told.get_future().get(), 7);
}

}  // namespace
}  // namespace sat
