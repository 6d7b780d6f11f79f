// The command line: CLI11's exceptions end here.
// SPDX-License-Identifier: Apache-2.0
#include "common/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "common/command_line.h"
#include "common/completion.h"

namespace sat {

namespace {

constexpr long kMaxExpires = 30L * 86400;  // the longest life of a claim (docs/protocol.md, "The transfer's rules")
constexpr int kMaxTimeout = 86400;
constexpr int kMaxWait = 30 * 86400;

void add_global(CLI::App& app, Options& options) {
    app.add_option("--home", options.home, "Keys and known vaults lie here")->envname("SAT_HOME")->type_name("DIR");
    app.add_option("--vault", options.vault, "The vault; an IPv6 address as [::1]:7420")
        ->envname("SAT_VAULT")
        ->type_name("HOST:PORT");
    app.add_option("--vault-key", options.vault_key, "The vault's key, pinned")->type_name("SHA256:HEX");
    app.add_flag("--accept-new", options.accept_new, "Trust an unknown vault's key unseen; never a changed one");
    auto* file = app.add_option("--passphrase-file", options.passphrase_file, "Read the passphrase from a file");
    file->type_name("FILE");
    app.add_option("--passphrase-fd", options.passphrase_fd, "Read the passphrase from a descriptor")
        ->type_name("N")
        ->check(CLI::Range(0, 65535))
        ->excludes(file);
    app.add_flag("--json", options.json, "One JSON document on standard output, on failure too");
    app.add_flag("-q,--quiet", options.quiet, "Print the result alone");
    app.add_flag("-v,--verbose", options.verbose, "Say more on standard error");
    app.add_flag("--no-input", options.no_input, "Never ask anything");
    app.add_flag("-y,--yes", options.yes, "Yes to every question about a claim");
    app.add_option("--timeout", options.timeout, "How long the vault may be silent")
        ->type_name("SECONDS")
        ->check(CLI::Range(1, kMaxTimeout));
    app.set_config("--config", "", "Read options from a TOML file")->type_name("FILE");
}

// Knows afterwards which options got their values from the file, and not from the command line, which was read before.
class FileReader : public CLI::ConfigBase {
public:
    FileReader(const CLI::App& app, std::set<std::string>& taken) : app_(app), taken_(taken) {}
    std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
        auto values = CLI::ConfigBase::from_config(input);
        for (const CLI::ConfigItem& item : values) {
            std::vector<const CLI::App*> owners{&app_};
            for (const std::string& parent : item.parents)
                if (!owners.empty())
                    owners =
                        owners.front()->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == parent; });
            const auto* option = owners.empty() ? nullptr : owners.front()->get_option_no_throw("--" + item.name);
            if (option != nullptr && option->empty()) taken_.insert(item.name);
        }
        return values;
    }

private:
    const CLI::App& app_;
    std::set<std::string>& taken_;
};

CLI::App& command(CLI::App& app, const char* name, const char* what, Options& options) {
    CLI::App* sub = app.add_subcommand(name, what);
    sub->callback([&options, name] { options.command = name; });
    sub->footer("The options that '" + app.get_name() +
                " --help' lists go with every command, before or after its name.");
    return *sub;
}

CLI::App& command_with_id(CLI::App& app, const char* name, const char* what, Options& options) {
    CLI::App& sub = command(app, name, what, options);
    sub.add_option("ID", options.id, "The work: 10 characters")->required();
    return sub;
}

void add_witnesses(CLI::App& sub, Options& options, const char* what) {
    sub.add_option("--witness", options.witnesses, what)->type_name("KEY")->expected(1)->take_all();
}

CLI::Option* add_new_passphrase(CLI::App& sub, Options& options) {
    auto* file =
        sub.add_option("--new-passphrase-file", options.new_passphrase_file, "Read the new passphrase from a file");
    file->type_name("FILE");
    auto* fd =
        sub.add_option("--new-passphrase-fd", options.new_passphrase_fd, "Read the new passphrase from a descriptor");
    return fd->type_name("N")->check(CLI::Range(0, 65535))->excludes(file);
}

void add_no_passphrase(CLI::App& sub, Options& options) {
    auto* fd = add_new_passphrase(sub, options);
    auto* none = sub.add_flag("--no-passphrase", options.no_passphrase, "Leave the keys unprotected");
    none->excludes(fd)->excludes(sub.get_option("--new-passphrase-file"));
}

void add_key_commands(CLI::App& app, Options& options) {
    add_no_passphrase(command(app, "passphrase", "Change the keys' passphrase", options), options);
    CLI::App& rekey = command(app, "rekey", "New keys for the wallet; it stays the same. Three times at most", options);
    rekey.add_option("--bits", options.new_bits, "Size of the new RSA keys")->check(CLI::IsMember({3072, 4096}));
    CLI::App& keys = command(app, "keys", "Carry the wallet elsewhere", options);
    keys.require_subcommand(1);
    const auto action = [&](const char* name, const char* what) -> CLI::App& {
        CLI::App* sub = keys.add_subcommand(name, what);
        sub->callback([&options, name] { options.action = name; });
        sub->add_option("FILE", options.file, "The key backup")->required();
        return *sub;
    };
    CLI::App& out = action("export", "Write keys, identity, profile and pins to one encrypted file");
    add_new_passphrase(out, options);
    out.add_flag("--force", options.force, "Replace a file that is there");
    add_no_passphrase(action("import", "Make a home of what export wrote"), options);
}

