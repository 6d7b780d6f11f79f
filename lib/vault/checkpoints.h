// The tree heads that the vault signs, and what stops it from signing: a note of its own that its data contradict.
// docs/protocol.md, "Checkpoints"; docs/storage.md, "A contradiction".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "ledger/merkle.h"
#include "store/catalog.h"
#include "vault/vault_keys.h"

namespace sat {

struct Checkpoint {
    TreeHead head;
    std::string note;
};

// Thread-safe.
class Checkpoints {
public:
    // `keys` and `catalog` outlive it; `data` is the vault's directory.
    Checkpoints(Path data, const VaultKeys& keys, Catalog& catalog);

    // The newest that was signed; there is one after the first advance().  Never waits for the disk.
    Checkpoint newest() const;
    // Signs the tree of the first `size` leaves, unless a tree of that size or a larger one was signed.  They must be
    // committed and lie in every leaves file.  io_error: the nodes are damaged, nothing is signed; internal: so too
    // after a contradiction.
    Result<void> advance(std::uint64_t size);
    // The note of an earlier tree, as earlier() gave it.
    std::string sign(const TreeHead& head) const;

    // The tree of the first `size` leaves, at most `whole`'s, proved to be its beginning.  `whole` was newest() before
    // the view that `nodes` are of was begun: a later one may have leaves that the view lacks.  io_error: the nodes are
    // damaged; a root or a proof made of them would accuse the vault of a fork.
    static Result<TreeHead> earlier(MerkleNodes& nodes, const TreeHead& whole, std::uint64_t size);

    // Whether the ledger is, or begins with, this tree: false for one beyond newest().
    Result<bool> agrees(const TreeHead& head) const;

    // A note that somebody reports.  bad_request: not the vault's own, or one that agrees with its ledger.  Else it is
    // kept in DATA/contradiction, and contradicted() from then on.  io_error, storage_full: it could not be kept, and
    // keep() tries again; it stops the vault all the same.
    Result<void> report(const std::string& note);
    // A note that contradicts, and that the disk has not got yet; nothing where there is none.
    Result<void> keep();
    // The file that was kept, if one is there, against the ledger as it lies in the catalogue; before anything is
    // changed on its word.  config: it still contradicts, or is no note of this vault.
    Result<void> check_kept() const;
    bool contradicted() const noexcept { return contradicted_; }

private:
    Path kept() const { return data_ / "contradiction"; }

    const Path data_;
    const VaultKeys& keys_;
    Catalog& catalog_;
    std::mutex advance_mutex_;
    mutable std::mutex newest_mutex_;
    Checkpoint newest_;
    Result<void> keep_locked();

    std::mutex report_mutex_;
    std::string unkept_;  // under report_mutex_
    std::atomic<bool> contradicted_ = false;
};

}  // namespace sat
