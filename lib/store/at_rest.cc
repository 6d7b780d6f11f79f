// Sealing at rest.  docs/storage.md, "Keys at rest".
// SPDX-License-Identifier: Apache-2.0
#include "store/at_rest.h"

#include "base/assert.h"
#include "base/codec.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace sat {

namespace {

constexpr std::size_t kMasterSize = 32;
constexpr std::string_view kMagic = "SATK";
constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kDbLabel = "SAT/1 db";

std::string_view derivation_label(AtRestKey purpose) {
    switch (purpose) {
        case AtRestKey::rows:
            return "SAT/1 db rows";
        case AtRestKey::leaves:
            return "SAT/1 db leaves";
        case AtRestKey::files:
            return "SAT/1 db files";
        case AtRestKey::words:
            return "SAT/1 db words";
    }
    SAT_ASSERT(false);
}

tl::unexpected<Error> foreign_key() {
    return fail(Errc::config, "the master key does not belong to this vault's store key",
                "put back the keys directory and the master.key that belong together");
}

}  // namespace

MasterKey MasterKey::draw() { return MasterKey(random_secret(kMasterSize)); }

Bytes MasterKey::wrap(const Wallet& vault, const KemPublicKey& store) const {
    return ByteWriter()
        .raw(as_bytes(kMagic))
        .u8(kVersion)
        .u8(0)
        .u16(0)
        .raw(vault.view())
        .raw(store.id().view())
        .vec16(store.wrap(secret_, label(kDbLabel, vault.view())))
        .raw(check_value().view())
        .take();
}

Result<MasterKey> MasterKey::unwrap(ByteView file, const Wallet& vault, const KemPrivateKey& store) {
    ByteReader in(file);
    in.expect(as_bytes(kMagic));
    const std::uint8_t version = in.u8();
    in.expect(Bytes(3));
    const Digest wallet = in.digest();
    const KeyId store_id = in.digest();
    const ByteView wrapped = in.vec16(kMinRsaBlock, kMaxRsaBlock);
    const Digest check = in.digest();
    if (in.ok() && version != kVersion)
        return fail(Errc::config, "master.key has a format that this version does not know");
    if (!in.finish())
        return fail(Errc::config, "master.key is damaged", "copy it from the duplicate directory or a backup");
    if (wallet != vault || store_id != store.public_key().id()) return foreign_key();

    auto secret = store.unwrap(wrapped, label(kDbLabel, vault.view()));
    if (!secret) return foreign_key();
    // A wrong wrap gives a random key, not an error: the check value tells.
    MasterKey key(std::move(*secret));
    if (!equal_constant_time(key.check_value().view(), check.view())) return foreign_key();
    return key;
}

MasterKey::Fault MasterKey::fault_of(ByteView file, const Wallet& vault, const KemPrivateKey& store) {
    const Bytes head = ByteWriter()
                           .raw(as_bytes(kMagic))
                           .u8(kVersion)
                           .u8(0)
                           .u16(0)
                           .raw(vault.view())
                           .raw(store.public_key().id().view())
                           .take();
    ByteReader in(file);
    in.expect(as_bytes(kMagic));
    const std::uint8_t version = in.u8();
    in.expect(Bytes(3));
    const Digest wallet = in.digest();
    if (!in.ok() || (version == kVersion && wallet == vault)) return Fault::damaged;
    if (file.size() > head.size() && unwrap(concat({head, file.subspan(head.size())}), vault, store))
        return Fault::damaged;
    return version == kVersion ? Fault::foreign : Fault::newer;
}

SecretBytes MasterKey::derive(AtRestKey purpose) const {
    return hkdf_expand(hkdf_extract({}, secret_.reveal()).reveal(), as_bytes(derivation_label(purpose)), kAeadKeySize);
}

Digest MasterKey::check_value() const { return hmac_sha256(secret_.reveal(), as_bytes("SAT/1 db check")); }

Bytes AtRestSealer::seal(ByteView aad, ByteView plaintext) {
    Nonce nonce{};
    random_fill(nonce);
    Bytes out(kAtRestOverhead + plaintext.size());
    std::copy(nonce.begin(), nonce.end(), out.begin());
    aead_.seal(nonce, aad, plaintext, MutableBytes(out).subspan(kAeadNonceSize));
    return out;
}

Result<Bytes> AtRestSealer::open(ByteView aad, ByteView sealed) {
    if (sealed.size() < kAtRestOverhead) return fail(Errc::io_error, "a sealed value is cut short");
    Nonce nonce{};
    std::copy_n(sealed.begin(), nonce.size(), nonce.begin());
    Bytes out(sealed.size() - kAtRestOverhead);
    if (!aead_.open(nonce, aad, sealed.subspan(kAeadNonceSize), out))
        return fail(Errc::io_error, "a sealed value does not authenticate",
                    "restore the vault's directory from a backup");
    return out;
}

}  // namespace sat
