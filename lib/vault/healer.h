// A bad file that a request met is mended from the other copy, beside the requests, on a thread of its own.
// docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "store/at_rest.h"
#include "store/catalog.h"
#include "store/directory_blob_store.h"
#include "vault/stored_work.h"
#include "vault/vault.h"

namespace sat {

// Thread-safe.
class Healer {
public:
    // `keys` and `catalog` outlive it.  Without a duplicate it mends nothing and only tells.
    Healer(const VaultOptions& options, const VaultKeys& keys, Catalog& catalog, AtRestSealer sealer);
    // Ends with the file that it is at.
    ~Healer();
    Healer(const Healer&) = delete;
    Healer& operator=(const Healer&) = delete;

    // A request met something bad of this work.  What could not be mended a while ago is not looked at again: whoever
    // asks for it, and asks again, would have both copies read each time.
    void look_at(const ArtworkId& artwork);
    // What was told before there was anybody to tell is told then.
    void set_report(Vault::HealReport report);
    void report(const HealEvent& event);

    // For a copy that is about to be made: both files of a work are what was registered; else it is told.  At the
    // start, before anything is looked at.
    Result<bool> is_sound(const ArtworkId& artwork, const Path& image, const Path& metadata);

private:
    enum class Kind { image, metadata };

    void run();
    Result<StoredWork> find(const ArtworkId& artwork);
    // Whether nothing bad is left.
    bool mend(const ArtworkId& artwork);
    bool mend(Kind kind, const StoredWork& work);
    Result<void> check(Kind kind, const Path& file, const StoredWork& work);
    Path path_of(Kind kind, const DirectoryBlobStore::Place& place, const ArtworkId& artwork) const;

    const VaultKeys& keys_;
    Catalog& catalog_;
    AtRestSealer sealer_;  // the thread's
    std::vector<DirectoryBlobStore::Place> places_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<ArtworkId> queue_;
    std::unordered_set<ArtworkId> queued_;
    std::unordered_map<ArtworkId, std::chrono::steady_clock::time_point> hopeless_;  // until when
    bool stopping_ = false;
    std::mutex report_mutex_;
    Vault::HealReport report_;
    std::vector<HealEvent> untold_;  // until there is one
    std::thread thread_;             // last: it uses the others
};

}  // namespace sat
