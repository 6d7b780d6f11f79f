// Replaying a whole ledger: every entry by every rule, its tree, and whether a tree head is this ledger's.
// docs/protocol.md, "Following and witnessing".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ledger/history.h"
#include "ledger/merkle.h"

namespace sat {

class LedgerFollower {
public:
    // `vault` outlives the follower.
    LedgerFollower(const IdentityChain& vault, IdentityLookup identities)
        : vault_(vault), identities_(std::move(identities)) {}

    // The next entry; where it is refused nothing has changed.  bad_signature: a signature that does not hold, or a
    // signer whose identity is not at hand; bad_statement: every other contradiction.  The message begins with the
    // entry's index.
    Result<void> take(std::string_view entry);
    // checkpoint_inconsistent unless `head` is, or was, this ledger's.  Asserts head.size <= size().
    Result<void> require(const TreeHead& head) const;

    std::uint64_t size() const noexcept { return tree_.size(); }
    TreeHead head() const { return {size(), roots_.back()}; }
    std::size_t works() const noexcept { return works_.size(); }
    std::uint64_t transfers() const noexcept { return transfers_; }

private:
    const IdentityChain& vault_;
    IdentityLookup identities_;
    MerkleBuilder tree_;
    std::vector<Digest> roots_ = {empty_root()};  // of each size
    std::unordered_map<ArtworkId, WorkState> works_;
    std::unordered_set<StatementId> statements_;
    std::uint64_t transfers_ = 0;
};

}  // namespace sat
