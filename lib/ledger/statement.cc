// Each type's members stand once, in its visit_members(): the Writer makes the JSON from them, the Reader takes them
// from JSON and judges the limits.
// SPDX-License-Identifier: Apache-2.0
#include "ledger/statement.h"

#include <algorithm>
#include <span>
#include <type_traits>

#include "base/assert.h"
#include "base/text.h"
#include "crypto/random.h"
#include "envelope/envelope.h"

namespace sat {

namespace {

constexpr std::array<std::string_view, 6> kMediaTypes = {"image/jpeg", "image/png", "image/tiff",
                                                         "image/webp", "image/gif", "image/avif"};
constexpr std::string_view kPreviewType = "image/jpeg";
constexpr std::size_t kMaxWord = 64;  // code points of a member that is one word

// One name of an enumerator.
template <typename E>
struct Word {
    E value;
    std::string_view name;
};
constexpr std::array<Word<bool>, 2> kAnswers = {{{true, "yes"}, {false, "no"}}};
constexpr std::array<Word<ReleasePolicy>, 2> kReleasePolicies = {
    {{ReleasePolicy::original, "original"}, {ReleasePolicy::preview, "preview"}}};
constexpr std::array<Word<ReceiptStatus>, 2> kReceiptStatuses = {
    {{ReceiptStatus::registered, "registered"}, {ReceiptStatus::completed, "completed"}}};

template <typename E, std::size_t N>
constexpr std::string_view name_of(const std::array<Word<E>, N>& words, E value) noexcept {
    for (const auto& word : words)
        if (word.value == value) return word.name;
    return words.front().name;
}

class Writer {
public:
    void integer(const char* name, auto value, std::int64_t, std::int64_t) { json_[name] = value; }
    void integer_or_null(const char* name, const auto& value, std::int64_t, std::int64_t) {
        json_[name] = value ? Json(*value) : Json(nullptr);
    }
    void text(const char* name, const std::string& value, std::size_t) { json_[name] = value; }
    void digest(const char* name, const Digest& value) { json_[name] = value.hex(); }
    void digest_or_null(const char* name, const std::optional<Digest>& value) {
        json_[name] = value ? Json(value->hex()) : Json(nullptr);
    }
    void artwork(const char* name, const ArtworkId& value) { json_[name] = value.view(); }
    void nonce(const char* name, const StatementNonce& value) { json_[name] = to_base64url(value); }
    template <typename E, std::size_t N>
    void word(const char* name, E value, const std::array<Word<E>, N>& words) {
        json_[name] = name_of(words, value);
    }
    template <typename T>
    void object_or_null(const char* name, const std::optional<T>& value, auto members) {
        if (!value) {
            json_[name] = nullptr;
            return;
        }
        Writer inner;
        members(inner, *value);
        json_[name] = std::move(inner.json_);
    }
    void rule(const char*, bool, const char*) {}

    Json take() { return std::move(json_); }

private:
    Json json_ = Json::object();
};

class Reader {
public:
    explicit Reader(const Json& json) : in_(json, Errc::bad_statement) {}

    template <typename N>
    void integer(const char* name, N& value, std::int64_t min, std::int64_t max) {
        value = static_cast<N>(in_.integer(name, min, max));
    }
    void integer_or_null(const char* name, std::optional<UnixTime>& value, std::int64_t min, std::int64_t max) {
        value = in_.integer_or_null(name, min, max);
    }
    void text(const char* name, std::string& value, std::size_t max_code_points) {
        value = in_.text(name, max_code_points);
        rule(name, is_utf8(value), "not UTF-8");
    }
    void digest(const char* name, Digest& value) { value = in_.digest(name); }
    void digest_or_null(const char* name, std::optional<Digest>& value) { value = in_.digest_or_null(name); }
    void artwork(const char* name, ArtworkId& value) {
        const auto id = ArtworkId::from_canonical(in_.text(name, ArtworkId::kSize));
        rule(name, id.has_value(), "not an artwork ID");
        if (id) value = *id;
    }
    void nonce(const char* name, StatementNonce& value) {
        const Bytes bytes = in_.bytes(name, value.size(), value.size());
        if (bytes.size() == value.size()) std::copy(bytes.begin(), bytes.end(), value.begin());
    }
    template <typename E, std::size_t N>
    void word(const char* name, E& value, const std::array<Word<E>, N>& words) {
        const std::string text = in_.text(name, kMaxWord);
        for (const auto& word : words) {
            if (word.name != text) continue;
            value = word.value;
            return;
        }
        in_.refuse(name, "not one of its words");
    }
    template <typename T>
    void object_or_null(const char* name, std::optional<T>& value, auto members) {
        const Json& json = in_.value(name);
        if (!in_.ok() || json.is_null()) return;
        Reader inner(json);
        members(inner, value.emplace());
        if (!inner.finish()) in_.refuse(name, "not as documented");
    }
    // The first refusal stands, so that a rule about a member that was not there says nothing more.
    void rule(const char* name, bool holds, const char* why) {
        if (!holds) in_.refuse(name, why);
    }

