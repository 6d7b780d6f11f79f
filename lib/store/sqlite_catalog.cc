// The catalogue in SQLite.  docs/storage.md, "The catalogue".
// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_catalog.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <utility>

#include "base/assert.h"
#include "crypto/hash.h"
#include "ledger/leaf.h"
#include "ledger/statement.h"
#include "store/leaf_log.h"
#include "store/row_codec.h"
#include "store/sqlite.h"

namespace sat {

namespace {

// More readers than workers that read at once would only hold memory.
constexpr std::size_t kMaxReaders = 4;

// NOLINTBEGIN(cppcoreguidelines-macro-usage): literals are joined by the preprocessor alone
// What quotas are judged by; new in version 3.
#define SAT_QUOTA_SCHEMA                                                             \
    "CREATE TABLE artists(wallet BLOB PRIMARY KEY NOT NULL, works INTEGER NOT NULL," \
    " bytes INTEGER NOT NULL) WITHOUT ROWID;\n"                                      \
    "CREATE INDEX claims_open_of ON claims(collector, deadline) WHERE deadline IS NOT NULL;\n"
// NOLINTEND(cppcoreguidelines-macro-usage)

constexpr const char* kSchema = R"sql(
CREATE TABLE vault(one INTEGER PRIMARY KEY CHECK (one = 1), wallet BLOB NOT NULL, master_check BLOB NOT NULL,
                   works INTEGER NOT NULL, bytes INTEGER NOT NULL, tree_size INTEGER NOT NULL, tree_root BLOB NOT NULL);
CREATE TABLE ids(artwork TEXT PRIMARY KEY NOT NULL, unfinished INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX ids_unfinished ON ids(artwork) WHERE unfinished = 1;
CREATE TABLE identities(wallet BLOB PRIMARY KEY NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE works(number INTEGER PRIMARY KEY, artwork TEXT NOT NULL UNIQUE REFERENCES ids(artwork), owner BLOB NOT NULL,
                   head BLOB NOT NULL, seq INTEGER NOT NULL, registered_at INTEGER NOT NULL, held INTEGER NOT NULL,
                   bytes INTEGER NOT NULL, sealed BLOB NOT NULL);
CREATE INDEX works_owner ON works(owner);
CREATE TABLE words(word BLOB NOT NULL, work INTEGER NOT NULL, PRIMARY KEY(word, work)) WITHOUT ROWID;
CREATE TABLE claims(number INTEGER PRIMARY KEY, claim BLOB NOT NULL UNIQUE, artwork TEXT NOT NULL REFERENCES works(artwork),
                    collector BLOB NOT NULL, owner BLOB NOT NULL, head BLOB NOT NULL, seq INTEGER NOT NULL,
                    state INTEGER NOT NULL, asked_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, exp INTEGER NOT NULL,
                    answer BLOB, answer_exp INTEGER, deadline INTEGER, sealed BLOB NOT NULL);
CREATE INDEX claims_open ON claims(artwork) WHERE deadline IS NOT NULL;
CREATE INDEX claims_due ON claims(deadline) WHERE deadline IS NOT NULL;
CREATE INDEX claims_inbox ON claims(owner) WHERE deadline IS NOT NULL;
CREATE INDEX claims_collector ON claims(collector);
CREATE INDEX claims_collector_work ON claims(collector, artwork);
CREATE UNIQUE INDEX claims_confirmed ON claims(artwork, head) WHERE state = 2;
CREATE TABLE leaves(number INTEGER PRIMARY KEY, artwork TEXT NOT NULL REFERENCES works(artwork), position INTEGER NOT NULL,
                    hash BLOB NOT NULL, at INTEGER NOT NULL, log_end INTEGER NOT NULL UNIQUE, sealed BLOB NOT NULL,
                    UNIQUE(artwork, position));
CREATE INDEX leaves_hash ON leaves(hash);
CREATE TABLE nodes(level INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY(level, number))
                   WITHOUT ROWID;
CREATE TABLE outcomes(statement BLOB PRIMARY KEY NOT NULL, artwork TEXT NOT NULL, claim BLOB, sealed BLOB);
)sql" SAT_QUOTA_SCHEMA;

// From version 1, which had no tree.  The nodes are then computed from the leaves.
constexpr const char* kMigrationFrom1 = R"sql(
ALTER TABLE vault ADD COLUMN tree_size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vault ADD COLUMN tree_root BLOB NOT NULL DEFAULT x'';
CREATE INDEX leaves_hash ON leaves(hash);
CREATE TABLE nodes(level INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY(level, number))
                   WITHOUT ROWID;
)sql";

// A connection with keys of its own, so that readers share nothing.
struct Session {
    std::unique_ptr<SqliteConnection> db;
    AtRestSealer rows;
    AtRestSealer leaves;
    SecretBytes search_key;

    Session(std::unique_ptr<SqliteConnection> connection, const MasterKey& master)
        : db(std::move(connection)),
          rows(master.derive(AtRestKey::rows)),
          leaves(master.derive(AtRestKey::leaves)),
          search_key(master.derive(AtRestKey::words)) {}

    WordHash word_hash(char kind, std::string_view word) const { return search_word_hash(search_key, kind, word); }
};

Error tree_damaged() {
    return {Errc::io_error,
            "the catalogue is damaged: the tree over the ledger's leaves is not the one that was recorded",
            "run `sat-vaultd check --repair`"};
}

// Appends a leaf to the tree, and writes the nodes that it makes complete.
Result<void> add_to_tree(SqliteConnection& db, MerkleBuilder& tree, const LeafHash& leaf) {
    Result<void> written;
    tree.append(leaf, [&](unsigned level, std::uint64_t number, const Digest& hash) {
        if (!written) return;
        const auto run = db.query("INSERT INTO nodes(level, number, hash) VALUES(?, ?, ?)")
                             .bind(level)
                             .bind(number)
                             .bind(hash)
                             .run();
        if (!run) written = fail(run.error());
    });
    return written;
}

Result<void> put_tree_head(SqliteConnection& db, const TreeHead& head) {
    SAT_TRY(db.query("UPDATE vault SET tree_size = ?, tree_root = ?").bind(head.size).bind(head.root).run());
    return {};
}

Result<void> add_to_artist(SqliteConnection& db, const Wallet& artist, std::uint64_t bytes) {
    SAT_TRY(db.query("INSERT INTO artists(wallet, works, bytes) VALUES(?, 1, ?)"
                     " ON CONFLICT(wallet) DO UPDATE SET works = works + 1, bytes = bytes + excluded.bytes")
                .bind(artist)
                .bind(bytes)
                .run());
    return {};
}

// The numbers under one condition, in falling order, read ahead in runs.  Going over a number costs a twentieth of
// looking one up, so runs grow while little of them is gone over for nothing: two words that many works have, and never
// together, are walked through and not jumped through.
class Walk {
public:
    // The `limit` greatest not above `at_most`, the greatest first.
    using Read = std::function<Result<std::vector<std::uint64_t>>(std::uint64_t at_most, std::size_t limit)>;
    explicit Walk(Read read) : read_(std::move(read)) {}

