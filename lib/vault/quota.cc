// Quotas: see quota.h.
// SPDX-License-Identifier: Apache-2.0
#include "vault/quota.h"

namespace sat {

Result<void> check_upload_quota(CatalogReader& catalog, const Quotas& quotas, const Wallet& artist,
                                std::uint64_t bytes) {
    SAT_TRY_VALUE(const RegisteredBy registered, catalog.registered_by(artist));
    if (registered.works >= quotas.works)
        return fail(Errc::quota, "the wallet has registered as many works as it may", "raise --wallet-works");
    if (registered.bytes > quotas.bytes || quotas.bytes - registered.bytes < bytes)
        return fail(Errc::quota, "the wallet has registered as many bytes as it may", "raise --wallet-bytes");
    return {};
}

Result<void> check_claim_quota(CatalogReader& catalog, const Quotas& quotas, const Wallet& collector, UnixTime now) {
    SAT_TRY_VALUE(const std::uint64_t open, catalog.open_claims_of(collector, now));
    if (open >= quotas.claims)
        return fail(Errc::quota, "the wallet has as many open claims as it may", "raise --wallet-claims");
    return {};
}

}  // namespace sat
