// Backups.  docs/storage.md, "Backups".
// SPDX-License-Identifier: Apache-2.0
#include "vault/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "crypto/key_backup.h"
#include "store/directory_blob_store.h"
#include "store/identity_files.h"
#include "vault/ledger_walk.h"
#include "vault/vault_lock.h"

namespace sat {

namespace {

using Place = DirectoryBlobStore::Place;

constexpr std::size_t kCopyStep = std::size_t{1} << 20;

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

Result<void> remove_file(const Path& path) {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return fail(errno_error("remove", path, errno));
    return {};
}

// Whether nobody reads it ever again; any other error says nothing of what is there, and may be gone the next time.
bool is_damage_of_disk(int error) { return error == EIO || error == EBADMSG || error == EUCLEAN; }

// Why a file has no copy.
struct Unread {
    Error why;
    bool lost = false;  // it is missing, no file at all, or the disk's damage
};

// A new file of ours alone, on the disk.  Its pages leave memory, so that whoever reads it back reads the disk.  What
// cannot be read leaves no copy; an error is `to`'s.
Result<std::optional<Unread>> copy_what_is_readable(const Path& from, const Path& to) {
    const auto unread = [&](int error) {
        // What open(2) says of a link, and of what stands in the place of a directory or a file.
        constexpr std::array kNoFile{ENOENT, ELOOP, ENOTDIR, ENXIO, ENODEV};
        const bool lost = is_damage_of_disk(error) || std::ranges::find(kNoFile, error) != kNoFile.end();
        return std::optional(Unread{errno_error("read", from, error), lost});
    };
    // A FIFO must not keep us waiting before it is found to be none.
    const FileDescriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status {};
    if (!source || fstat(source.get(), &status) != 0) return unread(errno);
    if (!S_ISREG(status.st_mode))
        return std::optional(Unread{Error{Errc::io_error, from.string() + " is no regular file", {}}, true});
    const FileDescriptor copy(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!copy) return fail(errno_error("write", to, errno));
    Bytes buffer(kCopyStep);
    for (;;) {
        const ssize_t got = ::read(source.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            const int error = errno;
            SAT_TRY(remove_file(to));
            return unread(error);
        }
        if (got == 0) break;
        SAT_TRY(write_all(copy.get(), ByteView(buffer).first(static_cast<std::size_t>(got)), to));
    }
    SAT_TRY(sync_fd(copy.get(), to));
    (void)posix_fadvise(copy.get(), 0, 0, POSIX_FADV_DONTNEED);
    return std::optional<Unread>();
}

// The same for a file that nothing goes without.
Result<void> copy_new_file(const Path& from, const Path& to) {
    SAT_TRY_VALUE(std::optional<Unread> unread, copy_what_is_readable(from, to));
    if (unread) return fail(std::move(unread->why));
    return {};
}

// A backup is files and directories: through a link it would bring in what nobody backed up.
Error link_error(const Path& path) {
    return {Errc::input_unreadable, path.string() + " is a symbolic link",
            "no backup has one: find out who put it there"};
}

Result<void> refuse_link(const Path& path) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return {};
    return fail(link_error(path));
}

// Those of kKeyFiles that lie in `directory`, and nothing else: an operator's own copies of keys may lie beside them.
Result<BackupFiles> read_key_files(const Path& directory) {
    BackupFiles files;
    for (const char* name : kKeyFiles) {
        if (!is_there(directory / name)) continue;
        SAT_TRY_VALUE(SecretBytes bytes, read_secret_file(directory / name, kMaxKeyFile));
        files.push_back({name, std::move(bytes)});
    }
    return files;
}

Result<void> write_key_files(const BackupFiles& files, const Path& directory) {
    SAT_TRY(make_private_directory(directory));
    for (const BackupFile& file : files)
        SAT_TRY(write_file_atomically(directory / file.name, file.bytes.reveal(), AtomicFile::Existing::refuse, 0600));
    return {};
}

// Whether a private key stands anywhere in it that no passphrase protects.
bool shows_private_key(std::string_view text) {
    constexpr std::string_view kBegin = "-----BEGIN ";
    for (std::size_t at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at)) {
        at += kBegin.size();
        const std::string_view label = text.substr(at, text.find("-----", at) - at);
        if (label.find("PRIVATE KEY") != std::string_view::npos && label != "ENCRYPTED PRIVATE KEY") return true;
    }
    return false;
}

