// Every answer is of the tree of the newest checkpoint, or of an earlier one: the catalogue may have leaves that no
// leaves file has yet, and nothing is proved of them.
// SPDX-License-Identifier: Apache-2.0
#include "vault/ledger.h"

#include <algorithm>

#include "ledger/leaf.h"
#include "vault/views.h"

namespace sat {

namespace {

tl::unexpected<Error> beyond() { return fail(Errc::bad_request, "a size beyond the newest checkpoint's"); }

tl::unexpected<Error> damaged_tree() {
    return fail(Errc::io_error, "the tree over the ledger's leaves is damaged", "run `sat-vaultd check --repair`");
}

struct Ownership {
    LeafHash head;
    std::uint64_t seq = 0;
    Wallet owner;
};

// What a leaf says of the work's owner; nothing for a hold or a release.
Result<std::optional<Ownership>> ownership_of(const std::string& entry) {
    SAT_TRY_VALUE(const Leaf leaf, Leaf::parse(entry));
    if (leaf.type == LeafType::registration) {
        SAT_TRY_VALUE(const auto registration, parse_statement<Registration>(leaf.statements[0]));
        return std::optional(Ownership{leaf_hash(entry), 0, registration.body.iss});
    }
    if (leaf.type != LeafType::transfer) return std::optional<Ownership>();
    SAT_TRY_VALUE(const auto claim, parse_statement<Claim>(leaf.statements[0]));
    return std::optional(Ownership{leaf_hash(entry), claim.body.seq + 1, claim.body.iss});
}

}  // namespace

Result<LedgerCheckpointReply> get_checkpoint(VaultCore& core) {
    SAT_TRY(core.sync_leaves());
    return LedgerCheckpointReply{core.checkpoints->newest().note};
}

Result<LedgerInclusionReply> get_inclusion(const VaultCore& core, const LedgerInclusionRequest& request) {
    if (request.size > core.checkpoints->newest().head.size) return beyond();
    SAT_TRY_VALUE(const auto reader, core.catalog->read());
    SAT_TRY_VALUE(const auto index, reader->leaf_index(request.leaf));
    if (!index || *index >= request.size) return fail(Errc::not_found, "no such leaf at that size");
    // A damaged node is found here, and not by a client that would take it for a lie.
    SAT_TRY_VALUE(const TreeHead tree, core.checkpoints->earlier(*reader, request.size));
    SAT_TRY_VALUE(MerkleProof proof, inclusion_proof(*reader, *index, request.size));
    if (!verify_inclusion(request.leaf, *index, tree.size, proof, tree.root)) return damaged_tree();
    return LedgerInclusionReply{*index, std::move(proof)};
}

Result<LedgerConsistencyReply> get_consistency(const VaultCore& core, const LedgerConsistencyRequest& request) {
    if (request.size > core.checkpoints->newest().head.size) return beyond();
    SAT_TRY_VALUE(const auto reader, core.catalog->read());
    SAT_TRY_VALUE(const TreeHead older, core.checkpoints->earlier(*reader, request.old));
    SAT_TRY_VALUE(const TreeHead newer, core.checkpoints->earlier(*reader, request.size));
    SAT_TRY_VALUE(MerkleProof proof, consistency_proof(*reader, request.old, request.size));
    if (!verify_consistency(older, newer, proof)) return damaged_tree();
    return LedgerConsistencyReply{std::move(proof)};
}

Result<LedgerEntriesReply> get_entries(const VaultCore& core, const LedgerEntriesRequest& request) {
    const std::uint64_t size = core.checkpoints->newest().head.size;
    LedgerEntriesReply reply;
    if (request.from >= size) return reply;
    {
        SAT_TRY_VALUE(const auto reader, core.catalog->read());
        const auto limit = std::min<std::uint64_t>(size - request.from, kMaxPageItems);
        SAT_TRY_VALUE(reply.entries, reader->entries(request.from, static_cast<std::size_t>(limit)));
    }
    cut_to_page(reply.entries);
    if (request.from + reply.entries.size() < size) reply.next = request.from + reply.entries.size();
    return reply;
}

Result<LedgerHeadReply> get_head(VaultCore& core, const LedgerHeadRequest& request) {
    if (!request.size) SAT_TRY(core.sync_leaves());
    const Checkpoint newest = core.checkpoints->newest();
    auto body = make_statement<Head>(core.wallet(), core.wallet(), core.now());
    body.artwork = request.artwork;
    body.tree = newest.head;
    if (request.size) body.tree.size = *request.size;
    if (body.tree.size > newest.head.size) return beyond();
    {
        SAT_TRY_VALUE(const auto reader, core.catalog->read());
        SAT_TRY_VALUE(auto leaf, reader->last_leaf(request.artwork, body.tree.size));
        if (!leaf) return fail(Errc::not_found, "no such artwork at that size");
        body.leaves = leaf->position + 1;
        for (;;) {
            SAT_TRY_VALUE(const auto ownership, ownership_of(leaf->entry));
            if (ownership) {
                body.head = ownership->head;
                body.seq = ownership->seq;
                body.owner = ownership->owner;
                break;
            }
            SAT_TRY_VALUE(leaf, reader->last_leaf(request.artwork, leaf->index));
            if (!leaf) return fail(Errc::io_error, "the catalogue is damaged: a history that no registration begins");
        }
        if (body.tree.size < newest.head.size) {
            SAT_TRY_VALUE(body.tree, core.checkpoints->earlier(*reader, body.tree.size));
        }
    }
    return LedgerHeadReply{sign(body, core.keys.log),
                           body.tree == newest.head ? newest.note : core.checkpoints->sign(body.tree)};
}

}  // namespace sat
