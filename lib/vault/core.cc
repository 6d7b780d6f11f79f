// Opening a vault's directories: locks, master key, catalogue, blobs, leaves, and what a crash left.
// docs/storage.md.
// SPDX-License-Identifier: Apache-2.0
#include "vault/core.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "base/assert.h"
#include "envelope/envelope.h"
#include "store/directory_blob_store.h"
#include "store/repair_file.h"
#include "store/sqlite_catalog.h"
#include "vault/backup.h"
#include "vault/check.h"
#include "vault/healer.h"
#include "vault/kept_uploads.h"
#include "vault/vault_lock.h"

namespace sat {

namespace {

// IDs are given out in the catalogue by so many at once: one sync for all of them.
constexpr std::size_t kIdBatch = 64;
// What an ID leaves behind is looked for, and the IDs are set down as given up, so many at once: a start that is ended
// in the middle goes on where it stood.
constexpr std::size_t kOrphanStep = 1024;

// Works are asked of the catalogue so many at once.
constexpr std::size_t kDuplicateStep = 256;

// Whether something lies there that was sealed under a master key.
Result<bool> holds_sealed(const Path& data) {
    std::error_code error;
    const auto size = std::filesystem::file_size(data / "leaves", error);
    if (!error && size > kLeafLogHeader) return true;
    if (error && error != std::errc::no_such_file_or_directory)
        return fail(errno_error("examine", data / "leaves", error.value()));
    for (const char* store : {"image_store", "metadata_store"}) {
        error.clear();
        std::filesystem::recursive_directory_iterator at(data / store, error);
        if (error == std::errc::no_such_file_or_directory) continue;
        for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error))
            if (at->is_regular_file(error)) return true;
        if (error) return fail(errno_error("examine", data / store, error.value()));
    }
    return false;
}

Result<MasterKey> read_master_key(const Path& path, const VaultKeys& keys) {
    SAT_TRY(require_private_file(path));
    SAT_TRY_VALUE(const Bytes file, read_file(path, kMaxMasterKeyFile));
    auto key = MasterKey::unwrap(file, keys.wallet(), keys.store);
    if (!key) key.error().message = path.string() + ": " + key.error().message;
    return key;
}

// The key of both directories; made where neither holds anything yet.
Result<MasterKey> open_master_key(const Path& data, const std::optional<Path>& duplicate, const VaultKeys& keys) {
    const Path mine = data / "master.key";
    const Path other = duplicate ? *duplicate / "master.key" : Path();
    if (!is_there(mine)) {
        SAT_TRY_VALUE(const bool sealed, holds_sealed(data));
        if (sealed || is_there(data / "catalog.sqlite"))
            return fail(Errc::config, mine.string() + " is missing",
                        "copy master.key from the duplicate directory or a backup");
        if (duplicate && is_there(other))
            return fail(Errc::config,
                        data.string() + " is empty, but " + duplicate->string() + " holds a vault's works",
                        "restore the data directory, or name an empty duplicate directory");
        const Bytes file = MasterKey::draw().wrap(keys.wallet(), keys.store.public_key());
        SAT_TRY(write_file_atomically(mine, file, AtomicFile::Existing::refuse, 0600));
    }
    SAT_TRY_VALUE(MasterKey key, read_master_key(mine, keys));
    if (!duplicate) return key;
    if (!is_there(other)) {
        SAT_TRY_VALUE(const Bytes file, read_file(mine, kMaxMasterKeyFile));
        SAT_TRY(write_file_atomically(other, file, AtomicFile::Existing::refuse, 0600));
    }
    SAT_TRY_VALUE(const MasterKey copy, read_master_key(other, keys));
    if (copy.check_value() != key.check_value())
        return fail(Errc::config, duplicate->string() + " and " + data.string() + " do not belong together",
                    "name the duplicate directory that belongs to this vault, or an empty one");
    return key;
}

}  // namespace

VaultCore::VaultCore(VaultOptions vault_options, VaultKeys vault_keys, Vault::Clock clock, MasterKey master)
    : options(std::move(vault_options)),
      keys(std::move(vault_keys)),
      clock_(std::move(clock)),
      master_(std::move(master)) {}

