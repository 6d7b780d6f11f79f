// SPDX-License-Identifier: Apache-2.0
#include "ledger/merkle.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "crypto/hash.h"

namespace sat {

namespace {

constexpr std::byte kNodePrefix{0x01};

tl::unexpected<Error> refuse(const char* why) { return fail(Errc::checkpoint_inconsistent, why); }

bool odd(std::uint64_t number) noexcept { return (number & 1) != 0; }

// The root of the tree that the subtrees, largest first, make up.
Digest join(std::span<const Digest> subtrees) {
    if (subtrees.empty()) return empty_root();
    Digest root = subtrees.back();
    for (std::size_t i = subtrees.size() - 1; i-- > 0;) root = node_hash(subtrees[i], root);
    return root;
}

// The complete subtrees of the leaves from `begin` up to `end`, largest first.  `begin` is a multiple of the largest.
Result<std::vector<Digest>> subtrees_of(MerkleNodes& nodes, std::uint64_t begin, std::uint64_t end) {
    std::vector<Digest> out;
    while (begin < end) {
        const std::uint64_t width = std::bit_floor(end - begin);
        const auto level = static_cast<unsigned>(std::countr_zero(width));
        SAT_ASSERT(begin % width == 0);
        SAT_TRY_VALUE(Digest node, nodes.node(level, begin >> level));
        out.push_back(node);
        begin += width;
    }
    return out;
}

Result<Digest> root_of(MerkleNodes& nodes, std::uint64_t begin, std::uint64_t end) {
    SAT_TRY_VALUE(const std::vector<Digest> subtrees, subtrees_of(nodes, begin, end));
    return join(subtrees);
}

// How many of `width` leaves stand on the left: the largest power of two below it.
std::uint64_t left_of(std::uint64_t width) noexcept { return std::bit_floor(width - 1); }

}  // namespace

Digest node_hash(const Digest& left, const Digest& right) {
    return sha256({ByteView(&kNodePrefix, 1), left.view(), right.view()});
}

const Digest& empty_root() {
    static const Digest root = sha256(ByteView());
    return root;
}

Result<void> verify_inclusion(const LeafHash& leaf, std::uint64_t index, std::uint64_t size,
                              std::span<const Digest> proof, const Digest& root) {
    if (size > kMaxTreeSize) return refuse("a tree larger than there can be");
    if (index >= size) return refuse("the leaf's index is beyond the tree");
    std::uint64_t fn = index;
    std::uint64_t sn = size - 1;
    Digest r = leaf;
    for (const Digest& p : proof) {
        if (sn == 0) return refuse("the inclusion proof is too long");
        if (odd(fn) || fn == sn) {
            r = node_hash(p, r);
            while (!odd(fn) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            r = node_hash(r, p);
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0) return refuse("the inclusion proof is too short");
    if (r != root) return refuse("the leaf is not where the inclusion proof says");
    return {};
}

Result<void> verify_consistency(const TreeHead& older, const TreeHead& newer, std::span<const Digest> proof) {
    if (newer.size > kMaxTreeSize) return refuse("a tree larger than there can be");
    if (older.size > newer.size) return refuse("the newer tree is smaller than the older one");
    for (const TreeHead* head : {&older, &newer})
        if (head->size == 0 && head->root != empty_root()) return refuse("not the root of the empty tree");
    if (older.size == newer.size && older.root != newer.root) return refuse("two roots for one size");
    if (older.size == newer.size || older.size == 0) {
        if (!proof.empty()) return refuse("the consistency proof is too long");
        return {};
    }

    std::uint64_t fn = older.size - 1;
    std::uint64_t sn = newer.size - 1;
    for (; odd(fn); fn >>= 1) sn >>= 1;
    // An older tree that is one complete subtree begins the proof itself.
    Digest fr = older.root;
    if (!std::has_single_bit(older.size)) {
        if (proof.empty()) return refuse("the consistency proof is too short");
        fr = proof.front();
        proof = proof.subspan(1);
    }
    Digest sr = fr;
    for (const Digest& c : proof) {
        if (sn == 0) return refuse("the consistency proof is too long");
        if (odd(fn) || fn == sn) {
            fr = node_hash(c, fr);
            sr = node_hash(c, sr);
            while (!odd(fn) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            sr = node_hash(sr, c);
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0) return refuse("the consistency proof is too short");
    if (fr != older.root || sr != newer.root) return refuse("the newer tree does not begin with the older one");
    return {};
}

MerkleBuilder::MerkleBuilder(std::uint64_t size, std::vector<Digest> edge) : size_(size), edge_(std::move(edge)) {
    SAT_ASSERT(edge_.size() == static_cast<std::size_t>(std::popcount(size)));
}

Digest MerkleBuilder::root() const { return join(edge_); }

Result<MerkleBuilder> tree_at(MerkleNodes& nodes, std::uint64_t size) {
    SAT_TRY_VALUE(std::vector<Digest> edge, subtrees_of(nodes, 0, size));
    return MerkleBuilder(size, std::move(edge));
}

Result<Digest> tree_root(MerkleNodes& nodes, std::uint64_t size) { return root_of(nodes, 0, size); }

// Both proofs go down from the root to the leaf, or to the older tree's edge, and take the other side at each fork.

Result<MerkleProof> inclusion_proof(MerkleNodes& nodes, std::uint64_t index, std::uint64_t size) {
    SAT_ASSERT(index < size && size <= kMaxTreeSize);
    MerkleProof proof;
    std::uint64_t begin = 0;
    std::uint64_t end = size;
    while (end - begin > 1) {
        const std::uint64_t middle = begin + left_of(end - begin);
        const bool left = index < middle;
        SAT_TRY_VALUE(const Digest other, left ? root_of(nodes, middle, end) : root_of(nodes, begin, middle));
        proof.push_back(other);
        (left ? end : begin) = middle;
    }
    std::reverse(proof.begin(), proof.end());
    return proof;
}

Result<MerkleProof> consistency_proof(MerkleNodes& nodes, std::uint64_t older, std::uint64_t size) {
    SAT_ASSERT(older <= size && size <= kMaxTreeSize);
    MerkleProof proof;
    if (older == 0) return proof;
    std::uint64_t begin = 0;
    std::uint64_t end = size;
    while (end != older) {
        const std::uint64_t middle = begin + left_of(end - begin);
        const bool left = older <= middle;
        SAT_TRY_VALUE(const Digest other, left ? root_of(nodes, middle, end) : root_of(nodes, begin, middle));
        proof.push_back(other);
        (left ? end : begin) = middle;
    }
    // Whoever checks knows the older root, but not what stands left of the last fork.
    if (begin != 0) {
        SAT_TRY_VALUE(const Digest last, root_of(nodes, begin, end));
        proof.push_back(last);
    }
    std::reverse(proof.begin(), proof.end());
    return proof;
}

}  // namespace sat
