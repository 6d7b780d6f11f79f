// What this home has verified of each vault's ledger, and what it keeps when a vault contradicts itself.
//     checkpoints/<wallet>              the newest checkpoint verified, a signed note
//     checkpoints/<wallet>.unproved     notes that the vault showed and has not yet proved to go on from that one,
//                                       a JSON array
//     checkpoints/<wallet>.fork-kept    evidence: the note that was kept, and
//     checkpoints/<wallet>.fork-shown   what the vault showed that does not go with it
//     checkpoints/<wallet>.fork/        both of them, between their being on the disk and having their names
// docs/storage.md, "A client's home"; docs/protocol.md, "Checkpoints".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "ledger/identity.h"
#include "ledger/note.h"

namespace sat {

// A note with the vault's good signature, and what it says.
struct VerifiedCheckpoint {
    std::string note;
    TreeHead head;
    bool operator==(const VerifiedCheckpoint&) const = default;
};

// Every change is made under checkpoints/lock.  busy: another process has held that for five seconds.
class CheckpointStore {
public:
    static constexpr std::size_t kMaxUnproved = 16;

    explicit CheckpointStore(const Path& home) : directory_(home / "checkpoints") {}

    // checkpoint_inconsistent, with a hint that names the files, while evidence against the vault is kept; what a crash
    // left half done of keeping it is done.
    Result<void> require_no_evidence(const Wallet& vault) const;
    // The newest that was kept; config: the file is damaged.
    Result<std::optional<VerifiedCheckpoint>> find(const IdentityChain& vault) const;
    // Files `fresh` in the place of an older one.  `joined` is what the caller has verified `fresh` to be consistent
    // with.  Where another process has filed something else by now, nothing is changed and that is returned: it is to
    // be compared with `fresh` first.  Nothing is returned when the newer of both is on file.  checkpoint_inconsistent:
    // evidence has been kept by now, by whatever process.
    Result<std::optional<VerifiedCheckpoint>> keep(const IdentityChain& vault, const VerifiedCheckpoint& fresh,
                                                   const std::optional<TreeHead>& joined) const;
    // Notes that are to be compared with what the vault shows next, in the order they were shown; as many as
    // kMaxUnproved.  config: the file is damaged.
    Result<std::vector<VerifiedCheckpoint>> find_unproved(const IdentityChain& vault) const;
    // Nothing changes where its tree head is there already.  too_large: there are kMaxUnproved.
    Result<void> add_unproved(const IdentityChain& vault, const VerifiedCheckpoint& shown) const;
    Result<void> remove_unproved(const IdentityChain& vault, const VerifiedCheckpoint& shown) const;
    // Keeps both or none, wherever it is cut off, and gives the error that require_no_evidence() gives from now on.
    // What is kept already stays.
    Error keep_evidence(const Wallet& vault, std::string_view kept, std::string_view shown) const;

private:
    Path file(const Wallet& vault) const { return directory_ / vault.hex(); }
    Path evidence(const Wallet& vault, const char* which) const;
    Path evidence_set(const Wallet& vault) const { return vault.hex() + ".fork"; }
    // Whole or, after a crash or by a person's hand, a part of it.
    bool has_evidence(const Wallet& vault) const noexcept;
    Path unproved_file(const Wallet& vault) const { return directory_ / (vault.hex() + ".unproved"); }
    Result<FileDescriptor> lock() const;
    Result<void> write_unproved(const Wallet& vault, const std::vector<VerifiedCheckpoint>& notes) const;
    Result<void> write_evidence(const Wallet& vault, std::string_view kept, std::string_view shown) const;
    // Gives what a crash left of it between commit and end its names.  Under the lock.
    Result<void> finish_evidence(const Wallet& vault) const;
    Error contradiction(const Wallet& vault, const Result<void>& kept) const;

    Path directory_;
};

}  // namespace sat
