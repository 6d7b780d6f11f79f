// SPDX-License-Identifier: Apache-2.0
#include "crypto/openssl_memory.h"

#include <malloc.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/assert.h"
#include "base/memory.h"
#include "base/secret.h"

namespace sat {

namespace {

void* allocate(std::size_t size, const char* /*file*/, int /*line*/) { return allocate_or_end(size); }
void release(void* block, const char* /*file*/, int /*line*/) {
    if (block != nullptr) wipe(block, malloc_usable_size(block));
    std::free(block);  // NOLINT(cppcoreguidelines-no-malloc): OpenSSL's
}
void* reallocate(void* block, std::size_t size, const char* file, int line) {
    void* moved = allocate_or_end(size);
    if (block != nullptr && moved != nullptr) std::memcpy(moved, block, std::min(size, malloc_usable_size(block)));
    release(block, file, line);
    return moved;
}

}  // namespace

void end_openssl_without_memory() noexcept { SAT_ASSERT(CRYPTO_set_mem_functions(allocate, reallocate, release) == 1); }

}  // namespace sat
