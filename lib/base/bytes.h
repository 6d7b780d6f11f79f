// Bytes, views of bytes, 32-byte names, and the text forms of both (hex, base64url).
// docs/protocol.md, "Conventions".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sat {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline ByteView as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }
inline Bytes to_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }
inline std::string to_string(ByteView view) { return std::string(as_text(view)); }

inline void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }
Bytes concat(std::initializer_list<ByteView> parts);

// Lower-case hex.
std::string to_hex(ByteView bytes);
// bad_data unless `text` is lower- or upper-case hex of an even length.
Result<Bytes> from_hex(std::string_view text);

// base64url without padding (RFC 4648, section 5).
std::string to_base64url(ByteView bytes);
// malformed for padding, foreign characters, an impossible length, or trailing bits that are not zero.
Result<Bytes> from_base64url(std::string_view text);

// Standard base64 with padding (RFC 4648, section 4), for C2SP notes and vkeys.
std::string to_base64(ByteView bytes);
Result<Bytes> from_base64(std::string_view text);

// A 32-byte name: a SHA-256, a wallet, a key id, a statement id.  64 lower-case hex digits as text.
struct Digest {
    static constexpr std::size_t kSize = 32;
    std::array<std::byte, kSize> bytes{};

    ByteView view() const noexcept { return bytes; }
    std::string hex() const { return to_hex(bytes); }
    bool is_zero() const noexcept { return *this == Digest{}; }
    auto operator<=>(const Digest&) const = default;

    // bad_data unless exactly 64 lower-case hex digits.
    static Result<Digest> from_hex(std::string_view text);
    // malformed unless exactly 32 bytes.
    static Result<Digest> from_bytes(ByteView bytes);
};

using Wallet = Digest;       // key_id of a party's first `sign` key
using KeyId = Digest;        // SHA-256 of an SPKI in DER
using StatementId = Digest;  // SHA-256 of a JWS's ASCII header.payload
using LeafHash = Digest;     // RFC 6962 leaf hash

}  // namespace sat

template <>
struct std::hash<sat::Digest> {
    std::size_t operator()(const sat::Digest& digest) const noexcept {
        std::size_t value = 0;
        std::memcpy(&value, digest.bytes.data(), sizeof value);
        return value;
    }
};
