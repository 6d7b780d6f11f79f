// A bar with rate and time left, on a terminal; nothing anywhere else.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sat {

// "1.5 MiB"; "812 B".
std::string format_bytes(std::uint64_t bytes);

// "94 %", rounded down: never 100 where something is missing.
std::string format_percentage(std::uint64_t done, std::uint64_t total);

// One line of at most `width` columns: verb, bar, percentage, bytes, rate, time left.  The rate is over all of
// `elapsed` and what was done since `begun_at`; where there is none yet, rate and time left are missing.
std::string progress_line(const std::string& verb, std::uint64_t done, std::uint64_t total,
                          std::chrono::milliseconds elapsed, std::size_t width, std::uint64_t begun_at = 0);

class Progress {
public:
    // Draws on standard error if `enabled`, that is a terminal, and TERM is not dumb.
    Progress(std::string verb, bool enabled);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    // Clears the line.
    ~Progress();

    void update(std::uint64_t done, std::uint64_t total);

private:
    using Clock = std::chrono::steady_clock;

    std::string verb_;
    bool active_;
    bool drawn_ = false;
    std::optional<std::uint64_t> begun_at_;  // what was done before
    Clock::time_point begin_ = Clock::now();
    Clock::time_point last_{};
};

}  // namespace sat
