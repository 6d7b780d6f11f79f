// The wrapper around SQLite's C API.  docs/storage.md, "The catalogue".
// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>

#include <cerrno>
#include <string>

#include "base/assert.h"

namespace sat {

namespace {

constexpr const char* kInMemory = ":memory:";

// A parameter that the statement does not have, or a value beyond SQLite's limits: our own mistake.
void must_bind(int code) { SAT_ASSERT(code == SQLITE_OK); }

}  // namespace

SqliteQuery::~SqliteQuery() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);  // repeats the error of the last step, which was reported
    sqlite3_clear_bindings(statement_);
}

SqliteQuery& SqliteQuery::bind_integer(std::int64_t value, bool in_range) {
    SAT_ASSERT(in_range);
    if (statement_ != nullptr) must_bind(sqlite3_bind_int64(statement_, ++bound_, value));
    return *this;
}

SqliteQuery& SqliteQuery::bind(ByteView blob) {
    if (statement_ == nullptr) return *this;
    // A null pointer would bind NULL; an empty blob is a value.
    const void* data = blob.empty() ? static_cast<const void*>("") : blob.data();
    must_bind(sqlite3_bind_blob64(statement_, ++bound_, data, blob.size(), SQLITE_TRANSIENT));
    return *this;
}

SqliteQuery& SqliteQuery::bind(const ArtworkId& id) {
    if (statement_ == nullptr) return *this;
    const std::string_view text = id.view();
    must_bind(sqlite3_bind_text64(statement_, ++bound_, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
    return *this;
}

SqliteQuery& SqliteQuery::bind(std::nullopt_t) {
    if (statement_ != nullptr) must_bind(sqlite3_bind_null(statement_, ++bound_));
    return *this;
}

Result<bool> SqliteQuery::step() {
    if (statement_ == nullptr) return fail(connection_.error(SQLITE_ERROR));
    damaged_ = false;
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return fail(connection_.error(code));
}

Result<int> SqliteQuery::run() {
    SAT_TRY_VALUE(const bool row, step());
    SAT_ASSERT(!row);
    return sqlite3_changes(connection_.db_);
}

std::int64_t SqliteQuery::integer(int column) {
    if (sqlite3_column_type(statement_, column) != SQLITE_INTEGER) damaged_ = true;
    return sqlite3_column_int64(statement_, column);
}

std::uint64_t SqliteQuery::natural(int column) {
    const std::int64_t value = integer(column);
    if (value >= 0) return static_cast<std::uint64_t>(value);
    damaged_ = true;
    return 0;
}

ByteView SqliteQuery::blob(int column) {
    if (sqlite3_column_type(statement_, column) != SQLITE_BLOB) {
        damaged_ = true;
        return {};
    }
    const void* data = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    if (data == nullptr) return {};
    return {static_cast<const std::byte*>(data), size};
}

Digest SqliteQuery::digest(int column) {
    const auto digest = Digest::from_bytes(blob(column));
    if (digest) return *digest;
    damaged_ = true;
    return {};
}

ArtworkId SqliteQuery::artwork(int column) {
    if (sqlite3_column_type(statement_, column) == SQLITE_TEXT) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
        const auto id =
            ArtworkId::from_canonical({text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))});
        if (id) return *id;
    }
    damaged_ = true;
    return {};
}

