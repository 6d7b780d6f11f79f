// The check.  docs/storage.md, "Rot and repair".
//
//     master.key -> the catalogue's file -> the ledger, leaf by leaf, in all copies side by side -> the catalogue's
//     rows -> each work's files -> identities -> what belongs to nothing -> leaves files and catalogue written anew
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
#include "vault/rebuild.h"

namespace sat {

namespace {

using Place = DirectoryBlobStore::Place;

// A damaged catalogue may have a damage in each row; nobody reads more of them.
constexpr std::size_t kMostListed = 50;

constexpr const char* kCatalogFile = "catalog.sqlite";
constexpr const char* kRebuiltFile = "catalog.rebuilt";

bool is_there(const Path& path) {
    struct stat status {};
    return lstat(path.c_str(), &status) == 0;
}

Result<void> accept_any(const Path&) { return {}; }

class Check {
public:
    Check(const CheckOptions& options, const VaultKeys& keys) : options_(options), keys_(keys) {
        places_.push_back(Place::of_data(options.data));
        if (options.duplicate) places_.push_back(Place::of_duplicate(*options.duplicate));
    }

    Result<CheckReport> run() {
        SAT_TRY(lock());
        SAT_TRY_VALUE(const bool has_key, open_master_key());
        if (!has_key) return std::move(report_);
        SAT_TRY(open_catalog());
        SAT_TRY(open_leaves());
        SAT_TRY(check_ledger());
        check_rows_of_catalog();
        check_contradiction();
        SAT_TRY(check_works());
        SAT_TRY(check_identities());
        for (const Place& place : places_) {
            SAT_TRY(check_strangers(place, place.images));
            SAT_TRY(check_strangers(place, place.metadata));
        }
        if (options_.repair) {
            SAT_TRY(restore_metadata());
            SAT_TRY(write_leaves());
            SAT_TRY(write_catalog());
        }
        report_.works = ledger_.order.size();
        report_.ledger = ledger_.head;
        return std::move(report_);
    }

private:
    // --- What is said ---

    Damage& damaged(std::string part, std::string where, std::string problem, Remedy remedy,
                    const std::optional<ArtworkId>& artwork = std::nullopt) {
        report_.damages.push_back({std::move(part), std::move(where), artwork, std::move(problem), remedy, false});
        return report_.damages.back();
    }

    void catalog_damaged(const std::string& where, const std::string& problem) {
        catalog_spoilt_ = true;
        if (++catalog_damages_ > kMostListed) {
            ++report_.unlisted;
            return;
        }
        damaged("catalogue", where, problem, Remedy::rebuild);
    }

    // --- Directories and keys ---

    Result<void> lock() {
        SAT_TRY(require_private_directory(options_.data));
        if (options_.duplicate) {
            SAT_TRY(options_.repair ? make_private_directory(*options_.duplicate)
                                    : require_private_directory(*options_.duplicate));
            std::error_code error;
            if (std::filesystem::equivalent(options_.data, *options_.duplicate, error))
                return fail(Errc::config, "the duplicate directory is the data directory",
                            "name a directory on another disk");
        }
        for (const Place& place : places_) {
            auto locked = lock_file(place.root / "lock");
            if (!locked && locked.error().code == Errc::busy)
                return fail(Errc::busy, "a vault runs on " + place.root.string(), "stop it, and check it then");
            if (!locked) return fail(std::move(locked.error()));
            locks_.push_back(std::move(*locked));
        }
        if (options_.repair) {
            auto alone = lock_file(options_.data / kRepairLock);
            if (!alone && alone.error().code == Errc::busy)
                return fail(Errc::busy, "a backup of " + options_.data.string() + " is being made",
                            "repair when it is done");
            if (!alone) return fail(std::move(alone.error()));
            locks_.push_back(std::move(*alone));
        }
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
            auto key = [&]() -> Result<MasterKey> {
                if (!is_there(path)) return fail(Errc::io_error, "it is missing");
                SAT_TRY_VALUE(const Bytes file, read_file(path, kMaxMasterKeyFile));
                return MasterKey::unwrap(file, keys_.wallet(), keys_.store);
            }();
            ++report_.files;
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
            Damage& damage =
                damaged("master_key", path.string(), problems[i].message, good ? Remedy::copy : Remedy::none);
            if (!good || !options_.repair) continue;
            SAT_TRY(heal_file(places_[*good].root / "master.key", places_[bad[i]].root, path, accept_any));
            damage.healed = true;
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
        auto audit = CatalogAudit::open(path, *master_, keys_.wallet());
        if (!audit && audit.error().code == Errc::version)
            return fail(Errc::config, audit.error().message, audit.error().hint);
        if (!audit) {
            catalog_damaged(path.string(), audit.error().message);
            return {};
        }
        audit_ = std::move(*audit);
        const auto lines = audit_->integrity();
        if (!lines) {
            catalog_damaged(path.string(), lines.error().message);
        } else {
            for (const std::string& line : *lines) catalog_damaged(path.string(), line);
        }
        return {};
    }

