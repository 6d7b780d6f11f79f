// The catalogue: what the vault knows of works, claims, leaves and identities, behind an interface that a database
// implements.  Everything a person wrote or signed is sealed by the implementation; in clear stand IDs, wallets,
// hashes, times, states and sizes alone.  docs/storage.md, "The catalogue".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "ledger/artwork_id.h"
#include "ledger/commitment.h"
#include "ledger/merkle.h"
#include "ledger/rules.h"
#include "wire/messages.h"

namespace sat {

struct WorkRow {
    std::uint64_t number = 0;  // from 1, in the order of registration; given by add_work()
    ArtworkId artwork;
    Wallet owner;
    LeafHash head;
    std::uint64_t seq = 0;
    UnixTime registered_at = 0;
    bool held = false;
    std::uint64_t bytes = 0;   // of plaintext
    std::string registration;  // JWS
    Origin origin;
};

// What a work is found by, besides its owner.
struct WorkWords {
    std::vector<std::string> text;  // search_words() of title, description and artist; repeats are allowed
    std::string artist;             // fold() of the artist's name
};

// Conditions that hold together; none of them: every work.
struct WorkQuery {
    std::vector<std::string> words;     // each is one of WorkWords::text
    std::optional<std::string> artist;  // equals WorkWords::artist
    std::optional<Wallet> owner;
    std::uint64_t before = std::numeric_limits<std::int64_t>::max();  // works with a smaller number
    std::size_t limit = 0;
};

struct ClaimRow {
    std::uint64_t number = 0;  // in the order of arrival; given by add_claim()
    StatementId id;
    ArtworkId artwork;
    Wallet collector;
    Wallet owner;  // whom it is addressed to
    LeafHash head;
    std::uint64_t seq = 0;
    ClaimState state = ClaimState::pending;
    UnixTime asked_at = 0;
    UnixTime changed_at = 0;
    UnixTime exp = 0;
    std::optional<StatementId> answer_id;
    std::optional<UnixTime> answer_exp;  // of a yes
    // Sealed.
    std::string claim;  // JWS
    std::optional<SaltedText> claim_text;
    std::optional<std::string> answer;  // JWS
    std::optional<SaltedText> answer_text;
    std::optional<std::string> accept;  // JWS
    std::optional<SaltedMetadata> metadata;

    ClaimFacts facts() const;
};

// An open claim without its texts, as the rules count it.
struct OpenClaim {
    StatementId id;
    Wallet collector;
    LeafHash head;
    ClaimState state = ClaimState::pending;
    UnixTime deadline = 0;
};

// A leaf as both the catalogue and the leaves files keep it.
struct SealedLeaf {
    std::uint64_t index = 0;
    std::uint64_t log_end = 0;  // where its record ends in a leaves file
    Bytes sealed;
};

// A leaf of a work's history, and where it stands.
struct WorkLeaf {
    std::uint64_t index = 0;     // in the ledger
    std::uint64_t position = 0;  // in the work's history
    std::string entry;
};

struct KnownIdentity {
    Wallet wallet;
    Bytes chain;  // IdentityChain::encode()
};

struct RegisteredWorks {
    std::vector<ArtworkId> works;
    std::uint64_t next = 0;
};

// What a statement came to.
struct OutcomeRow {
    StatementId statement;
    ArtworkId artwork;
    std::optional<StatementId> claim;    // of claims, withdrawals, answers, acceptances
    std::optional<std::string> receipt;  // JWS; of registrations and acceptances; sealed
};

// What a wallet has registered, whoever owns it now.
struct RegisteredBy {
    std::uint64_t works = 0;
    std::uint64_t bytes = 0;  // of plaintext
};

struct CatalogTotals {
    std::uint64_t works = 0;
    std::uint64_t bytes = 0;
    std::uint64_t open_claims = 0;
    std::uint64_t leaves = 0;
};

// One consistent view, in which the ledger's tree has every size up to tree_head()'s.  Errors of all: storage_full,
// busy, io_error (damaged, or a value in a place that is not its own).
class CatalogReader : public MerkleNodes {
public:
    virtual Result<std::optional<WorkRow>> work(const ArtworkId& artwork) = 0;
    // Newest first.
    virtual Result<std::vector<WorkRow>> works(const WorkQuery& query) = 0;
    virtual Result<std::optional<ClaimRow>> claim(const StatementId& id) = 0;
    // A collector's, with a smaller number than `before`, newest first.
    virtual Result<std::vector<ClaimRow>> claims_of(const Wallet& collector, const std::optional<ArtworkId>& artwork,
                                                    std::uint64_t before, std::size_t limit) = 0;
    // Addressed to `owner` and open at `now`, with a larger number than `after`, oldest first.
    virtual Result<std::vector<ClaimRow>> inbox(const Wallet& owner, std::uint64_t after, UnixTime now,
                                                std::size_t limit) = 0;
    // Recorded as open on the work, whether or not their deadline has come.
    virtual Result<std::vector<OpenClaim>> open_claims(const ArtworkId& artwork) = 0;
    // Recorded as open, with a deadline of `now` or before, the earliest deadlines first.
    virtual Result<std::vector<ClaimRow>> due_claims(UnixTime now, std::size_t limit) = 0;
    virtual Result<std::optional<UnixTime>> next_deadline() = 0;
    // Entries of the work's leaves number `from` and following, counted within the work.
    virtual Result<std::vector<std::string>> history(const ArtworkId& artwork, std::uint64_t from,
                                                     std::size_t limit) = 0;
    virtual Result<std::optional<OutcomeRow>> outcome(const StatementId& statement) = 0;
    // IdentityChain::encode() of a known wallet.
    virtual Result<std::optional<Bytes>> identity(const Wallet& wallet) = 0;
    // Those of wallets after that one, in the wallets' order.
    virtual Result<std::vector<KnownIdentity>> identities(const std::optional<Wallet>& after, std::size_t limit) = 0;
    virtual Result<CatalogTotals> totals() = 0;
    virtual Result<RegisteredBy> registered_by(const Wallet& artist) = 0;
    // How many claims of this collector's are open at `now`, on all works together.
    virtual Result<std::uint64_t> open_claims_of(const Wallet& collector, UnixTime now) = 0;
    // When the claim of this collector's was asked that so many of their own came after; nothing where there is none.
    virtual Result<std::optional<UnixTime>> claim_asked_before(const Wallet& collector, std::uint64_t later) = 0;

