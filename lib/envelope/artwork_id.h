// The name of a work: 10 characters, Crockford base32 (no I, L, O, U), the last a Luhn mod 32 check character,
// so that a slip of the finger is refused before a packet leaves.  docs/protocol.md, "Conventions".
// It stands on this floor because envelope headers bind it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace sat {

class ArtworkId {
public:
    static constexpr std::size_t kSize = 10;

    // "0000000000": a place to read into; generate() never gives it out.
    ArtworkId() noexcept { text_.fill('0'); }

    // 45 random bits and their check character.  The caller answers for giving no ID out twice.
    static ArtworkId generate();
    // As people type it, in any case; bad_data, with a hint, for a wrong length, a foreign character or a
    // check character that does not fit.
    static Result<ArtworkId> parse(std::string_view text);
    // As structures carry it, upper case only; bad_data.
    static Result<ArtworkId> from_canonical(std::string_view text);

    // Upper case.
    std::string_view view() const noexcept { return {text_.data(), text_.size()}; }
    std::string str() const { return std::string(view()); }
    ByteView bytes() const noexcept { return as_bytes(view()); }
    auto operator<=>(const ArtworkId&) const = default;

private:
    std::array<char, kSize> text_{};
};

}  // namespace sat

template <>
struct std::hash<sat::ArtworkId> {
    std::size_t operator()(const sat::ArtworkId& id) const noexcept { return std::hash<std::string_view>{}(id.view()); }
};
