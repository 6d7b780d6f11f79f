// Fuzz target: the handshake's frames, at both ends.
// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz.h"
#include "wire/handshake.h"

namespace {

struct Ends {
    sat::SigningKey sign = sat::SigningKey::generate(sat::RsaBits::b3072);
    sat::KemPrivateKey kem = sat::KemPrivateKey::generate(sat::RsaBits::b3072);
    sat::LogKey log = sat::LogKey::generate();
    sat::HandshakeParty vault{sat::make_identity(sat::IdentityKind::vault, sign, kem.public_key(), log.public_key(), 0),
                              kem};
    sat::SigningKey client_sign = sat::SigningKey::generate(sat::RsaBits::b3072);
    sat::KemPrivateKey client_kem = sat::KemPrivateKey::generate(sat::RsaBits::b3072);
    sat::HandshakeParty client{
        sat::make_identity(sat::IdentityKind::user, client_sign, client_kem.public_key(), std::nullopt, 0), client_kem};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Ends ends;
    const auto input = fuzz_view(data, size);
    sat::ClientHandshake fresh(ends.client, {});
    (void)fresh.on_identity(input);
    sat::ClientHandshake greeted(ends.client, {});
    SAT_ASSERT(greeted.on_identity(ends.vault.identity_frame()).has_value());
    SAT_ASSERT(greeted.hello().has_value());
    SAT_ASSERT(!greeted.on_server_hello(input));
    sat::VaultHandshake vault(ends.vault);
    (void)vault.on_client_hello(input, {});
    return 0;
}
