// Upload: the file is read once, hashed and sealed chunk by chunk straight into the records that carry it, and only
// then registered, so that the signature names what was really sent.  What an earlier run has sent is not sent again.
// Steps 3 to 5; docs/protocol.md, "Resuming".
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <future>
#include <thread>
#include <tuple>
#include <variant>

#include "base/assert.h"
#include "client/upload_store.h"
#include "client/vault_client.h"
#include "client/vault_client_impl.h"
#include "crypto/hash.h"
#include "ledger/leaf.h"

namespace sat {

namespace {

tl::unexpected<Error> file_changed(const Path& path) {
    return fail(Errc::input_unreadable, path.string() + " changed while it was read",
                "let the program that writes it finish, then upload again");
}

// What tells that a file is the one that it was: editors write in place (size, time) or anew (inode).
struct FileState {
    struct stat status {};

    static Result<FileState> of(const UploadSource& source) {
        FileState state;
        if (::fstat(source.fd, &state.status) != 0) return fail(errno_error("read", source.path, errno));
        return state;
    }
    bool operator==(const FileState& other) const noexcept {
        return status.st_dev == other.status.st_dev && status.st_ino == other.status.st_ino &&
               status.st_size == other.status.st_size && status.st_mtim.tv_sec == other.status.st_mtim.tv_sec &&
               status.st_mtim.tv_nsec == other.status.st_mtim.tv_nsec;
    }
    // Whether `path` still names this file.
    bool is_at(const Path& path) const noexcept {
        struct stat now {};
        return ::stat(path.c_str(), &now) == 0 && now.st_dev == status.st_dev && now.st_ino == status.st_ino;
    }
};

Result<void> read_exactly(const UploadSource& source, MutableBytes out) {
    auto got = read_some(source.fd, out, source.path);
    if (!got) return fail(Errc::input_unreadable, got.error().message);
    if (*got != out.size()) return file_changed(source.path);
    return {};
}

Result<void> rewind(const UploadSource& source, std::uint64_t to) {
    if (::lseek(source.fd, static_cast<off_t>(to), SEEK_SET) < 0)
        return fail(Errc::input_unreadable, "cannot rewind " + source.path.string());
    return {};
}

// The file's beginning, hashed: what the vault says it has of it is believed no further.  `stop` ends it early, with
// cancelled.
Result<Sha256> hash_beginning(const UploadSource& source, std::uint64_t size, const std::atomic<bool>& stop) {
    SAT_TRY(rewind(source, 0));
    Sha256 hash;
    Bytes buffer(std::size_t{1} << 20);
    while (size > 0) {
        if (stop) return fail(Errc::cancelled, "stopped by a signal");
        const MutableBytes part =
            MutableBytes(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(size, buffer.size())));
        SAT_TRY(read_exactly(source, part));
        hash.update(part);
        size -= part.size();
    }
    return hash;
}

// Fills the parts of DATA records with sealed chunks.  Runs on the worker, one call at a time.
class ImageSender {
public:
    // The file stands where the sealer begins; `hash` has what is before it.
    ImageSender(const UploadSource& source, Sealer sealer, std::uint64_t total, Sha256 hash)
        : source_(source),
          sealer_(std::move(sealer)),
          total_(total),
          buffer_(4 * kChunkPlaintext),
          hash_(std::move(hash)) {}

    Result<void> fill(MutableBytes part) {
        const bool whole =
            part.size() % kChunkSealed == 0 && sealer_.remaining() >= part.size() / kChunkSealed * kChunkPlaintext;
        const std::size_t size =
            whole ? part.size() / kChunkSealed * kChunkPlaintext : static_cast<std::size_t>(sealer_.remaining());
        SAT_ASSERT(size <= buffer_.size());
        const MutableBytes plain = MutableBytes(buffer_).first(size);
        SAT_TRY(read_exactly(source_, plain));
        hash_.update(plain);
        if (whole) {
            SAT_TRY(sealer_.seal_whole(plain, part));
            return {};
        }
        Bytes sealed;
        sealed.reserve(part.size());
        SAT_TRY(sealer_.seal(plain, sealed));
        SAT_TRY(sealer_.finish(sealed));
        SAT_ASSERT(sealed.size() == part.size());
        std::memcpy(part.data(), sealed.data(), sealed.size());
        return {};
    }

