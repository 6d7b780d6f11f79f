// The daemon's log: one line an event, key=value, on standard error.  Never titles, names, texts or passphrases;
// wallets by their first twelve digits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace sat {

enum class LogLevel { debug, info, warn, error };

// Once, before anything is logged.  `level` is one of the four names.
void start_log(std::string_view level);

using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;

// time=… level=… event=… key=value …; values with anything but plain characters are quoted and escaped.
void log_event(LogLevel level, std::string_view event, LogFields fields = {});
// The same with code=… and message=… of an error.
void log_failure(LogLevel level, std::string_view event, const Error& error, LogFields fields = {});

std::string short_wallet(const Wallet& wallet);

}  // namespace sat
