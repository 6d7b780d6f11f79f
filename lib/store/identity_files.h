// The identity chains of everybody whose signature stands in the ledger, a second and a third time, sealed, in the data
// directory and its duplicate: without them nobody could verify what the leaves files have.
// docs/storage.md, "Identity files".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "store/at_rest.h"
#include "store/catalog.h"

namespace sat {

inline constexpr const char* kIdentityDirectory = "identities";
inline constexpr std::size_t kMaxIdentityFile = std::size_t{20} * 1024;

Path identity_path(const Path& root, const Wallet& wallet);
Bytes seal_identity_file(const Wallet& wallet, ByteView chain, AtRestSealer& sealer);
// IdentityChain::encode(); io_error: damaged, or another wallet's.
Result<Bytes> open_identity_file(ByteView bytes, const Wallet& wallet, AtRestSealer& sealer);

// Thread-safe.
class IdentityFiles {
public:
    // One directory a root.  A root that has none gets one, with every chain that the catalogue has; one that lacks
    // what another has gets that.
    static Result<std::unique_ptr<IdentityFiles>> open(const std::vector<Path>& roots, const MasterKey& master,
                                                       Catalog& catalog);

    // For a root that was away: in every directory each chain is as new as the catalogue has it.
    Result<void> refresh(Catalog& catalog);

    // The chain, or a longer one, lies in every directory, synced, when this succeeds.
    Result<void> keep(const Wallet& wallet, ByteView chain);

private:
    IdentityFiles(std::vector<Path> roots, const MasterKey& master)
        : roots_(std::move(roots)), sealer_(master.derive(AtRestKey::files)) {}
    Result<void> fill(const Path& root, Catalog& catalog);
    Result<void> complete(Catalog& catalog);
    Result<std::unordered_map<Wallet, std::size_t>> names() const;

    std::vector<Path> roots_;
    std::mutex write_mutex_;  // one writes at a time; held while the disk is waited for
    AtRestSealer sealer_;
    std::mutex kept_mutex_;                    // never held while somebody waits for the disk
    std::unordered_map<Wallet, Digest> kept_;  // hashes of chains that are known to lie there
};

}  // namespace sat