    Result<void> finish() { return in_.finish(); }

private:
    ObjectReader in_;
};

constexpr std::int64_t kMax = kJsonMaxInteger;

constexpr std::int64_t kMaxTree = kMaxTreeSize;

void visit_tree_head(auto& v, auto& head) {
    v.integer("size", head.size, 0, kMaxTree);
    v.digest("root", head.root);
}

void visit_preview(auto& v, auto& preview) {
    v.digest("sha256", preview.sha256);
    v.integer("bytes", preview.bytes, 1, std::int64_t{kMaxPreviewSize});
    v.text("media_type", preview.media_type, kMaxWord);
    v.rule("media_type", preview.media_type == kPreviewType, "a preview is image/jpeg");
}

void visit_common(auto& v, auto& body) {
    v.digest("iss", body.iss);
    v.digest("vault", body.vault);
    v.nonce("nonce", body.nonce);
    v.integer("iat", body.iat, 0, kMax);
    v.object_or_null("seen", body.seen, [](auto& inner, auto& seen) { visit_tree_head(inner, seen); });
}

template <typename T, typename Body>
concept Is = std::same_as<std::remove_const_t<T>, Body>;

template <Is<Registration> T>
void visit_members(auto& v, T& body) {
    v.artwork("artwork", body.artwork);
    v.text("title", body.title, kMaxTitle);
    v.rule("title", !body.title.empty(), "empty");
    v.text("description", body.description, kMaxDescription);
    v.text("artist", body.artist, kMaxArtist);
    v.text("creation_date", body.creation_date, kMaxWord);
    v.rule("creation_date", body.creation_date.empty() || is_creation_date(body.creation_date),
           "neither empty nor YYYY, YYYY-MM or YYYY-MM-DD");
    v.text("file_path", body.file_path, kMaxFilePath);
    v.rule("file_path", is_base_name(body.file_path), "not a file's base name");
    v.text("media_type", body.media_type, kMaxWord);
    v.rule("media_type", is_media_type(body.media_type), "not an image type of version 1");
    v.integer("bytes", body.bytes, 1, std::int64_t{kMaxPlaintextLength});
    v.integer("width", body.width, 1, kMaxPixels);
    v.integer("height", body.height, 1, kMaxPixels);
    v.digest("sha256", body.sha256);
    v.word("release", body.release, kReleasePolicies);
    v.object_or_null("preview", body.preview, [](auto& inner, auto& preview) { visit_preview(inner, preview); });
}

template <Is<Claim> T>
void visit_members(auto& v, T& body) {
    v.artwork("artwork", body.artwork);
    v.digest("head", body.head);
    v.integer("seq", body.seq, 0, kMax);
    v.digest("owner", body.owner);
    v.integer("exp", body.exp, 0, kMax);
    v.digest_or_null("text_commit", body.text_commit);
}

template <Is<Answer> T>
void visit_members(auto& v, T& body) {
    v.artwork("artwork", body.artwork);
    v.digest("head", body.head);
    v.integer("seq", body.seq, 0, kMax);
    v.digest("claim", body.claim);
    v.digest("to", body.to);
    v.word("answer", body.yes, kAnswers);
    v.integer_or_null("exp", body.exp, 0, kMax);
    v.rule("exp", body.exp.has_value() == body.yes, "a yes has one, a no has none");
    v.digest_or_null("text_commit", body.text_commit);
}

template <Is<Accept> T>
void visit_members(auto& v, T& body) {
    v.artwork("artwork", body.artwork);
    v.digest("head", body.head);
    v.integer("seq", body.seq, 0, kMax);
    v.digest("claim", body.claim);
    v.digest("answer", body.answer);
    v.digest("metadata_commit", body.metadata_commit);
}

template <Is<Withdraw> T>
void visit_members(auto& v, T& body) {
    v.artwork("artwork", body.artwork);
    v.digest("claim", body.claim);
}

template <typename T>
requires Is<T, Hold> || Is<T, Release>
void visit_members(auto& v, T& body) {
    v.artwork("artwork", body.artwork);
    v.digest("on", body.on);
    v.text("reason", body.reason, kMaxReason);
    v.rule("reason", !body.reason.empty(), "empty");
}

template <Is<Head> T>
void visit_members(auto& v, T& body) {
    v.artwork("artwork", body.artwork);
    v.digest("head", body.head);
    v.integer("seq", body.seq, 0, kMax);
    v.digest("owner", body.owner);
    v.integer("leaves", body.leaves, 1, kMaxTree);
    visit_tree_head(v, body.tree);
    v.rule("leaves", body.leaves <= body.tree.size, "more than the tree has");
}

template <Is<Receipt> T>
void visit_members(auto& v, T& body) {
    v.digest("of", body.of);
    v.word("status", body.status, kReceiptStatuses);
    v.integer("copies", body.copies, 1, kMaxCopies);
    v.digest("leaf", body.leaf);
}

template <typename T>
void visit_all(auto& v, T& body) {
    visit_common(v, body);
    visit_members(v, body);
    if constexpr (SignedByVault<std::remove_const_t<T>>) v.rule("vault", body.iss == body.vault, "not the signer");
}

template <AnyStatement T>
Json to_json(const T& body) {
    Writer out;
    out.integer("v", 1, 1, 1);
    visit_all(out, body);
    return out.take();
}

template <AnyStatement T>
Result<T> from_json(const Json& json) {
    Reader in(json);
    int version = 0;
    in.integer("v", version, 1, 1);
    T body;
    visit_all(in, body);
    SAT_TRY(in.finish());
    return body;
}

template <AnyStatement T, typename Key>
std::string sign_any(const T& body, const Key& key) {
    SAT_ASSERT(check_limits(body).has_value());
    return sign_jws(T::kType, dump_json(to_json(body)), key);
}

}  // namespace

bool is_media_type(std::string_view text) noexcept {
    return std::find(kMediaTypes.begin(), kMediaTypes.end(), text) != kMediaTypes.end();
}

bool is_base_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kMaxFilePath && text != "." && text != ".." &&
           text.find('/') == std::string_view::npos && text.find('\0') == std::string_view::npos && is_utf8(text);
}

