// Fuzz target: proofs of any shape against trees of any size, and whether one that holds is still taken when it is
// longer.
// SPDX-License-Identifier: Apache-2.0
#include "base/codec.h"
#include "fuzz/fuzz.h"
#include "ledger/merkle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sat::ByteReader in(fuzz_view(data, size));
    const std::uint64_t first = in.u64();
    const std::uint64_t second = in.u64();
    const sat::Digest a = in.digest();
    const sat::Digest b = in.digest();
    sat::MerkleProof proof;
    while (in.remaining() >= sat::Digest::kSize) proof.push_back(in.digest());
    const bool included = sat::verify_inclusion(a, first, second, proof, b).has_value();
    const bool consistent = sat::verify_consistency({first, a}, {second, b}, proof).has_value();
    if (included) SAT_ASSERT(first < second && second <= sat::kMaxTreeSize && proof.size() < sat::kMaxProof);
    if (consistent) SAT_ASSERT(first <= second && second <= sat::kMaxTreeSize && proof.size() <= sat::kMaxProof);
    proof.push_back(a);
    if (included) SAT_ASSERT(!sat::verify_inclusion(a, first, second, proof, b));
    if (consistent) SAT_ASSERT(!sat::verify_consistency({first, a}, {second, b}, proof));
    return 0;
}