void add_owner_commands(CLI::App& app, Options& options) {
    CLI::App& init = command(app, "init", "Make a wallet and its key pairs", options);
    init.add_option("--bits", options.bits, "Size of the RSA keys")->check(CLI::IsMember({3072, 4096}));
    init.add_flag("--no-passphrase", options.no_passphrase, "Leave the keys unprotected");
    init.add_option("--name", options.name, "Told to a vault when you take over a work");
    init.add_option("--contact", options.contact, "Likewise");
    init.add_flag("--force", options.force, "Put a wallet that is there aside (kept as *.old-*)");
    command(app, "whoami", "Wallet, keys and pinned vaults", options);
    command(app, "list", "The works that I own", options);
    command_with_id(app, "show", "One work's metadata, verified", options);
    CLI::App& request = command_with_id(app, "request", "Fetch a work's image, verified", options);
    request.add_option("-o,--output", options.output, "Where to write it; - is standard output")
        ->type_name("FILE|DIR|-");
    request.add_flag("--force", options.force, "Replace a file that is there");
    command(app, "inbox", "Claims that wait for my answer", options);
    CLI::App& watch = command(app, "watch", "Stay connected; show each claim as it comes", options);
    watch.add_flag("--once", options.once, "End after the first claim");
    CLI::App& confirm = command_with_id(app, "confirm", "Say yes to a claim", options);
    confirm.add_option("--claim", options.claim, "Which, where several wait")->type_name("CLAIM");
    CLI::App& decline = command_with_id(app, "decline", "Say no to a claim", options);
    decline.add_option("--claim", options.claim, "Which, where several wait")->type_name("CLAIM");
    decline.add_option("--reason", options.reason, "Told to the collector")->type_name("TEXT");
    command_with_id(app, "history", "Every owner since registration, verified", options);
    CLI::App& certificate =
        command_with_id(app, "certificate", "Write the proof of who owns a work to a file", options);
    certificate.add_option("-o,--output", options.output, "Where to write it; - is standard output")
        ->type_name("FILE|-")
        ->required();
    certificate.add_flag("--force", options.force, "Replace a file that is there");
    certificate
        .add_option("--checkpoint", options.checkpoint, "Certify at this checkpoint, which witnesses have cosigned")
        ->type_name("FILE");
    add_witnesses(certificate, options, "A witness whose cosignature goes into it");
    CLI::App& verify = command(app, "verify", "Check a certificate: no vault, no network, no wallet", options);
    verify.add_option("FILE", options.file, "The certificate")->required();
    verify.add_option("--image", options.image, "Compare this image with the one that the artist signed")
        ->type_name("FILE");
    add_witnesses(verify, options, "A witness that must have signed");
    CLI::App& completion =
        command(app, "completion", "Print what a shell needs to complete commands and options", options);
    completion.add_option("SHELL", options.shell, "bash, zsh or fish")->required()->check(CLI::IsMember(kShells));
}

void add_artist_commands(CLI::App& app, Options& options) {
    CLI::App& upload = command(
        app, "upload", "Seal, sign and store images, each as a new work, also one that is stored already", options);
    upload.add_option("IMAGE", options.images, "JPEG, PNG, TIFF, WebP, GIF or AVIF")->required()->take_all();
    upload.add_option("--title", options.title, "Its title, of a single image; several have their files' names");
    upload.add_option("--description", options.description, "About it");
    upload.add_option("--artist", options.artist, "Its artist's name");
    upload.add_option("--created", options.created, "When it was made")->type_name("YYYY[-MM[-DD]]");
    upload.add_option("--release", options.release, "Whom the vault gives the image: everybody, or only owners")
        ->check(CLI::IsMember({"original", "preview"}));
    upload.add_flag("--no-preview", options.no_preview, "Make no preview, and give nobody one");
}

CLI::App& ledger_action(CLI::App& ledger, const char* name, const char* what, Options& options) {
    CLI::App& sub = *ledger.add_subcommand(name, what);
    sub.callback([&options, name] { options.action = name; });
    sub.add_flag("--once", options.once, "End at the newest checkpoint");
    sub.add_option("--every", options.every, "How often to ask for a newer checkpoint")
        ->type_name("SECONDS")
        ->check(CLI::Range(1, kMaxTimeout));
    return sub;
}

