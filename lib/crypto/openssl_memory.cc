// SPDX-License-Identifier: Apache-2.0
#include "crypto/openssl_memory.h"

#include <openssl/crypto.h>

#include <cstdlib>

#include "base/assert.h"
#include "base/memory.h"

namespace sat {

namespace {

void* allocate(std::size_t size, const char* /*file*/, int /*line*/) { return allocate_or_end(size); }
void* reallocate(void* block, std::size_t size, const char* /*file*/, int /*line*/) {
    return reallocate_or_end(block, size);
}
void release(void* block, const char* /*file*/, int /*line*/) { std::free(block); }

}  // namespace

void end_openssl_without_memory() noexcept { SAT_ASSERT(CRYPTO_set_mem_functions(allocate, reallocate, release) == 1); }

}  // namespace sat