    Digest finish() { return hash_.finish(); }
    std::uint64_t done() const noexcept { return total_ - sealer_.remaining(); }
    std::uint64_t total() const noexcept { return total_; }

private:
    const UploadSource& source_;
    Sealer sealer_;
    std::uint64_t total_;
    Bytes buffer_;
    Sha256 hash_;
};

asio::awaitable<Result<std::string>> send_image(std::shared_ptr<Connection> connection, asio::thread_pool& worker,
                                                std::string request, std::uint64_t length, ImageSender& sender,
                                                const ProgressFunction& progress) {
    BulkSource fill = [&](std::vector<MutableBytes> parts) -> asio::awaitable<Result<void>> {
        auto result = co_await on_worker(worker, [&]() -> Result<void> {
            for (const MutableBytes& part : parts) SAT_TRY(sender.fill(part));
            return {};
        });
        if (result && progress) progress(sender.done(), sender.total());
        co_return result;
    };
    co_return co_await connection->upload(std::move(request), length, std::move(fill));
}

// A vault may believe a connection alive that was cut; it lets go of it after 5 s of silence.  Longer than that, and
// somebody else may be uploading the same file right now: where locks do not tell, another name is taken then.
constexpr std::chrono::seconds kOtherUploadWait{12};
// The same for one that has sent all of its data, which the vault lets go of after 100 s.
constexpr std::chrono::seconds kOtherCommitWait{100};
// And so long after its data this run still has the name, and may write its commit down under it.
constexpr std::chrono::seconds kOwnCommitWait{95};

// Whether the person means the same work by both.
bool says_the_same(const Registration& was, const Registration& now) {
    return was.title == now.title && was.description == now.description && was.artist == now.artist &&
           was.creation_date == now.creation_date && was.file_path == now.file_path && was.release == now.release;
}

// A vault that seals what it kept anew more slowly than this, in bytes a second, is given up after an hour more.
constexpr std::uint64_t kSlowestReseal = std::uint64_t{1} << 20;

constexpr const char* kGoesOn = "run the same command again within 24 hours: it goes on where it stood";

}  // namespace

// Asks for a place under `name`.  busy: another run has had that for as long as `patience`.
Result<UploadBeginReply> VaultClient::begin_upload(const Registration& registration, const Digest& name,
                                                   std::chrono::seconds patience) {
    const UploadBeginRequest begin{registration.bytes, registration.media_type, name};
    const auto until = std::chrono::steady_clock::now() + patience;
    auto begun = call(begin);
    while (!begun && begun.error().code == Errc::busy && std::chrono::steady_clock::now() < until) {
        if (impl_->options.stop_fd >= 0) {
            pollfd stop{impl_->options.stop_fd, POLLIN, 0};
            if (::poll(&stop, 1, 500) > 0) return fail(Impl::stopped_error());
        } else {
            std::this_thread::sleep_for(std::chrono::milliseconds(500));
        }
        begun = call(begin);
    }
    return begun;
}

// Lets the vault seal what it kept anew under `sealer`'s key, and compares it with the file: the sealer, the file and
// the hash then stand where the data go on.  False where it is another file's beginning.
Result<bool> VaultClient::resume_upload(const UploadSource& source, std::uint64_t offered, Sealer& sealer,
                                        Sha256& hash) {
    std::atomic<bool> stop = false;
    // The vault reads at the same time what it has.
    auto beginning = std::async(std::launch::async, [&] { return hash_beginning(source, offered, stop); });
    const auto resume = [&]() -> Result<UploadResumeReply> {
        const std::chrono::seconds working(offered / kSlowestReseal);
        SAT_TRY_VALUE(const std::string text,
                      exchange(encode_request(UploadResumeRequest{sealer.header().encode()}), working));
        return parse_reply<UploadResumeRequest>(text);
    };
    auto resumed = resume();
    stop = !resumed;
    auto mine = beginning.get();
    if (!resumed) return fail(std::move(resumed.error()));
    SAT_TRY_VALUE(hash, std::move(mine));
    if (resumed->offset > offered) return fail(Errc::malformed, "the vault goes on with more than it offered");
    // The end of what it had was bad.
    if (resumed->offset < offered) {
        SAT_TRY_VALUE(hash, hash_beginning(source, resumed->offset, stop));
    }
    if (hash.peek() != resumed->sha256) return false;
    sealer.begin_at(resumed->offset / kChunkPlaintext);
    return true;
}

