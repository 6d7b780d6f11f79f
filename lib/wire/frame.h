// Frames: u32 n (big-endian), then n bytes.  A clear message of the handshake, or one record.
// docs/protocol.md, "Frames".  "A frame" here always means the whole of it, its four length bytes included: these
// bytes enter the transcript and the records' AAD.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/bytes.h"
#include "wire/limits.h"

namespace sat {

enum class Phase { handshake, record };

// The first byte of a clear frame's body.
enum class FrameType : std::uint8_t {
    identity = 0x02,
    client_hello = 0x03,
    server_hello = 0x04,
    client_finished = 0x05,
    alert = 0x06,
};

// How many bytes follow these four.  malformed for 0 and for a record too short to be one, too_large past the phase's
// limit: to be asked before a byte more is read or allocated.
Result<std::uint32_t> frame_body_size(std::span<const std::byte, kFrameHeaderSize> header, Phase phase);

// The length bytes and `body`.  Asserts that `body` is within the limits of `phase`.
Bytes encode_frame(ByteView body, Phase phase);

// The type of a whole clear frame.  malformed if the length bytes do not fit `frame`; unexpected for a type that
// version 1 does not have.
Result<FrameType> frame_type(ByteView frame);

// ALERT: u16 code, 1 to 10.  It is unauthenticated: a hint for people and for the exit code, never a proof.
Bytes encode_alert(Errc code);
// malformed unless `frame` is an ALERT of exactly three bytes; a code that version 1 does not have reads as internal.
Result<Errc> parse_alert(ByteView frame);
// The error that an ALERT or CLOSE of `code` becomes at the end that received it.
Error alert_error(Errc code);
// The code that may be told to a peer for a local failure: transport codes as they are, everything else internal.
Errc alert_code(Errc local) noexcept;
// The same for a CLOSE, which may also say forbidden: the vault does not admit the wallet.
Errc close_code(Errc local) noexcept;

// Cuts a stream into frames, however the bytes arrive; holds at most one frame.
//
//     while (!input.empty()) {
//         input = input.subspan(decoder.feed(input));
//         SAT_TRY_VALUE(auto frame, decoder.next());
//         if (frame) …
//     }
class FrameDecoder {
public:
    explicit FrameDecoder(Phase phase = Phase::handshake) noexcept : phase_(phase) {}

    // Takes bytes up to the end of the current frame and not one more; how many it took.  0 where a frame waits for
    // next() or the stream has failed.
    std::size_t feed(ByteView input);
    // The whole frame when it is there, nothing while bytes are missing.  The error of frame_body_size() as soon as
    // the four length bytes are in; it stays.
    Result<std::optional<Bytes>> next();
    // For the frames that follow.  Asserts that none is begun: both ends change over between two frames.
    void set_phase(Phase phase);
    // Whether a frame is begun and not complete: an end of the stream now is a truncation.
    bool in_frame() const noexcept { return !buffer_.empty(); }

private:
    Phase phase_;
    Bytes buffer_;
    std::size_t wanted_ = kFrameHeaderSize;
    std::optional<Error> failure_;
};

}  // namespace sat
