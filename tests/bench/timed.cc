// Runs a command some times on one core and prints what each run cost, a line a run:
//     exit code, wall nanoseconds, user microseconds, system microseconds, peak resident KiB
// of the command and of all that it waited for.  A small program does it so that the harness's own memory and
// start-up are no part of the figures: a child's peak begins with that of who forks it.
//
//     bench-timed CORE RUNS COMMAND [ARGUMENT...]        standard output of the command is thrown away
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr int kUsage = 64;

[[noreturn]] void become(char** command) {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0) execvp(command[0], command);
    std::perror(command[0]);
    _exit(127);
}

long long microseconds(const timeval& time) { return time.tv_sec * 1'000'000LL + time.tv_usec; }

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: bench-timed CORE RUNS COMMAND [ARGUMENT...]\n");
        return kUsage;
    }
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(static_cast<std::size_t>(std::strtoul(argv[1], nullptr, 10)), &cores);
    if (sched_setaffinity(0, sizeof cores, &cores) != 0) {
        std::perror("bench-timed: sched_setaffinity");
        return kUsage;
    }
    for (long left = std::strtol(argv[2], nullptr, 10); left > 0; --left) {
        const auto start = std::chrono::steady_clock::now();
        const pid_t child = fork();
        if (child == 0) become(argv + 3);
        int status = 0;
        rusage used{};
        if (child < 0 || wait4(child, &status, 0, &used) != child) {
            std::perror("bench-timed: fork");
            return 1;
        }
        const std::chrono::nanoseconds wall = std::chrono::steady_clock::now() - start;
        const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        std::printf("%d %lld %lld %lld %ld\n", code, static_cast<long long>(wall.count()), microseconds(used.ru_utime),
                    microseconds(used.ru_stime), used.ru_maxrss);
        std::fflush(stdout);
    }
    return 0;
}
