// An upload: steps 4 and 5.  Everything is verified while it streams in and before the work exists; a failure anywhere
// leaves nothing.  docs/protocol.md, "Requests", "Bulk streams", "The envelope".
//
//     begin_upload ---> begun --start()--> receiving --finish()--> received --commit_upload--> the work
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "crypto/hash.h"
#include "envelope/envelope.h"
#include "store/blob_store.h"
#include "vault/core.h"

namespace sat {

// Belongs to one session.  Destroyed, it removes what was received and frees its room.
class Upload {
public:
    Upload(UploadRoom::Slot slot, const ArtworkId& artwork, std::uint64_t bytes, std::string media_type)
        : slot_(std::move(slot)), artwork_(artwork), bytes_(bytes), media_type_(std::move(media_type)) {}

    const ArtworkId& artwork() const noexcept { return artwork_; }
    std::uint64_t bytes() const noexcept { return bytes_; }
    const std::string& media_type() const noexcept { return media_type_; }

    // upload.data's header.  envelope_invalid: not for this vault, this artwork and this length, or a key that it does
    // not commit to; state: not just begun; storage_full, io_error.
    Result<void> start(VaultCore& core, ByteView header);
    // The next bytes of the stream.  envelope_invalid at the first tag that does not match; storage_full, io_error.
    Result<void> receive(ByteView sealed);
    // The SHA-256 of the plaintext; `total` is what DATA_END counted.
    Result<Digest> finish(std::uint64_t total);

    bool receiving() const noexcept { return stage_ == Stage::receiving; }
    // Once finish() succeeded.
    bool received() const noexcept { return stage_ == Stage::received; }
    const Digest& sha256() const noexcept { return sha256_; }
    BlobWriter& blob() noexcept { return *blob_; }

private:
    enum class Stage { begun, receiving, received };

    UploadRoom::Slot slot_;
    ArtworkId artwork_;
    std::uint64_t bytes_;
    std::string media_type_;
    Stage stage_ = Stage::begun;
    std::unique_ptr<BlobWriter> blob_;
    std::optional<Opener> opener_;
    std::uint64_t taken_ = 0;
    Bytes plaintext_;  // of one receive()
    Sha256 hash_;
    Digest sha256_;
};

// content_too_large, storage_full, busy, io_error.
Result<std::unique_ptr<Upload>> begin_upload(VaultCore& core, const Caller& caller, const UploadBeginRequest& request);

// `upload` may be null: a repeat, whose receipt is found by the statement.  Takes it where there is nothing to repeat,
// and whatever then fails, nothing of it is left.
Result<UploadCommitReply> commit_upload(VaultCore& core, const Caller& caller, std::unique_ptr<Upload>& upload,
                                        const UploadCommitRequest& request);

}  // namespace sat
