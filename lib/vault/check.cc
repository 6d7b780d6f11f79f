// The check.  docs/storage.md, "Rot and repair".
//
//     master.key -> modes -> leaves files -> the catalogue's file -> the ledger, leaf by leaf, in all copies side by
//     side -> the catalogue's rows -> what belongs to nothing -> each work's files -> identities
//
// Only when all of it was judged is anything changed.
// SPDX-License-Identifier: Apache-2.0
#include "vault/check.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <unordered_map>
#include <unordered_set>

#include "ledger/note.h"
#include "store/directory_blob_store.h"
#include "store/identity_files.h"
#include "store/repair_file.h"
#include "store/sqlite_log.h"
#include "vault/backup.h"
#include "vault/rebuild.h"
#include "vault/vault_lock.h"

namespace sat {

namespace {

using Place = DirectoryBlobStore::Place;

// A damaged catalogue may have a damage in each row; nobody reads more of them.
constexpr std::size_t kMostListed = 50;

constexpr const char* kCatalogFile = "catalog.sqlite";
constexpr const char* kRebuiltFile = "catalog.rebuilt";

constexpr std::size_t kMaxPath = 4096;

bool is_regular(const Path& path) {
    struct stat status {};
    return lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

Result<void> remove_file(const Path& path) {
    std::error_code error;
    std::filesystem::remove(path, error);
    if (error) return fail(errno_error("remove", path, error.value()));
    return {};
}

Path with_suffix(Path path, const char* suffix) {
    path += suffix;
    return path;
}

class Check {
public:
    Check(const CheckOptions& options, const VaultKeys& keys) : options_(options), keys_(keys) {
        places_.push_back(Place::of_data(options.data));
        if (options.duplicate) places_.push_back(Place::of_duplicate(*options.duplicate));
    }

    Result<CheckReport> run() {
        SAT_TRY(lock());
        look_for_duplicate();
        SAT_TRY_VALUE(const bool has_key, open_master_key());
        if (!has_key) return std::move(report_);
        // Before the database's own files of the moment lie there.
        for (const Place& place : places_) check_modes(place);
        SAT_TRY(open_leaves());
        SAT_TRY(open_catalog());
        read_contradiction();
        SAT_TRY(check_ledger());
        check_rows_of_catalog();
        check_contradiction();
        look_for_strangers();
        judge_leaves_files();
        judge_catalog();
        SAT_TRY(check_works());
        check_identities();
        SAT_TRY(go_on());
        if (options_.repair) mend();
        report_.works = ledger_.order.size();
        report_.ledger = ledger_.head;
        return std::move(report_);
    }

private:
    using Mend = std::function<Result<void>()>;

    // --- What is said ---

    // Its number.
    std::size_t damaged(std::string part, std::string where, std::string problem, Remedy remedy,
                        const std::optional<ArtworkId>& artwork = std::nullopt) {
        report_.damages.push_back({std::move(part), std::move(where), artwork, std::move(problem), remedy, false});
        return report_.damages.size() - 1;
    }

    void catalog_damaged(const std::string& where, const std::string& problem) {
        catalog_spoilt_ = true;
        if (++catalog_damages_ > kMostListed) {
            ++report_.unlisted;
            return;
        }
        damaged("catalogue", where, problem, Remedy::rebuild);
    }

    // What the ledger was cannot be proved: nothing is made from it.
    void doubt_ledger(const std::string& why) {
        ledger_.whole = false;
        if (doubt_.empty()) doubt_ = why;
    }

    // --- What is done, at the end ---

    void later(std::size_t damage, Mend mend) { mends_.emplace_back(damage, std::move(mend)); }

    void mend() {
        if (split_) {
            for (Damage& damage : report_.damages) damage.remedy = Remedy::none;
            report_.notes.emplace_back("nothing was mended: the ledger has two histories");
            return;
        }
        // Modes first: nothing is written into a directory that is open to others.
        std::stable_partition(mends_.begin(), mends_.end(),
                              [this](const auto& mend) { return report_.damages[mend.first].part == "mode"; });
        for (const auto& [damage, mend] : mends_) settle(damage, mend());
        restore_metadata();
        write_leaves();
        if (const auto written = write_catalog(); !written)
            report_.notes.push_back("the catalogue could not be rebuilt, and is as it was: " + written.error().message);
    }

    void settle(std::size_t damage, const Result<void>& mended) {
        report_.damages[damage].healed = mended.has_value();
        if (!mended) report_.damages[damage].problem += "; it could not be mended: " + mended.error().message;
    }

    Result<void> go_on() const {
        return options_.stopped && options_.stopped() ? fail(Errc::cancelled, "stopped by a signal") : Result<void>();
    }

    // --- Directories and keys ---

    Result<void> lock() {
        SAT_TRY(require_private_directory(options_.data));
        if (options_.duplicate) {
            if (!is_there(*options_.duplicate))
                return fail(Errc::config, options_.duplicate->string() + " is not there",
                            "mount its disk; if a new duplicate is to be made there, make the directory: mkdir -m 700");
            SAT_TRY(require_private_directory(*options_.duplicate));
            std::error_code error;
            if (std::filesystem::equivalent(options_.data, *options_.duplicate, error))
                return fail(Errc::config, "the duplicate directory is the data directory",
                            "name a directory on another disk");
        }
        for (const Place& place : places_) {
            SAT_TRY_VALUE(FileDescriptor locked, lock_vault(place.root));
            locks_.push_back(std::move(locked));
            SAT_TRY(refuse_unfinished_restore(place.root));
        }
        if (options_.repair) {
            SAT_TRY_VALUE(FileDescriptor alone, lock_for_repair(options_.data));
            locks_.push_back(std::move(alone));
        }
        return {};
    }

    void look_for_duplicate() {
        const auto path = recorded_duplicate(options_.data);
        if (options_.duplicate || !path) return;
        has_duplicate_ = true;
        report_.notes.push_back("the vault has a duplicate, last in " + *path +
                                ": it was not looked at; name it with --duplicate");
    }

    Result<void> check_master_key(const Path& path) const {
        SAT_TRY_VALUE(const Bytes file, read_file(path, kMaxMasterKeyFile));
        SAT_TRY(MasterKey::unwrap(file, keys_.wallet(), keys_.store));
        return {};
    }

    // False: nothing was ever stored, or nothing can be read.
    Result<bool> open_master_key() {
        std::vector<Error> problems;
        std::vector<std::size_t> bad;
        std::optional<std::size_t> good;
        bool any = false;
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const Path path = places_[i].root / "master.key";
            any = any || is_there(path);
            std::optional<MasterKey::Fault> fault;
            auto key = [&]() -> Result<MasterKey> {
                if (!is_there(path)) return fail(Errc::io_error, "it is missing");
                SAT_TRY_VALUE(const Bytes file, read_file(path, kMaxMasterKeyFile));
                auto opened = MasterKey::unwrap(file, keys_.wallet(), keys_.store);
                if (!opened) fault = MasterKey::fault_of(file, keys_.wallet(), keys_.store);
                return opened;
            }();
            ++report_.files;
            if (fault == MasterKey::Fault::newer)
                return fail(Errc::config, path.string() + " has a format that this version does not know",
                            "use the version of sat-vaultd that wrote it");
            if (fault == MasterKey::Fault::foreign)
                return fail(Errc::config, path.string() + " is another vault's",
                            "name the directory that belongs to this vault");
            if (!key) {
                bad.push_back(i);
                problems.push_back(std::move(key.error()));
            } else if (!master_) {
                good = i;
                master_.emplace(std::move(*key));
            } else if (master_->check_value() != key->check_value()) {
                return fail(Errc::config,
                            options_.duplicate->string() + " and " + options_.data.string() + " do not belong together",
                            "name the duplicate directory that belongs to this vault");
            }
        }
        if (!any && !is_there(options_.data / kCatalogFile) && !is_there(options_.data / "leaves")) {
            report_.notes.emplace_back("nothing was stored yet");
            return false;
        }
        for (std::size_t i = 0; i < bad.size(); ++i) {
            const Path path = places_[bad[i]].root / "master.key";
            const std::size_t number =
                damaged("master_key", path.string(), problems[i].message, good ? Remedy::copy : Remedy::none);
            if (!good) continue;
            later(number, [this, from = places_[*good].root / "master.key", root = places_[bad[i]].root, path] {
                return heal_file(from, root, path, [this](const Path& copy) { return check_master_key(copy); });
            });
        }
        if (!master_) return false;
        files_sealer_.emplace(master_->derive(AtRestKey::files));
        return true;
    }

    // --- The ledger ---

    Result<void> open_catalog() {
        const Path path = options_.data / kCatalogFile;
        if (!is_there(path)) {
            catalog_damaged(path.string(), "it is missing");
            return {};
        }
        ++report_.files;
        // Before it is opened.
        const Path log = with_suffix(path, "-wal");
        const auto damage = damage_of_log(log);
        if (!damage) {
            log_spoilt_ = true;
            catalog_damaged(log.string(), damage.error().message);
        } else if (*damage) {
            log_spoilt_ = true;
            catalog_damaged(log.string(), **damage + ": what was committed after it is lost");
        }
        auto audit = CatalogAudit::open(path, *master_, keys_.wallet());
        if (!audit) {
            const Error& error = audit.error();
            if (error.code == Errc::version || error.code == Errc::config)
                return fail(Errc::config, error.message, error.hint);
            if (error.code == Errc::busy || error.code == Errc::storage_full) return fail(error);
            catalog_damaged(path.string(), error.message);
            return {};
        }
        audit_ = std::move(*audit);
        for (const std::string& problem : audit_->problems()) catalog_damaged(path.string(), problem);
        const auto lines = audit_->integrity();
        if (!lines) {
            catalog_damaged(path.string(), lines.error().message);
        } else {
            for (const std::string& line : *lines) catalog_damaged(path.string(), line);
        }
        return {};
    }

    struct LeafPlace {
        std::uint64_t index = 0;
        std::uint64_t offset = 0;
    };

    struct LeavesState {
        std::optional<LeafFile> file;
        LeafFile::Header header = LeafFile::Header::damaged;
        std::string unreadable;  // why there is no file
        std::uint64_t bad = 0;   // leaves
        std::uint64_t first_bad = 0;
        std::uint64_t behind = 0;
        bool split = false;  // it has another history
        bool spoilt = false;
        std::size_t damage = 0;  // in the report
    };

    Result<void> open_leaves() {
        for (const Place& place : places_) {
            LeavesState state;
            const Path path = place.root / "leaves";
            const auto open = [&]() -> Result<void> {
                if (!is_there(path)) return fail(Errc::io_error, "it is missing");
                if (!is_regular(path)) return fail(Errc::io_error, "it is no regular file");
                SAT_TRY_VALUE(state.file, LeafFile::open(path));
                if (!state.file) return fail(Errc::io_error, "it is missing");
                SAT_TRY_VALUE(state.header, state.file->header_for(keys_.wallet()));
                return {};
            };
            if (const auto opened = open(); !opened) {
                state.file.reset();
                state.unreadable = opened.error().message;
            } else {
                ++report_.files;
                report_.bytes += state.file->size();
                // Its first leaf tells whose a file is whose first bytes turned over.
                const bool opens = LeafSources(nullptr, {&*state.file}, *master_).count(0, 0, kLeafLogHeader) > 0;
                if (!opens && state.header == LeafFile::Header::foreign)
                    return fail(Errc::config, path.string() + " is another vault's",
                                "name the directory that belongs to this vault");
                if (!opens && state.header == LeafFile::Header::newer)
                    return fail(Errc::config, path.string() + " has a format that this version does not know",
                                "use the version of sat-vaultd that wrote it");
                ledger_known_ = ledger_known_ || opens || state.header == LeafFile::Header::ours;
            }
            leaves_.push_back(std::move(state));
        }
        return {};
    }

    LeafSources sources() {
        std::vector<const LeafFile*> files;
        for (const LeavesState& state : leaves_) files.push_back(state.file ? &*state.file : nullptr);
        return {audit_.get(), std::move(files), *master_};
    }

    // The longest chain that proves itself, wherever it lies.
    std::optional<IdentityChain> find_identity(const Wallet& wallet) {
        std::optional<IdentityChain> best;
        const auto offer = [&](const Result<Bytes>& encoded) {
            if (!encoded) return;
            auto chain = IdentityChain::parse(*encoded);
            if (!chain || chain->wallet() != wallet || (best && best->seq() >= chain->seq())) return;
            best.emplace(std::move(*chain));
        };
        if (audit_)
            if (const auto known = audit_->identity(wallet); known && *known) offer(**known);
        for (const Place& place : places_) offer(read_identity(place, wallet));
        return best;
    }

    Result<Bytes> read_identity(const Place& place, const Wallet& wallet) {
        const Path path = identity_path(place.root, wallet);
        if (!is_there(path)) return fail(Errc::io_error, "it is missing");
        SAT_TRY_VALUE(const Bytes bytes, read_file(path, kMaxIdentityFile));
        return open_identity_file(bytes, wallet, *files_sealer_);
    }

    Result<void> check_ledger() {
        LeafSources all = sources();
        LedgerVisitor visitor;
        visitor.leaf = [this](const LeafCopies& copies, const Result<VerifiedLeaf>& leaf, const LedgerWork* work) {
            take_leaf(copies, leaf, work);
            return go_on();
        };
        visitor.lost = [this](const LeafCopies& copies) {
            damaged("ledger", "leaf " + std::to_string(copies.index), "it is damaged in every copy", Remedy::none);
            doubt_ledger("the ledger has leaves that no copy has");
            for (std::size_t i = 0; i < leaves_.size(); ++i) bad_record(i, copies.index);
            return Result<void>();
        };
        visitor.node = [this](unsigned level, std::uint64_t number, const Digest& hash) {
            if (!audit_) return Result<void>();
            const auto node = audit_->node(level, number);
            if (!node || *node != hash)
                catalog_damaged("node " + std::to_string(level) + "/" + std::to_string(number),
                                !node ? node.error().message : "it is not the hash of its leaves");
            return Result<void>();
        };
        visitor.grown = [this](const MerkleBuilder& tree) {
            if (contradiction_ && tree.size() == contradiction_->size) at_contradiction_ = tree.head();
        };
        SAT_TRY_VALUE(ledger_, walk_ledger(all, keys_.chain, find_, visitor));
        for (const auto& [file, leaf] : splits_) tell_of_split(all, file, leaf);
        if (!audit_ && !ledger_known_) {
            doubt_ledger("neither a catalogue nor a leaves file tells what the ledger was");
            damaged("ledger", (options_.data / "leaves").string(), doubt_, Remedy::none);
        }
        if (audit_) {
            // What the catalogue counts and nobody has.
            const auto rows = audit_->leaves();
            const auto totals = audit_->totals();
            // A tree of another size has another root: a size beside this ledger's root is a damaged number.
            const bool other = totals && totals->tree.root != ledger_.head.root;
            const std::uint64_t wanted = std::max(rows.value_or(0), other ? totals->tree.size : 0);
            catalog_behind_ = wanted < ledger_.head.size;
            if (wanted > ledger_.head.size && ledger_.whole) {
                doubt_ledger("the ledger has leaves that no copy has");
                damaged("ledger", "leaf " + std::to_string(ledger_.head.size) + " and those behind it",
                        "they are missing or damaged in every copy", Remedy::none);
            }
        }
        return {};
    }

    void tell_of_split(LeafSources& all, std::size_t file, const LeafPlace& leaf) {
        split_ = true;
        leaves_[file].split = true;
        doubt_ledger("the ledger has two histories");
        const std::uint64_t other = leaf.index + all.count(file, leaf.index, leaf.offset);
        damaged("ledger", "leaf " + std::to_string(leaf.index),
                "two histories part here: " + leaves_[file].file->path().string() + " has " + std::to_string(other) +
                    " leaves, " + options_.data.string() + " has " + std::to_string(ledger_.head.size) +
                    "; decide which is to be followed, and move the other directory away",
                Remedy::none);
    }

    void bad_record(std::size_t which, std::uint64_t index) {
        LeavesState& state = leaves_[which];
        if (state.bad++ == 0) state.first_bad = index;
    }

    void take_leaf(const LeafCopies& copies, const Result<VerifiedLeaf>& leaf, const LedgerWork* work) {
        const std::string where = "leaf " + std::to_string(copies.index);
        for (const std::size_t file : copies.split) splits_.emplace_back(file, LeafPlace{copies.index, copies.offset});
        if (!leaf) {
            damaged("ledger", where, leaf.error().message, Remedy::none);
            doubt_ledger("a leaf of the ledger does not verify: " + leaf.error().message);
        }
        for (std::size_t i = 0; i < leaves_.size(); ++i) {
            const LeavesState& state = leaves_[i];
            if (!state.file || std::ranges::any_of(splits_, [&](const auto& split) { return split.first == i; }))
                continue;
            if (copies.offset >= state.file->size()) {
                ++leaves_[i].behind;
            } else if (copies.records[i] != copies.sealed) {
                bad_record(i, copies.index);
            }
        }
        if (!audit_) return;
        if (!copies.row) {
            catalog_damaged(where, copies.row.error().message);
            return;
        }
        if (!*copies.row) {
            catalog_damaged(where, "it is missing");
            return;
        }
        const LeafRow& row = **copies.row;
        if (row.sealed != *copies.sealed) {
            catalog_damaged(where, "it does not authenticate");
        } else if (row.hash != leaf_hash(copies.entry) ||
                   row.log_end != copies.offset + leaf_record_size(copies.sealed->size())) {
            catalog_damaged(where, "its hash or its place is not its own");
        } else if (leaf && (row.artwork != leaf->artwork || row.at != leaf->at || row.position + 1 != work->leaves)) {
            catalog_damaged(where, "its work, time or position is not what it says");
        }
    }

    void judge_leaves_files() {
        for (std::size_t i = 0; i < leaves_.size(); ++i) {
            LeavesState& state = leaves_[i];
            std::string problem;
            if (state.split) continue;
            if (!state.file) {
                problem = state.unreadable;
            } else if (state.header != LeafFile::Header::ours) {
                problem = "it does not begin as a leaves file of this vault";
            } else if (state.bad > 0) {
                problem = std::to_string(state.bad) + " of its leaves are damaged, the first is leaf " +
                          std::to_string(state.first_bad);
            } else if (state.file->size() != ledger_.end) {
                problem = state.behind > 0
                              ? "it lacks the newest " + std::to_string(state.behind) + " leaves, or its end is torn"
                              : "what follows its last leaf is none";
            }
            if (problem.empty()) continue;
            state.spoilt = true;
            state.damage = damaged("leaves", (places_[i].root / "leaves").string(), problem,
                                   ledger_.whole ? Remedy::rebuild : Remedy::none);
        }
    }

    // --- The catalogue ---

    void check_rows_of_catalog() {
        if (!audit_) return;
        const RowDamage tell = [this](const std::string& where, const std::string& problem) {
            catalog_damaged(where, problem);
        };
        rows_ = check_rows(*audit_, ledger_, keys_, find_, tell);
        for (const IdRow& id : rows_.ids)
            if (id.unfinished) unfinished_.insert(id.artwork);
    }

    void judge_catalog() {
        if (!catalog_spoilt_) return;
        if (!audit_ && has_duplicate_) catalog_doubt_ = "the vault has a duplicate, and it was not named";
        if (!ledger_.whole) catalog_doubt_ = doubt_;
        if (catalog_doubt_.empty()) return;
        for (Damage& damage : report_.damages)
            if (damage.part == "catalogue") damage.remedy = Remedy::none;
        report_.notes.push_back("the catalogue cannot be rebuilt: " + catalog_doubt_);
    }

    // A checkpoint that somebody showed the vault, and that its data contradicted then.  Before the ledger's leaves,
    // for it may be of a tree that they grow through.
    void read_contradiction() {
        const Path path = contradiction_path();
        if (!is_there(path)) return;
        const auto note = read_file(path, kMaxNote);
        if (!note) return;
        if (const auto head = open_checkpoint(as_text(*note), keys_.wallet(), keys_.log.public_key()))
            contradiction_ = *head;
        at_contradiction_ = MerkleBuilder().head();
    }

    void check_contradiction() {
        const Path path = contradiction_path();
        if (!is_there(path)) return;
        if (!contradiction_) {
            damaged("ledger", path.string(), "it is no checkpoint that this vault signed", Remedy::none);
            doubt_ledger("it was contradicted");
        } else if (*contradiction_ != at_contradiction_) {
            damaged("ledger", path.string(),
                    "this vault signed a ledger of " + std::to_string(contradiction_->size) +
                        " leaves, and this one, of " + std::to_string(ledger_.head.size) +
                        " leaves, contradicts it: an older or another copy",
                    Remedy::none);
            doubt_ledger("this vault signed another one");
        }
    }

    Path contradiction_path() const { return options_.data / "contradiction"; }

    // --- The works' files ---

    enum class Kind { image, metadata };

    Result<void> check_file(Kind kind, std::size_t place, const StoredWork& work) {
        const Path path = path_of(kind, place, work.artwork);
        struct stat status {};
        ++report_.files;
        if (lstat(path.c_str(), &status) == 0) report_.bytes += static_cast<std::uint64_t>(status.st_size);
        return check_file(kind, path, work);
    }

    Result<void> check_file(Kind kind, const Path& path, const StoredWork& work) {
        if (kind == Kind::image) return check_image_file(path, work, keys_);
        SAT_TRY(check_work_file(path, work, keys_, *files_sealer_));
        return {};
    }

    Path path_of(Kind kind, std::size_t place, const ArtworkId& artwork) const {
        return kind == Kind::image ? places_[place].image(artwork) : places_[place].metadata_file(artwork);
    }

    Result<void> check_works() {
        for (const ArtworkId& artwork : ledger_.order) {
            SAT_TRY(go_on());
            const StoredWork& work = ledger_.works.at(artwork).stored;
            for (const Kind kind : {Kind::image, Kind::metadata}) check_copies(kind, work);
        }
        return {};
    }

    void check_copies(Kind kind, const StoredWork& work) {
        std::vector<Result<void>> judged;
        std::optional<std::size_t> good;
        for (std::size_t i = 0; i < places_.size(); ++i) {
            judged.push_back(check_file(kind, i, work));
            if (judged.back() && !good) good = i;
        }
        // Everything in it but the preview stands elsewhere.
        const bool can_be_written = kind == Kind::metadata && !work.preview && ledger_.whole;
        for (std::size_t i = 0; i < places_.size(); ++i) {
            if (judged[i]) continue;
            const Path path = path_of(kind, i, work.artwork);
            const Remedy remedy = good ? Remedy::copy : (can_be_written ? Remedy::rebuild : Remedy::none);
            const std::size_t number = damaged(kind == Kind::image ? "image" : "metadata", path.string(),
                                               judged[i].error().message, remedy, work.artwork);
            if (good) {
                later(number, [this, kind, from = path_of(kind, *good, work.artwork), root = places_[i].root, path,
                               artwork = work.artwork] {
                    const StoredWork& of = ledger_.works.at(artwork).stored;
                    return heal_file(from, root, path, [&](const Path& copy) { return check_file(kind, copy, of); });
                });
            } else if (can_be_written) {
                to_write_[work.artwork].emplace_back(i, number);
            }
        }
    }

    // Metadata that no copy has: from the ledger, the catalogue, or a receipt signed anew.
    void restore_metadata() {
        if (to_write_.empty()) return;
        LeafSources all = sources();
        LedgerVisitor visitor;
        visitor.leaf = [&](const LeafCopies&, const Result<VerifiedLeaf>& leaf,
                           const LedgerWork* work) -> Result<void> {
            if (!leaf || !leaf->registration) return {};
            const auto wanted = to_write_.find(leaf->artwork);
            if (wanted == to_write_.end()) return {};
            WorkFile file;
            file.artwork = leaf->artwork;
            file.registered_at = leaf->at;
            file.registration = leaf->registration->jws;
            if (const auto origin = origin_of(leaf->artwork)) file.origin = *origin;
            if (audit_)
                if (const auto known = audit_->outcome(work->stored.registration); known && *known && (*known)->receipt)
                    file.receipt = *(*known)->receipt;
            const auto good = parse_and_verify<Receipt>(file.receipt, keys_.chain);
            if (!good || good->body.of != work->stored.registration || good->body.leaf != leaf->hash)
                file.receipt = sign_receipt_again(rebuild_from(all), work->stored.registration,
                                                  ReceiptStatus::registered, leaf->hash);
            const Bytes bytes = seal_work_file(file, *files_sealer_);
            for (const auto& [place, number] : wanted->second)
                settle(number, heal_file_with(
                                   bytes, places_[place].root, places_[place].metadata_file(leaf->artwork),
                                   [&](const Path& copy) { return check_file(Kind::metadata, copy, work->stored); }));
            return {};
        };
        // Its errors are the visitor's, and that has none.
        (void)walk_ledger(all, keys_.chain, find_, visitor);
    }

    std::optional<Origin> origin_of(const ArtworkId& artwork) {
        if (!audit_) return std::nullopt;
        const auto row = audit_->work(artwork);
        if (!row || !*row) return std::nullopt;
        return (*row)->origin;
    }

    // --- Identities ---

    void check_identities() {
        for (const Place& place : places_)
            for (const Wallet& wallet : ledger_.signers) check_identity(place, wallet);
    }

    void check_identity(const Place& place, const Wallet& wallet) {
        const auto best = find_identity(wallet);
        const auto judge = [wallet](Result<Bytes> bytes) -> Result<std::uint32_t> {
            if (!bytes) return fail(std::move(bytes.error()));
            const auto chain = IdentityChain::parse(*bytes);
            if (!chain || chain->wallet() != wallet) return fail(Errc::io_error, "it does not prove itself");
            return chain->seq();
        };
        const auto seq = judge(read_identity(place, wallet));
        ++report_.files;
        std::string problem;
        if (!seq) {
            problem = seq.error().message;
        } else if (best && *seq < best->seq()) {
            problem = "it is older than another copy";
        } else {
            return;
        }
        const Path path = identity_path(place.root, wallet);
        const std::size_t number = damaged("identity", path.string(), problem, best ? Remedy::copy : Remedy::none);
        if (!best) return;
        later(number, [this, judge, wallet, path, root = place.root, chain = best->encode(), wanted = best->seq()] {
            return heal_file_with(
                seal_identity_file(wallet, chain, *files_sealer_), root, path, [&](const Path& copy) -> Result<void> {
                    SAT_TRY_VALUE(const Bytes bytes, read_file(copy, kMaxIdentityFile));
                    SAT_TRY_VALUE(const std::uint32_t found, judge(open_identity_file(bytes, wallet, *files_sealer_)));
                    if (found == wanted) return {};
                    return fail(Errc::io_error, "what was written is another one");
                });
        });
    }

    // --- What belongs to nothing ---

    struct Stranger {
        std::size_t place = 0;
        Path path;
        std::optional<ArtworkId> artwork;  // that its name is
        bool proved = false;               // metadata of that work, of this vault, lie here
        bool may_be_work = false;
    };

    void look_for_strangers() {
        std::vector<Stranger> strangers;
        for (std::size_t i = 0; i < places_.size(); ++i) {
            for (const Path& store : {places_[i].images, places_[i].metadata}) look_into(i, store, strangers);
            look_into_flat(i, places_[i].root / kIdentityDirectory, strangers,
                           [](const std::string& name) { return Wallet::from_hex(name).has_value(); });
            // An upload's files, which the next start judges, have its ID and a suffix.
            look_into_flat(i, places_[i].incoming, strangers, [](const std::string& name) {
                return name.size() > ArtworkId::kSize && name[ArtworkId::kSize] == '.' &&
                       ArtworkId::from_canonical(name.substr(0, ArtworkId::kSize)).has_value();
            });
        }
        for (const Stranger& stranger : strangers) {
            // All copies of a work are judged by the metadata that any of them has.
            const auto same = [&](const Stranger& other) {
                return other.proved && stranger.artwork && other.artwork == stranger.artwork;
            };
            if (std::ranges::any_of(strangers, same)) {
                damaged(
                    "stranger", stranger.path.string(),
                    "it is of a work that this vault stored and the ledger lacks: put back the newest catalogue and "
                    "leaves; or, if its upload never ended, move it away",
                    Remedy::none, stranger.artwork);
                doubt_ledger("there are works that it lacks");
            } else if (stranger.may_be_work) {
                damaged("stranger", stranger.path.string(),
                        "it may be of a work that the ledger lacks: if it is not, move it away", Remedy::none,
                        stranger.artwork);
                if (!audit_) doubt_ledger("there are files of works that it may lack");
            } else {
                to_move_.push_back(
                    damaged("stranger", stranger.path.string(), "it belongs to nothing", Remedy::rebuild));
                later(to_move_.back(),
                      [root = places_[stranger.place].root, path = stranger.path] { return put_aside(root, path); });
            }
        }
        if (ledger_.whole) return;
        // Beside a ledger with a hole it may be all that is left of a work.
        for (const std::size_t number : to_move_) report_.damages[number].remedy = Remedy::none;
        std::erase_if(mends_, [this](const auto& mend) { return std::ranges::count(to_move_, mend.first) > 0; });
    }

    void look_into(std::size_t place, const Path& store, std::vector<Stranger>& out) {
        if (!is_there(store)) return;
        std::uint64_t unfinished = 0;
        std::error_code error;
        std::filesystem::recursive_directory_iterator at(store, error);
        for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
            if (at->is_directory(error)) continue;
            const Path& path = at->path();
            const auto artwork = ArtworkId::from_canonical(path.filename().string());
            const bool shelved =
                artwork && path == store / artwork->view().substr(0, 2) / artwork->view() && at->is_regular_file(error);
            if (shelved && ledger_.works.contains(*artwork)) continue;
            if (path.extension() == ".part") {
                report_.notes.push_back(path.string() + " was left by a repair that was cut off");
                continue;
            }
            const bool proved = artwork && !ledger_.works.contains(*artwork) && store == places_[place].metadata &&
                                is_proved_work(path, *artwork, keys_, *files_sealer_);
            if (shelved && unfinished_.contains(*artwork)) {
                if (proved)
                    report_.notes.push_back(
                        path.string() +
                        " may be of a work: the catalogue says that its upload never ended, and the "
                        "next start puts it aside");
                ++unfinished;
                continue;
            }
            out.push_back(
                {place, path, artwork ? std::optional(*artwork) : std::nullopt, proved, proved || is_envelope(path)});
        }
        if (error) damaged("stranger", store.string(), errno_error("read", store, error.value()).message, Remedy::none);
        if (unfinished > 0)
            report_.notes.push_back(store.string() + " has " + std::to_string(unfinished) +
                                    " files of uploads that did not end: the next start clears them away");
    }

