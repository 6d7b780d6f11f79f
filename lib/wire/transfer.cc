// The rules of a bulk stream.  docs/protocol.md, "Bulk streams".
// SPDX-License-Identifier: Apache-2.0
#include "wire/transfer.h"

#include <algorithm>

#include "base/assert.h"

namespace sat {

Result<void> check_offset(std::uint64_t offset, std::uint64_t stream_length) {
    if (offset % kChunkSealed != 0) return fail(Errc::bad_request, "an offset is not at a chunk's border");
    if (offset >= stream_length) return fail(Errc::bad_request, "an offset is behind the stream's end");
    return {};
}

std::size_t BulkSender::next_size() const noexcept {
    return static_cast<std::size_t>(std::min<std::uint64_t>(kDataBody, length_ - sent_));
}

void BulkSender::sent() {
    SAT_ASSERT(sent_ < length_);
    sent_ += next_size();
}

Result<void> BulkReceiver::data(std::uint64_t size) {
    if (ended_ || received_ == length_) return fail(Errc::unexpected, "bulk data came after its end");
    const std::uint64_t whole = std::min<std::uint64_t>(kDataBody, length_ - received_);
    if (abandoned_ ? size == 0 || size > whole : size != whole)
        return fail(Errc::malformed, "a piece of bulk data has the wrong size");
    received_ += size;
    return {};
}

Result<void> BulkReceiver::end(std::uint64_t total) {
    if (ended_) return fail(Errc::unexpected, "bulk data ended twice");
    if (total != received_) return fail(Errc::malformed, "bulk data was miscounted");
    if (received_ != length_ && !abandoned_) return fail(Errc::malformed, "bulk data ended early");
    ended_ = true;
    return {};
}

}  // namespace sat
