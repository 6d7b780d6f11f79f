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

// Chunks that are sealed anew at a time, on a worker that others wait for: a megabyte, a few milliseconds.
constexpr std::size_t kResealStep = 64;

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

Upload::Upload(VaultCore& core, UploadRoom::Slot slot, const ArtworkId& artwork, const Wallet& wallet,
               const UploadBeginRequest& request)
    : core_(core),
      slot_(std::move(slot)),
      artwork_(artwork),
      wallet_(wallet),
      bytes_(request.bytes),
      media_type_(request.media_type),
      name_(request.resume),
      heard_at_(core.now()),
      deadline_(heard_at_ + kUploadBeginTime) {
    if (request.resume) note_ = UploadNote{artwork, wallet, *request.resume, bytes_, media_type_};
    const std::lock_guard lock(core_.running_mutex);
    core_.running.insert(this);
}

Upload::Upload(VaultCore& core, UploadRoom::Slot slot, KeptUpload kept)
    : core_(core),
      slot_(std::move(slot)),
      artwork_(kept.note.artwork),
      wallet_(kept.note.wallet),
      bytes_(kept.note.bytes),
      media_type_(kept.note.media_type),
      name_(kept.note.resume),
      note_(std::move(kept.note)),
      offered_(kept.chunks),
      stage_(Stage::offered),
      heard_at_(core.now()),
      deadline_(heard_at_ + kUploadResumeTime) {
    const std::lock_guard lock(core_.running_mutex);
    core_.running.insert(this);
}

Upload::~Upload() {
    {
        const std::lock_guard lock(core_.running_mutex);
        core_.running.erase(this);
    }
    if (stage_ != Stage::ended) end();
}

bool Upload::is_named(const Wallet& wallet, const UploadBeginRequest& request) const noexcept {
    return request.resume && name_ == request.resume && wallet_ == wallet && bytes_ == request.bytes &&
           media_type_ == request.media_type;
}

void Upload::end() {
    const Stage was = std::exchange(stage_, Stage::ended);
    before_.reset();
    opener_.reset();
    if (was == Stage::offered || was == Stage::resealing) {
        // What was kept is as it was.
        blob_.reset();
        core_.kept->keep(*note_, offered_);
    } else if (note_ && may_keep_ && blob_) {
        const std::uint64_t chunks = std::min(chunks_ + taken_ / kChunkSealed, bytes_ / kChunkPlaintext);
        if (taken_ > 0) note_->kept_at = heard_at_;
        blob_->keep();
        blob_.reset();
        core_.kept->keep(*note_, chunks);
    } else if (may_keep_) {
        blob_.reset();
        core_.take_back_id(wallet_, artwork_, untouched_);
    }
    blob_.reset();
    slot_.reset();
    data_key_.reset();
    sealing_.reset();
    wipe(plaintext_.data(), plaintext_.size());
    plaintext_ = Bytes();
}

Result<void> Upload::check_time() {
    if (stage_ != Stage::ended && core_.now() > deadline_) end();
    if (stage_ == Stage::ended) return fail(Errc::state, "the upload took too long and was dropped", "begin it anew");
    return {};
}

void Upload::heard(UnixTime time) {
    heard_at_ = core_.now();
    deadline_ = heard_at_ + time;
}

std::optional<UnixTime> Upload::expire(UnixTime now) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || stage_ == Stage::ended) return std::nullopt;
    if (now <= deadline_) return deadline_;
    end();
    return std::nullopt;
}

bool Upload::displace(UnixTime now) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return false;
    if (stage_ == Stage::ended) return true;
    if (now < heard_at_ + (stage_ == Stage::received ? kUploadCommitSilence : kUploadSilence)) return false;
    end();
    return true;
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

void Upload::forget() {
    const std::lock_guard lock(mutex_);
    may_keep_ = false;
}

// The header, and the key that it commits to: from here on that is this envelope's, whatever else the sender may have
// wrapped.
Result<std::pair<EnvelopeHeader, SecretBytes>> Upload::open_header(ByteView encoded) const {
    SAT_TRY_VALUE(EnvelopeHeader header, EnvelopeHeader::parse(encoded));
    if (header.artwork != artwork_ || header.plaintext_length != bytes_)
        return not_an_envelope("an envelope of another upload");
    if (header.recipient != core_.wallet()) return not_an_envelope("an envelope for somebody else");
    SAT_TRY_VALUE(SecretBytes data_key, unwrap(header, Purpose::transit, core_.keys.kem));
    SAT_TRY_VALUE(const Cobblestone keys, Cobblestone::derive(data_key, header.salt, header.context()));
    if (!keys.commits_to(header.commitment)) return not_an_envelope("the envelope does not open");
    return std::pair(std::move(header), std::move(data_key));
}

