// Merkle trees: roots and proofs against a naive implementation from RFC 6962's definitions, proofs replayed wrong,
// and the probes of transparency-dev/merkle.
// SPDX-License-Identifier: Apache-2.0
#include "ledger/merkle.h"

#include <gtest/gtest.h>

#include <bit>
#include <map>
#include <random>
#include <string>

#include "base/assert.h"
#include "crypto/hash.h"
#include "support/vectors.h"

namespace sat {
namespace {

using Leaves = std::span<const LeafHash>;

// MTH, PATH and SUBPROOF, word for word.
std::size_t split(std::size_t n) {
    std::size_t k = 1;
    while (2 * k < n) k *= 2;
    return k;
}

Digest naive_root(Leaves d) {
    if (d.empty()) return sha256(ByteView());
    if (d.size() == 1) return d[0];
    const std::size_t k = split(d.size());
    return node_hash(naive_root(d.first(k)), naive_root(d.subspan(k)));
}

MerkleProof naive_path(std::size_t m, Leaves d) {
    if (d.size() == 1) return {};
    const std::size_t k = split(d.size());
    MerkleProof path = m < k ? naive_path(m, d.first(k)) : naive_path(m - k, d.subspan(k));
    path.push_back(m < k ? naive_root(d.subspan(k)) : naive_root(d.first(k)));
    return path;
}

MerkleProof naive_subproof(std::size_t m, Leaves d, bool known) {
    if (m == d.size()) return known ? MerkleProof{} : MerkleProof{naive_root(d)};
    const std::size_t k = split(d.size());
    MerkleProof proof = m <= k ? naive_subproof(m, d.first(k), known) : naive_subproof(m - k, d.subspan(k), false);
    proof.push_back(m <= k ? naive_root(d.subspan(k)) : naive_root(d.first(k)));
    return proof;
}

MerkleProof naive_consistency(std::size_t m, Leaves d) { return m == 0 ? MerkleProof{} : naive_subproof(m, d, true); }

std::vector<LeafHash> random_leaves(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<LeafHash> leaves(count);
    for (LeafHash& leaf : leaves) leaf = sha256(as_bytes(std::to_string(random())));
    return leaves;
}

// The nodes that a MerkleBuilder told of, and how many were asked for.
class KeptNodes final : public MerkleNodes {
public:
    explicit KeptNodes(Leaves leaves) {
        for (const LeafHash& leaf : leaves) add(leaf);
    }
    void add(const LeafHash& leaf) {
        nodes_[{0, tree.size()}] = leaf;
        tree.append(leaf, [&](unsigned level, std::uint64_t number, const Digest& hash) {
            EXPECT_TRUE(nodes_.emplace(std::pair(level, number), hash).second);
        });
    }
    Result<Digest> node(unsigned level, std::uint64_t number) override {
        ++reads;
        const auto found = nodes_.find({level, number});
        if (found == nodes_.end()) return fail(Errc::io_error, "no such node");
        return found->second;
    }

