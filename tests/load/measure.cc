// SPDX-License-Identifier: Apache-2.0
#include "load/measure.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

namespace sat::test {

Footprint footprint_of(pid_t process) {
    const std::string root = "/proc/" + std::to_string(process);
    Footprint out;
    std::ifstream status(root + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmRSS:")) out.resident = std::stoull(line.substr(6)) * 1024;
    std::ifstream limits(root + "/limits");
    for (std::string line; std::getline(limits, line);)
        if (line.starts_with("Max open files")) out.most_files = std::stoull(line.substr(14));
    std::error_code error;
    for (auto at = std::filesystem::directory_iterator(root + "/fd", error);
         !error && at != std::filesystem::directory_iterator(); at.increment(error))
        ++out.descriptors;
    // Fields 14 and 15 of stat(5), counted behind the name, which may hold anything.
    std::ifstream stat(root + "/stat");
    std::string text;
    std::getline(stat, text);
    std::string fields = text.substr(std::min(text.size(), text.rfind(')') + 2));
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    char state = 0;
    long long skipped = 0;
    std::istringstream in(fields);
    in >> state;
    for (int i = 0; i < 10; ++i) in >> skipped;
    in >> user >> system;
    out.processor_seconds = static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
    return out;
}

double Latencies::percentile(double part) const {
    if (all_.empty()) return 0;
    auto sorted = all_;
    std::ranges::sort(sorted);
    const auto at = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
    return std::chrono::duration<double, std::milli>(sorted[std::min(sorted.size(), std::max<std::size_t>(at, 1)) - 1])
        .count();
}

std::string with_unit(double value, const char* unit) {
    char text[64];
    (void)std::snprintf(text, sizeof text, "%.1f %s", value, unit);
    return text;
}

std::string Latencies::text() const {
    return std::to_string(count()) + " requests, p50 " + with_unit(percentile(0.5), "ms") + ", p99 " +
           with_unit(percentile(0.99), "ms") + ", max " + with_unit(percentile(1), "ms");
}

Latencies ask_for(Session& session, std::string_view method, const Json& parameters, Duration time) {
    using std::chrono::steady_clock;
    constexpr auto kPace = std::chrono::milliseconds(50);
    Latencies out;
    const auto end = steady_clock::now() + time;
    for (auto next = steady_clock::now(); next < end; next += kPace) {
        std::this_thread::sleep_until(next);
        const auto before = steady_clock::now();
        const Json answer = session.request(method, parameters);
        if (!answer.is_object() || !answer.value("ok", false)) break;
        out.add(steady_clock::now() - before);
        next = std::max(next, steady_clock::now() - kPace);
    }
    return out;
}

void figure(const std::string& what, const std::string& text) {
    std::cout << "figure: " << what << ": " << text << std::endl;
}

std::uint64_t raise_descriptors() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

std::string loopback(std::uint32_t number) {
    return "127." + std::to_string(1 + number / 65536 % 200) + "." + std::to_string(number / 256 % 256) + "." +
           std::to_string(number % 256);
}

}  // namespace sat::test
