// Secrets move, are cut, and leave nothing behind.
// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>

namespace sat {
namespace {

static_assert(!std::is_copy_constructible_v<SecretBytes> && !std::is_copy_assignable_v<SecretBytes>);
static_assert(std::is_nothrow_move_constructible_v<SecretBytes> && std::is_nothrow_move_assignable_v<SecretBytes>);

TEST(SecretBytes, LeavesTheSourceOfAMoveEmpty) {
    SecretBytes first(as_bytes("geheim"));
    SecretBytes second(std::move(first));
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): what this test is about
    SecretBytes third(as_bytes("x"));
    third = std::move(second);
    EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(as_text(third.reveal()), "geheim");
    EXPECT_EQ(as_text(third.copy().reveal()), "geheim");
    third.clear();
    EXPECT_TRUE(third.empty());
}

TEST(SecretBytes, IsCutWithinItsBounds) {
    const SecretBytes secret(as_bytes("abcdef"));
    EXPECT_EQ(as_text(secret.slice(0, 6).reveal()), "abcdef");
    EXPECT_EQ(as_text(secret.slice(2, 3).reveal()), "cde");
    EXPECT_TRUE(secret.slice(6, 0).empty());
    EXPECT_DEATH((void)secret.slice(6, 1), "assertion failed");
    EXPECT_DEATH((void)secret.slice(7, 0), "assertion failed");
    EXPECT_DEATH((void)secret.slice(1, SIZE_MAX), "assertion failed");
}

TEST(Wipe, OverwritesAndTakesNothingForNothing) {
    Bytes bytes = to_bytes("geheim");
    wipe(bytes.data(), bytes.size());
    EXPECT_TRUE(std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; }));
    wipe(nullptr, 0);
}

}  // namespace
}  // namespace sat
