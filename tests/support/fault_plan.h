// What a test and the preloaded fault.cc share: one page of a file, mapped by both.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace sat::test {

inline constexpr const char* kFaultPlanVariable = "SAT_FAULT_PLAN";

// Counted is every call that changes a regular file or a directory: write, sync, rename, link, unlink, truncate.
struct FaultPlan {
    std::atomic<std::uint32_t> armed;  // 0: nothing is counted and nothing fails
    std::atomic<std::uint32_t> reserved;
    std::atomic<std::uint64_t> calls;    // since it was armed
    std::atomic<std::uint64_t> kill_at;  // SIGKILL instead of this call, counted from 1; 0: never
    std::atomic<std::uint64_t> full_at;  // from this call on, what would take room fails with ENOSPC; 0: never
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace sat::test
