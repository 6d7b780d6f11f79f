// Quotas: see quota.h.
// SPDX-License-Identifier: Apache-2.0
#include "vault/quota.h"

#include <algorithm>

#include "ledger/rules.h"

namespace sat {

namespace {

// As many times what may be open at once: somebody who buys a lot, and one works' owner after the other who declines.
constexpr std::uint64_t kClaimsADay = 2;
constexpr std::uint64_t kMostClaims = std::uint64_t{1} << 40;  // that are worth counting

}  // namespace

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
    // What is over stays in the catalogue.
    const std::uint64_t a_day = kClaimsADay * std::min(quotas.claims, kMostClaims);
    SAT_TRY_VALUE(const auto asked, catalog.claim_asked_before(collector, a_day - 1));
    if (asked && *asked > now - kDay)
        return fail(Errc::rate_limited, "the wallet has claimed too often in a day", "raise --wallet-claims");
    return {};
}

}  // namespace sat
