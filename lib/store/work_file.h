// The signed metadata that lies beside each blob and beside its duplicate: enough to show, without the catalogue, what
// the blob is and who registered it.  docs/storage.md, "Metadata files".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "store/at_rest.h"
#include "wire/messages.h"

namespace sat {

struct WorkFile {
    ArtworkId artwork;
    UnixTime registered_at = 0;
    std::string registration;  // JWS
    std::string receipt;       // JWS
    Origin origin;
    std::optional<Bytes> preview;  // JPEG
    bool operator==(const WorkFile&) const = default;
};

// Of a whole file, sealed; the largest registration, receipt and preview fit.
inline constexpr std::size_t kMaxWorkFile = std::size_t{192} * 1024;

Bytes seal_work_file(const WorkFile& file, AtRestSealer& sealer);
// io_error: damaged, or another work's.
Result<WorkFile> open_work_file(ByteView bytes, const ArtworkId& artwork, AtRestSealer& sealer);

}  // namespace sat