    // The greatest not above `at_most`, which never rises; nothing where there is none.
    Result<std::optional<std::uint64_t>> next(std::uint64_t at_most) {
        while (at_ < run_.size() && run_[at_] > at_most) ++at_;
        if (at_ == run_.size() && !ended_) {
            size_ =
                given_ * kLookUp >= run_.size() ? std::min(2 * size_, kLongest) : std::max<std::size_t>(1, size_ / 2);
            SAT_TRY_VALUE(run_, read_(at_most, size_));
            ended_ = run_.size() < size_;
            at_ = given_ = 0;
        }
        if (at_ == run_.size()) return std::optional<std::uint64_t>();
        ++given_;
        return std::optional(run_[at_]);
    }

private:
    static constexpr std::size_t kLookUp = 20;  // numbers that may be gone over for the price of one look-up
    static constexpr std::size_t kLongest = 512;

    Read read_;
    std::vector<std::uint64_t> run_;
    std::size_t at_ = 0;
    std::size_t given_ = 0;
    std::size_t size_ = 4;
    bool ended_ = false;  // nothing stands below the run
};

// NOLINTBEGIN(cppcoreguidelines-macro-usage): literals are joined by the preprocessor alone
#define SAT_WORK_COLUMNS "number, artwork, owner, head, seq, registered_at, held, bytes, sealed"
#define SAT_CLAIM_COLUMNS                                                                                         \
    "number, claim, artwork, collector, owner, head, seq, state, asked_at, changed_at, exp, answer, answer_exp, " \
    "sealed"
// NOLINTEND(cppcoreguidelines-macro-usage)

// All that the interfaces ask, within a transaction that its heirs begin and end.
class SqliteView : public CatalogTransaction {
public:
    SqliteView(Session& session, bool writable) : session_(session), db_(*session.db), writable_(writable) {}

    Result<std::optional<WorkRow>> work(const ArtworkId& artwork) override {
        SqliteQuery row = db_.query("SELECT " SAT_WORK_COLUMNS " FROM works WHERE artwork = ?");
        row.bind(artwork);
        SAT_TRY_VALUE(const bool there, row.step());
        if (!there) return std::optional<WorkRow>();
        SAT_TRY_VALUE(WorkRow work, read_work(row));
        return std::optional(std::move(work));
    }

    Result<std::vector<WorkRow>> works(const WorkQuery& query) override {
        std::vector<WorkRow> out;
        if (query.words.empty() && !query.artist && !query.owner) {
            // The rows as they lie, and no look-up for each.
            SqliteQuery rows =
                db_.query("SELECT " SAT_WORK_COLUMNS " FROM works WHERE number < ? ORDER BY number DESC LIMIT ?");
            rows.bind(query.before).bind(query.limit);
            for (;;) {
                SAT_TRY_VALUE(const bool there, rows.step());
                if (!there) return out;
                SAT_TRY_VALUE(WorkRow work, read_work(rows));
                out.push_back(std::move(work));
            }
        }
        SAT_TRY_VALUE(const std::vector<std::uint64_t> numbers, find(query));
        out.reserve(numbers.size());
        for (const std::uint64_t number : numbers) {
            SqliteQuery row = db_.query("SELECT " SAT_WORK_COLUMNS " FROM works WHERE number = ?");
            row.bind(number);
            SAT_TRY_VALUE(const bool there, row.step());
            if (!there) return fail(Errc::io_error, "the catalogue's word index names a work that is not there");
            SAT_TRY_VALUE(WorkRow work, read_work(row));
            out.push_back(std::move(work));
        }
        return out;
    }

    Result<std::optional<ClaimRow>> claim(const StatementId& id) override {
        SqliteQuery row = db_.query("SELECT " SAT_CLAIM_COLUMNS " FROM claims WHERE claim = ?");
        row.bind(id);
        SAT_TRY_VALUE(const bool there, row.step());
        if (!there) return std::optional<ClaimRow>();
        SAT_TRY_VALUE(ClaimRow claim, read_claim(row));
        return std::optional(std::move(claim));
    }

    Result<std::vector<ClaimRow>> claims_of(const Wallet& collector, const std::optional<ArtworkId>& artwork,
                                            std::uint64_t before, std::size_t limit) override {
        if (artwork) {
            SqliteQuery rows = db_.query("SELECT " SAT_CLAIM_COLUMNS
                                         " FROM claims WHERE collector = ? AND artwork = ? AND number < ?"
                                         " ORDER BY number DESC LIMIT ?");
            return read_claims(rows.bind(collector).bind(*artwork).bind(before).bind(limit));
        }
        SqliteQuery rows = db_.query("SELECT " SAT_CLAIM_COLUMNS
                                     " FROM claims INDEXED BY claims_collector WHERE collector = ? AND number < ?"
                                     " ORDER BY number DESC LIMIT ?");
        return read_claims(rows.bind(collector).bind(before).bind(limit));
    }

    Result<std::vector<ClaimRow>> inbox(const Wallet& owner, std::uint64_t after, UnixTime now,
                                        std::size_t limit) override {
        SqliteQuery rows = db_.query("SELECT " SAT_CLAIM_COLUMNS
                                     " FROM claims INDEXED BY claims_inbox WHERE owner = ? AND number > ?"
                                     " AND deadline IS NOT NULL AND deadline > ? ORDER BY number LIMIT ?");
        return read_claims(rows.bind(owner).bind(after).bind(now).bind(limit));
    }

