// The key schedule of SAT-KEM/1, one type a stage: each stage is consumed by the next, so a secret cannot outlive the
// one derived from it.  docs/protocol.md, "Handshake".
//
//     ss_v -> EarlySecret (ES) --dh--> HandshakeSecret (HS) --ss_c--> MasterSecret (MS) --th_3--> two TrafficSecrets
//
// reveal() is for tests that compare with the published vector.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/aead.h"

namespace sat {

inline constexpr std::size_t kSecretSize = 32;
inline constexpr std::size_t kKeyMaterialSize = kAeadKeySize + kAeadNonceSize;  // 44: key || nonce base

// One direction's secret of one epoch: x_ap_n.
class TrafficSecret {
public:
    // Asserts 32 bytes.
    explicit TrafficSecret(SecretBytes secret);

    // k || iv of this epoch, 44 bytes.
    SecretBytes key_material() const;
    // Becomes x_ap_{n+1}; x_ap_n is wiped.
    void update();
    const SecretBytes& reveal() const noexcept { return secret_; }

private:
    SecretBytes secret_;
};

struct TrafficSecrets {
    TrafficSecret client_to_vault;  // c_ap_0
    TrafficSecret vault_to_client;  // s_ap_0
};

class MasterSecret {
public:
    explicit MasterSecret(SecretBytes secret);

    SecretBytes server_key_material(const Digest& th_2a) const;  // k_shs || iv_shs
    Digest server_finished(const Digest& th_2a) const;
    SecretBytes client_key_material(const Digest& th_2) const;  // k_chs || iv_chs
    Digest client_finished(const Digest& th_2) const;
    // Wipes MS.
    TrafficSecrets traffic(const Digest& th_3) &&;
    const SecretBytes& reveal() const noexcept { return secret_; }

private:
    SecretBytes secret_;
};

class HandshakeSecret {
public:
    explicit HandshakeSecret(SecretBytes secret);

    // Wipes HS and ss_c.
    MasterSecret mix(SecretBytes ss_c) &&;
    const SecretBytes& reveal() const noexcept { return secret_; }

private:
    SecretBytes secret_;
};

class EarlySecret {
public:
    // Wipes ss_v.
    static EarlySecret from_kem(SecretBytes ss_v);

    SecretBytes identity_key_material(const Digest& th_1a) const;  // k_id || iv_id
    // Wipes ES and dh.
    HandshakeSecret mix(SecretBytes dh) &&;
    const SecretBytes& reveal() const noexcept { return secret_; }

private:
    explicit EarlySecret(SecretBytes secret);
    SecretBytes secret_;
};

}  // namespace sat
