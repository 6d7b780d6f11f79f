// SPDX-License-Identifier: Apache-2.0
#include "ledger/commitment.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"

namespace sat {
namespace {

TEST(Commitment, IsALabelledSaltedHash) {
    const CommitSalt salt = draw_commit_salt();
    const std::string text = "May I?";
    EXPECT_EQ(text_commit(salt, text),
              sha256({as_bytes("SAT/1 text"), ByteView(Bytes(1)), ByteView(salt), as_bytes(text)}));
    EXPECT_EQ(metadata_commit(salt, text),
              sha256({as_bytes("SAT/1 meta"), ByteView(Bytes(1)), ByteView(salt), as_bytes(text)}));
    EXPECT_NE(text_commit(salt, text), metadata_commit(salt, text));
    EXPECT_NE(text_commit(salt, text), text_commit(draw_commit_salt(), text));
}

TEST(SaltedText, HoldsItsLimits) {
    EXPECT_FALSE(SaltedText::draw(""));
    EXPECT_TRUE(SaltedText::draw("a"));
    std::string long_text;
    for (std::size_t i = 0; i < kMaxNoteCodePoints; ++i) long_text += "\u00e9";
    EXPECT_TRUE(SaltedText::draw(long_text));
    EXPECT_EQ(SaltedText::draw(long_text + "a").error().code, Errc::bad_data);
    EXPECT_FALSE(SaltedText::draw("\xff"));
    EXPECT_FALSE(SaltedText::from_parts(Bytes(31), "a"));
    EXPECT_FALSE(SaltedText::from_parts(Bytes(33), "a"));
    const auto text = SaltedText::draw("a");
    EXPECT_EQ(SaltedText::from_parts(text->salt, text->text).value(), *text);
    EXPECT_EQ(text->commit(), text_commit(text->salt, "a"));
}

TEST(SaltedMetadata, HoldsItsLimits) {
    EXPECT_TRUE(SaltedMetadata::draw(""));
    EXPECT_TRUE(SaltedMetadata::draw(std::string(kMaxMetadataSize, ' ')));
    EXPECT_FALSE(SaltedMetadata::draw(std::string(kMaxMetadataSize + 1, ' ')));
    EXPECT_FALSE(SaltedMetadata::draw("\xc0\x80"));
    EXPECT_FALSE(SaltedMetadata::from_parts({}, ""));
    const auto metadata = SaltedMetadata::draw("{}");
    EXPECT_EQ(metadata->commit(), metadata_commit(metadata->salt, "{}"));
}

}  // namespace
}  // namespace sat
