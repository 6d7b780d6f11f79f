// Codes, their names, and the macros that hand errors on.
// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace sat {
namespace {

TEST(Errc, FromTheWireIsExactlyTheProtocolsNumbers) {
    int known = 0;
    for (int code = 0; code <= UINT16_MAX; ++code) {
        const auto errc = errc_from_wire(static_cast<std::uint16_t>(code));
        if (!errc) continue;
        ++known;
        EXPECT_EQ(static_cast<int>(*errc), code);
        EXPECT_LT(code, 200);
    }
    EXPECT_EQ(known, 10 + 19 + 1);
    for (const int code : {0, 11, 99, 119, 121, 200, 204})
        EXPECT_FALSE(errc_from_wire(static_cast<std::uint16_t>(code))) << code;
}

TEST(Errc, HasANameForEveryCode) {
    for (int code = 0; code <= UINT16_MAX; ++code) {
        const auto errc = errc_from_wire(static_cast<std::uint16_t>(code));
        EXPECT_TRUE(!errc || !errc_name(*errc).empty()) << code;
    }
    for (auto code = static_cast<int>(Errc::usage); code <= static_cast<int>(Errc::cancelled); ++code)
        EXPECT_FALSE(errc_name(static_cast<Errc>(code)).empty());
    EXPECT_EQ(errc_name(Errc::content_too_large), "too_large");
    EXPECT_EQ(errc_name(Errc::storage_full), "storage_full");
    EXPECT_EQ(errc_name(Errc::cancelled), "cancelled");
}

Result<std::unique_ptr<int>> make(bool well) {
    if (!well) return fail(Errc::busy, "busy with something else", "try again");
    return std::make_unique<int>(7);
}

Result<> twice(bool first, bool second) {
    SAT_TRY_VALUE(const std::unique_ptr<int> value, make(first));
    SAT_TRY(make(second));
    if (*value != 7) return fail(Errc::internal, "another value");
    return {};
}

TEST(Result, HandsValuesAndErrorsOn) {
    EXPECT_TRUE(twice(true, true));
    for (const auto& result : {twice(false, true), twice(true, false)}) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, Errc::busy);
        EXPECT_EQ(result.error().message, "busy with something else");
        EXPECT_EQ(result.error().hint, "try again");
    }
}

}  // namespace
}  // namespace sat
