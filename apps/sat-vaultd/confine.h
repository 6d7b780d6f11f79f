// What the vault gives up: root, core dumps' and swap's hold on its keys, and once it serves every system call that it
// has no use for.  Whoever takes over the process by what they send to it finds no way to start a program, to trace
// another process or to call anybody up.  docs/threat-model.md, docs/man/sat-vaultd.8.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/result.h"

namespace sat {

// config: this is root, and nobody said that it may be.
Result<void> require_ordinary_user(bool allow_root);

// For this thread and all that it starts: no set-user-id program or file capability counts any more.
void forbid_new_privileges() noexcept;

// Keeps memory out of swap: all of it where the limit allows, and that is what it returns; else OpenSSL's own heap for
// keys, though not what OpenSSL derives from them as it computes.  Before keys are read and threads are started.
bool lock_memory() noexcept;
// RLIMIT_MEMLOCK's, in bytes, for the log.
std::uint64_t memory_lock_limit() noexcept;

enum class Filtered {
    yes,
    sanitized,    // a sanitizer's run-time needs calls of its own
    unsupported,  // the kernel or the processor has no filters
};
// For every thread that runs and all that come.  No socket can be made or connected any more, no program or process
// started, nothing be mapped executable, nobody else be signalled or traced.  io_error where it should have worked.
Result<Filtered> filter_system_calls();

}  // namespace sat
