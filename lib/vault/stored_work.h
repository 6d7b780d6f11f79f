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
// Whether the file may be the only one left of a work that no ledger tells of: metadata that open, with a receipt of
// this vault's for their registration.
bool is_proved_work(const Path& file, const ArtworkId& artwork, const VaultKeys& keys, AtRestSealer& sealer);
// And an image: it begins with an envelope's header, whomever it is for.
bool is_envelope(const Path& file);
// io_error, with what is wrong; the file's contents where it is good.
Result<WorkFile> check_work_file(const Path& file, const StoredWork& work, const VaultKeys& keys, AtRestSealer& sealer);

}  // namespace sat
