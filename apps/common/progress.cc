// The progress bar.
// SPDX-License-Identifier: Apache-2.0
#include "common/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/bytes.h"
#include "base/file.h"

namespace sat {

namespace {

constexpr std::size_t kBarWidth = 24;
constexpr std::chrono::milliseconds kBetweenDrawings{100};

std::size_t terminal_width() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

std::string format_seconds(std::uint64_t seconds) {
    std::array<char, 32> text{};
    if (seconds >= 3600) {
        std::snprintf(text.data(), text.size(), "%llu:%02u:%02u", static_cast<unsigned long long>(seconds / 3600),
                      static_cast<unsigned>(seconds / 60 % 60), static_cast<unsigned>(seconds % 60));
    } else {
        std::snprintf(text.data(), text.size(), "%u:%02u", static_cast<unsigned>(seconds / 60),
                      static_cast<unsigned>(seconds % 60));
    }
    return text.data();
}

}  // namespace

std::string format_bytes(std::uint64_t bytes) {
    static constexpr std::array<const char*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    std::size_t unit = 0;
    double value = static_cast<double>(bytes);
    while (value >= 1023.95 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
    return text.data();
}

std::string format_percentage(std::uint64_t done, std::uint64_t total) {
    if (total == 0 || done >= total) return "100 %";
    return std::to_string(static_cast<unsigned>(static_cast<double>(done) / static_cast<double>(total) * 100)) + " %";
}

std::string progress_line(const std::string& verb, std::uint64_t done, std::uint64_t total,
                          std::chrono::milliseconds elapsed, std::size_t width, std::uint64_t begun_at) {
    done = std::min(done, total);
    const double part = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
    const auto filled = static_cast<std::size_t>(part * static_cast<double>(kBarWidth));
    std::string line = verb + " [" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] " +
                       std::to_string(static_cast<int>(part * 100)) + "%  " + format_bytes(done) + " of " +
                       format_bytes(total);
    if (elapsed.count() >= 500 && done > begun_at) {
        const double rate = static_cast<double>(done - begun_at) / (static_cast<double>(elapsed.count()) / 1000);
        line += "  " + format_bytes(static_cast<std::uint64_t>(rate)) + "/s";
        if (done < total)
            line +=
                "  " + format_seconds(static_cast<std::uint64_t>(static_cast<double>(total - done) / rate)) + " left";
    }
    if (line.size() > width) line.resize(width);
    return line;
}

Progress::Progress(std::string verb, bool enabled) : verb_(std::move(verb)) {
    const char* term = std::getenv("TERM");
    active_ = enabled && ::isatty(STDERR_FILENO) != 0 && term != nullptr && std::strcmp(term, "dumb") != 0;
}

Progress::~Progress() {
    if (drawn_) (void)write_all(STDERR_FILENO, as_bytes("\r\x1b[K"), "standard error");
}

void Progress::update(std::uint64_t done, std::uint64_t total) {
    if (!active_) return;
    if (!begun_at_) begun_at_ = done;
    const auto now = Clock::now();
    if (drawn_ && now - last_ < kBetweenDrawings && done < total) return;
    last_ = now;
    drawn_ = true;
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - begin_);
    const std::string line =
        "\r" + progress_line(verb_, done, total, elapsed, terminal_width() - 1, *begun_at_) + "\x1b[K";
    (void)write_all(STDERR_FILENO, as_bytes(line), "standard error");
}

}  // namespace sat
