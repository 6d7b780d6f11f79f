// The bar's one line.
// SPDX-License-Identifier: Apache-2.0
#include "common/progress.h"

#include <gtest/gtest.h>

namespace sat {
namespace {

using std::chrono::milliseconds;

TEST(FormatBytes, ChangesUnitsWhereTheDigitsRunOut) {
    EXPECT_EQ(format_bytes(0), "0 B");
    EXPECT_EQ(format_bytes(1023), "1023 B");
    EXPECT_EQ(format_bytes(1024), "1.0 KiB");
    EXPECT_EQ(format_bytes((1U << 20) - 1), "1.0 MiB");
    EXPECT_EQ(format_bytes(std::uint64_t{4} << 30), "4.0 GiB");
}

TEST(FormatPercentage, IsNeverWholeWhereSomethingIsMissing) {
    EXPECT_EQ(format_percentage(0, 5), "0 %");
    EXPECT_EQ(format_percentage(94, 100), "94 %");
    EXPECT_EQ(format_percentage(99'999, 100'000), "99 %");
    EXPECT_EQ(format_percentage(5, 5), "100 %");
    EXPECT_EQ(format_percentage(0, 0), "100 %");
}

TEST(ProgressLine, ShowsRateAndTimeLeft) {
    EXPECT_EQ(progress_line("sending", 0, 1 << 20, milliseconds(0), 200),
              "sending [........................] 0%  0 B of 1.0 MiB");
    EXPECT_EQ(progress_line("sending", 1 << 19, 1 << 20, milliseconds(1000), 200),
              "sending [############............] 50%  512.0 KiB of 1.0 MiB  512.0 KiB/s  0:01 left");
    EXPECT_EQ(progress_line("sending", 1 << 20, 1 << 20, milliseconds(2000), 200),
              "sending [########################] 100%  1.0 MiB of 1.0 MiB  512.0 KiB/s");
    EXPECT_EQ(progress_line("sending", 3 << 18, 1 << 20, milliseconds(1000), 200, 1 << 19),
              "sending [##################......] 75%  768.0 KiB of 1.0 MiB  256.0 KiB/s  0:01 left");
    EXPECT_NE(progress_line("x", 1, 1 << 20, milliseconds(1000), 200).find("291:16:15 left"), std::string::npos);
}

TEST(ProgressLine, NeverWrapsAndNeverDividesByNothing) {
    EXPECT_EQ(progress_line("sending", 1, 2, milliseconds(9000), 20).size(), 20U);
    EXPECT_NE(progress_line("x", 0, 0, milliseconds(9000), 80).find("100%"), std::string::npos);
    EXPECT_NE(progress_line("x", 5, 2, milliseconds(9000), 80).find("100%"), std::string::npos);
}

}  // namespace
}  // namespace sat
