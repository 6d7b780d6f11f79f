// Works: listing, reading, fetching.  Steps 6 to 8.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/assert.h"
#include "client/vault_client.h"
#include "client/vault_client_impl.h"
#include "crypto/hash.h"

namespace sat {

namespace {

// A work's leaves are few; a vault that never ends them is stopped here.
constexpr std::size_t kMaxLeaves = 100'000;
constexpr std::size_t kMaxHistoryBytes = std::size_t{64} << 20;

// A signer that rotated its keys since its chain was kept looks like a forger, until the chain is asked for anew.
bool may_be_a_newer_key(const Error& error) { return error.code == Errc::bad_signature; }

// Opens an envelope's chunks as they come.  Runs on the worker, one call at a time.
class ImageReceiver {
public:
    ImageReceiver(Opener opener, FetchedBeginning have, const PlaintextSink& sink, std::uint64_t total)
        : opener_(std::move(opener)),
          sink_(sink),
          total_(total),
          buffer_(kDataBody),
          hash_(std::move(have.hash)),
          done_(have.bytes) {}

    Result<void> take(ByteView sealed) {
        const bool last = sealed.size() == opener_.remaining();
        if (!last && sealed.size() % kChunkSealed == 0 && opener_.at_chunk_boundary()) {
            const MutableBytes plain = MutableBytes(buffer_).first(sealed.size() / kChunkSealed * kChunkPlaintext);
            SAT_TRY(opener_.open_whole(sealed, plain));
            return pass_on(plain);
        }
        Bytes plain;
        SAT_TRY(opener_.open(sealed, plain));
        if (last) SAT_TRY(opener_.finish(plain));
        return pass_on(plain);
    }

    Digest finish() { return hash_.finish(); }
    std::uint64_t done() const noexcept { return done_; }
    std::uint64_t total() const noexcept { return total_; }

private:
    Result<void> pass_on(ByteView plain) {
        if (plain.empty()) return {};
        hash_.update(plain);
        SAT_TRY(sink_(plain));
        done_ += plain.size();
        return {};
    }

