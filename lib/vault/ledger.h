// The ledger for all to check: checkpoints, proofs, entries, and who owned a work at a tree head.
// docs/protocol.md, "Checkpoints".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vault/core.h"

namespace sat {

// Of every leaf that anybody was shown before: what is committed and not yet in a leaves file is brought there first.
// storage_full, io_error: that failed.
Result<LedgerCheckpointReply> get_checkpoint(VaultCore& core);
// not_found: no leaf of the first `size`; bad_request: a size beyond the newest checkpoint's.
Result<LedgerInclusionReply> get_inclusion(const VaultCore& core, const LedgerInclusionRequest& request);
Result<LedgerConsistencyReply> get_consistency(const VaultCore& core, const LedgerConsistencyRequest& request);
Result<LedgerEntriesReply> get_entries(const VaultCore& core, const LedgerEntriesRequest& request);
// not_found: not registered by then; bad_request: a size beyond the newest checkpoint's.  Without a size as
// get_checkpoint().
Result<LedgerHeadReply> get_head(VaultCore& core, const LedgerHeadRequest& request);

}  // namespace sat
