// Cobblestone-256 (c2sp.org/chunked-encryption): one key, one salt, a message in chunks of 16,384 bytes, each
// sealed with AES-256-GCM, the last one always shorter, possibly empty.
//
//     key[32] || base nonce[12] || commitment[32] =
//         HKDF-Expand-SHA-512(input key, "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM" || 00 || salt[24] ||
//         context)
//
// docs/protocol.md, "The envelope".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/aead.h"

namespace sat {

inline constexpr std::size_t kDataKeySize = 32;  // DEK
inline constexpr std::size_t kEnvelopeSaltSize = 24;
inline constexpr std::size_t kChunkPlaintext = 16384;
inline constexpr std::size_t kChunkSealed = kChunkPlaintext + kAeadTagSize;  // 16,400

using EnvelopeSalt = std::array<std::byte, kEnvelopeSaltSize>;

// The derived keys, and single chunks.  Not for two threads at a time.
class Cobblestone {
public:
    // envelope_invalid unless `input_key` has 32 bytes.
    static Result<Cobblestone> derive(const SecretBytes& input_key, const EnvelopeSalt& salt, ByteView context);

    const Digest& commitment() const noexcept { return commitment_; }
    // In constant time: whether `commitment` is this key's.
    [[nodiscard]] bool commits_to(const Digest& commitment) const noexcept;

    // out.size() == plaintext.size() + 16, at most a whole chunk.  Never seal two chunks under one number.
    void seal_chunk(std::uint64_t number, ByteView plaintext, MutableBytes out);
    // out.size() + 16 == sealed.size().  False, and `out` wiped, if the tag does not match.
    [[nodiscard]] bool open_chunk(std::uint64_t number, ByteView sealed, MutableBytes out);

private:
    Cobblestone(const SecretBytes& key, const Nonce& base, const Digest& commitment)
        : aead_(key), base_(base), commitment_(commitment) {}

    Aes256Gcm aead_;
    Nonce base_;
    Digest commitment_;
};

// Opens a chunk stream of unknown length, split in any way.  Plaintext is released only after its chunk's tag.
// After the first failure every call fails.
class ChunkOpener {
public:
    // From chunk `first` on, for a stream that is gone on with.
    explicit ChunkOpener(Cobblestone keys, std::uint64_t first = 0) : keys_(std::move(keys)), number_(first) {}

    // Appends the plaintext of every chunk that `sealed` completes; envelope_invalid at the first that does not
    // authenticate, with what stood before it in `out`.
    Result<void> open(ByteView sealed, Bytes& out);
    // `sealed` is whole chunks and nothing is pending (asserted): straight into `out`, 16,384 bytes for each
    // chunk.  On failure nothing of the failing chunk and of those behind it is in `out`; they are zeros.
    Result<void> open_whole(ByteView sealed, MutableBytes out);
    // The end of the stream: opens the last chunk, which must be there and be shorter than a whole one.
    Result<void> finish(Bytes& out);

    // True between whole chunks: what open_whole() requires.
    bool at_chunk_boundary() const noexcept { return pending_.empty(); }

private:
    Result<void> fail_for_good();

    Cobblestone keys_;
    std::uint64_t number_;
    Bytes pending_;  // sealed bytes of a chunk that is not complete
    bool failed_ = false;
    bool finished_ = false;
};

}  // namespace sat