    struct LeavesState {
        std::optional<LeafFile> file;
        bool header = false;
        std::uint64_t bad = 0;  // leaves
        std::uint64_t first_bad = 0;
        std::uint64_t behind = 0;
        bool spoilt = false;
        std::size_t damage = 0;  // in the report
    };

    Result<void> open_leaves() {
        for (const Place& place : places_) {
            LeavesState state;
            SAT_TRY_VALUE(state.file, LeafFile::open(place.root / "leaves"));
            if (state.file) {
                ++report_.files;
                report_.bytes += state.file->size();
                SAT_TRY_VALUE(state.header, state.file->has_header_of(keys_.wallet()));
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
            return Result<void>();
        };
        visitor.lost = [this](const LeafCopies& copies) {
            damaged("ledger", "leaf " + std::to_string(copies.index), "it is damaged in every copy", Remedy::none);
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
        SAT_TRY_VALUE(ledger_, walk_ledger(all, keys_.chain, find_, visitor));
        if (audit_) {
            // What the catalogue counts and nobody has.
            const auto rows = audit_->leaves();
            const auto totals = audit_->totals();
            const std::uint64_t wanted = std::max(rows.value_or(0), totals ? totals->tree.size : 0);
            catalog_behind_ = wanted < ledger_.head.size;
            if (wanted > ledger_.head.size && ledger_.whole) {
                ledger_.whole = false;
                damaged("ledger", "leaf " + std::to_string(ledger_.head.size) + " and those behind it",
                        "they are missing or damaged in every copy", Remedy::none);
            }
        }
        judge_leaves_files();
        return {};
    }

    void bad_record(std::size_t which, std::uint64_t index) {
        LeavesState& state = leaves_[which];
        if (state.bad++ == 0) state.first_bad = index;
    }

    void take_leaf(const LeafCopies& copies, const Result<VerifiedLeaf>& leaf, const LedgerWork* work) {
        const std::string where = "leaf " + std::to_string(copies.index);
        if (copies.split) damaged("ledger", where, "two copies of it differ, and both authenticate", Remedy::none);
        if (!leaf) damaged("ledger", where, leaf.error().message, Remedy::none);
        for (std::size_t i = 0; i < leaves_.size(); ++i) {
            const LeavesState& state = leaves_[i];
            if (!state.file) continue;
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
            if (!state.file) {
                problem = "it is missing";
            } else if (!state.header) {
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
            state.damage = report_.damages.size();
            damaged("leaves", (places_[i].root / "leaves").string(), problem,
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

    // A checkpoint that somebody showed the vault, and that its data contradicted then.
    void check_contradiction() {
        const Path path = options_.data / "contradiction";
        if (!is_there(path)) return;
        const auto note = read_file(path, kMaxNote);
        const auto head = note ? open_checkpoint(as_text(*note), keys_.wallet(), keys_.log.public_key())
                               : Result<TreeHead>(fail(note.error()));
        if (!head) {
            damaged("ledger", path.string(), "it is no checkpoint that this vault signed", Remedy::none);
        } else if (head->size > ledger_.head.size || (head->size == ledger_.head.size && *head != ledger_.head)) {
            damaged("ledger", path.string(),
                    "this vault signed a ledger of " + std::to_string(head->size) + " leaves, and this one has " +
                        std::to_string(ledger_.head.size) + ": an older or another copy",
                    Remedy::none);
        }
    }

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
            const StoredWork& work = ledger_.works.at(artwork).stored;
            for (const Kind kind : {Kind::image, Kind::metadata}) SAT_TRY(check_copies(kind, work));
        }
        return {};
    }

    Result<void> check_copies(Kind kind, const StoredWork& work) {
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
            const std::size_t number = report_.damages.size();
            damaged(kind == Kind::image ? "image" : "metadata", path.string(), judged[i].error().message, remedy,
                    work.artwork);
            if (!options_.repair) continue;
            if (good) {
                SAT_TRY(heal_file(path_of(kind, *good, work.artwork), places_[i].root, path,
                                  [&](const Path& copy) { return check_file(kind, copy, work); }));
                report_.damages[number].healed = true;
            } else if (can_be_written) {
                to_write_[work.artwork].push_back({i, number});
            }
        }
        return {};
    }

    // Metadata that no copy has: from the ledger, the catalogue, or a receipt signed anew.
    Result<void> restore_metadata() {
        if (to_write_.empty()) return {};
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
            for (const auto& [place, number] : wanted->second) {
                SAT_TRY(
                    heal_file_with(bytes, places_[place].root, places_[place].metadata_file(leaf->artwork),
                                   [&](const Path& copy) { return check_file(Kind::metadata, copy, work->stored); }));
                report_.damages[number].healed = true;
            }
            return {};
        };
        SAT_TRY(walk_ledger(all, keys_.chain, find_, visitor));
        return {};
    }

    std::optional<Origin> origin_of(const ArtworkId& artwork) {
        if (!audit_) return std::nullopt;
        const auto row = audit_->work(artwork);
        if (!row || !*row) return std::nullopt;
        return (*row)->origin;
    }

    // --- Identities ---

    Result<void> check_identities() {
        for (const Place& place : places_) {
            const bool made = is_there(place.root / kIdentityDirectory);
            if (!made && ledger_.signers.empty()) continue;
            for (const Wallet& wallet : ledger_.signers) SAT_TRY(check_identity(place, wallet));
        }
        return {};
    }

    Result<void> check_identity(const Place& place, const Wallet& wallet) {
        const auto best = find_identity(wallet);
        const auto judged = [&]() -> Result<void> {
            SAT_TRY_VALUE(const Bytes bytes, read_identity(place, wallet));
            const auto chain = IdentityChain::parse(bytes);
            if (!chain || chain->wallet() != wallet) return fail(Errc::io_error, "it does not prove itself");
            return {};
        }();
        ++report_.files;
        if (judged) return {};
        const Path path = identity_path(place.root, wallet);
        Damage& damage = damaged("identity", path.string(), judged.error().message, best ? Remedy::copy : Remedy::none);
        if (!options_.repair || !best) return {};
        const Bytes bytes = seal_identity_file(wallet, best->encode(), *files_sealer_);
        SAT_TRY(heal_file_with(bytes, place.root, path, accept_any));
        damage.healed = true;
        return {};
    }

    // --- What belongs to nothing ---

    Result<void> check_strangers(const Place& place, const Path& store) {
        if (!is_there(store)) return {};
        std::vector<Path> strangers;
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
            if (shelved && unfinished_.contains(*artwork)) {
                ++unfinished;
            } else if (path.extension() == ".part") {
                report_.notes.push_back(path.string() + " was left by a repair that was cut off");
            } else {
                strangers.push_back(path);
            }
        }
        if (error) return fail(errno_error("read", store, error.value()));
        if (unfinished > 0)
            report_.notes.push_back(store.string() + " has " + std::to_string(unfinished) +
                                    " files of unfinished uploads: the next start removes them");
        for (const Path& path : strangers) {
            Damage& damage = damaged("stranger", path.string(), "it belongs to no work of the ledger",
                                     ledger_.whole ? Remedy::rebuild : Remedy::none);
            // Beside a ledger with a hole it may be all that is left of a work.
            if (!options_.repair || !ledger_.whole) continue;
            SAT_TRY(put_aside(place.root, path));
            damage.healed = true;
        }
        return {};
    }

    // --- Written anew ---

    Result<void> write_leaves() {
        if (!ledger_.whole) return {};
        LeafSources all = sources();
        for (std::size_t i = 0; i < leaves_.size(); ++i) {
            if (!leaves_[i].spoilt) continue;
            const Path path = places_[i].root / "leaves";
            const Path fresh = places_[i].root / "leaves.rebuilt";
            SAT_TRY_VALUE(AtomicFile file, AtomicFile::create(fresh, AtomicFile::Existing::replace, 0600));
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
            SAT_TRY(file.commit());
            SAT_TRY(put_aside(places_[i].root, path));
            if (std::rename(fresh.c_str(), path.c_str()) != 0) return fail(errno_error("write", path, errno));
            SAT_TRY(sync_directory(places_[i].root));
            report_.damages[leaves_[i].damage].healed = true;
        }
        return {};
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
            for (const auto& entry : std::filesystem::directory_iterator(place.root / kIdentityDirectory, error))
                if (const auto wallet = Wallet::from_hex(entry.path().filename().string())) wallets.insert(*wallet);
        }
        for (const Wallet& wallet : wallets)
            if (const auto chain = find_identity(wallet)) known_.push_back({wallet, chain->encode()});
        return {};
    }

