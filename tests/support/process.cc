// Between fork and exec the child calls only what signal-safety(7) allows: this process has threads.
// SPDX-License-Identifier: Apache-2.0
#include "support/process.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "base/assert.h"

namespace sat::test {

bool eventually(const std::function<bool()>& condition, Duration patience) {
    const auto end = Clock::now() + patience;
    while (!condition()) {
        if (Clock::now() >= end) return false;
        std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
}

namespace {

// A program that has ended does not end the test that writes to it: the write fails instead.
[[maybe_unused]] const auto kPipeSignalBefore = ::signal(SIGPIPE, SIG_IGN);

struct Pipe {
    FileDescriptor read;
    FileDescriptor write;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    SAT_ASSERT(pipe2(ends.data(), O_CLOEXEC) == 0);
    return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

// A root without capabilities stays without them over exec.
void drop_capabilities() {
    prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data{};
    syscall(SYS_capset, &header, data.data());
}

}  // namespace

struct Process::State {
    pid_t pid = -1;
    bool reaped = false;
    int status = 0;
    bool timed_out = false;

    FileDescriptor input;  // the terminal's, too
    FileDescriptor output;
    FileDescriptor errors;
    FileDescriptor stop;  // closing it ends the reader
    std::thread reader;

    mutable std::mutex mutex;
    std::condition_variable changed;
    std::string out;
    std::string err;
    bool out_open = true;
    bool err_open = true;

    bool reap(bool block) {
        if (reaped) return true;
        const pid_t got = waitpid(pid, &status, block ? 0 : WNOHANG);
        if (got == pid) reaped = true;
        return reaped;
    }

    void read_all(int stop_fd) {
        std::array<char, 65536> buffer{};
        while (out_open || err_open) {
            std::array<pollfd, 3> fds{{{out_open ? output.get() : -1, POLLIN, 0},
                                       {err_open ? errors.get() : -1, POLLIN, 0},
                                       {stop_fd, POLLIN, 0}}};
            if (poll(fds.data(), fds.size(), -1) < 0) {
                if (errno == EINTR) continue;
                break;
            }
            const auto take = [&](const pollfd& fd, std::string& text, bool& open) {
                if (fd.fd < 0 || fd.revents == 0) return;
                const ssize_t got = ::read(fd.fd, buffer.data(), buffer.size());
                const std::lock_guard lock(mutex);
                if (got > 0) {
                    text.append(buffer.data(), static_cast<std::size_t>(got));
                } else if (got == 0 || errno != EINTR) {
                    open = false;  // a terminal without a program answers EIO
                }
                changed.notify_all();
            };
            take(fds[0], out, out_open);
            take(fds[1], err, err_open);
            if (fds[2].revents != 0) break;
        }
        const std::lock_guard lock(mutex);
        out_open = err_open = false;
        changed.notify_all();
    }

    bool wait_for(const std::string& text, const bool& open, std::string_view wanted, Duration patience) {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, patience, [&] { return text.find(wanted) != std::string::npos || !open; });
        return text.find(wanted) != std::string::npos;
    }
};

Process::Process(ProcessOptions options) : state_(std::make_unique<State>()) {
    std::vector<std::string> environment{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"};
    for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "TMPDIR"}) {
        const char* value = std::getenv(name);
        if (value != nullptr) environment.push_back(std::string(name) + "=" + value);
    }
    for (const auto& [name, value] : options.env) environment.push_back(name + "=" + value);
    const auto argv = pointers(options.argv);
    const auto envp = pointers(environment);
    const std::string directory = options.directory.string();

    Pipe in;
    Pipe out;
    Pipe err;
    FileDescriptor terminal;
    if (options.terminal) {
        int master = -1;
        int slave = -1;
        const winsize size{40, 100, 0, 0};
        SAT_ASSERT(openpty(&master, &slave, nullptr, nullptr, &size) == 0);
        fcntl(master, F_SETFD, FD_CLOEXEC);
        fcntl(slave, F_SETFD, FD_CLOEXEC);
        state_->input = FileDescriptor(fcntl(master, F_DUPFD_CLOEXEC, 0));
        state_->output = FileDescriptor(master);
        state_->err_open = false;
        terminal = FileDescriptor(slave);
    } else {
        in = make_pipe();
        out = make_pipe();
        err = make_pipe();
        state_->input = std::move(in.write);
        state_->output = std::move(out.read);
        state_->errors = std::move(err.read);
    }

    const pid_t parent = getpid();
    const pid_t pid = fork();
    SAT_ASSERT(pid >= 0);
    if (pid == 0) {
        setsid();
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);
        if (terminal) {
            ioctl(terminal.get(), TIOCSCTTY, 0);
            for (int fd = 0; fd < 3; ++fd) dup2(terminal.get(), fd);
        } else {
            dup2(in.read.get(), 0);
            dup2(out.write.get(), 1);
            dup2(err.write.get(), 2);
        }
        if (!directory.empty() && chdir(directory.c_str()) != 0) _exit(127);
        if (options.without_capabilities) drop_capabilities();
        ::signal(SIGTERM, options.ignore_term ? SIG_IGN : SIG_DFL);
        ::signal(SIGPIPE, SIG_DFL);
        execve(argv[0], argv.data(), envp.data());
        _exit(127);
    }
    state_->pid = pid;

