// The ledger from wherever its leaves lie: the catalogue, the leaves files, or all of them side by side; each leaf
// taken from a copy that authenticates, its signatures verified, every work's state followed. docs/storage.md, "Rot and
// repair"; docs/protocol.md, "The ledger".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ledger/history.h"
#include "ledger/merkle.h"
#include "store/catalog_audit.h"
#include "store/leaf_file.h"
#include "vault/stored_work.h"

namespace sat {

// One leaf in every place that may have it.  A record stands at the same offset in every leaves file.
struct LeafCopies {
    std::uint64_t index = 0;
    std::uint64_t offset = 0;
    Result<std::optional<LeafRow>> row;         // of the catalogue; nothing where there is none
    std::vector<std::optional<Bytes>> records;  // of each file
    std::optional<Bytes> sealed;                // the first that authenticates
    std::string entry;
    // Files whose copy authenticates and is another one: from here on they have another ledger.
    std::vector<std::size_t> split;
};

class LeafSources {
public:
    // `audit` and the files may be null, and outlive it.
    LeafSources(CatalogAudit* audit, std::vector<const LeafFile*> files, const MasterKey& master)
        : audit_(audit), files_(std::move(files)), left_(files_.size()), sealer_(master.derive(AtRestKey::leaves)) {}

    // Asked in the order of the leaves.  A file whose leaf differs from that of the sources before it is asked for no
    // later one: nothing is put together from two histories.
    LeafCopies at(std::uint64_t index, std::uint64_t offset);
    // How many leaves in a row open in one file, from this one on.
    std::uint64_t count(std::size_t file, std::uint64_t index, std::uint64_t offset);
    // Where the leaf after one that no place has good begins, if that can be told.
    std::optional<std::uint64_t> skip(const LeafCopies& lost);

private:
    bool opens(std::uint64_t index, ByteView sealed) { return sealer_.open(leaf_place(index), sealed).has_value(); }
    static Bytes leaf_place(std::uint64_t index);

    CatalogAudit* audit_;
    std::vector<const LeafFile*> files_;
    std::vector<bool> left_;  // files that have another history
    AtRestSealer sealer_;
};

struct LedgerWork {
    StoredWork stored;
    WorkState state;
    std::uint64_t number = 0;  // from 1, in the order of registration
    std::uint64_t leaves = 0;
};

struct Ledger {
    TreeHead head;
    std::uint64_t end = kLeafLogHeader;  // where the last record ends in a leaves file
    bool whole = true;                   // every leaf is good somewhere, and there is one history
    std::unordered_map<ArtworkId, LedgerWork> works;
    std::vector<ArtworkId> order;
    std::unordered_map<StatementId, LeafHash> outcomes;  // the leaf of each registration and acceptance
    std::vector<Wallet> signers;                         // each once
};

// Verified chains, from wherever they lie.
using FindIdentity = std::function<std::optional<IdentityChain>(const Wallet&)>;

struct LedgerVisitor {
    // A leaf that is good somewhere; what it is, or why it does not verify.  `work` is as the leaf leaves it.
    std::function<Result<void>(const LeafCopies&, const Result<VerifiedLeaf>&, const LedgerWork* work)> leaf;
    // A leaf that no place has good.
    std::function<Result<void>(const LeafCopies&)> lost = nullptr;
    std::function<Result<void>(unsigned level, std::uint64_t number, const Digest& hash)> node = nullptr;
    // The tree up to this leaf and with it.
    std::function<void(const MerkleBuilder& tree)> grown = nullptr;
};

// Errors are the visitor's own.
Result<Ledger> walk_ledger(LeafSources& sources, const IdentityChain& vault, const FindIdentity& identities,
                           const LedgerVisitor& visitor);

}  // namespace sat
