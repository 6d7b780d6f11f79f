// Rows of the catalogue as people see them, pages, and their cursors.  docs/protocol.md, "Requests".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vault/core.h"

namespace sat {

// `origin` is for the present owner alone.
WorkItem work_view(WorkRow work, const Wallet& caller);
// With its state at `now`, whether or not a passed deadline was recorded.
ClaimItem claim_view(const ClaimRow& claim, const std::string& registration, UnixTime now);
// The same, the registration looked up.
Result<ClaimItem> claim_view(CatalogReader& reader, const ClaimRow& claim, UnixTime now);

// Bytes that an item takes in a page, never less than it does.
std::size_t page_size_of(const WorkItem& item) noexcept;
std::size_t page_size_of(const ClaimItem& item) noexcept;

// Leaves as many of these leaf entries as a page holds, but one at least where there is one.
void cut_to_page(std::vector<std::string>& entries);

// Which list a cursor goes on in.
enum class CursorKind : std::uint8_t { works = 1, mine = 2, inbox = 3 };
std::string encode_cursor(CursorKind kind, std::uint64_t number);
// Nothing without a cursor; bad_request for one that is not of this list.
Result<std::optional<std::uint64_t>> decode_cursor(CursorKind kind, const std::optional<std::string>& cursor);

}  // namespace sat