// Why they do not go into a backup; empty where they do.  Keys that cannot all be read are none to restore from.
std::string why_kept_apart(const Result<BackupFiles>& keys) {
    if (!keys) return keys.error().message;
    const SecretBytes* sign = find_backup_file(*keys, "sign.pem");
    if (sign == nullptr) return "sign.pem is missing";
    if (!private_key_is_encrypted(sign->reveal())) return "they have no passphrase";
    for (const BackupFile& file : *keys)
        if (shows_private_key(as_text(file.bytes.reveal())))
            return std::string(file.name) + " has a private key in it that no passphrase protects";
    return {};
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
        SAT_TRY_VALUE(const MasterKey master, copy_master_key());
        const auto key_files = read_key_files(options_.data / "keys");
        report.why_no_keys = why_kept_apart(key_files);
        if (report.why_no_keys.empty()) SAT_TRY(write_key_files(*key_files, part_ / "keys"));
        if (is_there(options_.data / "contradiction"))
            SAT_TRY(copy_new_file(options_.data / "contradiction", part_ / "contradiction"));
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
        SAT_TRY_VALUE(report.check, check_vault({part_, std::nullopt, false, options_.now, options_.stopped}, keys_));
        SAT_TRY(remove_file(part_ / "lock"));
        for (const Path& directory : {place_.images, place_.metadata, part_ / kIdentityDirectory, part_})
            SAT_TRY(sync_directory(directory));
        return report;
    }

private:
    // From the first place that has it good.
    Result<MasterKey> copy_master_key() {
        const Path copy = part_ / "master.key";
        std::optional<Error> first;
        for (const Place& place : from_) {
            SAT_TRY(remove_file(copy));
            SAT_TRY_VALUE(std::optional<Unread> unread, copy_what_is_readable(place.root / "master.key", copy));
            Error problem;
            if (unread) {
                problem = std::move(unread->why);
            } else {
                SAT_TRY_VALUE(const Bytes file, read_file(copy, kMaxMasterKeyFile));
                auto key = MasterKey::unwrap(file, keys_.wallet(), keys_.store);
                if (key) return key;
                problem = std::move(key.error());
            }
            if (!first) first = std::move(problem);
        }
        return fail(std::move(*first));
    }

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

    // From the first place that has it good; where none has, as the first has it that can be read, or not at all, for
    // the report to name.
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
        std::optional<Path> readable;  // the first
        for (const auto& place : from_) {
            const Path from = name(place);
            SAT_TRY(remove_file(to));
            SAT_TRY_VALUE(const std::optional<Unread> unread, copy_what_is_readable(from, to));
            if (unread) continue;
            // With one place there is nothing to choose from, and the check at the end judges.
            if (from_.size() == 1 || judge(to)) return sync_directory(to.parent_path());
            if (!readable) readable = from;
        }
        SAT_TRY(remove_file(to));
        if (readable) SAT_TRY(copy_what_is_readable(*readable, to));
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
    // A relative name of something that is not there stays relative otherwise.
    const Path inner = std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
    const Path outer = std::filesystem::weakly_canonical(std::filesystem::absolute(directory, error), error);
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
bool is_cut_off_placing(const Path& data) {
    return is_there(data / kRestorePart / kRestored.back()) && !is_there(data / kRestored.back());
}

// One that was cut off, or failed, before them: nothing has its place.
bool is_cut_off_copying(const Path& data) {
    return is_there(data / kRestorePart) &&
           std::ranges::none_of(kRestored, [&](const char* name) { return is_there(data / name); });
}

Result<void> remove_tree(const Path& path) {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return fail(errno_error("remove", path, error.value()));
    return {};
}

// The directory itself stays.
Result<void> empty_directory(const Path& directory) {
    std::error_code error;
    std::vector<Path> names;
    std::filesystem::directory_iterator at(directory, error);
    for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) names.push_back(at->path());
    if (error) return fail(errno_error("read", directory, error.value()));
    for (const Path& name : names) SAT_TRY(remove_tree(name));
    return {};
}

