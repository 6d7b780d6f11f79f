// Every row of the catalogue against the ledger that was walked, and against the statements that it holds.
// docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "store/catalog_audit.h"
#include "vault/ledger_walk.h"
#include "vault/vault_keys.h"

namespace sat {

// What of the catalogue proves itself, and so can be carried into another one.
struct SoundRows {
    std::vector<ClaimRow> claims;  // in their order
    std::vector<OutcomeRow> outcomes;
    std::vector<IdRow> ids;
    std::uint64_t spoilt_claims = 0;  // rows that are not among them
    bool all_claims = true;           // every row of claims could be reached
};

// Tells of each thing that is amiss: where in the catalogue, and what.
using RowDamage = std::function<void(const std::string& where, const std::string& problem)>;

SoundRows check_rows(CatalogAudit& audit, const Ledger& ledger, const VaultKeys& keys, const FindIdentity& identities,
                     const RowDamage& damaged);

}  // namespace sat