    Result<void> write_catalog() {
        if (!catalog_spoilt_) return {};
        const Path path = options_.data / kCatalogFile;
        const Path fresh = options_.data / kRebuiltFile;
        if (!ledger_.whole) {
            for (Damage& damage : report_.damages)
                if (damage.part == "catalogue") damage.remedy = Remedy::none;
            report_.notes.emplace_back("the catalogue is not rebuilt: the ledger has leaves that no copy has");
            return {};
        }
        SAT_TRY(collect_identities());
        const bool blind = audit_ == nullptr;
        {
            LeafSources all = sources();
            const RebuildFrom from = rebuild_from(all);
            SAT_TRY(rebuild_catalog(fresh, from));
        }
        audit_.reset();
        // First what belongs to the old one: a fresh catalogue must not meet another's log.
        for (const char* suffix : {"-wal", "-shm", ""}) {
            Path old = path;
            old += suffix;
            SAT_TRY(put_aside(options_.data, old));
        }
        if (std::rename(fresh.c_str(), path.c_str()) != 0) return fail(errno_error("write", path, errno));
        SAT_TRY(sync_directory(options_.data));
        for (Damage& damage : report_.damages)
            if (damage.part == "catalogue") damage.healed = true;
        report_.unlisted = 0;
        if (blind || !rows_.all_claims) {
            report_.notes.emplace_back(
                "the catalogue was rebuilt without the old one: claims that were open are lost, and with them the "
                "messages, reasons and collectors' metadata of earlier ones; every owner is as before");
        } else if (catalog_behind_) {
            report_.notes.emplace_back(
                "the catalogue was older than the ledger, and was brought up to it: claims that were made since are "
                "lost; every owner is as before");
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
    bool catalog_spoilt_ = false;
    bool catalog_behind_ = false;  // it has fewer leaves than the ledger
    std::size_t catalog_damages_ = 0;
    std::vector<LeavesState> leaves_;  // one for each place
    Ledger ledger_;
    SoundRows rows_;
    std::unordered_set<ArtworkId> unfinished_;
    std::vector<KnownIdentity> known_;
    // Metadata that no copy has: where, and which damage that is.
    std::unordered_map<ArtworkId, std::vector<std::pair<std::size_t, std::size_t>>> to_write_;
    const FindIdentity find_ = [this](const Wallet& wallet) { return find_identity(wallet); };
};

}  // namespace

std::uint64_t CheckReport::left() const {
    return unlisted + static_cast<std::uint64_t>(std::ranges::count(damages, false, &Damage::healed));
}

Result<CheckReport> check_vault(const CheckOptions& options, const VaultKeys& keys) {
    return Check(options, keys).run();
}

}  // namespace sat