std::string_view release_policy_name(ReleasePolicy policy) noexcept { return name_of(kReleasePolicies, policy); }
std::string_view receipt_status_name(ReceiptStatus status) noexcept { return name_of(kReceiptStatuses, status); }

template <AnyStatement T>
T make_statement(const Wallet& iss, const Wallet& vault, UnixTime iat) {
    T body;
    body.iss = iss;
    body.vault = vault;
    random_fill(body.nonce);
    body.iat = iat;
    return body;
}

template <AnyStatement T>
Result<void> check_limits(const T& body) {
    SAT_TRY(from_json<T>(to_json(body)));
    return {};
}

template <SignedByPerson T>
std::string sign(const T& body, const SigningKey& key) {
    return sign_any(body, key);
}

template <SignedByVault T>
std::string sign(const T& body, const LogKey& key) {
    return sign_any(body, key);
}

template <AnyStatement T>
Result<Signed<T>> parse_statement(std::string_view text) {
    if (text.size() > T::kMaxSize) return fail(Errc::bad_statement, "the statement is too long");
    SAT_TRY_VALUE(const Jws jws, parse_jws(text));
    if (jws.type != T::kType) return fail(Errc::bad_statement, "a statement of another type");
    if (jws.algorithm != T::kAlgorithm) return fail(Errc::bad_statement, "not the algorithm of the statement's type");
    const auto json = parse_json(jws.payload);
    if (!json) return fail(Errc::bad_statement, "the statement is not JSON as the protocol takes it");
    SAT_TRY_VALUE(T body, from_json<T>(*json));
    return Signed<T>{std::move(body), jws.id, jws.kid, std::string(text)};
}

template <AnyStatement T>
Result<void> verify(const Signed<T>& statement, const IdentityChain& signer) {
    constexpr IdentityKind kKind = SignedByVault<T> ? IdentityKind::vault : IdentityKind::user;
    if (signer.wallet() != statement.body.iss || signer.kind() != kKind)
        return fail(Errc::bad_signature, "the statement's signer is somebody else");
    const auto jws = parse_jws(statement.jws);
    SAT_ASSERT(jws && jws->id == statement.id);
    bool good = false;
    if constexpr (SignedByVault<T>) {
        const LogVerifyKey* key = signer.find_log_key(jws->kid);
        good = key != nullptr && verify_jws(*jws, *key);
    } else {
        const VerifyKey* key = signer.find_sign_key(jws->kid);
        good = key != nullptr && verify_jws(*jws, *key);
    }
    if (!good) return fail(Errc::bad_signature, "the statement's signature is wrong");
    return {};
}

// A list of instantiations, whose types take no parentheses.
// NOLINTBEGIN(cppcoreguidelines-macro-usage,bugprone-macro-parentheses)
#define SAT_INSTANTIATE(T, Key)                                           \
    template T make_statement<T>(const Wallet&, const Wallet&, UnixTime); \
    template Result<void> check_limits<T>(const T&);                      \
    template std::string sign<T>(const T&, const Key&);                   \
    template Result<Signed<T>> parse_statement<T>(std::string_view);      \
    template Result<void> verify<T>(const Signed<T>&, const IdentityChain&)
SAT_INSTANTIATE(Registration, SigningKey);
SAT_INSTANTIATE(Claim, SigningKey);
SAT_INSTANTIATE(Answer, SigningKey);
SAT_INSTANTIATE(Accept, SigningKey);
SAT_INSTANTIATE(Withdraw, SigningKey);
SAT_INSTANTIATE(Hold, LogKey);
SAT_INSTANTIATE(Release, LogKey);
SAT_INSTANTIATE(Head, LogKey);
SAT_INSTANTIATE(Receipt, LogKey);
#undef SAT_INSTANTIATE
// NOLINTEND(cppcoreguidelines-macro-usage,bugprone-macro-parentheses)

}  // namespace sat
