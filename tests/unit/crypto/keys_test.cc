// The RSA key policy, PSS, OAEP with implicit rejection, and the KEM over it.
// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/hash.h"
#include "crypto/key_file.h"
#include "crypto/random.h"
#include "support/keys.h"
#include "support/wycheproof.h"

namespace sat {
namespace {

// A key of any kind, as somebody without the policy would make it.
KeyHandle foreign_key(const char* algorithm, unsigned bits, unsigned long exponent) {
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr);
    EVP_PKEY* key = nullptr;
    BIGNUM* e = BN_new();
    EXPECT_EQ(BN_set_word(e, exponent), 1);
    EXPECT_EQ(EVP_PKEY_keygen_init(context), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_keygen_bits(context, static_cast<int>(bits)), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e), 1);
    EXPECT_EQ(EVP_PKEY_generate(context, &key), 1);
    BN_free(e);
    EVP_PKEY_CTX_free(context);
    return KeyHandle(key);
}

Bytes spki_by_openssl(const KeyHandle& key) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key.get(), &der);
    EXPECT_GT(size, 0);
    Bytes out = to_bytes(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
    OPENSSL_free(der);
    return out;
}

TEST(RsaPolicy, TakesWhatOpenSslWritesAndNamesItByItsHash) {
    const SigningKey& key = test_signing_key("artist");
    const VerifyKey& half = key.public_key();
    EXPECT_EQ(half.spki(), spki_by_openssl(key.handle()));
    EXPECT_EQ(half.id(), sha256(half.spki()));
    EXPECT_EQ(half.block_size(), 384U);
    const auto parsed = VerifyKey::from_spki(half.spki());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->id(), half.id());
    EXPECT_EQ(parsed->spki(), half.spki());
    EXPECT_TRUE(parsed->check());
    EXPECT_TRUE(KemPublicKey::from_spki(half.spki()));
}

TEST(RsaPolicy, RefusesEverySpkiThatDiffersInItsFrame) {
    const Bytes& spki = test_signing_key("artist").public_key().spki();
    // All bytes but the modulus are fixed, and of the modulus its first and last bit.
    for (std::size_t at = 0; at < spki.size(); ++at) {
        Bytes changed = spki;
        const bool last_of_modulus = at == spki.size() - 6;
        if (at > 33 && at < spki.size() - 6) continue;
        changed[at] ^= last_of_modulus ? std::byte{0x01} : std::byte{0x80};
        const auto refused = VerifyKey::from_spki(changed);
        ASSERT_FALSE(refused) << at;
        EXPECT_EQ(refused.error().code, Errc::key_policy);
    }
    for (std::size_t size = 0; size < spki.size(); size += 7)
        EXPECT_FALSE(VerifyKey::from_spki(ByteView(spki).first(size)));
    Bytes longer = spki;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(VerifyKey::from_spki(longer));
    EXPECT_FALSE(VerifyKey::from_spki(Bytes(kMaxSpkiSize + 1)));
}

TEST(RsaPolicy, RefusesOtherSizesExponentsAndKinds) {
    for (const unsigned bits : {2048U, 3080U}) {
        const KeyHandle key = foreign_key("RSA", bits, 65537);
        EXPECT_EQ(VerifyKey::from_spki(spki_by_openssl(key)).error().code, Errc::key_policy) << bits;
        EXPECT_EQ(SigningKey::from_handle(key).error().code, Errc::key_policy) << bits;
        EXPECT_EQ(KemPrivateKey::from_handle(key).error().code, Errc::key_policy) << bits;
    }
    const KeyHandle small_exponent = foreign_key("RSA", 3072, 3);
    EXPECT_EQ(VerifyKey::from_spki(spki_by_openssl(small_exponent)).error().code, Errc::key_policy);
    EXPECT_EQ(SigningKey::from_handle(small_exponent).error().code, Errc::key_policy);
    // An RSA key whose algorithm is id-RSASSA-PSS has another SPKI.
    const KeyHandle pss_only = foreign_key("RSA-PSS", 3072, 65537);
    EXPECT_EQ(VerifyKey::from_spki(spki_by_openssl(pss_only)).error().code, Errc::key_policy);
    EXPECT_EQ(SigningKey::from_handle(pss_only).error().code, Errc::key_policy);
    EXPECT_EQ(SigningKey::from_handle(test_log_key("log").handle()).error().code, Errc::key_policy);
    EXPECT_EQ(KemPrivateKey::from_handle(KeyHandle()).error().code, Errc::key_policy);
}

