// The generator's shape; its quality is OpenSSL's.
// SPDX-License-Identifier: Apache-2.0
#include "crypto/random.h"

#include <gtest/gtest.h>

#include <array>

namespace sat {
namespace {

TEST(Random, GivesTheSizeAskedForAndNeverTheSame) {
    EXPECT_TRUE(random_bytes(0).empty());
    EXPECT_TRUE(random_secret(0).empty());
    EXPECT_EQ(random_bytes(33).size(), 33U);
    EXPECT_NE(random_bytes(32), random_bytes(32));
    EXPECT_NE(to_bytes(random_secret(32).reveal()), to_bytes(random_secret(32).reveal()));
}

TEST(RandomBelow, StaysBelowAndReachesEverything) {
    std::array<int, 5> seen{};
    for (int i = 0; i < 2000; ++i) ++seen.at(random_below(5));
    for (const int count : seen) EXPECT_GT(count, 0);  // missing one: 5 * 0.8^2000
    EXPECT_EQ(random_below(1), 0U);
    for (int i = 0; i < 100; ++i) EXPECT_LT(random_below((std::uint64_t{1} << 63) + 1), (std::uint64_t{1} << 63) + 1);
    EXPECT_DEATH((void)random_below(0), "assertion failed");
}

}  // namespace
}  // namespace sat
