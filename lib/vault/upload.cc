// Uploads.  docs/protocol.md, "Requests", "Bulk streams", "The envelope".
// SPDX-License-Identifier: Apache-2.0
#include "vault/upload.h"

#include <algorithm>

#include "base/assert.h"
#include "ledger/leaf.h"
#include "store/work_file.h"
#include "vault/quota.h"
#include "vault/statements.h"
#include "vault/words.h"

namespace sat {

namespace {

tl::unexpected<Error> not_an_envelope(const char* why) { return fail(Errc::envelope_invalid, why); }

// What the registration says against what was received.
Result<void> check_registration(const Registration& registration, const Upload& upload,
                                const std::optional<Bytes>& preview) {
    if (registration.artwork != upload.artwork() || registration.bytes != upload.bytes() ||
        registration.media_type != upload.media_type())
        return fail(Errc::bad_statement, "a registration of another upload");
    if (registration.sha256 != upload.sha256())
        return fail(Errc::hash_mismatch, "the image is not the one that was registered");
    if (registration.preview.has_value() != preview.has_value())
        return fail(Errc::bad_statement, "a preview without its registration, or a registration without its preview");
    if (preview && (registration.preview->bytes != preview->size() || registration.preview->sha256 != sha256(*preview)))
        return fail(Errc::hash_mismatch, "the preview is not the one that was registered");
    return {};
}

}  // namespace

Upload::Upload(VaultCore& core, UploadRoom::Slot slot, const ArtworkId& artwork, std::uint64_t bytes,
               std::string media_type)
    : core_(core),
      slot_(std::move(slot)),
      artwork_(artwork),
      bytes_(bytes),
      media_type_(std::move(media_type)),
      deadline_(core.now() + kUploadBeginTime) {
    const std::lock_guard lock(core_.running_mutex);
    core_.running.insert(this);
}

Upload::~Upload() {
    const std::lock_guard lock(core_.running_mutex);
    core_.running.erase(this);
}

void Upload::release() {
    stage_ = Stage::expired;
    opener_.reset();
    blob_.reset();
    slot_.reset();
    wipe(plaintext_.data(), plaintext_.size());
    plaintext_ = Bytes();
}

Result<void> Upload::check_time() {
    if (stage_ != Stage::expired && core_.now() > deadline_) release();
    if (stage_ == Stage::expired) return fail(Errc::state, "the upload took too long and was dropped", "begin it anew");
    return {};
}

std::optional<UnixTime> Upload::expire(UnixTime now) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || stage_ == Stage::expired) return std::nullopt;
    if (now <= deadline_) return deadline_;
    release();
    return std::nullopt;
}

bool Upload::receiving() const {
    const std::lock_guard lock(mutex_);
    return stage_ == Stage::receiving;
}

Result<std::unique_lock<std::mutex>> Upload::hold_received() {
    std::unique_lock lock(mutex_);
    SAT_TRY(check_time());
    if (stage_ != Stage::received) return fail(Errc::state, "there is no upload to commit");
    return lock;
}

Result<void> Upload::start(ByteView encoded) {
    const std::lock_guard lock(mutex_);
    SAT_TRY(check_time());
    if (stage_ != Stage::begun) return fail(Errc::state, "the data of this upload was sent already");
    SAT_TRY_VALUE(const EnvelopeHeader header, EnvelopeHeader::parse(encoded));
    if (header.artwork != artwork_ || header.plaintext_length != bytes_)
        return not_an_envelope("an envelope of another upload");
    if (header.recipient != core_.wallet()) return not_an_envelope("an envelope for somebody else");
    SAT_TRY_VALUE(const SecretBytes data_key, unwrap(header, Purpose::transit, core_.keys.kem));
    // Checks the commitment: from here on the key is this envelope's, whatever else the sender may have wrapped.
    SAT_TRY_VALUE(Opener opener, Opener::create(header, data_key));

    const KemPublicKey& store_key = core_.keys.store.public_key();
    EnvelopeHeader stored = header;
    stored.kem_id = store_key.id();
    stored.wrapped = store_key.wrap(data_key, stored.wrap_label(Purpose::store));
    SAT_TRY_VALUE(blob_, core_.blobs->create(artwork_));
    SAT_TRY(blob_->append(stored.encode()));
    opener_.emplace(std::move(opener));
    stage_ = Stage::receiving;
    deadline_ = core_.now() + kUploadPaceTime;
    return {};
}

Result<void> Upload::receive(ByteView sealed) {
    const std::lock_guard lock(mutex_);
    SAT_TRY(check_time());
    SAT_ASSERT(stage_ == Stage::receiving);
    // Whole chunks are opened straight into place; what comes in other pieces, and the last chunk, goes the long way.
    const std::size_t chunks = opener_->at_chunk_boundary() ? sealed.size() / kChunkSealed : 0;
    const ByteView whole = sealed.first(chunks * kChunkSealed);
    plaintext_.resize(chunks * kChunkPlaintext);
    if (!whole.empty()) SAT_TRY(opener_->open_whole(whole, plaintext_));
    if (whole.size() < sealed.size()) SAT_TRY(opener_->open(sealed.subspan(whole.size()), plaintext_));
    hash_.update(plaintext_);
    SAT_TRY(blob_->append(sealed));
    taken_ += sealed.size();
    slot_->written(sealed.size());
    pace_ += sealed.size();
    if (pace_ >= kUploadPace) {
        pace_ = 0;
        deadline_ = core_.now() + kUploadPaceTime;
    }
    return {};
}

