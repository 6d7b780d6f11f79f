// Programs as processes: started with an argument vector, an environment of their own and, where wanted, a terminal;
// their output kept apart and complete; every wait bounded.  A child never outlives its Process nor the test.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/file.h"

namespace sat::test {

using Clock = std::chrono::steady_clock;
using Duration = Clock::duration;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Long past what any command needs, on a loaded machine too: reaching it is a failure, never a measurement.
inline constexpr Duration kPatience = seconds(60);

// Asks `condition` every few milliseconds until it holds; false if it does not within `patience`.
bool eventually(const std::function<bool()>& condition, Duration patience = kPatience);

struct ProcessOptions {
    std::vector<std::string> argv = {};  // argv[0] is the program's path
    std::map<std::string, std::string> env =
        {};                             // beside PATH, LANG and the sanitizers' own: nothing else is inherited
    Path directory = {};                // working directory; the test's own where empty
    std::string input = {};             // standard input, closed after it
    bool hold_input_open = false;       // it is not closed: write() and close_input() go on
    bool terminal = false;              // input, output and errors are one terminal of 100 columns, in `out`
    bool without_capabilities = false;  // root's power to open any file is dropped, so that modes count
    bool ignore_term = false;
};

struct Outcome {
    int exit_code = -1;      // 128 + number by a signal
    bool timed_out = false;  // did not end in time and was killed
    std::string out;
    std::string err;
};

class Process {
public:
    explicit Process(ProcessOptions options);
    Process(Process&&) noexcept;
    Process& operator=(Process&&) noexcept;
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    // Kills the whole process group.
    ~Process();

    // Waits for the end; kills at the deadline.  May be called again: the same outcome.
    Outcome wait(Duration patience = kPatience);
    // What has come so far.
    std::string out() const;
    std::string err() const;
    // Until `text` has come on standard output (errors: on standard error); false at the end of the stream or of
    // patience.
    bool wait_for_output(std::string_view text, Duration patience = kPatience);
    bool wait_for_error(std::string_view text, Duration patience = kPatience);
    // To standard input, or to the terminal as if typed.
    void write(std::string_view text);
    void close_input();
    // The process alone, not its children.
    void signal(int number);
    // SIGKILL for the process, and until it is gone.
    void kill_hard();
    bool running();
    pid_t pid() const noexcept;
    // Peak resident memory so far, in bytes; 0 once the process is gone.
    std::uint64_t peak_memory() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Start and wait.
Outcome run(ProcessOptions options, Duration patience = kPatience);

}  // namespace sat::test
