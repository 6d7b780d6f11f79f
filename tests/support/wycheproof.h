// Runs every test of a Wycheproof file through a function, and insists that there were some.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"
#include "support/vectors.h"

namespace sat {

inline Bytes hex_member(const nlohmann::json& object, const char* name) {
    auto bytes = from_hex(object.at(name).get<std::string>());
    EXPECT_TRUE(bytes) << name;
    return bytes.value_or(Bytes{});
}

inline bool has_flag(const nlohmann::json& test, const std::string& flag) {
    for (const auto& has : test.at("flags"))
        if (has == flag) return true;
    return false;
}

// `run(group, test)` returns whether it applied.
template <typename Run>
void each_wycheproof_test(const std::string& name, Run run) {
    const auto vectors = load_vectors("wycheproof/" + name);
    if (!vectors) return;
    int count = 0;
    for (const auto& group : vectors->at("testGroups")) {
        for (const auto& test : group.at("tests")) {
            SCOPED_TRACE(name + ", test " + test.at("tcId").dump() + ": " + test.at("comment").get<std::string>());
            if (run(group, test)) ++count;
        }
    }
    EXPECT_GT(count, 0) << name;
}

}  // namespace sat
