// Whose a work is by its own leaves.  The catalogue's row says so too, in clear, and is what requests are judged by;
// but nothing is appended to the ledger on the row's word alone: one that was altered on the disk would lead to a leaf
// that no reader of the ledger accepts, and that no repair could take back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "store/catalog.h"

namespace sat {

struct Standing {
    Wallet owner;
    LeafHash head;
    std::uint64_t seq = 0;
    std::uint64_t leaves = 0;  // of the work
    bool held = false;
};

// Among the ledger's first `size` leaves; nothing where the work was not registered by then.  io_error: its leaves are
// no history.
Result<std::optional<Standing>> standing_of(CatalogReader& catalog, const ArtworkId& artwork, std::uint64_t size);

// io_error: the row is not what the work's leaves give.
Result<void> require_standing(CatalogReader& catalog, const WorkRow& work);

}  // namespace sat
