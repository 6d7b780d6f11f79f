// Compact JWS (RFC 7515) in the one shape that the protocol has: the protected header is byte for byte
//     {"alg":"PS256"|"EdDSA","typ":"sat-<t>+jws","kid":"<64 hex>"}
// and nothing of it is negotiable.  docs/protocol.md, "Statements".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/keys.h"

namespace sat {

inline constexpr std::size_t kMaxJwsSize = 48 * 1024;  // a registration with every text at its limit fits

enum class JwsAlgorithm {
    ps256,  // people, with `sign` (RFC 7518, 3.5)
    eddsa,  // the vault, with `log` (RFC 8037)
};

struct Jws {
    JwsAlgorithm algorithm = JwsAlgorithm::ps256;
    std::string type;           // <t> of sat-<t>+jws
    KeyId kid;                  // of the key that is said to have signed; proves nothing
    std::string payload;        // decoded, of any content
    std::string signing_input;  // ASCII header.payload
    Bytes signature;
    StatementId id;  // SHA-256 of signing_input: PSS is randomised, so a signature names nothing
};

// Structure only, no signature is checked.  bad_statement unless it is exactly three parts of strict base64url, the
// header as above, the signature of a size that the algorithm has, and at most kMaxJwsSize characters.
Result<Jws> parse_jws(std::string_view text);

// `type` is <t>, lower-case ASCII letters (asserted).
std::string sign_jws(std::string_view type, std::string_view payload, const SigningKey& key);
std::string sign_jws(std::string_view type, std::string_view payload, const LogKey& key);

// False too where the algorithm or the kid is not this key's.
[[nodiscard]] bool verify_jws(const Jws& jws, const VerifyKey& key);
[[nodiscard]] bool verify_jws(const Jws& jws, const LogVerifyKey& key);

}  // namespace sat
