// SPDX-License-Identifier: Apache-2.0
#include "vault/checkpoints.h"

#include "base/assert.h"
#include "ledger/note.h"

namespace sat {

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
    TreeHead head{size, {}};
    {
        SAT_TRY_VALUE(const auto reader, catalog_.read());
        SAT_TRY_VALUE(head.root, tree_root(*reader, size));
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
    SAT_TRY_VALUE(const Digest root, tree_root(*reader, head.size));
    return root == head.root;
}

Result<void> Checkpoints::report(const std::string& note) {
    const auto head = open_checkpoint(note, keys_.wallet(), keys_.log.public_key());
    if (!head) return fail(Errc::bad_request, "a report of a note that is not this vault's");
    SAT_TRY_VALUE(const bool known, agrees(*head));
    if (known) return fail(Errc::bad_request, "a report of a checkpoint that the ledger agrees with");
    contradicted_ = true;
    return write_file_atomically(kept(), as_bytes(note), AtomicFile::Existing::replace, 0600);
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
        SAT_TRY_VALUE(const Digest root, tree_root(*reader, head->size));
        // The right data came back: the file says no more than what the ledger says.
        if (root == head->root) return {};
    }
    return fail(Errc::config,
                kept().string() + " is a checkpoint of " + std::to_string(head->size) +
                    " leaves that this vault signed, and its ledger of " + std::to_string(mine.size) +
                    " leaves contradicts it: an older or another copy of the data was started",
                "put back the newest copy of the data directory; to serve this one would show people two ledgers");
}

}  // namespace sat
