// SPDX-License-Identifier: Apache-2.0
#include "envelope/cobblestone.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/random.h"
#include "support/vectors.h"
#include "unit/envelope/inflate.h"

namespace sat {
namespace {

Cobblestone test_keys() { return Cobblestone::derive(SecretBytes(std::size_t{32}), {}, {}).value(); }

Bytes seal_all(Cobblestone keys, ByteView plaintext) {
    Bytes out;
    std::uint64_t number = 0;
    for (;; plaintext = plaintext.subspan(kChunkPlaintext)) {
        const ByteView chunk = plaintext.first(std::min(plaintext.size(), kChunkPlaintext));
        const std::size_t had = out.size();
        out.resize(had + chunk.size() + kAeadTagSize);
        keys.seal_chunk(number++, chunk, MutableBytes(out).subspan(had));
        if (chunk.size() < kChunkPlaintext) return out;
    }
}

// What a stream opener gives: the plaintext it released, and whether it took the whole.
struct Opened {
    Bytes released;
    bool whole = false;
};
Opened open_in_pieces(Cobblestone keys, ByteView sealed, std::size_t piece) {
    ChunkOpener opener(std::move(keys));
    Opened opened;
    for (; !sealed.empty(); sealed = sealed.subspan(std::min(piece, sealed.size())))
        if (!opener.open(sealed.first(std::min(piece, sealed.size())), opened.released)) return opened;
    opened.whole = opener.finish(opened.released).has_value();
    return opened;
}

// Wycheproof says what a plaintext must be by SHA-512; here it is sealed again and must give the vector's very bytes,
// which under one key only the same plaintext does.
TEST(Cobblestone, AgreesWithWycheproof) {
    const auto vectors = load_vectors("wycheproof/c2sp_chunked_encryption_aes_256_gcm_test.json");
    if (!vectors) return;
    int valid = 0, invalid = 0, partial = 0;
    for (const auto& group : vectors->at("testGroups")) {
        for (const auto& test : group.at("tests")) {
            SCOPED_TRACE("tcId " + test.at("tcId").dump() + ": " + test.at("comment").get<std::string>());
            const bool good = test.at("result") == "valid";
            ++(good ? valid : invalid);
            const SecretBytes key(from_hex(test.at("key").get<std::string>()).value());
            const Bytes context = from_hex(test.at("ctx").get<std::string>()).value();
            const Bytes stream = Inflater::run(from_hex(test.at("ct").get<std::string>()).value());
            if (stream.size() < kEnvelopeSaltSize + Digest::kSize) {
                EXPECT_FALSE(good);
                continue;
            }
            EnvelopeSalt salt;
            std::copy_n(stream.begin(), salt.size(), salt.begin());
            const auto commitment = Digest::from_bytes(ByteView(stream).subspan(kEnvelopeSaltSize, Digest::kSize));
            const ByteView chunks = ByteView(stream).subspan(kEnvelopeSaltSize + Digest::kSize);
            const auto derive = [&] { return Cobblestone::derive(key, salt, context); };
            if (!derive() || !derive()->commits_to(commitment.value())) {
                EXPECT_FALSE(good);
                EXPECT_FALSE(test.contains("aeadKey")) << "the header should have been taken";
                continue;
            }
            EXPECT_TRUE(test.contains("aeadKey"));
            for (const std::size_t piece : {chunks.size() + 1, kChunkSealed, std::size_t{5000}}) {
                const Opened opened = open_in_pieces(derive().value(), chunks, piece);
                EXPECT_EQ(opened.whole, good);
                const std::size_t length = test.contains("msgLength") ? test.at("msgLength").get<std::size_t>() : 0;
                EXPECT_EQ(opened.released.size(), length);
                const Bytes again = seal_all(derive().value(), opened.released);
                const std::size_t same = good ? chunks.size() : length / kChunkPlaintext * kChunkSealed;
                if (good) {
                    EXPECT_EQ(again.size(), chunks.size());
                }
                EXPECT_TRUE(
                    std::equal(again.begin(), again.begin() + static_cast<std::ptrdiff_t>(same), chunks.begin()));
            }
            partial += !good && test.contains("msgLength") ? 1 : 0;
        }
    }
    std::cout << "Cobblestone-256: " << valid << " valid, " << invalid << " invalid, " << partial
              << " of these with a valid beginning\n";
    EXPECT_EQ(valid + invalid, vectors->at("numberOfTests").get<int>());
    EXPECT_GT(valid, 0);
    EXPECT_GT(partial, 0);
}

TEST(Cobblestone, RefusesKeysOfAnotherSize) {
    for (const std::size_t size : {0U, 16U, 31U, 33U})
        EXPECT_EQ(Cobblestone::derive(SecretBytes(size), {}, {}).error().code, Errc::envelope_invalid);
}

TEST(Cobblestone, KeySaltAndContextAllChangeTheCommitment) {
    const Digest commitment = test_keys().commitment();
    EXPECT_TRUE(test_keys().commits_to(commitment));
    EnvelopeSalt salt{};
    salt[23] = std::byte{1};
    SecretBytes key(std::size_t{32});
    key.reveal_mutable()[31] = std::byte{1};
    EXPECT_FALSE(Cobblestone::derive(SecretBytes(std::size_t{32}), salt, {})->commits_to(commitment));
    EXPECT_FALSE(Cobblestone::derive(key, {}, {})->commits_to(commitment));
    EXPECT_FALSE(Cobblestone::derive(SecretBytes(std::size_t{32}), {}, Bytes(1))->commits_to(commitment));
}

TEST(ChunkOpener, OpensAnySplitOfEveryBorderLength) {
    for (const std::size_t length : {0UL, 1UL, 16383UL, 16384UL, 16385UL, 32767UL, 32768UL, 40000UL}) {
        const Bytes plaintext = random_bytes(length);
        const Bytes sealed = seal_all(test_keys(), plaintext);
        for (const std::size_t piece : {1UL, 15UL, 16UL, 17UL, 16399UL, 16400UL, 16401UL, 65600UL}) {
            if (piece < 15 && length > 16385) continue;
            const Opened opened = open_in_pieces(test_keys(), sealed, piece);
            EXPECT_TRUE(opened.whole) << length << " in " << piece;
            EXPECT_EQ(opened.released, plaintext) << length << " in " << piece;
        }
    }
}

TEST(ChunkOpener, ReleasesNothingOfAChunkThatFailsAndFailsForGood) {
    const Bytes plaintext = random_bytes(40000);
    Bytes sealed = seal_all(test_keys(), plaintext);
    sealed[kChunkSealed + 7] ^= std::byte{1};
    ChunkOpener opener(test_keys());
    Bytes out;
    EXPECT_EQ(opener.open(sealed, out).error().code, Errc::envelope_invalid);
    EXPECT_EQ(out, Bytes(plaintext.begin(), plaintext.begin() + kChunkPlaintext));
    EXPECT_FALSE(opener.open({}, out));
    EXPECT_FALSE(opener.finish(out));
    EXPECT_EQ(out.size(), kChunkPlaintext);
}

TEST(ChunkOpener, ZeroesTheBufferBehindAFailure) {
    Bytes sealed = seal_all(test_keys(), random_bytes(3 * kChunkPlaintext));
    sealed[kChunkSealed] ^= std::byte{1};
    ChunkOpener opener(test_keys());
    Bytes out(3 * kChunkPlaintext, std::byte{0xAA});
    EXPECT_FALSE(opener.open_whole(ByteView(sealed).first(3 * kChunkSealed), out));
    EXPECT_TRUE(std::all_of(out.begin() + kChunkPlaintext, out.end(), [](std::byte b) { return b == std::byte{0}; }));
}

}  // namespace
}  // namespace sat
