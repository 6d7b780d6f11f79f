// The catalogue in one SQLite file.  Tables, columns and indices: docs/storage.md, "The catalogue".
// One writer, whose transactions are committed in groups: those that come while one is being synced share the next
// sync. Readers beside it, each on a connection of its own (WAL), so that browsing does not wait for a commit's sync.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"
#include "store/at_rest.h"
#include "store/catalog.h"

namespace sat {

inline constexpr std::int64_t kCatalogApplication = 0x53415456;  // "SATV"
inline constexpr std::int64_t kCatalogVersion = 3;

// The statements that make the tables and indices of the newest format.
const char* catalog_schema() noexcept;

class SqliteCatalog final : public Catalog {
public:
    // Opens or creates; a catalogue of an older format is brought up to date.  config: no catalogue of a known format,
    // another vault's, sealed under another master key, or one whose tree does not have the root that was recorded;
    // io_error, storage_full.
    static Result<std::unique_ptr<SqliteCatalog>> open(const Path& path, const MasterKey& master, const Wallet& vault);
    ~SqliteCatalog() override;

    Result<std::unique_ptr<CatalogReader>> read() override;
    Result<std::unique_ptr<CatalogTransaction>> begin() override;

private:
    struct Impl;
    struct ReadView;
    struct WriteView;
    explicit SqliteCatalog(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace sat
