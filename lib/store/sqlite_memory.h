// SQLite without memory: see base/memory.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sat {

// Before the first connection, and before there are threads.  From then on SQLite never fails for want of memory.
void end_sqlite_without_memory() noexcept;

}  // namespace sat
