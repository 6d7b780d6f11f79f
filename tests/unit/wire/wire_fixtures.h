// What the tests of wire/ share: the project's own vectors, parties with keys, and frames built by hand.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/assert.h"
#include "base/codec.h"
#include "crypto/key_file.h"
#include "support/keys.h"
#include "wire/handshake.h"

namespace sat {

inline Bytes unhex(const std::string& text) {
    auto bytes = from_hex(text);
    SAT_ASSERT(bytes);
    return std::move(*bytes);
}

inline Digest unhex_digest(const std::string& text) {
    auto digest = Digest::from_hex(text);
    SAT_ASSERT(digest);
    return *digest;
}

inline SecretBytes unhex_secret(const std::string& text) { return SecretBytes(unhex(text)); }

inline Path own_vector_path(const std::string& name) { return Path(SAT_SOURCE_DIR) / "tests" / "vectors" / name; }

// tests/vectors/<name>; throws, and so fails the test, where it is missing or no JSON.
inline nlohmann::json own_vectors(const std::string& name) {
    std::ifstream file(own_vector_path(name), std::ios::binary);
    return nlohmann::json::parse(file);
}

// tests/vectors/keys/test-<name>.pem.
inline KeyHandle own_test_key(const std::string& name) {
    auto pem = read_file(own_vector_path("keys/test-" + name + ".pem"), 10'000);
    SAT_ASSERT(pem);
    auto key = decode_private_key(*pem, nullptr);
    SAT_ASSERT(key);
    return std::move(*key);
}

// SAT_FULL=1: what is a sample by default runs in full.
inline bool run_in_full() {
    const char* value = std::getenv("SAT_FULL");
    return value != nullptr && std::string(value) == "1";
}

inline constexpr UnixTime kTestTime = 1'790'000'000;

inline HandshakeParty make_vault(const std::string& name) {
    const KemPrivateKey& kem = test_kem_key(name);
    return {make_identity(IdentityKind::vault, test_signing_key(name), kem.public_key(),
                          test_log_key(name).public_key(), kTestTime),
            kem};
}

inline HandshakeParty make_user(const std::string& name) {
    const KemPrivateKey& kem = test_kem_key(name);
    return {make_identity(IdentityKind::user, test_signing_key(name), kem.public_key(), std::nullopt, kTestTime), kem};
}

inline const HandshakeParty& test_vault() {
    static const HandshakeParty party = make_vault("vault");
    return party;
}

inline const HandshakeParty& test_client() {
    static const HandshakeParty party = make_user("collector");
    return party;
}

inline ServerHelloExt test_server_ext() { return {kTestTime, {1 << 20, 65'536}, std::nullopt}; }

// The length bytes, and the body, whatever they are.
inline Bytes raw_frame(ByteView body) { return concat({u32_bytes(static_cast<std::uint32_t>(body.size())), body}); }

inline Bytes flipped(ByteView bytes, std::size_t at, unsigned bit = 0) {
    Bytes out = to_bytes(bytes);
    out[at] ^= static_cast<std::byte>(1U << bit);
    return out;
}

}  // namespace sat
