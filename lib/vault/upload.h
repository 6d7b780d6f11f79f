// An upload: steps 4 and 5.  Everything is verified while it streams in and before the work exists; a failure anywhere
// leaves nothing, but for an upload that has a name to be resumed by: what came of it is kept when its connection ends.
// docs/protocol.md, "Requests", "Bulk streams", "Resuming", "The envelope".
//
//     begin_upload --+-> begun ----start()------------------------> receiving --finish()--> received --commit--> the
//     work
//                    |                                                 ^
//                    +-> offered --resume()--> resealing --reseal()--> resumed --start()--+
//
//     any of them, by its deadline, by another connection's begin_upload() or at the session's end --> ended
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
#include "vault/kept_uploads.h"

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
// A client that resumes reads what it has sent already once more: 4 GiB at 15 MB/s.
inline constexpr UnixTime kUploadResumeTime = 300;
// The connection of an upload that was not heard of for so long may be dead: who begins it anew takes it over.
inline constexpr UnixTime kUploadSilence = 5;
// Likewise once all has come: its client says nothing until it has the picture's preview, which takes 90 s at most.
inline constexpr UnixTime kUploadCommitSilence = 100;

// Belongs to one session; expire_uploads() and another's begin_upload() may end it from another thread.  Destroyed or
// ended, it frees its room, and what was received is kept, if it may be, or removed.  Once ended, or past its deadline,
// every step fails with `state`.
class Upload {
public:
    Upload(VaultCore& core, UploadRoom::Slot slot, const ArtworkId& artwork, const Wallet& wallet,
           const UploadBeginRequest& request);
    // Goes on with `kept`, which is its own now.
    Upload(VaultCore& core, UploadRoom::Slot slot, KeptUpload kept);
    ~Upload();
    Upload(const Upload&) = delete;
    Upload& operator=(const Upload&) = delete;

    const ArtworkId& artwork() const noexcept { return artwork_; }
    std::uint64_t bytes() const noexcept { return bytes_; }
    const std::string& media_type() const noexcept { return media_type_; }
    // Plaintext that was kept, of one that resumes.
    std::uint64_t offered() const noexcept { return offered_ * kChunkPlaintext; }
    bool is_named(const Wallet& wallet, const UploadBeginRequest& request) const noexcept;

    // upload.resume's header, as it came.  envelope_invalid as start(); state: nothing was offered; storage_full,
    // io_error.
    Result<void> resume(ByteView encoded);
    // Seals the next piece of what was kept anew; the answer when all is done.  state: it has ended; storage_full,
    // io_error: what was kept is as it was.
    Result<std::optional<UploadResumeReply>> reseal();
    // upload.data's header, as it came, or nothing where upload.resume had it; the bytes that are to come.
    // envelope_invalid: not for this vault, this artwork and this length, or a key that it does not commit to; state:
    // not just begun, or resumed; storage_full, io_error.
    Result<std::uint64_t> start(const std::optional<Bytes>& encoded);
    // The next bytes of the stream.  envelope_invalid at the first tag that does not match; storage_full, io_error.
    Result<void> receive(ByteView sealed);
    // The SHA-256 of the plaintext; `total` is what DATA_END counted.
    Result<Digest> finish(std::uint64_t total);

    bool receiving() const;
    // Held while it is committed: it does not end meanwhile.  state: finish() did not succeed, or it has ended.
    // sha256() and blob() are there while it is held.
    Result<std::unique_lock<std::mutex>> hold_received();
    const Digest& sha256() const noexcept { return sha256_; }
    BlobWriter& blob() noexcept { return *blob_; }
    // Whatever was received is not worth keeping.
    void forget();

    // Ends it if its deadline has passed; the deadline if it has not.  Nothing if it has ended, or a step of it is
    // under way on another thread.
    std::optional<UnixTime> expire(UnixTime now);
    // Ends it if nothing was heard of it for kUploadSilence, or kUploadCommitSilence, in favour of another connection.
    bool displace(UnixTime now);

private:
    enum class Stage { begun, offered, resealing, resumed, receiving, received, ended };

    // An image that was received earlier, and the key it is sealed under.
    struct Before {
        std::unique_ptr<BlobReader> blob;
        std::uint64_t begin = 0;  // of its chunks
        Cobblestone chunks;
    };

    // Under mutex_.
    Result<void> check_time();
    void heard(UnixTime time);
    void end();
    Result<std::pair<EnvelopeHeader, SecretBytes>> open_header(ByteView encoded) const;
    EnvelopeHeader for_store(const EnvelopeHeader& header, const SecretBytes& data_key) const;
    std::optional<Before> open_before(int copy) const;
    Result<void> reseal_some();

    VaultCore& core_;
    mutable std::mutex mutex_;
    std::optional<UploadRoom::Slot> slot_;
    const ArtworkId artwork_;
    const Wallet wallet_;
    const std::uint64_t bytes_;
    const std::string media_type_;
    const std::optional<Digest> name_;  // to be resumed by
    std::optional<UploadNote> note_;    // of one that has a name
    std::uint64_t offered_ = 0;         // chunks that were kept
    Stage stage_ = Stage::begun;
    UnixTime heard_at_;
    UnixTime deadline_;       // still in time
    std::uint64_t pace_ = 0;  // bytes since it was last put off
    bool may_keep_ = true;
    bool untouched_ = true;  // no header of this ID was taken
    std::unique_ptr<BlobWriter> blob_;
    std::optional<Opener> opener_;
    std::uint64_t taken_ = 0;  // bytes of this connection's stream
    Bytes plaintext_;          // of one receive()
    Sha256 hash_;
    Digest sha256_;

    // Sealing anew.
    std::optional<EnvelopeHeader> header_;  // the new one
    std::optional<SecretBytes> data_key_;
    std::optional<Cobblestone> sealing_;
    std::optional<Before> before_;
    std::uint64_t chunks_ = 0;  // in the file that blob_ writes, before this connection's stream
};

// One that goes on with what was kept under the request's name, if anything was; else a new one.  content_too_large,
// quota, storage_full, io_error; busy: too many, or one by this name is under way and was heard of just now.
Result<std::unique_ptr<Upload>> begin_upload(VaultCore& core, const Caller& caller, const UploadBeginRequest& request);

// Ends the uploads whose deadline has passed, and removes those that were kept for a day; the next deadline, or
// nothing.
std::optional<UnixTime> expire_uploads(VaultCore& core);

// `upload` may be null: a repeat, whose receipt is found by the statement.  Takes it where there is nothing to repeat,
// and whatever then fails, nothing of it is left.
Result<UploadCommitReply> commit_upload(VaultCore& core, const Caller& caller, std::unique_ptr<Upload>& upload,
                                        const UploadCommitRequest& request);

}  // namespace sat
