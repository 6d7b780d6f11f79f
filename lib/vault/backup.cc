// Backups.  docs/storage.md, "Backups".
// SPDX-License-Identifier: Apache-2.0
#include "vault/backup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "store/directory_blob_store.h"
#include "store/identity_files.h"
#include "store/repair_file.h"
#include "vault/ledger_walk.h"

namespace sat {

namespace {

using Place = DirectoryBlobStore::Place;

bool is_there(const Path& path) {
    struct stat status {};
    return lstat(path.c_str(), &status) == 0;
}

// Removed with all that is in it, unless it was given away.
class PartDirectory {
public:
    explicit PartDirectory(Path path) : path_(std::move(path)) {}
    PartDirectory(const PartDirectory&) = delete;
    PartDirectory& operator=(const PartDirectory&) = delete;
    ~PartDirectory() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    const Path& path() const noexcept { return path_; }
    void release() { path_.clear(); }

private:
    Path path_;
};

// A new file of ours alone, on the disk.  Its pages leave memory, so that whoever reads it back reads the disk.
Result<void> copy_new_file(const Path& from, const Path& to) {
    const FileDescriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!source) return fail(errno_error("read", from, errno));
    const FileDescriptor copy(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!copy) return fail(errno_error("write", to, errno));
    SAT_TRY(copy_bytes(source.get(), from, copy.get(), to));
    SAT_TRY(sync_fd(copy.get(), to));
    (void)posix_fadvise(copy.get(), 0, 0, POSIX_FADV_DONTNEED);
    return {};
}

Result<void> remove_file(const Path& path) {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return fail(errno_error("remove", path, errno));
    return {};
}

// Files of one directory, and of those below it.
Result<void> copy_directory(const Path& from, const Path& to) {
    SAT_TRY(make_private_directory(to));
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(from, error)) {
        const Path name = entry.path().filename();
        if (entry.is_directory(error)) {
            SAT_TRY(copy_directory(entry.path(), to / name));
        } else {
            SAT_TRY(copy_new_file(entry.path(), to / name));
        }
    }
    if (error) return fail(errno_error("read", from, error.value()));
    return sync_directory(to);
}

Result<void> go_on(const std::function<bool()>& stopped) {
    return stopped && stopped() ? fail(Errc::cancelled, "stopped by a signal") : Result<void>();
}

class Backup {
public:
    Backup(const BackupOptions& options, const VaultKeys& keys, Path part)
        : options_(options), keys_(keys), part_(std::move(part)), place_(Place::of_data(part_)) {
        from_.push_back(Place::of_data(options.data));
        if (options.duplicate) from_.push_back(Place::of_duplicate(*options.duplicate));
    }

    Result<BackupReport> run() {
        BackupReport report;
        SAT_TRY(copy_new_file(options_.data / "master.key", part_ / "master.key"));
        report.with_keys = all_vault_keys_are_encrypted(options_.data / "keys");
        if (report.with_keys) SAT_TRY(copy_directory(options_.data / "keys", part_ / "keys"));
        if (is_there(options_.data / "contradiction"))
            SAT_TRY(copy_new_file(options_.data / "contradiction", part_ / "contradiction"));
        SAT_TRY_VALUE(const Bytes file, read_file(part_ / "master.key", kMaxMasterKeyFile));
        SAT_TRY_VALUE(const MasterKey master, MasterKey::unwrap(file, keys_.wallet(), keys_.store));
        sealer_.emplace(master.derive(AtRestKey::files));
        SAT_TRY(copy_catalog(master));
        SAT_TRY(copy_ledger(master));
        for (const ArtworkId& artwork : ledger_.order) {
            SAT_TRY(go_on(options_.stopped));
            SAT_TRY(copy_work(ledger_.works.at(artwork).stored));
        }
        SAT_TRY(write_identities());
        audit_.reset();
        SAT_TRY(go_on(options_.stopped));
        SAT_TRY_VALUE(report.check, check_vault({part_, std::nullopt, false, options_.now}, keys_));
        SAT_TRY(remove_file(part_ / "lock"));
        for (const Path& directory : {place_.images, place_.metadata, part_ / kIdentityDirectory, part_})
            SAT_TRY(sync_directory(directory));
        return report;
    }

private:
    // One view of the database; whatever it knows of lies in files that nobody changes any more.
    Result<void> copy_catalog(const MasterKey& master) {
        const Path copy = part_ / "catalog.sqlite";
        {
            auto live = CatalogAudit::open(options_.data / "catalog.sqlite", master, keys_.wallet());
            if (!live) return fail(Errc::config, live.error().message, "stop the vault, and run `sat-vaultd check`");
            SAT_TRY((*live)->copy_to(copy));
        }
        if (chmod(copy.c_str(), 0600) != 0) return fail(errno_error("write", copy, errno));
        {
            const FileDescriptor fd(::open(copy.c_str(), O_RDONLY | O_CLOEXEC));
            if (!fd) return fail(errno_error("read", copy, errno));
            SAT_TRY(sync_fd(fd.get(), copy));
        }
        SAT_TRY_VALUE(audit_, CatalogAudit::open(copy, master, keys_.wallet()));
        return {};
    }

