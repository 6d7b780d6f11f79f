// A system call filter (seccomp(2)), rule by rule, for a process that will do less from now on than it could: the vault
// once it serves, the picture helper before it looks at a picture.  x86-64 and ARM64.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

struct sock_filter;

namespace sat {

// A sanitizer's run-time takes calls of its own, and terabytes of address space: neither filter nor cap goes with it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

// The first rule for a call's number decides.  A refused call fails with the errno named: nothing is killed, since a
// call that a rule forgot must not end a process in the middle of what it does.
class SyscallFilter {
public:
    // For calls that no rule names: an errno, or 0, which allows them.
    explicit SyscallFilter(int otherwise);
    ~SyscallFilter();
    SyscallFilter(const SyscallFilter&) = delete;
    SyscallFilter& operator=(const SyscallFilter&) = delete;

    void allow(long number);
    void refuse(long number, int error);
    // By the low 32 bits of the argument at `index`, from 0: that is all of an int or of flags.
    void allow_one_of(long number, unsigned index, std::initializer_list<std::uint32_t> values, int error);
    // By all 64 bits.
    void allow_zero(long number, unsigned index, int error);
    void allow_without(long number, unsigned index, std::uint32_t bits, int error);
    // New threads, and no new process.
    void allow_threads_alone();

    // Once, and for good, for what this process starts later too; no_new_privs is set.  `all_threads`: those that run
    // already as well.  False, with errno, where it was refused: ENOSYS where there are no filters, on another
    // processor or in a kernel without, and nothing else means that.
    [[nodiscard]] bool install(bool all_threads);

private:
    void add(unsigned code, std::uint32_t operand, std::uint8_t if_true = 0, std::uint8_t if_false = 0);
    void decide(int error);
    void load_argument(unsigned index);

    std::vector<sock_filter> code_;
    int otherwise_;
};

}  // namespace sat
