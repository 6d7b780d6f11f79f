// AES-256-GCM.
// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/random.h"
#include "support/wycheproof.h"

namespace sat {
namespace {

bool is_zero(ByteView bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

TEST(Aes256Gcm, AgreesWithWycheproof) {
    each_wycheproof_test("aes_gcm_test.json", [](const auto& group, const auto& test) {
        if (group.at("keySize") != 256 || group.at("ivSize") != 96 || group.at("tagSize") != 128) return false;
        const bool valid = test.at("result") == "valid";
        const Bytes plaintext = hex_member(test, "msg");
        const Bytes aad = hex_member(test, "aad");
        const Bytes sealed = concat({hex_member(test, "ct"), hex_member(test, "tag")});
        Nonce nonce{};
        const Bytes iv = hex_member(test, "iv");
        std::copy(iv.begin(), iv.end(), nonce.begin());
        Aes256Gcm key(SecretBytes(ByteView(hex_member(test, "key"))));
        Bytes opened(sealed.size() - kAeadTagSize, std::byte{0xee});
        EXPECT_EQ(key.open(nonce, aad, sealed, opened), valid);
        if (valid) {
            EXPECT_EQ(opened, plaintext);
        } else {
            EXPECT_TRUE(is_zero(opened));
        }
        Bytes again(plaintext.size() + kAeadTagSize);
        key.seal(nonce, aad, plaintext, again);
        EXPECT_EQ(again == sealed, valid);
        return true;
    });
}

class Sealed : public testing::TestWithParam<std::size_t> {
protected:
    Sealed() : key_(random_secret(kAeadKeySize)), plaintext_(random_bytes(GetParam())), sealed_(GetParam() + 16) {
        key_.seal(nonce_, as_bytes("aad"), plaintext_, sealed_);
    }
    bool opens(ByteView sealed, ByteView aad = as_bytes("aad"), std::uint64_t counter = 0) {
        Bytes out(sealed.size() - 16, std::byte{0xee});
        const bool ok = key_.open(nonce_at(nonce_, counter), aad, sealed, out);
        EXPECT_TRUE(ok ? out == plaintext_ : is_zero(out));
        return ok;
    }

    Aes256Gcm key_;
    Nonce nonce_{};
    Bytes plaintext_;
    Bytes sealed_;
};

TEST_P(Sealed, OpensUnchangedOnlyAndAgainAfterAFailure) {
    EXPECT_TRUE(opens(sealed_));
    for (std::size_t at = 0; at < sealed_.size(); at += std::max<std::size_t>(1, sealed_.size() / 40)) {
        Bytes changed = sealed_;
        changed[at] ^= std::byte{0x80};
        EXPECT_FALSE(opens(changed)) << at;
    }
    Bytes longer = sealed_;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(opens(longer));
    if (sealed_.size() > 16) {
        EXPECT_FALSE(opens(ByteView(sealed_).first(sealed_.size() - 1)));
    }
    EXPECT_FALSE(opens(sealed_, as_bytes("aae")));
    EXPECT_FALSE(opens(sealed_, {}));
    EXPECT_FALSE(opens(sealed_, as_bytes("aad"), 1));
    EXPECT_TRUE(opens(sealed_));
}

TEST_P(Sealed, IsTheSameInPlace) {
    Bytes buffer = plaintext_;
    buffer.resize(plaintext_.size() + 16);
    key_.seal(nonce_, as_bytes("aad"), ByteView(buffer).first(plaintext_.size()), buffer);
    EXPECT_EQ(buffer, sealed_);
    EXPECT_TRUE(key_.open(nonce_, as_bytes("aad"), buffer, MutableBytes(buffer).first(plaintext_.size())));
    buffer.resize(plaintext_.size());
    EXPECT_EQ(buffer, plaintext_);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Sealed, testing::Values(0, 1, 15, 16, 17, 64, 16'383, 16'384, 65'600));

TEST(Aes256Gcm, RefusesWhatIsShorterThanATag) {
    Aes256Gcm key(random_secret(kAeadKeySize));
    for (const std::size_t size : {0U, 1U, 15U}) EXPECT_FALSE(key.open({}, {}, Bytes(size), {}));
}

TEST(Aes256GcmDeathTest, AssertsItsSizes) {
    EXPECT_DEATH(Aes256Gcm(SecretBytes(31)), "assertion failed");
    Aes256Gcm key(random_secret(kAeadKeySize));
    Bytes out(20);
    EXPECT_DEATH(key.seal({}, {}, Bytes(5), out), "assertion failed");
    EXPECT_DEATH((void)key.open({}, {}, Bytes(37), out), "assertion failed");
}

TEST(NonceAt, CountsInTheLastEightBytes) {
    Nonce base{};
    base.fill(std::byte{0xff});
    EXPECT_EQ(to_hex(nonce_at(Nonce{}, 0x0102030405060708)), "000000000102030405060708");
    EXPECT_EQ(to_hex(nonce_at(base, 1)), "fffffffffffffffffffffffe");
    EXPECT_EQ(to_hex(nonce_at(base, UINT64_MAX)), "ffffffff0000000000000000");
    EXPECT_EQ(nonce_at(base, 0), base);
}

TEST(KeyAndNonce, CutsFortyFourBytes) {
    SecretBytes material = random_secret(44);
    KeyAndNonce cut(material);
    EXPECT_EQ(to_hex(cut.base), to_hex(material.reveal().subspan(32)));
    Aes256Gcm key(material.slice(0, 32));
    Bytes a(16);
    Bytes b(16);
    cut.key.seal(cut.base, {}, {}, a);
    key.seal(cut.base, {}, {}, b);
    EXPECT_EQ(a, b);
    EXPECT_DEATH(KeyAndNonce(SecretBytes(43)), "assertion failed");
    EXPECT_DEATH(KeyAndNonce(SecretBytes(45)), "assertion failed");
}

}  // namespace
}  // namespace sat
