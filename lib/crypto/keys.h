// The keys of a party, one type for each role, so that the compiler keeps a key in its role: an RSA key that signs
// never decrypts (Felsch et al., USENIX Security 2018).  docs/protocol.md, "Keys and identities".
//
// RSA: 3072 or 4096 bits, e = 65537, odd modulus, SPKI in DER that re-encodes to itself; key_policy otherwise.
// Objects are immutable after construction and may be shared by threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "base/secret.h"

struct evp_pkey_st;

namespace sat {

// A shared, reference-counted EVP_PKEY (OpenSSL's own count).
class KeyHandle {
public:
    KeyHandle() noexcept = default;
    explicit KeyHandle(evp_pkey_st* owned) noexcept : key_(owned) {}
    KeyHandle(const KeyHandle& other) noexcept;
    KeyHandle(KeyHandle&& other) noexcept : key_(std::exchange(other.key_, nullptr)) {}
    KeyHandle& operator=(KeyHandle other) noexcept {
        std::swap(key_, other.key_);
        return *this;
    }
    ~KeyHandle();
    evp_pkey_st* get() const noexcept { return key_; }

private:
    evp_pkey_st* key_ = nullptr;
};

enum class RsaBits : int { b3072 = 3072, b4096 = 4096 };
inline constexpr std::size_t kMaxSpkiSize = 600;  // RSA-4096's is 550 bytes
inline constexpr std::size_t kMaxRsaBlock = 512;  // bytes of an RSA-4096 ciphertext or signature
inline constexpr std::size_t kMinRsaBlock = 384;

// What every public RSA key has, whatever its role.
class RsaPublic {
public:
    // key_policy for anything that is not exactly such a key.
    static Result<KeyHandle> parse(ByteView spki);
    const Bytes& spki() const noexcept { return spki_; }
    const KeyId& id() const noexcept { return id_; }
    // Size of a signature or ciphertext: 384 or 512.
    std::size_t block_size() const noexcept { return block_size_; }
    // EVP_PKEY_public_check, about 9 ms: once for each new identity.  key_policy if it fails.
    Result<void> check() const;

protected:
    RsaPublic() = default;
    explicit RsaPublic(KeyHandle key);

    KeyHandle key_;
    Bytes spki_;
    KeyId id_;
    std::size_t block_size_ = 0;
};

// RSASSA-PSS, SHA-256, MGF1-SHA-256, 32-byte salt (RFC 8017, 8.1): JWS PS256 (RFC 7518, 3.5).
class VerifyKey : public RsaPublic {
public:
    VerifyKey() = default;
    static Result<VerifyKey> from_spki(ByteView spki);
    [[nodiscard]] bool verify(ByteView message, ByteView signature) const;

private:
    friend class SigningKey;
    using RsaPublic::RsaPublic;
};

class SigningKey {
public:
    static SigningKey generate(RsaBits bits);
    // key_policy unless it is an RSA private key within the policy.
    static Result<SigningKey> from_handle(KeyHandle key);
    const VerifyKey& public_key() const noexcept { return public_; }
    const KeyHandle& handle() const noexcept { return key_; }
    Bytes sign(ByteView message) const;

private:
    SigningKey() = default;
    KeyHandle key_;
    VerifyKey public_;
};

// RSAES-OAEP, SHA-256, MGF1-SHA-256, with a label (RFC 8017, 7.1), for 32-byte secrets only.
class KemPublicKey : public RsaPublic {
public:
    KemPublicKey() = default;
    static Result<KemPublicKey> from_spki(ByteView spki);
    // `secret` is 32 bytes; asserted.  The result has block_size() bytes.
    Bytes wrap(const SecretBytes& secret, ByteView label) const;

private:
    friend class KemPrivateKey;
    using RsaPublic::RsaPublic;
};

class KemPrivateKey {
public:
    static KemPrivateKey generate(RsaBits bits);
    static Result<KemPrivateKey> from_handle(KeyHandle key);
    const KemPublicKey& public_key() const noexcept { return public_; }
    const KeyHandle& handle() const noexcept { return key_; }

    // 32 bytes, always: where the padding, the label or the length inside is wrong they are
    // HMAC(rk, H(wrapped) || label), rk drawn when the key was loaded, on the same path (implicit rejection).
    // malformed, openly, only where `wrapped` has not block_size() bytes or is not below the modulus.
    Result<SecretBytes> unwrap(ByteView wrapped, ByteView label) const;

private:
    KemPrivateKey() = default;
    KeyHandle key_;
    KemPublicKey public_;
    std::shared_ptr<const SecretBytes> rejection_key_;  // shared: copies of one key reject alike
};

// SAT-KEM/1's KEM (docs/protocol.md, "Handshake").  The shared secret is 32 bytes.
struct Encapsulated {
    Bytes ciphertext;
    SecretBytes secret;
};
Encapsulated encapsulate(const KemPublicKey& key, ByteView label);
// The same with a given m, for vectors.
Encapsulated encapsulate_with(const KemPublicKey& key, ByteView label, const SecretBytes& m);
// ss = Expand(Extract("SAT/1 kem", m), key_id || H(ct) || label, 32)
SecretBytes kem_secret(const SecretBytes& m, const KeyId& key_id, ByteView ciphertext, ByteView label);
// malformed only for what unwrap() refuses openly.
Result<SecretBytes> decapsulate(const KemPrivateKey& key, ByteView ciphertext, ByteView label);

// Ed25519 (RFC 8032): the vault's `log` key.
class LogVerifyKey {
public:
    static constexpr std::size_t kSize = 32;
    LogVerifyKey() = default;
    // key_policy unless it is the one encoding of a y, and of no point of small order.
    static Result<LogVerifyKey> from_raw(ByteView raw);
    const std::array<std::byte, kSize>& raw() const noexcept { return raw_; }
    // H(SPKI DER), RFC 8410.
    const KeyId& id() const noexcept { return id_; }
    [[nodiscard]] bool verify(ByteView message, ByteView signature) const;

private:
    KeyHandle key_;
    std::array<std::byte, kSize> raw_{};
    KeyId id_;
};

class LogKey {
public:
    static LogKey generate();
    static Result<LogKey> from_handle(KeyHandle key);
    const LogVerifyKey& public_key() const noexcept { return public_; }
    const KeyHandle& handle() const noexcept { return key_; }
    Bytes sign(ByteView message) const;  // 64 bytes

private:
    LogKey() = default;
    KeyHandle key_;
    LogVerifyKey public_;
};

// X25519 (RFC 7748), ephemeral only.
class X25519Key {
public:
    static constexpr std::size_t kSize = 32;
    static X25519Key generate();
    // For vectors.
    static X25519Key from_private(const SecretBytes& raw);
    const std::array<std::byte, kSize>& public_key() const noexcept { return public_; }
    // key_policy for a peer key of the wrong size or an all-zero result (RFC 7748, 6.1).
    Result<SecretBytes> agree(ByteView peer_public) const;

private:
    X25519Key() = default;
    KeyHandle key_;
    std::array<std::byte, kSize> public_{};
};

}  // namespace sat
