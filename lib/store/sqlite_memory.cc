// SQLite's own allocator, but for what it does where it cannot.
// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_memory.h"

#include <sqlite3.h>

#include "base/assert.h"
#include "base/memory.h"

namespace sat {

namespace {

sqlite3_mem_methods own_memory;

void* allocate(int size) {
    void* block = own_memory.xMalloc(size);
    if (block == nullptr) out_of_memory();
    return block;
}

void* reallocate(void* block, int size) {
    void* grown = own_memory.xRealloc(block, size);
    if (grown == nullptr) out_of_memory();
    return grown;
}

}  // namespace

void end_sqlite_without_memory() noexcept {
    SAT_ASSERT(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &own_memory) == SQLITE_OK);
    sqlite3_mem_methods methods = own_memory;
    methods.xMalloc = allocate;
    methods.xRealloc = reallocate;
    SAT_ASSERT(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
    // Nobody asks how much it has: without the sum, no lock is taken for each allocation.
    SAT_ASSERT(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
}

}  // namespace sat
