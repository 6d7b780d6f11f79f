// SPDX-License-Identifier: Apache-2.0
#include "vault/checkpoints.h"

#include "base/assert.h"
#include "ledger/note.h"

namespace sat {

namespace {

Error tree_damaged() {
    return {Errc::io_error, "the tree over the ledger's leaves is damaged; nothing is signed or proved by it",
            "stop the vault, and run `sat-vaultd check --repair`"};
}

// The tree of the first `size` leaves, as `whole` begins with it.
Result<TreeHead> beginning_of(const TreeHead& whole, MerkleNodes& nodes, std::uint64_t size) {
    SAT_ASSERT(size <= whole.size);
    TreeHead head{size, {}};
    SAT_TRY_VALUE(head.root, tree_root(nodes, size));
    SAT_TRY_VALUE(const MerkleProof proof, consistency_proof(nodes, size, whole.size));
    if (!verify_consistency(head, whole, proof)) return fail(tree_damaged());
    return head;
}

}  // namespace

Checkpoints::Checkpoints(Path data, const VaultKeys& keys, Catalog& catalog)
    : data_(std::move(data)), keys_(keys), catalog_(catalog) {}

Checkpoint Checkpoints::newest() const {
    const std::lock_guard lock(newest_mutex_);
    SAT_ASSERT(!newest_.note.empty());
    return newest_;
}

std::string Checkpoints::sign(const TreeHead& head) const { return sign_checkpoint(keys_.wallet(), head, keys_.log); }

Result<void> Checkpoints::advance(std::uint64_t size) {
    const std::lock_guard advancing(advance_mutex_);
    // Written under advance_mutex_ alone.
    if (!newest_.note.empty() && size <= newest_.head.size) return {};
    if (contradicted_) return fail(Errc::internal, "a vault whose ledger was contradicted signs nothing");
    TreeHead head;
    {
        SAT_TRY_VALUE(const auto reader, catalog_.read());
        SAT_TRY_VALUE(const TreeHead recorded, reader->tree_head());
        SAT_TRY_VALUE(head, beginning_of(recorded, *reader, size));
        // And what was signed before is the beginning of what is signed now.
        if (!newest_.note.empty()) {
            SAT_TRY_VALUE(const TreeHead before, beginning_of(head, *reader, newest_.head.size));
            if (before != newest_.head) return fail(tree_damaged());
        }
    }
    Checkpoint next{head, sign(head)};
    const std::lock_guard lock(newest_mutex_);
    newest_ = std::move(next);
    return {};
}

Result<bool> Checkpoints::agrees(const TreeHead& head) const {
    const TreeHead mine = newest().head;
    if (head.size >= mine.size) return head == mine;
    SAT_TRY_VALUE(const auto reader, catalog_.read());
    SAT_TRY_VALUE(const TreeHead own, beginning_of(mine, *reader, head.size));
    return own == head;
}

Result<TreeHead> Checkpoints::earlier(MerkleNodes& nodes, const TreeHead& whole, std::uint64_t size) {
    return beginning_of(whole, nodes, size);
}

Result<void> Checkpoints::report(const std::string& note) {
    const auto head = open_checkpoint(note, keys_.wallet(), keys_.log.public_key());
    if (!head) return fail(Errc::bad_request, "a report of a note that is not this vault's");
    const std::lock_guard reporting(report_mutex_);
    if (contradicted_) return keep_locked();  // the first one
    SAT_TRY_VALUE(const bool known, agrees(*head));
    if (known) return fail(Errc::bad_request, "a report of a checkpoint that the ledger agrees with");
    unkept_ = note;
    contradicted_ = true;
    return keep_locked();
}

Result<void> Checkpoints::keep() {
    const std::lock_guard reporting(report_mutex_);
    return keep_locked();
}

Result<void> Checkpoints::keep_locked() {
    if (unkept_.empty()) return {};
    SAT_TRY(write_file_atomically(kept(), as_bytes(unkept_), AtomicFile::Existing::replace, 0600));
    unkept_.clear();
    return {};
}

Result<void> Checkpoints::check_kept() const {
    std::error_code error;
    if (!std::filesystem::exists(kept(), error)) {
        if (error) return fail(errno_error("examine", kept(), error.value()));
        return {};
    }
    SAT_TRY_VALUE(const Bytes note, read_file(kept(), kMaxNote));
    const auto head = open_checkpoint(as_text(note), keys_.wallet(), keys_.log.public_key());
    if (!head)
        return fail(Errc::config, kept().string() + " is no checkpoint that this vault signed",
                    "find out where it came from, and move it away");
    SAT_TRY_VALUE(const auto reader, catalog_.read());
    SAT_TRY_VALUE(const TreeHead mine, reader->tree_head());
    if (head->size <= mine.size) {
        SAT_TRY_VALUE(const TreeHead own, beginning_of(mine, *reader, head->size));
        // The right data came back: the file says no more than what the ledger says.
        if (own == *head) return {};
    }
    return fail(Errc::config,
                kept().string() + " is a checkpoint of " + std::to_string(head->size) +
                    " leaves that this vault signed, and its ledger of " + std::to_string(mine.size) +
                    " leaves contradicts it: an older or another copy of the data was started",
                "put back the newest copy of the data directory; to serve this one would show people two ledgers");
}

}  // namespace sat
