// Where OpenSSL keeps the private halves of keys: pages of their own, locked into memory, between guard pages, left out
// of core dumps, wiped when freed (OPENSSL_secure_malloc(3)).
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sat {

enum class SecureHeap { locked, unlocked, none };

// Before the first key is made or read.  unlocked: RLIMIT_MEMLOCK forbids it, all else holds; none: no memory for it.
SecureHeap start_secure_heap() noexcept;

}  // namespace sat
