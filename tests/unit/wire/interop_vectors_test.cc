// tests/vectors/interop/handshake.json and records.json, made by the second implementation (tests/interop): every frame
// and every value on the way, made again here, and replayed wrong.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "crypto/keys.h"
#include "unit/wire/wire_fixtures.h"
#include "wire/record.h"

namespace sat {
namespace {

class InteropHandshake : public testing::TestWithParam<std::size_t> {
protected:
    InteropHandshake()
        : vector_(own_vectors("interop/handshake.json").at("handshakes").at(GetParam())),
          vault_(party("vault_chain", "vault-kem")),
          client_(party("client_chain", GetParam() == 0 ? "collector-kem" : "artist-kem")) {}

    HandshakeParty party(const char* chain, const char* key) const {
        auto verified = IdentityChain::from_documents(input(chain).get<std::vector<std::string>>());
        SAT_ASSERT(verified);
        auto kem = KemPrivateKey::from_handle(own_test_key(key));
        SAT_ASSERT(kem);
        return {std::move(*verified), std::move(*kem)};
    }
    const nlohmann::json& input(const std::string& name) const { return vector_.at("inputs").at(name); }
    Bytes value(const std::string& name) const { return unhex(vector_.at("values").at(name)); }
    Bytes frame(const char* name) const { return unhex(vector_.at("frames").at(name)); }
    FixedRandomnessForTests fixed(const std::string& who, const char* ciphertext) const {
        return {unhex_secret(input(who + "_ephemeral")), unhex_secret(input(who + "_m")), unhex(input(ciphertext))};
    }

    ClientHelloExt client_ext() const {
        const auto ext = nlohmann::json::parse(input("client_ext").get<std::string>());
        return ext.contains("agent") ? ClientHelloExt{ext.at("agent").get<std::string>()} : ClientHelloExt{};
    }
    ServerHelloExt server_ext() const {
        const auto ext = nlohmann::json::parse(input("server_ext").get<std::string>());
        const auto& limits = ext.at("limits");
        return {ext.at("time"), {limits.at("artwork_bytes"), limits.at("preview_bytes")}, ext.at("checkpoint")};
    }
    ClientFinishedExt finished_ext() const {
        const auto seen = nlohmann::json::parse(input("finished_ext").get<std::string>()).at("seen");
        if (seen.is_null()) return {};
        return {TreeHead{seen.at("size"), unhex_digest(seen.at("root"))}};
    }

    ClientHandshake client_after_hello() const {
        ClientHandshake client(client_, client_ext(), fixed("client", "ct_v"));
        SAT_ASSERT(client.on_identity(frame("identity")));
        SAT_ASSERT(*client.hello() == frame("client_hello"));
        return client;
    }
    VaultHandshake vault_after_hello() const {
        VaultHandshake vault(vault_, fixed("vault", "ct_c"));
        SAT_ASSERT(*vault.on_client_hello(frame("client_hello"), server_ext()) == frame("server_hello"));
        return vault;
    }

