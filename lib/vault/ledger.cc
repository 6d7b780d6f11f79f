// Every answer is of the tree of the newest checkpoint, or of an earlier one: the catalogue may have leaves that no
// leaves file has yet, and nothing is proved of them.  The checkpoint is taken once, and before the reader: then the
// reader has all of its leaves.
// SPDX-License-Identifier: Apache-2.0
#include "vault/ledger.h"

#include <algorithm>

#include "vault/standing.h"
#include "vault/views.h"

namespace sat {

namespace {

tl::unexpected<Error> beyond() { return fail(Errc::bad_request, "a size beyond the newest checkpoint's"); }

tl::unexpected<Error> damaged_tree() {
    return fail(Errc::io_error, "the tree over the ledger's leaves is damaged", "run `sat-vaultd check --repair`");
}

}  // namespace

Result<LedgerCheckpointReply> get_checkpoint(VaultCore& core) {
    SAT_TRY(core.sync_leaves());
    return LedgerCheckpointReply{core.checkpoints->newest().note};
}

Result<LedgerInclusionReply> get_inclusion(const VaultCore& core, const LedgerInclusionRequest& request) {
    const TreeHead newest = core.checkpoints->newest().head;
    if (request.size > newest.size) return beyond();
    SAT_TRY_VALUE(const auto reader, core.catalog->read());
    SAT_TRY_VALUE(const auto index, reader->leaf_index(request.leaf));
    if (!index || *index >= request.size) return fail(Errc::not_found, "no such leaf at that size");
    // A damaged node is found here, and not by a client that would take it for a lie.
    SAT_TRY_VALUE(const TreeHead tree, Checkpoints::earlier(*reader, newest, request.size));
    SAT_TRY_VALUE(MerkleProof proof, inclusion_proof(*reader, *index, request.size));
    if (!verify_inclusion(request.leaf, *index, tree.size, proof, tree.root)) return damaged_tree();
    return LedgerInclusionReply{*index, std::move(proof)};
}

Result<LedgerConsistencyReply> get_consistency(const VaultCore& core, const LedgerConsistencyRequest& request) {
    const TreeHead newest = core.checkpoints->newest().head;
    if (request.size > newest.size) return beyond();
    SAT_TRY_VALUE(const auto reader, core.catalog->read());
    SAT_TRY_VALUE(const TreeHead older, Checkpoints::earlier(*reader, newest, request.old));
    SAT_TRY_VALUE(const TreeHead newer, Checkpoints::earlier(*reader, newest, request.size));
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
        SAT_TRY_VALUE(const auto standing, standing_of(*reader, request.artwork, body.tree.size));
        if (!standing) return fail(Errc::not_found, "no such artwork at that size");
        body.leaves = standing->leaves;
        body.head = standing->head;
        body.seq = standing->seq;
        body.owner = standing->owner;
        if (body.tree.size < newest.head.size) {
            SAT_TRY_VALUE(body.tree, Checkpoints::earlier(*reader, newest.head, body.tree.size));
        }
    }
    return LedgerHeadReply{sign(body, core.keys.log),
                           body.tree == newest.head ? newest.note : core.checkpoints->sign(body.tree)};
}

}  // namespace sat