    Result<std::vector<OpenClaim>> open_claims(const ArtworkId& artwork) override {
        SqliteQuery rows = db_.query(
            "SELECT claim, collector, head, state, deadline FROM claims INDEXED BY claims_open"
            " WHERE artwork = ? AND deadline IS NOT NULL ORDER BY number");
        rows.bind(artwork);
        std::vector<OpenClaim> out;
        for (;;) {
            SAT_TRY_VALUE(const bool there, rows.step());
            if (!there) return out;
            OpenClaim claim;
            claim.id = rows.digest(0);
            claim.collector = rows.digest(1);
            claim.head = rows.digest(2);
            SAT_TRY_VALUE(claim.state, read_state(rows, 3));
            claim.deadline = rows.integer(4);
            SAT_TRY(rows.row_ok());
            out.push_back(claim);
        }
    }

    Result<std::vector<ClaimRow>> due_claims(UnixTime now, std::size_t limit) override {
        SqliteQuery rows = db_.query("SELECT " SAT_CLAIM_COLUMNS
                                     " FROM claims INDEXED BY claims_due WHERE deadline IS NOT NULL AND deadline <= ?"
                                     " ORDER BY deadline, number LIMIT ?");
        return read_claims(rows.bind(now).bind(limit));
    }

    Result<std::optional<UnixTime>> next_deadline() override {
        SqliteQuery row = db_.query(
            "SELECT deadline FROM claims INDEXED BY claims_due WHERE deadline IS NOT NULL ORDER BY deadline LIMIT 1");
        SAT_TRY_VALUE(const bool there, row.step());
        if (!there) return std::optional<UnixTime>();
        const UnixTime next = row.integer(0);
        SAT_TRY(row.row_ok());
        return std::optional(next);
    }

    Result<std::vector<std::string>> history(const ArtworkId& artwork, std::uint64_t from, std::size_t limit) override {
        SqliteQuery rows = db_.query(
            "SELECT number, sealed FROM leaves WHERE artwork = ? AND position >= ? ORDER BY position LIMIT ?");
        return read_entries(rows.bind(artwork).bind(from).bind(limit));
    }

    Result<std::optional<OutcomeRow>> outcome(const StatementId& statement) override {
        SqliteQuery row = db_.query("SELECT artwork, claim, sealed FROM outcomes WHERE statement = ?");
        row.bind(statement);
        SAT_TRY_VALUE(const bool there, row.step());
        if (!there) return std::optional<OutcomeRow>();
        OutcomeRow out;
        out.statement = statement;
        out.artwork = row.artwork(0);
        if (!row.is_null(1)) out.claim = row.digest(1);
        if (!row.is_null(2)) {
            SAT_TRY_VALUE(const Bytes receipt, session_.rows.open(row_aad("outcomes", statement.view()), row.blob(2)));
            out.receipt = to_string(ByteView(receipt));
        }
        SAT_TRY(row.row_ok());
        return std::optional(std::move(out));
    }

    Result<std::optional<Bytes>> identity(const Wallet& wallet) override {
        SqliteQuery row = db_.query("SELECT sealed FROM identities WHERE wallet = ?");
        row.bind(wallet);
        SAT_TRY_VALUE(const bool there, row.step());
        if (!there) return std::optional<Bytes>();
        SAT_TRY_VALUE(Bytes chain, session_.rows.open(row_aad("identities", wallet.view()), row.blob(0)));
        return std::optional(std::move(chain));
    }

    Result<std::vector<KnownIdentity>> identities(const std::optional<Wallet>& after, std::size_t limit) override {
        SqliteQuery rows = db_.query("SELECT wallet, sealed FROM identities WHERE wallet > ? ORDER BY wallet LIMIT ?");
        rows.bind(after ? after->view() : ByteView()).bind(limit);
        std::vector<KnownIdentity> out;
        for (;;) {
            SAT_TRY_VALUE(const bool there, rows.step());
            if (!there) return out;
            const Wallet wallet = rows.digest(0);
            const ByteView sealed = rows.blob(1);
            SAT_TRY(rows.row_ok());
            SAT_TRY_VALUE(Bytes chain, session_.rows.open(row_aad("identities", wallet.view()), sealed));
            out.push_back({wallet, std::move(chain)});
        }
    }

    Result<CatalogTotals> totals() override {
        CatalogTotals out;
        {
            SqliteQuery row = db_.query("SELECT works, bytes FROM vault");
            SAT_TRY_VALUE(const bool there, row.step());
            if (!there) return fail(tree_damaged());
            out.works = row.natural(0);
            out.bytes = row.natural(1);
            SAT_TRY(row.row_ok());
        }
        SAT_TRY_VALUE(const std::int64_t open,
                      db_.integer("SELECT count(*) FROM claims INDEXED BY claims_due WHERE deadline IS NOT NULL"));
        SAT_TRY_VALUE(const std::int64_t leaves, db_.integer("SELECT ifnull(max(number) + 1, 0) FROM leaves"));
        out.open_claims = static_cast<std::uint64_t>(open);
        out.leaves = static_cast<std::uint64_t>(leaves);
        return out;
    }

    Result<RegisteredBy> registered_by(const Wallet& artist) override {
        SqliteQuery row = db_.query("SELECT works, bytes FROM artists WHERE wallet = ?");
        SAT_TRY_VALUE(const bool there, row.bind(artist).step());
        if (!there) return RegisteredBy();
        const RegisteredBy out{row.natural(0), row.natural(1)};
        SAT_TRY(row.row_ok());
        return out;
    }

    Result<std::uint64_t> open_claims_of(const Wallet& collector, UnixTime now) override {
        SqliteQuery row = db_.query(
            "SELECT count(*) FROM claims INDEXED BY claims_open_of"
            " WHERE collector = ? AND deadline IS NOT NULL AND deadline > ?");
        SAT_TRY_VALUE(const bool there, row.bind(collector).bind(now).step());
        const std::uint64_t out = there ? row.natural(0) : 0;
        SAT_TRY(row.row_ok());
        return out;
    }

    Result<std::optional<UnixTime>> claim_asked_before(const Wallet& collector, std::uint64_t later) override {
        SqliteQuery row = db_.query(
            "SELECT asked_at FROM claims INDEXED BY claims_collector WHERE collector = ?"
            " ORDER BY number DESC LIMIT 1 OFFSET ?");
        SAT_TRY_VALUE(const bool there, row.bind(collector).bind(later).step());
        if (!there) return std::optional<UnixTime>();
        const UnixTime asked = row.integer(0);
        SAT_TRY(row.row_ok());
        return std::optional(asked);
    }

