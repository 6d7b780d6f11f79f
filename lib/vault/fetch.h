// An artwork on its way to a collector: its key wrapped anew, its chunks as they lie, each verified before it leaves.
// A copy that is bad is left for the next one, and mended.  Step 8.
// docs/protocol.md, "The envelope"; docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "envelope/envelope.h"
#include "store/blob_store.h"
#include "vault/core.h"

namespace sat {

class Fetch {
public:
    // not_found; held; forbidden: the artist released the preview alone, and the caller does not own the work;
    // bad_request for an offset that is none; io_error: every copy is damaged.
    static Result<Fetch> open(VaultCore& core, const Caller& caller, const ArtworkFetchRequest& request);

    // Made for the caller.
    const Bytes& header() const noexcept { return header_; }
    // Bytes that read() will still give.
    std::uint64_t remaining() const noexcept { return end_ - at_; }
    // As many as `out` holds or as remain.  io_error: what is left is damaged in every copy; held: since it was opened.
    Result<std::size_t> read(MutableBytes out);

private:
    // A copy's file, whose header opens and is the work's.
    struct Source {
        std::unique_ptr<BlobReader> blob;
        std::uint64_t begin = 0;  // of its chunks
        EnvelopeHeader stored;
        SecretBytes data_key;
        Cobblestone chunks;
    };

    Fetch(VaultCore& core, const ArtworkId& artwork, std::uint64_t holds, std::uint64_t bytes, std::uint64_t offset)
        : core_(&core),
          artwork_(artwork),
          holds_(holds),
          bytes_(bytes),
          end_(sealed_size(bytes)),
          at_(offset),
          filled_(offset) {}
    static Result<Source> open_copy(VaultCore& core, const ArtworkId& artwork, std::uint64_t bytes, int copy);
    Result<void> require_unheld();
    Result<void> next_copy();
    Result<void> fill(MutableBytes out);
    Result<void> read_chunks(MutableBytes out);

    VaultCore* core_;
    ArtworkId artwork_;
    std::uint64_t holds_;   // there were when the work was not held
    std::uint64_t bytes_;   // of plaintext
    std::uint64_t end_;     // of the chunk stream
    std::uint64_t at_;      // in it: what was given
    std::uint64_t filled_;  // in it: what was read and verified
    int copy_ = -1;
    std::optional<Source> source_;
    Bytes header_;
    Bytes ready_;  // verified chunks, the last of which end at `filled_`
    Bytes plaintext_;
};

}  // namespace sat
