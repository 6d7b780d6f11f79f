// SIGINT, SIGTERM and SIGHUP: the first one asks whatever is under way to stop, so that nothing half-written stays and
// the terminal is as it was; a second one ends the process at once.  SIGPIPE is ignored: a write fails instead.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace sat {

class Interrupt {
public:
    // Once in a process, before threads are started.
    static void install();
    // Readable from the first signal on; nobody reads it.
    static int fd() noexcept;
    // The first signal, or 0.
    static int signal() noexcept;
    // Returns early, false, when a signal came.
    static bool sleep(std::chrono::milliseconds duration) noexcept;
};

}  // namespace sat
