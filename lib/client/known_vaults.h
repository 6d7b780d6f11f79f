// The vaults that this home knows: which key stands behind which address.  A vault's wallet is pinned at the first
// meeting, and a pin is never overwritten.  File: known_vaults.json in the home (docs/storage.md, "A client's home").
//
//     what is known     --vault-key      --accept-new    outcome of judge()
//     nothing           –                –               ask, or vault_key_unknown where there is nobody to ask
//     nothing           the same         –               record
//     nothing           –                yes             record
//     the same          – or the same    any             go on (record a chain that grew)
//     any               another          any             vault_key_changed
//     another           any              any             vault_key_changed
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/time.h"
#include "ledger/identity.h"
#include "net/address.h"

namespace sat {

struct KnownVault {
    std::string address;  // Address::text(), in lower case
    Wallet wallet;
    std::optional<IdentityChain> chain;  // newest seen; nothing while the vault was pinned but never met
    UnixTime since = 0;
};

// How far an unknown key is trusted, as the user said it.
struct TrustPolicy {
    std::optional<Wallet> pin;  // --vault-key
    bool accept_new = false;    // --accept-new
};

enum class Trust {
    known,   // pinned and unchanged
    record,  // to be trusted and written down once the handshake has proved it
    ask,     // unknown: a person has to say, with no connection open
};

// `known` is null where the address is not filed.  vault_key_changed: the offered chain is not what is pinned, by the
// user or on file, or it is shorter than or contradicts the chain on file.
Result<Trust> judge_vault(const KnownVault* known, const IdentityChain& offered, const TrustPolicy& policy,
                          const std::string& address);

// What known_vaults.json holds.
std::string known_vaults_text(const std::vector<KnownVault>& vaults);

class KnownVaults {
public:
    explicit KnownVaults(const Path& home) : file_(home / "known_vaults.json"), lock_(home / "known_vaults.lock") {}

    // config: the file's modes or contents are wrong.
    Result<std::vector<KnownVault>> all() const;
    Result<std::optional<KnownVault>> find(const Address& address) const;
    // The same vault may be known by other addresses: vault_key_changed if a chain that this one does not continue is
    // on file under any of them.
    Result<void> require_no_newer(const IdentityChain& offered) const;
    // Files `wallet`, and `chain` if there is one, under `address`; vault_key_changed if another wallet or a chain that
    // this one does not continue is on file by now.  Written whole, under a lock.
    Result<void> record(const Address& address, const Wallet& wallet, const IdentityChain* chain, UnixTime now) const;

private:
    Path file_;
    Path lock_;
};

// "SHA256:<64 hex>" as --vault-key takes it; bad_data.
Result<Wallet> parse_fingerprint(std::string_view text);
std::string fingerprint(const Wallet& vault);

}  // namespace sat
