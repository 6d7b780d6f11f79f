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
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "base/bytes.h"
#include "base/file.h"
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

// Libvips and its libraries come to 60 KiB.
constexpr std::size_t kMaxMaps = std::size_t{1} << 20;

// What no decoder needs.  A list of what is refused, not of what is allowed: the latter changes with every libc.
constexpr std::array kRefused{
#ifdef __NR_open
    __NR_open,
    __NR_creat,
    __NR_fork,
    __NR_vfork,
    __NR_unlink,
    __NR_rename,
    __NR_link,
    __NR_symlink,
    __NR_mkdir,
    __NR_rmdir,
    __NR_chmod,
    __NR_chown,
#endif
    __NR_openat,
    __NR_openat2,
    __NR_open_by_handle_at,
    __NR_unlinkat,
    __NR_renameat2,
    __NR_linkat,
    __NR_symlinkat,
    __NR_mkdirat,
    __NR_fchmodat,
    __NR_fchownat,
    __NR_truncate,
    __NR_socket,
    __NR_socketpair,
    __NR_connect,
    __NR_accept,
    __NR_accept4,
    __NR_bind,
    __NR_listen,
    __NR_execve,
    __NR_execveat,
    // What acts on another process: the other pictures' are of the same user.
    __NR_kill,
    __NR_tkill,
    __NR_rt_sigqueueinfo,
    __NR_rt_tgsigqueueinfo,
    __NR_pidfd_send_signal,
    __NR_pidfd_getfd,
    __NR_process_madvise,
    __NR_migrate_pages,
    __NR_move_pages,
    __NR_sched_setaffinity,
    __NR_sched_setattr,
    __NR_sched_setparam,
    __NR_sched_setscheduler,
    __NR_setpriority,
    __NR_ioprio_set,
    __NR_kcmp,
    __NR_shmget,
    __NR_shmat,
    __NR_msgget,
    __NR_semget,
    __NR_mq_open,
    // It stays in its starter's group, which is ended as one.
    __NR_setpgid,
    __NR_setsid,
    __NR_ptrace,
    __NR_process_vm_readv,
    __NR_process_vm_writev,
    __NR_pidfd_open,
    __NR_ioctl,
    __NR_memfd_create,
    __NR_io_uring_setup,
    __NR_userfaultfd,
    __NR_bpf,
    __NR_perf_event_open,
    __NR_keyctl,
    __NR_add_key,
    __NR_request_key,
    __NR_mount,
    __NR_umount2,
    __NR_chroot,
    __NR_setns,
    __NR_unshare,
};

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
    // A line each: range, then four letters of what may be done with it, "7f0c1a000000-7f0c1a021000 rw-p ...".
    const Result<Bytes> maps = read_file("/proc/self/maps", kMaxMaps);
    if (!maps || maps->empty()) return false;
    for (std::string_view rest = as_text(*maps); !rest.empty();) {
        const std::size_t end = rest.find('\n');
        const std::size_t at = rest.find(' ');
        if (end == std::string_view::npos || at + 4 >= end) return false;
        if (rest[at + 2] == 'w' && rest[at + 4] == 's') return false;
        rest.remove_prefix(end + 1);
    }
    return true;
}

bool enter_sandbox() noexcept {
    if (!lower_limit(RLIMIT_CPU, kCpuSeconds) || !lower_limit(RLIMIT_FSIZE, 0)) return false;
    if (kSanitized) return true;
    SyscallFilter filter(0);
    for (const long number : kRefused) filter.refuse(number, EPERM);
    // abort() signals itself; limits, too, are its own alone.
    filter.allow_one_of(__NR_tgkill, 0, {static_cast<std::uint32_t>(getpid())}, EPERM);
    filter.allow_zero(__NR_prlimit64, 0, EPERM);
    // Not PR_SET_PDEATHSIG: it ends with its parent.  Nor F_SETOWN and F_SETSIG, which signal a process of one's
    // choice.
    filter.allow_one_of(__NR_prctl, 0, {PR_SET_NAME, PR_GET_NAME, PR_GET_SECCOMP}, EPERM);
    filter.allow_one_of(__NR_fcntl, 1, {F_GETFD, F_SETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC}, EPERM);
    filter.allow_threads_alone();
    // A processor that it was not written for, or a kernel built without filters, where the limits alone must do.
    return filter.install(false) || errno == ENOSYS || errno == EINVAL;
}

}  // namespace sat
