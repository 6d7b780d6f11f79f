// Times and creation dates as text.
// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <gtest/gtest.h>

namespace sat {
namespace {

TEST(FormatUtc, IsRfc3339) {
    EXPECT_EQ(format_utc(0), "1970-01-01T00:00:00Z");
    EXPECT_EQ(format_utc(1'795'339'800), "2026-11-22T09:30:00Z");
    EXPECT_EQ(format_utc(-1), "1969-12-31T23:59:59Z");
    EXPECT_EQ(format_utc(951'782'400), "2000-02-29T00:00:00Z");
    EXPECT_EQ(format_utc(253'402'300'799), "9999-12-31T23:59:59Z");
    EXPECT_EQ(format_utc(-62'167'219'200), "0000-01-01T00:00:00Z");
}

TEST(FormatUtc, ShowsTimesWithoutAFormAsNumbers) {
    EXPECT_EQ(format_utc(253'402'300'800), "@253402300800");
    EXPECT_EQ(format_utc(9'007'199'254'740'991), "@9007199254740991");
    EXPECT_EQ(format_utc(-62'167'219'201), "@-62167219201");
    EXPECT_EQ(format_utc(INT64_MIN), "@-9223372036854775808");
}

TEST(CreationDate, IsAYearAMonthOrADayThatExists) {
    for (const char* text :
         {"1889", "0001", "9999", "1889-06", "2024-12", "1889-06-01", "2024-02-29", "2000-02-29", "2023-12-31"})
        EXPECT_TRUE(is_creation_date(text)) << text;
    for (const char* text : {"",
                             "188",
                             "18890",
                             "1889-",
                             "1889-6",
                             "1889-00",
                             "1889-13",
                             "1889-06-",
                             "1889-06-1",
                             "1889-06-00",
                             "1889-06-31",
                             "2023-02-29",
                             "1900-02-29",
                             "1889/06",
                             "1889-06/01",
                             "1889-06-01T",
                             "18a9",
                             "-889",
                             "+889",
                             " 1889",
                             "1889 ",
                             "1889-06-01 ",
                             "1889-0x",
                             "\xd9\xa1"
                             "889"})
        EXPECT_FALSE(is_creation_date(text)) << text;
}

TEST(Now, IsAfterThisWasWritten) { EXPECT_GT(now_unix(), 1'700'000'000); }

}  // namespace
}  // namespace sat
