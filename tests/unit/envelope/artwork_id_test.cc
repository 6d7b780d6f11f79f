// SPDX-License-Identifier: Apache-2.0
#include "envelope/artwork_id.h"

#include <gtest/gtest.h>

#include <cctype>
#include <set>

namespace sat {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

TEST(ArtworkId, GeneratedIdsParseBackAndDiffer) {
    std::set<ArtworkId> seen;
    for (int i = 0; i < 200; ++i) {
        const ArtworkId id = ArtworkId::generate();
        EXPECT_EQ(ArtworkId::from_canonical(id.view()).value(), id);
        seen.insert(id);
    }
    EXPECT_EQ(seen.size(), 200U);
}

TEST(ArtworkId, IsTakenInAnyCaseFromPeopleAndUpperCaseOnlyFromStructures) {
    ArtworkId id;
    std::string lower;
    do {
        id = ArtworkId::generate();
        lower = id.str();
        for (char& character : lower) character = static_cast<char>(std::tolower(character));
    } while (lower == id.view());
    EXPECT_EQ(ArtworkId::parse(lower).value(), id);
    EXPECT_FALSE(ArtworkId::from_canonical(lower));
}

TEST(ArtworkId, HasItsCheckCharacterFromTheDocument) {
    EXPECT_TRUE(ArtworkId::parse("0000000000"));
    EXPECT_FALSE(ArtworkId::parse("0000000001"));
    EXPECT_TRUE(ArtworkId::parse("000000001Y"));  // 2 + 30 = 32
    EXPECT_TRUE(ArtworkId::parse("00000000GZ"));  // 32 counts as 1 + 0; 1 + 31 = 32
    EXPECT_TRUE(ArtworkId::parse("000000010Z"));  // not doubled: 1 + 31
}

TEST(ArtworkId, EverySlipOfOneCharacterIsRefused) {
    const ArtworkId id = ArtworkId::generate();
    for (std::size_t i = 0; i < ArtworkId::kSize; ++i) {
        for (const char other : kAlphabet) {
            std::string text = id.str();
            if (text[i] == other) continue;
            text[i] = other;
            EXPECT_FALSE(ArtworkId::parse(text)) << text;
        }
    }
}

TEST(ArtworkId, EverySwapOfNeighboursIsRefusedExceptZeroAndZ) {
    for (int round = 0; round < 50; ++round) {
        const ArtworkId id = ArtworkId::generate();
        for (std::size_t i = 0; i + 1 < ArtworkId::kSize; ++i) {
            std::string text = id.str();
            if (text[i] == text[i + 1]) continue;
            const bool blind = (text[i] == '0' && text[i + 1] == 'Z') || (text[i] == 'Z' && text[i + 1] == '0');
            std::swap(text[i], text[i + 1]);
            EXPECT_EQ(ArtworkId::parse(text).has_value(), blind) << text;
        }
    }
}

TEST(ArtworkId, RefusesWrongLengthsAndForeignCharactersWithAHint) {
    for (const std::string_view text : {"", "0", "000000000", "00000000000", "OOOOOOOOOO", "000000000I", "00000000L0",
                                        "U000000000", "00000 0000", "0000-00000"}) {
        const auto id = ArtworkId::parse(text);
        ASSERT_FALSE(id) << text;
        EXPECT_EQ(id.error().code, Errc::bad_data);
        EXPECT_FALSE(id.error().hint.empty());
    }
}

}  // namespace
}  // namespace sat
