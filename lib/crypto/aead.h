// AES-256-GCM (NIST SP 800-38D) with 12-byte nonces and 16-byte tags appended to the ciphertext.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>

#include "base/bytes.h"
#include "base/secret.h"

struct evp_cipher_ctx_st;

namespace sat {

inline constexpr std::size_t kAeadKeySize = 32;
inline constexpr std::size_t kAeadNonceSize = 12;
inline constexpr std::size_t kAeadTagSize = 16;

using Nonce = std::array<std::byte, kAeadNonceSize>;

// `base` XOR (0^32 || u64 counter): the nonce of record or chunk number `counter`.
Nonce nonce_at(const Nonce& base, std::uint64_t counter) noexcept;

// One key, used many times; the key schedule is computed once.  Not for two threads at a time.
// The caller answers for never sealing twice under one nonce.
class Aes256Gcm {
public:
    // `key` is 32 bytes; asserted.
    explicit Aes256Gcm(const SecretBytes& key);
    Aes256Gcm(Aes256Gcm&&) noexcept;
    Aes256Gcm& operator=(Aes256Gcm&&) noexcept;
    ~Aes256Gcm();

    // Writes ciphertext || tag; out.size() must be plaintext.size() + 16.  `out` may begin where plaintext begins.
    void seal(const Nonce& nonce, ByteView aad, ByteView plaintext, MutableBytes out);
    // Writes the plaintext, out.size() == sealed.size() - 16; may be in place.  False, and `out` wiped, if the tag
    // does not match or sealed is shorter than a tag.
    [[nodiscard]] bool open(const Nonce& nonce, ByteView aad, ByteView sealed, MutableBytes out);

private:
    struct Free {
        void operator()(evp_cipher_ctx_st* context) const noexcept;
    };
    std::unique_ptr<evp_cipher_ctx_st, Free> context_;  // of either direction: GCM's key schedule is the same for both
};

// A 44-byte HKDF output as the protocol cuts it: key[32] || nonce base[12].
struct KeyAndNonce {
    Aes256Gcm key;
    Nonce base;
    // Asserts 44 bytes.
    explicit KeyAndNonce(const SecretBytes& material);
};

}  // namespace sat
