// The identity cache.
// SPDX-License-Identifier: Apache-2.0
#include "client/identity_cache.h"

#include "base/json.h"

namespace sat {

namespace {
constexpr std::size_t kMaxFile = 32 * 1024;  // a chain of four documents has 16 KB
}

const IdentityChain* IdentityCache::find(const Wallet& vault, const Wallet& wallet) {
    auto& chains = chains_[vault];
    if (const auto at_hand = chains.find(wallet); at_hand != chains.end()) return &at_hand->second;
    const auto bytes = read_file(file_of(vault, wallet), kMaxFile);
    if (!bytes) return nullptr;
    const auto json = parse_json(as_text(*bytes));
    if (!json) return nullptr;
    auto chain = IdentityChain::from_json(*json);
    if (!chain || chain->wallet() != wallet || chain->kind() != IdentityKind::user) return nullptr;
    return &chains.emplace(wallet, std::move(*chain)).first->second;
}

Result<const IdentityChain*> IdentityCache::add(const Wallet& vault, const Wallet& wallet, IdentityChain chain) {
    if (chain.wallet() != wallet || chain.kind() != IdentityKind::user)
        return fail(Errc::bad_signature, "the vault gave somebody else's identity");
    const IdentityChain* known = find(vault, wallet);
    if (known != nullptr) {
        const ChainOrder order = compare_chains(*known, chain);
        if (order == ChainOrder::same) return known;
        if (order != ChainOrder::newer)
            return fail(Errc::bad_signature,
                        "the vault gave an identity that contradicts the one known for this wallet");
    }
    SAT_TRY(chain.check_keys());
    // Only a cache: a disk that cannot take it costs a question more next time.
    if (make_private_directory(directory_of(vault))) {
        const std::string text = dump_json(chain.to_json()) + "\n";
        (void)write_file_atomically(file_of(vault, wallet), as_bytes(text), AtomicFile::Existing::replace, 0600);
    }
    return &chains_[vault].insert_or_assign(wallet, std::move(chain)).first->second;
}

}  // namespace sat