// The commit of an earlier run whose answer was lost: nothing where the vault knows of none.
Result<std::optional<UploadResult>> VaultClient::settle_commit(const UploadCommitRequest& commit) {
    SAT_TRY_VALUE(const auto mine, parse_statement<Registration>(commit.registration));
    if (mine.body.iss != impl_->home.wallet() || mine.body.vault != vault_wallet())
        return std::optional<UploadResult>{};
    auto committed = call(commit);
    if (!committed && committed.error().code == Errc::state) return std::optional<UploadResult>{};
    if (!committed) return fail(std::move(committed.error()));
    SAT_TRY_VALUE(UploadResult result, prove_registered(mine, *committed, false));
    return std::optional(std::move(result));
}

// The receipt, the work and its first leaf; by the reply's own proof, if it has one, where that `proves` from the tree
// head that is known.
Result<UploadResult> VaultClient::prove_registered(const Signed<Registration>& mine, const UploadCommitReply& reply,
                                                   bool proves) {
    SAT_TRY_VALUE(const Receipt receipt, check_receipt(reply.receipt, mine.id, ReceiptStatus::registered));
    const auto other_leaf = [] {
        return fail(Errc::bad_statement, "the vault's receipt names another leaf than its ledger holds");
    };
    if (proves && reply.proof) {
        // The time and the registration are all that a first leaf has: a history of one leaf, which verifies because
        // the registration does.
        const RegistrationProof& proof = *reply.proof;
        if (leaf_hash(Leaf{LeafType::registration, proof.registered_at, {mine.jws}}.encode()) != receipt.leaf)
            return other_leaf();
        SAT_TRY(take_proved_checkpoint(proof.checkpoint, proof.consistency));
        SAT_TRY(take_inclusion(receipt.leaf, {proof.index, proof.inclusion}));
        Work work{mine, mine.body.iss, receipt.leaf, 0, proof.registered_at, false, proof.origin};
        return UploadResult{std::move(work), reply.receipt, receipt.copies, false};
    }
    // The work is stored: what is still to be read may be read over a new connection.
    auto stored = get_proved_work(mine.body.artwork);
    if (!stored && is_lost(stored.error().code) && reconnect()) stored = get_proved_work(mine.body.artwork);
    if (!stored) return fail(std::move(stored.error()));
    if (stored->history.registration.id != mine.id || stored->history.records.front().head != receipt.leaf)
        return other_leaf();
    SAT_TRY(prove_included(receipt.leaf));
    return UploadResult{std::move(stored->work), reply.receipt, receipt.copies, false};
}

Result<UploadResult> VaultClient::upload(const UploadSource& source, const SigningKey& key,
                                         const UploadObserver& observer) {
    SAT_TRY_VALUE(UploadResult uploaded, upload_of_many(source, key, observer));
    SAT_TRY(keep_checkpoint());
    SAT_TRY(forget_commits());
    return uploaded;
}

Result<UploadResult> VaultClient::upload_of_many(const UploadSource& source, const SigningKey& key,
                                                 const UploadObserver& observer) {
    auto uploaded = upload_once(source, key, observer);
    if (!uploaded && uploaded.error().hint.empty() &&
        (is_lost(uploaded.error().code) || uploaded.error().code == Errc::cancelled))
        uploaded.error().hint = kGoesOn;
    return uploaded;
}

Result<void> VaultClient::forget_commits() {
    const UploadStore store(impl_->home.directory());
    for (const KeptCommit& kept : std::exchange(impl_->committed, {}))
        SAT_TRY(store.remove(kept.name, kept.registration));
    return {};
}

// The names that uploads of one version of a file have, each with what an earlier run sent under it last and heard no
// answer to.  A run takes one of them and holds it until it ends.
class VaultClient::UploadNames {
public:
    // `registration`: of what is to be uploaded; it outlives this.
    UploadNames(VaultClient& client, const Registration& registration, const struct stat& file,
                const UploadObserver& observer)
        : client_(client), registration_(registration), observer_(observer), store_(client.impl_->home.directory()) {
        for (unsigned which = 0; which < kUploadNames; ++which) {
            places_[which].which = which;
            places_[which].name = upload_name(registration.vault, file, which);
        }
    }

