// What the vault's use cases share: keys, stores, clock, and who is told.  Inside vault/ only; vault.h is the door.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "store/at_rest.h"
#include "store/blob_store.h"
#include "store/catalog.h"
#include "store/identity_files.h"
#include "store/leaf_log.h"
#include "vault/checkpoints.h"
#include "vault/identities.h"
#include "vault/turns.h"
#include "vault/upload_room.h"
#include "vault/vault.h"

namespace sat {

// Something to be told after the transaction that made it true.
struct Notice {
    Wallet to;
    Event event;
};

class Healer;
class KeptUploads;
class Upload;

// That came back untouched, of all wallets.
inline constexpr std::size_t kMaxSpareIds = 256;

class VaultCore {
public:
    ~VaultCore();
    // As Vault::open().
    static Result<std::unique_ptr<VaultCore>> open(VaultOptions vault_options, VaultKeys vault_keys,
                                                   Vault::Clock clock);

    const Wallet& wallet() const noexcept { return keys.wallet(); }
    UnixTime now() const { return clock_(); }
    AtRestSealer file_sealer() const { return AtRestSealer(master_.derive(AtRestKey::files)); }

    // An ID that was given out to nobody else before; on the disk as such before it is returned.  rate_limited: the
    // wallet has had Quotas::ids_a_day of them today that became no works.
    Result<ArtworkId> give_out_id(const Wallet& wallet);
    // It will be no work, and its files are gone.  One that is `untouched`, for which no header came, is given to the
    // same wallet once more.
    void take_back_id(const Wallet& wallet, const ArtworkId& artwork, bool untouched);
    void became_a_work(const Wallet& wallet);

    // Commits, then tells, in the order of the transactions, so that people hear of things in their order.
    Result<void> commit_and_tell(std::unique_ptr<CatalogTransaction> transaction, const std::vector<Notice>& notices);
    // Every committed leaf is in the leaves files, and under the newest checkpoint.
    Result<void> sync_leaves();
    // No image that was being read when a work was held goes on unasked.  Before a work's row is read for a fetch.
    std::uint64_t holds() const noexcept { return holds_; }
    // A hold was committed, or may have been.
    void count_hold() noexcept { ++holds_; }
    // The same, before a receipt leaves.  Any failure is `interrupted`: what was committed stands, so that a refusal
    // would be a lie; the connection ends without an answer, and the client asks again.
    Result<void> sync_before_receipt();
    // The commit of this work failed, or nobody knows: its files go as soon as a later commit shows that it is none.
    void doubt(const ArtworkId& artwork);
    void set_notify(Vault::Notify notify);

    const VaultOptions options;
    const VaultKeys keys;
    std::unique_ptr<Catalog> catalog;
    std::unique_ptr<BlobStore> blobs;
    std::unique_ptr<IdentityFiles> identity_files;
    UploadRoom uploads;
    std::unique_ptr<KeptUploads> kept;
    Identities identities;
    Turns commits;  // of uploads
    std::unique_ptr<Checkpoints> checkpoints;
    // Every upload that there is, so that one that does not get on can be ended from outside its session.
    std::mutex running_mutex;
    std::unordered_set<Upload*> running;
    // After what it uses, so that it ends first.
    std::unique_ptr<Healer> healer;

private:
    VaultCore(VaultOptions vault_options, VaultKeys vault_keys, Vault::Clock clock, MasterKey master);
    Result<void> refresh_identities() const;
    Result<void> record_duplicate() const;
    Result<bool> keep_possible_work(const ArtworkId& artwork) const;
    Result<void> remove_orphans() const;
    Result<void> complete_duplicate() const;
    Result<ArtworkId> draw_id();
    void settle(const std::unordered_set<ArtworkId>& doubts);

    Vault::Clock clock_;
    MasterKey master_;
    std::vector<FileDescriptor> locks_;
    std::unique_ptr<LeafLog> leaves_;

    std::mutex ids_mutex_;
    std::vector<ArtworkId> ids_;  // given out in the catalogue, not yet to anybody

    std::mutex returned_mutex_;                            // never held while somebody waits for the disk
    std::vector<std::pair<Wallet, ArtworkId>> spare_ids_;  // that came back untouched, oldest first
    std::vector<ArtworkId> given_up_;                      // that the catalogue still has as unfinished
    UnixTime ids_day_ = 0;
    std::unordered_map<Wallet, std::uint64_t> ids_today_;  // given out, and no works so far

    std::mutex doubts_mutex_;
    std::unordered_set<ArtworkId> doubts_;

    std::mutex notify_mutex_;
    Vault::Notify notify_;

    std::atomic<std::uint64_t> holds_ = 0;
};

}  // namespace sat
