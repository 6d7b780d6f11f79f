// SPDX-License-Identifier: Apache-2.0
#include "ledger/follower.h"

#include <algorithm>

#include "base/assert.h"

namespace sat {

Result<void> LedgerFollower::take(std::string_view entry) {
    const auto refuse = [&](const Error& why) {
        return fail(why.code, "entry " + std::to_string(size()) + " of the ledger: " + why.message);
    };
    const StateLookup before = [&](const ArtworkId& artwork) -> Result<const WorkState*> {
        const auto work = works_.find(artwork);
        return work == works_.end() ? nullptr : &work->second;
    };
    auto leaf = verify_leaf(entry, vault_, identities_, before);
    if (!leaf) return refuse(leaf.error());
    for (const StatementId& statement : leaf->statements)
        if (statements_.contains(statement))
            return refuse({Errc::bad_statement, "a statement that counted before", {}});
    // A vault takes no statement whose signer had been shown another ledger.
    for (const TreeHead& seen : leaf->seen)
        if (seen.size > size() || seen.root != roots_[static_cast<std::size_t>(seen.size)])
            return refuse({Errc::bad_statement, "its signer had been shown another ledger", {}});
    statements_.insert(leaf->statements.begin(), leaf->statements.end());
    works_[leaf->artwork] = leaf->after;
    if (leaf->type == LeafType::transfer) ++transfers_;
    tree_.append(leaf->hash);
    roots_.push_back(tree_.root());
    return {};
}

Result<void> LedgerFollower::require(const TreeHead& head) const {
    SAT_ASSERT(head.size <= size());
    if (roots_[static_cast<std::size_t>(head.size)] != head.root)
        return fail(Errc::checkpoint_inconsistent,
                    "the entries of the ledger do not add up to its checkpoint of " + std::to_string(head.size));
    return {};
}

}  // namespace sat