    // The work, where an earlier run has stored it.
    Result<std::optional<UploadResult>> settle_all();
    // Begins under the next name that is free; the work, where an earlier run turns out to have stored it under that.
    Result<std::variant<UploadBeginReply, UploadResult>> begin_next();
    bool any_left() const noexcept { return next_ != places_.end(); }
    void note(const std::string& text) const {
        if (observer_.note) observer_.note(text);
    }

    // Of the name that was begun under last.
    const Digest& name() const { return place_->name; }
    Result<void> keep(const UploadCommitRequest& commit) const { return store_.keep(place_->name, commit); }
    Result<void> remove(const StatementId& registration) const { return store_.remove(place_->name, registration); }

private:
    struct Place {
        unsigned which = 0;
        Digest name;
        std::optional<UploadCommitRequest> sent_before;
        StatementId id;     // of its registration
        bool same = false;  // which is of this work
    };

    Result<void> look_up(Place& place) const;
    Result<std::optional<UploadResult>> settle(Place& place) const;
    Result<UploadBeginReply> take_next();

    VaultClient& client_;
    const Registration& registration_;
    const UploadObserver& observer_;
    UploadStore store_;
    std::array<Place, kUploadNames> places_;
    std::array<Place, kUploadNames>::iterator next_ = places_.begin();
    Place* place_ = nullptr;
    NameHold hold_;  // of place_'s name
    bool waited_ = false;
};

Result<void> VaultClient::UploadNames::look_up(Place& place) const {
    SAT_TRY_VALUE(place.sent_before, store_.find(place.name));
    place.same = false;
    if (!place.sent_before) return {};
    SAT_TRY_VALUE(const auto was, parse_statement<Registration>(place.sent_before->registration));
    place.id = was.id;
    place.same = says_the_same(was.body, registration_);
    return {};
}

Result<std::optional<UploadResult>> VaultClient::UploadNames::settle(Place& place) const {
    if (!place.sent_before) return std::optional<UploadResult>{};
    SAT_TRY_VALUE(auto settled, client_.settle_commit(*place.sent_before));
    if (!settled) return settled;
    place.sent_before.reset();
    if (place.same) {
        client_.impl_->committed.push_back({place.name, place.id});
        note("an earlier run has stored it already");
        settled->found = true;
        return settled;
    }
    SAT_TRY(store_.remove(place.name, place.id));
    note("an earlier upload of this file is stored as " + settled->work.id().str() +
         ", with other metadata: this is a work of its own");
    return std::optional<UploadResult>{};
}

Result<std::optional<UploadResult>> VaultClient::UploadNames::settle_all() {
    for (Place& place : places_) SAT_TRY(look_up(place));
    // What is this work ends the search.
    std::ranges::stable_sort(places_, std::ranges::greater(), &Place::same);
    for (Place& place : places_) {
        SAT_TRY_VALUE(auto settled, settle(place));
        if (settled) return settled;
    }
    // Where an answer is still open, the vault's word on it is final once this run has the name: this work's first, or
    // it could be registered once more under another.
    std::ranges::sort(places_, {}, [](const Place& place) {
        return std::tuple(!(place.sent_before && place.same), !place.sent_before, place.which);
    });
    return std::optional<UploadResult>{};
}

// The next name that is free is place_ then.
Result<UploadBeginReply> VaultClient::UploadNames::take_next() {
    const auto is_busy = [](const auto& begun) { return !begun && begun.error().code == Errc::busy; };
    Result<UploadBeginReply> taken =
        fail(Errc::busy, "other runs are uploading this file", "run the same command again when one of them is done");
    for (; next_ != places_.end(); ++next_) {
        Place& next = *next_;
        NameHold mine = store_.hold(next.name);
        if (mine.by == NameHold::By::another_run) {
            // A commit of this very work lies there: under another name this run would register the work once more.
            // Where a run is at it now, it has removed that by now, or soon its answer.
            if (next.same) SAT_TRY(look_up(next));
            if (!next.same) continue;
        }
        const bool dead = mine.by == NameHold::By::this_run;
        taken = client_.begin_upload(registration_, next.name,
                                     waited_ || dead ? std::chrono::seconds(0) : kOtherUploadWait);
        if (is_busy(taken)) SAT_TRY(look_up(next));
        const bool in_doubt = is_busy(taken) && dead && !waited_;
        // A vault that has no place without a name either has none for anybody: that is no dead run's.
        const bool died =
            in_doubt && !is_busy(client_.call(UploadBeginRequest{registration_.bytes, registration_.media_type}));
        if (is_busy(taken) && (next.same || died)) {
            note("the vault is still busy with an earlier upload: waiting for that to end");
            taken = client_.begin_upload(registration_, next.name, kOtherUploadWait + kOtherCommitWait);
        } else if (in_doubt) {
            taken = client_.begin_upload(registration_, next.name, kOtherUploadWait);
        }
        if (is_busy(taken)) SAT_TRY(look_up(next));
        if (!is_busy(taken) || next.same) {
            place_ = &next;
            hold_ = dead ? std::move(mine) : store_.hold(next.name);
            ++next_;
            return taken;
        }
        waited_ = true;
    }
    return taken;
}

