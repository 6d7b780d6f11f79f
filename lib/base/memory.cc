// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

namespace sat {

namespace {

const char* program_name = "sat";
std::atomic<bool> all_is_done = false;

// Before any object of namespace scope, ours or a library's, takes memory; they do so before main().
[[gnu::constructor(101)]] void end_without_memory_from_the_start() noexcept {
    program_name = program_invocation_short_name;
    std::set_new_handler(out_of_memory);
}

// writev() only reads.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
iovec part(const char* text) noexcept { return {const_cast<char*>(text), std::strlen(text)}; }

}  // namespace

void end_without_memory(const char* program) noexcept {
    program_name = program;
    std::set_new_handler(out_of_memory);
}

void end_well_without_memory() noexcept { all_is_done = true; }

void out_of_memory() noexcept {
    if (all_is_done) ::_exit(0);
    const std::array text{part(program_name), part(": error: out of memory\n"), part(program_name),
                          part(": hint: make some free, then do the same again; what was acknowledged is kept\n")};
    // Whether anybody hears it changes nothing.
    [[maybe_unused]] const ssize_t said = ::writev(STDERR_FILENO, text.data(), static_cast<int>(text.size()));
    ::_exit(kOutOfMemoryExit);
}

void* allocate_or_end(std::size_t size) noexcept {
    if (size == 0) return nullptr;
    void* block = std::malloc(size);  // NOLINT(cppcoreguidelines-no-malloc): for libraries written in C
    if (block == nullptr) out_of_memory();
    return block;
}

}  // namespace sat