EnvelopeHeader Upload::for_store(const EnvelopeHeader& header, const SecretBytes& data_key) const {
    const KemPublicKey& store_key = core_.keys.store.public_key();
    EnvelopeHeader stored = header;
    stored.kem_id = store_key.id();
    stored.wrapped = store_key.wrap(data_key, stored.wrap_label(Purpose::store));
    return stored;
}

// Nothing where that copy's header does not open: it is damaged, or older than a `store` key.
std::optional<Upload::Before> Upload::open_before(int copy) const {
    const auto opened = [&]() -> Result<Before> {
        SAT_TRY_VALUE(auto blob, core_.blobs->open_incoming(artwork_, copy));
        Bytes bytes(kMaxEnvelopeHeader);
        SAT_TRY_VALUE(const std::size_t got, blob->read(0, bytes));
        if (got < kEnvelopePrefixSize) return not_an_envelope("a header that was cut short");
        SAT_TRY_VALUE(const std::size_t size, EnvelopeHeader::size_from_prefix(bytes));
        if (got < size) return not_an_envelope("a header that was cut short");
        SAT_TRY_VALUE(const EnvelopeHeader header, EnvelopeHeader::parse(ByteView(bytes).first(size)));
        if (header.artwork != artwork_ || header.plaintext_length != bytes_)
            return not_an_envelope("an envelope of another upload");
        SAT_TRY_VALUE(const SecretBytes data_key, unwrap(header, Purpose::store, core_.keys.store));
        SAT_TRY_VALUE(Cobblestone chunks, Cobblestone::derive(data_key, header.salt, header.context()));
        if (!chunks.commits_to(header.commitment)) return not_an_envelope("the envelope does not open");
        return Before{std::move(blob), size, std::move(chunks)};
    };
    auto before = opened();
    return before ? std::optional(std::move(*before)) : std::nullopt;
}

Result<void> Upload::resume(ByteView encoded) {
    const std::lock_guard lock(mutex_);
    SAT_TRY(check_time());
    if (stage_ != Stage::offered) return fail(Errc::state, "there is nothing to go on with");
    SAT_TRY_VALUE(auto opened, open_header(encoded));
    auto& [header, data_key] = opened;
    // Before the work is done, so that a crash does not make it free.
    UploadNote note = *note_;
    note.resealed += offered_ * kChunkSealed;
    SAT_TRY(core_.kept->write_note(note));
    note_ = std::move(note);
    SAT_TRY_VALUE(blob_, core_.blobs->rewrite(artwork_));
    stage_ = Stage::resealing;
    SAT_TRY(blob_->append(for_store(header, data_key).encode()));
    SAT_TRY_VALUE(sealing_, Cobblestone::derive(data_key, header.salt, header.context()));
    header_ = std::move(header);
    data_key_ = std::move(data_key);
    for (int copy = 0; copy < core_.blobs->copies() && !before_; ++copy) before_ = open_before(copy);
    heard(kUploadResumeTime);
    return {};
}

// Each key seals each chunk once: what this connection's stream goes on with is sealed by the client under the same
// key, and begins where this ends.
Result<void> Upload::reseal_some() {
    const std::uint64_t left = before_ ? offered_ - chunks_ : 0;
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(left, kResealStep));
    Bytes sealed(step * kChunkSealed);
    auto read = before_ ? before_->blob->read(before_->begin + chunks_ * kChunkSealed, sealed) : Result<std::size_t>(0);
    // The rest is cut off at the first chunk that is not whole and good, and comes once more.
    const std::size_t whole = read ? *read / kChunkSealed : 0;
    plaintext_.resize(kChunkPlaintext);
    std::size_t good = 0;
    for (; good < whole; ++good) {
        const MutableBytes chunk = MutableBytes(sealed).subspan(good * kChunkSealed, kChunkSealed);
        if (!before_->chunks.open_chunk(chunks_ + good, chunk, plaintext_)) break;
        hash_.update(plaintext_);
        sealing_->seal_chunk(chunks_ + good, plaintext_, chunk);
    }
    const ByteView anew = ByteView(sealed).first(good * kChunkSealed);
    SAT_TRY(blob_->append(anew));
    slot_->written(anew.size());
    chunks_ += good;
    if (good == step && chunks_ < offered_ && before_) return {};

    SAT_TRY_VALUE(opener_, Opener::create(*header_, *data_key_, chunks_));
    SAT_TRY(blob_->replace());
    before_.reset();
    sealing_.reset();
    data_key_.reset();
    stage_ = Stage::resumed;
    return {};
}