Result<std::variant<UploadBeginReply, UploadResult>> VaultClient::UploadNames::begin_next() {
    SAT_TRY_VALUE(UploadBeginReply begun, take_next());
    // The name is this run's alone from here on; whose it was may have written it by now.
    SAT_TRY(look_up(*place_));
    if (place_->sent_before && begun.offset == 0) {
        // The earlier connection is over by now, whatever was still on its way: asked once more, the answer is final.
        SAT_TRY_VALUE(auto settled, settle(*place_));
        if (settled) return std::move(*settled);
        SAT_TRY_VALUE(begun, client_.begin_upload(registration_, place_->name, kOtherUploadWait));
    }
    if (place_->sent_before) SAT_TRY(store_.remove(place_->name, place_->id));
    return begun;
}

// An upload that the vault has a place for: the sealer, the hash and the file stand where the data go on.
struct VaultClient::BegunUpload {
    UploadBeginReply place;
    Sealer sealer;
    Sha256 hash;
    bool resumed = false;
};

Result<std::variant<VaultClient::BegunUpload, UploadResult>> VaultClient::begin_or_resume(
    const UploadSource& source, const Registration& registration, UploadNames& names, const UploadObserver& observer) {
    const std::uint64_t size = registration.bytes;
    const auto begun = [&](UploadBeginReply place) {
        Sealer sealer = Sealer::create(place.artwork, size, registration.vault, vault().kem_key(), Purpose::transit);
        return BegunUpload{std::move(place), std::move(sealer), Sha256(), false};
    };
    do {
        SAT_TRY_VALUE(auto taken, names.begin_next());
        if (auto* found = std::get_if<UploadResult>(&taken)) return std::move(*found);
        BegunUpload upload = begun(std::get<UploadBeginReply>(std::move(taken)));
        const std::uint64_t offered = upload.place.offset;
        if (offered > size) return fail(Errc::malformed, "the vault kept more of the image than there is");
        if (offered == 0) return upload;
        if (observer.resuming) observer.resuming(offered, size);
        SAT_TRY_VALUE(upload.resumed, resume_upload(source, offered, upload.sealer, upload.hash));
        if (upload.resumed) return upload;
        names.note("the file is not the one that was begun: the upload starts over");
    } while (names.any_left());
    // No name is left.  The commit goes under the last one, which is still held.
    SAT_TRY_VALUE(UploadBeginReply nameless, call(UploadBeginRequest{size, registration.media_type}));
    if (nameless.offset != 0) return fail(Errc::malformed, "the vault goes on with what nobody asked for");
    return begun(std::move(nameless));
}

// What the vault has received is what was sent; of that the hash.
Result<Digest> VaultClient::send_data(const UploadSource& source, std::uint64_t size, BegunUpload begun,
                                      const UploadObserver& observer) {
    const std::uint64_t done = size - begun.sealer.remaining();
    SAT_TRY(rewind(source, done));
    if (observer.progress) observer.progress(done, size);
    std::string request =
        encode_request(begun.resumed ? UploadDataRequest{} : UploadDataRequest{begun.sealer.header().encode()});
    const std::uint64_t length = sealed_size(size) - done / kChunkPlaintext * kChunkSealed;
    ImageSender sender(source, std::move(begun.sealer), size, std::move(begun.hash));
    SAT_TRY_VALUE(const std::string text, impl_->run(send_image(impl_->connection, impl_->worker, std::move(request),
                                                                length, sender, observer.progress)));
    const auto received = parse_reply<UploadDataRequest>(text);
    if (!received && received.error().code == Errc::state)
        return fail(Errc::interrupted,
                    "the vault has given this upload up: it was too slow, or another run of it went on with it",
                    "run the same command again");
    SAT_TRY_VALUE(const UploadDataReply sent, received);
    const Digest hash = sender.finish();
    if (sent.sha256 != hash) return fail(Errc::hash_mismatch, "the vault received another image than was sent");
    return hash;
}

