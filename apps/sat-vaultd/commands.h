// The commands of sat-vaultd.  Those that touch a running vault ask it through DATA/admin.sock, else they open the
// stopped store themselves.  docs/man/sat-vaultd.8 is the contract.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "options.h"

namespace sat {

// What a command came to: for --json, and for people.
struct Done {
    Json data;
    std::string text;
    bool shown = false;  // it said all as it went
    // The command went to its end, and something is wrong: an exit code, its word and a sentence.
    int exit = 0;
    std::string code;
    std::string problem;
    std::string hint;
};

// The command that `options` name; `run` returns when the vault was told to stop.
Result<Done> run_command(const VaultdOptions& options);

}  // namespace sat
