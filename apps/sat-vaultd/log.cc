// spdlog is called here and nowhere else.
// SPDX-License-Identifier: Apache-2.0
#include "log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/text.h"

namespace sat {

namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warn:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

bool is_plain(char c) {
    constexpr std::string_view kPlain = "-_.:/[]+,@";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kPlain.find(c) != std::string_view::npos;
}

void add_field(std::string& line, std::string_view key, std::string_view value) {
    line += " ";
    line += key;
    line += "=";
    if (!value.empty() && std::ranges::all_of(value, is_plain)) {
        line += value;
        return;
    }
    line += '"';
    for (const char c : printable(value)) {
        if (c == '"') line += '\\';
        line += c;
    }
    line += '"';
}

void write(LogLevel level, std::string_view event, const Error* error, LogFields fields) {
    const auto logger = spdlog::default_logger_raw();
    if (!logger->should_log(spdlog_level(level))) return;
    std::string line = "event=";
    line += event;
    for (const auto& [key, value] : fields) add_field(line, key, value);
    if (error) {
        add_field(line, "code", errc_name(error->code));
        add_field(line, "message", error->message);
    }
    logger->log(spdlog_level(level), "{}", line);
}

}  // namespace

void start_log(std::string_view level) {
    const auto logger = spdlog::stderr_logger_mt("sat-vaultd");
    logger->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
    logger->set_level(spdlog::level::from_str(std::string(level)));
    spdlog::set_default_logger(logger);
}

void log_event(LogLevel level, std::string_view event, LogFields fields) { write(level, event, nullptr, fields); }

void log_failure(LogLevel level, std::string_view event, const Error& error, LogFields fields) {
    write(level, event, &error, fields);
}

std::string short_wallet(const Wallet& wallet) { return wallet.hex().substr(0, 12); }

}  // namespace sat
