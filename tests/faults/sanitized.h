// Whether a program brings an allocator of its own, beside which ours cannot be preloaded.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/programs.h"

namespace sat::test {

inline bool is_sanitized(const Path& program) {
    const std::string bytes = read_text(program);
    return bytes.find("__asan_init") != std::string::npos || bytes.find("__tsan_init") != std::string::npos;
}

}  // namespace sat::test
