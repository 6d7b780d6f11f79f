// Every byte of a stopped vault against what it should be: each image and its duplicate, metadata, leaves, identities,
// the catalogue's rows, the ledger's signatures and its tree.  A repair first judges all of it, and then mends what is
// proved to be wrong and proved what it should be; where two histories contradict each other it changes nothing.
// docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "ledger/artwork_id.h"
#include "ledger/merkle.h"
#include "vault/vault_keys.h"
#include "vault/vault_lock.h"

namespace sat {

// In the data directory: where its duplicate was when a vault ran with one last, a path and a newline.
inline constexpr const char* kDuplicateRecord = "duplicate";
// What it says; nothing where it is missing or cannot be read.
std::optional<std::string> recorded_duplicate(const Path& data);

struct CheckOptions {
    Path data;
    std::optional<Path> duplicate;  // without it, it is not looked at, and heals nothing
    bool repair = false;
    UnixTime now = 0;
    // Asked between leaves, and between works: whether to give up; no more once a repair mends.
    std::function<bool()> stopped = nullptr;
};

// What can be done about a damage.
enum class Remedy {
    none,     // it is lost
    copy,     // another copy is good
    rebuild,  // it follows from what is good
};

struct Damage {
    // "image", "metadata", "leaves", "identity", "master_key", "catalogue", "ledger", "stranger", "mode"
    std::string part;
    std::string where;  // a file, or a place in the catalogue or the ledger
    std::optional<ArtworkId> artwork;
    std::string problem;
    Remedy remedy = Remedy::none;
    bool healed = false;
};

struct CheckReport {
    std::uint64_t works = 0;
    std::uint64_t files = 0;  // that were read from end to end
    std::uint64_t bytes = 0;  // of them
    TreeHead ledger;
    std::vector<Damage> damages;
    std::uint64_t unlisted = 0;      // further damages of the catalogue
    std::vector<std::string> notes;  // what is no damage

    // Damages that are there still.
    std::uint64_t left() const;
};

// What a mend that fails leaves is told beside its damage, and the others go on.
// busy: a vault runs on the directories; config: something in them is another vault's, of a newer version, or the keys
// are; cancelled; storage_full, io_error: the check could not go on.  Nothing was changed then.
Result<CheckReport> check_vault(const CheckOptions& options, const VaultKeys& keys);

}  // namespace sat