    Result<Digest> node(unsigned level, std::uint64_t number) override {
        SqliteQuery row = level == 0 ? db_.query("SELECT hash FROM leaves WHERE number = ?")
                                     : db_.query("SELECT hash FROM nodes WHERE level = ? AND number = ?");
        if (level != 0) row.bind(level);
        row.bind(number);
        SAT_TRY_VALUE(const bool there, row.step());
        if (!there) return fail(Errc::io_error, "the catalogue is damaged: a node of the ledger's tree is missing");
        const Digest hash = row.digest(0);
        SAT_TRY(row.row_ok());
        return hash;
    }

    Result<TreeHead> tree_head() override {
        SqliteQuery row = db_.query("SELECT tree_size, tree_root FROM vault");
        SAT_TRY_VALUE(const bool there, row.step());
        if (!there) return fail(tree_damaged());
        const TreeHead head{row.natural(0), row.digest(1)};
        SAT_TRY(row.row_ok());
        return head;
    }

    Result<std::optional<std::uint64_t>> leaf_index(const LeafHash& hash) override {
        SqliteQuery row = db_.query("SELECT number FROM leaves WHERE hash = ? ORDER BY number LIMIT 1");
        row.bind(hash);
        SAT_TRY_VALUE(const bool there, row.step());
        if (!there) return std::optional<std::uint64_t>();
        const std::uint64_t index = row.natural(0);
        SAT_TRY(row.row_ok());
        return std::optional(index);
    }

    Result<std::vector<std::string>> entries(std::uint64_t from, std::size_t limit) override {
        SqliteQuery rows = db_.query("SELECT number, sealed FROM leaves WHERE number >= ? ORDER BY number LIMIT ?");
        return read_entries(rows.bind(from).bind(limit));
    }

    Result<std::optional<WorkLeaf>> last_leaf(const ArtworkId& artwork, std::uint64_t size) override {
        SqliteQuery row = db_.query(
            "SELECT number, position, sealed FROM leaves WHERE artwork = ? AND number < ?"
            " ORDER BY position DESC LIMIT 1");
        row.bind(artwork).bind(size);
        SAT_TRY_VALUE(const bool there, row.step());
        if (!there) return std::optional<WorkLeaf>();
        WorkLeaf leaf{row.natural(0), row.natural(1), {}};
        SAT_TRY_VALUE(const Bytes entry, session_.leaves.open(leaf_aad(leaf.index), row.blob(2)));
        SAT_TRY(row.row_ok());
        leaf.entry = to_string(ByteView(entry));
        return std::optional(std::move(leaf));
    }

    Result<std::optional<SealedLeaf>> sealed_leaf_ending_by(std::uint64_t offset) override {
        SqliteQuery row =
            db_.query("SELECT number, log_end, sealed FROM leaves WHERE log_end <= ? ORDER BY log_end DESC LIMIT 1");
        row.bind(offset);
        SAT_TRY_VALUE(const bool there, row.step());
        if (!there) return std::optional<SealedLeaf>();
        SAT_TRY_VALUE(SealedLeaf leaf, read_leaf(row));
        return std::optional(std::move(leaf));
    }

    Result<std::vector<SealedLeaf>> sealed_leaves(std::uint64_t from, std::size_t limit) override {
        SqliteQuery rows =
            db_.query("SELECT number, log_end, sealed FROM leaves WHERE number >= ? ORDER BY number LIMIT ?");
        rows.bind(from).bind(limit);
        std::vector<SealedLeaf> out;
        for (;;) {
            SAT_TRY_VALUE(const bool there, rows.step());
            if (!there) return out;
            SAT_TRY_VALUE(SealedLeaf leaf, read_leaf(rows));
            out.push_back(std::move(leaf));
        }
    }

    Result<RegisteredWorks> registered(std::uint64_t from, std::size_t limit) override {
        SqliteQuery rows =
            db_.query("SELECT number, artwork FROM leaves WHERE number >= ? AND position = 0 ORDER BY number LIMIT ?");
        rows.bind(from).bind(limit);
        RegisteredWorks out{{}, from};
        for (;;) {
            SAT_TRY_VALUE(const bool there, rows.step());
            if (!there) return out;
            out.next = rows.natural(0) + 1;
            out.works.push_back(rows.artwork(1));
            SAT_TRY(rows.row_ok());
        }
    }

    Result<std::vector<ArtworkId>> unfinished_ids() override {
        // Whatever a damaged row says: the files of a work are never taken for leftovers.
        SqliteQuery rows = db_.query(
            "SELECT artwork FROM ids INDEXED BY ids_unfinished WHERE unfinished = 1"
            " AND artwork NOT IN (SELECT artwork FROM works)");
        std::vector<ArtworkId> out;
        for (;;) {
            SAT_TRY_VALUE(const bool there, rows.step());
            if (!there) return out;
            out.push_back(rows.artwork(0));
            SAT_TRY(rows.row_ok());
        }
    }

    using CatalogTransaction::commit;
    // A reader has nothing to commit.
    Result<void> commit(Then) override {
        SAT_ASSERT(false);
        return {};
    }

    Result<bool> give_out(const ArtworkId& artwork) override {
        SqliteQuery insert = write("INSERT INTO ids(artwork, unfinished) VALUES(?, 1) ON CONFLICT DO NOTHING");
        SAT_TRY_VALUE(const int changed, insert.bind(artwork).run());
        return changed == 1;
    }

    Result<void> abandon(const ArtworkId& artwork) override {
        return one(write("UPDATE ids SET unfinished = 0 WHERE artwork = ? AND unfinished = 1").bind(artwork));
    }

    Result<void> add_work(const WorkRow& work, const WorkWords& words) override {
        SAT_TRY(abandon(work.artwork));  // no longer unfinished
        SAT_TRY(one(write("INSERT INTO works(artwork, owner, head, seq, registered_at, held, bytes, sealed)"
                          " VALUES(?, ?, ?, ?, ?, ?, ?, ?)")
                        .bind(work.artwork)
                        .bind(work.owner)
                        .bind(work.head)
                        .bind(work.seq)
                        .bind(work.registered_at)
                        .bind(work.held ? 1 : 0)
                        .bind(work.bytes)
                        .bind(session_.rows.seal(row_aad("works", work.artwork.bytes()), encode_work_row(work)))));
        const std::int64_t number = db_.last_insert_id();
        std::set<WordHash> hashes{session_.word_hash('a', words.artist)};
        for (const std::string& word : words.text) hashes.insert(session_.word_hash('w', word));
        for (const WordHash& hash : hashes)
            SAT_TRY(one(write("INSERT INTO words(word, work) VALUES(?, ?)").bind(ByteView(hash)).bind(number)));
        SAT_TRY(add_to_artist(db_, work.owner, work.bytes));
        return one(write("UPDATE vault SET works = works + 1, bytes = bytes + ?").bind(work.bytes));
    }

