// SQLite's C API in one small wrapper: a connection, its statements prepared once, values bound and read by type.
// docs/storage.md, "The catalogue".  A connection and its queries belong to one thread at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "base/file.h"
#include "ledger/artwork_id.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sat {

class SqliteConnection;

// One run of a prepared statement; reset when destroyed.  Views that it gives live until the next step().
class SqliteQuery {
public:
    SqliteQuery(const SqliteQuery&) = delete;
    SqliteQuery& operator=(const SqliteQuery&) = delete;
    SqliteQuery(SqliteQuery&&) = delete;
    SqliteQuery& operator=(SqliteQuery&&) = delete;
    ~SqliteQuery();

    // Parameters are numbered from 1, in the order in which the statement has them.  Bound memory is copied.
    template <std::integral T>
    SqliteQuery& bind(T value) {
        return bind_integer(static_cast<std::int64_t>(value), std::in_range<std::int64_t>(value));
    }
    SqliteQuery& bind(ByteView blob);
    SqliteQuery& bind(const Bytes& blob) { return bind(ByteView(blob)); }
    SqliteQuery& bind(const Digest& digest) { return bind(digest.view()); }
    SqliteQuery& bind(const ArtworkId& id);
    SqliteQuery& bind(std::nullopt_t);
    template <typename T>
    SqliteQuery& bind(const std::optional<T>& value) {
        return value ? bind(*value) : bind(std::nullopt);
    }

    // True where there is a row.  storage_full, busy, io_error.
    Result<bool> step();
    // For a statement that gives no rows; how many it changed.
    Result<int> run();

    // Columns are numbered from 0.
    std::int64_t integer(int column);
    // Not negative; else the row is damaged.
    std::uint64_t natural(int column);
    ByteView blob(int column);
    Digest digest(int column);
    ArtworkId artwork(int column);
    std::string text(int column);
    bool is_null(int column);
    // io_error if a value read since the last step() was not of its kind.
    Result<void> row_ok() const;

private:
    friend class SqliteConnection;
    SqliteQuery(SqliteConnection& connection, sqlite3_stmt* statement)
        : connection_(connection), statement_(statement) {}
    SqliteQuery& bind_integer(std::int64_t value, bool in_range);

    SqliteConnection& connection_;
    sqlite3_stmt* statement_;  // null: preparing failed, step() says why
    int bound_ = 0;
    bool damaged_ = false;
};

class SqliteConnection {
public:
    enum class Access { write, read };

    // WAL, synchronous = FULL, foreign keys, 5 s busy timeout.  Creates the file for write access, mode 0600.
    static Result<std::unique_ptr<SqliteConnection>> open(const Path& path, Access access);
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;
    ~SqliteConnection();

    // Statements without parameters and rows.
    Result<void> execute(const char* sql);
    // `sql` is a string literal: its address is its name in the cache of prepared statements.
    SqliteQuery query(const char* sql);
    // The one integer that `sql` gives.
    Result<std::int64_t> integer(const char* sql);
    // The database as it stands in one moment, into a file that is not there yet, while others read and write.
    // io_error, storage_full.
    Result<void> copy_to(const Path& path);
    // Closing it copies nothing from the -wal into the database, and leaves that file as it is.
    void leave_log();
    // The database's file alone is all of it when this succeeds: the -wal is empty.  busy, io_error, storage_full.
    Result<void> empty_log();
    bool in_transaction() const noexcept;
    std::int64_t last_insert_id() const noexcept;

    // What SQLite said last, as an error of ours.
    Error error(int code) const;

private:
    friend class SqliteQuery;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    explicit SqliteConnection(Path path) : path_(std::move(path)) {}

    Path path_;
    sqlite3* db_ = nullptr;
    std::unordered_map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

}  // namespace sat
