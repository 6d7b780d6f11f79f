// Upload: the file is read once, hashed and sealed chunk by chunk straight into the records that carry it, and only
// then registered, so that the signature names what was really sent.  Steps 3 to 5.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>

#include <array>

#include "base/assert.h"
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

// Fills the parts of DATA records with sealed chunks.  Runs on the worker, one call at a time.
class ImageSender {
public:
    ImageSender(const UploadSource& source, Sealer sealer)
        : source_(source), sealer_(std::move(sealer)), total_(sealer_.remaining()), buffer_(4 * kChunkPlaintext) {}

    Result<void> fill(MutableBytes part) {
        const bool whole =
            part.size() % kChunkSealed == 0 && sealer_.remaining() >= part.size() / kChunkSealed * kChunkPlaintext;
        const std::size_t size =
            whole ? part.size() / kChunkSealed * kChunkPlaintext : static_cast<std::size_t>(sealer_.remaining());
        SAT_ASSERT(size <= buffer_.size());
        const MutableBytes plain = MutableBytes(buffer_).first(size);
        auto got = read_some(source_.fd, plain, source_.path);
        if (!got) return fail(Errc::input_unreadable, got.error().message);
        if (*got != size) return file_changed(source_.path);
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
                                                std::string request, ImageSender& sender,
                                                const ProgressFunction& progress) {
    BulkSource fill = [&](std::vector<MutableBytes> parts) -> asio::awaitable<Result<void>> {
        auto result = co_await on_worker(worker, [&]() -> Result<void> {
            for (const MutableBytes& part : parts) SAT_TRY(sender.fill(part));
            return {};
        });
        if (result && progress) progress(sender.done(), sender.total());
        co_return result;
    };
    co_return co_await connection->upload(std::move(request), sealed_size(sender.total()), std::move(fill));
}

}  // namespace

Result<UploadResult> VaultClient::upload(const UploadSource& source, const SigningKey& key,
                                         const ProgressFunction& progress) {
    SAT_ASSERT(impl_->connection);
    SAT_TRY(require_no_evidence());
    const FileState before{source.seen};
    const auto size = static_cast<std::uint64_t>(before.status.st_size);
    if (size > max_artwork_bytes())
        return fail(Errc::content_too_large, "the image has " + std::to_string(size) + " bytes; the vault takes " +
                                                 std::to_string(max_artwork_bytes()));
    if (::lseek(source.fd, 0, SEEK_SET) != 0)
        return fail(Errc::input_unreadable, "cannot rewind " + source.path.string());
    ::posix_fadvise(source.fd, 0, 0, POSIX_FADV_SEQUENTIAL);

    Registration registration = impl_->draft<Registration>();
    const StatementNonce nonce = registration.nonce;
    const Wallet vault_before = vault_wallet();
    {
        Registration draft = source.draft;
        draft.iss = registration.iss;
        draft.vault = registration.vault;
        draft.nonce = nonce;
        draft.iat = registration.iat;
        draft.seen = registration.seen;
        registration = std::move(draft);
    }
    registration.bytes = size;
    SAT_TRY_VALUE(const UploadBeginReply begun, call(UploadBeginRequest{size, registration.media_type}));
    registration.artwork = begun.artwork;

    if (progress) progress(0, size);
    Sealer sealer = Sealer::create(begun.artwork, size, vault_before, vault().kem_key(), Purpose::transit);
    std::string request = encode_request(UploadDataRequest{sealer.header().encode()});
    ImageSender sender(source, std::move(sealer));
    SAT_TRY_VALUE(const std::string text,
                  impl_->run(send_image(impl_->connection, impl_->worker, std::move(request), sender, progress)));
    SAT_TRY_VALUE(const UploadDataReply sent, parse_reply<UploadDataRequest>(text));
    registration.sha256 = sender.finish();
    if (sent.sha256 != registration.sha256)
        return fail(Errc::hash_mismatch, "the vault received another image than was sent");
    SAT_TRY_VALUE(const FileState after, FileState::of(source));
    if (!(before == after) || !after.is_at(source.path)) return file_changed(source.path);

    std::optional<Bytes> preview = source.preview;
    if (preview && preview->size() > impl_->hello.limits.preview_bytes) preview.reset();
    if (preview) registration.preview = PreviewInfo{sha256(*preview), preview->size(), "image/jpeg"};
    SAT_TRY(check_limits(registration));
    SAT_TRY(require_no_evidence());  // it may have come up while the image was on its way
    UploadCommitRequest commit{sign(registration, key), preview};
    auto committed = call_surely(commit);
    if (!committed && committed.error().code == Errc::state)
        return fail(Errc::interrupted, "the connection ended before the vault had the work", "upload again");
    if (!committed) return fail(std::move(committed.error()));

    SAT_TRY_VALUE(const auto mine, parse_statement<Registration>(commit.registration));
    SAT_TRY_VALUE(const Receipt receipt, check_receipt(committed->receipt, mine.id, ReceiptStatus::registered));
    // The work is stored: what is still to be read may be read over a new connection.
    auto stored = get_proved_work(begun.artwork);
    if (!stored && is_lost(stored.error().code) && reconnect()) stored = get_proved_work(begun.artwork);
    if (!stored) return fail(std::move(stored.error()));
    if (stored->history.registration.id != mine.id || stored->history.records.front().head != receipt.leaf)
        return fail(Errc::bad_statement, "the vault's receipt names another leaf than its ledger holds");
    SAT_TRY(prove_included(receipt.leaf));
    return UploadResult{std::move(stored->work), committed->receipt, receipt.copies};
}

}  // namespace sat
