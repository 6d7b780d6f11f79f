// Ed25519 and X25519.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

#include "base/assert.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "support/keys.h"
#include "support/wycheproof.h"

namespace sat {
namespace {

TEST(LogKey, SignsAsRfc8032Shows) {
    // RFC 8032, 7.1, test 2, from its PKCS#8 form.
    const Bytes raw = from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").value();
    const auto key = LogKey::from_handle(KeyHandle(EVP_PKEY_new_raw_private_key_ex(
        nullptr, "ED25519", nullptr, reinterpret_cast<const unsigned char*>(raw.data()), raw.size())));
    ASSERT_TRUE(key);
    EXPECT_EQ(to_hex(key->public_key().raw()), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    EXPECT_EQ(
        to_hex(key->sign(from_hex("72").value())),
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302"
        "aeeb00d291612bb0c00");
}

TEST(LogKey, VerifiesWhatWasSignedAndNothingElse) {
    const LogKey& key = test_log_key("log");
    const Bytes signature = key.sign(as_bytes("note"));
    const auto half = LogVerifyKey::from_raw(key.public_key().raw());
    ASSERT_TRUE(half);
    EXPECT_TRUE(half->verify(as_bytes("note"), signature));
    EXPECT_FALSE(half->verify(as_bytes("nota"), signature));
    EXPECT_FALSE(half->verify({}, signature));
    EXPECT_FALSE(test_log_key("other").public_key().verify(as_bytes("note"), signature));
    for (std::size_t at = 0; at < signature.size(); ++at) {
        Bytes changed = signature;
        changed[at] ^= std::byte{0x20};
        EXPECT_FALSE(half->verify(as_bytes("note"), changed)) << at;
    }
    EXPECT_FALSE(half->verify(as_bytes("note"), ByteView(signature).first(63)));
    EXPECT_TRUE(half->verify({}, key.sign({})));
}

TEST(LogKey, IsNamedByTheHashOfItsSpki) {
    const LogKey& key = test_log_key("log");
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key.handle().get(), &der);
    ASSERT_GT(size, 0);
    EXPECT_EQ(key.public_key().id(), sha256(std::as_bytes(std::span(der, static_cast<std::size_t>(size)))));
    OPENSSL_free(der);
}

TEST(LogKey, IsAnEd25519PrivateKeyOf32Bytes) {
    for (const std::size_t size : {0U, 31U, 33U})
        EXPECT_EQ(LogVerifyKey::from_raw(Bytes(size)).error().code, Errc::key_policy);
    EXPECT_EQ(LogKey::from_handle(test_signing_key("artist").handle()).error().code, Errc::key_policy);
    EXPECT_EQ(LogKey::from_handle(KeyHandle()).error().code, Errc::key_policy);
    const auto& raw = test_log_key("log").public_key().raw();
    EXPECT_EQ(LogKey::from_handle(
                  KeyHandle(EVP_PKEY_new_raw_public_key_ex(
                      nullptr, "ED25519", nullptr, reinterpret_cast<const unsigned char*>(raw.data()), raw.size())))
                  .error()
                  .code,
              Errc::key_policy);
}

Bytes ed25519_bytes(const std::string& hex) {
    Bytes raw = from_hex(hex).value();
    SAT_ASSERT(raw.size() == LogVerifyKey::kSize);
    return raw;
}

// The y of the eight points of small order, little-endian: of order 4, 1, 8, 8 and 2.
const std::vector<std::string> kSmallOrder = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

TEST(LogKey, OfSmallOrderWouldVerifyWhatNobodySigned) {
    // What the refusal below is for: under the neutral element R = 01 00..., S = 0 is a signature of everything.
    const Bytes neutral = ed25519_bytes(kSmallOrder[1]);
    const auto* octets = reinterpret_cast<const unsigned char*>(neutral.data());
    const KeyHandle key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, octets, neutral.size()));
    ASSERT_NE(key.get(), nullptr);
    Bytes signature = neutral;
    signature.resize(64);
    for (const std::string text : {"one checkpoint", "another that contradicts it"}) {
        EVP_MD_CTX* context = EVP_MD_CTX_new();
        ASSERT_EQ(EVP_DigestVerifyInit_ex(context, nullptr, nullptr, nullptr, nullptr, key.get(), nullptr), 1);
        EXPECT_EQ(EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                   reinterpret_cast<const unsigned char*>(text.data()), text.size()),
                  1);
        EVP_MD_CTX_free(context);
    }
}

TEST(LogKey, OfSmallOrderIsRefusedWhateverTheSignOfX) {
    for (const std::string& y : kSmallOrder) {
        for (const std::byte sign : {std::byte{0}, std::byte{0x80}}) {
            Bytes raw = ed25519_bytes(y);
            raw.back() |= sign;
            const auto key = LogVerifyKey::from_raw(raw);
            ASSERT_FALSE(key) << to_hex(raw);
            EXPECT_EQ(key.error().code, Errc::key_policy);
            // Its neighbours are of large order, or of none.
            raw[10] ^= std::byte{1};
            EXPECT_TRUE(LogVerifyKey::from_raw(raw)) << to_hex(raw);
        }
    }
}

TEST(LogKey, HasOneEncoding) {
    // y from p - 2, which is below p, to 2^255 - 1; p and p + 1 are 0 and 1 once more.
    Bytes raw = ed25519_bytes(kSmallOrder[4]);
    for (unsigned low = 0xeb; low <= 0xff; ++low) {
        raw[0] = static_cast<std::byte>(low);
        for (const std::byte top : {std::byte{0x7f}, std::byte{0xff}}) {
            raw.back() = top;
            const auto key = LogVerifyKey::from_raw(raw);
            EXPECT_EQ(key ? Errc::internal : key.error().code, low == 0xeb ? Errc::internal : Errc::key_policy)
                << to_hex(raw);
        }
    }
    raw[0] = std::byte{0xed};
    for (std::size_t at = 1; at < raw.size(); ++at) {
        Bytes below = raw;
        below[at] ^= std::byte{1};
        EXPECT_TRUE(LogVerifyKey::from_raw(below)) << "below p: " << to_hex(below);
    }
}

TEST(X25519, AgreesWithWycheproofAndRefusesAnAllZeroResult) {
    each_wycheproof_test("x25519_test.json", [](const auto&, const auto& test) {
        const X25519Key key = X25519Key::from_private(SecretBytes(ByteView(hex_member(test, "private"))));
        const auto shared = key.agree(hex_member(test, "public"));
        if (has_flag(test, "ZeroSharedSecret")) {
            EXPECT_FALSE(shared);
            EXPECT_TRUE(shared || shared.error().code == Errc::key_policy);
        } else {
            EXPECT_TRUE(shared && to_bytes(shared->reveal()) == hex_member(test, "shared"));
        }
        return true;
    });
}

TEST(X25519, BothSidesAgree) {
    const X25519Key a = X25519Key::generate();
    const X25519Key b = X25519Key::generate();
    EXPECT_NE(a.public_key(), b.public_key());
    const auto one = a.agree(b.public_key());
    const auto two = b.agree(a.public_key());
    ASSERT_TRUE(one && two);
    EXPECT_EQ(to_bytes(one->reveal()), to_bytes(two->reveal()));
    for (const std::size_t size : {0U, 31U, 33U}) EXPECT_EQ(a.agree(Bytes(size)).error().code, Errc::key_policy);
    EXPECT_EQ(a.agree(Bytes(32)).error().code, Errc::key_policy);
}

}  // namespace
}  // namespace sat
