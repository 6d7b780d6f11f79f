// How the vault seals what lies on its disk: a master key that only the `store` key opens, keys derived from it, and
// AES-256-GCM with a fresh random nonce for each value.  docs/storage.md, "Keys at rest".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/keys.h"

namespace sat {

// What sealing adds: the nonce in front, the tag behind.
inline constexpr std::size_t kAtRestOverhead = kAeadNonceSize + kAeadTagSize;

// What a derived key is for.
enum class AtRestKey {
    rows,    // the catalogue's sealed columns
    leaves,  // leaf entries, in the catalogue and in the leaves files
    files,   // the signed metadata beside the blobs
    words,   // HMAC key of the search index
};

// 32 random bytes, drawn once for a vault.
class MasterKey {
public:
    static MasterKey draw();

    // The bytes of a master.key file: wrapped for `store`, bound to the vault's wallet.
    Bytes wrap(const Wallet& vault, const KemPublicKey& store) const;
    // config: no such file's bytes, or another vault's, or another `store` key's.
    static Result<MasterKey> unwrap(ByteView file, const Wallet& vault, const KemPrivateKey& store);

    // What a file is that unwrap() refuses.  One whose first bytes alone turned over is damaged, not another vault's.
    enum class Fault { damaged, foreign, newer };
    static Fault fault_of(ByteView file, const Wallet& vault, const KemPrivateKey& store);

    SecretBytes derive(AtRestKey purpose) const;
    // Names the key without telling it: by this a catalogue knows its own.
    Digest check_value() const;
    MasterKey copy() const { return MasterKey(secret_.copy()); }

private:
    explicit MasterKey(SecretBytes secret) : secret_(std::move(secret)) {}
    SecretBytes secret_;
};

inline constexpr std::size_t kMaxMasterKeyFile = 1024;

// Not for two threads at a time.
class AtRestSealer {
public:
    explicit AtRestSealer(const SecretBytes& key) : aead_(key) {}

    // nonce[12] || ciphertext || tag[16].  `aad` names the place, so that a value is good in that place alone.
    Bytes seal(ByteView aad, ByteView plaintext);
    // io_error: damaged, or from another place.
    Result<Bytes> open(ByteView aad, ByteView sealed);

private:
    Aes256Gcm aead_;
};

}  // namespace sat
