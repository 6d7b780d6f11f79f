// The two ends of a handshake, with the keys of tests/vectors: a fuzz target that draws keys runs otherwise each time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/project_vectors.h"
#include "wire/handshake.h"

namespace sat {

inline constexpr UnixTime kFuzzTime = 1'790'000'000;

inline const HandshakeParty& fuzz_vault() {
    static const HandshakeParty party(make_identity(IdentityKind::vault, vector_key<SigningKey>("vault-sign"),
                                                    vector_key<KemPrivateKey>("vault-kem").public_key(),
                                                    vector_key<LogKey>("vault-log").public_key(), kFuzzTime),
                                      vector_key<KemPrivateKey>("vault-kem"));
    return party;
}

inline const HandshakeParty& fuzz_client() {
    static const HandshakeParty party(
        make_identity(IdentityKind::user, vector_key<SigningKey>("collector-sign"),
                      vector_key<KemPrivateKey>("collector-kem").public_key(), std::nullopt, kFuzzTime),
        vector_key<KemPrivateKey>("collector-kem"));
    return party;
}

}  // namespace sat