    Pipe stop = make_pipe();
    state_->stop = std::move(stop.write);
    State* state = state_.get();
    state_->reader = std::thread([state, stop_read = std::move(stop.read)] { state->read_all(stop_read.get()); });

    if (!options.input.empty()) write(options.input);
    if (!options.hold_input_open && !options.terminal) close_input();
}

Process::Process(Process&&) noexcept = default;

Process& Process::operator=(Process&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
}

Process::~Process() {
    if (!state_) return;
    kill(-state_->pid, SIGKILL);
    if (!state_->reaped) {
        kill(state_->pid, SIGKILL);
        state_->reap(true);
    }
    state_->stop.reset();
    if (state_->reader.joinable()) state_->reader.join();
}

Outcome Process::wait(Duration patience) {
    State& state = *state_;
    if (!eventually([&] { return state.reap(false); }, patience)) {
        state.timed_out = true;
        kill(-state.pid, SIGKILL);
        kill(state.pid, SIGKILL);
        state.reap(true);
    }
    // What the process wrote before its end is in the pipes; a child of its own that lives on may not hold them open.
    {
        std::unique_lock lock(state.mutex);
        if (!state.changed.wait_for(lock, milliseconds(500), [&] { return !state.out_open && !state.err_open; })) {
            lock.unlock();
            state.stop.reset();
            lock.lock();
            state.changed.wait_for(lock, seconds(5), [&] { return !state.out_open && !state.err_open; });
        }
    }
    const std::lock_guard lock(state.mutex);
    Outcome outcome;
    outcome.timed_out = state.timed_out;
    outcome.exit_code = WIFEXITED(state.status) ? WEXITSTATUS(state.status) : 128 + WTERMSIG(state.status);
    outcome.out = state.out;
    outcome.err = state.err;
    return outcome;
}

std::string Process::out() const {
    const std::lock_guard lock(state_->mutex);
    return state_->out;
}

std::string Process::err() const {
    const std::lock_guard lock(state_->mutex);
    return state_->err;
}

bool Process::wait_for_output(std::string_view text, Duration patience) {
    return state_->wait_for(state_->out, state_->out_open, text, patience);
}

bool Process::wait_for_error(std::string_view text, Duration patience) {
    return state_->wait_for(state_->err, state_->err_open, text, patience);
}

void Process::write(std::string_view text) {
    while (!text.empty()) {
        const ssize_t done = ::write(state_->input.get(), text.data(), text.size());
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return;  // the program does not listen any more; its exit code will say why
        text.remove_prefix(static_cast<std::size_t>(done));
    }
}

void Process::close_input() { state_->input.reset(); }

void Process::signal(int number) {
    if (!state_->reaped) kill(state_->pid, number);
}

void Process::kill_hard() {
    signal(SIGKILL);
    state_->reap(true);
}

bool Process::running() { return !state_->reap(false); }

pid_t Process::pid() const noexcept { return state_->pid; }

std::uint64_t Process::peak_memory() const {
    std::ifstream status("/proc/" + std::to_string(state_->pid) + "/status");
    std::string word;
    while (status >> word) {
        if (word == "VmHWM:") {
            std::uint64_t kilobytes = 0;
            status >> kilobytes;
            return kilobytes * 1024;
        }
    }
    return 0;
}

Outcome run(ProcessOptions options, Duration patience) { return Process(std::move(options)).wait(patience); }

}  // namespace sat::test
