// The vault's keys as its commands need them: made, or opened with the passphrase.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "options.h"
#include "vault/vault.h"
#include "vault/vault_keys.h"

namespace sat {

Path key_directory(const Path& data);

// config: there are no keys of a vault in DATA; io_error: nobody can see, for DATA may not be entered.
Result<void> require_keys(const Path& data);

// Into DATA/keys.  exists; key_locked: no passphrase was chosen; config: DATA holds something else but no keys.
Result<VaultKeys> make_keys(const Path& data, const VaultdOptions& options);
// config: there are none, or their modes are wrong; key_locked.
Result<VaultKeys> open_keys(const Path& data, const VaultdOptions& options);

// Calls `open` with the keys' passphrase, or null where they have none.  config, key_locked as above.  A change of keys
// that was cut off is carried out first.
Result<void> with_key_passphrase(const Path& data, const VaultdOptions& options,
                                 const std::function<Result<void>(const SecretBytes*)>& open);

VaultOptions vault_options(const Path& data, const VaultdOptions& options);

}  // namespace sat
