// SAT-KEM/1's encapsulation over RSA-OAEP.  docs/protocol.md, "Handshake".
// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/random.h"

namespace sat {

Encapsulated encapsulate(const KemPublicKey& key, ByteView label) {
    return encapsulate_with(key, label, random_secret(32));
}

Encapsulated encapsulate_with(const KemPublicKey& key, ByteView label, const SecretBytes& m) {
    Bytes ciphertext = key.wrap(m, label);
    SecretBytes secret = kem_secret(m, key.id(), ciphertext, label);
    return {std::move(ciphertext), std::move(secret)};
}

SecretBytes kem_secret(const SecretBytes& m, const KeyId& key_id, ByteView ciphertext, ByteView label) {
    SAT_ASSERT(m.size() == 32);
    const SecretBytes extracted = hkdf_extract(as_bytes("SAT/1 kem"), m.reveal());
    return hkdf_expand(extracted.reveal(), concat({key_id.view(), sha256(ciphertext).view(), label}), 32);
}

Result<SecretBytes> decapsulate(const KemPrivateKey& key, ByteView ciphertext, ByteView label) {
    SAT_TRY_VALUE(const SecretBytes m, key.unwrap(ciphertext, label));
    return kem_secret(m, key.public_key().id(), ciphertext, label);
}

}  // namespace sat
