// Identity chains, kept and compared.  docs/protocol.md, "Identity documents".
// SPDX-License-Identifier: Apache-2.0
#include "vault/identities.h"

#include <algorithm>
#include <set>
#include <span>

#include "base/assert.h"
#include "base/codec.h"

namespace sat {

namespace {

// About 3 KiB each: a few MiB for the wallets that are about.
constexpr std::size_t kMaxKept = 1024;
// With its keys a chain takes 8 KiB.  To read one again costs some 0.1 ms, little beside what needs keys.
constexpr std::size_t kMaxParsed = 64;

// IdentityChain::encode() taken apart again; what the catalogue gives back was verified when it went in.
Result<std::vector<std::string>> split(ByteView encoded) {
    ByteReader in(encoded);
    std::vector<std::string> out;
    for (std::uint8_t left = in.u8(); left > 0 && in.ok(); --left)
        out.push_back(to_string(in.vec16(1, kMaxIdentityDocument)));
    if (!in.finish()) return fail(Errc::io_error, "an identity in the catalogue is damaged");
    return out;
}

// False where `offered` is what is known.
Result<bool> continues(ByteView known, const IdentityChain& offered) {
    SAT_TRY_VALUE(const IdentityChain old, IdentityChain::parse(known));
    const ChainOrder order = compare_chains(old, offered);
    if (order == ChainOrder::same) return false;
    if (order == ChainOrder::newer) return true;
    return fail(Errc::key_policy, "an identity that contradicts the one known for the wallet");
}

}  // namespace

ChainMark ChainMark::of(const IdentityChain& chain) {
    return {chain.wallet(), chain.newest_id(), chain.documents().size()};
}

Result<std::vector<KeyCheck>> Identities::key_checks(Catalog& catalog, const IdentityChain& chain) {
    SAT_TRY_VALUE(const Encoded known, find(catalog, chain.wallet()));
    std::vector<KeyCheck> checks;
    std::set<KeyId> seen;
    std::size_t checked = 0;  // documents
    if (known) {
        // The cheap judgement first, so that nobody makes us check keys again and again that change nothing.
        SAT_TRY_VALUE(const bool goes_on, continues(*known, chain));
        if (!goes_on) return checks;
        checked = std::to_integer<std::size_t>(known->front());
    }
    for (const IdentityDocument& document : chain.documents()) {
        const bool sign = seen.insert(document.sign.id()).second;
        const bool kem = seen.insert(document.kem.id()).second;
        if (checked > 0) {
            --checked;
            continue;
        }
        if (sign) checks.emplace_back([&key = document.sign] { return key.check(); });
        if (kem) checks.emplace_back([&key = document.kem] { return key.check(); });
    }
    return checks;
}

Result<bool> Identities::remember(Catalog& catalog, const IdentityChain& chain) {
    Encoded offered = std::make_shared<const Bytes>(chain.encode());
    SAT_TRY_VALUE(const Encoded known, find(catalog, chain.wallet()));
    if (known) {
        if (*known == *offered) return false;
        SAT_TRY_VALUE(const bool goes_on, continues(*known, chain));
        if (!goes_on) return false;
    }

    SAT_TRY_VALUE(auto transaction, catalog.begin());
    SAT_TRY_VALUE(const auto recorded, transaction->identity(chain.wallet()));
    if (recorded) {
        SAT_TRY_VALUE(const bool goes_on, continues(*recorded, chain));
        if (!goes_on) {
            // What was kept is older.
            SAT_TRY(transaction->commit(
                [&] { keep(chain.wallet(), std::make_shared<const Bytes>(*recorded), Kept::replaced); }));
            return false;
        }
    }
    SAT_TRY(transaction->put_identity(chain.wallet(), *offered));
    // In the order of the transactions, so that no older chain is kept after a newer one.
    SAT_TRY(transaction->commit([&] { keep(chain.wallet(), std::move(offered), Kept::replaced); }));
    return recorded.has_value();
}

Result<bool> Identities::knows(Catalog& catalog, const Wallet& wallet) {
    SAT_TRY_VALUE(const Encoded known, find(catalog, wallet));
    return known != nullptr;
}

Result<bool> Identities::remembers(Catalog& catalog, const IdentityChain& chain) {
    SAT_TRY_VALUE(const Encoded known, find(catalog, chain.wallet()));
    return known && *known == chain.encode();
}

Result<bool> Identities::superseded(Catalog& catalog, const ChainMark& chain) {
    SAT_TRY_VALUE(const Encoded known, find(catalog, chain.wallet));
    // Its first byte counts the documents.
    return known && !known->empty() && std::to_integer<std::size_t>(known->front()) > chain.documents;
}

Result<SharedChain> Identities::chain(Catalog& catalog, const ChainMark& mark) {
    {
        const std::lock_guard lock(mutex_);
        const auto found =
            std::ranges::find(parsed_, mark.newest, [](const auto& chain) { return chain->newest_id(); });
        if (found != parsed_.end()) {
            parsed_.splice(parsed_.begin(), parsed_, found);
            return *found;
        }
    }
    SAT_TRY_VALUE(const auto known, documents(catalog, mark.wallet));
    if (!known || known->size() < mark.documents) return fail(Errc::io_error, "an identity left the catalogue");
    SAT_TRY_VALUE(IdentityChain chain, IdentityChain::from_documents(std::span(*known).first(mark.documents)));
    if (chain.newest_id() != mark.newest) return fail(Errc::io_error, "an identity in the catalogue is another one");
    auto shared = std::make_shared<const IdentityChain>(std::move(chain));
    keep_parsed(shared);
    return shared;
}

void Identities::keep_parsed(SharedChain chain) {
    const std::lock_guard lock(mutex_);
    const auto same = [&chain](const SharedChain& kept) { return kept->newest_id() == chain->newest_id(); };
    if (std::ranges::any_of(parsed_, same)) return;
    parsed_.push_front(std::move(chain));
    if (parsed_.size() > kMaxParsed) parsed_.pop_back();
}

Result<std::optional<std::vector<std::string>>> Identities::documents(Catalog& catalog, const Wallet& wallet) {
    SAT_TRY_VALUE(const Encoded known, find(catalog, wallet));
    if (!known) return std::optional<std::vector<std::string>>();
    SAT_TRY_VALUE(auto texts, split(*known));
    return std::optional(std::move(texts));
}

Result<Identities::Encoded> Identities::find(Catalog& catalog, const Wallet& wallet) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = by_wallet_.find(wallet);
        if (found != by_wallet_.end()) {
            recent_.splice(recent_.begin(), recent_, found->second);
            return found->second->second;
        }
    }
    SAT_TRY_VALUE(const auto reader, catalog.read());
    SAT_TRY_VALUE(auto chain, reader->identity(wallet));
    if (!chain) return Encoded();
    Encoded encoded = std::make_shared<const Bytes>(std::move(*chain));
    // A newer one may have been put there since we read.
    keep(wallet, encoded, Kept::stays);
    return encoded;
}

void Identities::keep(const Wallet& wallet, Encoded chain, Kept kept) {
    const std::lock_guard lock(mutex_);
    const auto found = by_wallet_.find(wallet);
    if (found != by_wallet_.end()) {
        if (kept == Kept::replaced) found->second->second = std::move(chain);
        return;
    }
    recent_.emplace_front(wallet, std::move(chain));
    by_wallet_[wallet] = recent_.begin();
    if (recent_.size() <= kMaxKept) return;
    by_wallet_.erase(recent_.back().first);
    recent_.pop_back();
}

}  // namespace sat
