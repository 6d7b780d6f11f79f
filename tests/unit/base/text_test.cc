// UTF-8, folding, and text made safe to print.
// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Utf8, RefusesOverlongFormsSurrogatesAndTruncations) {
    EXPECT_TRUE(is_utf8(""));
    EXPECT_TRUE(is_utf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\xb9"));
    EXPECT_TRUE(is_utf8("\xf4\x8f\xbf\xbf"));
    for (const char* text : {"\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80",
                             "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "a\xfe", "\xc3\x28"})
        EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
    EXPECT_EQ(count_code_points(""), 0U);
    EXPECT_EQ(count_code_points("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\xb9"), 4U);
}

TEST(Printable, LeavesOrdinaryTextAlone) {
    for (const char* text : {"", "Mona Lisa", "Frühling – 春 🎨", "e\xcc\x81", "a\xc2\xa0z"})
        EXPECT_EQ(printable(text), text);
}

TEST(Printable, ShowsEverythingThatCouldDeceiveATerminalOrAReader) {
    EXPECT_EQ(printable("\x1b[31m"), R"(\x1B[31m)");
    EXPECT_EQ(printable(std::string_view("\0\r\x7f", 3)), R"(\x00\x0D\x7F)");
    EXPECT_EQ(printable("\xc2\x85\xc2\x9b"), R"(\u{85}\u{9B})");
    EXPECT_EQ(printable("a\xe2\x80\xae"
                        "b"),
              R"(a\u{202E}b)");                           // right-to-left override
    EXPECT_EQ(printable("\xe2\x81\xa6"), R"(\u{2066})");  // left-to-right isolate
    EXPECT_EQ(printable("\xe2\x80\x8b\xe2\x80\x8d"), R"(\u{200B}\u{200D})");
    EXPECT_EQ(printable("\xef\xbb\xbf"), R"(\u{FEFF})");
    EXPECT_EQ(printable("\xe2\x80\xa8\xe2\x80\xa9"), R"(\u{2028}\u{2029})");
    EXPECT_EQ(printable("\xe3\x85\xa4"), R"(\u{3164})");       // Hangul filler: a letter that nobody sees
    EXPECT_EQ(printable("\xf3\xa0\x81\x81"), R"(\u{E0041})");  // tag
    EXPECT_EQ(printable("\xcd\xb8"), R"(\u{378})");            // unassigned
    EXPECT_EQ(printable("\xef\xbf\xbf"), R"(\u{FFFF})");
    EXPECT_EQ(printable("\xff\xc3"), R"(\xFF\xC3)");
    EXPECT_EQ(printable("\xed\xa0\x80"), R"(\xED\xA0\x80)");
    EXPECT_EQ(printable(R"(a\x41)"), R"(a\\x41)");
}

TEST(Printable, KeepsLineFeedAndTabOnlyInMultilineText) {
    EXPECT_EQ(printable("a\n\tb\r"), R"(a\x0A\x09b\x0D)");
    EXPECT_EQ(printable("a\n\tb\r", true), "a\n\tb\\x0D");
}

TEST(Printable, SentenceKeepsWhatIsEscapedAlready) {
    const std::string_view peer = "a\x1b]0;b\x07\n\xc2\x9b\xe2\x80\xae\xff";
    const std::string once = printable_sentence(peer);
    EXPECT_EQ(once, R"(a\x1B]0;b\x07\x0A\u{9B}\u{202E}\xFF)");
    EXPECT_EQ(printable_sentence(once), once);
    EXPECT_EQ(printable_sentence(printable("c:\\\x1b")), R"(c:\\\x1B)");
}

TEST(Fold, MakesEqualWhatAPersonWouldCallTheSame) {
    EXPECT_EQ(fold("STRASSE"), fold("straße"));
    EXPECT_EQ(fold("\xc3\x84"), fold("A\xcc\x88"));  // Ä composed and decomposed
    EXPECT_EQ(fold("\xef\xac\x81n"), "fin");         // ligature
    EXPECT_EQ(fold("\xef\xbc\xa1"), "a");            // full width
    EXPECT_EQ(fold("  a \t\n b\xc2\xa0\xe3\x80\x80"
                   "c "),
              "a b c");
    EXPECT_EQ(fold("so\xc2\xad"
                   "ft"),
              "soft");  // soft hyphen
    EXPECT_EQ(fold(""), "");
    EXPECT_EQ(fold(" "), "");
    EXPECT_NE(fold("a"), fold("b"));
}

TEST(Fold, IsEmptyForTextThatIsNotUtf8) {
    EXPECT_EQ(fold("a\xff"), "");
    EXPECT_THAT(search_words("a\xff"), IsEmpty());
}

TEST(Fold, ChangesNothingASecondTime) {
    for (const char* text : {"Größe ΣΊΣΥΦΟΣ", "ǅ ﬁ ㎏ Å", "İstanbul", "\xcd\x85\xcc\x93", "Ⅷ ½ ①"}) {
        const std::string once = fold(text);
        EXPECT_FALSE(once.empty());
        EXPECT_EQ(fold(once), once) << text;
    }
}

TEST(SearchWords, AreLettersMarksAndDigitsEachOnce) {
    EXPECT_THAT(search_words("The Night-Watch, the night 1642!"), ElementsAre("the", "night", "watch", "1642"));
    EXPECT_THAT(search_words("Frühling FRÜHLING Fru\xcc\x88hling"), ElementsAre("frühling"));
    EXPECT_THAT(search_words("春の絵"), ElementsAre("春の絵"));
    EXPECT_THAT(search_words("'\"%_* --"), IsEmpty());
    EXPECT_THAT(search_words(""), IsEmpty());
    EXPECT_THAT(search_words("हिन्दी"), ElementsAre("हिन्दी"));
}

}  // namespace
}  // namespace sat
