// Hex, base64url, base64 and 32-byte names.  The decoders take exactly what the encoders write
// (from_hex upper case too), so that a text has one meaning and a meaning one text.
// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

namespace sat {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t kForeign = 0xff;

constexpr std::array<std::uint8_t, 256> inverse(std::string_view alphabet) {
    std::array<std::uint8_t, 256> table{};
    table.fill(kForeign);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return table;
}

constexpr auto kFromBase64Url = inverse(kBase64Url);
constexpr auto kFromBase64 = inverse(kBase64);

int hex_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

// Without padding.
std::string encode64(ByteView bytes, std::string_view alphabet) {
    std::string out((bytes.size() * 4 + 2) / 3, '\0');
    std::size_t end = 0;
    const auto put = [&](std::uint32_t digit) { out[end++] = alphabet[digit & 0x3f]; };
    const auto at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
    for (; bytes.size() >= 3; bytes = bytes.subspan(3)) {
        const std::uint32_t bits = at(0) << 16 | at(1) << 8 | at(2);
        put(bits >> 18);
        put(bits >> 12);
        put(bits >> 6);
        put(bits);
    }
    if (!bytes.empty()) {
        const std::uint32_t bits = at(0) << 16 | (bytes.size() == 2 ? at(1) << 8 : 0);
        put(bits >> 18);
        put(bits >> 12);
        if (bytes.size() == 2) put(bits >> 6);
    }
    return out;
}

// `text` without padding.
Result<Bytes> decode64(std::string_view text, const std::array<std::uint8_t, 256>& table) {
    if (text.size() % 4 == 1) return fail(Errc::malformed, "base64 of an impossible length");
    Bytes out(text.size() * 3 / 4);
    std::size_t end = 0;
    const auto put = [&](std::uint32_t bits) { out[end++] = static_cast<std::byte>(bits & 0xff); };
    const auto at = [&](std::size_t i) { return std::uint32_t{table[static_cast<unsigned char>(text[i])]}; };
    // Of the table's values kForeign alone has its highest bit.
    std::uint32_t seen = 0;
    for (; text.size() >= 4; text.remove_prefix(4)) {
        const std::uint32_t digits[] = {at(0), at(1), at(2), at(3)};
        seen |= digits[0] | digits[1] | digits[2] | digits[3];
        const std::uint32_t bits = digits[0] << 18 | digits[1] << 12 | digits[2] << 6 | digits[3];
        put(bits >> 16);
        put(bits >> 8);
        put(bits);
    }
    std::uint32_t left = 0;
    if (!text.empty()) {
        const std::uint32_t third = text.size() == 3 ? at(2) : 0;
        seen |= at(0) | at(1) | third;
        const std::uint32_t bits = at(0) << 18 | at(1) << 12 | third << 6;
        put(bits >> 16);
        if (text.size() == 3) put(bits >> 8);
        left = bits & (text.size() == 3 ? 0xffU : 0xffffU);
    }
    if ((seen & 0x80) != 0) return fail(Errc::malformed, "a character that base64 does not have");
    if (left != 0) return fail(Errc::malformed, "base64 with bits left over");
    return out;
}

}  // namespace

Bytes concat(std::initializer_list<ByteView> parts) {
    std::size_t size = 0;
    for (const ByteView part : parts) size += part.size();
    Bytes out;
    out.reserve(size);
    for (const ByteView part : parts) append(out, part);
    return out;
}

std::string to_hex(ByteView bytes) {
    std::string out(bytes.size() * 2, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto value = std::to_integer<std::size_t>(bytes[i]);
        out[2 * i] = kHexDigits[value >> 4];
        out[2 * i + 1] = kHexDigits[value & 0x0f];
    }
    return out;
}

Result<Bytes> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return fail(Errc::bad_data, "hex with an odd number of digits");
    Bytes out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return fail(Errc::bad_data, "a character that is no hex digit");
        out.push_back(static_cast<std::byte>(high * 16 + low));
    }
    return out;
}

std::string to_base64url(ByteView bytes) { return encode64(bytes, kBase64Url); }

Result<Bytes> from_base64url(std::string_view text) { return decode64(text, kFromBase64Url); }

std::string to_base64(ByteView bytes) {
    std::string out = encode64(bytes, kBase64);
    while (out.size() % 4 != 0) out.push_back('=');
    return out;
}

Result<Bytes> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return fail(Errc::malformed, "base64 of an impossible length");
    // At most two: a third '=' stays in the text and is refused there as a foreign character.
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    return decode64(text, kFromBase64);
}

Result<Digest> Digest::from_hex(std::string_view text) {
    Digest digest;
    if (text.size() != 2 * kSize) return fail(Errc::bad_data, "not 64 lower-case hex digits");
    for (std::size_t i = 0; i < kSize; ++i) {
        const std::size_t high = kHexDigits.find(text[2 * i]);
        const std::size_t low = kHexDigits.find(text[2 * i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos)
            return fail(Errc::bad_data, "not 64 lower-case hex digits");
        digest.bytes[i] = static_cast<std::byte>(high * 16 + low);
    }
    return digest;
}

Result<Digest> Digest::from_bytes(ByteView bytes) {
    if (bytes.size() != kSize) return fail(Errc::malformed, "not 32 bytes");
    Digest digest;
    std::memcpy(digest.bytes.data(), bytes.data(), kSize);
    return digest;
}

}  // namespace sat
