// SPDX-License-Identifier: Apache-2.0
#include "ledger/identity.h"

#include <algorithm>
#include <set>

#include "base/assert.h"
#include "ledger/jws.h"
#include "ledger/vkey.h"

namespace sat {

namespace {

constexpr std::string_view kType = "identity";
constexpr std::size_t kMaxVkey = 200;  // a vault's has 128 characters

tl::unexpected<Error> refuse(const char* why) { return fail(Errc::bad_statement, why); }

// One document on its own; `jws` is its parsed envelope.
Result<IdentityDocument> read_document(const Jws& jws) {
    const auto json = parse_json(jws.payload);
    if (!json) return refuse("the identity is not JSON as the protocol takes it");
    ObjectReader in(*json, Errc::bad_statement);
    IdentityDocument document;
    in.integer("v", 1, 1);
    document.wallet = in.digest("wallet");
    const std::string kind = in.text("kind", 8);
    const Bytes sign = in.bytes("sign", 1, kMaxSpkiSize);
    const Bytes kem = in.bytes("kem", 1, kMaxSpkiSize);
    const std::optional<std::string> log = in.text_or_null("log", kMaxVkey);
    document.seq = static_cast<std::uint32_t>(in.integer("seq", 0, kMaxChainDocuments - 1));
    document.prev = in.digest_or_null("prev");
    document.iat = in.integer("iat", 0, kJsonMaxInteger);
    if (kind == "vault")
        document.kind = IdentityKind::vault;
    else if (kind != "user")
        in.refuse("kind", "neither user nor vault");
    if (log.has_value() != (document.kind == IdentityKind::vault)) in.refuse("log", "a vault has one, a user none");
    SAT_TRY(in.finish());

    SAT_TRY_VALUE(document.sign, VerifyKey::from_spki(sign));
    SAT_TRY_VALUE(document.kem, KemPublicKey::from_spki(kem));
    if (log) {
        SAT_TRY_VALUE(document.log, parse_vkey(*log, vault_note_name(document.wallet)));
    }
    return document;
}

// No key may stand in both roles anywhere in the chain.
bool roles_are_apart(const std::vector<IdentityDocument>& documents) {
    return std::none_of(documents.begin(), documents.end(), [&](const IdentityDocument& signer) {
        return std::any_of(documents.begin(), documents.end(),
                           [&](const IdentityDocument& other) { return signer.sign.id() == other.kem.id(); });
    });
}

}  // namespace

std::string_view identity_kind_name(IdentityKind kind) noexcept {
    return kind == IdentityKind::vault ? "vault" : "user";
}

std::string sign_identity(const IdentityDocument& document, const SigningKey& key) {
    SAT_ASSERT(document.seq > 0 || key.public_key().id() == document.sign.id());
    Json json;
    json["v"] = 1;
    json["wallet"] = document.wallet.hex();
    json["kind"] = identity_kind_name(document.kind);
    json["sign"] = to_base64url(document.sign.spki());
    json["kem"] = to_base64url(document.kem.spki());
    json["log"] = document.log ? Json(encode_vkey(vault_note_name(document.wallet), *document.log)) : Json(nullptr);
    json["seq"] = document.seq;
    json["prev"] = document.prev ? Json(document.prev->hex()) : Json(nullptr);
    json["iat"] = document.iat;
    return sign_jws(kType, dump_json(json), key);
}

Result<IdentityChain> IdentityChain::from_documents(std::span<const std::string> documents) {
    if (documents.empty() || documents.size() > kMaxChainDocuments)
        return refuse("an identity chain has one to four documents");
    IdentityChain chain;
    for (const std::string& text : documents) {
        if (text.size() > kMaxIdentityDocument) return refuse("the identity document is too long");
        SAT_TRY_VALUE(const Jws jws, parse_jws(text));
        if (jws.type != kType) return refuse("not an identity document");
        SAT_TRY_VALUE(auto document, read_document(jws));
        const bool first = chain.documents_.empty();
        if (document.seq != chain.documents_.size()) return refuse("the identity chain's seq does not count up from 0");
        if (first ? document.prev.has_value() : document.prev != chain.ids_.back())
            return refuse("an identity document does not name the one before it");
        if (document.wallet != (first ? document.sign.id() : chain.wallet()))
            return refuse("the wallet is not the first signing key's");
        if (!first && document.kind != chain.kind()) return refuse("the identity's kind changes");
        if (!first && document.log && document.log->id() != chain.log_key()->id())
            return refuse("the vault's log key changes");
        if (!verify_jws(jws, first ? document.sign : chain.sign_key()))
            return fail(Errc::bad_signature, "the identity's signature is wrong");
        chain.documents_.push_back(std::move(document));
        chain.texts_.push_back(text);
        chain.ids_.push_back(jws.id);
    }
    if (!roles_are_apart(chain.documents_))
        return fail(Errc::key_policy, "one key stands for signing and for wrapping");
    return chain;
}

Result<IdentityChain> IdentityChain::read(ByteReader& in) {
    const std::size_t count = in.u8();
    if (count == 0 || count > kMaxChainDocuments) return refuse("an identity chain has one to four documents");
    std::vector<std::string> documents;
    for (std::size_t i = 0; i < count; ++i) documents.push_back(to_string(in.vec16(1, kMaxIdentityDocument)));
    if (!in.ok()) return fail(Errc::malformed, "the identity chain is cut off or too long");
    return from_documents(documents);
}

Result<IdentityChain> IdentityChain::parse(ByteView bytes) {
    ByteReader in(bytes);
    auto chain = read(in);
    if (!chain && chain.error().code == Errc::malformed) return refuse("the identity chain is cut off or too long");
    if (chain && in.remaining() != 0) return refuse("something stands behind the identity chain");
    return chain;
}

Result<IdentityChain> IdentityChain::from_json(const Json& array) {
    if (!array.is_array() || array.size() > kMaxChainDocuments)
        return refuse("an identity chain is an array of one to four strings");
    std::vector<std::string> documents;
    for (const Json& document : array) {
        if (!document.is_string()) return refuse("an identity chain is an array of one to four strings");
        documents.push_back(document.get<std::string>());
    }
    return from_documents(documents);
}

Bytes IdentityChain::encode() const {
    ByteWriter out;
    out.u8(static_cast<std::uint8_t>(texts_.size()));
    for (const std::string& text : texts_) out.vec16(as_bytes(text));
    return out.take();
}

Json IdentityChain::to_json() const {
    Json array = Json::array();
    for (const std::string& text : texts_) array.push_back(text);
    return array;
}

const VerifyKey* IdentityChain::find_sign_key(const KeyId& kid) const noexcept {
    for (const IdentityDocument& document : documents_)
        if (document.sign.id() == kid) return &document.sign;
    return nullptr;
}

const LogVerifyKey* IdentityChain::find_log_key(const KeyId& kid) const noexcept {
    const std::optional<LogVerifyKey>& log = log_key();
    return log && log->id() == kid ? &*log : nullptr;
}

Result<void> IdentityChain::check_keys() const {
    std::set<KeyId> checked;
    for (const IdentityDocument& document : documents_) {
        if (checked.insert(document.sign.id()).second) SAT_TRY(document.sign.check());
        if (checked.insert(document.kem.id()).second) SAT_TRY(document.kem.check());
    }
    return {};
}

IdentityChain make_identity(IdentityKind kind, const SigningKey& sign, const KemPublicKey& kem,
                            const std::optional<LogVerifyKey>& log, UnixTime iat) {
    SAT_ASSERT(log.has_value() == (kind == IdentityKind::vault));
    IdentityDocument document;
    document.wallet = sign.public_key().id();
    document.kind = kind;
    document.sign = sign.public_key();
    document.kem = kem;
    document.log = log;
    document.iat = iat;
    const std::string text = sign_identity(document, sign);
    auto chain = IdentityChain::from_documents(std::span(&text, 1));
    SAT_ASSERT(chain.has_value());
    return std::move(*chain);
}

Result<IdentityChain> extend_identity(const IdentityChain& chain, const SigningKey& signer, const VerifyKey& sign,
                                      const KemPublicKey& kem, UnixTime iat) {
    SAT_ASSERT(signer.public_key().id() == chain.sign_key().id());
    if (!can_extend(chain))
        return fail(Errc::forbidden, "the identity has four documents, and takes no more",
                    "these keys stay as they are; others need a new wallet");
    IdentityDocument document = chain.documents().back();
    document.sign = sign;
    document.kem = kem;
    document.seq += 1;
    document.prev = chain.newest_id();
    document.iat = iat;
    std::vector<std::string> texts = chain.texts();
    texts.push_back(sign_identity(document, signer));
    auto longer = IdentityChain::from_documents(texts);
    SAT_ASSERT(longer.has_value());
    return longer;
}

ChainOrder compare_chains(const IdentityChain& known, const IdentityChain& offered) noexcept {
    if (offered.wallet() != known.wallet()) return ChainOrder::other;
    if (offered.seq() < known.seq()) return ChainOrder::rolled_back;
    // A document names the one before it, so the newest known id stands for the whole known chain.
    if (offered.ids()[known.seq()] != known.newest_id()) return ChainOrder::other;
    return offered.seq() == known.seq() ? ChainOrder::same : ChainOrder::newer;
}

}  // namespace sat
