// The vault's keys: sign, kem, store and log, and the identity chain that binds them.
// docs/protocol.md, "Keys and identities"; files as in docs/storage.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "base/file.h"
#include "crypto/key_file.h"
#include "crypto/keys.h"
#include "ledger/identity.h"

namespace sat {

struct VaultKeys {
    SigningKey sign;
    KemPrivateKey kem;
    KemPrivateKey store;
    LogKey log;
    IdentityChain chain;

    const Wallet& wallet() const noexcept;
};

// What a vault's `keys/` holds, in the order of a key backup; anything else there is not the vault's.
inline constexpr std::array<const char*, 6> kKeyFiles = {"identity.json", "kem.pem",      "log.pem",
                                                         "sign.pem",      "sign.pub.pem", "store.pem"};
inline constexpr std::size_t kMaxKeyFile = std::size_t{64} * 1024;

// Generates the four keys and the identity into `directory` (DATA/keys, made 0700), pairwise-checked, and opens
// them there.  The caller holds DATA/lock.  `passphrase` null: unencrypted.  exists: there are keys already.
Result<VaultKeys> create_vault_keys(const Path& directory, RsaBits bits, const SecretBytes* passphrase, UnixTime now);

// config: missing, wrong modes, or keys that are not the identity's; key_locked: passphrase missing or wrong.
Result<VaultKeys> load_vault_keys(const Path& directory, const SecretBytes* passphrase);

// All key files into `directory`, which holds none; pairwise-checked.
Result<void> write_vault_keys(const Path& directory, const VaultKeys& keys, const SecretBytes* passphrase);

// Whether `directory` holds keys, and whether they are encrypted; the identity without opening any key.
bool vault_keys_exist(const Path& directory);
bool vault_keys_are_encrypted(const Path& directory);
Result<IdentityChain> read_vault_identity(const Path& directory);

}  // namespace sat
