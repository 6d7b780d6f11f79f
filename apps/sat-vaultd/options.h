// The command line of sat-vaultd.  Precedence: command line, then --config, then the environment.
// docs/man/sat-vaultd.8 is the contract.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "net/server.h"
#include "vault/vault.h"

namespace sat {

struct VaultdOptions {
    std::string command = "run";

    std::string data;  // as given; data_directory() decides
    std::optional<std::string> duplicate;
    std::vector<std::string> listen;
    std::optional<std::string> passphrase_file;
    std::optional<int> passphrase_fd;
    bool no_passphrase = false;
    std::optional<int> bits;  // 3072 where none is named
    bool json = false;
    std::uint64_t max_artwork = std::uint64_t{4} << 30;  // bytes
    bool allow_root = false;
    std::size_t max_connections = 16'384;
    double address_rate = kAddressRate.per_second;  // handshakes a second; 0: no limit
    double wallet_rate = 100;                       // requests a second; 0: no limit
    Quotas quotas;
    std::string log_level = "info";
    std::string admit = "open";          // or "listed"
    std::optional<std::string> wallets;  // those who may come in, with listed
    std::optional<std::string> blocked;  // those who may not
    // hold, release
    std::string id;
    std::string reason;
    bool repair = false;  // check
    // passphrase, keys
    std::optional<std::string> new_passphrase_file;
    std::optional<int> new_passphrase_fd;
    // rekey
    bool kem = false;
    bool store = false;
    bool no_duplicate = false;
    // keys
    std::string action;
    std::string file;
    bool force = false;
    std::string directory;  // backup, restore
};

// What a command line comes to: options, or a text to print, or an error with what is known of the rest.
struct ParsedVaultd {
    std::optional<VaultdOptions> options;
    std::string text;     // --help, --version
    std::string command;  // as far as it could be told, for a failure's document
    bool json = false;
    std::optional<Error> error;
};

ParsedVaultd parse_vaultd_options(const std::vector<std::string>& arguments);

// --data or $SAT_VAULT_DATA, else $XDG_DATA_HOME/sat/vault, else ~/.local/share/sat/vault.  config: no home at all.
Result<Path> data_directory(const VaultdOptions& options);

}  // namespace sat
