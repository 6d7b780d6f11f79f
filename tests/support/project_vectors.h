// The project's own vectors and their test keys, tests/vectors/.  They are always there: a missing one fails the test.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/file.h"
#include "crypto/key_file.h"
#include "crypto/keys.h"

namespace sat {

inline Path project_vectors_dir() { return Path(SAT_SOURCE_DIR) / "tests" / "vectors"; }

inline nlohmann::json load_project_vectors(const std::string& name) {
    std::ifstream file(project_vectors_dir() / name, std::ios::binary);
    return nlohmann::json::parse(file);
}

// keys/test-<name>.pem in its role: vector_key<KemPrivateKey>("vault-kem").
template <typename Key>
Key vector_key(const std::string& name) {
    const auto pem = read_secret_file(project_vectors_dir() / "keys" / ("test-" + name + ".pem"), 8192);
    SAT_ASSERT(pem.has_value());
    auto handle = decode_private_key(pem->reveal(), nullptr);
    SAT_ASSERT(handle.has_value());
    auto key = Key::from_handle(std::move(*handle));
    SAT_ASSERT(key.has_value());
    return std::move(*key);
}

// Hex of a vector, which is well-formed.
inline Bytes vector_bytes(const nlohmann::json& hex) { return from_hex(hex.get<std::string>()).value(); }
inline Digest vector_digest(const nlohmann::json& hex) { return Digest::from_hex(hex.get<std::string>()).value(); }

}  // namespace sat