    // The leaves of that view, as a leaves file has them.
    Result<void> copy_ledger(const MasterKey& master) {
        SAT_TRY_VALUE(AtomicFile leaves, AtomicFile::create(part_ / "leaves", AtomicFile::Existing::refuse, 0600));
        SAT_TRY(leaves.write(leaf_log_header(keys_.wallet())));
        LedgerVisitor visitor;
        visitor.leaf = [&](const LeafCopies& copies, const Result<VerifiedLeaf>&, const LedgerWork*) {
            return leaves.write(leaf_record(*copies.sealed));
        };
        const FindIdentity find = [this](const Wallet& wallet) { return find_identity(wallet); };
        LeafSources sources(audit_.get(), {}, master);
        SAT_TRY_VALUE(ledger_, walk_ledger(sources, keys_.chain, find, visitor));
        if (!ledger_.whole)
            return fail(Errc::config, "the catalogue's ledger is damaged",
                        "stop the vault, and run `sat-vaultd check --repair`");
        return leaves.commit();
    }

    std::optional<IdentityChain> find_identity(const Wallet& wallet) {
        if (const auto known = audit_->identity(wallet); known && *known) {
            auto chain = IdentityChain::parse(**known);
            if (chain && chain->wallet() == wallet) return std::move(*chain);
        }
        for (const Place& place : from_) {
            const auto file = read_file(identity_path(place.root, wallet), kMaxIdentityFile);
            if (!file) continue;
            const auto encoded = open_identity_file(*file, wallet, *sealer_);
            if (!encoded) continue;
            auto chain = IdentityChain::parse(*encoded);
            if (chain && chain->wallet() == wallet) return std::move(*chain);
        }
        return std::nullopt;
    }

    // From the first place that has it good; where none has, whatever the first one has, for the report to name.
    Result<void> copy_work(const StoredWork& work) {
        SAT_TRY(copy_good([&](const Place& place) { return place.image(work.artwork); },
                          [&](const Path& copy) { return check_image_file(copy, work, keys_); }));
        return copy_good([&](const Place& place) { return place.metadata_file(work.artwork); },
                         [&](const Path& copy) -> Result<void> {
                             SAT_TRY(check_work_file(copy, work, keys_, *sealer_));
                             return {};
                         });
    }

    template <typename Name, typename Judge>
    Result<void> copy_good(Name name, Judge judge) {
        const Path to = name(place_);
        SAT_TRY(make_private_directory(to.parent_path()));
        for (const auto& place : from_) {
            const Path from = name(place);
            if (!is_there(from)) continue;
            SAT_TRY(remove_file(to));
            SAT_TRY(copy_new_file(from, to));
            // With one place there is nothing to choose from, and the check at the end judges.
            if (from_.size() == 1 || judge(to)) break;
        }
        return sync_directory(to.parent_path());
    }

