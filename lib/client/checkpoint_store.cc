// Checkpoints in a client's home.
// SPDX-License-Identifier: Apache-2.0
#include "client/checkpoint_store.h"

#include <sys/stat.h>

#include <cerrno>

#include "client/key_home.h"

namespace sat {

namespace {

constexpr const char* kKept = ".fork-kept";
constexpr const char* kShown = ".fork-shown";

bool is_there(const Path& path) noexcept {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
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

Error CheckpointStore::contradiction(const Wallet& vault) const {
    return {
        Errc::checkpoint_inconsistent, "the vault's ledger contradicts what it showed before",
        "the proof is kept in " + evidence(vault, kKept).string() + " and " + evidence(vault, kShown).string() +
            ": show both to the operator and to others who use this vault; nothing is done with it until you remove "
            "them"};
}

Result<void> CheckpointStore::require_no_evidence(const Wallet& vault) const {
    if (is_there(evidence(vault, kKept)) || is_there(evidence(vault, kShown))) return fail(contradiction(vault));
    return {};
}

Result<std::optional<VerifiedCheckpoint>> CheckpointStore::find(const IdentityChain& vault) const {
    const Path path = file(vault.wallet());
    if (!is_there(path)) return std::optional<VerifiedCheckpoint>{};
    const auto broken = [&](const Error& why) {
        return fail(Errc::config, path.string() + " is damaged: " + why.message,
                    "restore it from your backup, or remove it: what the vault shows then is believed anew");
    };
    const auto bytes = read_file(path, kMaxNote);
    if (!bytes) return broken(bytes.error());
    std::string note = to_string(*bytes);
    const auto head = open_by_any_key(note, vault);
    if (!head) return broken(head.error());
    return std::optional(VerifiedCheckpoint{std::move(note), *head});
}

Result<std::optional<VerifiedCheckpoint>> CheckpointStore::keep(const IdentityChain& vault,
                                                                const VerifiedCheckpoint& fresh,
                                                                const std::optional<TreeHead>& joined) const {
    SAT_TRY(make_private_directory(directory_));
    SAT_TRY_VALUE(const FileDescriptor lock, lock_file_patiently(directory_ / "lock"));
    SAT_TRY_VALUE(auto filed, find(vault));
    if (filed && filed->head != joined && filed->head != fresh.head) return filed;
    if (!filed || filed->head.size < fresh.head.size)
        SAT_TRY(write_file_atomically(file(vault.wallet()), as_bytes(fresh.note), AtomicFile::Existing::replace, 0600));
    return std::optional<VerifiedCheckpoint>{};
}

Error CheckpointStore::keep_evidence(const Wallet& vault, std::string_view kept, std::string_view shown) const {
    const auto write = [&](const char* which, std::string_view text) -> Result<void> {
        auto written =
            write_file_atomically(evidence(vault, which), as_bytes(text), AtomicFile::Existing::refuse, 0600);
        if (!written && written.error().code == Errc::output_exists) return {};
        return written;
    };
    auto done = make_private_directory(directory_);
    if (done) done = write(kKept, kept);
    if (done) done = write(kShown, shown);
    Error error = contradiction(vault);
    if (!done) {
        error.message += "; the proof could not be kept: " + done.error().message;
        error.hint = "do not use this vault; make room, and run the same command again to keep the proof";
    }
    return error;
}

}  // namespace sat
