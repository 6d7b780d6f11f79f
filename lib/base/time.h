// Time as the protocol has it: whole seconds since 1970, UTC.  The floors from ledger/ up take it as an
// argument; only programs and the vault's service ask the clock.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sat {

using UnixTime = std::int64_t;  // seconds

UnixTime now_unix() noexcept;

// "2026-11-22T09:30:00Z" (RFC 3339).
std::string format_utc(UnixTime time);

// A work's creation date: YYYY, YYYY-MM or YYYY-MM-DD, of a day that exists.
bool is_creation_date(std::string_view text) noexcept;

}  // namespace sat
