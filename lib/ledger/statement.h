// Signed statements: what the parties say to each other for good.  Each is a compact JWS whose payload has exactly
// the members of its type; a type is signed by people (PS256) or by the vault (EdDSA), never by either.
// docs/protocol.md, "Statements", has the table of members and limits.
//
// parse_statement() checks structure and limits, verify() the signature; nothing here knows a clock or a work's state.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "ledger/artwork_id.h"
#include "ledger/identity.h"
#include "ledger/jws.h"
#include "ledger/merkle.h"

namespace sat {

inline constexpr std::size_t kMaxTitle = 200;         // code points
inline constexpr std::size_t kMaxArtist = 200;        // code points
inline constexpr std::size_t kMaxDescription = 4000;  // code points
inline constexpr std::size_t kMaxFilePath = 255;      // bytes
inline constexpr std::size_t kMaxReason = 280;        // code points
inline constexpr std::size_t kMaxPreviewSize = 65536;
inline constexpr std::int64_t kMaxPixels = 2147483647;  // of a side
inline constexpr std::int64_t kMaxCopies = 2;           // the vault's directory and its duplicate
// A registration may be kMaxJwsSize; every other statement is this at most, so that the three of a transfer fit a
// leaf entry whatever white space their signers put in.
inline constexpr std::size_t kMaxShortJws = 16 * 1024;

// "image/jpeg", "image/png", "image/tiff", "image/webp", "image/gif", "image/avif".
bool is_media_type(std::string_view text) noexcept;
// A file's name without its directory: 1 to 255 bytes of UTF-8, no '/', no NUL, not "." or "..".
bool is_base_name(std::string_view text) noexcept;

using StatementNonce = std::array<std::byte, 16>;

// The members that every statement has, besides "v":1.
struct StatementBase {
    Wallet iss;
    Wallet vault;
    StatementNonce nonce{};
    UnixTime iat = 0;              // shown, never judged
    std::optional<TreeHead> seen;  // the newest of this vault that the signer has verified
    bool operator==(const StatementBase&) const = default;
};

struct PersonStatement : StatementBase {
    static constexpr JwsAlgorithm kAlgorithm = JwsAlgorithm::ps256;
    static constexpr std::size_t kMaxSize = kMaxShortJws;
    bool operator==(const PersonStatement&) const = default;
};

// `iss` and `vault` are both the vault.
struct VaultStatement : StatementBase {
    static constexpr JwsAlgorithm kAlgorithm = JwsAlgorithm::eddsa;
    static constexpr std::size_t kMaxSize = kMaxShortJws;
    bool operator==(const VaultStatement&) const = default;
};

enum class ReleasePolicy {
    original,  // any collector may request the image
    preview,   // before owning it, only the preview
};
std::string_view release_policy_name(ReleasePolicy policy) noexcept;

struct PreviewInfo {
    Digest sha256;
    std::uint64_t bytes = 0;                // 1 to kMaxPreviewSize
    std::string media_type = "image/jpeg";  // and nothing else
    bool operator==(const PreviewInfo&) const = default;
};

struct Registration : PersonStatement {
    static constexpr std::string_view kType = "register";
    static constexpr std::size_t kMaxSize = kMaxJwsSize;
    ArtworkId artwork;
    std::string title;  // not empty
    std::string description;
    std::string artist;
    std::string creation_date;  // "" or YYYY[-MM[-DD]]
    std::string file_path;      // base name
    std::string media_type;
    std::uint64_t bytes = 0;   // 1 to 2^52
    std::uint32_t width = 0;   // 1 to 2^31-1
    std::uint32_t height = 0;  // 1 to 2^31-1
    Digest sha256;
    ReleasePolicy release = ReleasePolicy::original;
    std::optional<PreviewInfo> preview;
    bool operator==(const Registration&) const = default;
};

struct Claim : PersonStatement {
    static constexpr std::string_view kType = "claim";
    ArtworkId artwork;
    LeafHash head;
    std::uint64_t seq = 0;
    Wallet owner;  // whom the work is claimed from
    UnixTime exp = 0;
    std::optional<Digest> text_commit;
    bool operator==(const Claim&) const = default;
};

struct Answer : PersonStatement {
    static constexpr std::string_view kType = "answer";
    ArtworkId artwork;
    LeafHash head;
    std::uint64_t seq = 0;
    StatementId claim;
    Wallet to;
    bool yes = false;             // "yes" or "no"
    std::optional<UnixTime> exp;  // a yes has one, a no has none
    std::optional<Digest> text_commit;
    bool operator==(const Answer&) const = default;
};

struct Accept : PersonStatement {
    static constexpr std::string_view kType = "accept";
    ArtworkId artwork;
    LeafHash head;
    std::uint64_t seq = 0;
    StatementId claim;
    StatementId answer;
    Digest metadata_commit;
    bool operator==(const Accept&) const = default;
};

struct Withdraw : PersonStatement {
    static constexpr std::string_view kType = "withdraw";
    ArtworkId artwork;
    StatementId claim;
    bool operator==(const Withdraw&) const = default;
};

// The operator stops a work from being served and transferred.
struct Hold : VaultStatement {
    static constexpr std::string_view kType = "hold";
    ArtworkId artwork;
    LeafHash on;         // the work's present head
    std::string reason;  // 1 to kMaxReason code points
    bool operator==(const Hold&) const = default;
};

// And lets it go again.
struct Release : VaultStatement {
    static constexpr std::string_view kType = "release";
    ArtworkId artwork;
    LeafHash on;
    std::string reason;
    bool operator==(const Release&) const = default;
};

// Who owned a work at a tree head.
struct Head : VaultStatement {
    static constexpr std::string_view kType = "head";
    ArtworkId artwork;
    LeafHash head;
    std::uint64_t seq = 0;
    Wallet owner;
    std::uint64_t leaves = 0;  // of the work, among the first `size`: 1 to kMaxTreeSize
    TreeHead tree;             // members `size` and `root`
    bool operator==(const Head&) const = default;
};

enum class ReceiptStatus {
    registered,
    completed,
};
std::string_view receipt_status_name(ReceiptStatus status) noexcept;

struct Receipt : VaultStatement {
    static constexpr std::string_view kType = "receipt";
    StatementId of;  // the registration, or the accept
    ReceiptStatus status = ReceiptStatus::registered;
    int copies = 1;  // places where the work lies: 1 to kMaxCopies
    LeafHash leaf;
    bool operator==(const Receipt&) const = default;
};

template <typename T>
concept SignedByPerson = std::derived_from<T, PersonStatement>;
template <typename T>
concept SignedByVault = std::derived_from<T, VaultStatement>;
template <typename T>
concept AnyStatement = SignedByPerson<T> || SignedByVault<T>;

// A T with its common members filled in: a fresh nonce, `seen` null.
template <AnyStatement T>
T make_statement(const Wallet& iss, const Wallet& vault, UnixTime iat);

// bad_statement, naming the member, unless every limit of the type is kept.  For what a person typed, before it
// is signed.
template <AnyStatement T>
Result<void> check_limits(const T& body);

// A statement as it came: its members, its name, and the text that carries the signature.
template <AnyStatement T>
struct Signed {
    T body;
    StatementId id;
    KeyId kid;
    std::string jws;
};

// The compact JWS.  Asserts check_limits().
template <SignedByPerson T>
std::string sign(const T& body, const SigningKey& key);
template <SignedByVault T>
std::string sign(const T& body, const LogKey& key);

// Structure and limits: bad_statement.  No signature is checked.
template <AnyStatement T>
Result<Signed<T>> parse_statement(std::string_view text);

// bad_signature unless `signer` is the chain of `iss`, of the kind that signs this type, names the kid's key, and
// that key signed it.
template <AnyStatement T>
Result<void> verify(const Signed<T>& statement, const IdentityChain& signer);

// parse_statement() and verify() in one.
template <AnyStatement T>
Result<Signed<T>> parse_and_verify(std::string_view jws, const IdentityChain& signer) {
    SAT_TRY_VALUE(auto statement, parse_statement<T>(jws));
    SAT_TRY(verify(statement, signer));
    return statement;
}

}  // namespace sat
