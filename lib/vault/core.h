// What the vault's use cases share: keys, stores, clock, and who is told.  Inside vault/ only; vault.h is the door.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <vector>

#include "store/at_rest.h"
#include "store/blob_store.h"
#include "store/catalog.h"
#include "store/leaf_log.h"
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

class Upload;

class VaultCore {
public:
    // As Vault::open().
    static Result<std::unique_ptr<VaultCore>> open(VaultOptions vault_options, VaultKeys vault_keys,
                                                   Vault::Clock clock);

    const Wallet& wallet() const noexcept { return keys.wallet(); }
    UnixTime now() const { return clock_(); }
    AtRestSealer file_sealer() const { return AtRestSealer(master_.derive(AtRestKey::files)); }

    // An ID that was never given out before; on the disk as such before it is returned.
    Result<ArtworkId> give_out_id();

    // Commits, then tells: before the transaction ends no other commits, so that people hear of things in their order.
    Result<void> commit_and_tell(std::unique_ptr<CatalogTransaction> transaction, const std::vector<Notice>& notices);
    // Every committed leaf is in the leaves files: to be asked before a receipt leaves.
    Result<void> sync_leaves() { return leaves_->catch_up(*catalog); }
    void set_notify(Vault::Notify notify);

    const VaultOptions options;
    const VaultKeys keys;
    std::unique_ptr<Catalog> catalog;
    std::unique_ptr<BlobStore> blobs;
    UploadRoom uploads;
    Identities identities;
    Turns commits;  // of uploads
    // Every upload that there is, so that one that does not get on can be ended from outside its session.
    std::mutex running_mutex;
    std::unordered_set<Upload*> running;

private:
    VaultCore(VaultOptions vault_options, VaultKeys vault_keys, Vault::Clock clock, MasterKey master);
    Result<void> remove_orphans() const;
    Result<void> complete_duplicate() const;

    Vault::Clock clock_;
    MasterKey master_;
    std::vector<FileDescriptor> locks_;
    std::unique_ptr<LeafLog> leaves_;

    std::mutex ids_mutex_;
    std::vector<ArtworkId> ids_;  // given out in the catalogue, not yet to anybody

    std::mutex notify_mutex_;
    Vault::Notify notify_;
};

}  // namespace sat
