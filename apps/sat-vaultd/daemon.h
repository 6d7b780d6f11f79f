// sat-vaultd run: the vault, its network, its deadlines and its admin socket, until a signal.
// docs/man/sat-vaultd.8; docs/architecture.md: one network thread, a pool for what blocks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/json.h"
#include "options.h"
#include "vault/vault.h"

namespace sat {

// Makes keys where the directory is empty; prints "listening ADDR:PORT" for each address and "fingerprint SHA256:…" on
// standard output when it serves; returns after SIGTERM or SIGINT, when what was under way is finished.
Result<void> run_daemon(const VaultdOptions& options);

// As `status` prints it, here and by the stopped store.
Json status_json(const VaultStatus& status);

}  // namespace sat
