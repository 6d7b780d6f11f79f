// Test vectors from elsewhere (Wycheproof, the JSON parsing suite, RFC 6962): they are not part of this project.
// They lie at $SAT_VECTORS_DIR, or in ../shared/vectors seen from the source; a test that finds none says NOT RUN.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "support/not_run.h"

namespace sat {

inline std::filesystem::path vectors_dir() {
    const char* configured = std::getenv("SAT_VECTORS_DIR");
    if (configured != nullptr && *configured != '\0') return configured;
    return std::filesystem::path(SAT_SOURCE_DIR) / ".." / "shared" / "vectors";
}

// Nothing, and a word about it, where the file is absent.  Throws, and so fails the test, where it is no JSON.
inline std::optional<nlohmann::json> load_vectors(const std::string& name) {
    const auto path = vectors_dir() / name;
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        say_not_run("no vectors at " + path.string());
        return std::nullopt;
    }
    return nlohmann::json::parse(file);
}

}  // namespace sat
