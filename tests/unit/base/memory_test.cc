// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include <gtest/gtest.h>

#include <cstdlib>
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

TEST(MemoryDeathTest, OfWhatIsDoneAndToldNoFailureIsTold) {
    EXPECT_EXIT(
        {
            end_well_without_memory();
            std::get_new_handler()();
        },
        testing::ExitedWithCode(0), "^$");
}

TEST(Memory, IsGivenAsMallocGivesIt) {
    EXPECT_EQ(allocate_or_end(0), nullptr);
    void* block = allocate_or_end(1);
    ASSERT_NE(block, nullptr);
    std::free(block);
}

}  // namespace
}  // namespace sat
