// What lies of one work in one place, against what its signed registration says: every byte of the image's envelope,
// and the metadata file.  docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"
#include "ledger/statement.h"
#include "store/at_rest.h"
#include "store/work_file.h"
#include "vault/vault_keys.h"

namespace sat {

// What the files of a work must agree with.
struct StoredWork {
    ArtworkId artwork;
    StatementId registration;
    Digest registration_jws;  // SHA-256 of the text: also its signature
    UnixTime registered_at = 0;
    LeafHash leaf;  // of its registration
    std::uint64_t bytes = 0;
    Digest sha256;
    std::optional<PreviewInfo> preview;

    static StoredWork of(const Signed<Registration>& registration, UnixTime at, const LeafHash& leaf);
};

// The whole file: header, commitment, each chunk's tag, the image's length and SHA-256.  io_error, with what is wrong.
Result<void> check_image_file(const Path& file, const StoredWork& work, const VaultKeys& keys);
// io_error, with what is wrong; the file's contents where it is good.
Result<WorkFile> check_work_file(const Path& file, const StoredWork& work, const VaultKeys& keys, AtRestSealer& sealer);

}  // namespace sat
