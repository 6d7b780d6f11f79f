// The rules of a bulk stream: which DATA records carry an envelope's chunks, and when it is whole.
// docs/protocol.md, "Bulk streams".  Only counts: the bytes stay in the record's own buffer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

#include "base/result.h"
#include "wire/limits.h"

namespace sat {

// bad_request unless `offset` is a multiple of 16,400 and below `stream_length`.
Result<void> check_offset(std::uint64_t offset, std::uint64_t stream_length);

// The sending end.  Each DATA but the last carries exactly 65,600 bytes, the last 1 to 65,600.
class BulkSender {
public:
    // `length` is how many bytes will be sent: the stream's length less the offset.
    explicit BulkSender(std::uint64_t length) noexcept : length_(length) {}

    // Bytes of the next DATA; 0 when DATA_END is due.
    std::size_t next_size() const noexcept;
    // A DATA of next_size() bytes went out; asserts that there was one.
    void sent();
    // No more DATA: the vault answered with an error, DATA_END follows with what was sent.
    void stop() noexcept { length_ = sent_; }
    // For DATA_END.
    std::uint64_t total() const noexcept { return sent_; }

private:
    std::uint64_t length_;
    std::uint64_t sent_ = 0;
};

// The receiving end.
class BulkReceiver {
public:
    // `length` is how many bytes must come: the stream's length less the offset.
    explicit BulkReceiver(std::uint64_t length) noexcept : length_(length) {}

    // A DATA of `size` bytes.  malformed where the rule wants another size, unexpected past the length or after
    // DATA_END; the connection is at its end then.
    Result<void> data(std::uint64_t size);
    // malformed unless `total` counts what came and that is the whole length; unexpected a second time.
    Result<void> end(std::uint64_t total);
    // The vault has answered with an error: what still comes is dropped until DATA_END, whose total counts what came.
    // Pieces may have any size now, and the end may come early.
    void abandon() noexcept { abandoned_ = true; }
    // For a request that was refused before its length was known.
    static BulkReceiver discarding() noexcept {
        BulkReceiver receiver(std::numeric_limits<std::uint64_t>::max());
        receiver.abandon();
        return receiver;
    }

    bool abandoned() const noexcept { return abandoned_; }
    bool ended() const noexcept { return ended_; }
    std::uint64_t received() const noexcept { return received_; }

private:
    std::uint64_t length_;
    std::uint64_t received_ = 0;
    bool abandoned_ = false;
    bool ended_ = false;
};

}  // namespace sat