    Result<void> set_owner(const ArtworkId& artwork, const Wallet& owner, const LeafHash& head,
                           std::uint64_t seq) override {
        return one(write("UPDATE works SET owner = ?, head = ?, seq = ? WHERE artwork = ?")
                       .bind(owner)
                       .bind(head)
                       .bind(seq)
                       .bind(artwork));
    }

    Result<void> set_held(const ArtworkId& artwork, bool held) override {
        return one(write("UPDATE works SET held = ? WHERE artwork = ?").bind(held ? 1 : 0).bind(artwork));
    }

    Result<void> add_claim(const ClaimRow& claim) override {
        return one(write("INSERT INTO claims(claim, artwork, collector, owner, head, seq, state, asked_at, changed_at,"
                         " exp, answer, answer_exp, deadline, sealed) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
                       .bind(claim.id)
                       .bind(claim.artwork)
                       .bind(claim.collector)
                       .bind(claim.owner)
                       .bind(claim.head)
                       .bind(claim.seq)
                       .bind(claim_state_number(claim.state))
                       .bind(claim.asked_at)
                       .bind(claim.changed_at)
                       .bind(claim.exp)
                       .bind(claim.answer_id)
                       .bind(claim.answer_exp)
                       .bind(deadline_of(claim))
                       .bind(seal_claim(claim)));
    }

    Result<void> update_claim(const ClaimRow& claim) override {
        return one(
            write("UPDATE claims SET state = ?, changed_at = ?, answer = ?, answer_exp = ?, deadline = ?, sealed = ?"
                  " WHERE claim = ?")
                .bind(claim_state_number(claim.state))
                .bind(claim.changed_at)
                .bind(claim.answer_id)
                .bind(claim.answer_exp)
                .bind(deadline_of(claim))
                .bind(seal_claim(claim))
                .bind(claim.id));
    }

    Result<void> append_leaf(const ArtworkId& artwork, const LeafHash& hash, UnixTime at,
                             std::string_view entry) override {
        SAT_ASSERT(entry.size() <= kMaxLeafEntry);
        SAT_TRY_VALUE(const TreeHead before, tree_head());
        return append_sealed_leaf(artwork, hash, at, session_.leaves.seal(leaf_aad(before.size), as_bytes(entry)));
    }

    Result<void> append_sealed_leaf(const ArtworkId& artwork, const LeafHash& hash, UnixTime at,
                                    ByteView sealed) override {
        SAT_TRY_VALUE(const TreeHead before, tree_head());
        const std::uint64_t number = before.size;
        std::uint64_t begin = kLeafLogHeader;
        {
            SqliteQuery last = db_.query("SELECT number, log_end FROM leaves ORDER BY number DESC LIMIT 1");
            SAT_TRY_VALUE(const bool there, last.step());
            std::uint64_t leaves = 0;
            if (there) {
                leaves = last.natural(0) + 1;
                begin = last.natural(1);
                SAT_TRY(last.row_ok());
            }
            if (leaves != number) return fail(tree_damaged());
        }
        std::uint64_t position = 0;
        {
            SqliteQuery last =
                db_.query("SELECT position FROM leaves WHERE artwork = ? ORDER BY position DESC LIMIT 1");
            SAT_TRY_VALUE(const bool there, last.bind(artwork).step());
            if (there) {
                position = last.natural(0) + 1;
                SAT_TRY(last.row_ok());
            }
        }
        SAT_TRY(grow_tree(before, hash));
        return one(
            write(
                "INSERT INTO leaves(number, artwork, position, hash, at, log_end, sealed) VALUES(?, ?, ?, ?, ?, ?, ?)")
                .bind(number)
                .bind(artwork)
                .bind(position)
                .bind(hash)
                .bind(at)
                .bind(begin + leaf_record_size(sealed.size()))
                .bind(sealed));
    }

    Result<void> add_outcome(const OutcomeRow& outcome) override {
        std::optional<Bytes> sealed;
        if (outcome.receipt)
            sealed = session_.rows.seal(row_aad("outcomes", outcome.statement.view()), as_bytes(*outcome.receipt));
        return one(write("INSERT INTO outcomes(statement, artwork, claim, sealed) VALUES(?, ?, ?, ?)")
                       .bind(outcome.statement)
                       .bind(outcome.artwork)
                       .bind(outcome.claim)
                       .bind(sealed));
    }

    Result<void> put_identity(const Wallet& wallet, ByteView chain) override {
        return one(write("INSERT INTO identities(wallet, sealed) VALUES(?, ?)"
                         " ON CONFLICT(wallet) DO UPDATE SET sealed = excluded.sealed")
                       .bind(wallet)
                       .bind(session_.rows.seal(row_aad("identities", wallet.view()), chain)));
    }

protected:
    // After an error SQLite may have rolled back by itself.
    void roll_back() {
        if (db_.in_transaction()) (void)db_.query("ROLLBACK").run();
    }

private:
    SqliteQuery write(const char* sql) {
        SAT_ASSERT(writable_ && db_.in_transaction());
        return db_.query(sql);
    }

    // Runs a statement that changes one row of a sound catalogue.
    static Result<void> one(SqliteQuery& query) {
        SAT_TRY_VALUE(const int changed, query.run());
        if (changed == 1) return {};
        return fail(Errc::io_error, "the catalogue is damaged: a row that it refers to is not there",
                    "stop the vault, and run `sat-vaultd check --repair`");
    }

    static std::optional<UnixTime> deadline_of(const ClaimRow& claim) {
        if (!is_open(claim.state)) return std::nullopt;
        return deadline(claim.facts());
    }

    Bytes seal_claim(const ClaimRow& claim) {
        return session_.rows.seal(row_aad("claims", claim.id.view()), encode_claim_row(claim));
    }

    static Result<ClaimState> read_state(SqliteQuery& row, int column) {
        const auto state = claim_state_from_number(row.integer(column));
        if (!state) return fail(Errc::io_error, "the catalogue is damaged: a claim is in no state that there is");
        return *state;
    }

    Result<WorkRow> read_work(SqliteQuery& row) {
        WorkRow work;
        work.number = row.natural(0);
        work.artwork = row.artwork(1);
        work.owner = row.digest(2);
        work.head = row.digest(3);
        work.seq = row.natural(4);
        work.registered_at = row.integer(5);
        work.held = row.integer(6) != 0;
        work.bytes = row.natural(7);
        const ByteView sealed = row.blob(8);
        SAT_TRY(row.row_ok());
        SAT_TRY_VALUE(const Bytes opened, session_.rows.open(row_aad("works", work.artwork.bytes()), sealed));
        SAT_TRY(decode_work_row(opened, work));
        return work;
    }

    Result<ClaimRow> read_claim(SqliteQuery& row) {
        ClaimRow claim;
        claim.number = row.natural(0);
        claim.id = row.digest(1);
        claim.artwork = row.artwork(2);
        claim.collector = row.digest(3);
        claim.owner = row.digest(4);
        claim.head = row.digest(5);
        claim.seq = row.natural(6);
        SAT_TRY_VALUE(claim.state, read_state(row, 7));
        claim.asked_at = row.integer(8);
        claim.changed_at = row.integer(9);
        claim.exp = row.integer(10);
        if (!row.is_null(11)) claim.answer_id = row.digest(11);
        if (!row.is_null(12)) claim.answer_exp = row.integer(12);
        const ByteView sealed = row.blob(13);
        SAT_TRY(row.row_ok());
        SAT_TRY_VALUE(const Bytes opened, session_.rows.open(row_aad("claims", claim.id.view()), sealed));
        SAT_TRY(decode_claim_row(opened, claim));
        return claim;
    }

    Result<std::vector<ClaimRow>> read_claims(SqliteQuery& rows) {
        std::vector<ClaimRow> out;
        for (;;) {
            SAT_TRY_VALUE(const bool there, rows.step());
            if (!there) return out;
            SAT_TRY_VALUE(ClaimRow claim, read_claim(rows));
            out.push_back(std::move(claim));
        }
    }

    // A damaged node must not grow into a root that somebody signs.
    Result<void> grow_tree(const TreeHead& before, const LeafHash& leaf) {
        SAT_TRY_VALUE(MerkleBuilder tree, tree_at(*this, before.size));
        if (tree.root() != before.root) return fail(tree_damaged());
        SAT_TRY(add_to_tree(db_, tree, leaf));
        return put_tree_head(db_, tree.head());
    }

    // Of rows that have a leaf's number and what is sealed.
    Result<std::vector<std::string>> read_entries(SqliteQuery& rows) {
        std::vector<std::string> out;
        for (;;) {
            SAT_TRY_VALUE(const bool there, rows.step());
            if (!there) return out;
            SAT_TRY_VALUE(const Bytes entry, session_.leaves.open(leaf_aad(rows.natural(0)), rows.blob(1)));
            SAT_TRY(rows.row_ok());
            out.push_back(to_string(ByteView(entry)));
        }
    }

    static Result<SealedLeaf> read_leaf(SqliteQuery& row) {
        SealedLeaf leaf;
        leaf.index = row.natural(0);
        leaf.log_end = row.natural(1);
        leaf.sealed = to_bytes(row.blob(2));
        SAT_TRY(row.row_ok());
        return leaf;
    }

    // The numbers of the works that meet the query, newest first.
    Result<std::vector<std::uint64_t>> find(const WorkQuery& query) {
        std::set<WordHash> words;
        for (const std::string& word : query.words) words.insert(session_.word_hash('w', word));
        if (query.artist) words.insert(session_.word_hash('a', *query.artist));

        // One condition is a walk along one index.
        if (words.empty() && query.owner)
            return read_numbers(
                db_.query("SELECT number FROM works INDEXED BY works_owner WHERE owner = ? AND number < ?"
                          " ORDER BY number DESC LIMIT ?")
                    .bind(*query.owner)
                    .bind(query.before)
                    .bind(query.limit));
        if (words.size() == 1 && !query.owner)
            return read_numbers(
                db_.query("SELECT work FROM words WHERE word = ? AND work < ? ORDER BY work DESC LIMIT ?")
                    .bind(ByteView(*words.begin()))
                    .bind(query.before)
                    .bind(query.limit));

        // Several: each index in turn is asked for its greatest number not above the candidate, which so falls in steps
        // as large as the rarest condition allows.  A candidate that all agree on is found.
        std::vector<Walk> walks;
        walks.reserve(words.size() + 1);
        for (const WordHash& key : words) {
            walks.emplace_back([this, key](std::uint64_t at_most, std::size_t limit) {
                return read_numbers(db_.query("SELECT work FROM words WHERE word = ? AND work <= ?"
                                              " ORDER BY work DESC LIMIT ?")
                                        .bind(ByteView(key))
                                        .bind(at_most)
                                        .bind(limit));
            });
        }
        if (query.owner) {
            walks.emplace_back([this, &query](std::uint64_t at_most, std::size_t limit) {
                return read_numbers(db_.query("SELECT number FROM works INDEXED BY works_owner"
                                              " WHERE owner = ? AND number <= ? ORDER BY number DESC LIMIT ?")
                                        .bind(*query.owner)
                                        .bind(at_most)
                                        .bind(limit));
            });
        }
        std::vector<std::uint64_t> found;
        std::uint64_t candidate = query.before;
        std::size_t agreed = 0;
        if (candidate-- == 0) return found;
        for (std::size_t turn = 0; found.size() < query.limit; turn = (turn + 1) % walks.size()) {
            SAT_TRY_VALUE(const auto next, walks[turn].next(candidate));
            if (!next) break;
            agreed = *next == candidate ? agreed + 1 : 1;
            candidate = *next;
            if (agreed < walks.size()) continue;
            found.push_back(candidate);
            agreed = 0;
            if (candidate-- == 0) break;
        }
        return found;
    }

    static Result<std::vector<std::uint64_t>> read_numbers(SqliteQuery& rows) {
        std::vector<std::uint64_t> out;
        for (;;) {
            SAT_TRY_VALUE(const bool there, rows.step());
            if (!there) return out;
            out.push_back(rows.natural(0));
            SAT_TRY(rows.row_ok());
        }
    }

    Session& session_;
    SqliteConnection& db_;
    bool writable_;
};

Result<void> migrate_from_1(SqliteConnection& db) {
    SAT_TRY(db.execute("BEGIN IMMEDIATE"));
    const auto migrate = [&]() -> Result<void> {
        SAT_TRY(db.execute(kMigrationFrom1));
        MerkleBuilder tree;
        {
            SqliteQuery leaves = db.query("SELECT number, hash FROM leaves ORDER BY number");
            for (;;) {
                SAT_TRY_VALUE(const bool there, leaves.step());
                if (!there) break;
                const std::uint64_t number = leaves.natural(0);
                const LeafHash hash = leaves.digest(1);
                SAT_TRY(leaves.row_ok());
                if (number != tree.size()) return fail(Errc::io_error, "the catalogue is damaged: a leaf is missing");
                SAT_TRY(add_to_tree(db, tree, hash));
            }
        }
        SAT_TRY(put_tree_head(db, tree.head()));
        return db.execute("PRAGMA user_version = 2; COMMIT");
    };
    auto migrated = migrate();
    if (!migrated && db.in_transaction()) (void)db.execute("ROLLBACK");
    return migrated;
}

// Who registered what, of works that have changed hands too.
Result<void> migrate_from_2(SqliteConnection& db, const MasterKey& master) {
    AtRestSealer sealer(master.derive(AtRestKey::rows));
    SAT_TRY(db.execute("BEGIN IMMEDIATE"));
    const auto migrate = [&]() -> Result<void> {
        SAT_TRY(db.execute(SAT_QUOTA_SCHEMA));
        SqliteQuery rows = db.query("SELECT artwork, owner, seq, bytes, sealed FROM works ORDER BY number");
        for (;;) {
            SAT_TRY_VALUE(const bool there, rows.step());
            if (!there) break;
            WorkRow work;
            work.artwork = rows.artwork(0);
            work.owner = rows.digest(1);
            work.seq = rows.natural(2);
            work.bytes = rows.natural(3);
            const ByteView sealed = rows.blob(4);
            SAT_TRY(rows.row_ok());
            if (work.seq > 0) {
                SAT_TRY_VALUE(const Bytes opened, sealer.open(row_aad("works", work.artwork.bytes()), sealed));
                SAT_TRY(decode_work_row(opened, work));
                SAT_TRY_VALUE(const auto registration, parse_statement<Registration>(work.registration));
                work.owner = registration.body.iss;
            }
            SAT_TRY(add_to_artist(db, work.owner, work.bytes));
        }
        return db.execute("PRAGMA user_version = 3; COMMIT");
    };
    auto migrated = migrate();
    if (!migrated && db.in_transaction()) (void)db.execute("ROLLBACK");
    return migrated;
}

// The nodes give the root that was recorded, for the leaves that are there.
Result<void> check_tree(Session& session) {
    SqliteView view(session, false);
    SAT_TRY_VALUE(const TreeHead head, view.tree_head());
    SAT_TRY_VALUE(const CatalogTotals totals, view.totals());
    SAT_TRY_VALUE(const Digest root, tree_root(view, std::min(head.size, totals.leaves)));
    if (totals.leaves != head.size || root != head.root) {
        Error damaged = tree_damaged();
        damaged.code = Errc::config;
        return fail(std::move(damaged));
    }
    return {};
}

Result<void> check_or_create(SqliteConnection& db, const MasterKey& master, const Wallet& vault) {
    SAT_TRY_VALUE(const std::int64_t application, db.integer("PRAGMA application_id"));
    SAT_TRY_VALUE(const std::int64_t version, db.integer("PRAGMA user_version"));
    if (application == 0 && version == 0) {
        SAT_TRY_VALUE(const std::int64_t tables, db.integer("SELECT count(*) FROM sqlite_schema"));
        if (tables != 0) return fail(Errc::config, "the catalogue is a database of another program");
        SAT_TRY(db.execute("BEGIN IMMEDIATE"));
        SAT_TRY(db.execute(kSchema));
        SAT_TRY(db.query("INSERT INTO vault(one, wallet, master_check, works, bytes, tree_size, tree_root)"
                         " VALUES(1, ?, ?, 0, 0, 0, ?)")
                    .bind(vault)
                    .bind(master.check_value())
                    .bind(empty_root())
                    .run());
        SAT_TRY(db.execute("PRAGMA application_id = 0x53415456; PRAGMA user_version = 3; COMMIT"));
        return {};
    }
    if (application != kCatalogApplication) return fail(Errc::config, "the catalogue is a database of another program");
    if (version < 1 || version > kCatalogVersion)
        return fail(Errc::config, "the catalogue has a format that this version does not know",
                    "use the version of sat-vaultd that wrote it, or a newer one");
    {
        SqliteQuery row = db.query("SELECT wallet, master_check FROM vault");
        SAT_TRY_VALUE(const bool there, row.step());
        if (!there) return fail(Errc::config, "the catalogue is damaged: it does not say whose it is");
        if (row.digest(0) != vault)
            return fail(Errc::config, "the catalogue belongs to another vault", "put back the keys that belong to it");
        if (row.digest(1) != master.check_value())
            return fail(Errc::config, "the catalogue is sealed under another master key",
                        "put back the master.key that belongs to it");
        SAT_TRY(row.row_ok());
    }
    if (version == 1) SAT_TRY(migrate_from_1(db));
    if (version <= 2) SAT_TRY(migrate_from_2(db, master));
    return {};
}

}  // namespace

const char* catalog_schema() noexcept { return kSchema; }

namespace {

// Past this many the others' answers have waited long enough.
constexpr std::size_t kMostInBatch = 64;

// Transactions of ours that share one of SQLite's, each but the first in a savepoint of its own, so that one that is
// refused takes nothing of the others with it.
struct Batch {
    // Under the catalogue's write_mutex.
    std::vector<CatalogTransaction::Then> then;
    bool broken = false;  // holds what should have been rolled back and was not

