// The filter's program, in the kernel's classic BPF.
// SPDX-License-Identifier: Apache-2.0
#include "base/syscall_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace sat {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;
#endif

constexpr std::uint32_t kCloneThread = 0x00010000U;  // <linux/sched.h> clashes with <sched.h>

constexpr unsigned kLoad = BPF_LD | BPF_W | BPF_ABS;
constexpr unsigned kJumpIfEqual = BPF_JMP | BPF_JEQ | BPF_K;
constexpr unsigned kJumpIfAny = BPF_JMP | BPF_JSET | BPF_K;
constexpr unsigned kReturn = BPF_RET | BPF_K;

// A kernel without filters says to them what it says to a program that is wrong, EINVAL.  This question it answers
// since Linux 4.14.
bool kernel_has_filters() noexcept {
    const std::uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 || (errno != EINVAL && errno != ENOSYS);
}

}  // namespace

SyscallFilter::SyscallFilter(int otherwise) : otherwise_(otherwise) {
    add(kLoad, offsetof(seccomp_data, arch));
    add(kJumpIfEqual, kArchitecture, 1, 0);
    decide(EPERM);
    add(kLoad, offsetof(seccomp_data, nr));
#ifdef __x86_64__
    // x32's numbers, under the same architecture, would walk around the rules.
    add(BPF_JMP | BPF_JGE | BPF_K, 0x40000000U, 0, 1);
    decide(EPERM);
#endif
}

SyscallFilter::~SyscallFilter() = default;

void SyscallFilter::add(unsigned code, std::uint32_t operand, std::uint8_t if_true, std::uint8_t if_false) {
    code_.push_back({static_cast<std::uint16_t>(code), if_true, if_false, operand});
}

void SyscallFilter::decide(int error) {
    add(kReturn, error == 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error));
}

// The low half: both processors are little-endian.
void SyscallFilter::load_argument(unsigned index) {
    add(kLoad, static_cast<std::uint32_t>(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t)));
}

void SyscallFilter::allow(long number) { refuse(number, 0); }

void SyscallFilter::refuse(long number, int error) {
    add(kJumpIfEqual, static_cast<std::uint32_t>(number), 0, 1);
    decide(error);
}

void SyscallFilter::allow_one_of(long number, unsigned index, std::initializer_list<std::uint32_t> values, int error) {
    add(kJumpIfEqual, static_cast<std::uint32_t>(number), 0, static_cast<std::uint8_t>(2 + 2 * values.size()));
    load_argument(index);
    for (const std::uint32_t value : values) {
        add(kJumpIfEqual, value, 0, 1);
        decide(0);
    }
    decide(error);
}

void SyscallFilter::allow_zero(long number, unsigned index, int error) {
    add(kJumpIfEqual, static_cast<std::uint32_t>(number), 0, 6);
    load_argument(index);
    add(kJumpIfEqual, 0, 0, 3);
    add(kLoad, static_cast<std::uint32_t>(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t) + 4));
    add(kJumpIfEqual, 0, 0, 1);
    decide(0);
    decide(error);
}

void SyscallFilter::allow_without(long number, unsigned index, std::uint32_t bits, int error) {
    add(kJumpIfEqual, static_cast<std::uint32_t>(number), 0, 4);
    load_argument(index);
    add(kJumpIfAny, bits, 0, 1);
    decide(error);
    decide(0);
}

void SyscallFilter::allow_threads_alone() {
    // clone3's flags lie in memory, out of the filter's sight: without it libc takes clone.
    refuse(__NR_clone3, ENOSYS);
    add(kJumpIfEqual, __NR_clone, 0, 4);
    load_argument(0);
    add(kJumpIfAny, kCloneThread, 1, 0);
    decide(EPERM);
    decide(0);
}

bool SyscallFilter::install(bool all_threads) {
    if (kArchitecture == 0) {
        errno = ENOSYS;
        return false;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    decide(otherwise_);
    const sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    const unsigned flags = all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0U;
    const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    // The id of a thread that it could not be put on.
    if (result > 0) errno = EBUSY;
    if (result >= 0) return result == 0;
    const int reason = errno;
    errno = kernel_has_filters() ? reason : ENOSYS;
    return false;
}

}  // namespace sat
