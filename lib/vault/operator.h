// What the operator may do to a work: stop it from being served and transferred, and let it go again.  Never give it
// away. docs/protocol.md, "Statements" and "The ledger".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vault/core.h"

namespace sat {

// not_found; state: held already, or not held; bad_statement: a reason that is empty or too long.
Result<void> hold_work(VaultCore& core, const ArtworkId& artwork, const std::string& reason);
Result<void> release_work(VaultCore& core, const ArtworkId& artwork, const std::string& reason);

}  // namespace sat