    std::mutex mutex;
    std::condition_variable ended;
    std::optional<Result<void>> outcome;

    void end(Result<void> how) {
        {
            const std::lock_guard lock(mutex);
            outcome = std::move(how);
        }
        ended.notify_all();
    }
    Result<void> wait() {
        std::unique_lock lock(mutex);
        ended.wait(lock, [&] { return outcome.has_value(); });
        return *outcome;
    }
};

}  // namespace

struct SqliteCatalog::Impl {
    Path path;
    // Kept to give each reader a session of its own.
    MasterKey master;

    // Who holds it has the writer to itself.
    std::mutex write_mutex;
    std::atomic<std::size_t> write_waiting = 0;
    std::optional<Session> writer;
    std::shared_ptr<Batch> batch;  // under write_mutex; null while no transaction of SQLite's is open

    std::mutex read_mutex;
    std::condition_variable read_returned;
    std::vector<std::unique_ptr<Session>> idle_readers;
    std::size_t readers = 0;

    Impl(Path file, MasterKey key) : path(std::move(file)), master(std::move(key)) {}

    Result<std::unique_ptr<Session>> take_reader() {
        std::unique_lock lock(read_mutex);
        read_returned.wait(lock, [&] { return !idle_readers.empty() || readers < kMaxReaders; });
        if (!idle_readers.empty()) {
            auto session = std::move(idle_readers.back());
            idle_readers.pop_back();
            return session;
        }
        SAT_TRY_VALUE(auto connection, SqliteConnection::open(path, SqliteConnection::Access::read));
        ++readers;
        return std::make_unique<Session>(std::move(connection), master);
    }

