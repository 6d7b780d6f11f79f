// SAT-KEM/1: what goes through, what must not, and that nobody learns why.
// SPDX-License-Identifier: Apache-2.0
#include "wire/handshake.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/json.h"
#include "crypto/aead.h"
#include "unit/wire/wire_fixtures.h"
#include "wire/record.h"

namespace sat {
namespace {

constexpr std::string_view kFailure = "the handshake failed";

template <typename T>
void expect_error(const Result<T>& result, Errc code, const std::string& what = {}) {
    ASSERT_FALSE(result) << what;
    EXPECT_EQ(errc_name(result.error().code), errc_name(code)) << what;
    if (code == Errc::handshake_failed) {
        EXPECT_EQ(result.error().message, kFailure) << what;
        EXPECT_TRUE(result.error().hint.empty()) << what;
    }
}

// A handshake that went well, with all its frames.
struct Exchange {
    ClientHandshake client{test_client(), {"test/1"}};
    VaultHandshake vault{test_vault()};
    Bytes identity = test_vault().identity_frame();
    Bytes client_hello;
    Bytes server_hello;
    Bytes client_finished;
};

Exchange complete_run() {
    Exchange run;
    SAT_ASSERT(run.client.on_identity(run.identity));
    run.client_hello = *run.client.hello();
    run.server_hello = *run.vault.on_client_hello(run.client_hello, test_server_ext());
    run.client_finished = *run.client.on_server_hello(run.server_hello);
    SAT_ASSERT(run.vault.on_client_finished(run.client_finished));
    return run;
}

// --- Frames forged by hand, from the protocol's text ---

Bytes sealed_part(const SecretBytes& material, const Digest& aad, ByteView plaintext) {
    KeyAndNonce key(material);
    Bytes out(plaintext.size() + 16);
    key.key.seal(key.base, aad.view(), plaintext, out);
    return out;
}

Bytes transcript_start(const HandshakeParty& vault) {
    return label("SATP/1 RSAOAEP256-X25519-HKDFSHA256-A256GCM",
                 {vault.chain().wallet().view(), sha256(vault.identity_frame()).view()});
}

struct HelloParts {
    Bytes identity;  // what enc_id seals
    Bytes epk_c = to_bytes(X25519Key::from_private(SecretBytes(Bytes(32, std::byte{9}))).public_key());
    Bytes kem_label = label("SAT/1 kem c2v", test_vault().chain().wallet().view());  // of the wrap
    std::optional<Bytes> ciphertext;                                                 // instead of the wrap
};

Bytes forge_hello(const HelloParts& parts) {
    const HandshakeParty& vault = test_vault();
    const SecretBytes m(Bytes(32, std::byte{5}));
    const Bytes ct = parts.ciphertext ? *parts.ciphertext : vault.chain().kem_key().wrap(m, parts.kem_label);
    const Bytes right_label = label("SAT/1 kem c2v", vault.chain().wallet().view());
    const EarlySecret early = EarlySecret::from_kem(kem_secret(m, vault.chain().kem_key().id(), ct, right_label));
    ByteWriter front;
    front.u8(3).raw(as_bytes("SATP")).u8(1).u8(0).u16(1).raw(vault.chain().kem_key().id().view());
    front.raw(parts.epk_c).vec16(ct);
    ByteWriter frame;
    frame.u32(static_cast<std::uint32_t>(front.bytes().size() + 2 + parts.identity.size() + 16)).raw(front.bytes());
    const Digest th_1a = sha256({transcript_start(vault), frame.bytes()});
    frame.vec16(sealed_part(early.identity_key_material(th_1a), th_1a, parts.identity));
    return frame.take();
}

Bytes identity_part(ByteView chain, std::string_view ext) {
    ByteWriter out;
    out.raw(chain).vec16(as_bytes(ext));
    return out.take();
}

Bytes identity_part(const HandshakeParty& party, std::string_view ext) {
    return identity_part(party.chain().encode(), ext);
}

// A vault by hand: answers `hello` with any ext, and with a server_finished that `edit` may spoil.
Bytes forge_server_hello(ByteView hello, std::string_view ext, const std::function<void(Bytes&)>& edit = {}) {
    const HandshakeParty& vault = test_vault();
    const KemPublicKey& client_key = test_client().chain().kem_key();
    const Wallet& client_wallet = test_client().chain().wallet();
    ByteReader in(hello);
    in.raw(4 + 9 + 32);
    const ByteView epk_c = in.raw(32);
    const ByteView ct_v = in.vec16(384, 512);
    const Digest th_1 = sha256({transcript_start(vault), hello});
    EarlySecret early =
        EarlySecret::from_kem(*decapsulate(vault.kem(), ct_v, label("SAT/1 kem c2v", vault.chain().wallet().view())));
    const X25519Key ephemeral = X25519Key::generate();
    HandshakeSecret handshake = std::move(early).mix(*ephemeral.agree(epk_c));
    Encapsulated to_client = encapsulate(client_key, label("SAT/1 kem v2c", {client_wallet.view(), th_1.view()}));
    const MasterSecret master = std::move(handshake).mix(std::move(to_client.secret));

    ByteWriter front;
    front.u8(4).raw(ephemeral.public_key()).vec16(to_client.ciphertext);
    ByteWriter frame;
    frame.u32(static_cast<std::uint32_t>(front.bytes().size() + 2 + 34 + ext.size() + 16)).raw(front.bytes());
    const Digest th_2a =
        sha256({transcript_start(vault), hello, client_wallet.view(), client_key.id().view(), frame.bytes()});
    ByteWriter plaintext;
    plaintext.raw(master.server_finished(th_2a).view()).vec16(as_bytes(ext));
    Bytes part = plaintext.take();
    if (edit) edit(part);
    frame.vec16(sealed_part(master.server_key_material(th_2a), th_2a, part));
    return frame.take();
}

constexpr std::string_view kGoodServerExt =
    R"({"time":1,"limits":{"artwork_bytes":2,"preview_bytes":3},"checkpoint":null})";

ClientHandshake client_after_hello(Bytes& hello) {
    ClientHandshake client(test_client(), {});
    SAT_ASSERT(client.on_identity(test_vault().identity_frame()));
    hello = *client.hello();
    return client;
}

TEST(Handshake, GivesBothEndsTheSameSecretsAndEachTheOther) {
    ClientHandshake client(test_client(), {"sat-collector/1.0.0"});
    VaultHandshake vault(test_vault());
    ASSERT_TRUE(client.on_identity(test_vault().identity_frame()));
    EXPECT_EQ(client.vault().wallet(), test_vault().chain().wallet());
    const auto hello = client.hello();
    ASSERT_TRUE(hello);
    const auto answer = vault.on_client_hello(*hello, {kTestTime, {12, 34}, "a note"});
    ASSERT_TRUE(answer);
    TreeHead seen;
    seen.size = 7;
    seen.root = sha256(as_bytes("root"));
    const auto finished = client.on_server_hello(*answer, {seen});
    ASSERT_TRUE(finished);
    ASSERT_TRUE(vault.on_client_finished(*finished));

    auto at_client = client.established();
    auto at_vault = vault.established();
    ASSERT_TRUE(at_client && at_vault);
    EXPECT_EQ(at_client->vault.wallet(), test_vault().chain().wallet());
    EXPECT_EQ(at_client->ext, (ServerHelloExt{kTestTime, {12, 34}, "a note"}));
    EXPECT_EQ(at_vault->client.wallet(), test_client().chain().wallet());
    EXPECT_EQ(at_vault->hello.agent, "sat-collector/1.0.0");
    EXPECT_EQ(at_vault->finished.seen, seen);
    EXPECT_EQ(to_hex(at_client->send.reveal().reveal()), to_hex(at_vault->receive.reveal().reveal()));
    EXPECT_EQ(to_hex(at_client->receive.reveal().reveal()), to_hex(at_vault->send.reveal().reveal()));
    EXPECT_NE(to_hex(at_client->send.reveal().reveal()), to_hex(at_client->receive.reveal().reveal()));

    RecordSealer sealer(std::move(at_client->send), kTestTime);
    RecordOpener opener(std::move(at_vault->receive), Side::client);
    Bytes frame = *sealer.message(RecordType::request, as_bytes("{}"));
    EXPECT_TRUE(opener.open(frame));
}

TEST(Handshake, DrawsEverythingAnewEachTime) {
    const Exchange one = complete_run();
    const Exchange two = complete_run();
    EXPECT_NE(one.client_hello, two.client_hello);
    EXPECT_NE(one.server_hello, two.server_hello);
    // epk_c and ct_v, epk_v and ct_c, each on its own.
    EXPECT_NE(to_bytes(ByteView(one.client_hello).subspan(45, 32)),
              to_bytes(ByteView(two.client_hello).subspan(45, 32)));
    EXPECT_NE(to_bytes(ByteView(one.server_hello).subspan(5, 32)), to_bytes(ByteView(two.server_hello).subspan(5, 32)));
}

// The frames that one end may be handed, by name.
std::vector<std::pair<std::string, Bytes>> all_frames(const Exchange& run) {
    return {{"IDENTITY", run.identity},
            {"CLIENT_HELLO", run.client_hello},
            {"SERVER_HELLO", run.server_hello},
            {"CLIENT_FINISHED", run.client_finished},
            {"ALERT", encode_alert(Errc::overloaded)},
            {"a frame of no type", raw_frame(unhex("07"))},
            {"nothing", {}}};
}

Errc code_for(const std::string& frame) {
    if (frame == "ALERT") return Errc::overloaded;
    return frame == "nothing" ? Errc::malformed : Errc::unexpected;
}

TEST(ClientHandshake, TakesNoStepOutOfItsOrder) {
    const Exchange run = complete_run();
    // How far the client has come, and what each of its steps does then.
    for (int state = 0; state <= 4; ++state) {
        const auto arrive = [&] {
            Bytes hello;
            ClientHandshake client(test_client(), {});
            if (state >= 1) SAT_ASSERT(client.on_identity(run.identity));
            if (state >= 2) hello = *client.hello();
            VaultHandshake vault(test_vault());
            if (state >= 3) SAT_ASSERT(client.on_server_hello(*vault.on_client_hello(hello, test_server_ext())));
            if (state >= 4) SAT_ASSERT(client.established());
            return client;
        };
        const auto is_over = [&](ClientHandshake& client, const std::string& what) {
            expect_error(client.on_identity(run.identity), Errc::unexpected, what);
            expect_error(client.hello(), Errc::unexpected, what);
            expect_error(client.on_server_hello(run.server_hello), Errc::unexpected, what);
            expect_error(client.established(), Errc::unexpected, what);
        };
        const std::string at = "in state " + std::to_string(state) + ": ";
        for (const auto& [name, frame] : all_frames(run)) {
            if (state != 0 || name != "IDENTITY") {
                ClientHandshake client = arrive();
                expect_error(client.on_identity(frame), state == 0 ? code_for(name) : Errc::unexpected, at + name);
                EXPECT_EQ(client.peer_alerted(), state == 0 && name == "ALERT");
                is_over(client, at + name);
            }
            if (state != 2 || name != "SERVER_HELLO") {
                ClientHandshake client = arrive();
                expect_error(client.on_server_hello(frame), state == 2 ? code_for(name) : Errc::unexpected, at + name);
                EXPECT_EQ(client.peer_alerted(), state == 2 && name == "ALERT");
                is_over(client, at + name);
            }
        }
        if (state != 1) {
            ClientHandshake client = arrive();
            expect_error(client.hello(), Errc::unexpected, at + "hello");
            is_over(client, at + "hello");
        }
        if (state != 3) {
            ClientHandshake client = arrive();
            expect_error(client.established(), Errc::unexpected, at + "established");
            is_over(client, at + "established");
        }
    }
}

TEST(VaultHandshake, TakesNoStepOutOfItsOrder) {
    const Exchange run = complete_run();
    for (int state = 0; state <= 3; ++state) {
        const auto arrive = [&] {
            Bytes hello;
            ClientHandshake client = client_after_hello(hello);
            VaultHandshake vault(test_vault());
            Bytes answer;
            if (state >= 1) answer = *vault.on_client_hello(hello, test_server_ext());
            if (state >= 2) SAT_ASSERT(vault.on_client_finished(*client.on_server_hello(answer)));
            if (state >= 3) SAT_ASSERT(vault.established());
            return vault;
        };
        const auto is_over = [&](VaultHandshake& vault, const std::string& what) {
            expect_error(vault.on_client_hello(run.client_hello, test_server_ext()), Errc::unexpected, what);
            expect_error(vault.on_client_finished(run.client_finished), Errc::unexpected, what);
            expect_error(vault.established(), Errc::unexpected, what);
        };
        const std::string at = "in state " + std::to_string(state) + ": ";
        for (const auto& [name, frame] : all_frames(run)) {
            if (state != 0 || name != "CLIENT_HELLO") {
                VaultHandshake vault = arrive();
                expect_error(vault.on_client_hello(frame, test_server_ext()),
                             state == 0 ? code_for(name) : Errc::unexpected, at + name);
                EXPECT_EQ(vault.peer_alerted(), state == 0 && name == "ALERT");
                is_over(vault, at + name);
            }
            VaultHandshake vault = arrive();
            // In its own state, the CLIENT_FINISHED of another session fails as such.
            Errc expected = state == 1 ? code_for(name) : Errc::unexpected;
            if (state == 1 && name == "CLIENT_FINISHED") expected = Errc::handshake_failed;
            expect_error(vault.on_client_finished(frame), expected, at + name);
            EXPECT_EQ(vault.peer_alerted(), state == 1 && name == "ALERT");
            is_over(vault, at + name);
        }
        if (state != 2) {
            VaultHandshake vault = arrive();
            expect_error(vault.established(), Errc::unexpected, at + "established");
            is_over(vault, at + "established");
        }
    }
}

TEST(Handshake, TellsApartWhatIsOpenAndNothingElse) {
    const auto answer = [](const Bytes& frame) {
        return VaultHandshake(test_vault()).on_client_hello(frame, test_server_ext());
    };
    Bytes hello;
    const ClientHandshake client = client_after_hello(hello);
    const auto with = [&](std::size_t at, const char* bytes) {
        Bytes frame = hello;
        const Bytes patch = unhex(bytes);
        std::copy(patch.begin(), patch.end(), frame.begin() + static_cast<std::ptrdiff_t>(at));
        return frame;
    };
    expect_error(answer(with(5, "53415451")), Errc::malformed, "magic");
    expect_error(answer(with(9, "02")), Errc::version, "version 2");
    expect_error(answer(with(9, "00")), Errc::version, "version 0");
    expect_error(answer(with(10, "01")), Errc::malformed, "reserved byte");
    expect_error(answer(with(11, "0002")), Errc::version, "suite");
    expect_error(answer(with(13, "ffff")), Errc::unknown_vault_key, "kem id");
    expect_error(answer(with(77, "017f")), Errc::malformed, "ct_v too short");
    expect_error(answer(with(77, "0200")), Errc::malformed, "ct_v of another key's size");
    // From here on the one answer.
    expect_error(answer(with(45, std::string(64, '0').c_str())), Errc::handshake_failed, "an epk that is not th_1a's");
    expect_error(answer(with(79, std::string(768, 'f').c_str())), Errc::handshake_failed, "ct_v not below the modulus");
    expect_error(answer(with(79, (std::string(766, '0') + "01").c_str())), Errc::handshake_failed, "ct_v of 1");
    expect_error(answer(flipped(hello, hello.size() - 1)), Errc::handshake_failed, "tag");
}

TEST(Handshake, RejectsAWrongWrapAsItDoesAWrongTag) {
    const auto answer = [](const Bytes& frame) {
        return VaultHandshake(test_vault()).on_client_hello(frame, test_server_ext());
    };
    HelloParts parts;
    parts.identity = identity_part(test_client(), "{}");
    ASSERT_TRUE(answer(forge_hello(parts))) << "the forger forges right where it means to";

    const auto wrong_tag = answer(flipped(forge_hello(parts), 500));
    HelloParts other_label = parts;
    other_label.kem_label = label("SAT/1 env", test_vault().chain().wallet().view());
    const auto wrong_label = answer(forge_hello(other_label));
    HelloParts no_padding = parts;
    no_padding.ciphertext = Bytes(384);
    no_padding.ciphertext->back() = std::byte{2};
    const auto wrong_padding = answer(forge_hello(no_padding));
    for (const auto* result : {&wrong_tag, &wrong_label, &wrong_padding}) {
        expect_error(*result, Errc::handshake_failed);
        EXPECT_EQ(result->error().message, wrong_tag.error().message);
        EXPECT_EQ(result->error().hint, wrong_tag.error().hint);
    }
}

TEST(VaultHandshake, RefusesAnEphemeralKeyThatAgreesOnNothing) {
    HelloParts parts;
    parts.identity = identity_part(test_client(), "{}");
    parts.epk_c = Bytes(32);
    expect_error(VaultHandshake(test_vault()).on_client_hello(forge_hello(parts), test_server_ext()),
                 Errc::handshake_failed);
}

TEST(VaultHandshake, TakesUsersOnly) {
    const auto answer = [](Bytes identity) {
        HelloParts parts;
        parts.identity = std::move(identity);
        return VaultHandshake(test_vault()).on_client_hello(forge_hello(parts), test_server_ext());
    };
    expect_error(answer(identity_part(make_vault("other-vault"), "{}")), Errc::handshake_failed, "a vault");
    // A user with the vault's own wallet.
    const auto twin = make_identity(IdentityKind::user, test_signing_key("vault"), test_kem_key("twin").public_key(),
                                    std::nullopt, kTestTime);
    expect_error(answer(identity_part(twin.encode(), "{}")), Errc::handshake_failed, "our own wallet");

    Bytes broken = test_client().chain().encode();
    broken[broken.size() - 20] ^= std::byte{1};
    expect_error(answer(identity_part(broken, "{}")), Errc::handshake_failed, "a broken signature");
    expect_error(answer(identity_part(Bytes(1), "{}")), Errc::handshake_failed, "a chain of none");
    Bytes longer = identity_part(test_client(), "{}");
    longer.push_back(std::byte{0});
    expect_error(answer(longer), Errc::handshake_failed, "a byte behind the ext");
    expect_error(answer({}), Errc::handshake_failed, "nothing sealed");
}

TEST(VaultHandshake, HoldsTheClientsExtToItsRules) {
    const auto answer = [](std::string_view ext) {
        HelloParts parts;
        parts.identity = identity_part(test_client(), ext);
        return VaultHandshake(test_vault()).on_client_hello(forge_hello(parts), test_server_ext());
    };
    const std::string filler(4096 - 12, 'x');
    for (const std::string& good :
         {std::string("{}"), std::string(R"({"later":[1],"agent":"x"})"),
          R"({"agent":")" + std::string(64, 'a') + R"("})", R"({"other":")" + filler + R"("})"})
        EXPECT_TRUE(answer(good)) << good.substr(0, 40);
    for (const std::string& bad :
         {std::string(), std::string("["), std::string("[]"), std::string(R"({"agent":1})"),
          std::string(R"({"agent":"\u00e9"})"), std::string(R"({"agent":"\n"})"), std::string(R"({"a":1,"a":1})"),
          R"({"agent":")" + std::string(65, 'a') + R"("})", R"({"other":"x)" + filler + R"("})"})
        expect_error(answer(bad), Errc::handshake_failed, bad.substr(0, 40));
}

TEST(ClientHandshake, HoldsTheServersExtToItsRules) {
    const auto take = [](std::string_view ext) {
        Bytes hello;
        ClientHandshake client = client_after_hello(hello);
        return client.on_server_hello(forge_server_hello(hello, ext));
    };
    EXPECT_TRUE(take(kGoodServerExt));
    EXPECT_TRUE(take(R"({"x":{},"checkpoint":"n","limits":{"artwork_bytes":2,"y":1,"preview_bytes":3},"time":1})"));
    EXPECT_TRUE(take(R"({"time":253402300799,"limits":{"artwork_bytes":2,"preview_bytes":3},"checkpoint":null})"));
    for (const char* bad : {"{}", R"({"time":1,"limits":{"artwork_bytes":2,"preview_bytes":3}})",
                            R"({"time":253402300800,"limits":{"artwork_bytes":2,"preview_bytes":3},"checkpoint":null})",
                            R"({"time":1,"limits":{"artwork_bytes":2},"checkpoint":null})",
                            R"({"time":1,"limits":null,"checkpoint":null})",
                            R"({"time":"1","limits":{"artwork_bytes":2,"preview_bytes":3},"checkpoint":null})",
                            R"({"time":-1,"limits":{"artwork_bytes":2,"preview_bytes":3},"checkpoint":null})",
                            R"({"time":1,"limits":{"artwork_bytes":2,"preview_bytes":3},"checkpoint":7})"})
        expect_error(take(bad), Errc::handshake_failed, bad);
}

TEST(ClientHandshake, RefusesAServerThatDoesNotProveItself) {
    const auto take = [](const std::function<void(Bytes&)>& edit) {
        Bytes hello;
        ClientHandshake client = client_after_hello(hello);
        auto result = client.on_server_hello(forge_server_hello(hello, kGoodServerExt, edit));
        expect_error(client.established(), Errc::unexpected);
        return result;
    };
    // Sealed under the right key, but the MAC inside is wrong.
    expect_error(take([](Bytes& part) { part[0] ^= std::byte{1}; }), Errc::handshake_failed);
    expect_error(take([](Bytes& part) { part[31] ^= std::byte{0x80}; }), Errc::handshake_failed);
    expect_error(take([](Bytes& part) { std::fill_n(part.begin(), 32, std::byte{0}); }), Errc::handshake_failed);
}

TEST(ClientHandshake, RefusesAnIdentityThatIsNoVaults) {
    const auto take = [](const Bytes& frame) { return ClientHandshake(test_client(), {}).on_identity(frame); };
    expect_error(take(test_client().identity_frame()), Errc::bad_statement, "a user's");
    ClientHandshake same(test_client(), {});
    const HandshakeParty twin(
        make_identity(IdentityKind::vault, test_signing_key("collector"), test_kem_key("vault").public_key(),
                      test_log_key("vault").public_key(), kTestTime),
        test_kem_key("vault"));
    expect_error(take(twin.identity_frame()), Errc::handshake_failed, "our own wallet");
    expect_error(take(raw_frame(unhex("02"))), Errc::bad_statement, "no chain");
    expect_error(take(raw_frame(unhex("0200"))), Errc::bad_statement, "an empty chain");
    Bytes body = to_bytes(ByteView(test_vault().identity_frame()).subspan(4));
    body.push_back(std::byte{0});
    expect_error(take(raw_frame(body)), Errc::bad_statement, "a byte behind the chain");
}

TEST(ClientHandshake, SealsToTheVaultWhoseIdentityItGot) {
    const HandshakeParty other = make_vault("other-vault");
    Bytes hello;
    const ClientHandshake client = client_after_hello(hello);
    expect_error(VaultHandshake(other).on_client_hello(hello, test_server_ext()), Errc::unknown_vault_key);
    // The same kem key under another identity: the transcript differs.
    const HandshakeParty twin(
        make_identity(IdentityKind::vault, test_signing_key("other-vault"), test_kem_key("vault").public_key(),
                      test_log_key("vault").public_key(), kTestTime),
        test_kem_key("vault"));
    expect_error(VaultHandshake(twin).on_client_hello(hello, test_server_ext()), Errc::handshake_failed);
}

TEST(Handshake, TakesNoFrameOfAnotherSession) {
    const Exchange earlier = complete_run();
    Bytes hello;
    ClientHandshake client = client_after_hello(hello);
    expect_error(client.on_server_hello(earlier.server_hello), Errc::handshake_failed);

    VaultHandshake replayed(test_vault());
    ASSERT_TRUE(replayed.on_client_hello(earlier.client_hello, test_server_ext())) << "a replayed hello gets an answer";
    expect_error(replayed.on_client_finished(earlier.client_finished), Errc::handshake_failed);
    expect_error(replayed.established(), Errc::unexpected);
}

TEST(Handshake, HasPartiesWithTheirOwnKeysOnly) {
    EXPECT_DEATH(HandshakeParty(test_client().chain(), test_kem_key("vault")), "");
    EXPECT_DEATH(VaultHandshake{test_client()}, "");
    EXPECT_DEATH(ClientHandshake(test_client(), {std::string(65, 'a')}), "");
}

// --- The vector ---

class HandshakeVector : public testing::Test {
protected:
    HandshakeVector()
        : vectors_(own_vectors("handshake.json")),
          vault_(party("vault_chain", "vault-kem")),
          client_(party("client_chain", "collector-kem")) {}