Result<UploadResult> VaultClient::commit_upload(UploadCommitRequest commit, bool proves, const UploadNames& names) {
    SAT_TRY_VALUE(const auto mine, parse_statement<Registration>(commit.registration));
    SAT_TRY(names.keep(commit));
    if (proves) commit.prove = tree_head().size;
    auto committed = call_surely(commit);
    // Not final while the first connection lives there: the next run asks again, once it has ended that.
    if (!committed && committed.error().code == Errc::state)
        return fail(Errc::interrupted, "the connection ended before the vault had the work");
    if (!committed) {
        // What the vault finds wrong is no work, and never was.  After anything else nobody knows: the next run asks.
        const Errc code = committed.error().code;
        if (code == Errc::bad_signature || code == Errc::bad_statement || code == Errc::hash_mismatch)
            SAT_TRY(names.remove(mine.id));
        return fail(std::move(committed.error()));
    }
    // Over a new connection the ledger that is known may be another one than the proof begins from.
    SAT_TRY_VALUE(UploadResult result, prove_registered(mine, *committed, commit.prove == tree_head().size));
    impl_->committed.push_back({names.name(), mine.id});
    return result;
}

Result<UploadResult> VaultClient::upload_once(const UploadSource& source, const SigningKey& key,
                                              const UploadObserver& observer) {
    SAT_ASSERT(impl_->connection);
    SAT_TRY(require_no_evidence());
    const FileState before{source.seen};
    const auto size = static_cast<std::uint64_t>(before.status.st_size);
    if (size > max_artwork_bytes())
        return fail(Errc::content_too_large, "the image has " + std::to_string(size) + " bytes; the vault takes " +
                                                 std::to_string(max_artwork_bytes()));
    ::posix_fadvise(source.fd, 0, 0, POSIX_FADV_SEQUENTIAL);

    const auto mine = impl_->draft<Registration>();
    Registration registration = source.draft;
    registration.iss = mine.iss;
    registration.vault = mine.vault;
    registration.nonce = mine.nonce;
    registration.iat = mine.iat;
    registration.seen = mine.seen;
    registration.bytes = size;

    UploadNames names(*this, registration, before.status, observer);
    SAT_TRY_VALUE(auto stored, names.settle_all());
    if (stored) return std::move(*stored);
    SAT_TRY_VALUE(auto taken, begin_or_resume(source, registration, names, observer));
    if (auto* found = std::get_if<UploadResult>(&taken)) return std::move(*found);
    auto& begun = std::get<BegunUpload>(taken);
    registration.artwork = begun.place.artwork;
    const bool proves = begun.place.proves;
    SAT_TRY_VALUE(registration.sha256, send_data(source, size, std::move(begun), observer));
    const auto received_at = std::chrono::steady_clock::now();
    std::optional<Bytes> preview;
    if (source.preview) {
        SAT_TRY_VALUE(preview, source.preview());
    }
    // Of the image and of its preview.
    SAT_TRY_VALUE(const FileState after, FileState::of(source));
    if (!(before == after) || !after.is_at(source.path)) return file_changed(source.path);

    if (preview && preview->size() > impl_->hello.limits.preview_bytes) preview.reset();
    if (preview) registration.preview = PreviewInfo{sha256(*preview), preview->size(), "image/jpeg"};
    SAT_TRY(check_limits(registration));
    SAT_TRY(require_no_evidence());  // it may have come up while the image was on its way
    UploadCommitRequest commit{sign(registration, key), std::move(preview)};
    if (std::chrono::steady_clock::now() - received_at > kOwnCommitWait)
        return fail(Errc::interrupted, "the preview took so long that another run may have gone on with this upload");
    return commit_upload(std::move(commit), proves, names);
}

}  // namespace sat
