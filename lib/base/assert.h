// SAT_ASSERT: our own bugs, and nothing else, end the process, in release builds too.
// The world's failures (files, peers, keys, databases) are Results: see result.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sat {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace sat

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): needs the expression's text and place
#define SAT_ASSERT(expression) \
    (static_cast<bool>(expression) ? void(0) : ::sat::assertion_failed(#expression, __FILE__, __LINE__))
