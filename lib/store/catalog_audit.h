// The catalogue row by row, for those who doubt it: what SQLite says of its file, and every row as it stands, or why it
// cannot be read.  Nothing is written: what lies in the -wal stays there.  docs/storage.md, "The catalogue".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "store/at_rest.h"
#include "store/catalog.h"

namespace sat {

struct LeafRow {
    std::uint64_t index = 0;
    ArtworkId artwork;
    std::uint64_t position = 0;
    LeafHash hash;
    UnixTime at = 0;
    std::uint64_t log_end = 0;
    Bytes sealed;
};

struct IdRow {
    ArtworkId artwork;
    bool unfinished = false;
};

struct ArtistRow {
    Wallet wallet;
    RegisteredBy registered;
};

// A claim, and the column that is computed from it.
struct AuditedClaim {
    ClaimRow row;
    std::optional<UnixTime> deadline;  // null when it is over
};

class SqliteConnection;
class SqliteQuery;

// One thread at a time.
class CatalogAudit {
public:
    // Whatever is damaged in it, as long as it is this vault's catalogue in this version's tables: problems() says so.
    // config: another vault's; version: one of an earlier or a newer version; busy, storage_full; io_error: damaged
    // beyond that.
    static Result<std::unique_ptr<CatalogAudit>> open(const Path& path, const MasterKey& master, const Wallet& vault);
    ~CatalogAudit();
    CatalogAudit(const CatalogAudit&) = delete;
    CatalogAudit& operator=(const CatalogAudit&) = delete;

    // What its first words have amiss: numbers of another format over the tables of this one, half of another owner.
    const std::vector<std::string>& problems() const noexcept { return problems_; }
    // What is amiss in the file, its schema and the references between its tables, in words; at most some twenty.
    Result<std::vector<std::string>> integrity();

    // Calls `each` with every row, or with why it cannot be read.  An error: the rest of the table cannot be reached.
    template <typename T>
    using Each = std::function<void(Result<T>)>;
    Result<void> works(const Each<WorkRow>& each);  // in their order
    Result<void> claims(const Each<AuditedClaim>& each);
    Result<void> outcomes(const Each<OutcomeRow>& each);
    Result<void> ids(const Each<IdRow>& each);
    Result<void> identities(const Each<KnownIdentity>& each);
    Result<void> artists(const Each<ArtistRow>& each);

    // How many rows there are of leaves, of nodes and of words.
    Result<std::uint64_t> leaves();
    Result<std::uint64_t> nodes();
    Result<std::uint64_t> words();
    Result<std::optional<LeafRow>> leaf(std::uint64_t index);
    Result<std::optional<Digest>> node(unsigned level, std::uint64_t number);
    Result<std::optional<WorkRow>> work(const ArtworkId& artwork);
    Result<std::optional<OutcomeRow>> outcome(const StatementId& statement);
    Result<std::optional<Bytes>> identity(const Wallet& wallet);
    // How many different words a work with these is found by, and how many of them lead to it.
    struct WordCount {
        std::uint64_t wanted = 0;
        std::uint64_t found = 0;
    };
    Result<WordCount> words_of(std::uint64_t work, const WorkWords& words);
    struct Totals {
        std::uint64_t works = 0;
        std::uint64_t bytes = 0;
        TreeHead tree;
    };
    Result<Totals> totals();

    // The database as it stands, for a backup; others may write meanwhile.  io_error, storage_full.
    Result<void> copy_to(const Path& path);
    // Brings what its -wal holds into the database's file, so that this alone is all of it.  storage_full, io_error.
    Result<void> empty_log();

private:
    CatalogAudit(std::unique_ptr<SqliteConnection> db, const MasterKey& master);
    Result<std::uint64_t> count(const char* sql);
    Result<WorkRow> read_work(SqliteQuery& row);
    Result<OutcomeRow> read_outcome(SqliteQuery& row);

    std::unique_ptr<SqliteConnection> db_;
    AtRestSealer rows_;
    SecretBytes search_key_;
    std::vector<std::string> problems_;
};

}  // namespace sat
