// The command line of both clients: global flags before or after the command, the environment, --config.
// Precedence: command line, then --config, then the environment.  docs/man/sat-artist.1 is the contract.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/text.h"

namespace sat {

inline constexpr const char* kVersion = "1.0.0";

enum class Program { artist, collector };
const char* program_name(Program program) noexcept;  // "sat-artist"

// As typed; what an ID, a wallet or a date is, is for the commands to judge.
struct Options {
    std::string command;

    // Global.
    std::string home;
    std::string vault;
    std::string vault_key;
    bool accept_new = false;
    std::optional<std::string> passphrase_file;
    std::optional<int> passphrase_fd;
    bool json = false;
    bool quiet = false;
    bool verbose = false;
    bool no_input = false;
    bool yes = false;
    std::optional<int> timeout;       // seconds
    std::string config;               // the file
    std::set<std::string> from_file;  // the options, without their dashes, whose values it gave

    // init
    int bits = 3072;
    bool no_passphrase = false;  // passphrase, keys import too
    std::string name;
    std::string contact;
    bool force = false;  // request, certificate, keys export too
    // passphrase, keys
    std::optional<std::string> new_passphrase_file;
    std::optional<int> new_passphrase_fd;
    // rekey
    std::optional<int> new_bits;
    // show, request, confirm, decline, history, certificate, claim, withdraw
    std::string id;
    std::optional<std::string> output;
    bool once = false;
    std::optional<std::string> claim;
    std::optional<std::string> reason;
    // certificate, verify, keys
    std::string file;
    std::optional<std::string> checkpoint;
    std::vector<std::string> witnesses;
    // completion
    std::string shell;
    // ledger, keys
    std::string action;
    std::optional<std::string> tiles;
    int every = 60;  // seconds
    // upload
    std::vector<std::string> images;  // of upload
    std::string image;                // of verify
    std::optional<std::string> title;
    std::string description;
    std::string artist;  // browse too
    std::string created;
    std::string release = "original";
    bool no_preview = false;
    // browse
    std::string text;
    std::string owner;
    int limit = 20;
    std::string cursor;
    bool all = false;
    // claim
    std::optional<std::string> message;
    int wait = 60;
    std::optional<long> expires;
};

struct Parsed {
    std::optional<Options> options;  // a command to run
    std::string text;                // else: help, version or completion, for standard output
    std::optional<Error> error;      // else: usage or config
    std::string usage;               // for standard error, where no command was given
    // For the failure's document.
    bool json = false;
    std::string command;
};

// `arguments` without the program's name.
Parsed parse_options(Program program, std::vector<std::string> arguments);

}  // namespace sat