Result<std::optional<UploadResumeReply>> Upload::reseal() {
    const std::lock_guard lock(mutex_);
    SAT_TRY(check_time());
    if (stage_ != Stage::resealing) return fail(Errc::state, "there is nothing to seal anew");
    SAT_TRY(reseal_some());
    heard(kUploadResumeTime);
    if (stage_ == Stage::resealing) return std::optional<UploadResumeReply>{};
    return std::optional(UploadResumeReply{chunks_ * kChunkPlaintext, hash_.peek()});
}

Result<std::uint64_t> Upload::start(const std::optional<Bytes>& encoded) {
    const std::lock_guard lock(mutex_);
    SAT_TRY(check_time());
    if (stage_ != (encoded ? Stage::begun : Stage::resumed))
        return fail(Errc::state, "the data of this upload cannot begin now");
    if (encoded) {
        SAT_TRY_VALUE(const auto opened, open_header(*encoded));
        const auto& [header, data_key] = opened;
        untouched_ = false;
        SAT_TRY_VALUE(opener_, Opener::create(header, data_key));
        if (note_) SAT_TRY(core_.kept->write_note(*note_));
        SAT_TRY_VALUE(blob_, core_.blobs->create(artwork_));
        SAT_TRY(blob_->append(for_store(header, data_key).encode()));
    }
    if (!encoded) {
        UploadNote note = *note_;
        note.kept_at = 0;
        SAT_TRY(core_.kept->write_note(note));
    }
    stage_ = Stage::receiving;
    heard(kUploadPaceTime);
    return opener_->remaining();
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
    if (auto appended = blob_->append(sealed); !appended) {
        // A disk that is full or fails is not to be filled with what may never be gone on with.
        may_keep_ = false;
        return appended;
    }
    taken_ += sealed.size();
    slot_->written(sealed.size());
    heard_at_ = core_.now();
    pace_ += sealed.size();
    if (pace_ >= kUploadPace) {
        pace_ = 0;
        heard(kUploadPaceTime);
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
    blob_->write_out();  // while the client signs
    stage_ = Stage::received;
    heard(kUploadCommitTime);
    return sha256_;
}

namespace {

// A place and its room.  Where the disk is too full, what was kept of other uploads makes way, oldest first, if that
// helps.
Result<UploadRoom::Slot> take_slot(VaultCore& core, const Wallet& wallet, std::uint64_t bytes) {
    const std::uint64_t needed = kMaxEnvelopeHeader + sealed_size(bytes) + kMaxWorkFile;
    for (;;) {
        SAT_TRY_VALUE(const std::uint64_t room, core.blobs->room());
        const std::uint64_t free = room > core.options.reserve_bytes ? room - core.options.reserve_bytes : 0;
        auto slot = core.uploads.take(wallet, bytes, needed, free);
        if (slot || slot.error().code != Errc::storage_full) return slot;
        const std::uint64_t taken = core.options.reserve_bytes + core.uploads.promised();
        const bool enough = room + core.kept->bytes_on_disk() >= taken + needed;
        if (!enough || !core.kept->drop_oldest()) return slot;
    }
}

// What is under way counts as well, unless it comes to nothing: busy.
Result<void> check_quota_at_begin(VaultCore& core, const Wallet& wallet, std::uint64_t bytes) {
    SAT_TRY_VALUE(const auto reader, core.catalog->read());
    SAT_TRY(check_upload_quota(*reader, core.options.quotas, wallet, bytes));
    auto with_others = check_upload_quota(*reader, core.options.quotas, wallet, bytes + core.uploads.bytes_of(wallet));
    if (!with_others && with_others.error().code == Errc::quota) with_others.error().code = Errc::busy;
    return with_others;
}

}  // namespace

Result<std::unique_ptr<Upload>> begin_upload(VaultCore& core, const Caller& caller, const UploadBeginRequest& request) {
    if (request.bytes > core.options.max_artwork_bytes)
        return fail(Errc::content_too_large, "the artwork is larger than this vault takes");
    (void)expire_uploads(core);
    if (request.resume) {
        const std::lock_guard lock(core.running_mutex);
        const UnixTime now = core.now();
        for (Upload* upload : core.running)
            if (upload->is_named(caller.wallet, request) && !upload->displace(now))
                return fail(Errc::busy, "an upload by this name is under way", "try again later");
    }
    SAT_TRY(check_quota_at_begin(core, caller.wallet, request.bytes));
    if (auto kept = request.resume ? core.kept->take(caller.wallet, request) : std::nullopt) {
        auto slot = take_slot(core, caller.wallet, request.bytes);
        if (slot) return std::make_unique<Upload>(core, std::move(*slot), std::move(*kept));
        if (slot.error().code != Errc::storage_full) {
            core.kept->keep(std::move(kept->note), kept->chunks);
            return fail(std::move(slot.error()));
        }
        // No room for both what was kept and its successor: there may be for the latter.
        core.kept->discard(kept->note.artwork);
    }
    SAT_TRY_VALUE(UploadRoom::Slot slot, take_slot(core, caller.wallet, request.bytes));
    SAT_TRY_VALUE(const ArtworkId artwork, core.give_out_id(caller.wallet));
    return std::make_unique<Upload>(core, std::move(slot), artwork, caller.wallet, request);
}

std::optional<UnixTime> expire_uploads(VaultCore& core) {
    const UnixTime now = core.now();
    std::optional<UnixTime> next = core.kept->expire(now);
    // No upload is destroyed while this is held, and none waits for it while a step of it is under way.
    const std::lock_guard lock(core.running_mutex);
    for (Upload* upload : core.running)
        if (const auto deadline = upload->expire(now)) next = std::min(next.value_or(*deadline), *deadline);
    return next;
}

namespace {

// That the leaf, the newest checkpoint's, is under it, and that this goes on from the tree of the first `from` leaves.
// Nothing where that cannot be shown: the receipt stands, and the client asks for what it lacks.
std::optional<RegistrationProof> prove_registration(const VaultCore& core, std::uint64_t from, const LeafHash& leaf) {
    const Checkpoint newest = core.checkpoints->newest();
    const auto prove = [&]() -> Result<RegistrationProof> {
        if (from > newest.head.size) return fail(Errc::bad_request, "a size beyond the newest checkpoint's");
        RegistrationProof proof;
        proof.checkpoint = newest.note;
        SAT_TRY_VALUE(const auto reader, core.catalog->read());
        SAT_TRY_VALUE(const auto index, reader->leaf_index(leaf));
        if (!index || *index >= newest.head.size) return fail(Errc::not_found, "no such leaf at that size");
        proof.index = *index;
        SAT_TRY_VALUE(proof.inclusion, inclusion_proof(*reader, *index, newest.head.size));
        SAT_TRY(verify_inclusion(leaf, *index, newest.head.size, proof.inclusion, newest.head.root));
        SAT_TRY_VALUE(const TreeHead older, Checkpoints::earlier(*reader, newest.head, from));
        SAT_TRY_VALUE(proof.consistency, consistency_proof(*reader, from, newest.head.size));
        SAT_TRY(verify_consistency(older, newest.head, proof.consistency));
        return proof;
    };
    auto proof = prove();
    return proof ? std::optional(std::move(*proof)) : std::nullopt;
}

}  // namespace

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
    if (upload) upload->forget();
    if (!statement) return fail(statement.error());
    if (!upload) return fail(Errc::state, "there is no upload to commit");
    SAT_TRY_VALUE(const auto held, upload->hold_received());
    const Registration& registration = statement->body;
    SAT_TRY(check_registration(registration, *upload, request.preview));

    SAT_TRY(core.identity_files->keep(caller.wallet, caller.chain->encode()));
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
        auto room = check_upload_quota(*transaction, core.options.quotas, work.owner, work.bytes);
        // It may be full of works that are not on the disk yet.
        if (!room && room.error().code == Errc::quota) SAT_TRY(transaction->commit());
        SAT_TRY(std::move(room));
        SAT_TRY(transaction->add_work(work, words_of(registration)));
        SAT_TRY(transaction->append_leaf(work.artwork, head, now, entry));
        SAT_TRY(transaction->add_outcome({statement->id, work.artwork, std::nullopt, receipt}));
        return transaction;
    };
    auto recorded = record();
    if (!recorded) {
        // Nothing of it was written: the work does not exist.
        (void)core.blobs->remove(work.artwork);
        return fail(std::move(recorded.error()));
    }
    // After a failure of the commit itself, whatever it says, nobody knows whether it reached the disk: the next commit
    // or the next start decides, by the catalogue, whether the files belong to a work.
    if (auto committed = core.commit_and_tell(std::move(*recorded), {}); !committed) {
        core.doubt(work.artwork);
        return fail(std::move(committed.error()));
    }
    core.became_a_work(work.owner);
    SAT_TRY(core.sync_before_receipt());
    UploadCommitReply reply{receipt};
    if (request.prove) reply.proof = prove_registration(core, *request.prove, head);
    if (reply.proof) {
        reply.proof->registered_at = now;
        reply.proof->origin = origin;
    }
    return reply;
}

}  // namespace sat
