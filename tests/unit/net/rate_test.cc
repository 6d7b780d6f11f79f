// Token buckets.  docs/protocol.md, "Limits".
// SPDX-License-Identifier: Apache-2.0
#include "net/rate.h"

#include <gtest/gtest.h>

#include <string>

#include "net/address.h"

namespace sat {
namespace {

using namespace std::chrono_literals;
using Buckets = TokenBuckets<std::string>;

double wait_of(Buckets& buckets, const std::string& key, SteadyTime now, Buckets::Wait longest = 1h) {
    const auto wait = buckets.take(key, now, longest);
    return wait ? std::chrono::duration<double>(*wait).count() : -1;
}

TEST(TokenBuckets, LetABurstThroughAndThenTheRate) {
    Buckets buckets({2, 3}, 10);
    const SteadyTime now{};
    for (int i = 0; i < 3; ++i) EXPECT_EQ(wait_of(buckets, "a", now), 0) << i;
    EXPECT_NEAR(wait_of(buckets, "a", now), 0.5, 1e-6);
    EXPECT_NEAR(wait_of(buckets, "a", now), 1.0, 1e-6);
    EXPECT_EQ(wait_of(buckets, "b", now), 0) << "another key's is full";
    // What was owed is paid back first.
    EXPECT_NEAR(wait_of(buckets, "a", now + 1s), 0.5, 1e-6);
    EXPECT_EQ(wait_of(buckets, "a", now + 1min), 0);
}

TEST(TokenBuckets, TakeNothingFromWhomTheyTurnAway) {
    Buckets buckets({1, 1}, 10);
    const SteadyTime now{};
    EXPECT_EQ(wait_of(buckets, "a", now, 2s), 0);
    EXPECT_NEAR(wait_of(buckets, "a", now, 2s), 1, 1e-6);
    EXPECT_NEAR(wait_of(buckets, "a", now, 2s), 2, 1e-6);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(wait_of(buckets, "a", now, 2s), -1);
    EXPECT_NEAR(wait_of(buckets, "a", now + 1s, 2s), 2, 1e-6);
}

TEST(TokenBuckets, FillUpToTheBurstAndNoFurther) {
    Buckets buckets({10, 2}, 10);
    const SteadyTime now{};
    EXPECT_EQ(wait_of(buckets, "a", now), 0);
    EXPECT_EQ(wait_of(buckets, "a", now + 24h), 0);
    EXPECT_EQ(wait_of(buckets, "a", now + 24h), 0);
    EXPECT_GT(wait_of(buckets, "a", now + 24h), 0);
}

TEST(TokenBuckets, WithoutARateLimitNobodyAndRememberNobody) {
    Buckets buckets({0, 1}, 10);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(wait_of(buckets, std::to_string(i % 7), SteadyTime{}), 0);
    EXPECT_EQ(buckets.size(), 0U);
}

TEST(TokenBuckets, AreNeverMoreThanSoManyAndKeepThoseWhoCameLast) {
    Buckets buckets({1, 1}, 100);
    const SteadyTime now{};
    for (int i = 0; i < 10'000; ++i) {
        EXPECT_EQ(wait_of(buckets, std::to_string(i), now), 0);
        EXPECT_LE(buckets.size(), 100U);
    }
    EXPECT_GT(wait_of(buckets, "9999", now), 0) << "it owes";
    EXPECT_GT(wait_of(buckets, "9901", now), 0) << "so does it";
    EXPECT_EQ(wait_of(buckets, "9899", now), 0) << "forgotten";
}

TEST(TokenBuckets, AreForgottenWhenTheyAreFullAgain) {
    Buckets buckets({1, 2}, 1000);
    SteadyTime now{};
    for (int i = 0; i < 500; ++i) EXPECT_EQ(wait_of(buckets, std::to_string(i), now), 0);
    EXPECT_EQ(buckets.size(), 500U);
    now += 1h;
    for (int i = 0; i < 500; ++i) EXPECT_EQ(wait_of(buckets, "one", now), i < 2 ? 0 : i - 1);
    // Two go for each that comes.
    for (int i = 0; i < 250; ++i) EXPECT_EQ(wait_of(buckets, "new " + std::to_string(i), now), 0);
    EXPECT_LE(buckets.size(), 252U);
}

TEST(AddressGroup, IsAnAddressOrTheNetworkOfOneCustomer) {
    const auto group = [](const char* text) { return address_group(asio::ip::make_address(text)); };
    EXPECT_EQ(group("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(group("::ffff:192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(group("2001:db8:0:7::1"), "2001:db8:0:7::/64");
    EXPECT_EQ(group("2001:db8:0:7:ffff:ffff:ffff:ffff"), "2001:db8:0:7::/64");
    EXPECT_NE(group("2001:db8:0:8::1"), group("2001:db8:0:7::1"));
    EXPECT_EQ(group("::1"), "::/64");
}

TEST(TokenBuckets, WhatWasUsedWithoutAskingIsOwed) {
    TokenBuckets<int> buckets({2, 10}, 100);
    const SteadyTime now{};
    buckets.charge(1, now, 16);
    EXPECT_EQ(buckets.take(1, now, 3s), std::nullopt);
    EXPECT_EQ(buckets.take(1, now, 4s), 3500ms);
    EXPECT_EQ(buckets.take(2, now, 0s), 0s) << "and by nobody else";
    TokenBuckets<int> unlimited({0, 1}, 100);
    unlimited.charge(1, now, 1e9);
    EXPECT_EQ(unlimited.take(1, now, 0s), 0s);
}

}  // namespace
}  // namespace sat
