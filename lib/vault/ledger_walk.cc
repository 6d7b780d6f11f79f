// The walk.  docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#include "vault/ledger_walk.h"

#include <unordered_set>

#include "store/row_codec.h"

namespace sat {

namespace {

// Some 10 KiB each.
constexpr std::size_t kMostChains = 4096;

// Chains that were asked for, kept while there is room.
class Chains {
public:
    explicit Chains(const FindIdentity& find) : find_(find) {}

    // Lives until trim().
    const IdentityChain* operator()(const Wallet& wallet) {
        const auto known = chains_.find(wallet);
        if (known != chains_.end()) return known->second ? &*known->second : nullptr;
        const auto& found = chains_.emplace(wallet, find_(wallet)).first->second;
        return found ? &*found : nullptr;
    }
    void trim() {
        if (chains_.size() > kMostChains) chains_.clear();
    }

private:
    const FindIdentity& find_;
    std::unordered_map<Wallet, std::optional<IdentityChain>> chains_;
};

}  // namespace

Bytes LeafSources::leaf_place(std::uint64_t index) { return leaf_aad(index); }

LeafCopies LeafSources::at(std::uint64_t index, std::uint64_t offset) {
    LeafCopies out;
    out.index = index;
    out.offset = offset;
    // False: it is another leaf.
    const auto take = [&](const Bytes& sealed) {
        if (out.sealed && *out.sealed == sealed) return true;
        auto entry = sealer_.open(leaf_aad(index), sealed);
        if (!entry) return true;
        if (out.sealed) return false;
        out.sealed = sealed;
        out.entry = to_string(ByteView(*entry));
        return true;
    };
    if (audit_ != nullptr) {
        out.row = audit_->leaf(index);
        if (out.row && *out.row) (void)take((*out.row)->sealed);
    }
    for (std::size_t i = 0; i < files_.size(); ++i) {
        std::optional<Bytes> record;
        // A disk that does not give it has not got it.
        if (files_[i] != nullptr && !left_[i])
            if (auto read = files_[i]->record_at(offset)) record = std::move(*read);
        if (record && !take(*record)) {
            left_[i] = true;
            out.split.push_back(i);
        }
        out.records.push_back(std::move(record));
    }
    return out;
}

std::uint64_t LeafSources::count(std::size_t file, std::uint64_t index, std::uint64_t offset) {
    for (std::uint64_t found = 0;; ++found) {
        if (files_[file] == nullptr) return found;
        const auto record = files_[file]->record_at(offset);
        if (!record || !*record || !opens(index + found, **record)) return found;
        offset += leaf_record_size((*record)->size());
    }
}

std::optional<std::uint64_t> LeafSources::skip(const LeafCopies& lost) {
    if (lost.row && *lost.row) {
        const std::uint64_t end = (*lost.row)->log_end;
        if (end > lost.offset && end - lost.offset <= kMaxLeafRecord) return end;
    }
    // A length that leads to a good leaf is right.
    for (const auto& record : lost.records) {
        if (!record) continue;
        const std::uint64_t end = lost.offset + leaf_record_size(record->size());
        for (std::size_t i = 0; i < files_.size(); ++i) {
            if (files_[i] == nullptr || left_[i]) continue;
            const auto next = files_[i]->record_at(end);
            if (next && *next && opens(lost.index + 1, **next)) return end;
        }
    }
    return std::nullopt;
}

Result<Ledger> walk_ledger(LeafSources& sources, const IdentityChain& vault, const FindIdentity& identities,
                           const LedgerVisitor& visitor) {
    Ledger ledger;
    MerkleBuilder tree;
    Chains chains(identities);
    std::unordered_set<Wallet> signers;
    const auto append = [&](const LeafHash& hash) -> Result<void> {
        Result<void> told;
        tree.append(hash, [&](unsigned level, std::uint64_t number, const Digest& node) {
            if (told && visitor.node) told = visitor.node(level, number, node);
        });
        if (visitor.grown) visitor.grown(tree);
        return told;
    };
    const StateLookup before = [&](const ArtworkId& artwork) -> Result<const WorkState*> {
        const auto work = ledger.works.find(artwork);
        return work == ledger.works.end() ? nullptr : &work->second.state;
    };
    const IdentityLookup lookup = [&](const Wallet& wallet) { return chains(wallet); };
    for (std::uint64_t index = 0;; ++index) {
        const LeafCopies copies = sources.at(index, ledger.end);
        if (!copies.sealed) {
            const bool expected = copies.row && *copies.row;
            const auto next = sources.skip(copies);
            if (!expected && !next) break;
            ledger.whole = false;
            if (visitor.lost) SAT_TRY(visitor.lost(copies));
            // Without its hash the tree cannot be known, nor what follows without its length.
            if (!next || !copies.row || !*copies.row) break;
            SAT_TRY(append((*copies.row)->hash));
            ledger.end = *next;
            continue;
        }
        if (!copies.split.empty()) ledger.whole = false;
        chains.trim();
        const auto leaf = verify_leaf(copies.entry, vault, lookup, before);
        LedgerWork* work = nullptr;
        if (leaf) {
            work = &ledger.works[leaf->artwork];
            if (leaf->registration) {
                work->stored = StoredWork::of(*leaf->registration, leaf->at, leaf->hash);
                ledger.order.push_back(leaf->artwork);
                work->number = ledger.order.size();
            }
            if (leaf->type == LeafType::registration || leaf->type == LeafType::transfer) {
                ledger.outcomes[leaf->statements.back()] = leaf->hash;
                if (signers.insert(leaf->after.owner).second) ledger.signers.push_back(leaf->after.owner);
            }
            work->state = leaf->after;
            ++work->leaves;
        } else {
            ledger.whole = false;
        }
        SAT_TRY(visitor.leaf(copies, leaf, work));
        SAT_TRY(append(leaf_hash(copies.entry)));
        ledger.end += leaf_record_size(copies.sealed->size());
    }
    ledger.head = tree.head();
    return ledger;
}

}  // namespace sat
