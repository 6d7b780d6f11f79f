// tests/vectors/envelope.json, made by an independent program: opened, sealed again, and replayed wrong byte by byte.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/hash.h"
#include "envelope/envelope.h"
#include "support/project_vectors.h"

namespace sat {
namespace {

Bytes plaintext_of(std::size_t length) {
    Bytes out(length);
    for (std::size_t i = 0; i < length; ++i) out[i] = static_cast<std::byte>((31 * i + i / 251) & 0xFF);
    return out;
}

Purpose purpose_of(const nlohmann::json& vector) {
    return vector.at("purpose") == "store" ? Purpose::store : Purpose::transit;
}

// The chunks, sealed with the vector's DEK and salt.
struct Resealed {
    EnvelopeHeader header;
    Bytes chunks;
};
Resealed seal_again(const nlohmann::json& vector, const EnvelopeHeader& header, const KemPrivateKey& key) {
    const Bytes plaintext = plaintext_of(vector.at("plaintext_length"));
    Sealer sealer =
        Sealer::create_with(header.artwork, plaintext.size(), header.recipient, key.public_key(), purpose_of(vector),
                            SecretBytes(vector_bytes(vector.at("data_key"))), header.salt);
    Resealed sealed{sealer.header(), {}};
    EXPECT_TRUE(sealer.seal(plaintext, sealed.chunks));
    EXPECT_TRUE(sealer.finish(sealed.chunks));
    return sealed;
}

// Whether a holder of `key` gets a plaintext out of these bytes.
bool opens(ByteView header_bytes, ByteView chunks, Purpose purpose, const KemPrivateKey& key) {
    const auto header = EnvelopeHeader::parse(header_bytes);
    if (!header) return false;
    EXPECT_EQ(header->encode(), to_bytes(header_bytes));
    const auto data_key = unwrap(*header, purpose, key);
    if (!data_key) return false;
    auto opener = Opener::create(*header, *data_key);
    Bytes out;
    return opener && opener->open(chunks, out) && opener->finish(out);
}

TEST(EnvelopeVectors, OpenAndSealAgainToTheSameBytes) {
    const auto vectors = load_project_vectors("envelope.json").at("envelopes");
    ASSERT_GT(vectors.size(), 0U);
    for (const auto& vector : vectors) {
        SCOPED_TRACE(vector.at("key").get<std::string>() + " " + vector.at("plaintext_length").dump());
        const auto key = vector_key<KemPrivateKey>(vector.at("key"));
        const Bytes bytes = vector_bytes(vector.at("header"));
        const auto parsed = EnvelopeHeader::parse(bytes);
        ASSERT_TRUE(parsed);
        EXPECT_EQ(parsed->encode(), bytes);
        EXPECT_EQ(parsed->artwork.view(), vector.at("artwork").get<std::string>());
        EXPECT_EQ(parsed->recipient, vector_digest(vector.at("recipient")));
        EXPECT_EQ(parsed->context(), vector_bytes(vector.at("context")));
        EXPECT_EQ(parsed->wrap_label(purpose_of(vector)), vector_bytes(vector.at("wrap_label")));
        EXPECT_EQ(parsed->commitment, vector_digest(vector.at("commitment")));
        EXPECT_EQ(sealed_size(parsed->plaintext_length), vector.at("sealed_size").get<std::uint64_t>());
        const auto data_key = unwrap(*parsed, purpose_of(vector), key);
        ASSERT_TRUE(data_key);
        EXPECT_EQ(to_hex(data_key->reveal()), vector.at("data_key").get<std::string>());

        const Resealed sealed = seal_again(vector, *parsed, key);
        EXPECT_EQ(sealed.header.commitment, parsed->commitment);
        EXPECT_EQ(sealed.header.kem_id, parsed->kem_id);
        EXPECT_EQ(sha256(sealed.chunks), vector_digest(vector.at("sealed_sha256")));
        const Bytes first = vector_bytes(vector.at("first_bytes"));
        EXPECT_TRUE(std::equal(first.begin(), first.end(), sealed.chunks.begin()));
        EXPECT_TRUE(opens(bytes, sealed.chunks, purpose_of(vector), key));
    }
}

TEST(EnvelopeVectors, AFlippedBitInAnyByteOfTheHeaderIsRefused) {
    const auto vector = load_project_vectors("envelope.json").at("envelopes").at(1);
    const auto key = vector_key<KemPrivateKey>(vector.at("key"));
    const Bytes bytes = vector_bytes(vector.at("header"));
    const Bytes chunks = seal_again(vector, EnvelopeHeader::parse(bytes).value(), key).chunks;
    ASSERT_TRUE(opens(bytes, chunks, Purpose::transit, key));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        Bytes wrong = bytes;
        wrong[at] ^= static_cast<std::byte>(1U << (at % 8));
        EXPECT_FALSE(opens(wrong, chunks, Purpose::transit, key)) << "byte " << at;
    }
    for (std::size_t at = 0; at < chunks.size(); ++at) {
        Bytes wrong = chunks;
        wrong[at] ^= static_cast<std::byte>(1U << (at % 8));
        EXPECT_FALSE(opens(bytes, wrong, Purpose::transit, key)) << "chunk byte " << at;
    }
}

}  // namespace
}  // namespace sat