TEST(RsaPolicy, TakesNoPublicKeyForAPrivateOne) {
    const auto half = RsaPublic::parse(test_signing_key("artist").public_key().spki());
    ASSERT_TRUE(half);
    EXPECT_EQ(SigningKey::from_handle(*half).error().code, Errc::key_policy);
    EXPECT_EQ(KemPrivateKey::from_handle(*half).error().code, Errc::key_policy);
}

TEST(RsaPolicy, FullCheckFindsAModulusThatIsNone) {
    // A modulus divisible by 3 within the frame: only the full check sees it.
    Bytes spki = test_signing_key("artist").public_key().spki();
    std::fill(spki.begin() + 33, spki.end() - 5, std::byte{0xff});
    const auto key = VerifyKey::from_spki(spki);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->check().error().code, Errc::key_policy);
    EXPECT_FALSE(key->verify(as_bytes("m"), Bytes(384, std::byte{1})));
}

TEST(Pss, VerifiesWhatWasSignedAndNothingElse) {
    const SigningKey& key = test_signing_key("artist");
    for (const std::size_t size : {0U, 1U, 10'000U}) {
        const Bytes message(size, std::byte{7});
        const Bytes signature = key.sign(message);
        EXPECT_EQ(signature.size(), 384U);
        EXPECT_TRUE(key.public_key().verify(message, signature));
        EXPECT_NE(key.sign(message), signature);
        EXPECT_FALSE(key.public_key().verify(as_bytes("another"), signature));
        EXPECT_FALSE(test_signing_key("collector").public_key().verify(message, signature));
        Bytes changed = signature;
        changed.back() ^= std::byte{1};
        EXPECT_FALSE(key.public_key().verify(message, changed));
        changed = signature;
        changed.push_back(std::byte{0});
        EXPECT_FALSE(key.public_key().verify(message, changed));
        EXPECT_FALSE(key.public_key().verify(message, ByteView(signature).first(383)));
        EXPECT_FALSE(key.public_key().verify(message, {}));
    }
}

void compare_pss(const std::string& file) {
    each_wycheproof_test(file, [](const auto& group, const auto& test) {
        const auto key = VerifyKey::from_spki(hex_member(group, "publicKeyDer"));
        EXPECT_TRUE(key);
        if (!key) return false;
        EXPECT_EQ(key->verify(hex_member(test, "msg"), hex_member(test, "sig")), test.at("result") == "valid");
        return true;
    });
}

TEST(Pss, AgreesWithWycheproofAt3072Bits) { compare_pss("rsa_pss_3072_sha256_mgf1_32_test.json"); }
TEST(Pss, AgreesWithWycheproofAt4096Bits) { compare_pss("rsa_pss_4096_sha256_mgf1_32_test.json"); }

// The KEM key in a Wycheproof group.
Result<KemPrivateKey> kem_key_of(const nlohmann::json& group) {
    SAT_TRY_VALUE(KeyHandle handle,
                  decode_private_key(as_bytes(group.at("privateKeyPem").get<std::string>()), nullptr));
    return KemPrivateKey::from_handle(std::move(handle));
}

void compare_oaep(const std::string& file) {
    each_wycheproof_test(file, [](const auto& group, const auto& test) {
        const auto key = kem_key_of(group);
        const auto loaded_again = kem_key_of(group);
        EXPECT_TRUE(key && loaded_again);
        if (!key || !loaded_again) return false;
        const Bytes message = hex_member(test, "msg");
        const Bytes label_of_test = hex_member(test, "label");
        const Bytes wrapped = hex_member(test, "ct");
        const auto first = key->unwrap(wrapped, label_of_test);
        const auto second = loaded_again->unwrap(wrapped, label_of_test);
        const Bytes& spki = key->public_key().spki();
        if (wrapped.size() != key->public_key().block_size() || wrapped >= Bytes(spki.begin() + 33, spki.end() - 5)) {
            EXPECT_EQ(test.at("result"), "invalid");
            EXPECT_TRUE(!first && first.error().code == Errc::malformed);
            return true;
        }
        EXPECT_TRUE(first && second);
        if (!first || !second) return false;
        EXPECT_EQ(first->size(), 32U);
        const bool opened = test.at("result") == "valid" && message.size() == 32;
        if (opened) {
            EXPECT_EQ(to_bytes(first->reveal()), message);
            EXPECT_EQ(to_bytes(second->reveal()), message);
        } else {
            // The rejection secret: the same each time from one loaded key, another from a key loaded anew.
            EXPECT_EQ(to_bytes(first->reveal()), to_bytes(key->unwrap(wrapped, label_of_test)->reveal()));
            EXPECT_NE(to_bytes(first->reveal()), to_bytes(second->reveal()));
        }
        return true;
    });
}

TEST(Oaep, GivesWycheproofsMessagesOf32BytesAndRejectsTheRestAt3072Bits) {
    compare_oaep("rsa_oaep_3072_sha256_mgf1sha256_test.json");
}
TEST(Oaep, GivesWycheproofsMessagesOf32BytesAndRejectsTheRestAt4096Bits) {
    compare_oaep("rsa_oaep_4096_sha256_mgf1sha256_test.json");
}

TEST(Oaep, GivesTheSecretBackUnderItsOwnLabelOnly) {
    const KemPrivateKey& key = test_kem_key("vault");
    const SecretBytes secret = random_secret(32);
    const std::string labels[] = {"", "a", "b", std::string("a\0", 2), std::string(100, 'x')};
    for (const std::string& own : labels) {
        const Bytes wrapped = key.public_key().wrap(secret, as_bytes(own));
        EXPECT_EQ(wrapped.size(), 384U);
        for (const std::string& other : labels) {
            const auto unwrapped = key.unwrap(wrapped, as_bytes(other));
            ASSERT_TRUE(unwrapped);
            EXPECT_EQ(equal_constant_time(unwrapped->reveal(), secret.reveal()), own == other);
        }
    }
}

TEST(Oaep, RejectsImplicitlyEveryChangeBelowTheModulus) {
    const KemPrivateKey& key = test_kem_key("vault");
    const SecretBytes secret = random_secret(32);
    const Bytes wrapped = key.public_key().wrap(secret, as_bytes("L"));
    std::vector<Bytes> rejected = {to_bytes(secret.reveal())};
    for (const std::size_t at : {1U, 100U, 383U}) {
        Bytes changed = wrapped;
        changed[at] ^= std::byte{1};
        const auto unwrapped = key.unwrap(changed, as_bytes("L"));
        ASSERT_TRUE(unwrapped);
        for (const Bytes& before : rejected) EXPECT_NE(to_bytes(unwrapped->reveal()), before);
        rejected.push_back(to_bytes(unwrapped->reveal()));
        // A copy of the key rejects alike: it is the same key, loaded once.
        const KemPrivateKey copy = key;
        EXPECT_EQ(to_bytes(copy.unwrap(changed, as_bytes("L"))->reveal()), rejected.back());
        EXPECT_NE(to_bytes(copy.unwrap(changed, as_bytes("M"))->reveal()), rejected.back());
    }
    const auto zeros = key.unwrap(Bytes(384), as_bytes("L"));
    ASSERT_TRUE(zeros);
    EXPECT_EQ(zeros->size(), 32U);
}

TEST(Oaep, RejectsSecretsOfAnotherLengthThatOpenSslWouldGive) {
    const KemPrivateKey& key = test_kem_key("vault");
    for (const std::size_t size : {0U, 1U, 31U, 33U, 64U, 318U}) {
        EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_pkey(nullptr, key.handle().get(), nullptr);
        ASSERT_EQ(EVP_PKEY_encrypt_init(context), 1);
        ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING), 1);
        ASSERT_EQ(EVP_PKEY_CTX_set_rsa_oaep_md_name(context, "SHA256", nullptr), 1);
        ASSERT_EQ(EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, "SHA256", nullptr), 1);
        const std::vector<unsigned char> message(size, 0x42);
        Bytes wrapped(384);
        std::size_t written = wrapped.size();
        ASSERT_EQ(EVP_PKEY_encrypt(context, reinterpret_cast<unsigned char*>(wrapped.data()), &written, message.data(),
                                   message.size()),
                  1);
        EVP_PKEY_CTX_free(context);
        const auto unwrapped = key.unwrap(wrapped, {});
        ASSERT_TRUE(unwrapped) << size;
        EXPECT_EQ(unwrapped->size(), 32U);
        EXPECT_NE(to_bytes(unwrapped->reveal()), Bytes(32, std::byte{0x42}));
    }
}

