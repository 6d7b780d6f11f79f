// Envelopes: an artwork sealed so that one key holder can open it, and handed on by wrapping its key again.
// Bytes on disk and on the wire: docs/protocol.md, "The envelope".
//
//     "SATE" | u8 version=1 | u8 suite=1 | u16 0 | artwork[10] | 6 zero bytes | u64 plaintext length | recipient
//     wallet[32] | kem_id[32] | vec16 wrapped | salt[24] | commitment[32] | chunks (cobblestone.h)
//
// Every failure to open is envelope_invalid and says no more: whether a wrap, a label, a key or a tag was wrong is
// nobody's to learn.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/keys.h"
#include "envelope/artwork_id.h"
#include "envelope/cobblestone.h"

namespace sat {

inline constexpr std::size_t kEnvelopeContextSize = 24;  // of the header's bytes, bound by every chunk
inline constexpr std::size_t kEnvelopePrefixSize = 98;   // up to and including the length of `wrapped`
inline constexpr std::size_t kEnvelopeTailSize = kEnvelopeSaltSize + Digest::kSize;
inline constexpr std::size_t kMinEnvelopeHeader = kEnvelopePrefixSize + kMinRsaBlock + kEnvelopeTailSize;  // 538
inline constexpr std::size_t kMaxEnvelopeHeader = kEnvelopePrefixSize + kMaxRsaBlock + kEnvelopeTailSize;  // 666
inline constexpr std::uint64_t kMaxPlaintextLength = std::uint64_t{1} << 52;  // 4 PiB, chunked-encryption's limit

// What a key was wrapped for, bound by the OAEP label: a vault that rewraps keys opens nothing that was wrapped
// for another purpose.
enum class Purpose {
    transit,  // "SAT/1 env", to a `kem` key: between a person and the vault
    store,    // "SAT/1 store", to the vault's `store` key: at rest
};

// Bytes of the chunk stream of `plaintext_length` (at most kMaxPlaintextLength, asserted).  The last chunk is always
// shorter than a whole one: a multiple of 16,384 has an empty one behind it.
std::uint64_t sealed_size(std::uint64_t plaintext_length);

struct EnvelopeHeader {
    ArtworkId artwork;
    std::uint64_t plaintext_length = 0;
    Wallet recipient;
    KeyId kem_id;
    Bytes wrapped;  // 384 or 512 bytes
    EnvelopeSalt salt{};
    Digest commitment;

    Bytes encode() const;
    // Exactly one header; envelope_invalid for anything else.  What parses encodes to the same bytes.
    static Result<EnvelopeHeader> parse(ByteView bytes);
    // The size of the header that begins with these bytes (at least kEnvelopePrefixSize of them, asserted), for
    // those who read it from a file; envelope_invalid.
    static Result<std::size_t> size_from_prefix(ByteView bytes);
    // Cobblestone's context: Label("SAT/1 artwork", the first 24 bytes).
    Bytes context() const;
    // The OAEP label: Label(purpose, artwork || recipient).
    Bytes wrap_label(Purpose purpose) const;

    bool operator==(const EnvelopeHeader&) const = default;
};

// The DEK for the holder of `key`.  envelope_invalid if the header names another key or `wrapped` cannot be a
// ciphertext.  A wrong wrap gives a wrong DEK (implicit rejection), which Opener and rewrap() refuse by the commitment.
Result<SecretBytes> unwrap(const EnvelopeHeader& header, Purpose purpose, const KemPrivateKey& key);

// The same chunks for another recipient.  The commitment of the unwrapped DEK is checked before anything is wrapped
// again: envelope_invalid.
Result<EnvelopeHeader> rewrap(const EnvelopeHeader& header, Purpose from, const KemPrivateKey& key, Purpose to,
                              const Wallet& recipient, const KemPublicKey& recipient_key);

// Seals one artwork's bytes, whose number is known from the start, in constant memory.
class Sealer {
public:
    // Draws DEK and salt.  `plaintext_length` at most kMaxPlaintextLength (asserted).
    static Sealer create(const ArtworkId& artwork, std::uint64_t plaintext_length, const Wallet& recipient,
                         const KemPublicKey& key, Purpose purpose);
    // With a given DEK (32 bytes) and salt, for vectors.  One DEK and salt seal one plaintext, ever.
    static Sealer create_with(const ArtworkId& artwork, std::uint64_t plaintext_length, const Wallet& recipient,
                              const KemPublicKey& key, Purpose purpose, const SecretBytes& data_key,
                              const EnvelopeSalt& salt);

    const EnvelopeHeader& header() const noexcept { return header_; }

    // Goes on at chunk `first`: what stands before it is not sealed here.  Before anything is sealed, and at most the
    // number of whole chunks there are (both asserted).
    void begin_at(std::uint64_t first);
    // Appends the chunks that `plaintext` completes to `out`.  input_unreadable past plaintext_length: the file grew
    // while it was read.
    Result<void> seal(ByteView plaintext, Bytes& out);
    // `plaintext` is whole chunks (a multiple of 16,384 bytes) and nothing is pending, both asserted: straight into
    // `out`, 16,400 bytes for each chunk.  input_unreadable as above.
    Result<void> seal_whole(ByteView plaintext, MutableBytes out);
    // Appends the last, short chunk.  input_unreadable if less than plaintext_length came: the file shrank.
    Result<void> finish(Bytes& out);

    // Plaintext bytes still to come.
    std::uint64_t remaining() const noexcept { return remaining_; }

private:
    Sealer(EnvelopeHeader header, Cobblestone keys)
        : header_(std::move(header)), keys_(std::move(keys)), remaining_(header_.plaintext_length) {}

    Result<void> take(std::size_t size);

    EnvelopeHeader header_;
    Cobblestone keys_;
    std::uint64_t number_ = 0;
    std::uint64_t remaining_;
    Bytes pending_;  // plaintext of a chunk that is not complete
    bool finished_ = false;
};

// Opens one artwork's chunk stream.  Plaintext is released only after its chunk's tag; the stream must have exactly
// sealed_size(plaintext_length) bytes.  After the first failure (envelope_invalid) every call fails.
class Opener {
public:
    // From chunk `first` on, at most the number of whole chunks there are (asserted).  envelope_invalid if the DEK is
    // not the one that the header commits to, compared in constant time.
    static Result<Opener> create(const EnvelopeHeader& header, const SecretBytes& data_key, std::uint64_t first = 0);

    // Appends to `out` the plaintext of every chunk that `sealed` completes.
    Result<void> open(ByteView sealed, Bytes& out);
    // `sealed` is whole chunks and nothing is pending (asserted): straight into `out`, 16,384 bytes for each chunk.
    Result<void> open_whole(ByteView sealed, MutableBytes out);
    // The end of the stream: opens the last chunk; refuses a stream that ended early.
    Result<void> finish(Bytes& out);

    // Sealed bytes still to come.
    std::uint64_t remaining() const noexcept { return remaining_; }
    bool at_chunk_boundary() const noexcept { return chunks_.at_chunk_boundary(); }

private:
    Opener(Cobblestone keys, std::uint64_t first, std::uint64_t sealed_bytes)
        : chunks_(std::move(keys), first), remaining_(sealed_bytes) {}

    ChunkOpener chunks_;
    std::uint64_t remaining_;
    bool failed_ = false;
};

}  // namespace sat
