// Holds and releases.  docs/protocol.md, "Statements" and "The ledger".
// SPDX-License-Identifier: Apache-2.0
#include "vault/operator.h"

#include "ledger/leaf.h"
#include "vault/standing.h"

namespace sat {

namespace {

template <SignedByVault T>
Result<void> record(VaultCore& core, const ArtworkId& artwork, const std::string& reason, LeafType type, bool held) {
    SAT_TRY_VALUE(auto transaction, core.catalog->begin());
    SAT_TRY_VALUE(const auto work, transaction->work(artwork));
    if (!work) return fail(Errc::not_found, "no such artwork");
    if (work->held == held) {
        SAT_TRY(transaction->commit());  // what made it so may be on its way to the disk
        return fail(Errc::state, held ? "the work is held already" : "the work is not held");
    }
    SAT_TRY(require_standing(*transaction, *work));
    const UnixTime now = core.now();
    auto body = make_statement<T>(core.wallet(), core.wallet(), now);
    body.artwork = artwork;
    body.on = work->head;
    body.reason = reason;
    SAT_TRY(check_limits(body));
    const std::string entry = Leaf{type, now, {sign(body, core.keys.log)}}.encode();
    SAT_TRY(transaction->set_held(artwork, held));
    SAT_TRY(transaction->append_leaf(artwork, leaf_hash(entry), now, entry));
    auto committed = core.commit_and_tell(std::move(transaction), {});
    if (held) core.count_hold();
    return committed;
}

template <SignedByVault T>
Result<void> append(VaultCore& core, const ArtworkId& artwork, const std::string& reason, LeafType type, bool held) {
    if (core.checkpoints->contradicted())
        return fail(Errc::internal, "a vault whose ledger was contradicted records nothing");
    auto recorded = record<T>(core, artwork, reason, type, held);
    // "Held already" may answer a repeat whose first attempt was recorded, but not copied: its leaf comes first.
    if (!recorded && recorded.error().code != Errc::state) return recorded;
    SAT_TRY(core.sync_leaves());
    return recorded;
}

}  // namespace

Result<void> hold_work(VaultCore& core, const ArtworkId& artwork, const std::string& reason) {
    return append<Hold>(core, artwork, reason, LeafType::hold, true);
}

Result<void> release_work(VaultCore& core, const ArtworkId& artwork, const std::string& reason) {
    return append<Release>(core, artwork, reason, LeafType::release, false);
}

}  // namespace sat
