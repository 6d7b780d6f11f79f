// The plaintext of sealed columns.
// SPDX-License-Identifier: Apache-2.0
#include "store/row_codec.h"

#include <gtest/gtest.h>

namespace sat {
namespace {

TEST(RowCodec, AMemberThatThisVersionDoesNotKnowIsRefused) {
    ClaimRow claim;
    claim.claim = "a.b.c";
    Bytes bytes = encode_claim_row(claim);
    ClaimRow read;
    ASSERT_TRUE(decode_claim_row(bytes, read));
    EXPECT_EQ(read.claim, claim.claim);
    for (const unsigned bit : {0x20U, 0x40U, 0x80U}) {
        Bytes other = bytes;
        other[1] |= static_cast<std::byte>(bit);
        const auto refused = decode_claim_row(other, read);
        ASSERT_FALSE(refused) << bit;
        EXPECT_EQ(refused.error().code, Errc::io_error);
    }
}

}  // namespace
}  // namespace sat
