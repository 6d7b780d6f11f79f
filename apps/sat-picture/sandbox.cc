// The limits and the system call filter of sandbox.h.
// SPDX-License-Identifier: Apache-2.0
#include "sandbox.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "base/bytes.h"
#include "base/file.h"
#include "base/file_reach.h"
#include "base/syscall_filter.h"

namespace sat {

namespace {

bool lower_limit(__rlimit_resource resource, rlim_t value) noexcept {
    rlimit limit{};
    if (getrlimit(resource, &limit) != 0) return false;
    limit.rlim_max = std::min(limit.rlim_max, value);
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(resource, &limit) == 0;
}

// Libvips and its libraries come to 70 KiB.
constexpr std::size_t kMaxMaps = std::size_t{1} << 20;

// What the decoders of the six formats take, and what their libraries, GLib and another libc might: the picture that is
// open, memory, threads, time and their own end.  All else fails as what is not permitted, so that no call which a
// kernel has one day more than this list knows acts on a file by its name.  The frequent ones first.
constexpr std::array kAllowed{
    __NR_read,
    __NR_lseek,
    __NR_futex,
    __NR_write,
    __NR_pread64,
    __NR_readv,
    __NR_writev,
    __NR_preadv,
    __NR_close,
    __NR_dup,
    __NR_dup3,
    __NR_fstat,
    __NR_newfstatat,  // what some make fstat() of; of a file by its name it tells size and times
    __NR_fadvise64,
    __NR_ppoll,
    // Memory; liborc writes code of its own.
    __NR_brk,
    __NR_mmap,
    __NR_munmap,
    __NR_mremap,
    __NR_mprotect,
    __NR_madvise,
    __NR_mincore,
    __NR_membarrier,
    // Threads, signals to itself, time, the end.
    __NR_set_robust_list,
    __NR_set_tid_address,
    __NR_rseq,
    __NR_rt_sigaction,
    __NR_rt_sigprocmask,
    __NR_rt_sigpending,
    __NR_rt_sigreturn,
    __NR_sigaltstack,
    __NR_restart_syscall,
    __NR_sched_yield,
    __NR_sched_getaffinity,
    __NR_sched_getattr,
    __NR_sched_getparam,
    __NR_sched_getscheduler,
    __NR_sched_get_priority_max,
    __NR_sched_get_priority_min,
    __NR_getpriority,
    __NR_getcpu,
    __NR_nanosleep,
    __NR_clock_nanosleep,
    __NR_clock_gettime,
    __NR_clock_getres,
    __NR_gettimeofday,
    __NR_times,
    __NR_getrusage,
    __NR_getrlimit,
    __NR_sysinfo,
    __NR_uname,
    __NR_getrandom,
    __NR_umask,  // of its own alone, and it makes no file
    __NR_getpid,
    __NR_getppid,
    __NR_gettid,
    __NR_getuid,
    __NR_geteuid,
    __NR_getgid,
    __NR_getegid,
    __NR_exit,
    __NR_exit_group,
#ifdef __NR_poll  // the calls that x86-64 has beside those
    __NR_poll,
    __NR_dup2,
    __NR_time,
#endif
};

// proc(5): the first number of statm is the size of the address space, in pages.
std::size_t pages_mapped() {
    const Result<Bytes> text = read_file("/proc/self/statm", 256);
    std::size_t pages = 0;
    if (text) std::from_chars(as_text(*text).data(), as_text(*text).data() + text->size(), pages);
    return pages;
}

bool shares_writable_memory() {
    // A line each: range, then four letters of what may be done with it, "7f0c1a000000-7f0c1a021000 rw-p ...".
    const Result<Bytes> maps = read_file("/proc/self/maps", kMaxMaps);
    if (!maps || maps->empty()) return true;
    for (std::string_view rest = as_text(*maps); !rest.empty();) {
        const std::size_t end = rest.find('\n');
        const std::size_t at = rest.find(' ');
        if (end == std::string_view::npos || at + 4 >= end) return true;
        if (rest[at + 2] == 'w' && rest[at + 4] == 's') return true;
        rest.remove_prefix(end + 1);
    }
    return false;
}

}  // namespace

bool limit_process() noexcept {
    // No variable of ours matters here, and libvips, GLib and malloc each read some that change what they do.
    if (clearenv() != 0) return false;
    if (!close_from(3)) return false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    if (!kSanitized && !lower_limit(RLIMIT_AS, kMemoryCap)) return false;
    return lower_limit(RLIMIT_CORE, 0) && lower_limit(RLIMIT_NOFILE, 32);
}

bool close_from(int first) noexcept { return syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) == 0; }

bool may_fork() {
    // A sanitizer has a thread and memory of its own.
    if (kSanitized) return true;
    struct stat tasks {};
    constexpr nlink_t kDotAndParent = 2;
    if (stat("/proc/self/task", &tasks) != 0 || tasks.st_nlink != kDotAndParent + 1) return false;
    // To write down six hundred mappings takes the kernel a millisecond, half as long as the fork; what maps another
    // one makes the address space larger.
    static std::size_t seen = 0;
    const std::size_t pages = pages_mapped();
    if (pages > 0 && pages == seen) return true;
    if (shares_writable_memory()) return false;
    seen = pages;
    return true;
}

bool reach_no_files() {
    // A kernel without Landlock has the filter.
    return confine_files({}).has_value();
}

bool enter_sandbox() {
    if (!lower_limit(RLIMIT_CPU, kCpuSeconds) || !lower_limit(RLIMIT_FSIZE, 0)) return false;
    if (kSanitized) return true;
    if (!reach_no_files()) return false;
    SyscallFilter filter(EPERM);
    for (const long number : kAllowed) filter.allow(number);
    // abort() signals itself; limits, too, are its own alone.
    filter.allow_one_of(__NR_tgkill, 0, {static_cast<std::uint32_t>(getpid())}, EPERM);
    filter.allow_zero(__NR_prlimit64, 0, EPERM);
    // Not PR_SET_PDEATHSIG: it ends with its parent.  Nor F_SETOWN and F_SETSIG, which signal a process of one's
    // choice.
    filter.allow_one_of(__NR_prctl, 0, {PR_SET_NAME, PR_GET_NAME, PR_GET_SECCOMP}, EPERM);
    filter.allow_one_of(__NR_fcntl, 1, {F_GETFD, F_SETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC}, EPERM);
    filter.allow_threads_alone();
    // A processor that it was not written for, or a kernel built without filters, where the rest must do.
    return filter.install(false) || errno == ENOSYS;
}

}  // namespace sat
