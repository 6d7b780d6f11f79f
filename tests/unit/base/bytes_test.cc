// Text forms of bytes.
// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <gtest/gtest.h>

namespace sat {
namespace {

Bytes counting(std::size_t size) {
    Bytes out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 37 + 11);
    return out;
}

TEST(Hex, ComesBackForEverySize) {
    for (std::size_t size = 0; size <= 66; ++size) {
        const Bytes bytes = counting(size);
        const std::string text = to_hex(bytes);
        EXPECT_EQ(text.size(), 2 * size);
        const auto back = from_hex(text);
        ASSERT_TRUE(back);
        EXPECT_EQ(*back, bytes);
    }
    EXPECT_EQ(to_hex(as_bytes(std::string_view("\x00\x0f\xf0\xff", 4))), "000ff0ff");
    EXPECT_EQ(from_hex("ABcd").value(), to_bytes("\xab\xcd"));
}

TEST(Hex, RefusesOddLengthsAndForeignCharacters) {
    for (const char* text : {"0", "000", "0g", "g0", " 0", "0x", "0\xc3"}) {
        const auto bytes = from_hex(text);
        ASSERT_FALSE(bytes) << text;
        EXPECT_EQ(bytes.error().code, Errc::bad_data);
    }
}

TEST(Base64Url, GivesTheVectorsOfRfc4648WithoutPadding) {
    EXPECT_EQ(to_base64url({}), "");
    EXPECT_EQ(to_base64url(as_bytes("f")), "Zg");
    EXPECT_EQ(to_base64url(as_bytes("fo")), "Zm8");
    EXPECT_EQ(to_base64url(as_bytes("foo")), "Zm9v");
    EXPECT_EQ(to_base64url(as_bytes("foob")), "Zm9vYg");
    EXPECT_EQ(to_base64url(as_bytes("fooba")), "Zm9vYmE");
    EXPECT_EQ(to_base64url(as_bytes("foobar")), "Zm9vYmFy");
    EXPECT_EQ(to_base64url(as_bytes("\xfb\xff")), "-_8");
}

TEST(Base64Url, ComesBackForEverySizeAndHasOneFormOnly) {
    for (std::size_t size = 0; size <= 66; ++size) {
        const Bytes bytes = counting(size);
        const auto back = from_base64url(to_base64url(bytes));
        ASSERT_TRUE(back);
        EXPECT_EQ(*back, bytes);
    }
    // Of all two-character texts exactly the 256 that encode a byte are taken, each as itself.
    int taken = 0;
    for (int a = 0; a < 256; ++a) {
        for (int b = 0; b < 256; ++b) {
            const std::string text = {static_cast<char>(a), static_cast<char>(b)};
            const auto bytes = from_base64url(text);
            if (!bytes) continue;
            ++taken;
            EXPECT_EQ(to_base64url(*bytes), text);
        }
    }
    EXPECT_EQ(taken, 256);
}

TEST(Base64Url, RefusesPaddingForeignCharactersImpossibleLengthsAndTrailingBits) {
    for (const char* text : {"Zg==", "Zm8=", "=", "Z", "Zm9vY", "+A", "/A", "Zm 9", "Zm9\n", "Zh", "Zm9", "Zm9v="}) {
        const auto bytes = from_base64url(text);
        ASSERT_FALSE(bytes) << text;
        EXPECT_EQ(bytes.error().code, Errc::malformed);
    }
}

TEST(Base64, IsPaddedAndStrict) {
    EXPECT_EQ(to_base64(as_bytes("f")), "Zg==");
    EXPECT_EQ(to_base64(as_bytes("fo")), "Zm8=");
    EXPECT_EQ(to_base64(as_bytes("foo")), "Zm9v");
    EXPECT_EQ(to_base64(as_bytes("\xfb\xff\xfe")), "+//+");
    for (std::size_t size = 0; size <= 66; ++size) {
        const Bytes bytes = counting(size);
        const auto back = from_base64(to_base64(bytes));
        ASSERT_TRUE(back);
        EXPECT_EQ(*back, bytes);
    }
    for (const char* text : {"Zg", "Zg=", "Z===", "====", "=", "Zh==", "Zm9=", "Zg==Zg==", "-_8=", "Zm9v\n"}) {
        const auto bytes = from_base64(text);
        ASSERT_FALSE(bytes) << text;
        EXPECT_EQ(bytes.error().code, Errc::malformed);
    }
}

TEST(DigestNames, Are64LowerCaseHexDigits) {
    const std::string text = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const auto digest = Digest::from_hex(text);
    ASSERT_TRUE(digest);
    EXPECT_EQ(digest->hex(), text);
    std::string upper = text;
    upper[20] = 'A';
    for (const std::string& bad : {std::string(), text.substr(1), text + "0", upper, "g" + text.substr(1)}) {
        const auto refused = Digest::from_hex(bad);
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().code, Errc::bad_data);
    }
}

TEST(DigestNames, AreExactly32Bytes) {
    for (const std::size_t size : {0U, 1U, 31U, 33U}) {
        const auto refused = Digest::from_bytes(counting(size));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::malformed);
    }
    const auto digest = Digest::from_bytes(counting(32));
    ASSERT_TRUE(digest);
    EXPECT_EQ(to_bytes(digest->view()), counting(32));
    EXPECT_FALSE(digest->is_zero());
    EXPECT_TRUE(Digest{}.is_zero());
}

TEST(Concat, JoinsItsPartsInOrder) {
    EXPECT_EQ(concat({as_bytes("ab"), {}, as_bytes("c")}), to_bytes("abc"));
    EXPECT_EQ(concat({}), Bytes{});
}

}  // namespace
}  // namespace sat
