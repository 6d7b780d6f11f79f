// A CLIENT_HELLO that is whole but for its ciphertext: what is sealed in it opens under no key, so that a vault refuses
// it whatever the ciphertext holds.  docs/protocol.md, "Handshake".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/codec.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "ledger/identity.h"
#include "wire/frame.h"

namespace sat {

inline constexpr std::size_t kSealedIdentity = 4000;  // about an identity's size

inline Bytes vault_kem_label(const Wallet& vault) { return label("SAT/1 kem c2v", vault.view()); }

inline Bytes hello_with(const IdentityChain& vault, ByteView ciphertext) {
    ByteWriter body;
    body.u8(static_cast<std::uint8_t>(FrameType::client_hello)).raw(as_bytes("SATP")).u8(1).u8(0).u16(1);
    body.raw(vault.kem_key().id().view()).raw(X25519Key::generate().public_key());
    body.vec16(ciphertext).vec16(random_bytes(kSealedIdentity));
    return encode_frame(body.bytes(), Phase::handshake);
}

}  // namespace sat
