// What a wallet may have: works and bytes that it registered, and open claims.  Asked before an upload is taken, to
// spare everybody the bytes, and judged again in the transaction that adds to it: no two connections pass a limit
// together.  Claims are counted over a day too, since those that are over stay.  docs/protocol.md, "Limits"; why
// registered and not owned: docs/decisions/0012.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "store/catalog.h"
#include "vault/vault.h"

namespace sat {

// quota: one work more, of so many bytes, is more than `artist` may register.
Result<void> check_upload_quota(CatalogReader& catalog, const Quotas& quotas, const Wallet& artist,
                                std::uint64_t bytes);
// quota: one claim more is more than `collector` may have open; rate_limited: than it may open in a day.
Result<void> check_claim_quota(CatalogReader& catalog, const Quotas& quotas, const Wallet& collector, UnixTime now);

}  // namespace sat