    nlohmann::json vector_;
    HandshakeParty vault_;
    HandshakeParty client_;
};

TEST_P(InteropHandshake, IsReplayedByteForByteAtBothEnds) {
    EXPECT_EQ(vault_.identity_frame(), frame("identity"));
    ClientHandshake client = client_after_hello();
    VaultHandshake vault = vault_after_hello();
    const auto finished = client.on_server_hello(frame("server_hello"), finished_ext());
    ASSERT_TRUE(finished);
    EXPECT_EQ(*finished, frame("client_finished"));
    ASSERT_TRUE(vault.on_client_finished(*finished));
    const auto at_client = client.established();
    const auto at_vault = vault.established();
    ASSERT_TRUE(at_client && at_vault);
    EXPECT_EQ(at_client->ext, server_ext());
    EXPECT_EQ(at_vault->hello, client_ext());
    EXPECT_EQ(at_vault->finished, finished_ext());
    EXPECT_EQ(to_bytes(at_client->send.reveal().reveal()), value("c_ap_0"));
    EXPECT_EQ(to_bytes(at_client->receive.reveal().reveal()), value("s_ap_0"));
    EXPECT_EQ(to_bytes(at_vault->receive.reveal().reveal()), value("c_ap_0"));
    EXPECT_EQ(to_bytes(at_vault->send.reveal().reveal()), value("s_ap_0"));
}

TEST_P(InteropHandshake, HoldsForEveryValueOnTheWay) {
    const Bytes start = value("P");
    const Bytes hello = frame("client_hello");
    const Bytes answer = frame("server_hello");
    const Wallet client = client_.chain().wallet();
    const KeyId client_kem = client_.chain().kem_key().id();
    EXPECT_EQ(label("SATP/1 RSAOAEP256-X25519-HKDFSHA256-A256GCM",
                    {vault_.chain().wallet().view(), sha256(frame("identity")).view()}),
              start);
    EXPECT_EQ(to_bytes(vault_.chain().wallet().view()), value("vault_wallet"));
    EXPECT_EQ(to_bytes(vault_.chain().kem_key().id().view()), value("vault_kem_id"));
    EXPECT_EQ(to_bytes(client.view()), value("client_wallet"));
    EXPECT_EQ(to_bytes(client_kem.view()), value("client_kem_id"));

    // What precedes enc_id and enc_sf: all but the vec16 at the frame's end.
    const auto up_to_sealed = [](const Bytes& whole, std::size_t front) {
        ByteReader in(whole);
        in.raw(front);
        in.vec16(kMinRsaBlock, kMaxRsaBlock);
        return ByteView(whole).first(whole.size() - in.remaining());
    };
    const Digest th_1a = sha256({start, up_to_sealed(hello, 4 + 9 + 32 + 32)});
    const Digest th_1 = sha256({start, hello});
    const Digest th_2a = sha256({start, hello, client.view(), client_kem.view(), up_to_sealed(answer, 4 + 1 + 32)});
    const Digest th_2 = sha256({start, hello, client.view(), client_kem.view(), answer});
    const Digest th_3 = sha256({start, hello, client.view(), client_kem.view(), answer, frame("client_finished")});
    EXPECT_EQ(to_bytes(th_1a.view()), value("th_1a"));
    EXPECT_EQ(to_bytes(th_1.view()), value("th_1"));
    EXPECT_EQ(to_bytes(th_2a.view()), value("th_2a"));
    EXPECT_EQ(to_bytes(th_2.view()), value("th_2"));
    EXPECT_EQ(to_bytes(th_3.view()), value("th_3"));

    const Bytes label_v = label("SAT/1 kem c2v", vault_.chain().wallet().view());
    const Bytes label_c = label("SAT/1 kem v2c", {client.view(), th_1.view()});
    EXPECT_EQ(label_v, value("L_v"));
    EXPECT_EQ(label_c, value("L_c"));
    auto ss_v = decapsulate(vault_.kem(), unhex(input("ct_v")), label_v);
    auto ss_c = decapsulate(client_.kem(), unhex(input("ct_c")), label_c);
    ASSERT_TRUE(ss_v && ss_c);
    EXPECT_EQ(to_bytes(ss_v->reveal()), value("ss_v"));
    EXPECT_EQ(to_bytes(ss_c->reveal()), value("ss_c"));
    const X25519Key ours = X25519Key::from_private(unhex_secret(input("client_ephemeral")));
    const X25519Key theirs = X25519Key::from_private(unhex_secret(input("vault_ephemeral")));
    EXPECT_EQ(to_bytes(ours.public_key()), value("epk_c"));
    EXPECT_EQ(to_bytes(theirs.public_key()), value("epk_v"));
    auto dh = ours.agree(theirs.public_key());
    ASSERT_TRUE(dh);
    EXPECT_EQ(to_bytes(dh->reveal()), value("dh"));

    EarlySecret early = EarlySecret::from_kem(std::move(*ss_v));
    EXPECT_EQ(to_bytes(early.identity_key_material(th_1a).reveal()), value("k_id_iv_id"));
    HandshakeSecret handshake = std::move(early).mix(std::move(*dh));
    EXPECT_EQ(to_bytes(handshake.reveal().reveal()), value("HS"));
    MasterSecret master = std::move(handshake).mix(std::move(*ss_c));
    EXPECT_EQ(to_bytes(master.reveal().reveal()), value("MS"));
    EXPECT_EQ(to_bytes(master.server_key_material(th_2a).reveal()), value("k_shs_iv_shs"));
    EXPECT_EQ(to_bytes(master.server_finished(th_2a).view()), value("server_finished"));
    EXPECT_EQ(to_bytes(master.client_key_material(th_2).reveal()), value("k_chs_iv_chs"));
    EXPECT_EQ(to_bytes(master.client_finished(th_2).view()), value("client_finished"));
    const TrafficSecrets traffic = std::move(master).traffic(th_3);
    EXPECT_EQ(to_bytes(traffic.client_to_vault.reveal().reveal()), value("c_ap_0"));
    EXPECT_EQ(to_bytes(traffic.vault_to_client.reveal().reveal()), value("s_ap_0"));
}

TEST_P(InteropHandshake, IsRefusedWithAnyByteChanged) {
    const Bytes hello = frame("client_hello");
    for (std::size_t at = 4; at < hello.size(); at += 61) {
        VaultHandshake vault(vault_, fixed("vault", "ct_c"));
        EXPECT_FALSE(vault.on_client_hello(flipped(hello, at, at % 8), server_ext())) << "CLIENT_HELLO " << at;
    }
    const Bytes answer = frame("server_hello");
    for (std::size_t at = 4; at < answer.size(); at += 31) {
        ClientHandshake client = client_after_hello();
        EXPECT_FALSE(client.on_server_hello(flipped(answer, at, at % 8))) << "SERVER_HELLO " << at;
    }
    const Bytes finished = frame("client_finished");
    for (std::size_t at = 4; at < finished.size(); at += 13) {
        VaultHandshake vault = vault_after_hello();
        EXPECT_FALSE(vault.on_client_finished(flipped(finished, at, at % 8))) << "CLIENT_FINISHED " << at;
    }
}

INSTANTIATE_TEST_SUITE_P(Vectors, InteropHandshake, testing::Values(0U, 1U));

// The record of a row, made by the sealer that made those before it; the rest of a message comes with its beginning.
Bytes seal_row(RecordSealer& from, RecordType type, bool more, const Bytes& body, const Bytes& rest) {
    switch (type) {
        case RecordType::data: {
            Bytes frame(kRecordOverhead + body.size());
            std::copy(body.begin(), body.end(), frame.begin() + kRecordPrefix);
            from.data_in_place(frame);
            return frame;
        }
        case RecordType::data_end:
            return from.data_end(ByteReader(body).u64());
        case RecordType::key_update:
            return from.key_update(kTestTime);
        case RecordType::ping:
            return from.ping();
        case RecordType::pong:
            return from.pong();
        case RecordType::close:
            return from.close();
        default:
            return *from.message(type, more ? concat({body, rest}) : body);
    }
}

struct Row {
    RecordType type;
    bool more;
    Bytes body;
    std::size_t frame_length;
    Digest frame_hash;
    std::uint64_t sequence;
};

std::vector<Row> record_rows(const nlohmann::json& vectors) {
    std::vector<Row> rows;
    for (const auto& row : vectors.at("records")) {
        const bool whole = row.contains("frame");
        const Bytes frame = whole ? unhex(row.at("frame")) : Bytes{};
        rows.push_back({static_cast<RecordType>(row.at("type").get<int>()), row.at("more"),
                        whole ? unhex(row.at("body"))
                              : Bytes(row.at("body_length"), static_cast<std::byte>(row.at("body_byte").get<int>())),
                        whole ? frame.size() : row.at("frame_length").get<std::size_t>(),
                        whole ? sha256(frame) : unhex_digest(row.at("frame_sha256")), row.at("sequence")});
    }
    return rows;
}

TEST(InteropRecords, AreSealedAndOpenedToTheSameBytes) {
    const auto vectors = own_vectors("interop/records.json");
    TrafficSecret expected(unhex_secret(vectors.at("epochs").at(0).at("secret")));
    for (const auto& epoch : vectors.at("epochs")) {
        EXPECT_EQ(to_hex(expected.reveal().reveal()), epoch.at("secret"));
        EXPECT_EQ(to_hex(expected.key_material().reveal()), epoch.at("key_and_iv"));
        expected.update();
    }
    const std::vector<Row> rows = record_rows(vectors);
    ASSERT_GT(rows.size(), 10U);
    RecordSealer from(TrafficSecret(unhex_secret(vectors.at("epochs").at(0).at("secret"))), kTestTime);
    RecordOpener to(TrafficSecret(unhex_secret(vectors.at("epochs").at(0).at("secret"))), Side::vault);
    // A message whose first part is full leaves the sealer in frames of its own; one that was cut short elsewhere is
    // opened here, and this sealer only keeps count.
    Bytes waiting;
    for (std::size_t at = 0; at < rows.size(); ++at) {
        const Row& row = rows[at];
        SCOPED_TRACE(at);
        EXPECT_EQ(to.sequence(), row.sequence);
        const bool full = !row.more || row.frame_length == kMaxRecordFrameBody + kFrameHeaderSize;
        const Bytes rest = row.more ? rows.at(at + 1).body : Bytes{};
        Bytes frame;
        if (!waiting.empty()) {
            frame = std::exchange(waiting, {});
        } else if (full) {
            frame = seal_row(from, row.type, row.more, row.body, rest);
            if (row.more) {
                waiting.assign(frame.begin() + static_cast<std::ptrdiff_t>(row.frame_length), frame.end());
                frame.resize(row.frame_length);
            }
        } else {
            frame = unhex(vectors.at("records").at(at).at("frame"));
            from.ping();
        }
        EXPECT_EQ(frame.size(), row.frame_length);
        EXPECT_EQ(sha256(frame).hex(), row.frame_hash.hex());
        const auto record = to.open(frame);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->type, row.type);
        EXPECT_EQ(record->more, row.more);
        EXPECT_EQ(to_bytes(record->body), row.body);
    }
    EXPECT_TRUE(to.closed());
}

TEST(InteropRecords, AreRefusedWithAnyByteChanged) {
    const auto vectors = own_vectors("interop/records.json");
    const Bytes frame = unhex(vectors.at("records").at(0).at("frame"));
    for (std::size_t at = 0; at < frame.size(); ++at) {
        RecordOpener to(TrafficSecret(unhex_secret(vectors.at("epochs").at(0).at("secret"))), Side::vault);
        Bytes wrong = flipped(frame, at, at % 8);
        EXPECT_FALSE(to.open(wrong)) << at;
    }
}

}  // namespace
}  // namespace sat
