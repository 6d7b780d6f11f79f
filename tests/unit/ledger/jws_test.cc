// SPDX-License-Identifier: Apache-2.0
#include "ledger/jws.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "support/keys.h"
#include "support/vectors.h"

namespace sat {
namespace {

const SigningKey& alice() { return test_signing_key("alice"); }
const LogKey& log_key() { return test_log_key("vault"); }

std::string assemble(std::string_view header, std::string_view payload, ByteView signature) {
    return to_base64url(as_bytes(header)) + "." + to_base64url(as_bytes(payload)) + "." + to_base64url(signature);
}

bool refused(std::string_view text) {
    const auto jws = parse_jws(text);
    if (!jws) {
        EXPECT_EQ(jws.error().code, Errc::bad_statement);
    }
    return !jws;
}

TEST(Jws, ParsesWhatItSignedAndVerifies) {
    for (const std::string payload : {"", "{}", "\x01\xff any bytes"}) {
        const auto jws = parse_jws(sign_jws("claim", payload, alice()));
        ASSERT_TRUE(jws);
        EXPECT_EQ(jws->algorithm, JwsAlgorithm::ps256);
        EXPECT_EQ(jws->type, "claim");
        EXPECT_EQ(jws->payload, payload);
        EXPECT_EQ(jws->kid, alice().public_key().id());
        EXPECT_TRUE(verify_jws(*jws, alice().public_key()));
        EXPECT_FALSE(verify_jws(*jws, test_signing_key("bob").public_key()));
    }
    const auto jws = parse_jws(sign_jws("receipt", "{}", log_key()));
    ASSERT_TRUE(jws);
    EXPECT_EQ(jws->algorithm, JwsAlgorithm::eddsa);
    EXPECT_TRUE(verify_jws(*jws, log_key().public_key()));
    EXPECT_FALSE(verify_jws(*jws, test_log_key("other").public_key()));
    EXPECT_FALSE(verify_jws(*jws, alice().public_key()));
}

TEST(Jws, AStatementsIdDoesNotHangOnTheRandomSignature) {
    const std::string one = sign_jws("claim", "{}", alice());
    const std::string two = sign_jws("claim", "{}", alice());
    EXPECT_NE(one, two);
    EXPECT_EQ(parse_jws(one)->id, parse_jws(two)->id);
    EXPECT_EQ(parse_jws(one)->id, sha256(as_bytes(one.substr(0, one.rfind('.')))));
}

TEST(Jws, TheHeaderIsTakenInOneShapeOnly) {
    const std::string kid = alice().public_key().id().hex();
    const Bytes signature(384);
    const auto with = [&](const std::string& header) { return assemble(header, "{}", signature); };
    EXPECT_FALSE(refused(with(R"({"alg":"PS256","typ":"sat-claim+jws","kid":")" + kid + R"("})")));
    for (const std::string& header : {
             R"({"typ":"sat-claim+jws","alg":"PS256","kid":")" + kid + R"("})",
             R"({"alg":"PS256","kid":")" + kid + R"(","typ":"sat-claim+jws"})",
             R"({"alg": "PS256","typ":"sat-claim+jws","kid":")" + kid + R"("})",
             R"({"alg":"PS256","typ":"sat-claim+jws","kid":")" + kid + R"("} )",
             R"({"alg":"PS256","typ":"sat-claim+jws","kid":")" + kid + R"(","crit":[]})",
             std::string(R"({"alg":"PS256","typ":"sat-claim+jws"})"),
             R"({"alg":"PS384","typ":"sat-claim+jws","kid":")" + kid + R"("})",
             R"({"alg":"RS256","typ":"sat-claim+jws","kid":")" + kid + R"("})",
             R"({"alg":"none","typ":"sat-claim+jws","kid":")" + kid + R"("})",
             R"({"alg":"ps256","typ":"sat-claim+jws","kid":")" + kid + R"("})",
             R"({"alg":"PS256","typ":"claim+jws","kid":")" + kid + R"("})",
             R"({"alg":"PS256","typ":"sat-+jws","kid":")" + kid + R"("})",
             R"({"alg":"PS256","typ":"sat-Claim+jws","kid":")" + kid + R"("})",
             R"({"alg":"PS256","typ":"sat-cl\u0061im+jws","kid":")" + kid + R"("})",
             R"({"alg":"PS256","typ":"sat-claim+jwt","kid":")" + kid + R"("})",
             R"({"alg":"PS256","typ":"sat-claim+jws","kid":")" + kid.substr(1) + R"("})",
             R"({"alg":"PS256","typ":"sat-claim+jws","kid":")" + kid + R"(0"})",
             R"({"alg":"PS256","typ":"sat-claim+jws","kid":"A)" + kid.substr(1) + R"("})",
             std::string("{}"),
             std::string(),
         })
        EXPECT_TRUE(refused(with(header))) << header;
}

TEST(Jws, RefusesOtherShapesThanThreePartsOfStrictBase64url) {
    const std::string good = sign_jws("claim", "{}", alice());
    const std::size_t first = good.find('.'), second = good.rfind('.');
    EXPECT_TRUE(refused(""));
    EXPECT_TRUE(refused("."));
    EXPECT_TRUE(refused(".."));
    EXPECT_TRUE(refused(good.substr(0, second)));
    EXPECT_TRUE(refused(good + "."));
    EXPECT_TRUE(refused(good + ".AA"));
    EXPECT_TRUE(refused(good + "="));
    EXPECT_TRUE(refused(good + "\n"));
    EXPECT_TRUE(refused(" " + good));
    EXPECT_TRUE(refused(good.substr(0, first) + "=" + good.substr(first)));
    EXPECT_TRUE(refused(good.substr(0, second) + ".+" + good.substr(second + 2)));
    EXPECT_TRUE(refused(good.substr(0, first) + ".e31" + good.substr(second)));  // trailing bits
    EXPECT_TRUE(refused(good.substr(0, first) + ".e" + good.substr(second)));    // impossible length
}

TEST(Jws, RefusesSignaturesOfOtherSizes) {
    const std::string ps = R"({"alg":"PS256","typ":"sat-claim+jws","kid":")" + std::string(64, '0') + R"("})";
    const std::string ed = R"({"alg":"EdDSA","typ":"sat-hold+jws","kid":")" + std::string(64, '0') + R"("})";
    for (const std::size_t size : {0U, 64U, 256U, 383U, 385U, 511U, 513U})
        EXPECT_TRUE(refused(assemble(ps, "{}", Bytes(size)))) << size;
    for (const std::size_t size : {384U, 512U}) EXPECT_FALSE(refused(assemble(ps, "{}", Bytes(size))));
    for (const std::size_t size : {0U, 63U, 65U, 384U}) EXPECT_TRUE(refused(assemble(ed, "{}", Bytes(size)))) << size;
    EXPECT_FALSE(refused(assemble(ed, "{}", Bytes(64))));
}

TEST(Jws, HoldsItsSizeLimit) {
    const std::size_t around = sign_jws("claim", "", alice()).size();
    std::string payload((kMaxJwsSize - around) / 4 * 3, ' ');
    EXPECT_FALSE(refused(sign_jws("claim", payload, alice())));
    payload += "   ";
    const std::string longer = sign_jws("claim", payload, alice());
    ASSERT_GT(longer.size(), kMaxJwsSize);
    EXPECT_TRUE(refused(longer));
}

TEST(Jws, AnAlgorithmOfTheOtherKindNeverVerifies) {
    // The vault's key id under PS256 and a person's under EdDSA: the kid agrees, the algorithm does not.
    const std::string payload = "{}";
    auto swapped = parse_jws(sign_jws("hold", payload, log_key())).value();
    swapped.algorithm = JwsAlgorithm::ps256;
    EXPECT_FALSE(verify_jws(swapped, log_key().public_key()));
    auto person = parse_jws(sign_jws("claim", payload, alice())).value();
    person.algorithm = JwsAlgorithm::eddsa;
    EXPECT_FALSE(verify_jws(person, alice().public_key()));
}

// DER of an RSA public key: SEQUENCE { rsaEncryption, BIT STRING { SEQUENCE { n, e } } }.
Bytes der(int tag, ByteView content) {
    Bytes out{static_cast<std::byte>(tag)};
    const std::size_t size = content.size();
    if (size >= 256)
        out.push_back(std::byte{0x82}), out.push_back(static_cast<std::byte>(size >> 8));
    else if (size >= 128)
        out.push_back(std::byte{0x81});
    out.push_back(static_cast<std::byte>(size & 0xFF));
    append(out, content);
    return out;
}
Bytes der_unsigned(Bytes value) {
    if ((value.front() & std::byte{0x80}) != std::byte{0}) value.insert(value.begin(), std::byte{0});
    return der(0x02, value);
}
Bytes spki_of(const nlohmann::json& jwk) {
    const Bytes n = der_unsigned(from_base64url(jwk.at("n").get<std::string>()).value());
    const Bytes e = der_unsigned(from_base64url(jwk.at("e").get<std::string>()).value());
    const Bytes algorithm = from_hex("300d06092a864886f70d0101010500").value();
    const Bytes bits = der(0x03, concat({Bytes{std::byte{0}}, der(0x30, concat({n, e}))}));
    return der(0x30, concat({algorithm, bits}));
}

// All of the file's JWS carry headers that are not the protocol's, and all of its RSA keys have 2048 bits: none may
// get past the parser, nor any key past the policy.  What PS256 itself must refuse is in the PSS vectors (unit_crypto).
TEST(Jws, TakesNothingFromTheWycheproofFile) {
    const auto vectors = load_vectors("wycheproof/json_web_signature_test.json");
    if (!vectors) return;
    // The key's encoder above is right: with a key of the policy it gives the very SPKI.
    const auto pss = load_vectors("wycheproof/rsa_pss_3072_sha256_mgf1_32_test.json");
    ASSERT_TRUE(pss);
    const auto& known = pss->at("testGroups").at(0);
    ASSERT_EQ(to_hex(spki_of(known.at("publicKeyJwk"))), known.at("publicKeyDer").get<std::string>());
    ASSERT_TRUE(VerifyKey::from_spki(spki_of(known.at("publicKeyJwk"))));

    int texts = 0, ps256 = 0, keys = 0;
    for (const auto& group : vectors->at("testGroups")) {
        const auto& key = group.contains("public") ? group.at("public") : nlohmann::json::object();
        if (key.value("kty", "") == "RSA") {
            const auto parsed = VerifyKey::from_spki(spki_of(key));
            ASSERT_FALSE(parsed);
            EXPECT_EQ(parsed.error().code, Errc::key_policy);
            ++keys;
        }
        for (const auto& test : group.at("tests")) {
            ++texts;
            if (key.value("alg", "") == "PS256") ++ps256;
            if (test.at("jws").is_string()) {
                EXPECT_TRUE(refused(test.at("jws").get<std::string>())) << test.at("tcId");
            }
        }
    }
    std::cout << "JWS: " << texts << " texts, " << ps256 << " of them for PS256 keys, " << keys << " RSA keys\n";
    EXPECT_EQ(texts, vectors->at("numberOfTests").get<int>());
    EXPECT_GT(ps256, 0);
    EXPECT_GT(keys, 0);
}

TEST(Jws, VerifiesTheWycheproofPssSignaturesUnderItsOwnKeys) {
    // The signature layer that statements use, over arbitrary signing input.
    int valid = 0, invalid = 0;
    for (const std::string name :
         {"wycheproof/rsa_pss_3072_sha256_mgf1_32_test.json", "wycheproof/rsa_pss_4096_sha256_mgf1_32_test.json"}) {
        const auto vectors = load_vectors(name);
        if (!vectors) return;
        for (const auto& group : vectors->at("testGroups")) {
            const auto key = VerifyKey::from_spki(from_hex(group.at("publicKeyDer").get<std::string>()).value());
            ASSERT_TRUE(key);
            for (const auto& test : group.at("tests")) {
                Jws jws;
                jws.kid = key->id();
                jws.signing_input = to_string(from_hex(test.at("msg").get<std::string>()).value());
                jws.signature = from_hex(test.at("sig").get<std::string>()).value();
                const bool good = test.at("result") == "valid";
                EXPECT_EQ(verify_jws(jws, *key), good) << name << " tcId " << test.at("tcId");
                ++(good ? valid : invalid);
            }
        }
    }
    std::cout << "PSS through JWS: " << valid << " valid, " << invalid << " invalid\n";
    EXPECT_GT(valid, 0);
    EXPECT_GT(invalid, 0);
}

}  // namespace
}  // namespace sat
