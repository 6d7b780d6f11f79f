// The helper's sandbox, from inside: what it still allows and what it refuses.
// SPDX-License-Identifier: Apache-2.0
#include "sat-picture/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>

#include "base/file.h"
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

// Asked of the kernel, and not of the sandbox: one that was not put up must fail the tests.
bool kernel_has_filters() {
    const std::uint32_t action = SECCOMP_RET_ERRNO;
    return !kSanitized && syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool refused(long result) { return result == -1 && errno == EPERM; }

// What a decoder may have in mind: a file, which is open as its picture is, and a directory to write to.
class SandboxFiles : public testing::Test {
public:
    SandboxFiles() {
        std::string name = (std::filesystem::temp_directory_path() / "sat-sandbox-XXXXXX").string();
        directory_ = mkdtemp(name.data());
        EXPECT_TRUE(write_file_atomically(file(), as_bytes("kept"), AtomicFile::Existing::refuse, 0600));
        EXPECT_EQ(stat(file().c_str(), &before_), 0);
    }
    // All that was tried has left the file as it was, and alone.
    ~SandboxFiles() override {
        struct stat after {};
        EXPECT_EQ(lstat(file().c_str(), &after), 0);
        EXPECT_EQ(after.st_ino, before_.st_ino);
        EXPECT_EQ(after.st_mode, before_.st_mode);
        EXPECT_EQ(after.st_mtim.tv_sec, before_.st_mtim.tv_sec);
        EXPECT_EQ(after.st_nlink, before_.st_nlink);
        std::filesystem::directory_iterator all(directory_);
        EXPECT_EQ(std::distance(begin(all), end(all)), 1);
        std::filesystem::remove_all(directory_);
    }

    Path file() const { return directory_ / "file"; }
    Path other() const { return directory_ / "other"; }

    // True if `check`, which is given a descriptor of the file, holds in a child in the sandbox.
    bool holds_with_file(const std::function<bool(int)>& check) const {
        const pid_t child = fork();
        if (child == 0) {
            if (!limit_process()) _exit(2);
            const int open_file = open(file().c_str(), O_RDONLY);
            if (open_file != 3 || !enter_sandbox()) _exit(2);
            _exit(check(open_file) ? 0 : 1);
        }
        int status = 0;
        EXPECT_EQ(waitpid(child, &status, 0), child);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

private:
    Path directory_;
    struct stat before_ {};
};

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
    if (!kernel_has_filters()) {
        std::printf("no system call filter here (a sanitizer's build, or a kernel without): nothing to refuse with\n");
        return;
    }
    EXPECT_TRUE(holds_inside([&] { return refused(open("/etc/passwd", O_RDONLY)); }));
    EXPECT_TRUE(holds_inside([&] { return refused(open("/tmp/sat-sandbox-test", O_WRONLY | O_CREAT, 0600)); }));
    EXPECT_TRUE(holds_inside([&] { return refused(socket(AF_INET, SOCK_STREAM, 0)); }));
    EXPECT_TRUE(holds_inside([&] { return refused(socket(AF_UNIX, SOCK_STREAM, 0)); }));
    EXPECT_TRUE(holds_inside([&] { return refused(execl("/bin/true", "true", nullptr)); }));
    EXPECT_TRUE(holds_inside([&] { return refused(fork()); }));
    EXPECT_TRUE(holds_inside([&] { return refused(kill(getppid(), 0)); }));
}

TEST(Sandbox, HasItsFilterWhereTheKernelHasFilters) {
    EXPECT_EQ(holds_inside([] { return prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER; }), kernel_has_filters());
}

TEST(Sandbox, TellsAFilterThatIsWrongFromAKernelWithout) {
    const pid_t child = fork();
    if (child == 0) {
        // More than the 4,096 instructions that a kernel takes.
        SyscallFilter filter(0);
        for (long number = 0; number < 3000; ++number) filter.allow(number);
        _exit(filter.install(false) ? 2 : errno == ENOSYS ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), kernel_has_filters() || kSanitized ? 0 : 1);
}

TEST_F(SandboxFiles, CanBeReadAndMeasuredAndNotChanged) {
    EXPECT_TRUE(holds_with_file([](int fd) {
        std::array<char, 8> text{};
        struct stat status {};
        return read(fd, text.data(), text.size()) == 4 && fstat(fd, &status) == 0 && status.st_size == 4;
    }));
    if (!kernel_has_filters()) return;
    EXPECT_TRUE(holds_with_file([](int fd) { return refused(fchmod(fd, 0666)); }));
    EXPECT_TRUE(holds_with_file([](int fd) { return refused(fchown(fd, getuid(), getgid())); }));
    EXPECT_TRUE(holds_with_file([](int fd) { return refused(fsetxattr(fd, "user.sat", "x", 1, 0)); }));
    EXPECT_TRUE(holds_with_file([](int fd) { return refused(fremovexattr(fd, "user.sat")); }));
    EXPECT_TRUE(holds_with_file([](int fd) { return refused(syscall(SYS_utimensat, fd, nullptr, nullptr, 0)); }));
    EXPECT_TRUE(
        holds_with_file([](int fd) { return refused(syscall(SYS_utimensat, fd, "", nullptr, AT_EMPTY_PATH)); }));
}

TEST_F(SandboxFiles, CannotBeReachedByName) {
    if (!kernel_has_filters()) return;
    const std::string from = file().string();
    const std::string to = other().string();
    const char* const a = from.c_str();
    const char* const b = to.c_str();
    const auto call = [&](long number, auto... arguments) {
        EXPECT_TRUE(holds_with_file([&](int) { return refused(syscall(number, arguments...)); })) << number;
    };
    const int here = AT_FDCWD;
    const timespec epoch[2]{};  // NOLINT(*-avoid-c-arrays)
    call(SYS_renameat2, here, a, here, b, 0);
    call(SYS_linkat, here, a, here, b, 0);
    call(SYS_symlinkat, a, here, b);
    call(SYS_unlinkat, here, a, 0);
    call(SYS_mkdirat, here, b, 0700);
    call(SYS_mknodat, here, b, S_IFIFO | 0600, 0);
    call(SYS_fchmodat, here, a, 0666);
    call(452, here, a, 0666, 0);  // fchmodat2, which older headers do not name
    call(SYS_fchownat, here, a, getuid(), getgid(), 0);
    call(SYS_utimensat, here, a, epoch, 0);
    call(SYS_setxattr, a, "user.sat", "x", 1, 0);
    call(SYS_lsetxattr, a, "user.sat", "x", 1, 0);
    call(SYS_truncate, a, 0);
    call(SYS_openat, here, a, O_RDONLY, 0);
    call(SYS_openat, here, b, O_WRONLY | O_CREAT, 0600);
    call(SYS_readlinkat, here, "/proc/self/fd/3", a, 0);
#ifdef SYS_renameat
    call(SYS_renameat, here, a, here, b);
#endif
#ifdef SYS_rename
    call(SYS_rename, a, b);
    call(SYS_link, a, b);
    call(SYS_symlink, a, b);
    call(SYS_unlink, a);
    call(SYS_mkdir, b, 0700);
    call(SYS_mknod, b, S_IFIFO | 0600, 0);
    call(SYS_chmod, a, 0666);
    call(SYS_chown, a, getuid(), getgid());
    call(SYS_lchown, a, getuid(), getgid());
    call(SYS_utimes, a, nullptr);
    call(SYS_utime, a, nullptr);
    call(SYS_creat, a, 0600);
#endif
}

TEST_F(SandboxFiles, AreOutOfReachByLandlockAlone) {
    if (kSanitized || syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < 2) {
        std::printf("no Landlock here: the filter alone keeps the files\n");
        return;
    }
    const pid_t child = fork();
    if (child == 0) {
        const bool put_up = limit_process() && reach_no_files();
        const auto denied = [](int result) { return result == -1 && (errno == EACCES || errno == EXDEV); };
        _exit(put_up && denied(open(file().c_str(), O_RDONLY)) && denied(rename(file().c_str(), other().c_str())) &&
                      denied(unlink(file().c_str())) && denied(mkdir(other().c_str(), 0700))
                  ? 0
                  : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(Sandbox, KeepsItsHandsOffTheOtherProcesses) {
    if (!kernel_has_filters()) {
        std::printf("no system call filter here (a sanitizer's build, or a kernel without): nothing to refuse with\n");
        return;
    }
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