    // The ledger's size and root, as append_leaf() recorded them.
    virtual Result<TreeHead> tree_head() = 0;
    // The index of the leaf with that hash.
    virtual Result<std::optional<std::uint64_t>> leaf_index(const LeafHash& hash) = 0;
    // Entries of the ledger's leaves number `from` and following.
    virtual Result<std::vector<std::string>> entries(std::uint64_t from, std::size_t limit) = 0;
    // The newest leaf of the work among the ledger's first `size`.
    virtual Result<std::optional<WorkLeaf>> last_leaf(const ArtworkId& artwork, std::uint64_t size) = 0;

    // For the leaves files.  The leaf with the greatest log_end not past `offset`; nothing where there is none.
    virtual Result<std::optional<SealedLeaf>> sealed_leaf_ending_by(std::uint64_t offset) = 0;
    // Leaves number `from` and following.
    virtual Result<std::vector<SealedLeaf>> sealed_leaves(std::uint64_t from, std::size_t limit) = 0;
    // Works whose registration is leaf number `from` or a later one, in the ledger's order: at most `limit`, and the
    // number of the leaf after the last one's.
    virtual Result<RegisteredWorks> registered(std::uint64_t from, std::size_t limit) = 0;
    // IDs given out that never became works.
    virtual Result<std::vector<ArtworkId>> unfinished_ids() = 0;
};

// Everything in it happens or nothing.  Destroyed without commit(), it is rolled back.  One at a time: further ones
// wait.  It sees those before it, and one of them may not be on the disk yet: whoever answers by what it read, though
// it wrote nothing, commits first.
class CatalogTransaction : public CatalogReader {
public:
    // What was written, and what came before it, is on the disk when this succeeds.  Transactions that come at the same
    // time share one sync, and where that fails all of them fail; whether anything of them reached the disk is unknown
    // then.  Nothing may be asked of the transaction afterwards.
    Result<void> commit() { return commit({}); }
    // `then` is called once it is on the disk, by one thread after another in the order of the transactions, before
    // commit() returns.  It must not ask anything of the catalogue.
    using Then = std::function<void()>;
    virtual Result<void> commit(Then then) = 0;

    // False if the ID was given out before.
    virtual Result<bool> give_out(const ArtworkId& artwork) = 0;
    // The ID became no work, and nothing is left of it.
    virtual Result<void> abandon(const ArtworkId& artwork) = 0;

    // `number` is ignored.  The ID must have been given out and be no work: io_error.
    virtual Result<void> add_work(const WorkRow& work, const WorkWords& words) = 0;
    // The next three: io_error unless there is such a row.
    virtual Result<void> set_owner(const ArtworkId& artwork, const Wallet& owner, const LeafHash& head,
                                   std::uint64_t seq) = 0;
    virtual Result<void> set_held(const ArtworkId& artwork, bool held) = 0;
    // Writes state, changed_at, the answer's members and the sealed ones.
    virtual Result<void> update_claim(const ClaimRow& claim) = 0;
    // `number` is ignored.
    virtual Result<void> add_claim(const ClaimRow& claim) = 0;
    // The leaf, the nodes of the tree that it makes complete, and the new tree head.
    virtual Result<void> append_leaf(const ArtworkId& artwork, const LeafHash& hash, UnixTime at,
                                     std::string_view entry) = 0;
    // The same with what append_leaf() sealed before, in the leaf's place: the next one.
    virtual Result<void> append_sealed_leaf(const ArtworkId& artwork, const LeafHash& hash, UnixTime at,
                                            ByteView sealed) = 0;
    virtual Result<void> add_outcome(const OutcomeRow& outcome) = 0;
    virtual Result<void> put_identity(const Wallet& wallet, ByteView chain) = 0;
};

// Thread-safe.
class Catalog {
public:
    Catalog() = default;
    Catalog(const Catalog&) = delete;
    Catalog& operator=(const Catalog&) = delete;
    virtual ~Catalog() = default;

    // Both are released by the thread that asked for them, before the catalogue is destroyed.
    virtual Result<std::unique_ptr<CatalogReader>> read() = 0;
    virtual Result<std::unique_ptr<CatalogTransaction>> begin() = 0;
};

}  // namespace sat
