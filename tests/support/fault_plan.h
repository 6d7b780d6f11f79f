// What a test and the preloaded fault.cc and fault_memory.cc share: a file, mapped by both.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace sat::test {

inline constexpr const char* kFaultPlanVariable = "SAT_FAULT_PLAN";
// The one program that the plan is for, by its file's name, and not those that it starts; empty: all.
inline constexpr const char* kFaultProgramVariable = "SAT_FAULT_PROGRAM";
// Counted are files below this directory.
inline constexpr const char* kFaultRootVariable = "SAT_FAULT_ROOT";
// Where fault.cc writes down what reached the disk, and when; see fault_journal.h.
inline constexpr const char* kFaultJournalVariable = "SAT_FAULT_JOURNAL";

enum class FaultKind : std::uint32_t {
    none,    // nothing is counted and nothing fails
    change,  // calls that change a regular file or a directory: open for writing, write, sync, rename, link, unlink …
    io,      // those, and opens for reading, and reads of regular files and directories
    step,    // sqlite3_step() and sqlite3_exec()
    memory,  // malloc() and its kin, one for each call path
};

struct FaultPlan {
    std::atomic<FaultKind> kind;
    std::atomic<std::uint32_t> error;       // of fail_at: an errno, or SQLite's code
    std::atomic<std::uint32_t> partial;     // 1: the first write for which there is no room is done by half
    std::atomic<std::uint32_t> recording;   // 1: call paths of allocations go into `stacks`
    std::atomic<std::uint64_t> calls;       // counted since it was armed
    std::atomic<std::uint64_t> faults;      // calls that were made to fail
    std::atomic<std::uint64_t> kill_at;     // SIGKILL instead of this call, counted from 1; 0: never
    std::atomic<std::uint64_t> fail_at;     // this one call fails with `error`; 0: none
    std::atomic<std::uint64_t> full_at;     // from this call on, what would take room fails with ENOSPC; 0: never
    std::atomic<std::uint64_t> stack;       // the first allocation by this call path fails; 0: none
    std::atomic<std::uint64_t> records;     // in the journal
    std::atomic<std::uint32_t> gate;        // 1: who syncs what is named below waits until it is 0
    std::atomic<std::uint64_t> at_gate;     // syncs that came to it
    std::array<char, 64> gate_name;         // in the path; written before `gate`
    std::atomic<std::uint32_t> unreadable;  // an errno of reads of what is named below, whatever else is armed; 0: none
    std::array<char, 64> unreadable_name;   // in the path; written before `unreadable`
    // A set by open addressing; 0: free.
    std::array<std::atomic<std::uint64_t>, std::size_t{1} << 16> stacks;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// Of this process; null where there is none for it.
inline FaultPlan* map_fault_plan() {
    const char* path = std::getenv(kFaultPlanVariable);
    const char* program = std::getenv(kFaultProgramVariable);
    if (path == nullptr) return nullptr;
    if (program != nullptr && *program != '\0' && std::strcmp(program, program_invocation_short_name) != 0)
        return nullptr;
    const int fd = ::open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return nullptr;
    void* page = ::mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    return page == MAP_FAILED ? nullptr : static_cast<FaultPlan*>(page);
}

}  // namespace sat::test
