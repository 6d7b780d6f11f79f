// The catalogue's rows, doubted.  docs/storage.md, "The catalogue".
// SPDX-License-Identifier: Apache-2.0
#include "store/catalog_audit.h"

#include <map>
#include <set>

#include "store/row_codec.h"
#include "store/sqlite.h"
#include "store/sqlite_catalog.h"

namespace sat {

namespace {

constexpr std::size_t kMostLines = 20;

// Name and statement of every table and index.
Result<std::map<std::string, std::string>> schema_of(SqliteConnection& db) {
    std::map<std::string, std::string> out;
    SqliteQuery rows = db.query("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL");
    for (;;) {
        SAT_TRY_VALUE(const bool there, rows.step());
        if (!there) return out;
        const std::string name = rows.text(0);
        out[name] = rows.text(1);
        SAT_TRY(rows.row_ok());
    }
}

// A catalogue that was brought up to date has this table with other words.
constexpr const char* kMigratedTable = "vault";

// A version number that much beyond ours was written by nobody.
constexpr std::int64_t kMostAhead = 64;

Result<std::map<std::string, std::string>> wanted_schema() {
    SAT_TRY_VALUE(const auto pattern, SqliteConnection::open(":memory:", SqliteConnection::Access::write));
    SAT_TRY(pattern->execute(catalog_schema()));
    return schema_of(*pattern);
}

// Names of tables and indices that are not there.
Result<std::vector<std::string>> missing_tables(SqliteConnection& db) {
    SAT_TRY_VALUE(const auto found, schema_of(db));
    SAT_TRY_VALUE(const auto wanted, wanted_schema());
    std::vector<std::string> out;
    for (const auto& [name, sql] : wanted)
        if (!found.contains(name)) out.push_back(name);
    return out;
}

// NOLINTBEGIN(cppcoreguidelines-macro-usage): literals are joined by the preprocessor alone
#define SAT_AUDITED_WORK "number, artwork, owner, head, seq, registered_at, held, bytes, sealed"
#define SAT_AUDITED_OUTCOME "statement, artwork, claim, sealed"
// NOLINTEND(cppcoreguidelines-macro-usage)

}  // namespace

CatalogAudit::CatalogAudit(std::unique_ptr<SqliteConnection> db, const MasterKey& master)
    : db_(std::move(db)), rows_(master.derive(AtRestKey::rows)), search_key_(master.derive(AtRestKey::words)) {}

CatalogAudit::~CatalogAudit() = default;

Result<std::unique_ptr<CatalogAudit>> CatalogAudit::open(const Path& path, const MasterKey& master,
                                                         const Wallet& vault) {
    Path log = path;
    log += "-wal";
    std::error_code ignored;
    const auto logged = std::filesystem::file_size(log, ignored);
    std::vector<std::string> problems;
    std::optional<Error> refused;
    auto db = [&]() -> Result<std::unique_ptr<SqliteConnection>> {
        SAT_TRY_VALUE(auto found, SqliteConnection::open(path, SqliteConnection::Access::read));
        // What a crash left there is evidence.
        if (!ignored && logged > 0) found->leave_log();
        SAT_TRY_VALUE(const std::int64_t application, found->integer("PRAGMA application_id"));
        SAT_TRY_VALUE(const std::int64_t version, found->integer("PRAGMA user_version"));
        SAT_TRY_VALUE(const auto missing, missing_tables(*found));
        const bool ours = missing.empty();
        if (application == kCatalogApplication && version >= 1 && version < kCatalogVersion && !ours)
            refused = Error{Errc::version, "the catalogue has the format of an earlier version",
                            "start the vault once: that brings it up to date"};
        if (application == kCatalogApplication && version > kCatalogVersion && version <= kCatalogVersion + kMostAhead)
            refused = Error{Errc::version, "the catalogue has the format of a newer version",
                            "use the version of sat-vaultd that wrote it"};
        if (refused) return found;
        if (application != kCatalogApplication || version != kCatalogVersion) {
            if (!ours) return fail(Errc::io_error, "it is no catalogue of this version's format");
            problems.emplace_back("the numbers of its format are not its own");
        }
        SqliteQuery row = found->query("SELECT wallet, master_check FROM vault");
        SAT_TRY_VALUE(const bool there, row.step());
        const bool my_wallet = there && row.digest(0) == vault;
        const bool my_key = there && row.digest(1) == master.check_value();
        if (there && !my_wallet && !my_key && row.row_ok())
            refused = Error{Errc::config, path.string() + " is the catalogue of another vault", "move it away"};
        if (!my_wallet || !my_key) problems.emplace_back("it does not say rightly whose it is");
        return found;
    }();
    if (refused) return fail(std::move(*refused));
    // The library's word for a file that is no database.
    if (!db && db.error().code == Errc::config) db.error().code = Errc::io_error;
    if (!db) return fail(std::move(db.error()));
    std::unique_ptr<CatalogAudit> audit(new CatalogAudit(std::move(*db), master));
    audit->problems_ = std::move(problems);
    return audit;
}

Result<std::vector<std::string>> CatalogAudit::integrity() {
    std::vector<std::string> out;
    {
        SqliteQuery rows = db_->query("PRAGMA integrity_check(20)");
        for (;;) {
            SAT_TRY_VALUE(const bool there, rows.step());
            if (!there) break;
            std::string line = rows.text(0);
            SAT_TRY(rows.row_ok());
            if (line != "ok") out.push_back(std::move(line));
        }
    }
    {
        SqliteQuery rows = db_->query("PRAGMA foreign_key_check");
        while (out.size() < kMostLines) {
            SAT_TRY_VALUE(const bool there, rows.step());
            if (!there) break;
            out.push_back("a row of " + rows.text(0) + " refers to one of " + rows.text(2) + " that is not there");
        }
    }
    SAT_TRY_VALUE(const auto found, schema_of(*db_));
    SAT_TRY_VALUE(const auto wanted, wanted_schema());
    for (const auto& [name, sql] : wanted) {
        const auto there = found.find(name);
        if (there == found.end()) {
            out.push_back("the table or index " + name + " is not there");
        } else if (there->second != sql && name != kMigratedTable) {
            out.push_back("the table or index " + name + " is not as it was made");
        }
    }
    for (const auto& [name, sql] : found)
        if (!wanted.contains(name)) out.emplace_back("there is a table or index that no catalogue has");
    return out;
}

Result<void> CatalogAudit::empty_log() { return db_->empty_log(); }

Result<void> CatalogAudit::copy_to(const Path& path) { return db_->copy_to(path); }

Result<WorkRow> CatalogAudit::read_work(SqliteQuery& row) {
    WorkRow work;
    work.number = row.natural(0);
    work.artwork = row.artwork(1);
    work.owner = row.digest(2);
    work.head = row.digest(3);
    work.seq = row.natural(4);
    work.registered_at = row.integer(5);
    const std::uint64_t held = row.natural(6);
    work.held = held != 0;
    work.bytes = row.natural(7);
    const ByteView sealed = row.blob(8);
    SAT_TRY(row.row_ok());
    if (held > 1) return fail(Errc::io_error, "a value is not of its kind");
    SAT_TRY_VALUE(const Bytes opened, rows_.open(row_aad("works", work.artwork.bytes()), sealed));
    SAT_TRY(decode_work_row(opened, work));
    return work;
}

Result<OutcomeRow> CatalogAudit::read_outcome(SqliteQuery& row) {
    OutcomeRow out;
    out.statement = row.digest(0);
    out.artwork = row.artwork(1);
    if (!row.is_null(2)) out.claim = row.digest(2);
    std::optional<ByteView> sealed;
    if (!row.is_null(3)) sealed = row.blob(3);
    SAT_TRY(row.row_ok());
    if (sealed) {
        SAT_TRY_VALUE(const Bytes receipt, rows_.open(row_aad("outcomes", out.statement.view()), *sealed));
        out.receipt = to_string(ByteView(receipt));
    }
    return out;
}

Result<std::optional<WorkRow>> CatalogAudit::work(const ArtworkId& artwork) {
    SqliteQuery row = db_->query("SELECT " SAT_AUDITED_WORK " FROM works WHERE artwork = ?");
    SAT_TRY_VALUE(const bool there, row.bind(artwork).step());
    if (!there) return std::optional<WorkRow>();
    SAT_TRY_VALUE(WorkRow work, read_work(row));
    return std::optional(std::move(work));
}

Result<std::optional<OutcomeRow>> CatalogAudit::outcome(const StatementId& statement) {
    SqliteQuery row = db_->query("SELECT " SAT_AUDITED_OUTCOME " FROM outcomes WHERE statement = ?");
    SAT_TRY_VALUE(const bool there, row.bind(statement).step());
    if (!there) return std::optional<OutcomeRow>();
    SAT_TRY_VALUE(OutcomeRow outcome, read_outcome(row));
    return std::optional(std::move(outcome));
}

Result<std::uint64_t> CatalogAudit::count(const char* sql) {
    SAT_TRY_VALUE(const std::int64_t number, db_->integer(sql));
    return static_cast<std::uint64_t>(number);
}

Result<std::uint64_t> CatalogAudit::leaves() { return count("SELECT count(*) FROM leaves NOT INDEXED"); }
Result<std::uint64_t> CatalogAudit::nodes() { return count("SELECT count(*) FROM nodes"); }
Result<std::uint64_t> CatalogAudit::words() { return count("SELECT count(*) FROM words"); }

Result<void> CatalogAudit::works(const Each<WorkRow>& each) {
    SqliteQuery rows = db_->query("SELECT " SAT_AUDITED_WORK " FROM works NOT INDEXED ORDER BY number");
    for (;;) {
        SAT_TRY_VALUE(const bool there, rows.step());
        if (!there) return {};
        each(read_work(rows));
    }
}

Result<void> CatalogAudit::claims(const Each<AuditedClaim>& each) {
    SqliteQuery rows = db_->query(
        "SELECT number, claim, artwork, collector, owner, head, seq, state, asked_at, changed_at, exp, answer,"
        " answer_exp, deadline, sealed FROM claims NOT INDEXED ORDER BY number");
    for (;;) {
        SAT_TRY_VALUE(const bool there, rows.step());
        if (!there) return {};
        each([&]() -> Result<AuditedClaim> {
            AuditedClaim out;
            ClaimRow& claim = out.row;
            claim.number = rows.natural(0);
            claim.id = rows.digest(1);
            claim.artwork = rows.artwork(2);
            claim.collector = rows.digest(3);
            claim.owner = rows.digest(4);
            claim.head = rows.digest(5);
            claim.seq = rows.natural(6);
            const auto state = claim_state_from_number(rows.integer(7));
            claim.asked_at = rows.integer(8);
            claim.changed_at = rows.integer(9);
            claim.exp = rows.integer(10);
            if (!rows.is_null(11)) claim.answer_id = rows.digest(11);
            if (!rows.is_null(12)) claim.answer_exp = rows.integer(12);
            if (!rows.is_null(13)) out.deadline = rows.integer(13);
            const ByteView sealed = rows.blob(14);
            SAT_TRY(rows.row_ok());
            if (!state) return fail(Errc::io_error, "a claim is in no state that there is");
            claim.state = *state;
            SAT_TRY_VALUE(const Bytes opened, rows_.open(row_aad("claims", claim.id.view()), sealed));
            SAT_TRY(decode_claim_row(opened, claim));
            return out;
        }());
    }
}

Result<void> CatalogAudit::outcomes(const Each<OutcomeRow>& each) {
    SqliteQuery rows = db_->query("SELECT " SAT_AUDITED_OUTCOME " FROM outcomes NOT INDEXED");
    for (;;) {
        SAT_TRY_VALUE(const bool there, rows.step());
        if (!there) return {};
        each(read_outcome(rows));
    }
}

Result<void> CatalogAudit::ids(const Each<IdRow>& each) {
    SqliteQuery rows = db_->query("SELECT artwork, unfinished FROM ids");
    for (;;) {
        SAT_TRY_VALUE(const bool there, rows.step());
        if (!there) return {};
        each([&]() -> Result<IdRow> {
            const ArtworkId artwork = rows.artwork(0);
            const std::uint64_t unfinished = rows.natural(1);
            SAT_TRY(rows.row_ok());
            if (unfinished > 1) return fail(Errc::io_error, "a value is not of its kind");
            return IdRow{artwork, unfinished == 1};
        }());
    }
}

Result<void> CatalogAudit::identities(const Each<KnownIdentity>& each) {
    SqliteQuery rows = db_->query("SELECT wallet, sealed FROM identities NOT INDEXED");
    for (;;) {
        SAT_TRY_VALUE(const bool there, rows.step());
        if (!there) return {};
        each([&]() -> Result<KnownIdentity> {
            const Wallet wallet = rows.digest(0);
            const ByteView sealed = rows.blob(1);
            SAT_TRY(rows.row_ok());
            SAT_TRY_VALUE(Bytes chain, rows_.open(row_aad("identities", wallet.view()), sealed));
            return KnownIdentity{wallet, std::move(chain)};
        }());
    }
}

Result<void> CatalogAudit::artists(const Each<ArtistRow>& each) {
    SqliteQuery row = db_->query("SELECT wallet, works, bytes FROM artists ORDER BY wallet");
    for (;;) {
        SAT_TRY_VALUE(const bool there, row.step());
        if (!there) return {};
        const ArtistRow artist{row.digest(0), {row.natural(1), row.natural(2)}};
        const auto sound = row.row_ok();
        each(sound ? Result<ArtistRow>(artist) : Result<ArtistRow>(fail(sound.error())));
    }
}

Result<std::optional<LeafRow>> CatalogAudit::leaf(std::uint64_t index) {
    SqliteQuery row =
        db_->query("SELECT artwork, position, hash, at, log_end, sealed FROM leaves NOT INDEXED WHERE number = ?");
    row.bind(index);
    SAT_TRY_VALUE(const bool there, row.step());
    if (!there) return std::optional<LeafRow>();
    LeafRow leaf;
    leaf.index = index;
    leaf.artwork = row.artwork(0);
    leaf.position = row.natural(1);
    leaf.hash = row.digest(2);
    leaf.at = row.integer(3);
    leaf.log_end = row.natural(4);
    leaf.sealed = to_bytes(row.blob(5));
    SAT_TRY(row.row_ok());
    return std::optional(std::move(leaf));
}

Result<std::optional<Digest>> CatalogAudit::node(unsigned level, std::uint64_t number) {
    SqliteQuery row = db_->query("SELECT hash FROM nodes WHERE level = ? AND number = ?");
    row.bind(level).bind(number);
    SAT_TRY_VALUE(const bool there, row.step());
    if (!there) return std::optional<Digest>();
    const Digest hash = row.digest(0);
    SAT_TRY(row.row_ok());
    return std::optional(hash);
}

Result<std::optional<Bytes>> CatalogAudit::identity(const Wallet& wallet) {
    SqliteQuery row = db_->query("SELECT sealed FROM identities WHERE wallet = ?");
    row.bind(wallet);
    SAT_TRY_VALUE(const bool there, row.step());
    if (!there) return std::optional<Bytes>();
    SAT_TRY_VALUE(Bytes chain, rows_.open(row_aad("identities", wallet.view()), row.blob(0)));
    return std::optional(std::move(chain));
}

Result<CatalogAudit::WordCount> CatalogAudit::words_of(std::uint64_t work, const WorkWords& words) {
    std::set<WordHash> hashes{search_word_hash(search_key_, 'a', words.artist)};
    for (const std::string& word : words.text) hashes.insert(search_word_hash(search_key_, 'w', word));
    WordCount out;
    out.wanted = hashes.size();
    for (const WordHash& hash : hashes) {
        SqliteQuery row = db_->query("SELECT 1 FROM words WHERE word = ? AND work = ?");
        row.bind(ByteView(hash)).bind(work);
        SAT_TRY_VALUE(const bool there, row.step());
        if (there) ++out.found;
    }
    return out;
}

Result<CatalogAudit::Totals> CatalogAudit::totals() {
    SqliteQuery row = db_->query("SELECT works, bytes, tree_size, tree_root FROM vault");
    SAT_TRY_VALUE(const bool there, row.step());
    if (!there) return fail(Errc::io_error, "the catalogue does not say what it holds");
    Totals out;
    out.works = row.natural(0);
    out.bytes = row.natural(1);
    out.tree = {row.natural(2), row.digest(3)};
    SAT_TRY(row.row_ok());
    return out;
}

}  // namespace sat
