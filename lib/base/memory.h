// Running out of memory ends the process, at once and with a word, wherever it happens: docs/decisions/0013.
// Nothing is lost by it that a kill -9 would not lose, and nobody has to be right about what is half done.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace sat {

// The exit code of such an end: the one of a program that failed.
inline constexpr int kOutOfMemoryExit = 70;

// A failed `new` ends the process wherever this file is linked, from before main() on.  `program`, a literal, is named
// in what is said from now on; before, the file's own name.  C libraries that allocate by themselves are told by
// end_openssl_without_memory() and end_sqlite_without_memory().
void end_without_memory(const char* program) noexcept;

// What was asked for is done, and told: from here on such an end is one with 0 and without a word, for whoever hears of
// a failure does the same again.
void end_well_without_memory() noexcept;

// Two lines on stderr, then _exit(): no destructor runs, nothing is allocated.
[[noreturn]] void out_of_memory() noexcept;

// malloc(3) that ends the process where there is no memory; null for a size of 0.
void* allocate_or_end(std::size_t size) noexcept;

}  // namespace sat
