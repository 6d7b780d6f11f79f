// Known vaults.
// SPDX-License-Identifier: Apache-2.0
#include "client/known_vaults.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/json.h"
#include "client/key_home.h"

namespace sat {

namespace {

constexpr std::size_t kMaxFile = 4 * 1024 * 1024;
constexpr std::size_t kMaxVaults = 200;  // each at most 16 KB
constexpr std::size_t kMaxAddress = 300;
constexpr std::int64_t kMaxTime = kJsonMaxInteger;

// Host names are the same in any case.
std::string filed_as(const Address& address) {
    std::string text = address.text();
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

constexpr const char* kMadeAnew =
    "somebody may stand between you and the vault. Ask its operator for the fingerprint by another way; only "
    "if the vault was made anew, remove its entry from known_vaults.json in your home";
constexpr const char* kAskedFor =
    "somebody may stand between you and the vault, or --vault-key is another vault's. Compare it with what the "
    "operator publishes";

tl::unexpected<Error> changed(const std::string& address, const Wallet& offered, const std::string& known_as,
                              const char* hint = kMadeAnew) {
    return fail(Errc::vault_key_changed,
                "the vault at " + address + " shows the key " + fingerprint(offered) + ", and " + known_as, hint);
}

Json to_json(const KnownVault& vault) {
    return Json{{"address", vault.address},
                {"wallet", vault.wallet.hex()},
                {"chain", vault.chain ? vault.chain->to_json() : Json(nullptr)},
                {"since", vault.since}};
}

Result<KnownVault> vault_from_json(const Json& json) {
    ObjectReader in(json, Errc::config);
    KnownVault vault;
    vault.address = in.text("address", kMaxAddress);
    vault.wallet = in.digest("wallet");
    vault.since = in.integer("since", 0, kMaxTime);
    in.allow_absent();
    const Json& chain = in.value("chain", false);
    SAT_TRY(in.finish());
    if (chain.is_null()) return vault;
    SAT_TRY_VALUE(vault.chain, IdentityChain::from_json(chain));
    if (vault.chain->wallet() != vault.wallet || vault.chain->kind() != IdentityKind::vault)
        return fail(Errc::config, "an entry's chain is not of its wallet");
    return vault;
}

}  // namespace

Result<Trust> judge_vault(const KnownVault* known, const IdentityChain& offered, const TrustPolicy& policy,
                          const std::string& address) {
    if (policy.pin && *policy.pin != offered.wallet())
        return changed(address, offered.wallet(), "the key asked for is " + fingerprint(*policy.pin), kAskedFor);
    if (known == nullptr) return policy.pin || policy.accept_new ? Trust::record : Trust::ask;
    if (known->wallet != offered.wallet())
        return changed(address, offered.wallet(), "it is known by " + fingerprint(known->wallet));
    if (!known->chain) return Trust::record;
    switch (compare_chains(*known->chain, offered)) {
        case ChainOrder::same:
            return Trust::known;
        case ChainOrder::newer:
            return Trust::record;
        case ChainOrder::rolled_back:
            return changed(address, offered.wallet(), "an older identity document than one seen before");
        case ChainOrder::other:
            break;
    }
    return changed(address, offered.wallet(), "an identity document that contradicts one seen before");
}

std::string known_vaults_text(const std::vector<KnownVault>& vaults) {
    Json items = Json::array();
    for (const KnownVault& vault : vaults) items.push_back(to_json(vault));
    return dump_json(Json{{"v", 1}, {"vaults", std::move(items)}}) + "\n";
}

Result<std::vector<KnownVault>> KnownVaults::all() const {
    std::vector<KnownVault> vaults;
    struct stat status {};
    if (::lstat(file_.c_str(), &status) != 0 && errno == ENOENT) return vaults;
    SAT_TRY(require_private_file(file_));
    const auto broken = [&](const Error& why) {
        return fail(Errc::config, file_.string() + " is damaged: " + why.message,
                    "restore it from your backup, or remove it and compare the vaults' fingerprints anew");
    };
    auto bytes = read_file(file_, kMaxFile);
    if (!bytes) return broken(bytes.error());
    const auto json = parse_json(as_text(*bytes));
    if (!json) return broken(json.error());
    ObjectReader in(*json, Errc::config);
    in.integer("v", 1, 1);
    const Json& items = in.array("vaults", kMaxVaults);
    if (auto read = in.finish(); !read) return broken(read.error());
    for (const Json& item : items) {
        auto vault = vault_from_json(item);
        if (!vault) return broken(vault.error());
        vaults.push_back(std::move(*vault));
    }
    return vaults;
}

Result<std::optional<KnownVault>> KnownVaults::find(const Address& address) const {
    SAT_TRY_VALUE(auto vaults, all());
    for (KnownVault& vault : vaults)
        if (vault.address == filed_as(address)) return std::optional(std::move(vault));
    return std::optional<KnownVault>{};
}

Result<void> KnownVaults::require_no_newer(const IdentityChain& offered) const {
    SAT_TRY_VALUE(const auto vaults, all());
    for (const KnownVault& vault : vaults)
        if (vault.wallet == offered.wallet()) SAT_TRY(judge_vault(&vault, offered, {}, vault.address));
    return {};
}

Result<void> KnownVaults::record(const Address& address, const Wallet& wallet, const IdentityChain* chain,
                                 UnixTime now) const {
    SAT_TRY_VALUE(const FileDescriptor lock, lock_file_patiently(lock_));
    SAT_TRY_VALUE(auto vaults, all());
    const std::string name = filed_as(address);
    auto entry = std::find_if(vaults.begin(), vaults.end(), [&](const KnownVault& v) { return v.address == name; });
    if (entry != vaults.end()) {
        if (entry->wallet != wallet) return changed(name, wallet, "it is known by " + fingerprint(entry->wallet));
        if (chain == nullptr) return {};
        SAT_TRY_VALUE(const Trust trust, judge_vault(&*entry, *chain, {}, name));
        if (trust == Trust::known) return {};
        entry->chain = *chain;
    } else {
        if (vaults.size() >= kMaxVaults) return fail(Errc::config, "more than 200 vaults are known", "remove some");
        vaults.push_back({name, wallet, chain != nullptr ? std::optional(*chain) : std::nullopt, now});
    }
    return write_file_atomically(file_, as_bytes(known_vaults_text(vaults)), AtomicFile::Existing::replace, 0600);
}

Result<Wallet> parse_fingerprint(std::string_view text) {
    constexpr std::string_view kPrefix = "SHA256:";
    auto refuse = [] {
        return fail(Errc::bad_data, "the vault's key is not a fingerprint",
                    "write it as the vault prints it: SHA256: and 64 hexadecimal digits");
    };
    if (!text.starts_with(kPrefix)) return refuse();
    text.remove_prefix(kPrefix.size());
    auto wallet = Digest::from_hex(text);
    if (!wallet) return refuse();
    return *wallet;
}

std::string fingerprint(const Wallet& vault) { return "SHA256:" + vault.hex(); }

}  // namespace sat
