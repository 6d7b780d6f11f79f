// SPDX-License-Identifier: Apache-2.0
#include "envelope/envelope.h"

#include <algorithm>

#include "base/assert.h"
#include "base/codec.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace sat {

namespace {

constexpr std::string_view kMagic = "SATE";
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kSuite = 1;
constexpr std::size_t kReservedSize = 6;
constexpr std::string_view kContextLabel = "SAT/1 artwork";

std::string_view purpose_label(Purpose purpose) noexcept {
    return purpose == Purpose::transit ? "SAT/1 env" : "SAT/1 store";
}

bool is_block_size(std::size_t size) noexcept { return size == kMinRsaBlock || size == kMaxRsaBlock; }

tl::unexpected<Error> refuse_header() { return fail(Errc::envelope_invalid, "not an envelope header of version 1"); }
tl::unexpected<Error> refuse_stream() { return fail(Errc::envelope_invalid, "the envelope does not open"); }

}  // namespace

std::uint64_t sealed_size(std::uint64_t plaintext_length) {
    SAT_ASSERT(plaintext_length <= kMaxPlaintextLength);
    return plaintext_length + (plaintext_length / kChunkPlaintext + 1) * kAeadTagSize;
}

Bytes EnvelopeHeader::encode() const {
    SAT_ASSERT(is_block_size(wrapped.size()) && plaintext_length <= kMaxPlaintextLength);
    ByteWriter out;
    out.raw(as_bytes(kMagic)).u8(kVersion).u8(kSuite).u16(0).raw(artwork.bytes());
    out.raw(Bytes(kReservedSize)).u64(plaintext_length);
    out.raw(recipient.view()).raw(kem_id.view()).vec16(wrapped).raw(salt).raw(commitment.view());
    return out.take();
}

Result<EnvelopeHeader> EnvelopeHeader::parse(ByteView bytes) {
    ByteReader in(bytes);
    EnvelopeHeader header;
    in.expect(as_bytes(kMagic));
    const bool known = in.u8() == kVersion && in.u8() == kSuite && in.u16() == 0;
    const auto artwork = ArtworkId::from_canonical(as_text(in.raw(ArtworkId::kSize)));
    in.expect(Bytes(kReservedSize));
    header.plaintext_length = in.u64();
    header.recipient = in.digest();
    header.kem_id = in.digest();
    header.wrapped = to_bytes(in.vec16(kMinRsaBlock, kMaxRsaBlock));
    const ByteView salt = in.raw(kEnvelopeSaltSize);
    header.commitment = in.digest();
    if (!in.finish() || !known || !artwork || !is_block_size(header.wrapped.size()) ||
        header.plaintext_length > kMaxPlaintextLength)
        return refuse_header();
    header.artwork = *artwork;
    std::copy(salt.begin(), salt.end(), header.salt.begin());
    return header;
}

Result<std::size_t> EnvelopeHeader::size_from_prefix(ByteView bytes) {
    SAT_ASSERT(bytes.size() >= kEnvelopePrefixSize);
    ByteReader in(bytes);
    in.expect(as_bytes(kMagic));
    in.raw(kEnvelopePrefixSize - kMagic.size() - sizeof(std::uint16_t));
    const std::size_t wrapped_size = in.u16();
    if (!in.ok() || !is_block_size(wrapped_size)) return refuse_header();
    return kEnvelopePrefixSize + wrapped_size + kEnvelopeTailSize;
}

Bytes EnvelopeHeader::context() const {
    ByteWriter out;
    out.raw(as_bytes(kMagic)).u8(kVersion).u8(kSuite).u16(0).raw(artwork.bytes()).raw(Bytes(kReservedSize));
    SAT_ASSERT(out.bytes().size() == kEnvelopeContextSize);
    return label(kContextLabel, out.bytes());
}

Bytes EnvelopeHeader::wrap_label(Purpose purpose) const {
    return label(purpose_label(purpose), {artwork.bytes(), recipient.view()});
}

Result<SecretBytes> unwrap(const EnvelopeHeader& header, Purpose purpose, const KemPrivateKey& key) {
    if (header.kem_id != key.public_key().id()) return refuse_stream();
    auto data_key = key.unwrap(header.wrapped, header.wrap_label(purpose));
    if (!data_key) return refuse_stream();
    return data_key;
}

Result<EnvelopeHeader> rewrap(const EnvelopeHeader& header, Purpose from, const KemPrivateKey& key, Purpose to,
                              const Wallet& recipient, const KemPublicKey& recipient_key) {
    SAT_TRY_VALUE(const SecretBytes data_key, unwrap(header, from, key));
    SAT_TRY_VALUE(const Cobblestone keys, Cobblestone::derive(data_key, header.salt, header.context()));
    if (!keys.commits_to(header.commitment)) return refuse_stream();
    EnvelopeHeader next = header;
    next.recipient = recipient;
    next.kem_id = recipient_key.id();
    next.wrapped = recipient_key.wrap(data_key, next.wrap_label(to));
    return next;
}

