// SPDX-License-Identifier: Apache-2.0
#include "envelope/artwork_id.h"

#include <algorithm>

#include "crypto/random.h"

namespace sat {

namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr unsigned kBase = 32;
static_assert(kAlphabet.size() == kBase);

// The value of an upper-case character, or kBase for a foreign one.
unsigned value_of(char character) noexcept {
    const std::size_t at = kAlphabet.find(character);
    return at == std::string_view::npos ? kBase : static_cast<unsigned>(at);
}

// Luhn mod 32: from the right, every other character counts double, beginning with the last of `digits`.
char check_character(std::string_view digits) noexcept {
    unsigned sum = 0;
    bool doubled = digits.size() % 2 == 1;
    for (const char digit : digits) {
        const unsigned value = value_of(digit) * (doubled ? 2 : 1);
        sum += value / kBase + value % kBase;
        doubled = !doubled;
    }
    return kAlphabet[(kBase - sum % kBase) % kBase];
}

}  // namespace

ArtworkId ArtworkId::generate() {
    ArtworkId id;
    do {
        for (std::size_t i = 0; i + 1 < kSize; ++i) id.text_[i] = kAlphabet[random_below(kBase)];
        id.text_[kSize - 1] = check_character(id.view().substr(0, kSize - 1));
    } while (id == ArtworkId{});
    return id;
}

Result<ArtworkId> ArtworkId::parse(std::string_view text) {
    std::string upper(text);
    for (char& character : upper)
        if (character >= 'a' && character <= 'z') character = static_cast<char>(character - 'a' + 'A');
    return from_canonical(upper);
}

Result<ArtworkId> ArtworkId::from_canonical(std::string_view text) {
    if (text.size() != kSize)
        return fail(Errc::bad_data, "an artwork ID has 10 characters", "copy the ID as `list` or `browse` shows it");
    if (!std::all_of(text.begin(), text.end(), [](char character) { return value_of(character) < kBase; }))
        return fail(Errc::bad_data, "an artwork ID has digits and letters only, and no I, L, O or U",
                    "look for a 1 read as I or L, or a 0 read as O");
    if (check_character(text.substr(0, kSize - 1)) != text.back())
        return fail(Errc::bad_data, "the artwork ID's check character does not fit",
                    "a character is wrong or two are swapped");
    ArtworkId id;
    std::copy(text.begin(), text.end(), id.text_.begin());
    return id;
}

}  // namespace sat
