// Identity documents and their chains: which keys a wallet has.  A wallet is the key_id of its first `sign` key;
// document n+1 is signed by document n's.  docs/protocol.md, "Keys and identities".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/codec.h"
#include "base/json.h"
#include "base/time.h"
#include "crypto/keys.h"

namespace sat {

inline constexpr std::size_t kMaxChainDocuments = 4;
// A vault's document with two RSA-4096 keys has about 3,300 bytes; four of these fit a 16,384-byte hello.
inline constexpr std::size_t kMaxIdentityDocument = 4000;

enum class IdentityKind { user, vault };
std::string_view identity_kind_name(IdentityKind kind) noexcept;  // "user", "vault"

struct IdentityDocument {
    Wallet wallet;
    IdentityKind kind = IdentityKind::user;
    VerifyKey sign;
    KemPublicKey kem;
    std::optional<LogVerifyKey> log;  // a vault has one, a user none
    std::uint32_t seq = 0;
    std::optional<StatementId> prev;  // null at seq 0
    UnixTime iat = 0;
};

// Signs `document` with `key`: its own `sign` key at seq 0, the preceding document's afterwards (asserted at seq 0).
std::string sign_identity(const IdentityDocument& document, const SigningKey& key);

// One to four documents, oldest first, verified.  Immutable; may be shared by threads.
class IdentityChain {
public:
    // u8 count | count x vec16, and nothing behind it.  What parses encodes to the same bytes.
    // bad_statement: structure, wallet, seq, prev, kind; bad_signature; key_policy: a key outside the policy, or one
    // key in two roles.  EVP_PKEY_public_check is check_keys().
    static Result<IdentityChain> parse(ByteView bytes);
    // The same from the front of what `in` still has; a truncated input is malformed.
    static Result<IdentityChain> read(ByteReader& in);
    // From a JSON array of compact JWS strings.
    static Result<IdentityChain> from_json(const Json& array);
    static Result<IdentityChain> from_documents(std::span<const std::string> documents);

    Bytes encode() const;
    Json to_json() const;

    const Wallet& wallet() const noexcept { return documents_.front().wallet; }
    IdentityKind kind() const noexcept { return documents_.front().kind; }
    // Of the newest document.
    std::uint32_t seq() const noexcept { return documents_.back().seq; }
    const VerifyKey& sign_key() const noexcept { return documents_.back().sign; }
    const KemPublicKey& kem_key() const noexcept { return documents_.back().kem; }
    const std::optional<LogVerifyKey>& log_key() const noexcept { return documents_.back().log; }
    const StatementId& newest_id() const noexcept { return ids_.back(); }

    // A key that any document of the chain names: signatures of before a rotation stay good.  Null if none does;
    // lives as long as the chain.
    const VerifyKey* find_sign_key(const KeyId& kid) const noexcept;
    const LogVerifyKey* find_log_key(const KeyId& kid) const noexcept;

    const std::vector<IdentityDocument>& documents() const noexcept { return documents_; }
    // Compact JWS texts and statement ids, in the documents' order.
    const std::vector<std::string>& texts() const noexcept { return texts_; }
    const std::vector<StatementId>& ids() const noexcept { return ids_; }

    // EVP_PKEY_public_check of every RSA key, about 9 ms each: once for each new chain.  key_policy.
    Result<void> check_keys() const;
    // "SHA256:<wallet>", as clients pin it and people compare it.
    std::string fingerprint() const { return "SHA256:" + wallet().hex(); }

private:
    IdentityChain() = default;

    std::vector<IdentityDocument> documents_;
    std::vector<std::string> texts_;
    std::vector<StatementId> ids_;
};

// A new identity: one document, seq 0.  `log` exactly where kind is vault (asserted).
IdentityChain make_identity(IdentityKind kind, const SigningKey& sign, const KemPublicKey& kem,
                            const std::optional<LogVerifyKey>& log, UnixTime iat);

// Whether the chain takes one more document.
inline bool can_extend(const IdentityChain& chain) noexcept { return chain.documents().size() < kMaxChainDocuments; }
// The chain and one document more, of new keys, signed by `signer`: the chain's newest `sign` key (asserted); `log`
// stays. forbidden: the chain is full.
Result<IdentityChain> extend_identity(const IdentityChain& chain, const SigningKey& signer, const VerifyKey& sign,
                                      const KemPublicKey& kem, UnixTime iat);

// How an offered chain stands to the one that is known for the same party.
enum class ChainOrder {
    same,         // the same newest document
    newer,        // goes on from it: keep the offered one
    rolled_back,  // a lower seq: a changed key
    other,        // another wallet, or another document of the same seq: a changed key
};
ChainOrder compare_chains(const IdentityChain& known, const IdentityChain& offered) noexcept;

}  // namespace sat
