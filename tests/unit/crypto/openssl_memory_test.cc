// What OpenSSL frees: with the hooks of the programs in place, no block of its heap keeps the secret that was in it.
// The linker gives us every free() of our own objects, the hooks' among them (tests/CMakeLists.txt).
// SPDX-License-Identifier: Apache-2.0
#include "crypto/openssl_memory.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/random.h"
#include "support/keys.h"

namespace {

std::optional<std::vector<sat::Bytes>> freed;  // while there is a list

}  // namespace

extern "C" {
void __real_free(void* block);
void __wrap_free(void* block) {
    if (freed && block != nullptr) {
        const auto* bytes = static_cast<const std::byte*>(block);
        freed->emplace_back(bytes, bytes + malloc_usable_size(block));
    }
    __real_free(block);
}
}

namespace sat {
namespace {

// Before any test, or key of a test, has used OpenSSL.
[[gnu::constructor(102)]] void hook_openssl() { end_openssl_without_memory(); }

std::vector<Bytes> freed_by(const std::function<void()>& work) {
    freed.emplace();
    work();
    std::vector<Bytes> blocks = std::move(*freed);
    freed.reset();
    return blocks;
}

bool holds(ByteView block, ByteView secret) {
    return std::search(block.begin(), block.end(), secret.begin(), secret.end()) != block.end();
}

// RFC 8017, B.2.1, with SHA-256.
Bytes mgf1(ByteView seed, std::size_t size) {
    Bytes mask;
    for (std::uint8_t i = 0; mask.size() < size; ++i) {
        const std::array<std::byte, 4> counter{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{i}};
        append(mask, sha256({seed, counter}).view());
    }
    mask.resize(size);
    return mask;
}

Bytes unmasked(ByteView masked, ByteView mask_seed) {
    Bytes out = mgf1(mask_seed, masked.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] ^= masked[i];
    return out;
}

// Whether `block` has it, in clear or as the OAEP encoding of a key with `size` bytes (RFC 8017, 7.1.1) hides it from
// nobody.
bool gives_away(const Bytes& block, ByteView secret, std::size_t size) {
    if (holds(block, secret)) return true;
    if (block.size() < size) return false;
    const ByteView masked_seed = ByteView(block).subspan(1, Digest::kSize);
    const ByteView masked_data = ByteView(block).first(size).subspan(1 + Digest::kSize);
    return holds(unmasked(masked_data, unmasked(masked_seed, masked_data)), secret);
}

// The encoded block inside `wrapped`.
Bytes encoded(const KemPrivateKey& key, const Bytes& wrapped) {
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key.handle().get(), nullptr);
    EXPECT_EQ(EVP_PKEY_decrypt_init(context), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING), 1);
    Bytes block(wrapped.size());
    std::size_t size = block.size();
    EXPECT_EQ(EVP_PKEY_decrypt(context, reinterpret_cast<unsigned char*>(block.data()), &size,
                               reinterpret_cast<const unsigned char*>(wrapped.data()), wrapped.size()),
              1);
    EVP_PKEY_CTX_free(context);
    return block;
}

TEST(OpensslMemory, KeepsNoWrappedSecretWhenItIsFreed) {
    const KemPrivateKey& key = test_kem_key("vault");
    const std::size_t size = key.public_key().block_size();
    const SecretBytes secret = random_secret(32);
    Bytes wrapped;
    const auto by_wrapping = freed_by([&] { wrapped = key.public_key().wrap(secret, as_bytes("L")); });
    const auto by_unwrapping = freed_by([&] { EXPECT_TRUE(key.unwrap(wrapped, as_bytes("L"))); });
    ASSERT_TRUE(gives_away(encoded(key, wrapped), secret.reveal(), size)) << "or the search below finds nothing";
    for (const auto* blocks : {&by_wrapping, &by_unwrapping}) {
        EXPECT_TRUE(std::ranges::any_of(*blocks, [&](const Bytes& block) { return block.size() >= size; }));
        for (const Bytes& block : *blocks) EXPECT_FALSE(gives_away(block, secret.reveal(), size));
    }
}

TEST(OpensslMemory, IsEmptyWhenItIsFreedOrMoved) {
    const Bytes secret(48, std::byte{0x5a});
    for (const std::size_t size : {1U, 47U, 48U, 49U, 100'000U}) {
        void* block = OPENSSL_malloc(secret.size());
        std::ranges::copy(secret, static_cast<std::byte*>(block));
        const auto moved = freed_by([&] { block = OPENSSL_realloc(block, size); });
        ASSERT_EQ(moved.size(), 1U);
        EXPECT_TRUE(std::ranges::all_of(moved[0], [](std::byte octet) { return octet == std::byte{0}; }));
        const std::size_t kept = std::min(size, secret.size());
        EXPECT_TRUE(std::equal(secret.begin(), secret.begin() + static_cast<std::ptrdiff_t>(kept),
                               static_cast<std::byte*>(block)));
        const auto ended = freed_by([&] { OPENSSL_free(block); });
        ASSERT_EQ(ended.size(), 1U);
        EXPECT_TRUE(std::ranges::all_of(ended[0], [](std::byte octet) { return octet == std::byte{0}; }));
    }
    EXPECT_EQ(OPENSSL_realloc(OPENSSL_malloc(8), 0), nullptr);
    void* fresh = OPENSSL_realloc(nullptr, 8);
    EXPECT_NE(fresh, nullptr);
    OPENSSL_free(fresh);
}

}  // namespace
}  // namespace sat
