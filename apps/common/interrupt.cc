// Signals, by the self-pipe.
// SPDX-License-Identifier: Apache-2.0
#include "common/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>

#include "base/assert.h"

namespace sat {

namespace {

std::atomic<int> first_signal{0};
std::array<int, 2> pipe_ends{-1, -1};

extern "C" void on_signal(int number) {
    int none = 0;
    if (!first_signal.compare_exchange_strong(none, number)) ::_exit(128 + number);
    const char byte = 0;
    // The pipe is empty before the first signal: this cannot block or fail.
    [[maybe_unused]] const ssize_t written = ::write(pipe_ends[1], &byte, 1);
}

}  // namespace

void Interrupt::install() {
    SAT_ASSERT(pipe_ends[0] < 0);
    SAT_ASSERT(::pipe2(pipe_ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction before {};
        // What the parent ignores stays ignored: nohup, a background job of a shell without job control.
        if (::sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
        ::sigaction(number, &action, nullptr);
    }
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, nullptr);
}

int Interrupt::fd() noexcept { return pipe_ends[0]; }

int Interrupt::signal() noexcept { return first_signal.load(); }

bool Interrupt::sleep(std::chrono::milliseconds duration) noexcept {
    pollfd waiting{pipe_ends[0], POLLIN, 0};
    ::poll(&waiting, pipe_ends[0] >= 0 ? 1 : 0, static_cast<int>(duration.count()));
    return signal() == 0;
}

}  // namespace sat
