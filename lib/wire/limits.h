// Every size, count and wait of the connection, each with its reason.
// docs/protocol.md, "Frames", "Handshake", "Records", "Requests".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "envelope/cobblestone.h"

namespace sat {

// Frames: u32 n, then n bytes.  n is checked before anything is allocated or read.
inline constexpr std::size_t kFrameHeaderSize = 4;
// The largest clear frame is a CLIENT_HELLO with a chain of four RSA-4096 identities, about 13.5 KiB.
inline constexpr std::size_t kMaxHandshakeBody = 16'384;
// ALERT: type, u16 code.  The smallest clear frame.
inline constexpr std::size_t kAlertBody = 3;

// Records: inner = type, flags, u16 pad_len, body, zeros; then the tag.
inline constexpr std::size_t kInnerHeaderSize = 4;
inline constexpr std::size_t kRecordTagSize = 16;
// 260 * 256: room for four sealed chunks and a multiple of the padding step.
inline constexpr std::size_t kMaxInner = 66'560;
inline constexpr std::size_t kMaxRecordBody = kMaxInner - kInnerHeaderSize;
inline constexpr std::size_t kMinRecordFrameBody = kInnerHeaderSize + kRecordTagSize;  // 20
inline constexpr std::size_t kMaxRecordFrameBody = kMaxInner + kRecordTagSize;         // 66,576
// Control records are padded to this, so that their length tells a watcher little.
inline constexpr std::size_t kControlPadding = 256;
// What stands before and after the body when a record is sealed or opened where it lies.
inline constexpr std::size_t kRecordPrefix = kFrameHeaderSize + kInnerHeaderSize;  // 8
inline constexpr std::size_t kRecordOverhead = kRecordPrefix + kRecordTagSize;     // 24

// Bulk: DATA carries four sealed chunks, so that records and chunks share their borders.
inline constexpr std::size_t kDataBody = 4 * kChunkSealed;  // 65,600
inline constexpr std::size_t kDataFrame = kDataBody + kRecordOverhead;
static_assert(kDataBody <= kMaxRecordBody);
static_assert(kMaxInner % kControlPadding == 0);

// A message of several records: what a page needs, and the most that a hostile peer makes us keep.
inline constexpr std::size_t kMaxMessage = std::size_t{1} << 20;
// The items of a page, so that any last one and what stands around them still fit the message.
inline constexpr std::size_t kMaxPage = 900 * 1024;
// An ext of the handshake: a checkpoint is about 300 bytes, the rest is small.
inline constexpr std::size_t kMaxExt = 4096;
inline constexpr std::size_t kMaxAgent = 64;

// Rekeying.  2^20 full records are 2^32 blocks, less than a fifth of what RFC 8446, 5.5 grants one AES-GCM key; an hour
// bounds what one stolen key opens.  A message may not be interrupted, so the update is asked for while one still fits.
inline constexpr std::uint64_t kRecordsPerEpoch = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kRekeyMargin = 32;
inline constexpr std::int64_t kSecondsPerEpoch = 3600;
static_assert(kMaxMessage / kMaxRecordBody + 2 < kRekeyMargin);

// Waits, in seconds.
inline constexpr int kHelloSeconds = 5;  // IDENTITY's first byte to a whole CLIENT_HELLO: longer is a silent peer
inline constexpr int kHandshakeSeconds =
    10;                                     // IDENTITY's first byte to CLIENT_FINISHED: the RSA work takes milliseconds
inline constexpr int kIdleSeconds = 300;    // nothing arrives: a peer that is gone without a word
inline constexpr int kPingSeconds = 60;     // the client's: four PINGs may be late before the idle limit
inline constexpr int kMessageSeconds = 60;  // first byte of a message to its last: dripping bytes hold no buffer
inline constexpr int kWriteSeconds = 60;    // a record that the peer does not take: it has stopped reading
inline constexpr int kMaxTries = 3;         // busy, rate_limited, ALERT overloaded: then the client gives up

// Counts.
inline constexpr std::size_t kMaxUnauthenticated = 64;        // past it ALERT 8 for one of those who owe a message
inline constexpr std::size_t kMaxUnauthenticatedPerPeer = 8;  // one address; its next ones wait without an IDENTITY
inline constexpr std::size_t kMaxQueuedEvents = 64;  // a reader slower than that is cut off; the inbox keeps all

// Requests.  The limits of statements and notes are ledger/statement.h's and ledger/commitment.h's.
inline constexpr std::size_t kMaxPageItems = 50;
inline constexpr std::size_t kMaxIdentityWallets = 50;
inline constexpr std::size_t kMaxCursor = 64;       // ASCII characters; opaque to the client
inline constexpr std::size_t kMaxSearchText = 200;  // code points: as long as the longest title

}  // namespace sat
