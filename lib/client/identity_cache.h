// Verified identity chains of other people, kept in the home so that each wallet is asked for and checked in full once.
// identities/<vault's wallet>/<wallet>.json, a JSON array of JWS (docs/storage.md, "A client's home").  By vault, since
// whoever gives two vaults different chains of his would else make either one look like a forger to those who use the
// other.  A cache: it may be deleted.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unordered_map>

#include "base/file.h"
#include "ledger/identity.h"

namespace sat {

class IdentityCache {
public:
    explicit IdentityCache(const Path& home) : directory_(home / "identities") {}

    // The chain of that vault's that is at hand, from memory or from the disk, or null.  Lives as long as the cache,
    // until add() replaces it.
    const IdentityChain* find(const Wallet& vault, const Wallet& wallet);
    // Takes the chain that `vault` gave for `wallet`.  bad_signature: it is not that wallet's, or shorter than or
    // contradicting the one this vault gave before; key_policy: a key that fails its full check.
    Result<const IdentityChain*> add(const Wallet& vault, const Wallet& wallet, IdentityChain chain);

private:
    Path directory_of(const Wallet& vault) const { return directory_ / vault.hex(); }
    Path file_of(const Wallet& vault, const Wallet& wallet) const {
        return directory_of(vault) / (wallet.hex() + ".json");
    }

    Path directory_;
    std::unordered_map<Wallet, std::unordered_map<Wallet, IdentityChain>> chains_;  // by vault
};

}  // namespace sat
