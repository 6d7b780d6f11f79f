// Records: what travels after the handshake, sealed with AES-256-GCM, each direction under keys of its own.
// docs/protocol.md, "Records".
//
//     frame = u32 n | sealed(inner) | tag[16]        inner = u8 type | u8 flags | u16 pad_len | body | zeros
//
// Opened and sealed where it lies, in one buffer:  4 length | 4 inner header | body | zeros | 16 tag.
// A sealer or opener belongs to one connection and one thread at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "wire/key_schedule.h"
#include "wire/limits.h"

namespace sat {

enum class RecordType : std::uint8_t {
    request = 0x10,     // client to vault
    response = 0x11,    // vault to client
    event = 0x12,       // vault to client
    data = 0x13,        // 1 to 65,600 bytes of an envelope's chunks, the one type that is not padded
    data_end = 0x14,    // u64 total
    key_update = 0x17,  // empty; the last record of its epoch
    ping = 0x18,        // empty
    pong = 0x19,        // empty
    close = 0x1f,       // u16 code, 0 for done; nothing follows
};

// Who a direction's records come from.
enum class Side { client, vault };

// Whether records of this type make up messages, and so may carry flag bit 0.
constexpr bool is_message_type(RecordType type) noexcept {
    return type == RecordType::request || type == RecordType::response || type == RecordType::event;
}

struct EpochLimits {
    std::uint64_t records = kRecordsPerEpoch;  // at most, the KEY_UPDATE included
    std::int64_t seconds = kSecondsPerEpoch;
};

class RecordSealer {
public:
    // `now` begins the first epoch.
    RecordSealer(TrafficSecret secret, UnixTime now, EpochLimits limits = {});

    // Whether key_update() is due before the next message or DATA record.  Asked before each of them: after
    // kRekeyMargin records more without an update, sealing asserts.
    bool needs_key_update(UnixTime now) const noexcept;
    // The KEY_UPDATE frame, sealed under the old key; everything after it goes under the new one.
    Bytes key_update(UnixTime now);

    // REQUEST, RESPONSE or EVENT: one frame, or several back to back that must leave without anything between them.
    // too_large past 1 MiB.
    Result<Bytes> message(RecordType type, ByteView text);
    Bytes data_end(std::uint64_t total);
    Bytes ping();
    Bytes pong();
    // Nothing: done (0).  Else a transport code, 1 to 10, as in an ALERT, or forbidden.  Nothing may be sealed after
    // it.
    Bytes close(std::optional<Errc> why = std::nullopt);

    // Seals DATA in place.  `frame` is kRecordPrefix bytes that are overwritten, 1 to 65,600 bytes of body, and
    // kRecordTagSize bytes that are overwritten; afterwards it is the frame to send.
    void data_in_place(MutableBytes frame);

    // Gives up the cipher's context, 1.2 KiB; the next record has it computed again from the secret.
    void rest() noexcept { key_.reset(); }
    bool rests() const noexcept { return !key_; }

    std::uint64_t sequence() const noexcept { return sequence_; }

private:
    KeyAndNonce& key();
    void seal_in_place(MutableBytes frame, RecordType type, bool more, std::size_t padding);
    void append_control(Bytes& out, RecordType type, ByteView body, bool more = false);
    Bytes control(RecordType type, ByteView body);

    TrafficSecret secret_;
    EpochLimits limits_;
    std::unique_ptr<KeyAndNonce> key_;  // null while it rests
    std::uint64_t sequence_ = 0;
    UnixTime epoch_began_ = 0;
    bool closed_ = false;
};

// A record opened in place; `body` lies in the frame's own buffer.
struct Record {
    RecordType type = RecordType::close;
    bool more = false;  // the message goes on in the next record
    ByteView body;

    // Of a DATA_END: how many bytes went before it in DATA.  Asserts the type.
    std::uint64_t total() const;
    // Of a CLOSE: nothing for "done", internal for a code that version 1 does not have.  Asserts the type.
    std::optional<Errc> close_reason() const;
};

class RecordOpener {
public:
    // `sender` is the other end: a REQUEST from a vault, or a RESPONSE from a client, is unexpected.
    RecordOpener(TrafficSecret secret, Side sender, EpochLimits limits = {});

    // Opens a whole frame in place.  malformed: the tag, the length, the padding or the body's size is wrong;
    // unexpected: the type, the flags, a record after CLOSE or past the epoch's limit.  Every failure is final, and
    // the connection ends without an answer.  A KEY_UPDATE has taken effect when this returns.
    Result<Record> open(MutableBytes frame);

    // As RecordSealer's.
    void rest() noexcept { key_.reset(); }
    bool rests() const noexcept { return !key_; }

    std::uint64_t sequence() const noexcept { return sequence_; }
    // CLOSE was received: an end of the stream is now its proper end.
    bool closed() const noexcept { return closed_; }

private:
    KeyAndNonce& key();
    Result<Record> open_checked(MutableBytes frame);

    TrafficSecret secret_;
    Side sender_;
    EpochLimits limits_;
    std::unique_ptr<KeyAndNonce> key_;  // null while it rests
    std::uint64_t sequence_ = 0;
    bool closed_ = false;
    bool failed_ = false;
};

// Puts messages of several records together.  Every record of the connection passes through it, those that are no
// message too, because none of them may interrupt one.
class MessageAssembler {
public:
    // A complete REQUEST, RESPONSE or EVENT; nothing where more is to come or the record is of another kind.
    // unexpected: a message was interrupted; too_large: it passed 1 MiB; malformed: without a byte, or a part without
    // one. Every failure is final.
    Result<std::optional<Bytes>> add(const Record& record);
    bool in_message() const noexcept { return type_.has_value(); }

private:
    std::optional<RecordType> type_;
    Bytes message_;
    bool failed_ = false;
};

}  // namespace sat