TEST(Oaep, SaysOpenlyOnlyWhatEverybodySees) {
    const KemPrivateKey& key = test_kem_key("vault");
    for (const std::size_t size : {0U, 1U, 383U, 385U, 512U})
        EXPECT_EQ(key.unwrap(Bytes(size), {}).error().code, Errc::malformed) << size;
    const Bytes& spki = key.public_key().spki();
    const Bytes modulus(spki.begin() + 33, spki.end() - 5);
    EXPECT_EQ(key.unwrap(modulus, {}).error().code, Errc::malformed);
    EXPECT_EQ(key.unwrap(Bytes(384, std::byte{0xff}), {}).error().code, Errc::malformed);
    Bytes below = modulus;
    below.back() ^= std::byte{1};  // odd, so one less
    EXPECT_TRUE(key.unwrap(below, {}));
}

TEST(Kem, BothSidesGetOneSecretBoundToKeyCiphertextAndLabel) {
    const KemPrivateKey& key = test_kem_key("vault");
    const Encapsulated sent = encapsulate(key.public_key(), as_bytes("L"));
    EXPECT_EQ(sent.secret.size(), 32U);
    const auto received = decapsulate(key, sent.ciphertext, as_bytes("L"));
    ASSERT_TRUE(received);
    EXPECT_EQ(to_bytes(received->reveal()), to_bytes(sent.secret.reveal()));
    EXPECT_NE(to_bytes(decapsulate(key, sent.ciphertext, as_bytes("M"))->reveal()), to_bytes(sent.secret.reveal()));
    EXPECT_NE(to_bytes(decapsulate(test_kem_key("artist"), Bytes(384), as_bytes("L"))->reveal()),
              to_bytes(sent.secret.reveal()));
    EXPECT_EQ(decapsulate(key, ByteView(sent.ciphertext).first(383), as_bytes("L")).error().code, Errc::malformed);

    const SecretBytes m = random_secret(32);
    const Encapsulated given = encapsulate_with(key.public_key(), as_bytes("L"), m);
    EXPECT_EQ(to_bytes(key.unwrap(given.ciphertext, as_bytes("L"))->reveal()), to_bytes(m.reveal()));
    EXPECT_EQ(to_bytes(kem_secret(m, key.public_key().id(), given.ciphertext, as_bytes("L")).reveal()),
              to_bytes(given.secret.reveal()));
}

TEST(Kem, GivesThePublishedSecrets) {
    const auto vectors = load_vectors("key-schedule.json");
    if (!vectors) return;
    const auto& in = vectors->at("inputs");
    const auto& out = vectors->at("outputs");
    const auto id = [&](const char* name) { return Digest::from_hex(in.at(name).get<std::string>()).value(); };
    const SecretBytes ss_v = kem_secret(SecretBytes(ByteView(hex_member(in, "m1"))), id("vault_kem_id"),
                                        hex_member(in, "ct_v"), label("SAT/1 kem c2v", hex_member(in, "vault_wallet")));
    EXPECT_EQ(to_hex(ss_v.reveal()), out.at("ss_v").get<std::string>());
    const SecretBytes ss_c =
        kem_secret(SecretBytes(ByteView(hex_member(in, "m2"))), id("client_kem_id"), hex_member(in, "ct_c"),
                   label("SAT/1 kem v2c", {hex_member(in, "client_wallet"), hex_member(in, "th_1")}));
    EXPECT_EQ(to_hex(ss_c.reveal()), out.at("ss_c").get<std::string>());
}

}  // namespace
}  // namespace sat
