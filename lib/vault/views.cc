// Views, pages, cursors.  docs/protocol.md, "Requests".
// SPDX-License-Identifier: Apache-2.0
#include "vault/views.h"

#include <limits>
#include <utility>

#include "base/codec.h"

namespace sat {

namespace {

// Everything of an item but its statements and texts: names, hashes, times, JSON's own marks.
constexpr std::size_t kItemFrame = 1024;
// JSON writes a control character as six bytes.
constexpr std::size_t kWorstEscape = 6;

std::size_t size_of(const std::optional<SaltedText>& text) noexcept {
    return text ? kWorstEscape * text->text.size() : 0;
}

}  // namespace

WorkItem work_view(WorkRow work, const Wallet& caller) {
    WorkItem item;
    item.registration = std::move(work.registration);
    if (caller == work.owner) item.origin = std::move(work.origin);
    item.owner = work.owner;
    item.head = work.head;
    item.seq = work.seq;
    item.registered_at = work.registered_at;
    item.held = work.held;
    return item;
}

ClaimItem claim_view(const ClaimRow& claim, const std::string& registration, UnixTime now) {
    const ClaimFacts facts = claim.facts();
    ClaimItem item;
    item.claim = claim.claim;
    item.claim_text = claim.claim_text;
    item.answer = claim.answer;
    item.answer_text = claim.answer_text;
    item.state = effective_state(facts, now);
    item.asked_at = claim.asked_at;
    item.changed_at = item.state == claim.state ? claim.changed_at : deadline(facts);
    if (is_open(item.state)) item.answer_by = deadline(facts);
    item.registration = registration;
    return item;
}

Result<ClaimItem> claim_view(CatalogReader& reader, const ClaimRow& claim, UnixTime now) {
    SAT_TRY_VALUE(const auto work, reader.work(claim.artwork));
    if (!work) return fail(Errc::io_error, "the catalogue has a claim on a work that is not there");
    return claim_view(claim, work->registration, now);
}

std::size_t page_size_of(const WorkItem& item) noexcept { return kItemFrame + item.registration.size(); }

std::size_t page_size_of(const ClaimItem& item) noexcept {
    return kItemFrame + item.claim.size() + (item.answer ? item.answer->size() : 0) + item.registration.size() +
           size_of(item.claim_text) + size_of(item.answer_text);
}

void cut_to_page(std::vector<std::string>& entries) {
    constexpr std::size_t kEntryFrame = 64;  // quotes, comma, and the line feeds as JSON writes them
    std::size_t size = 0;
    for (std::size_t count = 0; count < entries.size(); ++count) {
        size += kEntryFrame + entries[count].size();
        if (count > 0 && (count == kMaxPageItems || size > kMaxPage)) {
            entries.resize(count);
            return;
        }
    }
}

std::string encode_cursor(CursorKind kind, std::uint64_t number) {
    return to_base64url(ByteWriter().u8(static_cast<std::uint8_t>(kind)).u64(number).bytes());
}

Result<std::optional<std::uint64_t>> decode_cursor(CursorKind kind, const std::optional<std::string>& cursor) {
    if (!cursor) return std::optional<std::uint64_t>();
    const auto bytes = from_base64url(*cursor);
    ByteReader in(bytes ? ByteView(*bytes) : ByteView());
    const std::uint8_t found = in.u8();
    const std::uint64_t number = in.u64();
    const bool fits = number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!in.finish() || found != static_cast<std::uint8_t>(kind) || !fits)
        return fail(Errc::bad_request, "a cursor that is not of this list");
    return std::optional(number);
}

}  // namespace sat