void add_collector_commands(CLI::App& app, Options& options) {
    CLI::App& browse = command(app, "browse", "Find works, verified", options);
    browse.add_option("TEXT", options.text, "Whole words of title, description and artist");
    browse.add_option("--artist", options.artist, "The artist's name, as a whole");
    browse.add_option("--owner", options.owner, "The present owner")->type_name("WALLET");
    browse.add_option("--limit", options.limit, "How many at a time")->check(CLI::Range(1, 50));
    browse.add_option("--cursor", options.cursor, "Go on after an earlier page");
    browse.add_flag("--all", options.all, "Every page");
    CLI::App& claim =
        command_with_id(app, "claim", "Ask to own a work, and take it over when the owner says yes", options);
    claim.add_option("--message", options.message, "Told to the owner")->type_name("TEXT");
    claim.add_option("--wait", options.wait, "How long to wait for the owner")
        ->type_name("SECONDS")
        ->check(CLI::Range(0, kMaxWait));
    claim.add_option("--expires", options.expires, "How long the claim stands (14 days)")
        ->type_name("SECONDS")
        ->check(CLI::Range(1L, kMaxExpires));
    command(app, "claims", "My claims", options);
    CLI::App& ledger = command(app, "ledger", "Replay a vault's whole ledger", options);
    ledger.require_subcommand(1);
    CLI::App& follow =
        ledger_action(ledger, "follow", "Check every entry by every rule, and go on as it grows", options);
    CLI::App& witness = ledger_action(ledger, "witness", "The same, and cosign each checkpoint", options);
    follow.add_option("--tiles", options.tiles, "Write the ledger there, as C2SP tiles")->type_name("DIR");
    witness.add_option("--tiles", options.tiles, "Write the ledger there, as C2SP tiles")->type_name("DIR");
    witness.add_option("--name", options.name, "The witness's name, a URL without its scheme")->required();
    witness.add_option("-o,--output", options.output, "Write the cosigned checkpoint there")->type_name("FILE");
    command_with_id(app, "withdraw", "Take my claim on a work back", options);
}

// What CLI11 says of a configuration file, in words of ours.
std::string of_file(const std::string& file, std::string text) {
    constexpr std::string_view kUnknown = "INI was not able to parse ";
    if (text.starts_with(kUnknown)) text.replace(0, kUnknown.size(), "there is no option ");
    return printable(file) + ": " + sentence(std::move(text));
}

// Whether a text of CLI11's is about one of the options `names`.
bool is_about(const std::string& text, const std::set<std::string>& names) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        const std::size_t at = text.find("--" + name);
        if (at == std::string::npos) return false;
        const std::size_t after = at + 2 + name.size();
        return after == text.size() || (text[after] != '-' && (text[after] < 'a' || text[after] > 'z'));
    });
}

// The command that somebody meant, for a document about a command line that cannot be parsed.
void guess(const std::vector<std::string>& arguments, const CLI::App& app, Parsed& parsed) {
    for (const std::string& argument : arguments) {
        if (argument == "--") break;
        if (argument == "--json") parsed.json = true;
        for (const CLI::App* sub : app.get_subcommands({}))
            if (parsed.command.empty() && sub->get_name() == argument) parsed.command = argument;
    }
}

}  // namespace

const char* program_name(Program program) noexcept {
    return program == Program::artist ? "sat-artist" : "sat-collector";
}

Parsed parse_options(Program program, std::vector<std::string> arguments) {
    Options options;
    const char* name = program_name(program);
    CLI::App app(program == Program::artist ? "The artist's end of Secure Artwork Transfer"
                                            : "The collector's end of Secure Artwork Transfer",
                 name);
    app.option_defaults()->take_last();
    app.fallthrough();
    app.allow_config_extras(CLI::config_extras_mode::error);
    app.require_subcommand(0, 1);
    app.set_version_flag("--version", std::string(name) + " " + kVersion);
    app.get_formatter()->column_width(34);
    add_global(app, options);
    if (program == Program::artist) add_artist_commands(app, options);
    if (program == Program::collector) add_collector_commands(app, options);
    add_owner_commands(app, options);
    add_key_commands(app, options);
    app.config_formatter(std::make_shared<FileReader>(app, options.from_file));
    const auto config_file = [&] { return app.get_config_ptr()->as<std::string>(); };

    Parsed parsed;
    guess(arguments, app, parsed);
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
        parsed.error = Error{Errc::config, of_file(config_file(), error.what()), see_help(app)};
        return parsed;
    } catch (const CLI::ExtrasError& error) {
        parsed.error = Error{Errc::usage, left_over(app, error), see_help(app)};
        return parsed;
    } catch (const CLI::ParseError& error) {
        if (is_about(error.what(), options.from_file))
            parsed.error = Error{Errc::config, of_file(config_file(), error.what()), see_help(app)};
        else
            parsed.error = Error{Errc::usage, sentence(error.what()), see_help(app)};
        return parsed;
    }
    if (!options.from_file.empty()) options.config = config_file();
    parsed.json = options.json;
    parsed.command = options.command;
    if (options.command.empty()) {
        parsed.error = Error{Errc::usage, "no command was given", see_help(app)};
        parsed.usage = app.help();
        return parsed;
    }
    if (options.command == "completion") {
        parsed.text = completion_script(app, options.shell);
        return parsed;
    }
    parsed.options = std::move(options);
    return parsed;
}

}  // namespace sat
