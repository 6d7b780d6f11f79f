// SPDX-License-Identifier: Apache-2.0
#include "crypto/secure_heap.h"

#include <openssl/crypto.h>

namespace sat {

namespace {

// A vault has four keys of a few KiB, and an X25519 key and an HMAC key for each handshake and worker: it takes tenths
// of this.  Past it OpenSSL would fail, not fall back.
constexpr std::size_t kSize = std::size_t{1} << 20;
constexpr std::size_t kSmallest = 32;

}  // namespace

SecureHeap start_secure_heap() noexcept {
    switch (CRYPTO_secure_malloc_init(kSize, kSmallest)) {
        case 1:
            return SecureHeap::locked;
        case 2:
            return SecureHeap::unlocked;
        default:
            return SecureHeap::none;
    }
}

}  // namespace sat