Result<std::unique_ptr<VaultCore>> VaultCore::open(VaultOptions vault_options, VaultKeys vault_keys,
                                                   Vault::Clock clock) {
    if (vault_options.max_artwork_bytes == 0 || vault_options.max_artwork_bytes > kMaxPlaintextLength)
        return fail(Errc::config, "the largest artwork must have 1 byte to 4 PiB");
    std::vector<FileDescriptor> locks;
    std::vector<Path> leaves{vault_options.data / "leaves"};
    std::vector<Path> roots{vault_options.data};
    SAT_TRY(make_private_directory(vault_options.data));
    SAT_TRY_VALUE(FileDescriptor data_lock, lock_vault(vault_options.data));
    locks.push_back(std::move(data_lock));
    SAT_TRY(refuse_unfinished_restore(vault_options.data));
    if (vault_options.duplicate) {
        SAT_TRY(make_private_directory(*vault_options.duplicate));
        std::error_code error;
        if (std::filesystem::equivalent(vault_options.data, *vault_options.duplicate, error))
            return fail(Errc::config, "the duplicate directory is the data directory",
                        "name a directory on another disk");
        SAT_TRY_VALUE(FileDescriptor duplicate_lock, lock_vault(*vault_options.duplicate));
        locks.push_back(std::move(duplicate_lock));
        SAT_TRY(refuse_unfinished_restore(*vault_options.duplicate));
        leaves.push_back(*vault_options.duplicate / "leaves");
        roots.push_back(*vault_options.duplicate);
    }
    vault_options.getting_on();
    SAT_TRY_VALUE(MasterKey master, open_master_key(vault_options.data, vault_options.duplicate, vault_keys));

    // An empty one in its place would look like a new vault's.
    if (!is_there(vault_options.data / "catalog.sqlite")) {
        SAT_TRY_VALUE(const bool sealed, holds_sealed(vault_options.data));
        if (sealed)
            return fail(Errc::config, (vault_options.data / "catalog.sqlite").string() + " is missing",
                        "rebuild it with `sat-vaultd check --repair`, or restore a backup");
    }

    std::unique_ptr<VaultCore> core(
        new VaultCore(std::move(vault_options), std::move(vault_keys), std::move(clock), std::move(master)));
    core->locks_ = std::move(locks);
    SAT_TRY_VALUE(core->catalog,
                  SqliteCatalog::open(core->options.data / "catalog.sqlite", core->master_, core->wallet()));
    // First the leaves: they tell whether the catalogue is the one that the blobs beside it were written with, before
    // anything is removed on its word.
    SAT_TRY_VALUE(core->leaves_, LeafLog::open(leaves, core->wallet(), core->master_, *core->catalog));
    core->checkpoints = std::make_unique<Checkpoints>(core->options.data, core->keys, *core->catalog);
    SAT_TRY(core->checkpoints->check_kept());
    SAT_TRY_VALUE(core->identity_files, IdentityFiles::open(roots, core->master_, *core->catalog));
    SAT_TRY(core->refresh_identities());
    SAT_TRY_VALUE(core->blobs, DirectoryBlobStore::open(core->options.data, core->options.duplicate));
    core->kept = std::make_unique<KeptUploads>(*core->blobs, core->file_sealer());
    core->healer = std::make_unique<Healer>(core->options, core->keys, *core->catalog, core->file_sealer());
    SAT_TRY(core->remove_orphans());
    SAT_TRY(core->complete_duplicate());
    SAT_TRY(core->sync_leaves());
    SAT_TRY(core->record_duplicate());
    return core;
}

VaultCore::~VaultCore() {
    // The last chance of what the disk has refused so far.
    if (checkpoints) (void)checkpoints->keep();
}

// Before its leaves: a directory whose leaves file is behind was away, and people may have new keys since.
Result<void> VaultCore::refresh_identities() const {
    SAT_TRY_VALUE(const auto reader, catalog->read());
    SAT_TRY_VALUE(const TreeHead head, reader->tree_head());
    if (leaves_->leaves_in_all() == head.size) return {};
    return identity_files->refresh(*catalog);
}