// An empty restore.part, and everything gone of a restore that was cut off: copies, all of it, in a directory that was
// empty before.
Result<void> begin_restore(const Path& data) {
    const Path part = data / kRestorePart;
    SAT_TRY(make_private_directory(part));
    if (is_cut_off_placing(data)) {
        for (const char* name : kRestored) SAT_TRY(remove_tree(data / name));
        SAT_TRY(sync_directory(data));
    }
    return empty_directory(part);
}

// That nothing but keys lies there, and what a restore left that was cut off.
Result<void> require_room(const Path& data) {
    const bool placing = is_cut_off_placing(data);
    std::error_code error;
    std::filesystem::directory_iterator at(data, error);
    for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
        const Path name = at->path().filename();
        if (name == "keys" || name == "keys.part" || name == "lock" || name == kRepairLock || name == "lost+found" ||
            name == kRestorePart)
            continue;
        if (placing && std::ranges::find(kRestored, name) != kRestored.end()) continue;
        return fail(Errc::exists, data.string() + " is not empty",
                    "restore into a directory that is empty, or holds keys alone");
    }
    if (error) return fail(errno_error("read", data, error.value()));
    return {};
}

constexpr std::array kNeverMissing{"catalog.sqlite", "master.key"};
// What a restore does not do without, whatever the disk lost.  Of the others the works' files and identities are one of
// many, and each of `leaves` is in the catalogue of the same moment; a part of that file would be of no use beside it.
constexpr std::array kIndispensable{"catalog.sqlite", "master.key", "contradiction"};

// Copies out of a backup.  What the disk lost is left out, for the check to name; whatever else cannot be read fails,
// for a vault without it would keep the restore from being run again.
class RestoreCopy {
public:
    explicit RestoreCopy(const std::function<bool()>& stopped) : stopped_(stopped) {}

    Result<void> copy(const Path& from, const Path& to, bool may_be_lost) {
        SAT_TRY(go_on(stopped_));
        struct stat status {};
        if (lstat(from.c_str(), &status) != 0)
            return may_be_lost && is_damage_of_disk(errno) ? Result<void>() : fail(unreadable(from, errno));
        if (S_ISLNK(status.st_mode)) return fail(link_error(from));
        if (S_ISDIR(status.st_mode)) return copy_directory(from, to);
        SAT_TRY_VALUE(std::optional<Unread> unread, copy_what_is_readable(from, to));
        if (!unread || (may_be_lost && unread->lost && is_there(from))) return {};
        if (!unread->lost) unread->why.hint = kRepeat;
        return fail(std::move(unread->why));
    }

private:
    static constexpr const char* kRepeat = "see that this user can read all of the backup, then run the restore again";

    static Error unreadable(const Path& path, int error) {
        Error out = errno_error("read", path, error);
        out.hint = kRepeat;
        return out;
    }

    Result<void> copy_directory(const Path& from, const Path& to) {
        SAT_TRY(make_private_directory(to));
        std::error_code error;
        std::filesystem::directory_iterator at(from, error);
        for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
            const Path name = at->path().filename();
            SAT_TRY(copy(from / name, to / name, true));
        }
        if (error && !is_damage_of_disk(error.value())) return fail(unreadable(from, error.value()));
        return sync_directory(to);
    }

    const std::function<bool()>& stopped_;
};

Result<void> copy_all(const Path& backup, const Path& part, const std::function<bool()>& stopped) {
    RestoreCopy all(stopped);
    for (const char* name : kRestored) {
        struct stat status {};
        if (lstat((backup / name).c_str(), &status) != 0 && errno == ENOENT) continue;
        const auto is_it = [name](const char* other) { return std::string_view(name) == other; };
        SAT_TRY(all.copy(backup / name, part / name, std::ranges::none_of(kIndispensable, is_it)));
    }
    return {};
}

// Into `part`, verified.
Result<CheckReport> copy_backup(const Path& backup, const Path& part, const VaultKeys& keys, UnixTime now,
                                const std::function<bool()>& stopped) {
    const auto copied = copy_all(backup, part, stopped);
    if (!copied && copied.error().code == Errc::cancelled) return fail(copied.error());
    // Every backup has these.  One that went away meanwhile, with the disk or the mount that it lies on, has lost
    // nothing, and is no damaged one.
    for (const char* name : kNeverMissing)
        if (!is_there(backup / name) || (copied && !is_there(part / name)))
            return fail(Errc::input_unreadable, "the backup in " + backup.string() + " went away while it was read",
                        "make it reachable again, then run the restore again");
    SAT_TRY(copied);
    SAT_TRY(sync_directory(part));
    return check_vault({part, std::nullopt, false, now, stopped}, keys);
}