    void return_reader(std::unique_ptr<Session> session) {
        {
            const std::lock_guard lock(read_mutex);
            idle_readers.push_back(std::move(session));
        }
        read_returned.notify_one();
    }
};

namespace {

// A rollback that failed, when the last transaction of this connection ended, is made up for.
Result<void> begin_anew(SqliteConnection& db, const char* begin) {
    if (db.in_transaction()) SAT_TRY(db.execute("ROLLBACK"));
    SAT_TRY(db.query(begin).run());
    return {};
}

}  // namespace

// One of a batch.  It holds the write_mutex until it has been released into the batch or rolled back.  Whoever then
// finds that nobody waits for the mutex ends the batch with SQLite's COMMIT, which syncs: while one batch is synced the
// next one gathers at the mutex.
struct SqliteCatalog::WriteView final : SqliteView {
    explicit WriteView(Impl& from) : SqliteView(*from.writer, true), impl(from), db(*from.writer->db) {
        ++impl.write_waiting;
        lock = std::unique_lock(impl.write_mutex);
        --impl.write_waiting;
    }
    ~WriteView() override {
        if (!lock) return;
        if (begins_batch && impl.batch) {
            end_batch();  // which has nothing in it
        } else if (impl.batch && db.in_transaction()) {
            const bool undone = run("ROLLBACK TO statement") && run("RELEASE statement");
            if (!undone && !db.execute("ROLLBACK")) impl.batch->broken = true;
        }
        pass_on();
    }

