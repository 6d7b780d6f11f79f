// SPDX-License-Identifier: Apache-2.0
#include "ledger/jws.h"

#include <algorithm>

#include "base/assert.h"
#include "crypto/hash.h"

namespace sat {

namespace {

constexpr std::string_view kTypePrefix = "sat-";
constexpr std::string_view kTypeSuffix = "+jws";
constexpr std::size_t kEd25519Signature = 64;
constexpr std::size_t kMaxType = 32;

std::string_view algorithm_name(JwsAlgorithm algorithm) noexcept {
    return algorithm == JwsAlgorithm::ps256 ? "PS256" : "EdDSA";
}

bool is_type(std::string_view type) noexcept {
    return !type.empty() && type.size() <= kMaxType &&
           std::all_of(type.begin(), type.end(), [](char character) { return character >= 'a' && character <= 'z'; });
}

std::string header_text(JwsAlgorithm algorithm, std::string_view type, const KeyId& kid) {
    std::string text = R"({"alg":")";
    text += algorithm_name(algorithm);
    text += R"(","typ":")";
    text += kTypePrefix;
    text += type;
    text += kTypeSuffix;
    text += R"(","kid":")" + kid.hex() + R"("})";
    return text;
}

bool signature_fits(JwsAlgorithm algorithm, std::size_t size) noexcept {
    if (algorithm == JwsAlgorithm::eddsa) return size == kEd25519Signature;
    return size == kMinRsaBlock || size == kMaxRsaBlock;
}

tl::unexpected<Error> refuse(const char* why) { return fail(Errc::bad_statement, why); }

// Removes `prefix` from the front of `text`; false if it does not stand there.
bool skip(std::string_view& text, std::string_view prefix) noexcept {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

// The header's three values; the caller compares the whole against header_text().
bool read_header(std::string_view text, Jws& out) {
    if (skip(text, R"({"alg":"PS256","typ":")"))
        out.algorithm = JwsAlgorithm::ps256;
    else if (skip(text, R"({"alg":"EdDSA","typ":")"))
        out.algorithm = JwsAlgorithm::eddsa;
    else
        return false;
    if (!skip(text, kTypePrefix)) return false;
    const std::size_t end = text.find(kTypeSuffix);
    if (end == std::string_view::npos || !is_type(text.substr(0, end))) return false;
    out.type = text.substr(0, end);
    text.remove_prefix(end + kTypeSuffix.size());
    if (!skip(text, R"(","kid":")")) return false;
    const auto kid = Digest::from_hex(text.substr(0, 2 * Digest::kSize));
    if (!kid) return false;
    out.kid = *kid;
    return true;
}

std::string signing_input_of(JwsAlgorithm algorithm, std::string_view type, const KeyId& kid,
                             std::string_view payload) {
    SAT_ASSERT(is_type(type));
    return to_base64url(as_bytes(header_text(algorithm, type, kid))) + '.' + to_base64url(as_bytes(payload));
}

template <typename Key>
std::string sign_with(JwsAlgorithm algorithm, std::string_view type, std::string_view payload, const Key& key) {
    std::string text = signing_input_of(algorithm, type, key.public_key().id(), payload);
    const Bytes signature = key.sign(as_bytes(text));
    text += '.';
    text += to_base64url(signature);
    return text;
}

}  // namespace

Result<Jws> parse_jws(std::string_view text) {
    if (text.size() > kMaxJwsSize) return refuse("the statement is too long");
    const std::size_t first = text.find('.');
    if (first == std::string_view::npos) return refuse("not a compact JWS");
    const std::size_t second = text.find('.', first + 1);
    if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos)
        return refuse("not a compact JWS");

    const auto header = from_base64url(text.substr(0, first));
    const auto payload = from_base64url(text.substr(first + 1, second - first - 1));
    auto signature = from_base64url(text.substr(second + 1));
    if (!header || !payload || !signature) return refuse("a part of the JWS is not base64url");

    Jws jws;
    if (!read_header(as_text(*header), jws) || as_text(*header) != header_text(jws.algorithm, jws.type, jws.kid))
        return refuse("the JWS header is not a statement's");
    if (!signature_fits(jws.algorithm, signature->size())) return refuse("the signature has a wrong size");
    jws.payload = to_string(*payload);
    jws.signing_input = text.substr(0, second);
    jws.signature = std::move(*signature);
    jws.id = sha256(as_bytes(jws.signing_input));
    return jws;
}

std::string sign_jws(std::string_view type, std::string_view payload, const SigningKey& key) {
    return sign_with(JwsAlgorithm::ps256, type, payload, key);
}

std::string sign_jws(std::string_view type, std::string_view payload, const LogKey& key) {
    return sign_with(JwsAlgorithm::eddsa, type, payload, key);
}

bool verify_jws(const Jws& jws, const VerifyKey& key) {
    return jws.algorithm == JwsAlgorithm::ps256 && jws.kid == key.id() &&
           key.verify(as_bytes(jws.signing_input), jws.signature);
}

bool verify_jws(const Jws& jws, const LogVerifyKey& key) {
    return jws.algorithm == JwsAlgorithm::eddsa && jws.kid == key.id() &&
           key.verify(as_bytes(jws.signing_input), jws.signature);
}

}  // namespace sat
