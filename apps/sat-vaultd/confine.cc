// See confine.h.
//
// The filter is a list of what is allowed.  What else there is fails as in an older kernel (ENOSYS), which every libc
// knows how to do without; what an intruder would want most fails with EPERM.  Nothing is killed: a call that this list
// forgot must not end a vault between two writes.
// SPDX-License-Identifier: Apache-2.0
#include "confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/file.h"
#include "base/syscall_filter.h"
#include "crypto/secure_heap.h"

namespace sat {

namespace {

// The frequent ones first: the kernel reads the list from the top.
constexpr std::array kAllowed{
// The network: what is connected already, and who comes.
#ifdef __NR_epoll_wait
    __NR_epoll_wait,
#endif
    __NR_epoll_pwait,
    __NR_recvmsg,
    __NR_futex,
    __NR_read,
    __NR_write,
    __NR_readv,
    __NR_writev,
    __NR_recvfrom,
    __NR_epoll_ctl,
    __NR_accept,
    __NR_accept4,
    __NR_shutdown,
    __NR_getsockopt,
    __NR_setsockopt,
    __NR_getsockname,
    __NR_getpeername,
    __NR_ppoll,
    __NR_epoll_create1,
    __NR_eventfd2,
    __NR_timerfd_create,
    __NR_timerfd_settime,
    __NR_pipe2,
    // Files.
    __NR_pread64,
    __NR_pwrite64,
    __NR_fsync,
    __NR_fdatasync,
    __NR_sync_file_range,
    __NR_lseek,
    __NR_close,
    __NR_openat,
    __NR_newfstatat,
    __NR_fstat,
    __NR_statx,
    __NR_statfs,
    __NR_fstatfs,
    __NR_faccessat,
    __NR_faccessat2,
    __NR_readlinkat,
    __NR_getdents64,
    __NR_mkdirat,
    __NR_unlinkat,
    __NR_renameat,
    __NR_renameat2,
    __NR_linkat,
    __NR_ftruncate,
    __NR_fallocate,
    __NR_fadvise64,
    __NR_flock,
    __NR_fchmod,
    __NR_fchmodat,
    __NR_fchown,
    __NR_utimensat,
    __NR_copy_file_range,
    __NR_sendfile,
    __NR_getcwd,
    __NR_umask,
    __NR_dup,
    __NR_dup3,
#ifdef __NR_open  // the calls that x86-64 has beside those
    __NR_poll,
    __NR_open,
    __NR_stat,
    __NR_lstat,
    __NR_access,
    __NR_readlink,
    __NR_mkdir,
    __NR_rmdir,
    __NR_unlink,
    __NR_rename,
    __NR_link,
    __NR_chmod,
    __NR_getdents,
    __NR_dup2,
    __NR_pipe,
    __NR_time,
#endif
    // Memory.  What maps it is below.
    __NR_munmap,
    __NR_mremap,
    __NR_madvise,
    __NR_msync,
    __NR_brk,
    __NR_munlock,
    // The process, its threads and its clock.
    __NR_clock_gettime,
    __NR_clock_getres,
    __NR_clock_nanosleep,
    __NR_nanosleep,
    __NR_gettimeofday,
    __NR_getrandom,
    __NR_sched_yield,
    __NR_sched_getaffinity,
    __NR_set_robust_list,
    __NR_rseq,
    __NR_rt_sigaction,
    __NR_rt_sigprocmask,
    __NR_rt_sigreturn,
    __NR_sigaltstack,
    __NR_restart_syscall,
    __NR_getpid,
    __NR_gettid,
    __NR_getuid,
    __NR_geteuid,
    __NR_getgid,
    __NR_getegid,
    __NR_getrusage,
    __NR_getrlimit,
    __NR_sysinfo,
    __NR_uname,
    __NR_exit,
    __NR_exit_group,
};

constexpr std::array kRefused{
    __NR_connect,
    __NR_socket,
    __NR_socketpair,
    __NR_bind,
    __NR_listen,
    __NR_sendmmsg,
    __NR_execve,
    __NR_execveat,
    __NR_ptrace,
    __NR_process_vm_readv,
    __NR_process_vm_writev,
    __NR_pidfd_open,
    __NR_pidfd_getfd,
    __NR_pidfd_send_signal,
    __NR_tkill,
    __NR_io_uring_setup,
    __NR_memfd_create,
    __NR_userfaultfd,
    __NR_bpf,
    __NR_perf_event_open,
    __NR_keyctl,
    __NR_add_key,
    __NR_request_key,
    __NR_open_by_handle_at,
    __NR_mount,
    __NR_umount2,
    __NR_pivot_root,
    __NR_chroot,
    __NR_setns,
    __NR_unshare,
    __NR_prctl,
    __NR_personality,
    __NR_setuid,
    __NR_setgid,
    __NR_setresuid,
    __NR_setresgid,
    __NR_setgroups,
    __NR_capset,
#ifdef __NR_fork
    __NR_fork,
    __NR_vfork,
#endif
};

bool may_lock_any_amount(const rlimit& limit) noexcept {
    if (limit.rlim_cur == RLIM_INFINITY) return true;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    if (syscall(SYS_capget, &header, data.data()) != 0) return false;
    return (data[0].effective & (1U << CAP_IPC_LOCK)) != 0;
}

rlimit lock_limit() noexcept {
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    return limit;
}

}  // namespace

Result<void> require_ordinary_user(bool allow_root) {
    if (allow_root || (geteuid() != 0 && getuid() != 0)) return {};
    return fail(Errc::config, "a vault does not run as root",
                "run it as a user of its own, as the unit file that is installed with it does, or give --allow-root");
}

void forbid_new_privileges() noexcept { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

bool lock_memory() noexcept {
    rlimit limit = lock_limit();
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_MEMLOCK, &limit);
    (void)start_secure_heap();
    // With a limit, memory that is locked as it comes runs into it one day, and the allocation of that day fails.  On
    // fault: what is mapped and never touched, most of each thread's stack, takes no memory for this.
    return may_lock_any_amount(lock_limit()) && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

std::uint64_t memory_lock_limit() noexcept { return lock_limit().rlim_cur; }

Result<Filtered> filter_system_calls() {
    if (kSanitized) return Filtered::sanitized;
    SyscallFilter filter(ENOSYS);
    // No connection by the back door: TCP Fast Open connects as it sends.
    filter.allow_without(__NR_sendmsg, 2, MSG_FASTOPEN, EPERM);
    // To the peer alone: send(2) is a sendto without an address.
    filter.allow_zero(__NR_sendto, 4, EPERM);
    // No code that was not there when it began.
    filter.allow_without(__NR_mmap, 2, PROT_EXEC, EPERM);
    filter.allow_without(__NR_mprotect, 2, PROT_EXEC, EPERM);
    for (const long number : kAllowed) filter.allow(number);
    filter.allow_one_of(__NR_ioctl, 1, {FIONBIO, FIONREAD, TCGETS}, ENOTTY);
    // Not F_SETOWN and F_SETSIG, which send a signal of one's choice to a process of one's choice.
    filter.allow_one_of(__NR_fcntl, 1,
                        {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK,
                         F_OFD_SETLKW, F_DUPFD, F_DUPFD_CLOEXEC},
                        EINVAL);
    // Its own limits alone.
    filter.allow_zero(__NR_prlimit64, 0, EPERM);
    // abort() and raise() are ours to use, on ourselves.
    const auto self = static_cast<std::uint32_t>(getpid());
    filter.allow_one_of(__NR_kill, 0, {self}, EPERM);
    filter.allow_one_of(__NR_tgkill, 0, {self}, EPERM);
    filter.allow_threads_alone();
    for (const long number : kRefused) filter.refuse(number, EPERM);
    if (filter.install(true)) return Filtered::yes;
    if (errno == ENOSYS) return Filtered::unsupported;
    return fail(errno_error("install", "the system call filter", errno));
}

}  // namespace sat
