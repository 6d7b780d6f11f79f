// The one document of --json.
// SPDX-License-Identifier: Apache-2.0
#include "common/output.h"

#include <gtest/gtest.h>

namespace sat {
namespace {

TEST(Document, OfASuccessIsTheContracts) {
    EXPECT_EQ(success_document("list", Json{{"items", Json::array()}, {"next_cursor", nullptr}}),
              "{\"sat\":1,\"command\":\"list\",\"ok\":true,\"data\":{\"items\":[],\"next_cursor\":null}}\n");
}

TEST(Document, OfAFailureIsTheContracts) {
    EXPECT_EQ(failure_document("claim", {Errc::declined, "the owner said no", "ask again"}, 10),
              "{\"sat\":1,\"command\":\"claim\",\"ok\":false,\"error\":{\"code\":\"declined\",\"exit\":10,"
              "\"message\":\"the owner said no\",\"hint\":\"ask again\"}}\n");
    EXPECT_EQ(failure_document("x", {Errc::declined, "m", {}}, 10),
              "{\"sat\":1,\"command\":\"x\",\"ok\":false,\"error\":{\"code\":\"declined\",\"exit\":10,"
              "\"message\":\"m\",\"hint\":null}}\n");
}

TEST(Document, BringsAHintWhereTheErrorBroughtNone) {
    const std::string line = failure_document("x", {Errc::interrupted, "m", {}}, 75);
    EXPECT_FALSE(parse_json(line).value()["error"]["hint"].is_null());
}

TEST(Document, IsUtf8WhateverAPathIs) {
    std::string line = failure_document("x", {Errc::io_error, "cannot write \xFF\xFE", {}}, 74);
    line.pop_back();
    EXPECT_TRUE(parse_json(line)) << line;
    EXPECT_EQ(json_text("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
    EXPECT_EQ(json_text("a\xFF"), "a\\xFF");
}

}  // namespace
}  // namespace sat
