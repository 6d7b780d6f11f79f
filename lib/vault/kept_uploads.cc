// Uploads that wait to be gone on with.  docs/storage.md, "Uploads that were cut off".
// SPDX-License-Identifier: Apache-2.0
#include "vault/kept_uploads.h"

#include <algorithm>
#include <unordered_set>

#include "envelope/envelope.h"

namespace sat {

Result<std::uint64_t> count_received_chunks(BlobReader& blob, std::uint64_t bytes) {
    Bytes prefix(kEnvelopePrefixSize);
    SAT_TRY_VALUE(const std::size_t got, blob.read(0, prefix));
    if (got < prefix.size()) return std::uint64_t{0};
    SAT_TRY_VALUE(const std::size_t header, EnvelopeHeader::size_from_prefix(prefix));
    if (blob.size() < header) return std::uint64_t{0};
    return std::min((blob.size() - header) / kChunkSealed, bytes / kChunkPlaintext);
}

Result<KeptUpload> KeptUploads::read(const ArtworkId& artwork) {
    SAT_TRY_VALUE(const Bytes file, blobs_.read_note(artwork));
    KeptUpload kept;
    SAT_TRY_VALUE(kept.note, open_upload_note(file, artwork, sealer_));
    SAT_TRY_VALUE(const auto blob, blobs_.open_incoming(artwork, 0));
    SAT_TRY_VALUE(kept.chunks, count_received_chunks(*blob, kept.note.bytes));
    return kept;
}

Result<void> KeptUploads::load(std::span<const ArtworkId> unfinished, UnixTime now) {
    const std::lock_guard lock(mutex_);
    const std::unordered_set<ArtworkId> known(unfinished.begin(), unfinished.end());
    SAT_TRY_VALUE(const auto there, blobs_.incoming());
    for (const ArtworkId& artwork : there) {
        auto kept = read(artwork);
        if (!kept || kept->chunks == 0 || !known.contains(artwork)) {
            SAT_TRY(blobs_.discard(artwork));
            continue;
        }
        // The process ended with a client connected, or the clock was put back: its day begins now.
        if (kept->note.kept_at == 0 || kept->note.kept_at > now) {
            kept->note.kept_at = now;
            SAT_TRY(blobs_.write_note(artwork, seal_upload_note(kept->note, sealer_)));
        }
        keep_locked(std::move(kept->note), kept->chunks);
    }
    return {};
}

std::vector<ArtworkId> KeptUploads::artworks() const {
    const std::lock_guard lock(mutex_);
    std::vector<ArtworkId> out;
    for (const KeptUpload& kept : kept_) out.push_back(kept.note.artwork);
    return out;
}

Result<void> KeptUploads::write_note(const UploadNote& note) {
    const std::lock_guard lock(mutex_);
    return blobs_.write_note(note.artwork, seal_upload_note(note, sealer_));
}

void KeptUploads::keep(UploadNote note, std::uint64_t chunks) {
    const std::lock_guard lock(mutex_);
    if (chunks == 0) {
        (void)blobs_.discard(note.artwork);
        return;
    }
    // Where the disk does not take it, the note of before stays: only its day begins later, at the next start.
    (void)blobs_.write_note(note.artwork, seal_upload_note(note, sealer_));
    keep_locked(std::move(note), chunks);
}

void KeptUploads::keep_locked(UploadNote note, std::uint64_t chunks) {
    // Of two by one name the one that has come further.
    const auto same = std::ranges::find_if(kept_, [&](const KeptUpload& kept) {
        return kept.note.wallet == note.wallet && kept.note.resume == note.resume && kept.note.bytes == note.bytes &&
               kept.note.media_type == note.media_type;
    });
    if (same != kept_.end()) {
        if (same->chunks > chunks) {
            (void)blobs_.discard(note.artwork);
            return;
        }
        drop(same);
    }
    const auto is_mine = [&](const KeptUpload& kept) { return kept.note.wallet == note.wallet; };
    if (static_cast<std::size_t>(std::ranges::count_if(kept_, is_mine)) >= kMaxKeptPerWallet)
        drop(std::ranges::find_if(kept_, is_mine));
    if (kept_.size() >= kMaxKept) drop(kept_.begin());
    const auto later =
        std::ranges::find_if(kept_, [&](const KeptUpload& kept) { return kept.note.kept_at > note.kept_at; });
    kept_.insert(later, {std::move(note), chunks});
}

// What cannot be removed now is removed by a later start.
void KeptUploads::drop(std::list<KeptUpload>::iterator kept) {
    (void)blobs_.discard(kept->note.artwork);
    kept_.erase(kept);
}

std::optional<KeptUpload> KeptUploads::take(const Wallet& wallet, const UploadBeginRequest& request) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(kept_, [&](const KeptUpload& kept) {
        return kept.note.wallet == wallet && kept.note.resume == request.resume && kept.note.bytes == request.bytes &&
               kept.note.media_type == request.media_type;
    });
    if (found == kept_.end()) return std::nullopt;
    if (found->note.resealed / (found->chunks * kChunkSealed) >= kMaxResealing) {
        drop(found);
        return std::nullopt;
    }
    KeptUpload kept = std::move(*found);
    kept_.erase(found);
    return kept;
}

void KeptUploads::discard(const ArtworkId& artwork) {
    const std::lock_guard lock(mutex_);
    (void)blobs_.discard(artwork);
}

bool KeptUploads::drop_oldest() {
    const std::lock_guard lock(mutex_);
    if (kept_.empty()) return false;
    drop(kept_.begin());
    return true;
}

std::uint64_t KeptUploads::bytes_on_disk() const {
    const std::lock_guard lock(mutex_);
    std::uint64_t bytes = 0;
    for (const KeptUpload& kept : kept_) bytes += kept.chunks * kChunkSealed;
    return bytes;
}

std::optional<UnixTime> KeptUploads::expire(UnixTime now) {
    const std::lock_guard lock(mutex_);
    while (!kept_.empty() && now > kept_.front().note.kept_at + kKeepTime) drop(kept_.begin());
    if (kept_.empty()) return std::nullopt;
    return kept_.front().note.kept_at + kKeepTime;
}

}  // namespace sat
