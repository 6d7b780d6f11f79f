// The identity chains of everybody who ever came in.  docs/protocol.md, "Identity documents".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "ledger/identity.h"
#include "store/catalog.h"
#include "vault/vault.h"

namespace sat {

using SharedChain = std::shared_ptr<const IdentityChain>;

// Which chain somebody came in with: all that has to be kept of it meanwhile.
struct ChainMark {
    Wallet wallet;
    StatementId newest;  // names the document before it, and so the whole chain
    std::size_t documents = 0;
    static ChainMark of(const IdentityChain& chain);
};

// Thread-safe.  Keeps the encodings of those that were asked for last; the catalogue keeps all.
class Identities {
public:
    // What a chain has to pass before remember(): the full check of each key that the known chain does not have, once.
    // None where the chain is known.  They refer to `chain`.  key_policy: a chain that contradicts the known one or
    // falls behind it.
    Result<std::vector<KeyCheck>> key_checks(Catalog& catalog, const IdentityChain& chain);
    // Remembers a chain that is new or goes on from the known one; true where it went on.  key_policy: as key_checks().
    Result<bool> remember(Catalog& catalog, const IdentityChain& chain);
    Result<bool> knows(Catalog& catalog, const Wallet& wallet);
    // Whether remember() has nothing to write.
    Result<bool> remembers(Catalog& catalog, const IdentityChain& chain);

    // Whether a longer chain is known of the wallet by now: who came in with this one was let in before.
    Result<bool> superseded(Catalog& catalog, const ChainMark& chain);
    // The very chain of that mark, which was remembered once; not the longer one that may have followed it.  io_error:
    // the catalogue has no such chain.
    Result<SharedChain> chain(Catalog& catalog, const ChainMark& mark);
    // One that chain() will perhaps be asked for soon.
    void keep_parsed(SharedChain chain);

    // The documents of a known wallet, oldest first.
    Result<std::optional<std::vector<std::string>>> documents(Catalog& catalog, const Wallet& wallet);

private:
    using Encoded = std::shared_ptr<const Bytes>;  // shared with readers while it may fall out of the cache

    enum class Kept { stays, replaced };

    Result<Encoded> find(Catalog& catalog, const Wallet& wallet);  // null where there is none
    // What happens to one that is kept already.
    void keep(const Wallet& wallet, Encoded chain, Kept kept);

    std::mutex mutex_;
    std::list<std::pair<Wallet, Encoded>> recent_;  // the last one used in front
    std::unordered_map<Wallet, std::list<std::pair<Wallet, Encoded>>::iterator> by_wallet_;
    std::list<SharedChain> parsed_;  // likewise
};

}  // namespace sat
