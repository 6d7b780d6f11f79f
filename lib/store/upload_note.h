// The note beside an image that is still being received: whose it is and what for, so that the same client can go on
// with it after its connection, or the vault, has ended.  docs/storage.md, "Uploads that were cut off".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/time.h"
#include "ledger/artwork_id.h"
#include "store/at_rest.h"

namespace sat {

struct UploadNote {
    ArtworkId artwork;
    Wallet wallet;
    Digest resume;  // the client's name for the version of its file
    std::uint64_t bytes = 0;
    std::string media_type;
    // When its connection ended; 0 while one is at it.
    UnixTime kept_at = 0;
    // Bytes of chunks that were sealed anew, over all resumptions: what it has cost.
    std::uint64_t resealed = 0;
    bool operator==(const UploadNote&) const = default;
};

Bytes seal_upload_note(const UploadNote& note, AtRestSealer& sealer);
// io_error: damaged, torn, or another upload's.
Result<UploadNote> open_upload_note(ByteView bytes, const ArtworkId& artwork, AtRestSealer& sealer);

}  // namespace sat
