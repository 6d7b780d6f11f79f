// The leaves files: every leaf of the ledger a second and a third time, sealed, in the data directory and its
// duplicate, so that ownership outlives the database.  docs/storage.md, "The leaves files".
//
//     "SATL" | u8 version=1 | 3 zero bytes | vault wallet[32] | records        record: u32 length | sealed leaf entry
//
// The catalogue comes first: a leaf is committed there and then copied, so a file may lack the newest leaves and never
// has one that the catalogue lacks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/file.h"
#include "store/at_rest.h"
#include "store/catalog.h"
#include "store/leaf_file.h"

namespace sat {

// Thread-safe.
class LeafLog {
public:
    // Opens or creates the files and cuts off a torn end.  What the catalogue has more is catch_up()'s.
    // config: a file of another vault or format, or one that has leaves which the catalogue has not or has otherwise;
    // storage_full, io_error.
    static Result<std::unique_ptr<LeafLog>> open(const std::vector<Path>& files, const Wallet& vault,
                                                 const MasterKey& master, Catalog& catalog);

    // How many leaves file number `file` has.
    std::uint64_t leaves(std::size_t file);
    // How many every file has.
    std::uint64_t leaves_in_all();

    // Every leaf that was committed before the call is in every file and synced when this succeeds; calls that come
    // while another syncs share the next sync.  On failure the files end where they ended before, and the next call
    // tries again.
    Result<void> catch_up(Catalog& catalog);

private:
    struct File {
        Path path;
        FileDescriptor fd;
        std::uint64_t leaves = 0;  // in it, synced
        std::uint64_t end = 0;     // its size, unless `torn`
        bool torn = false;         // behind `end` may lie what a failed write left
    };

    LeafLog() = default;
    static Result<File> open_file(const Path& path, const Wallet& vault, AtRestSealer& sealer, CatalogReader& reader);
    std::uint64_t fewest() const;
    static Result<void> append(File& file, const std::vector<SealedLeaf>& leaves);

    std::mutex mutex_;
    std::vector<File> files_;
    std::atomic<std::uint64_t> asked_ = 0;  // calls of catch_up()
    std::uint64_t caught_up_ = 0;           // of these, those that need nothing more
};

}  // namespace sat
