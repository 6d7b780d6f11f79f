// tests/vectors/statements.json, made by an independent program from docs/protocol.md.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "ledger/commitment.h"
#include "ledger/history.h"
#include "ledger/merkle.h"
#include "ledger/vkey.h"
#include "support/project_vectors.h"

namespace sat {
namespace {

const nlohmann::json& vectors() {
    static const nlohmann::json loaded = load_project_vectors("statements.json");
    return loaded;
}

IdentityChain chain_of(const std::string& who) {
    const std::vector<std::string> texts{vectors().at("identities").at(who).at("jws").get<std::string>()};
    return IdentityChain::from_documents(texts).value();
}

template <typename T>
void expect_vector(const nlohmann::json& vector) {
    const std::string signer = vector.at("signer");
    const std::string text = vector.at("jws");
    const auto statement = parse_and_verify<T>(text, chain_of(signer));
    ASSERT_TRUE(statement) << statement.error().message;
    EXPECT_EQ(statement->id, vector_digest(vector.at("id")));
    // Signed again it has the same payload, so the same name; EdDSA gives the very bytes.
    if constexpr (SignedByVault<T>) {
        EXPECT_EQ(sign(statement->body, vector_key<LogKey>("vault-log")), text);
    } else {
        const std::string again = sign(statement->body, vector_key<SigningKey>(signer + "-sign"));
        EXPECT_EQ(again.substr(0, again.rfind('.')), text.substr(0, text.rfind('.')));
    }
    for (std::size_t at = 0; at < text.size(); at += 7) {
        std::string wrong = text;
        wrong[at] = static_cast<char>(wrong[at] ^ 1);
        EXPECT_FALSE(parse_and_verify<T>(wrong, chain_of(signer))) << at;
    }
}

TEST(StatementVectors, IdentitiesVerifyAndSignAgainToTheSameName) {
    for (const std::string who : {"vault", "artist", "collector"}) {
        const IdentityChain chain = chain_of(who);
        EXPECT_EQ(chain.wallet(), vector_digest(vectors().at("wallets").at(who)));
        EXPECT_EQ(chain.newest_id(), vector_digest(vectors().at("identities").at(who).at("id")));
        std::optional<LogVerifyKey> log;
        if (who == "vault") log = vector_key<LogKey>("vault-log").public_key();
        const IdentityChain again =
            make_identity(chain.kind(), vector_key<SigningKey>(who + "-sign"),
                          vector_key<KemPrivateKey>(who + "-kem").public_key(), log, chain.documents()[0].iat);
        EXPECT_EQ(compare_chains(chain, again), ChainOrder::same);
    }
    EXPECT_EQ(encode_vkey(vault_note_name(chain_of("vault").wallet()), vector_key<LogKey>("vault-log").public_key()),
              vectors().at("vault_key").get<std::string>());
}

TEST(StatementVectors, EveryStatementVerifiesAndReplayedWrongDoesNot) {
    std::map<std::string, int> seen;
    for (const auto& vector : vectors().at("statements")) {
        const std::string type = vector.at("type");
        SCOPED_TRACE(type);
        ++seen[type];
        if (type == Registration::kType) expect_vector<Registration>(vector);
        if (type == Claim::kType) expect_vector<Claim>(vector);
        if (type == Answer::kType) expect_vector<Answer>(vector);
        if (type == Accept::kType) expect_vector<Accept>(vector);
        if (type == Withdraw::kType) expect_vector<Withdraw>(vector);
        if (type == Hold::kType) expect_vector<Hold>(vector);
        if (type == Release::kType) expect_vector<Release>(vector);
        if (type == Head::kType) expect_vector<Head>(vector);
        if (type == Receipt::kType) expect_vector<Receipt>(vector);
    }
    EXPECT_EQ(seen.size(), 9U);
}

TEST(StatementVectors, TheLeavesAreAHistory) {
    std::map<Wallet, IdentityChain> people;
    for (const std::string who : {"artist", "collector"}) people.emplace(chain_of(who).wallet(), chain_of(who));
    std::vector<std::string> leaves;
    for (const auto& leaf : vectors().at("leaves")) {
        leaves.push_back(leaf.at("entry"));
        EXPECT_EQ(leaf_hash(leaves.back()), vector_digest(leaf.at("hash")));
        EXPECT_EQ(Leaf::parse(leaves.back())->encode(), leaves.back());
    }
    const auto artwork = ArtworkId::from_canonical(vectors().at("artwork").get<std::string>()).value();
    const auto history = verify_history(
        artwork, chain_of("vault"),
        [&](const Wallet& wallet) -> const IdentityChain* {
            const auto found = people.find(wallet);
            return found == people.end() ? nullptr : &found->second;
        },
        leaves);
    ASSERT_TRUE(history) << history.error().message;
    EXPECT_EQ(history->owner(), chain_of("collector").wallet());
    EXPECT_EQ(history->seq(), 1U);
    EXPECT_EQ(history->holds.size(), 1U);
}

TEST(StatementVectors, TheHeadIsOfTheTreeOfTheLeaves) {
    MerkleBuilder tree;
    for (const auto& leaf : vectors().at("leaves")) tree.append(vector_digest(leaf.at("hash")));
    int heads = 0;
    for (const auto& vector : vectors().at("statements")) {
        if (vector.at("type") != Head::kType) continue;
        EXPECT_EQ(parse_statement<Head>(vector.at("jws").get<std::string>())->body.tree, tree.head());
        ++heads;
    }
    EXPECT_EQ(heads, 1);
}

MerkleProof proof_of(const nlohmann::json& vector) {
    MerkleProof proof;
    for (const auto& hash : vector.at("proof")) proof.push_back(vector_digest(hash));
    return proof;
}

TEST(MerkleVectors, RootsAndProofsVerify) {
    const nlohmann::json tree = load_project_vectors("merkle.json");
    MerkleBuilder growing;
    std::vector<TreeHead> heads = {growing.head()};
    for (const auto& leaf : tree.at("leaves")) {
        growing.append(vector_digest(leaf));
        heads.push_back(growing.head());
    }
    ASSERT_EQ(tree.at("roots").size(), heads.size());
    for (std::size_t size = 0; size < heads.size(); ++size)
        EXPECT_EQ(heads[size].root, vector_digest(tree.at("roots")[size])) << size;
    for (const auto& vector : tree.at("inclusion")) {
        const auto index = vector.at("index").get<std::size_t>();
        const TreeHead& head = heads.at(vector.at("size").get<std::size_t>());
        const LeafHash leaf = vector_digest(tree.at("leaves").at(index));
        EXPECT_TRUE(verify_inclusion(leaf, index, head.size, proof_of(vector), head.root)) << vector.dump();
    }
    for (const auto& vector : tree.at("consistency")) {
        const TreeHead& older = heads.at(vector.at("old").get<std::size_t>());
        const TreeHead& newer = heads.at(vector.at("size").get<std::size_t>());
        EXPECT_TRUE(verify_consistency(older, newer, proof_of(vector))) << vector.dump();
    }
    EXPECT_EQ(tree.at("inclusion").size(), 17U * 18 / 2);
    EXPECT_EQ(tree.at("consistency").size(), 18U * 19 / 2);
}

TEST(StatementVectors, CommitmentsAgree) {
    int count = 0;
    for (const auto& vector : vectors().at("commitments")) {
        CommitSalt salt;
        const Bytes bytes = vector_bytes(vector.at("salt"));
        ASSERT_EQ(bytes.size(), salt.size());
        std::copy(bytes.begin(), bytes.end(), salt.begin());
        const std::string content = vector.at("content");
        const Digest commit = vector.at("kind") == "text" ? text_commit(salt, content) : metadata_commit(salt, content);
        EXPECT_EQ(commit, vector_digest(vector.at("commit")));
        ++count;
    }
    EXPECT_EQ(count, 2);
}

}  // namespace
}  // namespace sat
