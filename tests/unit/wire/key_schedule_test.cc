// The key schedule, against the published vector with every intermediate value.
// SPDX-License-Identifier: Apache-2.0
#include "wire/key_schedule.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "support/vectors.h"
#include "unit/wire/wire_fixtures.h"

namespace sat {
namespace {

std::string hex(const SecretBytes& secret) { return to_hex(secret.reveal()); }

TEST(KeySchedule, GivesEveryValueOfThePublishedVector) {
    const auto vectors = load_vectors("key-schedule.json");
    if (!vectors) return;
    const auto& in = vectors->at("inputs");
    const auto& out = vectors->at("outputs");
    ASSERT_EQ(out.size(), 14U);
    const auto transcript = [&](const char* name) { return unhex_digest(in.at(name)); };

    const Digest vault = unhex_digest(in.at("vault_wallet"));
    const Digest client = unhex_digest(in.at("client_wallet"));
    const Bytes l_v = label("SAT/1 kem c2v", vault.view());
    const Bytes l_c = label("SAT/1 kem v2c", {client.view(), transcript("th_1").view()});
    SecretBytes ss_v =
        kem_secret(unhex_secret(in.at("m1")), unhex_digest(in.at("vault_kem_id")), unhex(in.at("ct_v")), l_v);
    SecretBytes ss_c =
        kem_secret(unhex_secret(in.at("m2")), unhex_digest(in.at("client_kem_id")), unhex(in.at("ct_c")), l_c);
    EXPECT_EQ(hex(ss_v), out.at("ss_v"));
    EXPECT_EQ(hex(ss_c), out.at("ss_c"));

    EarlySecret es = EarlySecret::from_kem(std::move(ss_v));
    EXPECT_EQ(hex(es.reveal()), out.at("ES"));
    EXPECT_EQ(hex(es.identity_key_material(transcript("th_1a"))), out.at("k_id_iv_id"));
    HandshakeSecret hs = std::move(es).mix(unhex_secret(in.at("dh")));
    EXPECT_EQ(hex(hs.reveal()), out.at("HS"));
    MasterSecret ms = std::move(hs).mix(std::move(ss_c));
    EXPECT_EQ(hex(ms.reveal()), out.at("MS"));
    EXPECT_EQ(hex(ms.server_key_material(transcript("th_2a"))), out.at("k_shs_iv_shs"));
    EXPECT_EQ(ms.server_finished(transcript("th_2a")).hex(), out.at("server_finished"));
    EXPECT_EQ(hex(ms.client_key_material(transcript("th_2"))), out.at("k_chs_iv_chs"));
    EXPECT_EQ(ms.client_finished(transcript("th_2")).hex(), out.at("client_finished"));
    TrafficSecrets traffic = std::move(ms).traffic(transcript("th_3"));
    EXPECT_EQ(hex(traffic.client_to_vault.reveal()), out.at("c_ap_0"));
    EXPECT_EQ(hex(traffic.vault_to_client.reveal()), out.at("s_ap_0"));
    EXPECT_EQ(hex(traffic.client_to_vault.key_material()), out.at("c_epoch0_k_iv"));
    traffic.client_to_vault.update();
    EXPECT_EQ(hex(traffic.client_to_vault.reveal()), out.at("c_ap_1"));
}

TEST(KeySchedule, LeavesNothingInAStageThatWasConsumed) {
    EarlySecret es = EarlySecret::from_kem(SecretBytes(32));
    HandshakeSecret hs = std::move(es).mix(SecretBytes(32));
    EXPECT_TRUE(es.reveal().empty());
    MasterSecret ms = std::move(hs).mix(SecretBytes(32));
    EXPECT_TRUE(hs.reveal().empty());
    const TrafficSecrets traffic = std::move(ms).traffic(Digest{});
    EXPECT_TRUE(ms.reveal().empty());
    EXPECT_EQ(traffic.client_to_vault.reveal().size(), 32U);
}

TEST(KeySchedule, SeparatesDirectionsTranscriptsAndEpochs) {
    const auto master = [] { return MasterSecret(SecretBytes(32)); };
    Digest other;
    other.bytes[31] = std::byte{1};
    const TrafficSecrets traffic = master().traffic(Digest{});
    EXPECT_NE(hex(traffic.client_to_vault.reveal()), hex(traffic.vault_to_client.reveal()));
    EXPECT_NE(hex(traffic.client_to_vault.reveal()), hex(master().traffic(other).client_to_vault.reveal()));
    EXPECT_NE(master().server_finished(Digest{}), master().client_finished(Digest{}));
    EXPECT_NE(master().server_finished(Digest{}), master().server_finished(other));
    TrafficSecret secret(SecretBytes(32));
    const std::string first = hex(secret.key_material());
    secret.update();
    EXPECT_NE(hex(secret.key_material()), first);
}

}  // namespace
}  // namespace sat
