// What the load tests measure: latencies, and a process's memory and descriptors as the kernel tells them.  Figures are
// printed, and bounds asserted only where no luck with timing can break them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "support/peer.h"

namespace sat::test {

// Of one process.
struct Footprint {
    std::uint64_t resident = 0;     // bytes
    std::uint64_t descriptors = 0;  // open
    std::uint64_t most_files = 0;   // its soft limit
    double processor_seconds = 0;
};
Footprint footprint_of(pid_t process);

class Latencies {
public:
    void add(std::chrono::steady_clock::duration one) { all_.push_back(one); }
    std::size_t count() const noexcept { return all_.size(); }
    // In milliseconds; 0 of none.
    double percentile(double part) const;
    // "120 requests, p50 1.2 ms, p99 3.4 ms, max 5.6 ms"
    std::string text() const;

private:
    std::vector<std::chrono::steady_clock::duration> all_;
};

// `method` asked again and again for `time`, twenty times a second, each answer awaited; what fails ends it.
Latencies ask_for(Session& session, std::string_view method, const Json& parameters, Duration time);

// A line of figures, on standard output: "figure: WHAT: TEXT".
void figure(const std::string& what, const std::string& text);
std::string with_unit(double value, const char* unit);

// Raises this process's limit on descriptors to its hard one; what it is then.
std::uint64_t raise_descriptors();

// Another loopback address for every number: 127.1.0.0 and following.
std::string loopback(std::uint32_t number);

}  // namespace sat::test
