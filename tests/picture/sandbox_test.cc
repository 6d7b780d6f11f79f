// The helper's sandbox, from inside: what it still allows and what it refuses.
// SPDX-License-Identifier: Apache-2.0
#include "sat-picture/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <thread>

#include "base/syscall_filter.h"

namespace sat {
namespace {

// True if `check` holds in a child that has limited itself and entered the sandbox.
bool holds_inside(const std::function<bool()>& check) {
    const pid_t child = fork();
    if (child == 0) _exit(limit_process() && enter_sandbox() ? (check() ? 0 : 1) : 2);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool filters_work() {
    return holds_inside([] { return prctl(PR_GET_SECCOMP) == 2; });
}

TEST(Sandbox, LeavesNoEnvironmentAndNoDescriptor) {
    const int extra = open("/dev/null", O_RDONLY);
    ASSERT_GE(extra, 3);
    EXPECT_TRUE(holds_inside([&] { return std::getenv("PATH") == nullptr; }));
    EXPECT_TRUE(holds_inside([&] { return fcntl(extra, F_GETFD) == -1 && errno == EBADF; }));
    close(extra);
}

TEST(Sandbox, StillStartsThreads) {
    EXPECT_TRUE(holds_inside([] {
        bool ran = false;
        std::thread([&] { ran = true; }).join();
        return ran;
    }));
}

TEST(Sandbox, RefusesFilesSocketsProgramsAndProcesses) {
    if (!filters_work()) {
        std::printf("no system call filter here (a sanitizer's build, or a kernel without): nothing to refuse with\n");
        return;
    }
    const auto refused = [](auto result) { return result == -1 && errno == EPERM; };
    EXPECT_TRUE(holds_inside([&] { return refused(open("/etc/passwd", O_RDONLY)); }));
    EXPECT_TRUE(holds_inside([&] { return refused(open("/tmp/sat-sandbox-test", O_WRONLY | O_CREAT, 0600)); }));
    EXPECT_TRUE(holds_inside([&] { return refused(socket(AF_INET, SOCK_STREAM, 0)); }));
    EXPECT_TRUE(holds_inside([&] { return refused(socket(AF_UNIX, SOCK_STREAM, 0)); }));
    EXPECT_TRUE(holds_inside([&] { return refused(execl("/bin/true", "true", nullptr)); }));
    EXPECT_TRUE(holds_inside([&] { return refused(fork()); }));
    EXPECT_TRUE(holds_inside([&] { return refused(kill(getppid(), 0)); }));
}

TEST(Sandbox, KeepsItsHandsOffTheOtherProcesses) {
    if (!filters_work()) {
        std::printf("no system call filter here (a sanitizer's build, or a kernel without): nothing to refuse with\n");
        return;
    }
    const auto refused = [](long result) { return result == -1 && errno == EPERM; };
    EXPECT_TRUE(holds_inside([&] { return refused(syscall(SYS_tgkill, getppid(), getppid(), 0)); }));
    EXPECT_TRUE(holds_inside([&] {
        siginfo_t info{};
        return refused(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &info));
    }));
    EXPECT_TRUE(holds_inside([&] {
        rlimit limit{};
        return refused(prlimit(getppid(), RLIMIT_AS, nullptr, &limit));
    }));
    EXPECT_TRUE(holds_inside([&] { return refused(fcntl(STDIN_FILENO, F_SETOWN, getppid())); }));
    EXPECT_TRUE(holds_inside([&] { return refused(prctl(PR_SET_PDEATHSIG, 0)); }));
    EXPECT_TRUE(holds_inside([&] { return refused(setpgid(0, 0)); }));
    EXPECT_TRUE(holds_inside([&] { return refused(setsid()); }));
    EXPECT_TRUE(holds_inside([&] {
        cpu_set_t cores;
        CPU_ZERO(&cores);
        CPU_SET(0, &cores);
        return refused(sched_setaffinity(getppid(), sizeof cores, &cores));
    }));
}

TEST(Sandbox, LeavesItsOwnLimitsAndItsOwnAbort) {
    EXPECT_TRUE(holds_inside([] {
        rlimit limit{};
        return getrlimit(RLIMIT_CPU, &limit) == 0 && limit.rlim_max == kCpuSeconds &&
               getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_max == 0;
    }));
    const pid_t child = fork();
    if (child == 0) {
        if (limit_process() && enter_sandbox()) std::abort();
        _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

TEST(Fork, IsRefusedWhereAThreadRunsOrWritableMemoryIsShared) {
    if (kSanitized) {
        std::printf("a sanitizer's build has a thread and memory of its own\n");
        return;
    }
    EXPECT_TRUE(may_fork());
    std::mutex held;
    held.lock();
    std::thread other([&] { const std::lock_guard wait(held); });
    EXPECT_FALSE(may_fork());
    held.unlock();
    other.join();
    EXPECT_TRUE(may_fork());
    void* const shared = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(shared, MAP_FAILED);
    EXPECT_FALSE(may_fork());
    munmap(shared, 4096);
    EXPECT_TRUE(may_fork());
}

}  // namespace
}  // namespace sat
