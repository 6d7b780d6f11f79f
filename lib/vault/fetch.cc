// Fetching.  docs/protocol.md, "The envelope".
// SPDX-License-Identifier: Apache-2.0
#include "vault/fetch.h"

#include <algorithm>

#include "vault/healer.h"
#include "wire/transfer.h"

namespace sat {

namespace {

tl::unexpected<Error> damaged() {
    return fail(Errc::io_error, "a stored image is damaged in every copy",
                "stop the vault, and run `sat-vaultd check`; put back the file from a backup");
}

Error held() { return {Errc::held, "the operator holds the work", {}}; }

Result<EnvelopeHeader> read_header(BlobReader& blob) {
    Bytes bytes(kMaxEnvelopeHeader);
    SAT_TRY_VALUE(const std::size_t got, blob.read(0, bytes));
    if (got < kEnvelopePrefixSize) return damaged();
    const auto size = EnvelopeHeader::size_from_prefix(bytes);
    if (!size || *size > got) return damaged();
    auto header = EnvelopeHeader::parse(ByteView(bytes).first(*size));
    if (!header) return damaged();
    return header;
}

}  // namespace

Result<Fetch::Source> Fetch::open_copy(VaultCore& core, const ArtworkId& artwork, std::uint64_t bytes, int copy) {
    SAT_TRY_VALUE(auto blob, core.blobs->open(artwork, copy));
    SAT_TRY_VALUE(EnvelopeHeader stored, read_header(*blob));
    const std::uint64_t begin = stored.encode().size();
    if (stored.artwork != artwork || stored.recipient != core.wallet() || stored.plaintext_length != bytes ||
        blob->size() != begin + sealed_size(bytes))
        return damaged();
    SAT_TRY_VALUE(SecretBytes data_key, unwrap(stored, Purpose::store, core.keys.store));
    SAT_TRY_VALUE(Cobblestone chunks, Cobblestone::derive(data_key, stored.salt, stored.context()));
    if (!chunks.commits_to(stored.commitment)) return damaged();
    return Source{std::move(blob), begin, std::move(stored), std::move(data_key), std::move(chunks)};
}

// The next one that opens.  What went before it is looked at.
Result<void> Fetch::next_copy() {
    if (copy_ >= 0) core_->healer->look_at(artwork_);
    source_.reset();
    while (++copy_ < core_->blobs->copies()) {
        auto source = open_copy(*core_, artwork_, bytes_, copy_);
        if (source) {
            source_.emplace(std::move(*source));
            return {};
        }
        core_->healer->look_at(artwork_);
    }
    return damaged();
}

// Whole chunks from `filled_` on, each authentic.
Result<void> Fetch::read_chunks(MutableBytes out) {
    SAT_TRY_VALUE(const std::size_t got, source_->blob->read(source_->begin + filled_, out));
    if (got < out.size()) return damaged();
    plaintext_.resize(kChunkPlaintext);
    bool good = true;
    for (std::size_t at = 0; at < out.size() && good; at += kChunkSealed) {
        const std::size_t size = std::min(kChunkSealed, out.size() - at);
        if (size < kAeadTagSize) return damaged();
        good = source_->chunks.open_chunk((filled_ + at) / kChunkSealed, ByteView(out).subspan(at, size),
                                          MutableBytes(plaintext_).first(size - kAeadTagSize));
    }
    wipe(plaintext_.data(), plaintext_.size());
    if (!good) return damaged();
    return {};
}

// Of the next copy where one is damaged.
Result<void> Fetch::fill(MutableBytes out) {
    while (!read_chunks(out)) SAT_TRY(next_copy());
    filled_ += out.size();
    return {};
}

// A stream may last for hours: a hold of any work since makes it look at its own.
Result<void> Fetch::require_unheld() {
    const std::uint64_t holds = core_->holds();
    if (holds == holds_) return {};
    SAT_TRY_VALUE(const auto reader, core_->catalog->read());
    SAT_TRY_VALUE(const auto work, reader->work(artwork_));
    if (!work || work->held) return fail(held());
    holds_ = holds;
    return {};
}

Result<std::size_t> Fetch::read(MutableBytes out) {
    SAT_TRY(require_unheld());
    std::size_t given = 0;
    while (given < out.size() && at_ < end_) {
        if (at_ == filled_) {
            // Whole chunks straight into place, as many as the caller has room for.
            const auto left = static_cast<std::size_t>(std::min<std::uint64_t>(out.size() - given, end_ - filled_));
            const std::size_t whole = filled_ + left == end_ ? left : left - left % kChunkSealed;
            if (whole > 0) {
                SAT_TRY(fill(out.subspan(given, whole)));
                at_ = filled_;
                given += whole;
                continue;
            }
            ready_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kChunkSealed, end_ - filled_)));
            SAT_TRY(fill(ready_));
        }
        const auto left = static_cast<std::size_t>(filled_ - at_);
        const std::size_t size = std::min(left, out.size() - given);
        std::copy_n(ready_.end() - static_cast<std::ptrdiff_t>(left), size,
                    out.begin() + static_cast<std::ptrdiff_t>(given));
        given += size;
        at_ += size;
    }
    return given;
}

Result<Fetch> Fetch::open(VaultCore& core, const Caller& caller, const ArtworkFetchRequest& request) {
    const std::uint64_t holds = core.holds();
    std::optional<WorkRow> work;
    {
        SAT_TRY_VALUE(const auto reader, core.catalog->read());
        SAT_TRY_VALUE(work, reader->work(request.artwork));
    }
    if (!work) return fail(Errc::not_found, "no such artwork");
    if (work->held) return fail(held());
    SAT_TRY_VALUE(const auto registration, parse_statement<Registration>(work->registration));
    if (registration.body.release == ReleasePolicy::preview && caller.wallet != work->owner)
        return fail(Errc::forbidden, "the artist releases the preview alone");
    SAT_TRY(check_offset(request.offset, sealed_size(work->bytes)));

    Fetch fetch(core, request.artwork, holds, work->bytes, request.offset);
    SAT_TRY(fetch.next_copy());
    // Of all copies alike: they were written at once.
    const Source& source = *fetch.source_;
    EnvelopeHeader header = source.stored;
    header.recipient = caller.wallet;
    header.kem_id = caller.chain->kem_key().id();
    header.wrapped = caller.chain->kem_key().wrap(source.data_key, header.wrap_label(Purpose::transit));
    fetch.header_ = header.encode();
    return fetch;
}

}  // namespace sat
