// SHA-256, HMAC, HKDF, labels, comparison.
// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "support/wycheproof.h"

namespace sat {
namespace {

TEST(Sha256, GivesTheValuesOfFips180) {
    EXPECT_EQ(sha256(ByteView{}).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256(as_bytes("abc")).hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256({as_bytes("a"), ByteView{}, as_bytes("bc")}), sha256(as_bytes("abc")));
}

TEST(Sha256, TakesDataInPiecesAndShowsTheDigestSoFar) {
    Sha256 hash;
    EXPECT_EQ(hash.peek(), sha256(ByteView{}));
    hash.update(as_bytes("ab"));
    EXPECT_EQ(hash.peek(), sha256(as_bytes("ab")));
    EXPECT_EQ(hash.peek(), sha256(as_bytes("ab")));
    Sha256 moved = std::move(hash);
    EXPECT_EQ(moved.update({}).update(as_bytes("c")).finish(), sha256(as_bytes("abc")));
    moved = Sha256();
    EXPECT_EQ(moved.finish(), sha256(ByteView{}));
}

TEST(Sha256DeathTest, IsNotUsedAfterItsEnd) {
    Sha256 hash;
    (void)hash.finish();
    EXPECT_DEATH((void)hash.finish(), "assertion failed");
    EXPECT_DEATH(hash.update({}), "assertion failed");
}

TEST(Hmac, AgreesWithWycheproof) {
    each_wycheproof_test("hmac_sha256_test.json", [](const auto& group, const auto& test) {
        if (group.at("tagSize") != 256) return false;
        const bool valid = test.at("result") == "valid";
        const Digest tag = hmac_sha256(hex_member(test, "key"), hex_member(test, "msg"));
        EXPECT_EQ(tag.hex() == test.at("tag").template get<std::string>(), valid);
        return true;
    });
}

TEST(Hmac, TakesKeysAroundTheBlockSize) {
    // RFC 4231, cases 6 and 2; an over-long key stands for its hash.
    EXPECT_EQ(
        hmac_sha256(Bytes(131, std::byte{0xaa}), as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))
            .hex(),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    EXPECT_EQ(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")).hex(),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    const Bytes block(64, std::byte{1});
    Bytes padded = to_bytes("k");
    padded.resize(64);
    EXPECT_EQ(hmac_sha256(padded, block), hmac_sha256(as_bytes("k"), block));
    EXPECT_EQ(hmac_sha256(Bytes(65), block), hmac_sha256(sha256(Bytes(65)).view(), block));
}

TEST(Hkdf, AgreesWithWycheproof) {
    each_wycheproof_test("hkdf_sha256_test.json", [](const auto&, const auto& test) {
        const auto size = test.at("size").template get<std::size_t>();
        if (size > 255 * 32) {
            EXPECT_EQ(test.at("result"), "invalid");
            EXPECT_DEATH((void)hkdf_expand(Bytes(32), {}, size), "assertion failed");
            return true;
        }
        const SecretBytes key = hkdf_extract(hex_member(test, "salt"), hex_member(test, "ikm"));
        const SecretBytes okm = hkdf_expand(key.reveal(), hex_member(test, "info"), size);
        EXPECT_EQ(okm.size(), size);
        EXPECT_EQ(to_bytes(okm.reveal()) == hex_member(test, "okm"), test.at("result") == "valid");
        return true;
    });
}

// Extract with SHA-512, which the product has no use for.
Bytes extract_sha512(ByteView salt, ByteView input_key) {
    Bytes out(64);
    std::size_t size = 0;
    const Bytes zeros(64);
    const ByteView key = salt.empty() ? ByteView(zeros) : salt;
    EXPECT_NE(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA512", nullptr, key.data(), key.size(),
                        reinterpret_cast<const unsigned char*>(input_key.data()), input_key.size(),
                        reinterpret_cast<unsigned char*>(out.data()), out.size(), &size),
              nullptr);
    EXPECT_EQ(size, out.size());
    return out;
}

TEST(Hkdf, ExpandsWithSha512AsWycheproofDoes) {
    each_wycheproof_test("hkdf_sha512_test.json", [](const auto&, const auto& test) {
        const auto size = test.at("size").template get<std::size_t>();
        if (size > 255 * 64) {
            EXPECT_EQ(test.at("result"), "invalid");
            EXPECT_DEATH((void)hkdf_expand_sha512(Bytes(64), {}, size), "assertion failed");
            return true;
        }
        const Bytes key = extract_sha512(hex_member(test, "salt"), hex_member(test, "ikm"));
        const SecretBytes okm = hkdf_expand_sha512(key, hex_member(test, "info"), size);
        EXPECT_EQ(to_bytes(okm.reveal()) == hex_member(test, "okm"), test.at("result") == "valid");
        return true;
    });
}

TEST(Hkdf, GivesEveryShorterOutputAsAPrefixOfTheLonger) {
    const SecretBytes longest = hkdf_expand(Bytes(32), as_bytes("info"), 255 * 32);
    for (const std::size_t size : {0U, 1U, 31U, 32U, 33U, 44U, 64U, 65U}) {
        const SecretBytes shorter = hkdf_expand(Bytes(32), as_bytes("info"), size);
        EXPECT_EQ(to_bytes(shorter.reveal()), to_bytes(longest.reveal().first(size)));
    }
}

TEST(Label, IsTheNameAZeroByteAndTheContext) {
    EXPECT_EQ(to_hex(label("ab")), "616200");
    EXPECT_EQ(to_hex(label("ab", as_bytes("c"))), "61620063");
    EXPECT_EQ(to_hex(label("ab", {as_bytes("c"), ByteView{}, as_bytes("de")})), "616200636465");
    EXPECT_DEATH(label(std::string_view("a\0b", 3)), "assertion failed");
}

TEST(EqualConstantTime, ComparesLengthAndContent) {
    EXPECT_TRUE(equal_constant_time({}, {}));
    EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
    EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
    EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("ab")));
    EXPECT_FALSE(equal_constant_time({}, as_bytes("a")));
}

}  // namespace
}  // namespace sat
