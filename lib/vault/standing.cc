// A work's newest leaves, read backwards to the one that made its owner.
// SPDX-License-Identifier: Apache-2.0
#include "vault/standing.h"

#include "ledger/leaf.h"

namespace sat {

namespace {

constexpr const char* kHint = "stop the vault, and run `sat-vaultd check --repair`";

// Where the leaf makes an owner; a hold or a release does not.
Result<bool> read_owner(const std::string& entry, const Leaf& leaf, Standing& standing) {
    if (leaf.type == LeafType::registration) {
        SAT_TRY_VALUE(const auto registration, parse_statement<Registration>(leaf.statements[0]));
        standing.owner = registration.body.iss;
        standing.seq = 0;
    } else if (leaf.type == LeafType::transfer) {
        SAT_TRY_VALUE(const auto claim, parse_statement<Claim>(leaf.statements[0]));
        standing.owner = claim.body.iss;
        standing.seq = claim.body.seq + 1;
    } else {
        return false;
    }
    standing.head = leaf_hash(entry);
    return true;
}

}  // namespace

Result<std::optional<Standing>> standing_of(CatalogReader& catalog, const ArtworkId& artwork, std::uint64_t size) {
    SAT_TRY_VALUE(auto newest, catalog.last_leaf(artwork, size));
    if (!newest) return std::optional<Standing>();
    Standing standing;
    standing.leaves = newest->position + 1;
    for (bool first = true;; first = false) {
        SAT_TRY_VALUE(const Leaf leaf, Leaf::parse(newest->entry));
        if (first) standing.held = leaf.type == LeafType::hold;
        SAT_TRY_VALUE(const bool owner, read_owner(newest->entry, leaf, standing));
        if (owner) return std::optional(standing);
        SAT_TRY_VALUE(newest, catalog.last_leaf(artwork, newest->index));
        if (!newest)
            return fail(Errc::io_error, "the catalogue is damaged: a history that no registration begins", kHint);
    }
}

Result<void> require_standing(CatalogReader& catalog, const WorkRow& work) {
    SAT_TRY_VALUE(const TreeHead tree, catalog.tree_head());
    SAT_TRY_VALUE(const auto standing, standing_of(catalog, work.artwork, tree.size));
    if (standing && standing->owner == work.owner && standing->head == work.head && standing->seq == work.seq &&
        standing->held == work.held)
        return {};
    return fail(Errc::io_error, "the catalogue is damaged: a work's row is not what its leaves give", kHint);
}

}  // namespace sat