Sealer Sealer::create(const ArtworkId& artwork, std::uint64_t plaintext_length, const Wallet& recipient,
                      const KemPublicKey& key, Purpose purpose) {
    EnvelopeSalt salt;
    random_fill(salt);
    return create_with(artwork, plaintext_length, recipient, key, purpose, random_secret(kDataKeySize), salt);
}

Sealer Sealer::create_with(const ArtworkId& artwork, std::uint64_t plaintext_length, const Wallet& recipient,
                           const KemPublicKey& key, Purpose purpose, const SecretBytes& data_key,
                           const EnvelopeSalt& salt) {
    SAT_ASSERT(plaintext_length <= kMaxPlaintextLength);
    EnvelopeHeader header;
    header.artwork = artwork;
    header.plaintext_length = plaintext_length;
    header.recipient = recipient;
    header.kem_id = key.id();
    header.salt = salt;
    header.wrapped = key.wrap(data_key, header.wrap_label(purpose));
    auto keys = Cobblestone::derive(data_key, salt, header.context());
    SAT_ASSERT(keys.has_value());
    header.commitment = keys->commitment();
    return Sealer(std::move(header), std::move(*keys));
}

void Sealer::begin_at(std::uint64_t first) {
    SAT_ASSERT(number_ == 0 && pending_.empty() && !finished_ && remaining_ == header_.plaintext_length);
    SAT_ASSERT(first <= remaining_ / kChunkPlaintext);
    number_ = first;
    remaining_ -= first * kChunkPlaintext;
}

Result<void> Sealer::take(std::size_t size) {
    SAT_ASSERT(!finished_);
    if (size > remaining_)
        return fail(Errc::input_unreadable, "the file grew while it was read", "try again when nothing writes to it");
    remaining_ -= size;
    return {};
}

Result<void> Sealer::seal(ByteView plaintext, Bytes& out) {
    SAT_TRY(take(plaintext.size()));
    while (!plaintext.empty()) {
        ByteView chunk;
        if (pending_.empty() && plaintext.size() >= kChunkPlaintext) {
            chunk = plaintext.first(kChunkPlaintext);
            plaintext = plaintext.subspan(kChunkPlaintext);
        } else {
            const std::size_t part = std::min(plaintext.size(), kChunkPlaintext - pending_.size());
            append(pending_, plaintext.first(part));
            plaintext = plaintext.subspan(part);
            if (pending_.size() < kChunkPlaintext) break;
            chunk = pending_;
        }
        const std::size_t had = out.size();
        out.resize(had + kChunkSealed);
        keys_.seal_chunk(number_++, chunk, MutableBytes(out).subspan(had));
        pending_.clear();
    }
    return {};
}

Result<void> Sealer::seal_whole(ByteView plaintext, MutableBytes out) {
    SAT_ASSERT(pending_.empty() && plaintext.size() % kChunkPlaintext == 0);
    SAT_ASSERT(out.size() == plaintext.size() / kChunkPlaintext * kChunkSealed);
    SAT_TRY(take(plaintext.size()));
    for (; !plaintext.empty(); plaintext = plaintext.subspan(kChunkPlaintext), out = out.subspan(kChunkSealed))
        keys_.seal_chunk(number_++, plaintext.first(kChunkPlaintext), out.first(kChunkSealed));
    return {};
}

Result<void> Sealer::finish(Bytes& out) {
    SAT_ASSERT(!finished_);
    if (remaining_ != 0)
        return fail(Errc::input_unreadable, "the file shrank while it was read", "try again when nothing writes to it");
    const std::size_t had = out.size();
    out.resize(had + pending_.size() + kAeadTagSize);
    keys_.seal_chunk(number_++, pending_, MutableBytes(out).subspan(had));
    finished_ = true;
    return {};
}

Result<Opener> Opener::create(const EnvelopeHeader& header, const SecretBytes& data_key, std::uint64_t first) {
    if (header.plaintext_length > kMaxPlaintextLength) return refuse_header();
    SAT_TRY_VALUE(Cobblestone keys, Cobblestone::derive(data_key, header.salt, header.context()));
    if (!keys.commits_to(header.commitment)) return refuse_stream();
    SAT_ASSERT(first <= header.plaintext_length / kChunkPlaintext);
    return Opener(std::move(keys), first, sealed_size(header.plaintext_length) - first * kChunkSealed);
}

Result<void> Opener::open(ByteView sealed, Bytes& out) {
    if (failed_ || sealed.size() > remaining_) {
        failed_ = true;
        return refuse_stream();
    }
    remaining_ -= sealed.size();
    return chunks_.open(sealed, out);
}

Result<void> Opener::open_whole(ByteView sealed, MutableBytes out) {
    if (failed_ || sealed.size() > remaining_) {
        failed_ = true;
        std::fill(out.begin(), out.end(), std::byte{0});
        return refuse_stream();
    }
    remaining_ -= sealed.size();
    return chunks_.open_whole(sealed, out);
}

Result<void> Opener::finish(Bytes& out) {
    if (failed_ || remaining_ != 0) {
        failed_ = true;
        return refuse_stream();
    }
    return chunks_.finish(out);
}

}  // namespace sat
