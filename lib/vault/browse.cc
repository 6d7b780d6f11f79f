// Browsing.  docs/protocol.md, "Requests".
// SPDX-License-Identifier: Apache-2.0
#include "vault/browse.h"

#include <utility>

#include "base/text.h"
#include "store/work_file.h"
#include "vault/healer.h"
#include "vault/views.h"

namespace sat {

namespace {

tl::unexpected<Error> no_such_work() { return fail(Errc::not_found, "no such artwork"); }

}  // namespace

Result<IdentityGetReply> get_identities(VaultCore& core, const IdentityGetRequest& request) {
    IdentityGetReply reply;
    for (const Wallet& wallet : request.wallets) {
        if (wallet == core.wallet()) {
            reply.identities.emplace_back(core.keys.chain.texts());
            continue;
        }
        SAT_TRY_VALUE(auto documents, core.identities.documents(*core.catalog, wallet));
        reply.identities.push_back(std::move(documents));
    }
    return reply;
}

Result<WorkPage> list_works(VaultCore& core, const Caller& caller, const ArtworkListRequest& request) {
    SAT_TRY_VALUE(const auto before, decode_cursor(CursorKind::works, request.cursor));
    const auto limit = static_cast<std::size_t>(request.limit);
    WorkQuery query;
    if (request.text) query.words = search_words(*request.text);
    if (request.artist) query.artist = fold(*request.artist);
    query.owner = request.owner;
    if (before) query.before = *before;
    query.limit = limit + 1;  // one more tells whether there is a next page
    std::vector<WorkRow> works;
    {
        SAT_TRY_VALUE(const auto reader, core.catalog->read());
        SAT_TRY_VALUE(works, reader->works(query));
    }
    WorkPage page;
    std::size_t size = 0;
    for (WorkRow& work : works) {
        WorkItem item = work_view(std::move(work), caller.wallet);
        size += page_size_of(item);
        if (!page.items.empty() && (page.items.size() == limit || size > kMaxPage)) {
            page.next_cursor = encode_cursor(CursorKind::works, works[page.items.size() - 1].number);
            break;
        }
        page.items.push_back(std::move(item));
    }
    return page;
}

Result<WorkItem> get_work(VaultCore& core, const Caller& caller, const ArtworkGetRequest& request) {
    SAT_TRY_VALUE(const auto reader, core.catalog->read());
    SAT_TRY_VALUE(auto work, reader->work(request.artwork));
    if (!work) return no_such_work();
    return work_view(std::move(*work), caller.wallet);
}

Result<ArtworkPreviewReply> get_preview(VaultCore& core, const ArtworkPreviewRequest& request) {
    {
        SAT_TRY_VALUE(const auto reader, core.catalog->read());
        SAT_TRY_VALUE(const auto work, reader->work(request.artwork));
        if (!work) return no_such_work();
        if (work->held) return fail(Errc::held, "the operator holds the work");
    }
    AtRestSealer sealer = core.file_sealer();
    Result<WorkFile> file = fail(Errc::io_error, "a metadata file cannot be read");
    for (int copy = 0; copy < core.blobs->copies() && !file; ++copy) {
        const auto bytes = core.blobs->read_metadata(request.artwork, copy);
        file = bytes ? open_work_file(*bytes, request.artwork, sealer) : Result<WorkFile>(fail(bytes.error()));
        if (!file) core.healer->look_at(request.artwork);
    }
    if (!file) return fail(Errc::io_error, file.error().message, file.error().hint);
    return ArtworkPreviewReply{std::move(file->preview)};
}

Result<ArtworkHistoryReply> get_history(VaultCore& core, const ArtworkHistoryRequest& request) {
    ArtworkHistoryReply reply;
    {
        SAT_TRY_VALUE(const auto reader, core.catalog->read());
        SAT_TRY_VALUE(const auto work, reader->work(request.artwork));
        if (!work) return no_such_work();
        // One more tells whether there is a next page.
        SAT_TRY_VALUE(reply.leaves, reader->history(request.artwork, request.from, kMaxPageItems + 1));
    }
    const std::size_t found = reply.leaves.size();
    cut_to_page(reply.leaves);
    if (reply.leaves.size() < found) reply.next = request.from + reply.leaves.size();
    return reply;
}

}  // namespace sat
