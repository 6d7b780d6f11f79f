// The rules of a bulk stream at both ends.
// SPDX-License-Identifier: Apache-2.0
#include "wire/transfer.h"

#include <gtest/gtest.h>

namespace sat {
namespace {

Errc code_of(const Result<void>& result) {
    EXPECT_FALSE(result);
    return result ? Errc::internal : result.error().code;
}

TEST(BulkStream, GoesFromOneEndToTheOtherAtEverySizeAroundARecord) {
    for (const std::uint64_t length :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{16}, std::uint64_t{65'599}, std::uint64_t{65'600},
          std::uint64_t{65'601}, std::uint64_t{2 * 65'600}, std::uint64_t{2 * 65'600 + 16}}) {
        BulkSender sender(length);
        BulkReceiver receiver(length);
        std::uint64_t records = 0;
        while (const std::size_t size = sender.next_size()) {
            EXPECT_TRUE(size == kDataBody || sender.total() + size == length);
            ASSERT_TRUE(receiver.data(size)) << length;
            sender.sent();
            ++records;
        }
        EXPECT_EQ(records, (length + kDataBody - 1) / kDataBody);
        EXPECT_EQ(sender.total(), length);
        EXPECT_FALSE(receiver.ended());
        ASSERT_TRUE(receiver.end(sender.total())) << length;
        EXPECT_TRUE(receiver.ended());
        EXPECT_EQ(receiver.received(), length);
    }
}

TEST(BulkReceiver, RefusesEverySizeButTheOneThatIsDue) {
    for (const std::uint64_t size : {0U, 1U, 16'400U, 65'599U, 65'601U}) {
        BulkReceiver receiver(100'000);
        EXPECT_EQ(code_of(receiver.data(size)), Errc::malformed) << size;
    }
    for (const std::uint64_t size : {0U, 1U, 34'399U, 34'401U, 65'600U}) {
        BulkReceiver receiver(100'000);
        ASSERT_TRUE(receiver.data(65'600));
        EXPECT_EQ(code_of(receiver.data(size)), Errc::malformed) << size;
    }
}

TEST(BulkReceiver, RefusesDataPastTheEnd) {
    BulkReceiver receiver(16);
    ASSERT_TRUE(receiver.data(16));
    EXPECT_EQ(code_of(receiver.data(1)), Errc::unexpected);
    ASSERT_TRUE(receiver.end(16));
    EXPECT_EQ(code_of(receiver.data(1)), Errc::unexpected);
    EXPECT_EQ(code_of(receiver.end(16)), Errc::unexpected);
}

TEST(BulkReceiver, RefusesAnEarlyOrMiscountedEnd) {
    BulkReceiver early(65'601);
    ASSERT_TRUE(early.data(65'600));
    EXPECT_EQ(code_of(early.end(65'600)), Errc::malformed);
    for (const std::uint64_t total : {std::uint64_t{0}, std::uint64_t{15}, std::uint64_t{17}, UINT64_MAX}) {
        BulkReceiver receiver(16);
        ASSERT_TRUE(receiver.data(16));
        EXPECT_EQ(code_of(receiver.end(total)), Errc::malformed) << total;
    }
}

TEST(BulkReceiver, DropsWhatStillComesAfterAnError) {
    BulkReceiver receiver(200'000);
    ASSERT_TRUE(receiver.data(65'600));
    receiver.abandon();
    ASSERT_TRUE(receiver.data(65'600));
    EXPECT_EQ(code_of(receiver.end(65'600)), Errc::malformed);
    ASSERT_TRUE(receiver.end(131'200));

    BulkReceiver unknown = BulkReceiver::discarding();
    ASSERT_TRUE(unknown.data(65'600));
    ASSERT_TRUE(unknown.data(17));
    EXPECT_EQ(code_of(unknown.data(0)), Errc::malformed);
    EXPECT_EQ(code_of(unknown.data(65'601)), Errc::malformed);
    ASSERT_TRUE(unknown.end(65'617));
}

TEST(BulkSender, StopsWithTheCountOfWhatItSent) {
    BulkSender sender(200'000);
    sender.sent();
    sender.stop();
    EXPECT_EQ(sender.next_size(), 0U);
    EXPECT_EQ(sender.total(), 65'600U);
}

TEST(BulkOffset, StandsAtAChunkInsideTheStream) {
    EXPECT_TRUE(check_offset(0, 16));
    EXPECT_TRUE(check_offset(16'400, 16'401));
    EXPECT_TRUE(check_offset(16'400 * 1'000'000ULL, 16'400 * 1'000'000ULL + 16));
    for (const std::uint64_t offset : {1U, 16'384U, 16'399U, 16'401U, 65'601U})
        EXPECT_EQ(code_of(check_offset(offset, 1'000'000)), Errc::bad_request) << offset;
    EXPECT_EQ(code_of(check_offset(0, 0)), Errc::bad_request);
    EXPECT_EQ(code_of(check_offset(16'400, 16'400)), Errc::bad_request);
    EXPECT_EQ(code_of(check_offset(32'800, 16'401)), Errc::bad_request);
}

}  // namespace
}  // namespace sat
