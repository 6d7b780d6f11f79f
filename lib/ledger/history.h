// A work's history, verified from its leaves alone: no vault, no clock, no database.
// docs/protocol.md, "The ledger".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ledger/identity.h"
#include "ledger/leaf.h"
#include "ledger/statement.h"

namespace sat {

// One owner of the work.
struct OwnershipRecord {
    std::uint64_t seq = 0;  // 0 at registration
    Wallet owner;
    std::optional<Wallet> from;  // nothing at registration
    UnixTime at = 0;
    LeafHash head;          // hash of the leaf that made the owner
    StatementId statement;  // the registration, or the accept
};

// While the operator held the work.
struct HeldSpan {
    UnixTime from = 0;
    std::optional<UnixTime> until;  // nothing: held still
    std::string reason;
};

struct History {
    Signed<Registration> registration;
    std::vector<OwnershipRecord> records;  // at least one, in order
    std::vector<HeldSpan> holds;

    const Wallet& owner() const noexcept { return records.back().owner; }
    const LeafHash& head() const noexcept { return records.back().head; }
    std::uint64_t seq() const noexcept { return records.back().seq; }
    bool held() const noexcept { return !holds.empty() && !holds.back().until; }
};

// The verified chain of a wallet, or null if there is none at hand.  The chain outlives the call.
using IdentityLookup = std::function<const IdentityChain*(const Wallet&)>;

// Verifies all of `artwork`'s leaves at `vault`, in order: the registration first, each transfer continuing from the
// owner, head and seq before it, three signatures by the right parties, its time before both exp, none while held;
// holds and releases in turns, on the head of their time. bad_statement: a leaf that contradicts another or itself (the
// message says how); bad_signature: one that its signer did not sign, or whose signer has no identity at hand.
Result<History> verify_history(const ArtworkId& artwork, const IdentityChain& vault, const IdentityLookup& identities,
                               std::span<const std::string> leaves);

// Where a work stands after a leaf.
struct WorkState {
    Wallet owner;
    LeafHash head;  // of the leaf that made the owner
    std::uint64_t seq = 0;
    bool held = false;
    bool operator==(const WorkState&) const = default;
};

// A leaf that goes on from where its work stood.
struct VerifiedLeaf {
    LeafType type = LeafType::registration;
    UnixTime at = 0;
    ArtworkId artwork;
    LeafHash hash;
    WorkState after;
    std::vector<StatementId> statements;               // in their order
    std::vector<TreeHead> seen;                        // what they name, where they name something
    std::optional<Signed<Registration>> registration;  // where it is one
    std::string reason;                                // of a hold
};

// Where the work stood before the leaf; null where it was not registered.  An error refuses the leaf.
using StateLookup = std::function<Result<const WorkState*>(const ArtworkId& artwork)>;

// One leaf by the same rules, for whoever keeps the states of many works.
Result<VerifiedLeaf> verify_leaf(std::string_view entry, const IdentityChain& vault, const IdentityLookup& identities,
                                 const StateLookup& before);

// A transfer's statements, agreeing with each other: same vault, work, head and seq; claim and accept by one
// wallet, answer a yes to it by the claim's owner, each naming the others' ids; bad_statement.  No signature is
// checked and no state is known.
Result<void> check_transfer(const Signed<Claim>& claim, const Signed<Answer>& answer, const Signed<Accept>& accept);

}  // namespace sat
