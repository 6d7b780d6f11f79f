// The command line: CLI11's exceptions end here.
// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "common/command_line.h"
#include "common/options.h"
#include "envelope/envelope.h"

namespace sat {

namespace {

constexpr const char* kProgram = "sat-vaultd";
constexpr std::size_t kMostConnections = 1'000'000;
constexpr double kHighestRate = 1'000'000;

void add_options(CLI::App& app, VaultdOptions& options) {
    app.add_option("--data", options.data, "The vault's directory")->envname("SAT_VAULT_DATA")->type_name("DIR");
    app.add_option("--duplicate", options.duplicate, "A second directory, on another disk, for the duplicates")
        ->type_name("DIR");
    app.add_option("--listen", options.listen, "Where to listen; again for more; port 0: any (0.0.0.0 and [::], 7420)")
        ->type_name("ADDR:PORT")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    auto* file = app.add_option("--passphrase-file", options.passphrase_file, "Read the keys' passphrase from a file");
    file->type_name("FILE");
    auto* fd = app.add_option("--passphrase-fd", options.passphrase_fd, "Read the keys' passphrase from a descriptor");
    fd->type_name("N")->check(CLI::Range(0, 65535))->excludes(file);
    app.add_flag("--no-passphrase", options.no_passphrase, "New keys: leave them unprotected")
        ->excludes(file)
        ->excludes(fd);
    app.add_option("--bits", options.bits, "New RSA keys: their size (3072)")->check(CLI::IsMember({3072, 4096}));
    app.add_option("--max-artwork", options.max_artwork, "The largest image taken, in bytes (4 GiB)")
        ->type_name("BYTES")
        ->check(CLI::Range(std::uint64_t{1}, kMaxPlaintextLength));
    app.add_option("--max-connections", options.max_connections, "How many connections are held (16384)")
        ->type_name("N")
        ->check(CLI::Range(std::size_t{1}, kMostConnections));
    app.add_option("--address-rate", options.address_rate,
                   "Handshakes a second of one address, 20 s' worth at once; 0: any (10)")
        ->type_name("N")
        ->check(CLI::Range(0.0, kHighestRate));
    app.add_option("--wallet-rate", options.wallet_rate,
                   "Requests a second of one wallet, 10 s' worth at once; 0: any (100)")
        ->type_name("N")
        ->check(CLI::Range(0.0, kHighestRate));
    app.add_option("--wallet-works", options.quotas.works, "How many works one wallet may register (10000)")
        ->type_name("N")
        ->check(CLI::Range(std::uint64_t{0}, kMaxPlaintextLength));
    app.add_option("--wallet-bytes", options.quotas.bytes, "How many bytes of images in all (256 GiB)")
        ->type_name("BYTES")
        ->check(CLI::Range(std::uint64_t{0}, kMaxPlaintextLength));
    app.add_option("--wallet-claims", options.quotas.claims, "How many claims one wallet may have open (500)")
        ->type_name("N")
        ->check(CLI::Range(std::uint64_t{0}, kMaxPlaintextLength));
    app.add_option("--admit", options.admit, "Who may come in: everybody, or the wallets of --wallets (open)")
        ->check(CLI::IsMember({"open", "listed"}));
    app.add_option("--wallets", options.wallets, "The wallets that come in with --admit listed, one a line")
        ->type_name("FILE");
    app.add_option("--blocked", options.blocked, "Wallets that never come in, one a line")->type_name("FILE");
    app.add_flag("--allow-root", options.allow_root, "Run as root all the same");
    app.add_option("--log-level", options.log_level, "How much is logged on standard error")
        ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
    app.add_flag("--json", options.json, "One JSON document on standard output, on failure too");
    app.set_config("--config", "", "Read options from a TOML file")->type_name("FILE");
}

void add_new_passphrase(CLI::App& sub, VaultdOptions& options) {
    auto* file =
        sub.add_option("--new-passphrase-file", options.new_passphrase_file, "Read the new passphrase from a file");
    file->type_name("FILE");
    auto* fd =
        sub.add_option("--new-passphrase-fd", options.new_passphrase_fd, "Read the new passphrase from a descriptor");
    fd->type_name("N")->check(CLI::Range(0, 65535))->excludes(file);
}

// Of its own: that of all commands goes with no other source of a passphrase, and here one opens what there is.
void add_no_passphrase(CLI::App& sub, VaultdOptions& options) {
    add_new_passphrase(sub, options);
    sub.add_flag("--no-passphrase", options.no_passphrase, "Leave the keys unprotected")
        ->excludes(sub.get_option("--new-passphrase-file"))
        ->excludes(sub.get_option("--new-passphrase-fd"));
}

void add_key_actions(CLI::App& keys, VaultdOptions& options) {
    keys.require_subcommand(1);
    const auto action = [&](const char* name, const char* what) -> CLI::App& {
        CLI::App* sub = keys.add_subcommand(name, what);
        sub->callback([&options, name] { options.action = name; });
        sub->add_option("FILE", options.file, "The key backup")->required();
        return *sub;
    };
    CLI::App& out = action("export", "Write keys and identity to one encrypted file");
    add_new_passphrase(out, options);
    out.add_flag("--force", options.force, "Replace a file that is there");
    add_no_passphrase(action("import", "Put back what export wrote, where there are no keys"), options);
}

void add_commands(CLI::App& app, VaultdOptions& options) {
    const auto command = [&](const char* name, const char* what) {
        CLI::App* sub = app.add_subcommand(name, what);
        sub->callback([&options, name] { options.command = name; });
        sub->footer("The options that 'sat-vaultd --help' lists go with every command, before or after its name.");
        return sub;
    };
    command("run", "Serve (the command where none is given); makes keys where there are none");
    command("init", "Make the vault's keys");
    command("fingerprint", "Print what clients pin");
    command("status", "Print what the vault holds");
    CLI::App* check = command("check", "Verify every byte of the stopped vault");
    check->add_flag("--repair", options.repair, "Mend what is damaged from what is good");
    CLI::App* backup = command("backup", "Copy the vault, running or not, and verify the copy");
    CLI::App* restore = command("restore", "Make a vault of a backup, in an empty data directory");
    for (CLI::App* sub : {backup, restore})
        sub->add_option("DIR", options.directory, "The backup's directory")->required();
    add_no_passphrase(*command("passphrase", "Change the keys' passphrase, on the stopped vault"), options);
    CLI::App* rekey = command("rekey", "New keys, on the stopped vault; its fingerprint stays");
    rekey->add_flag("--kem", options.kem, "A new identity document, with new sign and kem keys; three times at most");
    rekey->add_flag("--store", options.store, "A new store key: everything stored is wrapped anew");
    rekey->add_flag("--no-duplicate", options.no_duplicate, "With --store: do without the duplicate, which is lost");
    add_key_actions(*command("keys", "Keep the keys elsewhere, and put them back"), options);
    CLI::App* hold = command("hold", "Stop a work from being served and transferred");
    CLI::App* release = command("release", "Let a work that was stopped go again");
    for (CLI::App* sub : {hold, release}) {
        sub->add_option("ID", options.id, "The work: 10 characters")->required();
        auto* reason =
            sub->add_option("--reason", options.reason, "Written into the ledger's statement, for all to read");
        reason->type_name("TEXT");
        if (sub == hold) reason->required();
    }
}

}  // namespace

ParsedVaultd parse_vaultd_options(const std::vector<std::string>& arguments) {
    VaultdOptions options;
    CLI::App app("The vault of Secure Artwork Transfer", kProgram);
    app.option_defaults()->take_last();
    app.fallthrough();
    app.require_subcommand(0, 1);
    // A word misspelt in the file is found out, not passed over.
    app.allow_config_extras(CLI::config_extras_mode::error);
    app.set_version_flag("--version", std::string(kProgram) + " " + kVersion);
    app.get_formatter()->column_width(34);
    add_options(app, options);
    add_commands(app, options);

    ParsedVaultd parsed;
    for (const std::string& argument : arguments) {
        if (argument == "--") break;
        if (argument == "--json") parsed.json = true;
        const auto named = app.get_subcommands([&](const CLI::App* sub) { return sub->get_name() == argument; });
        if (parsed.command.empty() && !named.empty()) parsed.command = argument;
    }
    if (parsed.command.empty()) parsed.command = options.command;
    // CLI11 takes them in reverse.
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
        app.parse(reversed);
    } catch (const CLI::CallForVersion& version) {
        parsed.text = std::string(version.what()) + "\n";
        return parsed;
    } catch (const CLI::CallForHelp&) {
        parsed.text = app.help();  // of the command, where one was named
        return parsed;
    } catch (const CLI::FileError& error) {
        parsed.error = Error{Errc::config, "cannot read the configuration file: " + sentence(error.what()), {}};
        return parsed;
    } catch (const CLI::ConfigError& error) {
        parsed.error = Error{Errc::config, "in the configuration file: " + sentence(error.what()), {}};
        return parsed;
    } catch (const CLI::ExtrasError& error) {
        parsed.error = Error{Errc::usage, left_over(app, error), see_help(app)};
        return parsed;
    } catch (const CLI::ParseError& error) {
        parsed.error = Error{Errc::usage, sentence(error.what()), see_help(app)};
        return parsed;
    }
    parsed.json = options.json;
    parsed.command = options.command;
    parsed.options = std::move(options);
    return parsed;
}

Result<Path> data_directory(const VaultdOptions& options) {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    };
    if (!options.data.empty()) return Path(options.data);
    const std::string xdg = variable("XDG_DATA_HOME");
    // "must be absolute; if a relative path is encountered, ignore it" (XDG Base Directory Specification)
    if (xdg.starts_with('/')) return Path(xdg) / "sat" / "vault";
    const std::string home = variable("HOME");
    if (home.empty()) return fail(Errc::config, "no directory for the vault", "name one with --data or SAT_VAULT_DATA");
    return Path(home) / ".local" / "share" / "sat" / "vault";
}

}  // namespace sat
