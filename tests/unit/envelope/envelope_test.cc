// SPDX-License-Identifier: Apache-2.0
#include "envelope/envelope.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "support/keys.h"

namespace sat {
namespace {

const KemPrivateKey& vault_kem() { return test_kem_key("vault"); }
const KemPrivateKey& vault_store() { return test_kem_key("vault-store"); }
const KemPrivateKey& collector_kem() { return test_kem_key("collector"); }

Wallet wallet_of(std::string_view name) { return sha256(as_bytes(name)); }

struct Sealed {
    EnvelopeHeader header;
    Bytes chunks;
};

Sealed seal_all(ByteView plaintext, std::size_t piece = 65536) {
    Sealer sealer = Sealer::create(ArtworkId::generate(), plaintext.size(), wallet_of("vault"),
                                   vault_kem().public_key(), Purpose::transit);
    Sealed sealed{sealer.header(), {}};
    for (; !plaintext.empty(); plaintext = plaintext.subspan(std::min(piece, plaintext.size())))
        EXPECT_TRUE(sealer.seal(plaintext.first(std::min(piece, plaintext.size())), sealed.chunks));
    EXPECT_TRUE(sealer.finish(sealed.chunks));
    return sealed;
}

Result<Bytes> open_all(const EnvelopeHeader& header, ByteView chunks, Purpose purpose, const KemPrivateKey& key,
                       std::size_t piece = 65600) {
    SAT_TRY_VALUE(const auto data_key, unwrap(header, purpose, key));
    SAT_TRY_VALUE(auto opener, Opener::create(header, data_key));
    Bytes out;
    for (; !chunks.empty(); chunks = chunks.subspan(std::min(piece, chunks.size())))
        SAT_TRY(opener.open(chunks.first(std::min(piece, chunks.size())), out));
    SAT_TRY(opener.finish(out));
    return out;
}

Errc code_of(const Result<Bytes>& result) { return result ? Errc{} : result.error().code; }

TEST(SealedSize, CountsAShortChunkAtTheEndOfEveryLength) {
    EXPECT_EQ(sealed_size(0), 16U);
    EXPECT_EQ(sealed_size(1), 17U);
    EXPECT_EQ(sealed_size(16383), 16399U);
    EXPECT_EQ(sealed_size(16384), 16400U + 16U);
    EXPECT_EQ(sealed_size(16385), 16400U + 17U);
    EXPECT_EQ(sealed_size(65536), 65600U + 16U);
    EXPECT_EQ(sealed_size(kMaxPlaintextLength), (std::uint64_t{1} << 38) * 16400 + 16);
}

TEST(Envelope, GoesOnAtAnyChunkAsIfItHadBegunThere) {
    for (const std::size_t length : {16384UL, 16385UL, 100000UL}) {
        const Bytes plaintext = random_bytes(length);
        const SecretBytes key = random_secret(kDataKeySize);
        const auto sealed_from = [&](std::uint64_t first) {
            Sealer sealer = Sealer::create_with(ArtworkId(), length, wallet_of("vault"), vault_kem().public_key(),
                                                Purpose::transit, key, EnvelopeSalt{});
            sealer.begin_at(first);
            Bytes out;
            EXPECT_TRUE(sealer.seal(ByteView(plaintext).subspan(first * kChunkPlaintext), out));
            EXPECT_TRUE(sealer.finish(out));
            return std::pair(sealer.header(), out);
        };
        const Bytes whole = sealed_from(0).second;
        for (std::uint64_t first = 0; first <= length / kChunkPlaintext; ++first) {
            const auto [header, rest] = sealed_from(first);
            EXPECT_EQ(rest, to_bytes(ByteView(whole).subspan(first * kChunkSealed)));
            Opener opener = Opener::create(header, key, first).value();
            EXPECT_EQ(opener.remaining(), rest.size());
            Bytes out;
            EXPECT_TRUE(opener.open(rest, out));
            EXPECT_TRUE(opener.finish(out));
            EXPECT_EQ(out, to_bytes(ByteView(plaintext).subspan(first * kChunkPlaintext)));
            // At another place they do not open.
            Opener elsewhere = Opener::create(header, key, first == 0 ? 1 : first - 1).value();
            out.clear();
            EXPECT_FALSE(elsewhere.open(rest, out) && elsewhere.finish(out));
        }
    }
}

TEST(Envelope, OpensWhatItSealedAtEveryBorderAndSplit) {
    for (const std::size_t length : {0UL, 1UL, 16383UL, 16384UL, 16385UL, 65535UL, 65536UL, 65537UL, 200000UL}) {
        const Bytes plaintext = random_bytes(length);
        for (const std::size_t piece : {1000UL, 16384UL, 65536UL, 1000000UL}) {
            const Sealed sealed = seal_all(plaintext, piece);
            EXPECT_EQ(sealed.chunks.size(), sealed_size(length));
            const auto opened = open_all(sealed.header, sealed.chunks, Purpose::transit, vault_kem(), piece + 7);
            ASSERT_TRUE(opened) << length << " in " << piece;
            EXPECT_EQ(*opened, plaintext);
        }
    }
}

TEST(Envelope, FourWholeChunksGoStraightIntoABuffer) {
    const Bytes plaintext = random_bytes(2 * 65536 + 100);
    Sealer sealer = Sealer::create(ArtworkId::generate(), plaintext.size(), wallet_of("vault"),
                                   vault_kem().public_key(), Purpose::transit);
    Bytes sealed(2 * 65600);
    for (std::size_t i = 0; i < 2; ++i)
        ASSERT_TRUE(sealer.seal_whole(ByteView(plaintext).subspan(i * 65536, 65536),
                                      MutableBytes(sealed).subspan(i * 65600, 65600)));
    EXPECT_EQ(sealer.remaining(), 100U);
    ASSERT_TRUE(sealer.seal(ByteView(plaintext).last(100), sealed));
    ASSERT_TRUE(sealer.finish(sealed));
    EXPECT_EQ(sealed.size(), sealed_size(plaintext.size()));

    auto opener =
        Opener::create(sealer.header(), unwrap(sealer.header(), Purpose::transit, vault_kem()).value()).value();
    Bytes out(2 * 65536);
    for (std::size_t i = 0; i < 2; ++i)
        ASSERT_TRUE(
            opener.open_whole(ByteView(sealed).subspan(i * 65600, 65600), MutableBytes(out).subspan(i * 65536, 65536)));
    ASSERT_TRUE(opener.at_chunk_boundary());
    ASSERT_TRUE(opener.open(ByteView(sealed).last(116), out));
    ASSERT_TRUE(opener.finish(out));
    EXPECT_EQ(out, plaintext);
    EXPECT_EQ(opener.remaining(), 0U);
}

TEST(Sealer, RefusesAFileThatGrewOrShrank) {
    const auto sealer = [] {
        return Sealer::create(ArtworkId::generate(), 100, wallet_of("vault"), vault_kem().public_key(),
                              Purpose::transit);
    };
    Bytes out;
    Sealer grown = sealer();
    EXPECT_EQ(grown.seal(Bytes(101), out).error().code, Errc::input_unreadable);
    EXPECT_TRUE(out.empty());
    Sealer shrunk = sealer();
    ASSERT_TRUE(shrunk.seal(Bytes(99), out));
    EXPECT_EQ(shrunk.finish(out).error().code, Errc::input_unreadable);
    Sealer whole = sealer();
    Bytes chunk(kChunkSealed);
    EXPECT_EQ(whole.seal_whole(Bytes(kChunkPlaintext), chunk).error().code, Errc::input_unreadable);
}

TEST(Sealer, DrawsAKeyAndASaltForEachEnvelope) {
    const Sealed a = seal_all({});
    const Sealed b = seal_all({});
    EXPECT_NE(a.header.salt, b.header.salt);
    EXPECT_NE(a.header.commitment, b.header.commitment);
    EXPECT_NE(a.header.wrapped, b.header.wrapped);
}

TEST(Opener, RefusesEarlyEndTrailingBytesAndEveryOtherLength) {
    for (const std::size_t length : {0UL, 16384UL, 20000UL}) {
        const Sealed sealed = seal_all(random_bytes(length));
        const auto open = [&](ByteView chunks) {
            return code_of(open_all(sealed.header, chunks, Purpose::transit, vault_kem()));
        };
        for (const std::size_t cut : {1UL, 15UL, 16UL})
            EXPECT_EQ(open(ByteView(sealed.chunks).first(sealed.chunks.size() - cut)), Errc::envelope_invalid);
        EXPECT_EQ(open({}), Errc::envelope_invalid);
        Bytes longer = sealed.chunks;
        longer.resize(longer.size() + 1);
        EXPECT_EQ(open(longer), Errc::envelope_invalid);
        append(longer, sealed.chunks);
        EXPECT_EQ(open(longer), Errc::envelope_invalid);
    }
}

TEST(Opener, RefusesSwappedRepeatedAndForeignChunks) {
    const Sealed sealed = seal_all(random_bytes(3 * kChunkPlaintext));
    const Sealed other = seal_all(random_bytes(3 * kChunkPlaintext));
    const auto chunk = [](const Sealed& from, std::size_t i) {
        return ByteView(from.chunks).subspan(i * kChunkSealed, i == 3 ? kAeadTagSize : kChunkSealed);
    };
    const auto open = [&](std::initializer_list<ByteView> chunks) {
        return code_of(open_all(sealed.header, concat(chunks), Purpose::transit, vault_kem()));
    };
    EXPECT_EQ(open({chunk(sealed, 0), chunk(sealed, 1), chunk(sealed, 2), chunk(sealed, 3)}), Errc{});
    EXPECT_EQ(open({chunk(sealed, 1), chunk(sealed, 0), chunk(sealed, 2), chunk(sealed, 3)}), Errc::envelope_invalid);
    EXPECT_EQ(open({chunk(sealed, 0), chunk(sealed, 0), chunk(sealed, 2), chunk(sealed, 3)}), Errc::envelope_invalid);
    EXPECT_EQ(open({chunk(sealed, 0), chunk(other, 1), chunk(sealed, 2), chunk(sealed, 3)}), Errc::envelope_invalid);
    EXPECT_EQ(open({chunk(sealed, 0), chunk(sealed, 1), chunk(sealed, 2), chunk(other, 3)}), Errc::envelope_invalid);
}

TEST(Opener, AfterAFailureStaysFailed) {
    const Sealed sealed = seal_all(random_bytes(100));
    auto opener = Opener::create(sealed.header, unwrap(sealed.header, Purpose::transit, vault_kem()).value()).value();
    Bytes out;
    EXPECT_FALSE(opener.open(Bytes(1000), out));
    EXPECT_FALSE(opener.open(sealed.chunks, out));
    EXPECT_FALSE(opener.finish(out));
    EXPECT_TRUE(out.empty());
}

TEST(EnvelopeHeader, EncodesToWhatParsedAndRefusesEverythingElse) {
    const EnvelopeHeader header = seal_all(random_bytes(5)).header;
    const Bytes bytes = header.encode();
    EXPECT_EQ(bytes.size(), kMinEnvelopeHeader);
    EXPECT_EQ(EnvelopeHeader::parse(bytes).value(), header);
    EXPECT_EQ(EnvelopeHeader::size_from_prefix(ByteView(bytes).first(kEnvelopePrefixSize)).value(), bytes.size());
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(EnvelopeHeader::parse(ByteView(bytes).first(size))) << size;
    Bytes longer = bytes;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(EnvelopeHeader::parse(longer));

    const auto changed = [&](std::size_t at, int value) {
        Bytes copy = bytes;
        copy[at] = static_cast<std::byte>(value);
        return EnvelopeHeader::parse(copy);
    };
    EXPECT_FALSE(changed(0, 's'));                                          // magic
    EXPECT_FALSE(changed(4, 2));                                            // version
    EXPECT_FALSE(changed(5, 0));                                            // suite
    EXPECT_FALSE(changed(6, 1) || changed(7, 1));                           // reserved
    EXPECT_FALSE(changed(8, 'U') || changed(8, 'a'));                       // artwork
    for (std::size_t at = 18; at < 24; ++at) EXPECT_FALSE(changed(at, 1));  // reserved
    EXPECT_FALSE(changed(24, 1));                                           // above 2^52
    EXPECT_FALSE(changed(96, 2));                                           // wrapped: 640 bytes
    EXPECT_FALSE(changed(97, 0x81));                                        // wrapped: 385 bytes
    EXPECT_EQ(changed(4, 2).error().code, Errc::envelope_invalid);
}

TEST(EnvelopeHeader, TheLargestLengthIsTakenAndOneMoreIsNot) {
    EnvelopeHeader header = seal_all({}).header;
    header.plaintext_length = kMaxPlaintextLength;
    Bytes bytes = header.encode();
    EXPECT_TRUE(EnvelopeHeader::parse(bytes));
    bytes[31] = std::byte{1};
    EXPECT_FALSE(EnvelopeHeader::parse(bytes));
}

TEST(Unwrap, RefusesAHeaderForAnotherKeyAndGivesAWrongKeyForAWrongWrap) {
    const Sealed sealed = seal_all(random_bytes(10));
    EXPECT_EQ(unwrap(sealed.header, Purpose::transit, collector_kem()).error().code, Errc::envelope_invalid);

    // Implicit rejection: every wrong wrap unwraps, always to the same wrong key, and fails at the commitment.
    EnvelopeHeader wrong = sealed.header;
    wrong.wrapped.back() ^= std::byte{1};
    const auto first = unwrap(wrong, Purpose::transit, vault_kem());
    const auto second = unwrap(wrong, Purpose::transit, vault_kem());
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(std::equal(first->reveal().begin(), first->reveal().end(), second->reveal().begin()));
    EXPECT_EQ(Opener::create(wrong, *first).error().code, Errc::envelope_invalid);

    EnvelopeHeader above = sealed.header;
    std::fill(above.wrapped.begin(), above.wrapped.end(), std::byte{0xFF});
    EXPECT_EQ(unwrap(above, Purpose::transit, vault_kem()).error().code, Errc::envelope_invalid);
}

TEST(Unwrap, BindsThePurposeTheArtworkAndTheRecipient) {
    const Sealed sealed = seal_all(random_bytes(10));
    const auto open = [&](const EnvelopeHeader& header, Purpose purpose) {
        return code_of(open_all(header, sealed.chunks, purpose, vault_kem()));
    };
    EXPECT_EQ(open(sealed.header, Purpose::transit), Errc{});
    EXPECT_EQ(open(sealed.header, Purpose::store), Errc::envelope_invalid);
    EnvelopeHeader other = sealed.header;
    other.recipient = wallet_of("somebody else");
    EXPECT_EQ(open(other, Purpose::transit), Errc::envelope_invalid);
    other = sealed.header;
    other.artwork = ArtworkId::generate();
    EXPECT_EQ(open(other, Purpose::transit), Errc::envelope_invalid);
}

TEST(Rewrap, CarriesAnEnvelopeFromArtistToStoreToCollector) {
    const Bytes plaintext = random_bytes(50000);
    const Sealed sealed = seal_all(plaintext);
    const auto stored = rewrap(sealed.header, Purpose::transit, vault_kem(), Purpose::store, wallet_of("vault"),
                               vault_store().public_key());
    ASSERT_TRUE(stored);
    EXPECT_EQ(open_all(*stored, sealed.chunks, Purpose::store, vault_store()).value(), plaintext);
    const auto sent = rewrap(*stored, Purpose::store, vault_store(), Purpose::transit, wallet_of("collector"),
                             collector_kem().public_key());
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->commitment, sealed.header.commitment);
    EXPECT_EQ(sent->recipient, wallet_of("collector"));
    EXPECT_EQ(open_all(*sent, sealed.chunks, Purpose::transit, collector_kem()).value(), plaintext);
    EXPECT_EQ(code_of(open_all(*sent, sealed.chunks, Purpose::transit, vault_kem())), Errc::envelope_invalid);
}

// docs/protocol.md, "The envelope": the attack that the labels are there for.
TEST(Rewrap, IsNoDecryptionServiceForARecordedHandshake) {
    const Encapsulated recorded =
        encapsulate(vault_kem().public_key(), label("SAT/1 kem c2v", wallet_of("vault").view()));
    EnvelopeHeader hostile = seal_all(random_bytes(10)).header;
    hostile.wrapped = recorded.ciphertext;
    const auto handed_on = rewrap(hostile, Purpose::transit, vault_kem(), Purpose::transit, wallet_of("attacker"),
                                  collector_kem().public_key());
    ASSERT_FALSE(handed_on);
    EXPECT_EQ(handed_on.error().code, Errc::envelope_invalid);
}

TEST(Rewrap, RefusesAWrongPurposeAndAKeyThatTheHeaderDoesNotCommitTo) {
    const EnvelopeHeader header = seal_all(random_bytes(10)).header;
    const auto to_collector = [&](const EnvelopeHeader& from, Purpose purpose, const KemPrivateKey& key) {
        return rewrap(from, purpose, key, Purpose::transit, wallet_of("collector"), collector_kem().public_key());
    };
    EXPECT_TRUE(to_collector(header, Purpose::transit, vault_kem()));
    EXPECT_FALSE(to_collector(header, Purpose::store, vault_kem()));
    EXPECT_FALSE(to_collector(header, Purpose::transit, vault_store()));
    EnvelopeHeader wrong = header;
    wrong.commitment.bytes[0] ^= std::byte{1};
    EXPECT_FALSE(to_collector(wrong, Purpose::transit, vault_kem()));
    wrong = header;
    wrong.salt[0] ^= std::byte{1};
    EXPECT_FALSE(to_collector(wrong, Purpose::transit, vault_kem()));
}

}  // namespace
}  // namespace sat
