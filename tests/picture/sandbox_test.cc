// The helper's sandbox, from inside: what it still allows and what it refuses.
// SPDX-License-Identifier: Apache-2.0
#include "sat-picture/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <thread>

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

}  // namespace
}  // namespace sat
