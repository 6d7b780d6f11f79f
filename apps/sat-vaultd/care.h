// sat-vaultd check, backup and restore.  docs/man/sat-vaultd.8 is the contract; docs/storage.md, "Rot and repair" and
// "Backups".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "commands.h"

namespace sat {

Result<Done> check_command(const VaultdOptions& options);
Result<Done> backup_command(const VaultdOptions& options);
Result<Done> restore_command(const VaultdOptions& options);

// The one document of a command that went to its end and found damage: as any failure's, with what was found.
std::string damage_document(const std::string& command, const Done& done);

}  // namespace sat