// For a check that is not told of it.
Result<void> VaultCore::record_duplicate() const {
    if (!options.duplicate) return {};
    std::error_code error;
    const std::string wanted = std::filesystem::absolute(*options.duplicate, error).string() + "\n";
    const Path path = options.data / kDuplicateRecord;
    const auto there = read_file(path, wanted.size() + 1);
    if (there && as_text(*there) == wanted) return {};
    return write_file_atomically(path, as_bytes(wanted), AtomicFile::Existing::replace, 0600);
}

// A leaf comes to the duplicate's leaves file after the files of its work: what that file lacks is what may be missing.
Result<void> VaultCore::complete_duplicate() const {
    if (!options.duplicate) return {};
    for (std::uint64_t from = leaves_->leaves(1);;) {
        RegisteredWorks page;
        {
            SAT_TRY_VALUE(const auto reader, catalog->read());
            SAT_TRY_VALUE(page, reader->registered(from, kDuplicateStep));
        }
        if (page.works.empty()) return {};
        from = page.next;
        for (const ArtworkId& artwork : page.works) {
            options.getting_on();
            auto copied = blobs->duplicate(artwork, [&](const ArtworkId& of, const Path& image, const Path& metadata) {
                return healer->is_sound(of, image, metadata);
            });
            if (copied) continue;
            Error error = std::move(copied.error());
            error.message = "the duplicate directory lacks works, and they cannot be copied: " + error.message;
            if (error.hint.empty()) error.hint = "make room on its disk, or start without the duplicate";
            return fail(std::move(error));
        }
    }
}

// An ID that this catalogue knows as unfinished may be a work of a newer one: metadata that were published, with a
// receipt for them, are not removed on the word of a catalogue alone.
Result<bool> VaultCore::keep_possible_work(const ArtworkId& artwork) const {
    using Place = DirectoryBlobStore::Place;
    std::vector<Place> places{Place::of_data(options.data)};
    if (options.duplicate) places.push_back(Place::of_duplicate(*options.duplicate));
    AtRestSealer sealer = file_sealer();
    if (std::ranges::none_of(places, [&](const Place& place) {
            return is_proved_work(place.metadata_file(artwork), artwork, keys, sealer);
        }))
        return false;
    for (const Place& place : places) {
        SAT_TRY(put_aside(place.root, place.image(artwork)));
        SAT_TRY(put_aside(place.root, place.metadata_file(artwork)));
    }
    healer->report(
        {artwork, "work", "the catalogue says that its upload never ended: it was moved to damaged/", false});
    return true;
}

// IDs that were given out and are no works: what is kept of some can still become one, the others never will.
Result<void> VaultCore::remove_orphans() const {
    std::vector<ArtworkId> unfinished;
    {
        SAT_TRY_VALUE(const auto reader, catalog->read());
        SAT_TRY_VALUE(unfinished, reader->unfinished_ids());
    }
    SAT_TRY(kept->load(unfinished, now()));
    const std::vector<ArtworkId> waiting = kept->artworks();
    for (std::span<const ArtworkId> left = unfinished; !left.empty();) {
        options.getting_on();
        const auto step = left.first(std::min(left.size(), kOrphanStep));
        left = left.subspan(step.size());
        for (const ArtworkId& artwork : step) {
            SAT_TRY_VALUE(const bool possible, keep_possible_work(artwork));
            if (!possible) SAT_TRY(blobs->remove(artwork));
        }
        SAT_TRY_VALUE(const auto transaction, catalog->begin());
        for (const ArtworkId& artwork : step)
            if (std::ranges::find(waiting, artwork) == waiting.end()) SAT_TRY(transaction->abandon(artwork));
        SAT_TRY(transaction->commit());
    }
    return {};
}

Result<ArtworkId> VaultCore::give_out_id(const Wallet& wallet) {
    {
        const std::lock_guard lock(returned_mutex_);
        const auto spare = std::ranges::find(spare_ids_, wallet, &std::pair<Wallet, ArtworkId>::first);
        if (spare != spare_ids_.end()) {
            const ArtworkId artwork = spare->second;
            spare_ids_.erase(spare);
            return artwork;
        }
        const UnixTime day = now() / kDay;
        if (std::exchange(ids_day_, day) != day) ids_today_.clear();
        std::uint64_t& today = ids_today_[wallet];
        if (today >= options.quotas.ids_a_day)
            return fail(Errc::rate_limited, "the wallet has begun too many uploads that came to nothing",
                        "try again later");
        ++today;
    }
    auto artwork = draw_id();
    if (!artwork) became_a_work(wallet);
    return artwork;
}

