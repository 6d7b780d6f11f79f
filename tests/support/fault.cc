// Preloaded into a program under test (LD_PRELOAD): at the n-th call that changes the disk the process is killed, or
// the disk is full.  So "at any point" is every point, one after the other, and none depends on a clock.
// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "support/fault_plan.h"

namespace {

using sat::test::FaultPlan;

FaultPlan* plan = nullptr;

__attribute__((constructor)) void map_plan() {
    const char* path = getenv(sat::test::kFaultPlanVariable);
    if (path == nullptr) return;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void* page = mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page != MAP_FAILED) plan = static_cast<FaultPlan*>(page);
}

bool is_regular(int fd) {
    struct stat status {};
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// Counts a call; true where it must fail for want of room.
bool counted(bool takes_room) {
    if (plan == nullptr || plan->armed == 0) return false;
    const std::uint64_t number = ++plan->calls;
    if (number == plan->kill_at) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    if (!takes_room || plan->full_at == 0 || number < plan->full_at) return false;
    errno = ENOSPC;
    return true;
}
bool counted(int fd, bool takes_room) {
    return plan != nullptr && plan->armed != 0 && is_regular(fd) && counted(takes_room);
}

template <typename F>
F next(const char* name) {
    return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// The system's own names and types; each asks the plan and then does what it is named after.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define SAT_WRAP(result, name, parameters, arguments, asked)                   \
    extern "C" __attribute__((visibility("default"))) result name parameters { \
        static const auto real = next<result(*) parameters>(#name);            \
        if (asked) return -1;                                                  \
        return real arguments;                                                 \
    }

SAT_WRAP(ssize_t, write, (int fd, const void* data, size_t size), (fd, data, size), counted(fd, true))
SAT_WRAP(ssize_t, writev, (int fd, const iovec* parts, int count), (fd, parts, count), counted(fd, true))
SAT_WRAP(ssize_t, pwrite, (int fd, const void* data, size_t size, off_t at), (fd, data, size, at), counted(fd, true))
SAT_WRAP(ssize_t, pwrite64, (int fd, const void* data, size_t size, off64_t at), (fd, data, size, at),
         counted(fd, true))
SAT_WRAP(ssize_t, copy_file_range, (int in, off64_t* from, int out, off64_t* to, size_t size, unsigned flags),
         (in, from, out, to, size, flags), counted(out, true))
SAT_WRAP(ssize_t, sendfile, (int out, int in, off_t* from, size_t size), (out, in, from, size), counted(out, true))
SAT_WRAP(ssize_t, sendfile64, (int out, int in, off64_t* from, size_t size), (out, in, from, size), counted(out, true))
SAT_WRAP(int, fallocate, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size), counted(fd, true))
SAT_WRAP(int, fallocate64, (int fd, int mode, off64_t at, off64_t size), (fd, mode, at, size), counted(fd, true))
SAT_WRAP(int, fsync, (int fd), (fd), counted(fd, false))
SAT_WRAP(int, fdatasync, (int fd), (fd), counted(fd, false))
SAT_WRAP(int, ftruncate, (int fd, off_t size), (fd, size), counted(fd, false))
SAT_WRAP(int, ftruncate64, (int fd, off64_t size), (fd, size), counted(fd, false))
SAT_WRAP(int, rename, (const char* from, const char* to), (from, to), counted(false))
SAT_WRAP(int, renameat, (int a, const char* from, int b, const char* to), (a, from, b, to), counted(false))
SAT_WRAP(int, renameat2, (int a, const char* from, int b, const char* to, unsigned flags), (a, from, b, to, flags),
         counted(false))
SAT_WRAP(int, link, (const char* from, const char* to), (from, to), counted(true))
SAT_WRAP(int, linkat, (int a, const char* from, int b, const char* to, int flags), (a, from, b, to, flags),
         counted(true))
SAT_WRAP(int, unlink, (const char* path), (path), counted(false))
SAT_WRAP(int, unlinkat, (int at, const char* path, int flags), (at, path, flags), counted(false))
