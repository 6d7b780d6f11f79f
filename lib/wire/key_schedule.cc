// The key schedule of SAT-KEM/1.  docs/protocol.md, "Handshake" and "Records".
// SPDX-License-Identifier: Apache-2.0
#include "wire/key_schedule.h"

#include <array>
#include <utility>

#include "base/assert.h"
#include "crypto/hash.h"

namespace sat {
namespace {

SecretBytes checked(SecretBytes secret) {
    SAT_ASSERT(secret.size() == kSecretSize);
    return secret;
}

SecretBytes expand(const SecretBytes& secret, std::string_view name, ByteView context, std::size_t size) {
    return hkdf_expand(secret.reveal(), label(name, context), size);
}

// Extract(Expand(secret, Label("SAT/1 derived", ""), 32), input): how a stage takes in the next secret.
SecretBytes mix_in(const SecretBytes& secret, const SecretBytes& input) {
    const SecretBytes salt = expand(secret, "SAT/1 derived", {}, kSecretSize);
    return hkdf_extract(salt.reveal(), input.reveal());
}

Digest finished(const SecretBytes& master, std::string_view name, const Digest& transcript) {
    const SecretBytes key = expand(master, name, transcript.view(), kSecretSize);
    return hmac_sha256(key.reveal(), transcript.view());
}

}  // namespace

TrafficSecret::TrafficSecret(SecretBytes secret) : secret_(checked(std::move(secret))) {}

SecretBytes TrafficSecret::key_material() const { return expand(secret_, "SAT/1 key", {}, kKeyMaterialSize); }

void TrafficSecret::update() { secret_ = expand(secret_, "SAT/1 upd", {}, kSecretSize); }

MasterSecret::MasterSecret(SecretBytes secret) : secret_(checked(std::move(secret))) {}

SecretBytes MasterSecret::server_key_material(const Digest& th_2a) const {
    return expand(secret_, "SAT/1 s hs", th_2a.view(), kKeyMaterialSize);
}

Digest MasterSecret::server_finished(const Digest& th_2a) const { return finished(secret_, "SAT/1 s fin", th_2a); }

SecretBytes MasterSecret::client_key_material(const Digest& th_2) const {
    return expand(secret_, "SAT/1 c hs", th_2.view(), kKeyMaterialSize);
}

Digest MasterSecret::client_finished(const Digest& th_2) const { return finished(secret_, "SAT/1 c fin", th_2); }

TrafficSecrets MasterSecret::traffic(const Digest& th_3) && {
    const SecretBytes master = std::move(secret_);
    return {TrafficSecret(expand(master, "SAT/1 c ap", th_3.view(), kSecretSize)),
            TrafficSecret(expand(master, "SAT/1 s ap", th_3.view(), kSecretSize))};
}

HandshakeSecret::HandshakeSecret(SecretBytes secret) : secret_(checked(std::move(secret))) {}

MasterSecret HandshakeSecret::mix(SecretBytes ss_c) && {
    const SecretBytes handshake = std::move(secret_);
    return MasterSecret(mix_in(handshake, ss_c));
}

EarlySecret::EarlySecret(SecretBytes secret) : secret_(checked(std::move(secret))) {}

EarlySecret EarlySecret::from_kem(SecretBytes ss_v) {
    SAT_ASSERT(ss_v.size() == kSecretSize);
    constexpr std::array<std::byte, kSecretSize> kZeroSalt{};
    return EarlySecret(hkdf_extract(kZeroSalt, ss_v.reveal()));
}

SecretBytes EarlySecret::identity_key_material(const Digest& th_1a) const {
    return expand(secret_, "SAT/1 c id", th_1a.view(), kKeyMaterialSize);
}

HandshakeSecret EarlySecret::mix(SecretBytes dh) && {
    const SecretBytes early = std::move(secret_);
    return HandshakeSecret(mix_in(early, dh));
}

}  // namespace sat
