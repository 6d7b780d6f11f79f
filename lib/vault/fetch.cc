// Fetching.  docs/protocol.md, "The envelope".
// SPDX-License-Identifier: Apache-2.0
#include "vault/fetch.h"

#include <algorithm>

#include "envelope/envelope.h"
#include "wire/transfer.h"

namespace sat {

namespace {

tl::unexpected<Error> damaged() {
    return fail(Errc::io_error, "a stored blob is damaged",
                "put back the file from the duplicate directory or a backup");
}

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

Result<std::size_t> Fetch::read(MutableBytes out) {
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), remaining()));
    SAT_TRY_VALUE(const std::size_t got, blob_->read(at_, out.first(size)));
    if (got < size) return damaged();
    at_ += got;
    return got;
}

Result<Fetch> open_fetch(VaultCore& core, const Caller& caller, const ArtworkFetchRequest& request) {
    std::optional<WorkRow> work;
    {
        SAT_TRY_VALUE(const auto reader, core.catalog->read());
        SAT_TRY_VALUE(work, reader->work(request.artwork));
    }
    if (!work) return fail(Errc::not_found, "no such artwork");
    if (work->held) return fail(Errc::held, "the operator holds the work");
    SAT_TRY_VALUE(const auto registration, parse_statement<Registration>(work->registration));
    if (registration.body.release == ReleasePolicy::preview && caller.wallet != work->owner)
        return fail(Errc::forbidden, "the artist releases the preview alone");
    SAT_TRY(check_offset(request.offset, sealed_size(work->bytes)));

    SAT_TRY_VALUE(auto blob, core.blobs->open(request.artwork));
    SAT_TRY_VALUE(const EnvelopeHeader stored, read_header(*blob));
    const std::uint64_t begin = stored.encode().size();
    if (stored.artwork != request.artwork || stored.recipient != core.wallet() ||
        stored.plaintext_length != work->bytes || blob->size() != begin + sealed_size(work->bytes))
        return damaged();
    const auto header =
        rewrap(stored, Purpose::store, core.keys.store, Purpose::transit, caller.wallet, caller.chain.kem_key());
    if (!header) return damaged();
    return Fetch(std::move(blob), header->encode(), begin + request.offset);
}

}  // namespace sat
