// Seconds since 1970 as text, and creation dates.
// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace sat {

namespace {

// The first and last second of the years 0000 to 9999, which RFC 3339 can write.
constexpr UnixTime kFirstSecond = -62'167'219'200;
constexpr UnixTime kLastSecond = 253'402'300'799;

// -1 unless all are digits.
int decimal(std::string_view digits) noexcept {
    int value = 0;
    for (const char digit : digits) {
        if (digit < '0' || digit > '9') return -1;
        value = value * 10 + (digit - '0');
    }
    return value;
}

}  // namespace

UnixTime now_unix() noexcept {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string format_utc(UnixTime time) {
    std::tm parts{};
    const std::time_t seconds = time;
    // A peer may claim any time: one that RFC 3339 has no form for is still shown, as a bare number.
    if (time < kFirstSecond || time > kLastSecond || gmtime_r(&seconds, &parts) == nullptr)
        return "@" + std::to_string(time);
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    return text.data();
}

bool is_creation_date(std::string_view text) noexcept {
    if (text.size() != 4 && text.size() != 7 && text.size() != 10) return false;
    if (text.size() >= 7 && text[4] != '-') return false;
    if (text.size() == 10 && text[7] != '-') return false;
    const int year = decimal(text.substr(0, 4));
    const int month = text.size() >= 7 ? decimal(text.substr(5, 2)) : 1;
    const int day = text.size() == 10 ? decimal(text.substr(8, 2)) : 1;
    if (year < 0 || month < 1 || day < 1) return false;
    return std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                       std::chrono::day(static_cast<unsigned>(day)))
        .ok();
}

}  // namespace sat
