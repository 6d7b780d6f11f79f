// Randomness from OpenSSL's two generators: the public one, and the private one for what must stay secret.
// SPDX-License-Identifier: Apache-2.0
#include "crypto/random.h"

#include <openssl/rand.h>

#include "crypto/openssl.h"

namespace sat {

void random_fill(MutableBytes out) {
    if (out.empty()) return;
    SAT_ASSERT(RAND_bytes_ex(nullptr, octets(out), out.size(), 0) == 1);
}

Bytes random_bytes(std::size_t size) {
    Bytes out(size);
    random_fill(out);
    return out;
}

SecretBytes random_secret(std::size_t size) {
    SecretBytes out(size);
    if (size > 0) SAT_ASSERT(RAND_priv_bytes_ex(nullptr, octets(out.reveal_mutable()), size, 0) == 1);
    return out;
}

std::uint64_t random_below(std::uint64_t bound) {
    SAT_ASSERT(bound > 0);
    // The lowest 2^64 mod bound values are drawn again: of the rest every residue has equally many.
    const std::uint64_t skip = (0 - bound) % bound;
    for (;;) {
        std::uint64_t value = 0;
        random_fill(std::as_writable_bytes(std::span(&value, 1)));
        if (value >= skip) return value % bound;
    }
}

}  // namespace sat
