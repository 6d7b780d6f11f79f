// A catalogue made anew from the ledger's leaves, the metadata files and what of the old one proves itself.
// docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "vault/check_rows.h"
#include "vault/ledger_walk.h"

namespace sat {

struct RebuildFrom {
    LeafSources& sources;
    const Ledger& ledger;  // whole
    const VaultKeys& keys;
    const MasterKey& master;
    const FindIdentity& identities;
    const std::vector<KnownIdentity>& known;  // each wallet once
    const SoundRows& rows;
    std::function<std::optional<WorkFile>(const StoredWork&)> work_file;
    std::function<std::optional<Origin>(const ArtworkId&)> origin;  // where the metadata file is lost too
    int copies = 1;
    UnixTime now = 0;
};

// What a receipt says anew where the first one is lost.
std::string sign_receipt_again(const RebuildFrom& from, const StatementId& of, ReceiptStatus status,
                               const LeafHash& leaf);

// Writes `fresh`, which takes the place of what lies there.  When this succeeds all of it is in that one file, on the
// disk, and was read back: its root is the ledger's.  Else nothing of it is left.  storage_full, io_error.
Result<void> rebuild_catalog(const Path& fresh, const RebuildFrom& from);

}  // namespace sat
