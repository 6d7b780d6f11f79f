// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace sat {
namespace {

TEST(MemoryDeathTest, WithoutMemoryTheProcessEndsWithACodeAndAWord) {
    EXPECT_EXIT(
        {
            end_without_memory("sat-test");
            std::get_new_handler()();
        },
        testing::ExitedWithCode(kOutOfMemoryExit), "sat-test: error: out of memory\nsat-test: hint: make some free");
}

TEST(Memory, IsGivenAsMallocAndReallocGiveIt) {
    EXPECT_EQ(allocate_or_end(0), nullptr);
    void* block = allocate_or_end(1);
    std::memcpy(block, "x", 1);
    block = reallocate_or_end(block, 100'000);
    EXPECT_EQ(std::memcmp(block, "x", 1), 0);
    EXPECT_EQ(reallocate_or_end(block, 0), nullptr);
    block = reallocate_or_end(nullptr, 7);
    EXPECT_NE(block, nullptr);
    std::free(block);
}

}  // namespace
}  // namespace sat
