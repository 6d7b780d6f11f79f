// Frames.  docs/protocol.md, "Frames".
// SPDX-License-Identifier: Apache-2.0
#include "wire/frame.h"

#include <algorithm>

#include "base/assert.h"
#include "base/codec.h"

namespace sat {

Result<std::uint32_t> frame_body_size(std::span<const std::byte, kFrameHeaderSize> header, Phase phase) {
    const std::uint32_t size = ByteReader(header).u32();
    const std::size_t most = phase == Phase::handshake ? kMaxHandshakeBody : kMaxRecordFrameBody;
    const std::size_t least = phase == Phase::handshake ? 1 : kMinRecordFrameBody;
    if (size > most) return fail(Errc::too_large, "a frame announces more bytes than the protocol allows");
    if (size < least) return fail(Errc::malformed, "a frame announces fewer bytes than the protocol allows");
    return size;
}

Bytes encode_frame(ByteView body, Phase phase) {
    const auto header = u32_bytes(static_cast<std::uint32_t>(body.size()));
    SAT_ASSERT(body.size() <= kMaxRecordFrameBody && frame_body_size(header, phase));
    return concat({header, body});
}

Result<FrameType> frame_type(ByteView frame) {
    if (frame.size() <= kFrameHeaderSize) return fail(Errc::malformed, "a frame is cut short");
    SAT_TRY_VALUE(const std::uint32_t size, frame_body_size(frame.first<kFrameHeaderSize>(), Phase::handshake));
    if (size != frame.size() - kFrameHeaderSize) return fail(Errc::malformed, "a frame's length is not its own");
    const auto type = static_cast<FrameType>(frame[kFrameHeaderSize]);
    switch (type) {
        case FrameType::identity:
        case FrameType::client_hello:
        case FrameType::server_hello:
        case FrameType::client_finished:
        case FrameType::alert:
            return type;
    }
    return fail(Errc::unexpected, "a frame has a type that this protocol does not know");
}

Errc alert_code(Errc local) noexcept {
    return local >= Errc::malformed && local <= Errc::going_away ? local : Errc::internal;
}

Errc close_code(Errc local) noexcept { return local == Errc::forbidden ? local : alert_code(local); }

Bytes encode_alert(Errc code) {
    SAT_ASSERT(alert_code(code) == code);
    ByteWriter body;
    body.u8(static_cast<std::uint8_t>(FrameType::alert)).u16(static_cast<std::uint16_t>(code));
    return encode_frame(body.bytes(), Phase::handshake);
}

Result<Errc> parse_alert(ByteView frame) {
    SAT_TRY_VALUE(const FrameType type, frame_type(frame));
    if (type != FrameType::alert) return fail(Errc::malformed, "a frame is not an alert");
    ByteReader in(frame.subspan(kFrameHeaderSize + 1));
    const std::optional<Errc> code = errc_from_wire(in.u16());
    SAT_TRY(in.finish());
    return code && alert_code(*code) == *code ? *code : Errc::internal;
}

Error alert_error(Errc code) {
    switch (code) {
        case Errc::malformed:
            return {code, "the other end did not understand what we sent", {}};
        case Errc::too_large:
            return {code, "the other end found what we sent too large", {}};
        case Errc::unexpected:
            return {code, "the other end did not expect what we sent", {}};
        case Errc::version:
            return {code, "the other end does not speak this version of the protocol", "use programs of one version"};
        case Errc::unknown_vault_key:
            return {code, "the vault does not have the key that we sealed to", {}};
        case Errc::handshake_failed:
            return {code, "the other end refused the handshake", {}};
        case Errc::timeout:
            return {code, "the other end waited too long for us", {}};
        case Errc::overloaded:
            return {code, "the vault is overloaded", "try again in a while"};
        case Errc::going_away:
            return {code, "the other end is shutting down", "try again in a while"};
        case Errc::forbidden:
            return {code, "this vault does not admit your wallet",
                    "ask its operator to admit the wallet that the command whoami prints"};
        default:
            return {Errc::internal, "the other end failed", {}};
    }
}

std::size_t FrameDecoder::feed(ByteView input) {
    std::size_t taken = 0;
    while (!failure_ && taken < input.size() && buffer_.size() < wanted_) {
        const ByteView more = input.subspan(taken, std::min(input.size() - taken, wanted_ - buffer_.size()));
        append(buffer_, more);
        taken += more.size();
        if (buffer_.size() != kFrameHeaderSize) continue;
        const auto size = frame_body_size(ByteView(buffer_).first<kFrameHeaderSize>(), phase_);
        if (size) {
            wanted_ = kFrameHeaderSize + *size;
            buffer_.reserve(wanted_);
        } else {
            failure_ = size.error();
        }
    }
    return taken;
}

Result<std::optional<Bytes>> FrameDecoder::next() {
    if (failure_) return fail(*failure_);
    if (buffer_.size() <= kFrameHeaderSize || buffer_.size() < wanted_) return std::optional<Bytes>();
    wanted_ = kFrameHeaderSize;
    return std::optional<Bytes>(std::exchange(buffer_, {}));
}

void FrameDecoder::set_phase(Phase phase) {
    SAT_ASSERT(!in_frame());
    phase_ = phase;
}

}  // namespace sat