    MerkleBuilder tree;
    std::size_t reads = 0;

private:
    std::map<std::pair<unsigned, std::uint64_t>, Digest> nodes_;
};

TEST(MerkleTree, RootsAndProofsOfEverySizeAreTheDefinitions) {
    constexpr std::size_t kMost = 300;
    const std::vector<LeafHash> leaves = random_leaves(kMost, 1);
    KeptNodes nodes(leaves);
    MerkleBuilder growing;
    std::mt19937 random(2);
    for (std::size_t size = 0; size <= kMost; ++size) {
        SCOPED_TRACE(size);
        const Leaves tree = Leaves(leaves).first(size);
        const Digest root = naive_root(tree);
        EXPECT_EQ(growing.head(), (TreeHead{size, root}));
        EXPECT_EQ(tree_root(nodes, size), root);
        const auto continued = tree_at(nodes, size);
        ASSERT_TRUE(continued);
        EXPECT_EQ(continued->head(), growing.head());
        EXPECT_EQ(continued->edge(), growing.edge());
        for (int probe = 0; probe < 8 && size > 0; ++probe) {
            const std::size_t index = random() % size;
            const auto path = inclusion_proof(nodes, index, size);
            ASSERT_TRUE(path);
            EXPECT_EQ(*path, naive_path(index, tree)) << index;
            EXPECT_TRUE(verify_inclusion(leaves[index], index, size, *path, root)) << index;
            const std::size_t older = random() % (size + 1);
            const auto proof = consistency_proof(nodes, older, size);
            ASSERT_TRUE(proof);
            EXPECT_EQ(*proof, naive_consistency(older, tree)) << older;
            EXPECT_TRUE(verify_consistency({older, naive_root(tree.first(older))}, {size, root}, *proof)) << older;
        }
        if (size < kMost) growing.append(leaves[size]);
    }
}

TEST(MerkleTree, TheEmptyTreesRootIsTheHashOfNothing) {
    EXPECT_EQ(empty_root().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(MerkleBuilder().head(), (TreeHead{0, empty_root()}));
}

// Every way in which one proof is made another: a node dropped, doubled, flipped, swapped with the next, or added.
std::vector<MerkleProof> mutated(const MerkleProof& proof) {
    std::vector<MerkleProof> out;
    const Digest foreign = sha256(as_bytes("foreign"));
    for (std::size_t i = 0; i <= proof.size(); ++i) {
        MerkleProof wrong = proof;
        wrong.insert(wrong.begin() + static_cast<std::ptrdiff_t>(i), foreign);
        out.push_back(wrong);
        if (i == proof.size()) break;
        const auto at = static_cast<std::ptrdiff_t>(i);
        wrong = proof;
        wrong.erase(wrong.begin() + at);
        out.push_back(wrong);
        wrong = proof;
        wrong.insert(wrong.begin() + at, proof[i]);
        out.push_back(wrong);
        for (const std::size_t byte : {std::size_t{0}, Digest::kSize - 1}) {
            wrong = proof;
            wrong[i].bytes[byte] ^= std::byte{1};
            out.push_back(wrong);
        }
        if (i + 1 < proof.size()) {
            wrong = proof;
            std::swap(wrong[i], wrong[i + 1]);
            out.push_back(wrong);
        }
    }
    MerkleProof whole(kMaxProof + 1, foreign);
    out.push_back(whole);
    return out;
}

TEST(MerkleProofs, OfAllPairsOfSmallSizesHoldAndMutatedDoNot) {
    constexpr std::size_t kMost = 33;
    const std::vector<LeafHash> leaves = random_leaves(kMost, 3);
    KeptNodes nodes(leaves);
    std::vector<Digest> roots;
    for (std::size_t size = 0; size <= kMost; ++size) roots.push_back(naive_root(Leaves(leaves).first(size)));

    for (std::size_t size = 1; size <= kMost; ++size) {
        for (std::size_t index = 0; index < size; ++index) {
            SCOPED_TRACE(testing::Message() << "leaf " << index << " of " << size);
            const auto proof = inclusion_proof(nodes, index, size);
            ASSERT_TRUE(proof);
            EXPECT_TRUE(verify_inclusion(leaves[index], index, size, *proof, roots[size]));
            for (const MerkleProof& wrong : mutated(*proof)) {
                const auto refused = verify_inclusion(leaves[index], index, size, wrong, roots[size]);
                ASSERT_FALSE(refused);
                EXPECT_EQ(refused.error().code, Errc::checkpoint_inconsistent);
            }
            for (std::size_t other = 0; other <= size + 1; ++other) {
                if (other == index) continue;
                EXPECT_FALSE(verify_inclusion(leaves[index], other, size, *proof, roots[size])) << other;
            }
            EXPECT_FALSE(verify_inclusion(leaves[(index + 1) % kMost], index, size, *proof, roots[size]));
            EXPECT_FALSE(verify_inclusion(leaves[index], index, size, *proof, roots[size - 1]));
        }
        for (std::size_t older = 0; older <= size; ++older) {
            SCOPED_TRACE(testing::Message() << older << " within " << size);
            const TreeHead from{older, roots[older]};
            const TreeHead to{size, roots[size]};
            const auto proof = consistency_proof(nodes, older, size);
            ASSERT_TRUE(proof);
            EXPECT_TRUE(verify_consistency(from, to, *proof));
            for (const MerkleProof& wrong : mutated(*proof)) {
                const auto refused = verify_consistency(from, to, wrong);
                ASSERT_FALSE(refused);
                EXPECT_EQ(refused.error().code, Errc::checkpoint_inconsistent);
            }
            EXPECT_FALSE(verify_consistency({older, sha256(as_bytes("foreign"))}, to, *proof));
            if (older == 0) continue;
            EXPECT_FALSE(verify_consistency(from, {size, sha256(as_bytes("foreign"))}, *proof));
            if (older != size) {
                EXPECT_FALSE(verify_consistency(to, from, *proof));
            }
        }
    }
}

TEST(MerkleProofs, OfSizesThatCannotBeAreRefused) {
    const LeafHash leaf = sha256(as_bytes("leaf"));
    const MerkleProof proof(52, leaf);
    for (const std::uint64_t size : {std::uint64_t{0}, kMaxTreeSize + 1, ~std::uint64_t{0}})
        EXPECT_FALSE(verify_inclusion(leaf, 0, size, {}, leaf)) << size;
    EXPECT_FALSE(verify_inclusion(leaf, ~std::uint64_t{0}, 1, {}, leaf));
    EXPECT_FALSE(verify_inclusion(leaf, 1, 1, {}, leaf));
    EXPECT_TRUE(verify_inclusion(leaf, 0, 1, {}, leaf));
    EXPECT_FALSE(verify_inclusion(leaf, 0, kMaxTreeSize, proof, leaf));
    EXPECT_TRUE(verify_consistency({}, {}, {}).error().code == Errc::checkpoint_inconsistent);
    EXPECT_TRUE(verify_consistency({0, empty_root()}, {0, empty_root()}, {}));
    EXPECT_TRUE(verify_consistency({0, empty_root()}, {kMaxTreeSize, leaf}, {}));
    EXPECT_FALSE(verify_consistency({0, leaf}, {0, leaf}, {}));
    EXPECT_FALSE(verify_consistency({0, leaf}, {5, leaf}, {}));
    EXPECT_FALSE(verify_consistency({1, leaf}, {kMaxTreeSize + 1, leaf}, proof));
    EXPECT_FALSE(verify_consistency({kMaxTreeSize + 1, leaf}, {kMaxTreeSize + 1, leaf}, {}));
    EXPECT_FALSE(verify_consistency({1, leaf}, {2, leaf}, {}));
}

// A tree whose leaves are all alike has one node a level, so that it needs no room.
class LevelNodes final : public MerkleNodes {
public:
    LevelNodes() {
        levels_.push_back(sha256(as_bytes("leaf")));
        while (levels_.size() <= 52) levels_.push_back(node_hash(levels_.back(), levels_.back()));
    }
    Result<Digest> node(unsigned level, std::uint64_t number) override {
        ++reads;
        SAT_ASSERT(level < levels_.size() && number < (kMaxTreeSize >> level));
        return levels_[level];
    }
    const LeafHash& leaf() const { return levels_[0]; }
    std::size_t reads = 0;

private:
    std::vector<Digest> levels_;
};

TEST(MerkleProofs, OfLargeTreesReadAFewNodesOnly) {
    LevelNodes nodes;
    std::mt19937_64 random(4);
    for (const unsigned levels : {20U, 52U}) {
        const std::uint64_t whole = std::uint64_t{1} << levels;
        std::vector<std::uint64_t> sizes = {whole, whole - 1, whole / 2 + 1, whole / 2};
        for (int i = 0; i < 50; ++i) sizes.push_back(1 + random() % whole);
        for (const std::uint64_t size : sizes) {
            SCOPED_TRACE(size);
            nodes.reads = 0;
            const auto root = tree_root(nodes, size);
            ASSERT_TRUE(root);
            EXPECT_EQ(nodes.reads, static_cast<std::size_t>(std::popcount(size)));
            for (const std::uint64_t index : {std::uint64_t{0}, size / 2, size - 1, random() % size}) {
                nodes.reads = 0;
                const auto proof = inclusion_proof(nodes, index, size);
                ASSERT_TRUE(proof);
                EXPECT_LE(nodes.reads, 2U * levels) << index;
                EXPECT_LT(proof->size(), kMaxProof);
                EXPECT_TRUE(verify_inclusion(nodes.leaf(), index, size, *proof, *root)) << index;
            }
            for (const std::uint64_t older : {std::uint64_t{1}, size / 2, size - 1, 1 + random() % size}) {
                const auto older_root = tree_root(nodes, older);
                ASSERT_TRUE(older_root);
                nodes.reads = 0;
                const auto proof = consistency_proof(nodes, older, size);
                ASSERT_TRUE(proof);
                EXPECT_LE(nodes.reads, 2U * levels + 1) << older;
                EXPECT_LE(proof->size(), kMaxProof);
                EXPECT_TRUE(verify_consistency({older, *older_root}, {size, *root}, *proof)) << older;
            }
        }
    }
}

TEST(MerkleProofs, HandOnWhatTheReaderOfNodesCouldNot) {
    KeptNodes nodes(random_leaves(5, 5));
    EXPECT_EQ(tree_root(nodes, 7).error().code, Errc::io_error);
    EXPECT_EQ(inclusion_proof(nodes, 1, 7).error().code, Errc::io_error);
    EXPECT_EQ(consistency_proof(nodes, 3, 7).error().code, Errc::io_error);
    EXPECT_EQ(tree_at(nodes, 7).error().code, Errc::io_error);
}

// A hash of the probes, some of which are text of another length and equal only themselves.
Digest probe_hash(const nlohmann::json& base64) {
    const Bytes bytes = from_base64(base64.get<std::string>()).value();
    return bytes.size() == Digest::kSize ? Digest::from_bytes(bytes).value() : sha256(bytes);
}

MerkleProof probe_proof(const nlohmann::json& probe) {
    MerkleProof proof;
    for (const auto& hash : probe.at("proof")) proof.push_back(probe_hash(hash));
    return proof;
}

template <typename Verify>
void each_probe(const std::string& kind, Verify verify) {
    const auto folder = vectors_dir() / "merkle" / kind;
    if (!std::filesystem::is_directory(folder)) {
        say_not_run("no vectors at " + folder.string());
        return;
    }
    int count = 0;
    int accepted = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        const auto name = std::filesystem::relative(entry.path(), vectors_dir()).string();
        SCOPED_TRACE(name);
        const auto probe = load_vectors(name);
        ASSERT_TRUE(probe);
        bool wanted = !probe->at("wantErr").get<bool>();
        // The probes refuse to prove anything from an empty tree; RFC 6962 has an empty proof for it, and so do we.
        if (probe->at("desc") == "size1 is zero and size2 is not zero") wanted = true;
        const Result<void> verified = verify(*probe);
        EXPECT_EQ(verified.has_value(), wanted);
        ++count;
        if (verified) ++accepted;
    }
    EXPECT_EQ(count, 98);
    EXPECT_GT(accepted, 0);
}

TEST(MerkleProbes, OfInclusionAreJudgedAlike) {
    each_probe("inclusion", [](const nlohmann::json& probe) {
        const auto leaf = Digest::from_bytes(from_base64(probe.at("leafHash").get<std::string>()).value());
        if (!leaf) return Result<void>(fail(leaf.error()));
        return verify_inclusion(*leaf, probe.at("leafIdx").get<std::uint64_t>(),
                                probe.at("treeSize").get<std::uint64_t>(), probe_proof(probe),
                                probe_hash(probe.at("root")));
    });
}

TEST(MerkleProbes, OfConsistencyAreJudgedAlike) {
    each_probe("consistency", [](const nlohmann::json& probe) {
        return verify_consistency({probe.at("size1").get<std::uint64_t>(), probe_hash(probe.at("root1"))},
                                  {probe.at("size2").get<std::uint64_t>(), probe_hash(probe.at("root2"))},
                                  probe_proof(probe));
    });
}

}  // namespace
}  // namespace sat
