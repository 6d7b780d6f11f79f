// Uploads whose connection ended before their work was there: kept for a day, so that the same client goes on where it
// stood.  docs/protocol.md, "Resuming"; docs/storage.md, "Uploads that were cut off".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <mutex>
#include <optional>
#include <span>

#include "store/blob_store.h"
#include "store/upload_note.h"
#include "wire/messages.h"

namespace sat {

// From its last byte on.
inline constexpr UnixTime kKeepTime = 24 * 60 * 60;
// Those of one person's machines, as many as may run; past it their oldest goes.
inline constexpr std::size_t kMaxKeptPerWallet = 4;
// In all, so that strangers who come and go fill no directory; past it the oldest goes.
inline constexpr std::size_t kMaxKept = 256;
// Sealing anew costs the vault what was received before, again at each resumption: this many times what is there, and
// no more.  A line that breaks every hundredth part of the way still gets there.
inline constexpr std::uint64_t kMaxResealing = 64;

// One, with what is on the disk of it.
struct KeptUpload {
    UploadNote note;
    std::uint64_t chunks = 0;  // whole ones
};

// How many whole chunks the file behind `blob` can have of an upload of `bytes`; they are not opened.
Result<std::uint64_t> count_received_chunks(BlobReader& blob, std::uint64_t bytes);

// Thread-safe.  What is in it nobody else has a hand on.
class KeptUploads {
public:
    KeptUploads(BlobStore& blobs, AtRestSealer sealer) : blobs_(blobs), sealer_(std::move(sealer)) {}

    // What an earlier process left; the files of what cannot be gone on with are removed.  `unfinished`: IDs that the
    // catalogue gave out and that are no works.
    Result<void> load(std::span<const ArtworkId> unfinished, UnixTime now);
    std::vector<ArtworkId> artworks() const;

    // Beside the image that is about to be received, or is; it stands for no kept upload yet.
    Result<void> write_note(const UploadNote& note);
    // Takes over what is on the disk, as of note.kept_at; what is not worth keeping is removed.
    void keep(UploadNote note, std::uint64_t chunks);
    // The one that goes on by this request; it is the caller's now, files and all.
    std::optional<KeptUpload> take(const Wallet& wallet, const UploadBeginRequest& request);
    // Its files, of one that was taken.
    void discard(const ArtworkId& artwork);

    // Removes the oldest; false where there is none.
    bool drop_oldest();
    // Of chunks, in one copy.
    std::uint64_t bytes_on_disk() const;
    // Removes those whose time is over; the next one's, or nothing.
    std::optional<UnixTime> expire(UnixTime now);

private:
    void keep_locked(UploadNote note, std::uint64_t chunks);
    void drop(std::list<KeptUpload>::iterator kept);
    Result<KeptUpload> read(const ArtworkId& artwork);

    BlobStore& blobs_;
    mutable std::mutex mutex_;
    AtRestSealer sealer_;
    std::list<KeptUpload> kept_;  // oldest first
};

}  // namespace sat
