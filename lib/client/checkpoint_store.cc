// Checkpoints in a client's home.
// SPDX-License-Identifier: Apache-2.0
#include "client/checkpoint_store.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file_set.h"
#include "base/json.h"
#include "client/key_home.h"

namespace sat {

namespace {

constexpr const char* kKept = ".fork-kept";
constexpr const char* kShown = ".fork-shown";

tl::unexpected<Error> damaged(const Path& path, const Error& why) {
    return fail(Errc::config, path.string() + " is damaged: " + why.message,
                "restore it from your backup, or remove it: what the vault shows then is believed anew");
}

// A note from before a rotation of the log key is as good as a new one.
Result<TreeHead> open_by_any_key(std::string_view note, const IdentityChain& vault) {
    Result<TreeHead> head = fail(Errc::bad_signature, "no key of the vault's signed it");
    for (const IdentityDocument& document : vault.documents()) {
        head = open_checkpoint(note, vault.wallet(), *document.log);
        if (head) break;
    }
    return head;
}

}  // namespace

Path CheckpointStore::evidence(const Wallet& vault, const char* which) const {
    return directory_ / (vault.hex() + which);
}

bool CheckpointStore::has_evidence(const Wallet& vault) const noexcept {
    return is_there(evidence(vault, kKept)) || is_there(evidence(vault, kShown)) ||
           file_set_waits(directory_, evidence_set(vault));
}

Error CheckpointStore::contradiction(const Wallet& vault, const Result<void>& kept) const {
    Error error{
        Errc::checkpoint_inconsistent, "the vault's ledger contradicts what it showed before",
        "the proof is kept in " + evidence(vault, kKept).string() + " and " + evidence(vault, kShown).string() +
            ": show both to the operator and to others who use this vault; nothing is done with it until you remove "
            "them"};
    if (!kept) {
        error.message += "; the proof could not be kept: " + kept.error().message;
        error.hint = "do not use this vault; make room, and run the same command again to keep the proof";
    }
    return error;
}

Result<void> CheckpointStore::finish_evidence(const Wallet& vault) const {
    return finish_file_set(directory_, directory_, evidence_set(vault));
}

Result<FileDescriptor> CheckpointStore::lock() const {
    SAT_TRY(make_private_directory(directory_));
    return lock_file_patiently(directory_ / "lock");
}

Result<void> CheckpointStore::require_no_evidence(const Wallet& vault) const {
    if (!has_evidence(vault)) return {};
    const auto finish = [&]() -> Result<void> {
        if (!file_set_waits(directory_, evidence_set(vault))) return {};
        SAT_TRY_VALUE(const FileDescriptor held, lock());
        return finish_evidence(vault);
    };
    return fail(contradiction(vault, finish()));
}

Result<std::optional<VerifiedCheckpoint>> CheckpointStore::find(const IdentityChain& vault) const {
    const Path path = file(vault.wallet());
    if (!is_there(path)) return std::optional<VerifiedCheckpoint>{};
    const auto bytes = read_file(path, kMaxNote);
    if (!bytes) return damaged(path, bytes.error());
    std::string note = to_string(*bytes);
    const auto head = open_by_any_key(note, vault);
    if (!head) return damaged(path, head.error());
    return std::optional(VerifiedCheckpoint{std::move(note), *head});
}

Result<std::optional<VerifiedCheckpoint>> CheckpointStore::keep(const IdentityChain& vault,
                                                                const VerifiedCheckpoint& fresh,
                                                                const std::optional<TreeHead>& joined) const {
    SAT_TRY_VALUE(const FileDescriptor held, lock());
    if (has_evidence(vault.wallet())) return fail(contradiction(vault.wallet(), finish_evidence(vault.wallet())));
    SAT_TRY_VALUE(auto filed, find(vault));
    if (filed && filed->head != joined && filed->head != fresh.head) return filed;
    if (!filed || filed->head.size < fresh.head.size)
        SAT_TRY(write_file_atomically(file(vault.wallet()), as_bytes(fresh.note), AtomicFile::Existing::replace, 0600));
    return std::optional<VerifiedCheckpoint>{};
}

Result<std::vector<VerifiedCheckpoint>> CheckpointStore::find_unproved(const IdentityChain& vault) const {
    const Path path = unproved_file(vault.wallet());
    std::vector<VerifiedCheckpoint> notes;
    if (!is_there(path)) return notes;
    const auto bytes = read_file(path, kMaxUnproved * (2 * kMaxNote + 4));  // an LF takes two bytes in JSON
    if (!bytes) return damaged(path, bytes.error());
    const auto json = parse_json(as_text(*bytes));
    if (!json) return damaged(path, json.error());
    if (!json->is_array() || json->size() > kMaxUnproved)
        return damaged(path, {Errc::malformed, "it is no list of checkpoints", {}});
    for (const Json& item : *json) {
        if (!item.is_string()) return damaged(path, {Errc::malformed, "it is no list of checkpoints", {}});
        std::string note = item.get<std::string>();
        const auto head = open_by_any_key(note, vault);
        if (!head) return damaged(path, head.error());
        notes.push_back({std::move(note), *head});
    }
    return notes;
}

Result<void> CheckpointStore::write_unproved(const Wallet& vault, const std::vector<VerifiedCheckpoint>& notes) const {
    const Path path = unproved_file(vault);
    if (notes.empty()) {
        if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail(errno_error("remove", path, errno));
        return sync_directory(directory_);
    }
    Json json = Json::array();
    for (const VerifiedCheckpoint& note : notes) json.push_back(note.note);
    return write_file_atomically(path, as_bytes(dump_json(json) + "\n"), AtomicFile::Existing::replace, 0600);
}

Result<void> CheckpointStore::add_unproved(const IdentityChain& vault, const VerifiedCheckpoint& shown) const {
    SAT_TRY_VALUE(const FileDescriptor held, lock());
    SAT_TRY_VALUE(auto notes, find_unproved(vault));
    for (const VerifiedCheckpoint& note : notes)
        if (note.head == shown.head) return {};
    if (notes.size() == kMaxUnproved)
        return fail(Errc::too_large, "the vault has left too many checkpoints unproved already");
    notes.push_back(shown);
    return write_unproved(vault.wallet(), notes);
}

Result<void> CheckpointStore::remove_unproved(const IdentityChain& vault, const VerifiedCheckpoint& shown) const {
    SAT_TRY_VALUE(const FileDescriptor held, lock());
    SAT_TRY_VALUE(auto notes, find_unproved(vault));
    if (std::erase(notes, shown) == 0) return {};
    return write_unproved(vault.wallet(), notes);
}

Result<void> CheckpointStore::write_evidence(const Wallet& vault, std::string_view kept, std::string_view shown) const {
    SAT_TRY_VALUE(const FileDescriptor held, lock());
    if (has_evidence(vault)) return finish_evidence(vault);
    SAT_TRY_VALUE(FileSet set, FileSet::begin(directory_, evidence_set(vault)));
    const auto write = [&](const char* which, std::string_view text) {
        return write_file_atomically(set.path() / evidence(vault, which).filename(), as_bytes(text),
                                     AtomicFile::Existing::refuse, 0600);
    };
    SAT_TRY(write(kKept, kept));
    SAT_TRY(write(kShown, shown));
    SAT_TRY(set.commit());
    return finish_evidence(vault);
}

Error CheckpointStore::keep_evidence(const Wallet& vault, std::string_view kept, std::string_view shown) const {
    return contradiction(vault, write_evidence(vault, kept, shown));
}

}  // namespace sat
