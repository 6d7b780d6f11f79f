// tests/vectors/interop/envelope.json, made by the second implementation (tests/interop): opened, sealed again, chunk
// by chunk, and replayed wrong.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

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
    return vector.at("purpose") == "SAT/1 store" ? Purpose::store : Purpose::transit;
}

KemPrivateKey key_of(const nlohmann::json& vector) {
    for (const std::string name : {"vault-kem", "vault-store", "collector-kem"}) {
        auto key = vector_key<KemPrivateKey>(name);
        if (key.public_key().id() == vector_digest(vector.at("kem_id"))) return key;
    }
    throw std::runtime_error("no test key has this id");
}

TEST(InteropEnvelopes, OpenAndSealAgainToTheSameChunks) {
    const auto vectors = load_project_vectors("interop/envelope.json").at("envelopes");
    ASSERT_GT(vectors.size(), 0U);
    for (const auto& vector : vectors) {
        SCOPED_TRACE(vector.at("artwork"));
        const KemPrivateKey key = key_of(vector);
        const Bytes bytes = vector_bytes(vector.at("header"));
        const auto header = EnvelopeHeader::parse(bytes);
        ASSERT_TRUE(header);
        EXPECT_EQ(header->encode(), bytes);
        EXPECT_EQ(header->artwork.view(), vector.at("artwork").get<std::string>());
        EXPECT_EQ(header->plaintext_length, vector.at("plaintext_length").get<std::uint64_t>());
        EXPECT_EQ(header->recipient, vector_digest(vector.at("recipient")));
        EXPECT_EQ(header->context(), vector_bytes(vector.at("context")));
        EXPECT_EQ(header->wrap_label(purpose_of(vector)), vector_bytes(vector.at("wrap_label")));
        const auto data_key = unwrap(*header, purpose_of(vector), key);
        ASSERT_TRUE(data_key);
        EXPECT_EQ(to_bytes(data_key->reveal()), vector_bytes(vector.at("data_key")));
        const auto keys = Cobblestone::derive(*data_key, header->salt, header->context());
        ASSERT_TRUE(keys);
        EXPECT_EQ(keys->commitment(), vector_digest(vector.at("commitment")));

        const Bytes plaintext = plaintext_of(header->plaintext_length);
        EXPECT_EQ(sha256(plaintext), vector_digest(vector.at("plaintext_sha256")));
        Sealer sealer = Sealer::create_with(header->artwork, plaintext.size(), header->recipient, key.public_key(),
                                            purpose_of(vector), *data_key, header->salt);
        Bytes sealed;
        ASSERT_TRUE(sealer.seal(plaintext, sealed));
        ASSERT_TRUE(sealer.finish(sealed));
        EXPECT_EQ(sealed.size(), vector.at("sealed_length").get<std::size_t>());
        EXPECT_EQ(sealed_size(plaintext.size()), sealed.size());
        EXPECT_EQ(sha256(sealed), vector_digest(vector.at("sealed_sha256")));
        std::size_t at = 0;
        for (const auto& chunk : vector.at("chunks")) {
            const ByteView part = ByteView(sealed).subspan(at, chunk.at("length").get<std::size_t>());
            EXPECT_EQ(sha256(part), vector_digest(chunk.at("sha256"))) << at;
            EXPECT_EQ(to_hex(part.last(16)), chunk.at("tag")) << at;
            at += part.size();
        }
        EXPECT_EQ(at, sealed.size());

        auto opener = Opener::create(*header, *data_key);
        Bytes opened;
        ASSERT_TRUE(opener && opener->open(sealed, opened) && opener->finish(opened));
        EXPECT_EQ(opened, plaintext);
    }
}

TEST(InteropEnvelopes, AreForTheirPurposeAndTheirHeaderAlone) {
    const auto vectors = load_project_vectors("interop/envelope.json").at("envelopes");
    for (const auto& vector : vectors) {
        SCOPED_TRACE(vector.at("artwork"));
        const KemPrivateKey key = key_of(vector);
        const Bytes bytes = vector_bytes(vector.at("header"));
        const auto opens = [&](ByteView header_bytes, Purpose purpose) {
            const auto header = EnvelopeHeader::parse(header_bytes);
            if (!header) return false;
            const auto data_key = unwrap(*header, purpose, key);
            return data_key && Opener::create(*header, *data_key);
        };
        const Purpose purpose = purpose_of(vector);
        EXPECT_TRUE(opens(bytes, purpose));
        EXPECT_FALSE(opens(bytes, purpose == Purpose::store ? Purpose::transit : Purpose::store));
        for (std::size_t at = 0; at < bytes.size(); at += 23) {
            Bytes wrong = bytes;
            wrong[at] ^= static_cast<std::byte>(1U << (at % 8));
            // The plaintext's length is bound by the stream, not by the key.
            if (at >= 24 && at < 32) continue;
            EXPECT_FALSE(opens(wrong, purpose)) << at;
        }
    }
}

}  // namespace
}  // namespace sat
