// The keys on Curve25519: Ed25519 for the vault's log, X25519 for the handshake.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string_view>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/openssl.h"

namespace sat {

namespace {

constexpr std::size_t kEd25519SignatureSize = 64;

// SubjectPublicKeyInfo of Ed25519 before the 32 raw bytes (RFC 8410, 10.1).
constexpr std::array<unsigned char, 12> kEd25519Spki = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                        0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

constexpr std::byte kSignOfX{0x80};

// The y of the eight points of small order, as they are encoded: of order 4, 1, 8, 8 and 2.  Under such a key a
// signature that nobody made verifies over every message, or over every eighth (docs/protocol.md, "Conventions").
constexpr std::array<std::string_view, 5> kSmallOrder = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

// Whether it is below p = 2^255 - 19; little-endian, without the sign of x.
bool is_below_p(ByteView y) {
    return y.front() < std::byte{0xed} || y.back() != std::byte{0x7f} ||
           std::ranges::any_of(y.subspan(1, y.size() - 2), [](std::byte octet) { return octet != std::byte{0xff}; });
}

KeyHandle generate(const char* algorithm) {
    KeyHandle key(EVP_PKEY_Q_keygen(nullptr, nullptr, algorithm));
    SAT_ASSERT(key.get() != nullptr);
    return key;
}

// Nothing in the handle where OpenSSL does not take the bytes.
KeyHandle public_from_raw(const char* algorithm, ByteView raw) {
    KeyHandle key(EVP_PKEY_new_raw_public_key_ex(nullptr, algorithm, nullptr, octets(raw), raw.size()));
    if (key.get() == nullptr) ERR_clear_error();
    return key;
}

std::array<std::byte, 32> raw_public(EVP_PKEY* key) {
    std::array<std::byte, 32> raw{};
    std::size_t size = raw.size();
    SAT_ASSERT(EVP_PKEY_get_raw_public_key(key, octets(MutableBytes(raw)), &size) == 1 && size == raw.size());
    return raw;
}

bool has_private_half(EVP_PKEY* key) {
    SecretBytes raw(32);
    std::size_t size = raw.size();
    if (EVP_PKEY_get_raw_private_key(key, octets(raw.reveal_mutable()), &size) == 1) return true;
    ERR_clear_error();
    return false;
}

}  // namespace

Result<LogVerifyKey> LogVerifyKey::from_raw(ByteView raw) {
    if (raw.size() != kSize) return fail(Errc::key_policy, "an Ed25519 key is 32 bytes");
    Bytes y = to_bytes(raw);
    y.back() &= ~kSignOfX;
    if (!is_below_p(y)) return fail(Errc::key_policy, "an Ed25519 key in another form than its own");
    if (std::ranges::find(kSmallOrder, to_hex(y)) != kSmallOrder.end())
        return fail(Errc::key_policy, "an Ed25519 key of small order");
    LogVerifyKey out;
    out.key_ = public_from_raw("ED25519", raw);
    if (out.key_.get() == nullptr) return fail(Errc::key_policy, "not an Ed25519 key");
    std::copy(raw.begin(), raw.end(), out.raw_.begin());
    out.id_ = sha256({std::as_bytes(std::span(kEd25519Spki)), raw});
    return out;
}

bool LogVerifyKey::verify(ByteView message, ByteView signature) const {
    SAT_ASSERT(key_.get() != nullptr);
    if (signature.size() != kEd25519SignatureSize) return false;
    const MdContextOwner context(EVP_MD_CTX_new());
    SAT_ASSERT(context &&
               EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key_.get(), nullptr) == 1);
    const bool valid =
        EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message), message.size()) == 1;
    if (!valid) ERR_clear_error();
    return valid;
}

LogKey LogKey::generate() {
    auto key = from_handle(sat::generate("ED25519"));
    SAT_ASSERT(key);
    return std::move(*key);
}

Result<LogKey> LogKey::from_handle(KeyHandle key) {
    if (key.get() == nullptr || EVP_PKEY_is_a(key.get(), "ED25519") != 1 || !has_private_half(key.get()))
        return fail(Errc::key_policy, "not an Ed25519 private key");
    SAT_TRY_VALUE(LogVerifyKey public_half, LogVerifyKey::from_raw(raw_public(key.get())));
    LogKey out;
    out.key_ = std::move(key);
    out.public_ = std::move(public_half);
    return out;
}

Bytes LogKey::sign(ByteView message) const {
    SAT_ASSERT(key_.get() != nullptr);
    const MdContextOwner context(EVP_MD_CTX_new());
    SAT_ASSERT(context &&
               EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key_.get(), nullptr) == 1);
    Bytes signature(kEd25519SignatureSize);
    std::size_t size = signature.size();
    SAT_ASSERT(EVP_DigestSign(context.get(), octets(MutableBytes(signature)), &size, octets(message), message.size()) ==
                   1 &&
               size == signature.size());
    return signature;
}

X25519Key X25519Key::generate() {
    X25519Key out;
    out.key_ = sat::generate("X25519");
    out.public_ = raw_public(out.key_.get());
    return out;
}

X25519Key X25519Key::from_private(const SecretBytes& raw) {
    SAT_ASSERT(raw.size() == kSize);
    X25519Key out;
    out.key_ = KeyHandle(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, octets(raw.reveal()), raw.size()));
    SAT_ASSERT(out.key_.get() != nullptr);
    out.public_ = raw_public(out.key_.get());
    return out;
}

Result<SecretBytes> X25519Key::agree(ByteView peer_public) const {
    SAT_ASSERT(key_.get() != nullptr);
    if (peer_public.size() != kSize) return fail(Errc::key_policy, "an X25519 key is 32 bytes");
    const KeyHandle peer = public_from_raw("X25519", peer_public);
    const PkeyContextOwner context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    SAT_ASSERT(peer.get() != nullptr && context && EVP_PKEY_derive_init(context.get()) == 1);
    SecretBytes shared(kSize);
    std::size_t size = shared.size();
    const bool derived = EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
                         EVP_PKEY_derive(context.get(), octets(shared.reveal_mutable()), &size) == 1;
    if (!derived) ERR_clear_error();
    // OpenSSL refuses an all-zero result itself; that is its business, and the rule is ours.
    if (!derived || size != kSize || equal_constant_time(shared.reveal(), Digest{}.view()))
        return fail(Errc::key_policy, "an X25519 key of small order");
    return shared;
}

}  // namespace sat