    Result<void> write_identities() {
        SAT_TRY(make_private_directory(part_ / kIdentityDirectory));
        SAT_TRY(make_private_directory(place_.images));
        SAT_TRY(make_private_directory(place_.metadata));
        for (const Wallet& wallet : ledger_.signers) {
            const auto chain = find_identity(wallet);
            if (!chain) continue;
            SAT_TRY(write_file_atomically(identity_path(part_, wallet),
                                          seal_identity_file(wallet, chain->encode(), *sealer_),
                                          AtomicFile::Existing::refuse, 0600));
        }
        return {};
    }

    const BackupOptions& options_;
    const VaultKeys& keys_;
    Path part_;
    Place place_;              // of the copy
    std::vector<Place> from_;  // the vault's
    std::optional<AtRestSealer> sealer_;
    std::unique_ptr<CatalogAudit> audit_;  // of the copy
    Ledger ledger_;
};

bool is_within(const Path& path, const Path& directory) {
    std::error_code error;
    const Path inner = std::filesystem::weakly_canonical(path, error);
    const Path outer = std::filesystem::weakly_canonical(directory, error);
    const auto relative = inner.lexically_relative(outer);
    return !relative.empty() && *relative.begin() != "..";
}

// A directory is renamed to `target` at the end, and nothing can be renamed onto a file system.
Result<void> refuse_mount_point(const Path& target) {
    struct stat own {};
    struct stat above {};
    if (stat(target.c_str(), &own) != 0) return {};  // it is to be made
    if (stat(target.parent_path().c_str(), &above) != 0) return fail(errno_error("examine", target, errno));
    if (own.st_dev == above.st_dev) return {};
    return fail(Errc::config, target.string() + " is a file system of its own",
                "name a directory in it, which need not be there yet");
}

// What a restore puts into the data directory, in this order: until the last one is there no vault starts.
constexpr std::array<const char*, 7> kRestored = {"leaves",        "identities",     "metadata_store", "image_store",
                                                  "contradiction", "catalog.sqlite", "master.key"};
constexpr const char* kRestorePart = "restore.part";

// A restore that was cut off among its renames: what it copied last is whole, and has not got its place.
bool is_unfinished(const Path& data) {
    return is_there(data / kRestorePart / kRestored.back()) && !is_there(data / kRestored.back());
}

// Everything of a restore that was cut off: copies, all of it, in a directory that was empty before.
Result<void> remove_unfinished(const Path& data) {
    std::error_code error;
    if (is_unfinished(data)) {
        for (const char* name : kRestored) {
            std::filesystem::remove_all(data / name, error);
            if (error) return fail(errno_error("remove", data / name, error.value()));
        }
        SAT_TRY(sync_directory(data));
    }
    std::filesystem::remove_all(data / kRestorePart, error);
    if (error) return fail(errno_error("remove", data / kRestorePart, error.value()));
    return {};
}

// Keys that were there first may be another vault's.
Result<void> require_its_keys(const Path& backup, const VaultKeys& keys) {
    SAT_TRY_VALUE(const Bytes file, read_file(backup / "master.key", kMaxMasterKeyFile));
    if (MasterKey::unwrap(file, keys.wallet(), keys.store)) return {};
    return fail(Errc::config, "the backup's master.key does not open with these keys",
                "put the keys of the vault that was backed up there, or take these away where the backup has its own");
}

}  // namespace

Result<FileDescriptor> keep_from_repair(const Path& data) {
    const Path path = data / kRepairLock;
    FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) return fail(errno_error("open", path, errno));
    if (::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return fd;
    if (errno != EWOULDBLOCK) return fail(errno_error("lock", path, errno));
    return fail(Errc::busy, data.string() + " is being repaired, or its keys are being changed",
                "try again when that is done");
}