    HandshakeParty party(const char* chain, const char* key) const {
        auto documents = vectors_.at("inputs").at(chain).get<std::vector<std::string>>();
        auto verified = IdentityChain::from_documents(documents);
        SAT_ASSERT(verified);
        auto kem = KemPrivateKey::from_handle(own_test_key(key));
        SAT_ASSERT(kem);
        return {std::move(*verified), std::move(*kem)};
    }
    FixedRandomnessForTests fixed(const std::string& who, const char* ciphertext) const {
        const auto& in = vectors_.at("inputs");
        return {unhex_secret(in.at(who + "_ephemeral")), unhex_secret(in.at(who + "_m")), unhex(in.at(ciphertext))};
    }
    std::string value(const char* name) const { return vectors_.at("values").at(name); }
    Bytes frame(const char* name) const { return unhex(vectors_.at("frames").at(name)); }
    ServerHelloExt server_ext() const { return {1'790'000'001, {std::uint64_t{4} << 30, 65'536}, std::nullopt}; }

    ClientHandshake client_after_hello() const {
        ClientHandshake client(client_, {"sat-vectors/1"}, fixed("client", "ct_v"));
        SAT_ASSERT(client.on_identity(frame("identity")));
        SAT_ASSERT(*client.hello() == frame("client_hello"));
        return client;
    }
    VaultHandshake vault_after_hello() const {
        VaultHandshake vault(vault_, fixed("vault", "ct_c"));
        SAT_ASSERT(*vault.on_client_hello(frame("client_hello"), server_ext()) == frame("server_hello"));
        return vault;
    }

