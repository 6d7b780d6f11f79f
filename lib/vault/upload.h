// An upload: steps 4 and 5.  Everything is verified while it streams in and before the work exists; a failure anywhere
// leaves nothing.  docs/protocol.md, "Requests", "Bulk streams", "The envelope".
//
//     begin_upload ---> begun --start()--> receiving --finish()--> received --commit_upload--> the work
//                         |                    |                       |
//                         +-- the deadline ----+-----------------------+--> expired
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "crypto/hash.h"
#include "envelope/envelope.h"
#include "store/blob_store.h"
#include "vault/core.h"

namespace sat {

// An upload holds one of few places and the promise of its room: who has them must get on.  In seconds of the vault's
// clock.
// A client sends its header as soon as it has the ID: the sealing of the first chunk takes milliseconds.
inline constexpr UnixTime kUploadBeginTime = 60;
// This much in this time, or less if it is all: below 10 kbit/s even a megabyte would take a quarter of an hour.
inline constexpr std::uint64_t kUploadPace = std::uint64_t{64} << 10;
inline constexpr UnixTime kUploadPaceTime = 60;
// Between the data and the commit a person may be asked for a passphrase.
inline constexpr UnixTime kUploadCommitTime = 300;

// Belongs to one session; expire_uploads() may end it from another thread.  Destroyed or expired, it removes what was
// received and frees its room.  Once its deadline has passed, every step fails with `state`.
class Upload {
public:
    Upload(VaultCore& core, UploadRoom::Slot slot, const ArtworkId& artwork, std::uint64_t bytes,
           std::string media_type);
    ~Upload();
    Upload(const Upload&) = delete;
    Upload& operator=(const Upload&) = delete;

    const ArtworkId& artwork() const noexcept { return artwork_; }
    std::uint64_t bytes() const noexcept { return bytes_; }
    const std::string& media_type() const noexcept { return media_type_; }

    // upload.data's header, as it came.  envelope_invalid: not for this vault, this artwork and this length, or a key
    // that it does not commit to; state: not just begun; storage_full, io_error.
    Result<void> start(ByteView encoded);
    // The next bytes of the stream.  envelope_invalid at the first tag that does not match; storage_full, io_error.
    Result<void> receive(ByteView sealed);
    // The SHA-256 of the plaintext; `total` is what DATA_END counted.
    Result<Digest> finish(std::uint64_t total);

    bool receiving() const;
    // Held while it is committed: it does not expire meanwhile.  state: finish() did not succeed, or it has expired.
    // sha256() and blob() are there while it is held.
    Result<std::unique_lock<std::mutex>> hold_received();
    const Digest& sha256() const noexcept { return sha256_; }
    BlobWriter& blob() noexcept { return *blob_; }

    // Ends it if its deadline has passed; the deadline if it has not.  Nothing if it is expired, or a step of it is
    // under way on another thread.
    std::optional<UnixTime> expire(UnixTime now);

private:
    enum class Stage { begun, receiving, received, expired };

    // Under mutex_.
    Result<void> check_time();
    void release();

    VaultCore& core_;
    mutable std::mutex mutex_;
    std::optional<UploadRoom::Slot> slot_;
    ArtworkId artwork_;
    std::uint64_t bytes_;
    std::string media_type_;
    Stage stage_ = Stage::begun;
    UnixTime deadline_;       // still in time
    std::uint64_t pace_ = 0;  // bytes since it was last put off
    std::unique_ptr<BlobWriter> blob_;
    std::optional<Opener> opener_;
    std::uint64_t taken_ = 0;
    Bytes plaintext_;  // of one receive()
    Sha256 hash_;
    Digest sha256_;
};

// content_too_large, quota, storage_full, busy, io_error.
Result<std::unique_ptr<Upload>> begin_upload(VaultCore& core, const Caller& caller, const UploadBeginRequest& request);

// Ends the uploads whose deadline has passed; the next deadline, or nothing.
std::optional<UnixTime> expire_uploads(VaultCore& core);

// `upload` may be null: a repeat, whose receipt is found by the statement.  Takes it where there is nothing to repeat,
// and whatever then fails, nothing of it is left.
Result<UploadCommitReply> commit_upload(VaultCore& core, const Caller& caller, std::unique_ptr<Upload>& upload,
                                        const UploadCommitRequest& request);

}  // namespace sat