    template <typename Belongs>
    void look_into_flat(std::size_t place, const Path& directory, std::vector<Stranger>& out, Belongs belongs) {
        if (!is_there(directory)) return;
        std::error_code error;
        std::filesystem::directory_iterator at(directory, error);
        for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
            const std::string name = at->path().filename().string();
            if (belongs(name)) continue;
            if (at->path().extension() == ".part") {
                report_.notes.push_back(at->path().string() + " was left by a process that was cut off");
            } else {
                out.push_back({place, at->path(), std::nullopt, false, false});
            }
        }
        if (error)
            damaged("stranger", directory.string(), errno_error("read", directory, error.value()).message,
                    Remedy::none);
    }

    // --- Modes ---

    void check_modes(const Place& place) {
        std::error_code error;
        std::filesystem::recursive_directory_iterator at(place.root, error);
        for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
            // Keys are judged before they are opened; what was put aside is nobody's.
            if (at.depth() == 0 && (at->path().filename() == "keys" || at->path().filename() == kDamagedDirectory)) {
                at.disable_recursion_pending();
                continue;
            }
            struct stat status {};
            if (lstat(at->path().c_str(), &status) != 0 || S_ISLNK(status.st_mode)) continue;
            if ((status.st_mode & 077U) == 0) continue;
            later(damaged("mode", at->path().string(), "others may read or write it", Remedy::rebuild),
                  [path = at->path(), mode = status.st_mode & 0700U]() -> Result<void> {
                      if (chmod(path.c_str(), mode) != 0) return fail(errno_error("change the mode of", path, errno));
                      return {};
                  });
        }
        if (error)
            damaged("mode", place.root.string(), errno_error("read", place.root, error.value()).message, Remedy::none);
    }

    // --- Written anew ---

    void write_leaves() {
        if (!ledger_.whole) return;
        for (std::size_t i = 0; i < leaves_.size(); ++i)
            if (leaves_[i].spoilt) settle(leaves_[i].damage, write_leaves(places_[i].root));
    }

    Result<void> write_leaves(const Path& root) {
        LeafSources all = sources();
        const auto fill = [&](AtomicFile& file) -> Result<void> {
            SAT_TRY(file.write(leaf_log_header(keys_.wallet())));
            std::uint64_t offset = kLeafLogHeader;
            for (std::uint64_t index = 0; index < ledger_.head.size; ++index) {
                const LeafCopies copies = all.at(index, offset);
                if (!copies.sealed)
                    return fail(Errc::io_error, "leaf " + std::to_string(index) + " could be read before, and not now");
                const Bytes record = leaf_record(*copies.sealed);
                SAT_TRY(file.write(record));
                offset += record.size();
            }
            return {};
        };
        const auto judge = [&](const Path& copy) -> Result<void> {
            SAT_TRY_VALUE(const auto file, LeafFile::open(copy));
            if (!file || file->size() != ledger_.end ||
                LeafSources(nullptr, {&*file}, *master_).count(0, 0, kLeafLogHeader) != ledger_.head.size)
                return fail(Errc::io_error, "what was written does not read back");
            return {};
        };
        return heal_file_by(fill, root, root / "leaves", judge);
    }

    RebuildFrom rebuild_from(LeafSources& all) {
        return {all,
                ledger_,
                keys_,
                *master_,
                find_,
                known_,
                rows_,
                [this](const StoredWork& work) { return work_file(work); },
                [this](const ArtworkId& artwork) { return origin_of(artwork); },
                static_cast<int>(places_.size()),
                options_.now};
    }

    std::optional<WorkFile> work_file(const StoredWork& work) {
        for (const Place& place : places_) {
            auto file = check_work_file(place.metadata_file(work.artwork), work, keys_, *files_sealer_);
            if (file) return std::move(*file);
        }
        return std::nullopt;
    }

    // Of strangers too, so that nobody needs to be met again.
    Result<void> collect_identities() {
        std::unordered_set<Wallet> wallets(ledger_.signers.begin(), ledger_.signers.end());
        if (audit_)
            (void)audit_->identities([&](const Result<KnownIdentity>& known) {
                if (known) wallets.insert(known->wallet);
            });
        for (const Place& place : places_) {
            std::error_code error;
            std::filesystem::directory_iterator at(place.root / kIdentityDirectory, error);
            for (; !error && at != std::filesystem::directory_iterator(); at.increment(error))
                if (const auto wallet = Wallet::from_hex(at->path().filename().string())) wallets.insert(*wallet);
        }
        for (const Wallet& wallet : wallets)
            if (const auto chain = find_identity(wallet)) known_.push_back({wallet, chain->encode()});
        return {};
    }

    Result<void> write_catalog() {
        if (!catalog_spoilt_ || !catalog_doubt_.empty()) return {};
        const Path path = options_.data / kCatalogFile;
        const Path fresh = options_.data / kRebuiltFile;
        const Path log = with_suffix(path, "-wal");
        SAT_TRY(collect_identities());
        const bool blind = audit_ == nullptr;
        {
            LeafSources all = sources();
            const RebuildFrom from = rebuild_from(all);
            SAT_TRY(rebuild_catalog(fresh, from));
        }
        // A fresh catalogue must not meet another's log, and the old one must not be without its own.
        if (audit_) {
            if (log_spoilt_) SAT_TRY(copy_aside(options_.data, log));
            SAT_TRY(audit_->empty_log());
            audit_.reset();
        } else {
            if (is_regular(log)) SAT_TRY(copy_aside(options_.data, log));
            SAT_TRY(remove_file(log));
            SAT_TRY(sync_directory(options_.data));
        }
        SAT_TRY(is_there(path) && !is_regular(path) ? put_aside(options_.data, path) : keep_aside(options_.data, path));
        if (std::rename(fresh.c_str(), path.c_str()) != 0) return fail(errno_error("write", path, errno));
        SAT_TRY(sync_directory(options_.data));
        for (const char* suffix : {"-wal", "-shm"}) SAT_TRY(remove_file(with_suffix(path, suffix)));
        for (Damage& damage : report_.damages)
            if (damage.part == "catalogue") damage.healed = true;
        report_.unlisted = 0;
        if (blind || !rows_.all_claims) {
            report_.notes.push_back(
                "the catalogue was rebuilt without the old one: claims that were open are lost, and with them the "
                "messages, reasons and collectors' metadata of earlier ones; the ledger has " +
                std::to_string(ledger_.head.size) +
                " leaves, as the longest leaves file, and every owner is as it says");
        } else if (catalog_behind_) {
            report_.notes.emplace_back(
                "the catalogue was older than the ledger, and was brought up to it: claims that were made since are "
                "lost; every owner is as before");
        } else if (log_spoilt_) {
            report_.notes.emplace_back(
                "the catalogue's log was damaged: claims that were made since are lost; every owner is as before");
        } else if (rows_.spoilt_claims > 0) {
            report_.notes.push_back("the catalogue was rebuilt: " + std::to_string(rows_.spoilt_claims) +
                                    " damaged claims are lost; every owner is as before");
        } else {
            report_.notes.emplace_back("the catalogue was rebuilt: no claim is lost, and every owner is as before");
        }
        return {};
    }

    const CheckOptions& options_;
    const VaultKeys& keys_;
    CheckReport report_;
    std::vector<Place> places_;
    std::vector<FileDescriptor> locks_;
    std::optional<MasterKey> master_;
    std::optional<AtRestSealer> files_sealer_;
    std::unique_ptr<CatalogAudit> audit_;  // null: there is no catalogue to read
    bool has_duplicate_ = false;           // that was not named
    bool ledger_known_ = false;            // there is a leaves file of ours
    bool catalog_spoilt_ = false;
    bool log_spoilt_ = false;    // its -wal
    std::string doubt_;          // why nothing is made from the ledger
    std::string catalog_doubt_;  // why it is not rebuilt
    bool split_ = false;
    std::vector<std::pair<std::size_t, LeafPlace>> splits_;  // leaves files, and where they part
    bool catalog_behind_ = false;                            // it has fewer leaves than the ledger
    std::size_t catalog_damages_ = 0;
    std::vector<LeavesState> leaves_;        // one for each place
    std::optional<TreeHead> contradiction_;  // the note that was kept, if there is one that can be read
    TreeHead at_contradiction_;              // this ledger's tree of that size, if it has one
    Ledger ledger_;
    SoundRows rows_;
    std::unordered_set<ArtworkId> unfinished_;
    std::vector<KnownIdentity> known_;
    std::vector<std::pair<std::size_t, Mend>> mends_;  // each with its damage
    std::vector<std::size_t> to_move_;                 // strangers' damages
    // Metadata that no copy has: where, and which damage that is.
    std::unordered_map<ArtworkId, std::vector<std::pair<std::size_t, std::size_t>>> to_write_;
    const FindIdentity find_ = [this](const Wallet& wallet) { return find_identity(wallet); };
};

}  // namespace

std::optional<std::string> recorded_duplicate(const Path& data) {
    const auto record = read_file(data / kDuplicateRecord, kMaxPath);
    if (!record || record->empty()) return std::nullopt;
    std::string path(as_text(*record));
    while (path.ends_with('\n')) path.pop_back();
    return path;
}

std::uint64_t CheckReport::left() const {
    return unlisted + static_cast<std::uint64_t>(std::ranges::count(damages, false, &Damage::healed));
}

Result<CheckReport> check_vault(const CheckOptions& options, const VaultKeys& keys) {
    return Check(options, keys).run();
}

}  // namespace sat