Result<Digest> Upload::finish(std::uint64_t total) {
    const std::lock_guard lock(mutex_);
    SAT_TRY(check_time());
    SAT_ASSERT(stage_ == Stage::receiving);
    if (total != taken_) return not_an_envelope("a stream of another length than it says");
    plaintext_.clear();
    SAT_TRY(opener_->finish(plaintext_));
    hash_.update(plaintext_);
    sha256_ = hash_.finish();
    wipe(plaintext_.data(), plaintext_.size());
    plaintext_ = Bytes();
    opener_.reset();
    stage_ = Stage::received;
    deadline_ = core_.now() + kUploadCommitTime;
    return sha256_;
}

Result<std::unique_ptr<Upload>> begin_upload(VaultCore& core, const Caller& caller, const UploadBeginRequest& request) {
    if (request.bytes > core.options.max_artwork_bytes)
        return fail(Errc::content_too_large, "the artwork is larger than this vault takes");
    (void)expire_uploads(core);
    {
        SAT_TRY_VALUE(const auto reader, core.catalog->read());
        SAT_TRY(check_upload_quota(*reader, core.options.quotas, caller.wallet, request.bytes));
    }
    SAT_TRY_VALUE(const std::uint64_t room, core.blobs->room());
    const std::uint64_t free = room > core.options.reserve_bytes ? room - core.options.reserve_bytes : 0;
    const std::uint64_t needed = kMaxEnvelopeHeader + sealed_size(request.bytes) + kMaxWorkFile;
    SAT_TRY_VALUE(UploadRoom::Slot slot, core.uploads.take(caller.wallet, needed, free));
    SAT_TRY_VALUE(const ArtworkId artwork, core.give_out_id());
    return std::make_unique<Upload>(core, std::move(slot), artwork, request.bytes, request.media_type);
}

std::optional<UnixTime> expire_uploads(VaultCore& core) {
    const UnixTime now = core.now();
    std::optional<UnixTime> next;
    // No upload ends while this is held, and none waits for it while a step of it is under way.
    const std::lock_guard lock(core.running_mutex);
    for (Upload* upload : core.running)
        if (const auto deadline = upload->expire(now)) next = std::min(next.value_or(*deadline), *deadline);
    return next;
}

Result<UploadCommitReply> commit_upload(VaultCore& core, const Caller& caller, std::unique_ptr<Upload>& session_upload,
                                        const UploadCommitRequest& request) {
    const auto statement = take_statement<Registration>(core, caller, request.registration);
    std::optional<Turns::Turn> turn;
    if (statement) {
        turn.emplace(core.commits.take(statement->id));
        std::optional<OutcomeRow> outcome;
        {
            SAT_TRY_VALUE(const auto reader, core.catalog->read());
            SAT_TRY_VALUE(outcome, reader->outcome(statement->id));
        }
        if (outcome && outcome->receipt) {
            SAT_TRY(core.sync_before_receipt());
            return UploadCommitReply{*outcome->receipt};
        }
    }
    // From here on the upload is used up.
    const std::unique_ptr<Upload> upload = std::move(session_upload);
    if (!statement) return fail(statement.error());
    if (!upload) return fail(Errc::state, "there is no upload to commit");
    SAT_TRY_VALUE(const auto held, upload->hold_received());
    const Registration& registration = statement->body;
    SAT_TRY(check_registration(registration, *upload, request.preview));

    SAT_TRY(core.identity_files->keep(caller.wallet, caller.chain.encode()));
    const UnixTime now = core.now();
    const std::string entry = Leaf{LeafType::registration, now, {statement->jws}}.encode();
    const LeafHash head = leaf_hash(entry);
    const std::string receipt = sign_receipt(core, statement->id, ReceiptStatus::registered, head, now);
    const Origin origin{caller.address, caller.port};

    AtRestSealer sealer = core.file_sealer();
    SAT_TRY(upload->blob().publish(
        seal_work_file({registration.artwork, now, statement->jws, receipt, origin, request.preview}, sealer)));

    WorkRow work;
    work.artwork = registration.artwork;
    work.owner = registration.iss;
    work.head = head;
    work.registered_at = now;
    work.bytes = registration.bytes;
    work.registration = statement->jws;
    work.origin = origin;
    const auto record = [&]() -> Result<std::unique_ptr<CatalogTransaction>> {
        SAT_TRY_VALUE(auto transaction, core.catalog->begin());
        SAT_TRY(check_upload_quota(*transaction, core.options.quotas, work.owner, work.bytes));
        SAT_TRY(transaction->add_work(work, words_of(registration)));
        SAT_TRY(transaction->append_leaf(work.artwork, head, now, entry));
        SAT_TRY(transaction->add_outcome({statement->id, work.artwork, std::nullopt, receipt}));
        return transaction;
    };
    auto recorded = record();
    if (!recorded) {
        // Rolled back before anything was committed: the work does not exist.
        (void)core.blobs->remove(work.artwork);
        return fail(std::move(recorded.error()));
    }
    // After a failure of the commit itself, whatever it says, nobody knows whether it reached the disk: the next commit
    // or the next start decides, by the catalogue, whether the files belong to a work.
    if (auto committed = core.commit_and_tell(std::move(*recorded), {}); !committed) {
        core.doubt(work.artwork);
        return fail(std::move(committed.error()));
    }
    SAT_TRY(core.sync_before_receipt());
    return UploadCommitReply{receipt};
}

}  // namespace sat
