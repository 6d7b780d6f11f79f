// The life of a vault's keys: passphrase, rekey, keys export, keys import.  docs/man/sat-vaultd.8 is the contract.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands.h"

namespace sat {

Result<Done> passphrase_command(const VaultdOptions& options);
Result<Done> rekey_command(const VaultdOptions& options);
Result<Done> keys_command(const VaultdOptions& options);

}  // namespace sat