Result<ArtworkId> VaultCore::draw_id() {
    const std::lock_guard lock(ids_mutex_);
    if (ids_.empty()) {
        SAT_TRY_VALUE(const auto transaction, catalog->begin());
        // Whatever becomes of the transaction: the next start looks at those that are still unfinished.
        std::vector<ArtworkId> given_up;
        {
            const std::lock_guard returned_lock(returned_mutex_);
            given_up.swap(given_up_);
        }
        for (const ArtworkId& artwork : given_up) SAT_TRY(transaction->abandon(artwork));
        std::vector<ArtworkId> fresh;
        while (fresh.size() < kIdBatch) {
            const ArtworkId artwork = ArtworkId::generate();
            SAT_TRY_VALUE(const bool is_new, transaction->give_out(artwork));
            if (is_new) fresh.push_back(artwork);
        }
        SAT_TRY(transaction->commit());
        ids_ = std::move(fresh);
    }
    const ArtworkId artwork = ids_.back();
    ids_.pop_back();
    return artwork;
}

void VaultCore::take_back_id(const Wallet& wallet, const ArtworkId& artwork, bool untouched) {
    const std::lock_guard lock(returned_mutex_);
    if (!untouched) {
        given_up_.push_back(artwork);
        return;
    }
    spare_ids_.emplace_back(wallet, artwork);
    if (spare_ids_.size() <= kMaxSpareIds) return;
    given_up_.push_back(spare_ids_.front().second);
    spare_ids_.erase(spare_ids_.begin());
}

void VaultCore::became_a_work(const Wallet& wallet) {
    const std::lock_guard lock(returned_mutex_);
    const auto today = ids_today_.find(wallet);
    if (today != ids_today_.end() && today->second > 0) --today->second;
}

Result<void> VaultCore::commit_and_tell(std::unique_ptr<CatalogTransaction> transaction,
                                        const std::vector<Notice>& notices) {
    // Those that this commit can settle: what failed earlier was over before this transaction began.
    std::unordered_set<ArtworkId> doubts;
    {
        const std::lock_guard lock(doubts_mutex_);
        doubts.swap(doubts_);
    }
    auto committed = transaction->commit([this, &notices] {
        const std::lock_guard lock(notify_mutex_);
        if (notify_)
            for (const Notice& notice : notices) notify_(notice.to, notice.event);
    });
    if (!committed) {
        for (const ArtworkId& artwork : doubts) doubt(artwork);
        return committed;
    }
    transaction.reset();
    settle(doubts);
    return {};
}

Result<void> VaultCore::sync_leaves() {
    SAT_TRY(leaves_->catch_up(*catalog));
    return checkpoints->advance(leaves_->leaves_in_all());
}

Result<void> VaultCore::sync_before_receipt() {
    auto synced = sync_leaves();
    if (!synced) synced.error().code = Errc::interrupted;
    return synced;
}

void VaultCore::doubt(const ArtworkId& artwork) {
    const std::lock_guard lock(doubts_mutex_);
    doubts_.insert(artwork);
}

// After a commit that came later: what the failed one may have written lies under it, and the catalogue says the truth.
// The IDs stay unfinished, so the next start looks once more.
void VaultCore::settle(const std::unordered_set<ArtworkId>& doubts) {
    for (const ArtworkId& artwork : doubts) {
        const auto settled = [&]() -> Result<void> {
            SAT_TRY_VALUE(const auto reader, catalog->read());
            SAT_TRY_VALUE(const auto work, reader->work(artwork));
            if (work) return {};
            return blobs->remove(artwork);
        }();
        if (!settled) doubt(artwork);
    }
}

void VaultCore::set_notify(Vault::Notify notify) {
    const std::lock_guard lock(notify_mutex_);
    notify_ = std::move(notify);
}

}  // namespace sat
