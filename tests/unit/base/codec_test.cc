// Integers and vectors on the wire.
// SPDX-License-Identifier: Apache-2.0
#include "base/codec.h"

#include <gtest/gtest.h>

namespace sat {
namespace {

TEST(ByteWriter, WritesBigEndian) {
    ByteWriter out;
    out.u8(0x01).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0f).raw(as_bytes("xy")).vec16(as_bytes("z"));
    EXPECT_EQ(to_hex(out.bytes()), "0102030405060708090a0b0c0d0e0f787900017a");
    EXPECT_EQ(to_hex(u32_bytes(0x01020304)), "01020304");
    EXPECT_EQ(to_hex(u64_bytes(1)), "0000000000000001");
}

TEST(ByteReader, ReadsBackWhatWasWritten) {
    Digest digest;
    digest.bytes.fill(std::byte{7});
    ByteWriter out;
    out.u8(0xff).u16(0xfffe).u32(0xfffffffd).u64(UINT64_MAX).raw(digest.view()).vec16({}).vec16(Bytes(UINT16_MAX));
    const Bytes bytes = out.take();
    ByteReader in(bytes);
    EXPECT_EQ(in.u8(), 0xff);
    EXPECT_EQ(in.u16(), 0xfffe);
    EXPECT_EQ(in.u32(), 0xfffffffd);
    EXPECT_EQ(in.u64(), UINT64_MAX);
    EXPECT_EQ(in.digest(), digest);
    EXPECT_EQ(in.vec16(0, 0).size(), 0U);
    EXPECT_EQ(in.vec16(0, UINT16_MAX).size(), std::size_t{UINT16_MAX});
    EXPECT_EQ(in.remaining(), 0U);
    EXPECT_TRUE(in.finish());
}

TEST(ByteReader, FailsAtEveryTruncationAndStaysFailed) {
    ByteWriter out;
    out.u8(1).u16(2).u32(3).u64(4).vec16(as_bytes("abc"));
    const Bytes bytes = out.take();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        ByteReader in(ByteView(bytes).first(size));
        in.u8();
        in.u16();
        in.u32();
        in.u64();
        in.vec16(0, 10);
        EXPECT_FALSE(in.ok()) << size;
        EXPECT_EQ(in.u8(), 0);
        EXPECT_TRUE(in.raw(0).empty());
        EXPECT_TRUE(in.digest().is_zero());
        ASSERT_FALSE(in.finish());
        EXPECT_EQ(in.finish().error().code, Errc::malformed);
    }
}

TEST(ByteReader, HoldsAVectorToItsLimits) {
    for (std::size_t size = 0; size <= 6; ++size) {
        const Bytes bytes = ByteWriter().vec16(Bytes(size)).take();
        ByteReader in(bytes);
        const bool within = size >= 2 && size <= 4;
        EXPECT_EQ(in.vec16(2, 4).size(), within ? size : 0);
        EXPECT_EQ(in.ok(), within);
    }
}

TEST(ByteReader, RefusesALengthLongerThanTheInput) {
    const Bytes bytes = ByteWriter().u16(3).raw(as_bytes("ab")).take();
    ByteReader in(bytes);
    EXPECT_TRUE(in.vec16(0, UINT16_MAX).empty());
    EXPECT_FALSE(in.ok());
    ByteReader all(bytes);
    EXPECT_TRUE(all.raw(SIZE_MAX).empty());
    EXPECT_FALSE(all.ok());
}

TEST(ByteReader, RefusesBytesLeftOver) {
    ByteReader in(as_bytes("ab"));
    in.u8();
    EXPECT_TRUE(in.ok());
    EXPECT_FALSE(in.finish());
}

TEST(ByteReader, ExpectsExactBytes) {
    ByteReader right(as_bytes("SATP"));
    right.expect(as_bytes("SATP"));
    EXPECT_TRUE(right.finish());
    for (const char* text : {"SATE", "SAT", ""}) {
        ByteReader wrong(as_bytes(text));
        wrong.expect(as_bytes("SATP"));
        EXPECT_FALSE(wrong.ok()) << text;
    }
}

TEST(ByteWriterDeathTest, AssertsThatAVectorFits) {
    EXPECT_DEATH(ByteWriter().vec16(Bytes(UINT16_MAX + 1)), "assertion failed");
}

}  // namespace
}  // namespace sat
