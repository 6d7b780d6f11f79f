// The Merkle tree over the ledger's leaves (RFC 6962, 2.1): roots, the proofs that a vault gives and everybody checks.
// Pure: proofs are made over a reader of nodes, checked over nothing.  docs/protocol.md, "Tree and proofs".
//
// A node is named by its level and its number on it: node (l, i) is the root of the 2^l leaves from i * 2^l on.  Only
// such complete subtrees are ever kept; what stands at the right edge of a tree is hashed from them when it is asked
// for, and so are the roots of all earlier trees.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace sat {

inline constexpr std::uint64_t kMaxTreeSize = std::uint64_t{1} << 52;
// Of a consistency proof in a tree of kMaxTreeSize; an inclusion proof has one node less.
inline constexpr std::size_t kMaxProof = 53;

// A ledger's size and its root at that size.
struct TreeHead {
    std::uint64_t size = 0;
    Digest root;
    bool operator==(const TreeHead&) const = default;
};

using MerkleProof = std::vector<Digest>;  // lowest node first

// H(01 || left || right)
Digest node_hash(const Digest& left, const Digest& right);
// H(""), the root of the tree without leaves.
const Digest& empty_root();

// checkpoint_inconsistent unless `proof` is RFC 6962's audit path (2.1.1) of the leaf at `index` in the tree of `size`
// leaves with that root, and not a node longer.  RFC 9162, 2.1.3.2.
Result<void> verify_inclusion(const LeafHash& leaf, std::uint64_t index, std::uint64_t size,
                              std::span<const Digest> proof, const Digest& root);

// checkpoint_inconsistent unless `proof` shows that the older tree is the beginning of the newer one (RFC 9162,
// 2.1.4.2).  Between equal sizes and from the empty tree the proof is empty; a size of 0 has empty_root() alone.
Result<void> verify_consistency(const TreeHead& older, const TreeHead& newer, std::span<const Digest> proof);

// A tree that grows by a leaf at a time and keeps no more than the complete subtrees at its edge.
class MerkleBuilder {
public:
    MerkleBuilder() = default;
    // Goes on at `size` with what edge() gave there: asserts one subtree for each bit of `size`.
    MerkleBuilder(std::uint64_t size, std::vector<Digest> edge);

    void append(const LeafHash& leaf) {
        append(leaf, [](unsigned, std::uint64_t, const Digest&) {});
    }
    // Tells of each node above level 0 that the leaf makes complete: on_node(level, number, hash), lowest first.
    template <typename OnNode>
    void append(const LeafHash& leaf, OnNode on_node) {
        Digest node = leaf;
        unsigned level = 0;
        for (std::uint64_t number = size_; (number & 1) != 0; number >>= 1) {
            node = node_hash(edge_.back(), node);
            edge_.pop_back();
            on_node(++level, number >> 1, node);
        }
        edge_.push_back(node);
        ++size_;
    }

    std::uint64_t size() const noexcept { return size_; }
    Digest root() const;
    TreeHead head() const { return {size_, root()}; }
    // The complete subtrees that make up the tree, the largest first.
    const std::vector<Digest>& edge() const noexcept { return edge_; }

private:
    std::uint64_t size_ = 0;
    std::vector<Digest> edge_;
};

// Where complete subtrees are kept.
class MerkleNodes {
public:
    MerkleNodes() = default;
    MerkleNodes(const MerkleNodes&) = delete;
    MerkleNodes& operator=(const MerkleNodes&) = delete;
    virtual ~MerkleNodes() = default;

    // The node, which is complete in the tree that is asked about; level 0 are the leaf hashes.
    virtual Result<Digest> node(unsigned level, std::uint64_t number) = 0;
};

// Each reads at most 2 * kMaxProof nodes and hands on the reader's errors.  All nodes of the tree of `size` leaves must
// be there.

// What MerkleBuilder goes on from.
Result<MerkleBuilder> tree_at(MerkleNodes& nodes, std::uint64_t size);
Result<Digest> tree_root(MerkleNodes& nodes, std::uint64_t size);
// Asserts index < size.
Result<MerkleProof> inclusion_proof(MerkleNodes& nodes, std::uint64_t index, std::uint64_t size);
// Asserts older <= size.
Result<MerkleProof> consistency_proof(MerkleNodes& nodes, std::uint64_t older, std::uint64_t size);

}  // namespace sat