    Result<void> open() {
        if (!impl.batch) {
            SAT_TRY(begin_anew(db, "BEGIN IMMEDIATE"));
            impl.batch = std::make_shared<Batch>();
            begins_batch = true;
            return {};
        }
        return run("SAVEPOINT statement");
    }

    using SqliteView::commit;
    Result<void> commit(Then then) override {
        SAT_ASSERT(lock && db.in_transaction());
        if (!begins_batch) SAT_TRY(run("RELEASE statement"));
        const std::shared_ptr<Batch> mine = impl.batch;
        mine->then.push_back(std::move(then));
        pass_on();
        return mine->wait();
    }

    // Gives the writer to the next of the batch, or ends the batch where there is none.
    void pass_on() {
        if (impl.batch && (!db.in_transaction() || impl.write_waiting == 0 || impl.batch->then.size() >= kMostInBatch))
            end_batch();
        lock.unlock();
    }

    void end_batch() {
        const std::shared_ptr<Batch> batch = std::exchange(impl.batch, nullptr);
        Result<void> done;
        if (batch->broken || !db.in_transaction()) {
            // An error of one statement may make SQLite roll back all of them.
            done = fail(Errc::io_error, "the write of another statement failed, and this one's with it");
        } else if (batch->then.empty()) {
            done = db.execute("ROLLBACK");
        } else {
            done = run("COMMIT");
        }
        if (!done && db.in_transaction()) (void)db.execute("ROLLBACK");
        if (done)
            for (const Then& then : batch->then)
                if (then) then();
        batch->end(std::move(done));
    }

    Result<void> run(const char* sql) {
        SqliteQuery query = db.query(sql);
        SAT_TRY(query.run());
        return {};
    }

    Impl& impl;
    SqliteConnection& db;
    std::unique_lock<std::mutex> lock;
    // Nobody stands before it in the batch: it needs no savepoint, for which SQLite would copy each page that it
    // changes.
    bool begins_batch = false;
};

struct SqliteCatalog::ReadView final : SqliteView {
    ReadView(Impl& from, std::unique_ptr<Session> session)
        : SqliteView(*session, false), impl(from), owned(std::move(session)) {}
    ~ReadView() override {
        roll_back();
        impl.return_reader(std::move(owned));
    }

    Impl& impl;
    std::unique_ptr<Session> owned;
};

SqliteCatalog::SqliteCatalog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteCatalog::~SqliteCatalog() = default;

Result<std::unique_ptr<SqliteCatalog>> SqliteCatalog::open(const Path& path, const MasterKey& master,
                                                           const Wallet& vault) {
    SAT_TRY_VALUE(auto connection, SqliteConnection::open(path, SqliteConnection::Access::write));
    SAT_TRY(check_or_create(*connection, master, vault));
    auto impl = std::make_unique<Impl>(path, master.copy());
    impl->writer.emplace(std::move(connection), impl->master);
    SAT_TRY(check_tree(*impl->writer));
    return std::unique_ptr<SqliteCatalog>(new SqliteCatalog(std::move(impl)));
}

Result<std::unique_ptr<CatalogReader>> SqliteCatalog::read() {
    SAT_TRY_VALUE(auto session, impl_->take_reader());
    auto view = std::make_unique<ReadView>(*impl_, std::move(session));
    SAT_TRY(begin_anew(*view->owned->db, "BEGIN"));
    return std::unique_ptr<CatalogReader>(std::move(view));
}

Result<std::unique_ptr<CatalogTransaction>> SqliteCatalog::begin() {
    auto view = std::make_unique<WriteView>(*impl_);
    SAT_TRY(view->open());
    return std::unique_ptr<CatalogTransaction>(std::move(view));
}

}  // namespace sat