    nlohmann::json vectors_;
    HandshakeParty vault_;
    HandshakeParty client_;
};

TEST_F(HandshakeVector, IsReplayedByteForByteAtBothEnds) {
    EXPECT_EQ(to_hex(vault_.identity_frame()), vectors_.at("frames").at("identity"));
    ClientHandshake client(client_, {"sat-vectors/1"}, fixed("client", "ct_v"));
    ASSERT_TRUE(client.on_identity(frame("identity")));
    const auto hello = client.hello();
    ASSERT_TRUE(hello);
    EXPECT_EQ(to_hex(*hello), vectors_.at("frames").at("client_hello"));
    VaultHandshake vault(vault_, fixed("vault", "ct_c"));
    const auto answer = vault.on_client_hello(*hello, server_ext());
    ASSERT_TRUE(answer);
    EXPECT_EQ(to_hex(*answer), vectors_.at("frames").at("server_hello"));
    const auto finished = client.on_server_hello(*answer);
    ASSERT_TRUE(finished);
    EXPECT_EQ(to_hex(*finished), vectors_.at("frames").at("client_finished"));
    ASSERT_TRUE(vault.on_client_finished(*finished));
    const auto at_client = client.established();
    const auto at_vault = vault.established();
    ASSERT_TRUE(at_client && at_vault);
    EXPECT_EQ(to_hex(at_client->send.reveal().reveal()), value("c_ap_0"));
    EXPECT_EQ(to_hex(at_client->receive.reveal().reveal()), value("s_ap_0"));
    EXPECT_EQ(to_hex(at_vault->receive.reveal().reveal()), value("c_ap_0"));
    EXPECT_EQ(to_hex(at_vault->send.reveal().reveal()), value("s_ap_0"));
    EXPECT_EQ(at_client->ext, server_ext());
    EXPECT_EQ(at_vault->hello.agent, "sat-vectors/1");
}

TEST_F(HandshakeVector, HoldsForEveryValueOnTheWay) {
    const Bytes start = unhex(value("P"));
    const Bytes hello = frame("client_hello");
    const Bytes answer = frame("server_hello");
    EXPECT_EQ(to_hex(label("SATP/1 RSAOAEP256-X25519-HKDFSHA256-A256GCM",
                           {vault_.chain().wallet().view(), sha256(frame("identity")).view()})),
              value("P"));
    EXPECT_EQ(vault_.chain().wallet().hex(), value("vault_wallet"));
    EXPECT_EQ(vault_.chain().kem_key().id().hex(), value("vault_kem_id"));
    const Wallet client = client_.chain().wallet();
    const KeyId client_kem = client_.chain().kem_key().id();
    EXPECT_EQ(client.hex(), value("client_wallet"));
    EXPECT_EQ(client_kem.hex(), value("client_kem_id"));
    const Bytes ct_v = unhex(vectors_.at("inputs").at("ct_v"));
    const Bytes ct_c = unhex(vectors_.at("inputs").at("ct_c"));
    const auto front = [](const Bytes& whole, std::size_t size) { return ByteView(whole).first(size); };
    const Digest th_1a = sha256({start, front(hello, 4 + 9 + 32 + 32 + 2 + ct_v.size())});
    const Digest th_1 = sha256({start, hello});
    const Digest th_2a =
        sha256({start, hello, client.view(), client_kem.view(), front(answer, 4 + 1 + 32 + 2 + ct_c.size())});
    const Digest th_2 = sha256({start, hello, client.view(), client_kem.view(), answer});
    const Digest th_3 = sha256({start, hello, client.view(), client_kem.view(), answer, frame("client_finished")});
    EXPECT_EQ(th_1a.hex(), value("th_1a"));
    EXPECT_EQ(th_1.hex(), value("th_1"));
    EXPECT_EQ(th_2a.hex(), value("th_2a"));
    EXPECT_EQ(th_2.hex(), value("th_2"));
    EXPECT_EQ(th_3.hex(), value("th_3"));

    const Bytes l_v = label("SAT/1 kem c2v", vault_.chain().wallet().view());
    const Bytes l_c = label("SAT/1 kem v2c", {client.view(), th_1.view()});
    EXPECT_EQ(to_hex(l_v), value("L_v"));
    EXPECT_EQ(to_hex(l_c), value("L_c"));
    SecretBytes ss_v = *decapsulate(vault_.kem(), ct_v, l_v);
    SecretBytes ss_c = *decapsulate(client_.kem(), ct_c, l_c);
    EXPECT_EQ(to_hex(ss_v.reveal()), value("ss_v"));
    EXPECT_EQ(to_hex(ss_c.reveal()), value("ss_c"));
    const X25519Key ephemeral = X25519Key::from_private(unhex_secret(vectors_.at("inputs").at("vault_ephemeral")));
    SecretBytes dh = *ephemeral.agree(ByteView(hello).subspan(45, 32));
    EXPECT_EQ(to_hex(dh.reveal()), value("dh"));
    EarlySecret es = EarlySecret::from_kem(std::move(ss_v));
    EXPECT_EQ(to_hex(es.reveal().reveal()), value("ES"));
    EXPECT_EQ(to_hex(es.identity_key_material(th_1a).reveal()), value("k_id_iv_id"));
    HandshakeSecret hs = std::move(es).mix(std::move(dh));
    EXPECT_EQ(to_hex(hs.reveal().reveal()), value("HS"));
    const MasterSecret ms = std::move(hs).mix(std::move(ss_c));
    EXPECT_EQ(to_hex(ms.reveal().reveal()), value("MS"));
    EXPECT_EQ(to_hex(ms.server_key_material(th_2a).reveal()), value("k_shs_iv_shs"));
    EXPECT_EQ(to_hex(ms.client_key_material(th_2).reveal()), value("k_chs_iv_chs"));
    EXPECT_EQ(ms.server_finished(th_2a).hex(), value("server_finished"));
    EXPECT_EQ(ms.client_finished(th_2).hex(), value("client_finished"));
}

// Every byte that a frame has before its long parts, and every `step`th of those; all of them with SAT_FULL=1.
std::vector<std::size_t> places(std::size_t size, std::size_t step) {
    if (run_in_full()) step = 1;
    std::vector<std::size_t> out;
    for (std::size_t at = 0; at < size; ++at)
        if (at < 90 || at % step == 0 || at + 20 > size) out.push_back(at);
    return out;
}

TEST_F(HandshakeVector, IsRefusedWithAnyByteOfTheIdentityFlipped) {
    const Bytes good = frame("identity");
    for (const std::size_t at : places(good.size(), 3)) {
        ClientHandshake client(client_, {});
        EXPECT_FALSE(client.on_identity(flipped(good, at, at % 8))) << at;
    }
}

TEST_F(HandshakeVector, IsRefusedWithAnyByteOfTheClientHelloFlipped) {
    const Bytes good = frame("client_hello");
    for (const std::size_t at : places(good.size(), 19)) {
        VaultHandshake vault(vault_);
        const auto result = vault.on_client_hello(flipped(good, at, at % 8), server_ext());
        ASSERT_FALSE(result) << at;
        const Errc code = result.error().code;
        const bool is_length = at < 4 || (at >= 77 && at < 79) || (at >= 79 + 384 && at < 81 + 384);
        if (at >= 13 && at < 45) {
            EXPECT_EQ(code, Errc::unknown_vault_key) << at;
        } else if (at >= 45 && !is_length) {
            expect_error(result, Errc::handshake_failed, std::to_string(at));
        } else {
            EXPECT_NE(code, Errc::handshake_failed) << at;
            EXPECT_LE(code, Errc::version) << at;
        }
    }
}

TEST_F(HandshakeVector, IsRefusedWithAnyByteOfTheServerHelloFlipped) {
    const Bytes good = frame("server_hello");
    for (const std::size_t at : places(good.size(), 11)) {
        ClientHandshake client = client_after_hello();
        const auto result = client.on_server_hello(flipped(good, at, at % 8));
        ASSERT_FALSE(result) << at;
        const bool is_length = at < 4 || (at >= 37 && at < 39) || (at >= 39 + 512 && at < 41 + 512);
        if (at >= 5 && !is_length) {
            expect_error(result, Errc::handshake_failed, std::to_string(at));
        } else {
            EXPECT_NE(result.error().code, Errc::handshake_failed) << at;
        }
    }
}

TEST_F(HandshakeVector, IsRefusedWithAnyByteOfTheClientFinishedFlipped) {
    const Bytes good = frame("client_finished");
    for (const std::size_t at : places(good.size(), 1)) {
        VaultHandshake vault = vault_after_hello();
        const auto result = vault.on_client_finished(flipped(good, at, at % 8));
        ASSERT_FALSE(result) << at;
        if (at >= 7) expect_error(result, Errc::handshake_failed, std::to_string(at));
        expect_error(vault.established(), Errc::unexpected);
    }
}

TEST_F(HandshakeVector, IsRefusedCutOffAtEveryLength) {
    const auto cut = [](const Bytes& whole, std::size_t size, bool relabel) {
        Bytes out = to_bytes(ByteView(whole).first(size));
        return relabel && size > 4 ? raw_frame(ByteView(out).subspan(4)) : out;
    };
    const auto expect_open_error = [](const auto& result, std::size_t size) {
        ASSERT_FALSE(result) << size;
        EXPECT_EQ(errc_name(result.error().code), errc_name(Errc::malformed)) << size;
    };
    // A hello that is cut off reaches no private key, so every length is cheap; a CLIENT_FINISHED needs a vault that
    // has used its own.
    for (const bool relabel : {false, true}) {
        const Bytes hello = frame("client_hello");
        for (std::size_t size = 0; size < hello.size(); ++size)
            expect_open_error(VaultHandshake(vault_).on_client_hello(cut(hello, size, relabel), server_ext()), size);
        const Bytes identity = frame("identity");
        for (std::size_t size = 0; size < identity.size(); ++size)
            EXPECT_FALSE(ClientHandshake(client_, {}).on_identity(cut(identity, size, relabel))) << size;
        const Bytes answer = frame("server_hello");
        for (std::size_t size = 0; size < answer.size(); ++size) {
            ClientHandshake client = client_after_hello();
            expect_open_error(client.on_server_hello(cut(answer, size, relabel)), size);
        }
        const Bytes finished = frame("client_finished");
        for (const std::size_t size : places(finished.size(), 5)) {
            VaultHandshake vault = vault_after_hello();
            expect_open_error(vault.on_client_finished(cut(finished, size, relabel)), size);
        }
    }
}

TEST_F(HandshakeVector, IsRefusedWithAByteTooMany) {
    const auto longer = [](Bytes whole) {
        whole.push_back(std::byte{0});
        return raw_frame(ByteView(whole).subspan(4));
    };
    EXPECT_FALSE(ClientHandshake(client_, {}).on_identity(longer(frame("identity"))));
    expect_error(VaultHandshake(vault_).on_client_hello(longer(frame("client_hello")), server_ext()), Errc::malformed);
    ClientHandshake client = client_after_hello();
    expect_error(client.on_server_hello(longer(frame("server_hello"))), Errc::malformed);
    VaultHandshake vault = vault_after_hello();
    expect_error(vault.on_client_finished(longer(frame("client_finished"))), Errc::malformed);
}

}  // namespace
}  // namespace sat
