// SPDX-License-Identifier: Apache-2.0
#include "envelope/cobblestone.h"

#include <algorithm>

#include "base/assert.h"
#include "crypto/hash.h"

namespace sat {

namespace {

constexpr std::string_view kLabel = "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM";
constexpr std::size_t kDerivedSize = kAeadKeySize + kAeadNonceSize + Digest::kSize;

// One text for every cause.
constexpr const char* kRefusal = "the envelope does not open";

}  // namespace

Result<Cobblestone> Cobblestone::derive(const SecretBytes& input_key, const EnvelopeSalt& salt, ByteView context) {
    if (input_key.size() != kDataKeySize) return fail(Errc::envelope_invalid, kRefusal);
    const SecretBytes derived =
        hkdf_expand_sha512(input_key.reveal(), label(kLabel, {ByteView(salt), context}), kDerivedSize);
    Nonce base;
    const ByteView all = derived.reveal();
    std::copy_n(all.begin() + kAeadKeySize, kAeadNonceSize, base.begin());
    Digest commitment;
    std::copy_n(all.begin() + kAeadKeySize + kAeadNonceSize, Digest::kSize, commitment.bytes.begin());
    return Cobblestone(derived.slice(0, kAeadKeySize), base, commitment);
}

bool Cobblestone::commits_to(const Digest& commitment) const noexcept {
    return equal_constant_time(commitment_.view(), commitment.view());
}

void Cobblestone::seal_chunk(std::uint64_t number, ByteView plaintext, MutableBytes out) {
    SAT_ASSERT(plaintext.size() <= kChunkPlaintext);
    aead_.seal(nonce_at(base_, number), {}, plaintext, out);
}

bool Cobblestone::open_chunk(std::uint64_t number, ByteView sealed, MutableBytes out) {
    return aead_.open(nonce_at(base_, number), {}, sealed, out);
}

Result<void> ChunkOpener::fail_for_good() {
    failed_ = true;
    return fail(Errc::envelope_invalid, kRefusal);
}

Result<void> ChunkOpener::open(ByteView sealed, Bytes& out) {
    SAT_ASSERT(!finished_);
    if (failed_) return fail_for_good();
    while (!sealed.empty()) {
        if (pending_.empty() && sealed.size() >= kChunkSealed) {
            const std::size_t whole = sealed.size() - sealed.size() % kChunkSealed;
            const std::size_t had = out.size();
            out.resize(had + whole / kChunkSealed * kChunkPlaintext);
            const std::uint64_t first = number_;
            auto opened = open_whole(sealed.first(whole), MutableBytes(out).subspan(had));
            if (!opened) {
                out.resize(had + static_cast<std::size_t>(number_ - first) * kChunkPlaintext);
                return opened;
            }
            sealed = sealed.subspan(whole);
            continue;
        }
        const std::size_t part = std::min(sealed.size(), kChunkSealed - pending_.size());
        append(pending_, sealed.first(part));
        sealed = sealed.subspan(part);
        if (pending_.size() == kChunkSealed) {
            const std::size_t had = out.size();
            out.resize(had + kChunkPlaintext);
            if (!keys_.open_chunk(number_, pending_, MutableBytes(out).subspan(had))) {
                out.resize(had);
                return fail_for_good();
            }
            ++number_;
            pending_.clear();
        }
    }
    return {};
}

Result<void> ChunkOpener::open_whole(ByteView sealed, MutableBytes out) {
    SAT_ASSERT(!finished_ && pending_.empty() && sealed.size() % kChunkSealed == 0);
    SAT_ASSERT(out.size() == sealed.size() / kChunkSealed * kChunkPlaintext);
    if (failed_) {
        std::fill(out.begin(), out.end(), std::byte{0});
        return fail_for_good();
    }
    for (; !sealed.empty(); sealed = sealed.subspan(kChunkSealed), out = out.subspan(kChunkPlaintext)) {
        if (!keys_.open_chunk(number_, sealed.first(kChunkSealed), out.first(kChunkPlaintext))) {
            std::fill(out.begin(), out.end(), std::byte{0});
            return fail_for_good();
        }
        ++number_;
    }
    return {};
}

Result<void> ChunkOpener::finish(Bytes& out) {
    SAT_ASSERT(!finished_);
    if (failed_ || pending_.size() < kAeadTagSize) return fail_for_good();
    const std::size_t had = out.size();
    out.resize(had + pending_.size() - kAeadTagSize);
    if (!keys_.open_chunk(number_, pending_, MutableBytes(out).subspan(had))) {
        out.resize(had);
        return fail_for_good();
    }
    finished_ = true;
    return {};
}

}  // namespace sat
