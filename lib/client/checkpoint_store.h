// What this home has verified of each vault's ledger, and what it keeps when a vault contradicts itself.
//     checkpoints/<wallet>              the newest checkpoint verified, a signed note
//     checkpoints/<wallet>.fork-kept    evidence: the note that was kept, and
//     checkpoints/<wallet>.fork-shown   what the vault showed that does not go with it
// docs/storage.md, "A client's home"; docs/protocol.md, "Checkpoints".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

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

class CheckpointStore {
public:
    explicit CheckpointStore(const Path& home) : directory_(home / "checkpoints") {}

    // checkpoint_inconsistent, with a hint that names the files, while evidence against the vault is kept.
    Result<void> require_no_evidence(const Wallet& vault) const;
    // The newest that was kept; config: the file is damaged.
    Result<std::optional<VerifiedCheckpoint>> find(const IdentityChain& vault) const;
    // Files `fresh` in the place of an older one.  `joined` is what the caller has verified `fresh` to be consistent
    // with.  Where another process has filed something else by now, nothing is changed and that is returned: it is to
    // be compared with `fresh` first.  Nothing is returned when the newer of both is on file.
    Result<std::optional<VerifiedCheckpoint>> keep(const IdentityChain& vault, const VerifiedCheckpoint& fresh,
                                                   const std::optional<TreeHead>& joined) const;
    // Keeps both, and gives the error that require_no_evidence() gives from now on.  What is kept already stays.
    Error keep_evidence(const Wallet& vault, std::string_view kept, std::string_view shown) const;

private:
    Path file(const Wallet& vault) const { return directory_ / vault.hex(); }
    Path evidence(const Wallet& vault, const char* which) const;
    Error contradiction(const Wallet& vault) const;

    Path directory_;
};

}  // namespace sat
