// The limits and the system call filter of sandbox.h.
// SPDX-License-Identifier: Apache-2.0
#include "sandbox.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

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
    __NR_kill,
    __NR_tkill,
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
    if (syscall(SYS_close_range, 3U, ~0U, 0U) != 0) return false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    if (!kSanitized && !lower_limit(RLIMIT_AS, kMemoryCap)) return false;
    return lower_limit(RLIMIT_CPU, kCpuSeconds) && lower_limit(RLIMIT_CORE, 0) && lower_limit(RLIMIT_NOFILE, 32);
}

bool enter_sandbox() noexcept {
    if (!lower_limit(RLIMIT_FSIZE, 0)) return false;
    if (kSanitized) return true;
    SyscallFilter filter(0);
    for (const long number : kRefused) filter.refuse(number, EPERM);
    filter.allow_threads_alone();
    // A processor that it was not written for, or a kernel built without filters, where the limits alone must do.
    return filter.install(false) || errno == ENOSYS || errno == EINVAL;
}

}  // namespace sat
