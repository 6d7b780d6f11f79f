// An artwork on its way to a collector: its key wrapped anew, its chunks as they lie.  Step 8.
// docs/protocol.md, "The envelope".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "store/blob_store.h"
#include "vault/core.h"

namespace sat {

class Fetch {
public:
    Fetch(std::unique_ptr<BlobReader> blob, Bytes header, std::uint64_t begin)
        : blob_(std::move(blob)), header_(std::move(header)), at_(begin) {}

    // Made for the caller.
    const Bytes& header() const noexcept { return header_; }
    // Bytes that read() will still give.
    std::uint64_t remaining() const noexcept { return blob_->size() - at_; }
    // As many as `out` holds or as remain.  io_error: the disk failed, or the file became shorter.
    Result<std::size_t> read(MutableBytes out);

private:
    std::unique_ptr<BlobReader> blob_;
    Bytes header_;
    std::uint64_t at_;  // in the blob
};

// not_found; held; forbidden: the artist released the preview alone, and the caller does not own the work; bad_request
// for an offset that is none; io_error: the blob is damaged.
Result<Fetch> open_fetch(VaultCore& core, const Caller& caller, const ArtworkFetchRequest& request);

}  // namespace sat