Result<BackupReport> backup_vault(const BackupOptions& options, const VaultKeys& keys) {
    std::error_code error;
    Path target = std::filesystem::absolute(options.directory, error);
    if (!target.has_filename()) target = target.parent_path();
    SAT_TRY(refuse_mount_point(target));
    if (is_there(options.directory) && (!std::filesystem::is_directory(options.directory, error) ||
                                        !std::filesystem::is_empty(options.directory, error)))
        return fail(Errc::exists, options.directory.string() + " is not an empty directory",
                    "name one that is empty, or that is not there yet");
    if (is_within(options.directory, options.data) ||
        (options.duplicate && is_within(options.directory, *options.duplicate)))
        return fail(Errc::config, options.directory.string() + " lies in the vault's own directory",
                    "name a directory on another disk");
    SAT_TRY_VALUE(const FileDescriptor unrepaired, keep_from_repair(options.data));
    std::string pattern = target.string() + ".part-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) return fail(errno_error("create", target, errno));
    PartDirectory part{Path(pattern)};
    SAT_TRY_VALUE(BackupReport report, Backup(options, keys, part.path()).run());
    if (std::rename(part.path().c_str(), target.c_str()) != 0) {
        if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
            return fail(Errc::exists, target.string() + " is not an empty directory any more");
        return fail(errno_error("create", target, errno));
    }
    part.release();
    SAT_TRY(sync_directory(target.parent_path()));
    return report;
}

Result<void> prepare_restore(const Path& backup, const Path& data) {
    if (!is_there(backup / "catalog.sqlite") || !is_there(backup / "master.key"))
        return fail(Errc::input_unreadable, "there is no backup in " + backup.string());
    SAT_TRY(make_private_directory(data));
    const bool unfinished = is_unfinished(data);
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(data, error)) {
        const Path name = entry.path().filename();
        if (name == "keys" || name == "keys.part" || name == "lock" || name == kRepairLock || name == "lost+found" ||
            name == kRestorePart)
            continue;
        if (unfinished && std::ranges::find(kRestored, name) != kRestored.end()) continue;
        return fail(Errc::exists, data.string() + " is not empty",
                    "restore into a directory that is empty, or holds keys alone");
    }
    if (error) return fail(errno_error("read", data, error.value()));
    if (vault_keys_exist(data / "keys")) return {};
    if (!vault_keys_exist(backup / "keys"))
        return fail(Errc::config, "the backup has no keys, and there are none in " + (data / "keys").string(),
                    "put the vault's keys there first");
    const Path part = data / "keys.part";
    std::filesystem::remove_all(part, error);
    SAT_TRY(copy_directory(backup / "keys", part));
    if (std::rename(part.c_str(), (data / "keys").c_str()) != 0)
        return fail(errno_error("create", data / "keys", errno));
    return sync_directory(data);
}

Result<CheckReport> restore_vault(const Path& backup, const Path& data, const VaultKeys& keys, UnixTime now,
                                  const std::function<bool()>& stopped) {
    SAT_TRY(require_its_keys(backup, keys));
    SAT_TRY_VALUE(const FileDescriptor lock, lock_file(data / "lock"));
    SAT_TRY(remove_unfinished(data));
    std::error_code error;
    PartDirectory part(data / kRestorePart);
    SAT_TRY(make_private_directory(part.path()));
    for (const char* name : kRestored) {
        SAT_TRY(go_on(stopped));
        if (!is_there(backup / name)) continue;
        if (std::filesystem::is_directory(backup / name, error)) {
            SAT_TRY(copy_directory(backup / name, part.path() / name));
        } else {
            SAT_TRY(copy_new_file(backup / name, part.path() / name));
        }
    }
    SAT_TRY(sync_directory(part.path()));
    SAT_TRY_VALUE(CheckReport report, check_vault({part.path(), std::nullopt, false, now}, keys));
    // What is not whole from here on is finished, or begun anew, by the next run.
    part.release();
    const Path from = data / kRestorePart;
    for (const char* name : kRestored) {
        if (!is_there(from / name)) continue;
        if (std::rename((from / name).c_str(), (data / name).c_str()) != 0)
            return fail(errno_error("create", data / name, errno));
        SAT_TRY(sync_directory(data));
    }
    std::filesystem::remove_all(from, error);
    // Paths as they are from now on.
    for (Damage& damage : report.damages) {
        const Path where(damage.where);
        if (is_within(where, from)) damage.where = (data / where.lexically_relative(from)).string();
    }
    return report;
}

}  // namespace sat
