// The record layer.  docs/protocol.md, "Records".
// SPDX-License-Identifier: Apache-2.0
#include "wire/record.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "base/codec.h"
#include "wire/frame.h"

namespace sat {
namespace {

constexpr std::uint8_t kMoreFlag = 1;

// Zero bytes after a body of this size.
constexpr std::size_t padding_for(RecordType type, std::size_t body_size) noexcept {
    if (type == RecordType::data) return 0;
    return (kControlPadding - (kInnerHeaderSize + body_size) % kControlPadding) % kControlPadding;
}

bool is_record_type(RecordType type) noexcept {
    switch (type) {
        case RecordType::request:
        case RecordType::response:
        case RecordType::event:
        case RecordType::data:
        case RecordType::data_end:
        case RecordType::key_update:
        case RecordType::ping:
        case RecordType::pong:
        case RecordType::close:
            return true;
    }
    return false;
}

bool may_send(Side sender, RecordType type) noexcept {
    switch (type) {
        case RecordType::request:
            return sender == Side::client;
        case RecordType::response:
        case RecordType::event:
            return sender == Side::vault;
        default:
            return true;
    }
}

// Whether a record of this type may have a body of this size.
bool is_body_size(RecordType type, std::size_t size) noexcept {
    switch (type) {
        case RecordType::data:
            return size >= 1 && size <= kDataBody;
        case RecordType::data_end:
            return size == 8;
        case RecordType::close:
            return size == 2;
        case RecordType::key_update:
        case RecordType::ping:
        case RecordType::pong:
            return size == 0;
        default:
            return true;
    }
}

// The key of this epoch, computed where there is none.
KeyAndNonce& derived(std::unique_ptr<KeyAndNonce>& key, const TrafficSecret& secret) {
    if (!key) key = std::make_unique<KeyAndNonce>(secret.key_material());
    return *key;
}

}  // namespace

RecordSealer::RecordSealer(TrafficSecret secret, UnixTime now, EpochLimits limits)
    : secret_(std::move(secret)), limits_(limits), epoch_began_(now) {
    SAT_ASSERT(limits_.records > kRekeyMargin);
    key();
}

KeyAndNonce& RecordSealer::key() { return derived(key_, secret_); }

bool RecordSealer::needs_key_update(UnixTime now) const noexcept {
    return sequence_ + kRekeyMargin >= limits_.records || now - epoch_began_ >= limits_.seconds;
}

// `frame` holds its body and room for everything else; it becomes a frame of that very size.
void RecordSealer::seal_in_place(MutableBytes frame, RecordType type, bool more, std::size_t padding) {
    SAT_ASSERT(!closed_ && sequence_ < limits_.records);
    SAT_ASSERT(type == RecordType::key_update || sequence_ + 1 < limits_.records);
    const auto length = u32_bytes(static_cast<std::uint32_t>(frame.size() - kFrameHeaderSize));
    SAT_ASSERT(frame_body_size(length, Phase::record));
    std::ranges::copy(length, frame.begin());
    const MutableBytes inner = frame.subspan(kFrameHeaderSize, frame.size() - kFrameHeaderSize - kRecordTagSize);
    inner[0] = static_cast<std::byte>(type);
    inner[1] = static_cast<std::byte>(more ? kMoreFlag : 0);
    inner[2] = static_cast<std::byte>(padding >> 8);
    inner[3] = static_cast<std::byte>(padding & 0xff);
    std::ranges::fill(inner.last(padding), std::byte{0});
    KeyAndNonce& with = key();
    with.key.seal(nonce_at(with.base, sequence_), length, inner, frame.subspan(kFrameHeaderSize));
    ++sequence_;
}

void RecordSealer::append_control(Bytes& out, RecordType type, ByteView body, bool more) {
    const std::size_t padding = padding_for(type, body.size());
    const std::size_t begin = out.size();
    out.resize(begin + kRecordOverhead + body.size() + padding);
    const MutableBytes frame = MutableBytes(out).subspan(begin);
    std::copy_n(body.data(), body.size(), frame.data() + kRecordPrefix);
    seal_in_place(frame, type, more, padding);
}

Bytes RecordSealer::control(RecordType type, ByteView body) {
    Bytes frame;
    append_control(frame, type, body);
    return frame;
}

Bytes RecordSealer::key_update(UnixTime now) {
    Bytes frame = control(RecordType::key_update, {});
    secret_.update();
    key_.reset();
    sequence_ = 0;
    epoch_began_ = now;
    return frame;
}

Result<Bytes> RecordSealer::message(RecordType type, ByteView text) {
    SAT_ASSERT(is_message_type(type));
    if (text.size() > kMaxMessage) return fail(Errc::too_large, "a message is larger than the protocol allows");
    Bytes frames;
    frames.reserve(text.size() + (text.size() / kMaxRecordBody + 1) * (kRecordOverhead + kControlPadding));
    while (text.size() > kMaxRecordBody) {
        append_control(frames, type, text.first(kMaxRecordBody), true);
        text = text.subspan(kMaxRecordBody);
    }
    append_control(frames, type, text);
    return frames;
}

Bytes RecordSealer::data_end(std::uint64_t total) { return control(RecordType::data_end, u64_bytes(total)); }

Bytes RecordSealer::ping() { return control(RecordType::ping, {}); }

Bytes RecordSealer::pong() { return control(RecordType::pong, {}); }

Bytes RecordSealer::close(std::optional<Errc> why) {
    SAT_ASSERT(!why || close_code(*why) == *why);
    ByteWriter body;
    body.u16(why ? static_cast<std::uint16_t>(*why) : 0);
    Bytes frame = control(RecordType::close, body.bytes());
    closed_ = true;
    return frame;
}

void RecordSealer::data_in_place(MutableBytes frame) {
    SAT_ASSERT(frame.size() > kRecordOverhead && frame.size() <= kDataFrame);
    seal_in_place(frame, RecordType::data, false, 0);
}

std::uint64_t Record::total() const {
    SAT_ASSERT(type == RecordType::data_end);
    return ByteReader(body).u64();
}

std::optional<Errc> Record::close_reason() const {
    SAT_ASSERT(type == RecordType::close);
    const std::uint16_t code = ByteReader(body).u16();
    if (code == 0) return std::nullopt;
    return close_code(errc_from_wire(code).value_or(Errc::internal));
}

RecordOpener::RecordOpener(TrafficSecret secret, Side sender, EpochLimits limits)
    : secret_(std::move(secret)), sender_(sender), limits_(limits) {
    key();
}

KeyAndNonce& RecordOpener::key() { return derived(key_, secret_); }

Result<Record> RecordOpener::open(MutableBytes frame) {
    if (failed_) return fail(Errc::unexpected, "a record came after one that was refused");
    Result<Record> record = open_checked(frame);
    failed_ = !record;
    return record;
}

Result<Record> RecordOpener::open_checked(MutableBytes frame) {
    if (closed_) return fail(Errc::unexpected, "a record came after the connection was closed");
    if (frame.size() < kFrameHeaderSize) return fail(Errc::malformed, "a frame is cut short");
    const ByteView header = ByteView(frame).first(kFrameHeaderSize);
    SAT_TRY_VALUE(const std::uint32_t size, frame_body_size(header.first<kFrameHeaderSize>(), Phase::record));
    if (size != frame.size() - kFrameHeaderSize) return fail(Errc::malformed, "a frame's length is not its own");

    if (sequence_ >= limits_.records) return fail(Errc::unexpected, "a key was used for too many records");
    const MutableBytes sealed = frame.subspan(kFrameHeaderSize);
    const MutableBytes inner = sealed.first(sealed.size() - kRecordTagSize);
    KeyAndNonce& with = key();
    if (!with.key.open(nonce_at(with.base, sequence_), header, sealed, inner))
        return fail(Errc::malformed, "a record failed to open");
    ++sequence_;

    ByteReader in(inner);
    const auto type = static_cast<RecordType>(in.u8());
    const std::uint8_t flags = in.u8();
    const std::size_t padding = in.u16();
    if (!is_record_type(type) || !may_send(sender_, type))
        return fail(Errc::unexpected, "a record has a type that does not belong here");
    if ((flags & ~unsigned{kMoreFlag}) != 0 || (flags != 0 && !is_message_type(type)))
        return fail(Errc::unexpected, "a record has flags that do not belong here");
    if (padding > in.remaining()) return fail(Errc::malformed, "a record's padding is longer than the record");
    const ByteView body = in.raw(in.remaining() - padding);
    if (padding != padding_for(type, body.size())) return fail(Errc::malformed, "a record is not padded as it should");
    // Authenticated by now: what is compared is the sender's own, and time tells nothing.
    if (std::ranges::any_of(in.raw(padding), [](std::byte value) { return value != std::byte{0}; }))
        return fail(Errc::malformed, "a record's padding is not zero");
    if (!is_body_size(type, body.size())) return fail(Errc::malformed, "a record's body has the wrong size");

    if (type == RecordType::close) closed_ = true;
    if (type == RecordType::key_update) {
        secret_.update();
        key_.reset();
        sequence_ = 0;
    }
    return Record{type, flags != 0, body};
}

Result<std::optional<Bytes>> MessageAssembler::add(const Record& record) {
    if (failed_) return fail(Errc::unexpected, "a record came after one that was refused");
    failed_ = true;  // until this record has proved right
    if (type_ && record.type != *type_) return fail(Errc::unexpected, "a message was interrupted");
    if (is_message_type(record.type)) {
        if (record.body.empty() && (record.more || message_.empty()))
            return fail(Errc::malformed, "a message, or a part of one, is empty");
        if (record.body.size() > kMaxMessage - message_.size())
            return fail(Errc::too_large, "a message is larger than the protocol allows");
        append(message_, record.body);
        type_.reset();
        if (record.more) type_ = record.type;
    }
    failed_ = false;
    if (!is_message_type(record.type) || record.more) return std::optional<Bytes>();
    return std::optional<Bytes>(std::exchange(message_, {}));
}

}  // namespace sat