std::string SqliteQuery::text(int column) {
    if (sqlite3_column_type(statement_, column) != SQLITE_TEXT) {
        damaged_ = true;
        return {};
    }
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (text == nullptr) return {};
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool SqliteQuery::is_null(int column) { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Result<void> SqliteQuery::row_ok() const {
    if (!damaged_) return {};
    return fail(Errc::io_error, connection_.path_.string() + " is damaged: a value is not of its kind",
                "restore the vault's directory from a backup");
}

void SqliteConnection::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const Path& path, Access access) {
    std::unique_ptr<SqliteConnection> connection(new SqliteConnection(path));
    // The library would give it the umask's mode.
    if (access == Access::write && path != kInMemory) {
        const FileDescriptor made(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (!made) return fail(errno_error("open", path, errno));
    }
    // The caller serialises its use of a connection; the library's own mutex would do it a second time.
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      (access == Access::write ? SQLITE_OPEN_CREATE : 0);
    const int code = sqlite3_open_v2(path.c_str(), &connection->db_, flags, nullptr);
    if (code != SQLITE_OK) return fail(connection->error(code));
    sqlite3_busy_timeout(connection->db_, 5000);
    // Journal mode and sync: a commit is on the disk when it returns.  The cache is small because sealed rows are read
    // once, by key.
    if (access == Access::write) SAT_TRY(connection->execute("PRAGMA journal_mode = WAL;"));
    SAT_TRY(
        connection->execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
                            "PRAGMA cache_size = -2048; PRAGMA trusted_schema = OFF;"));
    if (access == Access::read) SAT_TRY(connection->execute("PRAGMA query_only = ON;"));
    return connection;
}

SqliteConnection::~SqliteConnection() {
    statements_.clear();
    if (db_ != nullptr) SAT_ASSERT(sqlite3_close(db_) == SQLITE_OK);
}

Result<void> SqliteConnection::execute(const char* sql) {
    const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return fail(error(code));
    return {};
}

SqliteQuery SqliteConnection::query(const char* sql) {
    auto& statement = statements_[sql];
    if (!statement) {
        sqlite3_stmt* prepared = nullptr;
        sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
        statement.reset(prepared);
    }
    return {*this, statement.get()};
}

Result<std::int64_t> SqliteConnection::integer(const char* sql) {
    SqliteQuery row = query(sql);
    SAT_TRY_VALUE(const bool there, row.step());
    if (!there) return fail(Errc::io_error, path_.string() + " is damaged");
    const std::int64_t value = row.integer(0);
    SAT_TRY(row.row_ok());
    return value;
}

Result<void> SqliteConnection::copy_to(const Path& path) {
    sqlite3* copy = nullptr;
    int code = sqlite3_open_v2(path.c_str(), &copy,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                               nullptr);
    Result<void> copied;
    if (code == SQLITE_OK) {
        sqlite3_backup* backup = sqlite3_backup_init(copy, "main", db_, "main");
        // In one step: one view of the source, beside which a writer goes on (WAL).
        if (backup != nullptr) sqlite3_backup_step(backup, -1);
        code = backup != nullptr ? sqlite3_backup_finish(backup) : sqlite3_errcode(copy);
    }
    if (code != SQLITE_OK) {
        const Errc errc = (code & 0xff) == SQLITE_FULL ? Errc::storage_full : Errc::io_error;
        copied = fail(errc, "cannot copy " + path_.string() + " to " + path.string() + ": " + sqlite3_errstr(code));
    }
    SAT_ASSERT(sqlite3_close(copy) == SQLITE_OK);
    return copied;
}

void SqliteConnection::leave_log() { must_bind(sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr)); }

Result<void> SqliteConnection::empty_log() {
    SqliteQuery row = query("PRAGMA wal_checkpoint(TRUNCATE)");
    SAT_TRY_VALUE(const bool there, row.step());
    if (!there) return fail(Errc::io_error, path_.string() + " is damaged");
    if (row.integer(0) != 0) return fail(Errc::busy, path_.string() + " is in use");
    return {};
}

bool SqliteConnection::in_transaction() const noexcept { return sqlite3_get_autocommit(db_) == 0; }

std::int64_t SqliteConnection::last_insert_id() const noexcept { return sqlite3_last_insert_rowid(db_); }

Error SqliteConnection::error(int code) const {
    const int system = db_ != nullptr ? sqlite3_system_errno(db_) : 0;
    Errc errc = Errc::io_error;
    switch (code & 0xff) {
        case SQLITE_FULL:
            errc = Errc::storage_full;
            break;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            errc = Errc::busy;
            break;
        case SQLITE_NOTADB:
            errc = Errc::config;
            break;
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
            if (system == ENOSPC || system == EDQUOT) errc = Errc::storage_full;
            break;
        default:
            break;
    }
    const char* said = db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(code);
    return Error{errc, "cannot use " + path_.string() + ": " + said, ""};
}

}  // namespace sat