// Keys that were there first may be another vault's.
Result<void> require_its_keys(const Path& backup, const VaultKeys& keys) {
    SAT_TRY_VALUE(const Bytes file, read_file(backup / "master.key", kMaxMasterKeyFile));
    if (MasterKey::unwrap(file, keys.wallet(), keys.store)) return {};
    return fail(Errc::config, "the backup's master.key does not open with these keys",
                "put the keys of the vault that was backed up there, or take these away where the backup has its own");
}

}  // namespace

Result<BackupReport> backup_vault(const BackupOptions& options, const VaultKeys& keys) {
    std::error_code error;
    Path target = std::filesystem::absolute(options.directory, error);
    if (error) return fail(errno_error("examine", options.directory, error.value()));
    if (!target.has_filename()) target = target.parent_path();
    SAT_TRY(refuse_mount_point(target));
    if (is_there(options.directory) && (!std::filesystem::is_directory(options.directory, error) ||
                                        !std::filesystem::is_empty(options.directory, error)))
        return fail(Errc::exists, options.directory.string() + " is not an empty directory",
                    "name one that is empty, or that is not there yet");
    if (is_within(target, options.data) || (options.duplicate && is_within(target, *options.duplicate)))
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

Result<void> refuse_unfinished_restore(const Path& data) {
    if (!is_cut_off_placing(data) && !is_cut_off_copying(data)) return {};
    return fail(Errc::config, "a restore into " + data.string() + " has not come to its end",
                "run the restore again; to give it up, remove restore.part, and start no vault there without its data");
}

Result<void> prepare_restore(const Path& backup, const Path& data) {
    if (!std::ranges::all_of(kNeverMissing, [&](const char* name) { return is_there(backup / name); }))
        return fail(Errc::input_unreadable, "there is no backup in " + backup.string());
    SAT_TRY(make_private_directory(data));
    SAT_TRY(require_room(data));
    SAT_TRY_VALUE(const FileDescriptor lock, lock_vault(data));
    if (vault_keys_exist(data / "keys")) return {};
    if (!vault_keys_exist(backup / "keys"))
        return fail(Errc::config, "the backup has no keys, and there are none in " + (data / "keys").string(),
                    "put the vault's keys there first");
    // With these keys no vault starts anew.
    SAT_TRY(make_private_directory(data / kRestorePart));
    const Path part = data / "keys.part";
    SAT_TRY(remove_tree(part));
    SAT_TRY(refuse_link(backup / "keys"));
    for (const char* name : kKeyFiles) SAT_TRY(refuse_link(backup / "keys" / name));
    SAT_TRY_VALUE(const BackupFiles files, read_key_files(backup / "keys"));
    SAT_TRY(write_key_files(files, part));
    if (std::rename(part.c_str(), (data / "keys").c_str()) != 0)
        return fail(errno_error("create", data / "keys", errno));
    return sync_directory(data);
}

Result<CheckReport> restore_vault(const Path& backup, const Path& data, const VaultKeys& keys, UnixTime now,
                                  const std::function<bool()>& stopped) {
    SAT_TRY(require_its_keys(backup, keys));
    SAT_TRY_VALUE(const FileDescriptor lock, lock_vault(data));
    SAT_TRY(require_room(data));
    SAT_TRY(begin_restore(data));
    const Path from = data / kRestorePart;
    auto report = copy_backup(backup, from, keys, now, stopped);
    if (!report) {
        // The directory stays, and keeps vaults from starting.
        (void)empty_directory(from);
        return report;
    }
    // What is not whole from here on is begun anew by the next run.
    for (const char* name : kRestored) {
        if (!is_there(from / name)) continue;
        if (std::rename((from / name).c_str(), (data / name).c_str()) != 0)
            return fail(errno_error("create", data / name, errno));
        SAT_TRY(sync_directory(data));
    }
    std::error_code error;
    std::filesystem::remove_all(from, error);
    // Paths as they are from now on.
    for (Damage& damage : report->damages) {
        const Path where(damage.where);
        if (is_within(where, from)) damage.where = (data / where.lexically_relative(from)).string();
    }
    return report;
}

}  // namespace sat
