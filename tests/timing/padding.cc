// OAEP by hand, and the RSA operation alone from OpenSSL.
// SPDX-License-Identifier: Apache-2.0
#include "timing/padding.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

#include "base/assert.h"
#include "base/codec.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace sat {

namespace {

constexpr std::size_t kSeed = Digest::kSize;
constexpr std::size_t kMessage = 32;

void mask(MutableBytes out, ByteView seed) {
    Bytes stream;
    for (std::uint32_t counter = 0; stream.size() < out.size(); ++counter)
        append(stream, sha256({seed, u32_bytes(counter)}).view());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] ^= stream[i];
}

std::size_t message_size(Padding padding, std::size_t block) {
    switch (padding) {
        case Padding::empty_message:
            return 0;
        case Padding::message_of_31:
            return 31;
        case Padding::message_of_33:
            return 33;
        case Padding::longest_message:
            return block - 2 * Digest::kSize - 2;
        default:
            return kMessage;
    }
}

// 00 || maskedSeed || maskedDB, where DB = H(label) || zeros || 01 || m.
Bytes encoded(Padding padding, std::size_t block, ByteView label) {
    Bytes message(block);
    const MutableBytes seed = MutableBytes(message).subspan(1, kSeed);
    const MutableBytes db = MutableBytes(message).subspan(1 + kSeed);
    const std::size_t m_at = db.size() - message_size(padding, block);
    random_fill(seed);
    random_fill(db.subspan(m_at));
    const Digest hash = padding == Padding::wrong_label ? sha256(as_bytes("another label")) : sha256(label);
    std::copy(hash.bytes.begin(), hash.bytes.end(), db.begin());
    db[m_at - 1] = std::byte{1};
    const std::byte wrong{0x40};
    if (padding == Padding::first_byte_not_zero) message[0] = wrong;  // and still below any modulus
    if (padding == Padding::label_hash_first_byte) db[0] ^= wrong;
    if (padding == Padding::label_hash_last_byte) db[Digest::kSize - 1] ^= wrong;
    if (padding == Padding::no_separator) std::fill(db.begin() + Digest::kSize, db.end(), std::byte{0});
    if (padding == Padding::other_separator) db[m_at - 1] = std::byte{2};
    if (padding == Padding::nonzero_first_filling) db[Digest::kSize] = wrong;
    if (padding == Padding::nonzero_last_filling) db[m_at - 2] = wrong;
    mask(db, seed);
    mask(seed, db);
    if (padding == Padding::random) {
        random_fill(message);
        message[0] &= std::byte{0x7f};
    }
    return message;
}

template <auto Free>
struct FreeWith {
    template <typename T>
    void operator()(T* object) const {
        Free(object);
    }
};

}  // namespace

std::string_view padding_name(Padding padding) {
    switch (padding) {
        case Padding::valid:
            return "valid";
        case Padding::first_byte_not_zero:
            return "first byte not zero";
        case Padding::wrong_label:
            return "wrong label";
        case Padding::label_hash_first_byte:
            return "first byte of the label's hash";
        case Padding::label_hash_last_byte:
            return "last byte of the label's hash";
        case Padding::no_separator:
            return "no separator";
        case Padding::other_separator:
            return "another separator";
        case Padding::nonzero_first_filling:
            return "first byte of the filling";
        case Padding::nonzero_last_filling:
            return "last byte of the filling";
        case Padding::empty_message:
            return "m of 0 bytes";
        case Padding::message_of_31:
            return "m of 31 bytes";
        case Padding::message_of_33:
            return "m of 33 bytes";
        case Padding::longest_message:
            return "longest m";
        case Padding::random:
            return "random";
    }
    SAT_ASSERT(false);
}

Bytes wrap_with(Padding padding, const KemPublicKey& key, ByteView label) {
    const auto* spki = reinterpret_cast<const unsigned char*>(key.spki().data());
    const std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>> rsa(
        d2i_PUBKEY(nullptr, &spki, static_cast<long>(key.spki().size())));
    const std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>> context(EVP_PKEY_CTX_new(rsa.get(), nullptr));
    SAT_ASSERT(context && EVP_PKEY_encrypt_init(context.get()) == 1 &&
               EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1);
    const Bytes block = encoded(padding, key.block_size(), label);
    Bytes wrapped(block.size());
    std::size_t size = wrapped.size();
    SAT_ASSERT(EVP_PKEY_encrypt(context.get(), reinterpret_cast<unsigned char*>(wrapped.data()), &size,
                                reinterpret_cast<const unsigned char*>(block.data()), block.size()) == 1 &&
               size == wrapped.size());
    return wrapped;
}

}  // namespace sat
