// The limits and the system call filter of sandbox.h.
// SPDX-License-Identifier: Apache-2.0
#include "sandbox.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace sat {

namespace {

// A sanitizer's shadow memory is terabytes of address space, and its reports open files.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

bool lower_limit(__rlimit_resource resource, rlim_t value) noexcept {
    rlimit limit{};
    if (getrlimit(resource, &limit) != 0) return false;
    limit.rlim_max = std::min(limit.rlim_max, value);
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(resource, &limit) == 0;
}

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;
#endif

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

// One jump over the refusal for each call, and what stands around them; see seccomp(2).
class Filter {
public:
    Filter() noexcept {
        load(offsetof(seccomp_data, arch));
        refuse_unless_equal(kArchitecture);
        load(offsetof(seccomp_data, nr));
#ifdef __x86_64__
        // x32's numbers, under the same architecture, would walk around the list.
        add(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000U, 0, 1));
        refuse(EPERM);
#endif
        for (const long number : kRefused) refuse_if_equal(static_cast<std::uint32_t>(number), EPERM);
        // clone3's flags lie in memory, out of the filter's sight: without it libc takes clone, for threads alone.
        refuse_if_equal(__NR_clone3, ENOSYS);
        add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 3));
        load(offsetof(seccomp_data, args));
        add(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kCloneThread, 1, 0));
        refuse(EPERM);
        add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    }

    bool install() noexcept {
        const sock_fprog program{static_cast<unsigned short>(size_), code_.data()};
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
    }

private:
    static constexpr std::uint32_t kCloneThread = 0x00010000U;  // <linux/sched.h> clashes with <sched.h>

    void add(sock_filter instruction) noexcept { code_[size_++] = instruction; }
    void load(std::size_t offset) noexcept {
        add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
    }
    void refuse(int error) noexcept {
        add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)));
    }
    void refuse_if_equal(std::uint32_t value, int error) noexcept {
        add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
        refuse(error);
    }
    void refuse_unless_equal(std::uint32_t value) noexcept {
        add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
        refuse(EPERM);
    }

    std::array<sock_filter, 2 * kRefused.size() + 16> code_{};
    std::size_t size_ = 0;
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
    if (kArchitecture == 0 || kSanitized) return true;
    // EINVAL: a kernel built without filters, where the limits alone must do.
    return Filter().install() || errno == EINVAL;
}

}  // namespace sat
