// tests/vectors/interop/ledger.json, made by the second implementation (tests/interop): leaves, roots, every proof, a
// checkpoint with cosignatures, a head and a certificate, verified here and replayed wrong.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "ledger/certificate.h"
#include "support/project_vectors.h"

namespace sat {
namespace {

const nlohmann::json& vectors() {
    static const nlohmann::json loaded = load_project_vectors("interop/ledger.json");
    return loaded;
}

std::vector<LeafHash> leaves() {
    std::vector<LeafHash> out;
    for (const auto& leaf : vectors().at("leaves")) {
        out.push_back(leaf_hash(leaf.at("entry").get<std::string>()));
        EXPECT_EQ(out.back(), vector_digest(leaf.at("hash")));
    }
    EXPECT_GT(out.size(), 0U);
    return out;
}

TreeHead head_at(std::uint64_t size) { return {size, vector_digest(vectors().at("roots").at(size))}; }

MerkleProof proof_of(const nlohmann::json& vector) {
    MerkleProof proof;
    for (const auto& node : vector.at("proof")) proof.push_back(vector_digest(node));
    return proof;
}

IdentityChain vault_chain() {
    return IdentityChain::from_documents(vectors().at("vault").at("chain").get<std::vector<std::string>>()).value();
}

TEST(InteropLedger, RootsAreThoseOfTheGrowingTree) {
    MerkleBuilder tree;
    EXPECT_EQ(tree.head(), head_at(0));
    for (const LeafHash& leaf : leaves()) {
        tree.append(leaf);
        EXPECT_EQ(tree.head(), head_at(tree.size()));
    }
    EXPECT_EQ(vectors().at("roots").size(), tree.size() + 1);
}

TEST(InteropLedger, EveryInclusionProofHoldsForItsLeafAlone) {
    const std::vector<LeafHash> hashes = leaves();
    ASSERT_GT(vectors().at("inclusion").size(), 0U);
    for (const auto& vector : vectors().at("inclusion")) {
        const std::uint64_t size = vector.at("size");
        const std::uint64_t index = vector.at("index");
        const MerkleProof proof = proof_of(vector);
        for (std::uint64_t other = 0; other < hashes.size(); ++other) {
            EXPECT_EQ(verify_inclusion(hashes[other], index, size, proof, head_at(size).root).has_value(),
                      other == index);
        }
        MerkleProof longer = proof;
        longer.push_back(hashes[0]);
        EXPECT_FALSE(verify_inclusion(hashes[index], index, size, longer, head_at(size).root));
    }
}

TEST(InteropLedger, EveryConsistencyProofHoldsBetweenItsTreesAlone) {
    ASSERT_GT(vectors().at("consistency").size(), 0U);
    for (const auto& vector : vectors().at("consistency")) {
        const TreeHead older = head_at(vector.at("old"));
        const TreeHead newer = head_at(vector.at("size"));
        MerkleProof proof = proof_of(vector);
        EXPECT_TRUE(verify_consistency(older, newer, proof));
        EXPECT_FALSE(verify_consistency({older.size, sha256(as_bytes("another"))}, newer, proof));
        proof.push_back(newer.root);
        EXPECT_FALSE(verify_consistency(older, newer, proof));
    }
}

TEST(InteropLedger, TheCheckpointIsSignedAgainToTheSameNote) {
    const IdentityChain vault = vault_chain();
    const LogKey key = vector_key<LogKey>("vault-log");
    EXPECT_EQ(encode_vkey(vault_note_name(vault.wallet()), key.public_key()), vectors().at("vault").at("log"));
    const TreeHead head = head_at(leaves().size());
    const std::string note = vectors().at("checkpoint");
    EXPECT_EQ(sign_checkpoint(vault.wallet(), head, key), note);
    EXPECT_EQ(open_checkpoint(note, vault.wallet(), key.public_key()), head);
    for (std::size_t at = 0; at < note.size(); ++at) {
        std::string wrong = note;
        wrong[at] = static_cast<char>(wrong[at] ^ 1);
        EXPECT_FALSE(open_checkpoint(wrong, vault.wallet(), key.public_key())) << at;
    }
}

TEST(InteropLedger, CosignaturesAreTheWitnesses) {
    const std::string note = vectors().at("cosigned");
    const auto read = SignedNote::parse(note);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->encode(), note);
    EXPECT_EQ(open_checkpoint(note, vault_chain().wallet(), vector_key<LogKey>("vault-log").public_key()),
              head_at(leaves().size()));
    ASSERT_GT(vectors().at("witnesses").size(), 0U);
    for (const auto& witness : vectors().at("witnesses")) {
        const auto key = WitnessKey::parse(witness.at("key").get<std::string>());
        ASSERT_TRUE(key);
        EXPECT_EQ(key->name, witness.at("name"));
        EXPECT_EQ(verify_cosignature(*read, *key), witness.at("time").get<UnixTime>());
        EXPECT_FALSE(
            verify_cosignature(SignedNote::parse(vectors().at("checkpoint").get<std::string>()).value(), *key));
    }
}

TEST(InteropLedger, TheCertificateProvesTheOwner) {
    const std::string text = vectors().at("certificate");
    const auto certificate = Certificate::parse(text);
    ASSERT_TRUE(certificate) << certificate.error().message;
    EXPECT_EQ(certificate->encode(), text);
    EXPECT_EQ(certificate->head, vectors().at("head_statement"));
    const auto proved = verify_certificate(*certificate);
    ASSERT_TRUE(proved) << proved.error().message;
    EXPECT_EQ(proved->vault.wallet(), vault_chain().wallet());
    EXPECT_EQ(proved->history.owner(), vector_digest(vectors().at("owner")));
    EXPECT_EQ(proved->history.head(), vector_digest(vectors().at("head")));
    EXPECT_EQ(proved->history.seq(), vectors().at("seq"));
    EXPECT_EQ(proved->history.registration.body.sha256, vector_digest(vectors().at("image_sha256")));
    EXPECT_EQ(proved->history.holds.size(), 1U);
    EXPECT_FALSE(proved->history.held());
    EXPECT_EQ(proved->tree, head_at(leaves().size()));
    EXPECT_EQ(proved->signers.size(), 2U);
    EXPECT_EQ(proved->witnesses.size(), vectors().at("witnesses").size());
}

TEST(InteropLedger, TheCertificateIsRefusedWithAnyByteChanged) {
    const std::string text = vectors().at("certificate");
    for (std::size_t at = 0; at < text.size(); at += 53) {
        std::string wrong = text;
        wrong[at] = static_cast<char>(wrong[at] ^ 1);
        const auto certificate = Certificate::parse(wrong);
        const bool verified = certificate && verify_certificate(*certificate).has_value() &&
                              verify_certificate(*certificate)->vault.wallet() == vault_chain().wallet();
        EXPECT_FALSE(verified) << at;
    }
}

}  // namespace
}  // namespace sat