    Opener opener_;
    const PlaintextSink& sink_;
    std::uint64_t total_;
    Bytes buffer_;
    Sha256 hash_;
    std::uint64_t done_;
};

Result<Opener> open_envelope(const ArtworkFetchReply& reply, const Work& work, const HandshakeParty& me,
                             std::uint64_t first_chunk) {
    SAT_TRY_VALUE(const EnvelopeHeader header, EnvelopeHeader::parse(reply.header));
    if (header.artwork != work.id() || header.recipient != me.chain().wallet() ||
        header.plaintext_length != work.registration.body.bytes)
        return fail(Errc::envelope_invalid, "the vault sent an envelope that is not this work's");
    SAT_TRY_VALUE(const SecretBytes data_key, unwrap(header, Purpose::transit, me.kem()));
    return Opener::create(header, data_key, first_chunk);
}

// What a fetch works with; outlives it.
struct Fetch {
    const HandshakeParty& me;
    asio::thread_pool& worker;
    const Work& work;
    const PlaintextSink& sink;
    const ProgressFunction& progress;
};

asio::awaitable<Result<void>> take_parts(const Fetch& fetch, ImageReceiver& receiver, std::vector<MutableBytes> parts) {
    auto result = co_await on_worker(fetch.worker, [&]() -> Result<void> {
        for (const MutableBytes& part : parts) SAT_TRY(receiver.take(part));
        return {};
    });
    if (result && fetch.progress) fetch.progress(receiver.done(), receiver.total());
    co_return result;
}

asio::awaitable<Result<void>> receive_image(std::shared_ptr<Connection> connection, const Fetch& fetch,
                                            FetchedBeginning have) {
    const std::uint64_t first_chunk = have.bytes / kChunkPlaintext;
    const std::uint64_t offset = first_chunk * kChunkSealed;
    SAT_CO_TRY(co_await connection->send_request(encode_request(ArtworkFetchRequest{fetch.work.id(), offset})));
    SAT_CO_TRY_VALUE(const std::string text, co_await connection->receive_response());
    SAT_CO_TRY_VALUE(const ArtworkFetchReply reply, parse_reply<ArtworkFetchRequest>(text));
    const std::uint64_t size = fetch.work.registration.body.bytes;
    Result<Opener> opener = open_envelope(reply, fetch.work, fetch.me, first_chunk);
    if (!opener) {
        // Megabytes that nobody can open are on their way.
        connection->abort(opener.error());
        co_return fail(std::move(opener.error()));
    }
    ImageReceiver receiver(std::move(*opener), std::move(have), fetch.sink, size);
    BulkSink take = [&fetch, &receiver](std::vector<MutableBytes> parts) {
        return take_parts(fetch, receiver, std::move(parts));
    };
    SAT_CO_TRY_VALUE(const BulkReceived received,
                     co_await connection->receive_bulk(sealed_size(size) - offset, std::move(take)));
    if (received.refused) {
        connection->abort(*received.refused);
        co_return fail(*received.refused);
    }
    if (receiver.finish() != fetch.work.registration.body.sha256)
        co_return fail(Errc::hash_mismatch, "the image is not the one that its artist signed");
    co_return Result<void>();
}

}  // namespace

Result<VerifiedWorks> VaultClient::list_works(const ArtworkListRequest& query) {
    SAT_TRY_VALUE(const WorkPage page, call(query));
    if (page.next_cursor && page.next_cursor == query.cursor)
        return fail(Errc::malformed, "the vault's pages of a listing do not go on");
    if (page.items.size() > static_cast<std::size_t>(query.limit))
        return fail(Errc::malformed, "the vault gave more works than it was asked for");
    // A query that has the cursor of the page before it goes on with the same listing.
    Impl::Listing& listing = impl_->listing;
    if (!query.cursor || query.cursor != listing.next_cursor) listing.bytes = 0;
    listing.next_cursor = page.next_cursor;
    std::vector<Wallet> signers;
    for (const WorkItem& item : page.items) {
        if (query.owner && item.owner != *query.owner)
            return fail(Errc::bad_statement, "the vault listed a work of another owner than was asked for");
        listing.bytes += item.registration.size();
        collect_signers(item, signers);
    }
    if (listing.bytes > kMaxListingBytes)
        return fail(Errc::too_large, "the vault lists more works than this program holds",
                    "narrow the search, or go through it page by page with --cursor");
    SAT_TRY(learn(signers));
    VerifiedWorks works;
    const IdentityLookup lookup = [this](const Wallet& wallet) { return find_identity(wallet); };
    for (const WorkItem& item : page.items) {
        auto work = verify_work(item, {vault(), lookup});
        if (!work && may_be_a_newer_key(work.error())) {
            signers.clear();
            collect_signers(item, signers);
            SAT_TRY(learn(signers, true));
            work = verify_work(item, {vault(), lookup});
        }
        if (!work) return fail(std::move(work.error()));
        works.items.push_back(std::move(*work));
    }
    works.next_cursor = page.next_cursor;
    return works;
}

Result<Work> VaultClient::get_work(const ArtworkId& artwork) {
    SAT_TRY_VALUE(const WorkItem item, call(ArtworkGetRequest{artwork}));
    std::vector<Wallet> signers;
    collect_signers(item, signers);
    SAT_TRY(learn(signers));
    const IdentityLookup lookup = [this](const Wallet& wallet) { return find_identity(wallet); };
    auto work = verify_work(item, {vault(), lookup});
    if (!work && may_be_a_newer_key(work.error())) {
        SAT_TRY(learn(signers, true));
        work = verify_work(item, {vault(), lookup});
    }
    if (work && work->id() != artwork)
        return fail(Errc::bad_statement, "the vault gave another work than was asked for");
    return work;
}

Result<VaultClient::WorkLeaves> VaultClient::read_history(const ArtworkId& artwork) {
    std::vector<std::string> leaves;
    std::size_t bytes = 0;
    std::optional<std::uint64_t> next = 0;
    while (next) {
        const std::uint64_t from = *next;
        SAT_TRY_VALUE(ArtworkHistoryReply page, call(ArtworkHistoryRequest{artwork, from}));
        for (std::string& leaf : page.leaves) {
            bytes += leaf.size();
            leaves.push_back(std::move(leaf));
        }
        if (bytes > kMaxHistoryBytes || leaves.size() > kMaxLeaves)
            return fail(Errc::too_large, "the vault's history of the work is longer than this program holds");
        if (page.next && *page.next != leaves.size())
            return fail(Errc::malformed, "the vault's pages of a history do not join");
        next = page.next;
    }
    SAT_TRY(learn_signers(leaves));
    const IdentityLookup lookup = [this](const Wallet& wallet) { return find_identity(wallet); };
    auto history = verify_history(artwork, vault(), lookup, leaves);
    if (!history && may_be_a_newer_key(history.error())) {
        SAT_TRY(learn_signers(leaves, true));
        history = verify_history(artwork, vault(), lookup, leaves);
    }
    if (!history) return fail(std::move(history.error()));
    return WorkLeaves{std::move(leaves), std::move(*history)};
}

Result<History> VaultClient::get_history(const ArtworkId& artwork) {
    SAT_TRY_VALUE(WorkLeaves leaves, read_history(artwork));
    return std::move(leaves.history);
}

Result<History> VaultClient::get_history_in_ledger(const ArtworkId& artwork) {
    SAT_TRY_VALUE(WorkLeaves leaves, read_history(artwork));
    for (const std::string& entry : leaves.entries) SAT_TRY(prove_included(leaf_hash(entry)));
    return std::move(leaves.history);
}

Result<VaultClient::ProvedWork> VaultClient::get_proved_work(const ArtworkId& artwork) {
    for (int tries = 1;; ++tries) {
        SAT_TRY_VALUE(Work work, get_work(artwork));
        SAT_TRY_VALUE(History history, get_history(artwork));
        auto current = check_current(history, work);
        if (current) {
            SAT_TRY(prove_included(history.head()));
            return ProvedWork{std::move(work), std::move(history)};
        }
        if (tries == 2) return fail(std::move(current.error()));
    }
}

Result<std::optional<Bytes>> VaultClient::get_preview(const Work& work) {
    const std::optional<PreviewInfo>& info = work.registration.body.preview;
    if (!info) return std::optional<Bytes>{};
    SAT_TRY_VALUE(ArtworkPreviewReply reply, call(ArtworkPreviewRequest{work.id()}));
    if (!reply.preview) return fail(Errc::hash_mismatch, "the vault has lost the preview that the artist signed");
    if (reply.preview->size() != info->bytes || sha256(*reply.preview) != info->sha256)
        return fail(Errc::hash_mismatch, "the preview is not the one that its artist signed");
    return std::move(reply.preview);
}

Result<void> VaultClient::fetch_image(const Work& work, FetchedBeginning have, const PlaintextSink& sink,
                                      const ProgressFunction& progress) {
    SAT_ASSERT(impl_->connection);
    SAT_ASSERT(have.bytes % kChunkPlaintext == 0 && have.bytes <= work.registration.body.bytes);
    if (progress) progress(have.bytes, work.registration.body.bytes);
    const Fetch fetch{impl_->party, impl_->worker, work, sink, progress};
    return impl_->run(receive_image(impl_->connection, fetch, std::move(have)));
}

}  // namespace sat
