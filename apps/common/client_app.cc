// Client programs.
// SPDX-License-Identifier: Apache-2.0
#include "common/client_app.h"

#include <unistd.h>

#include <cstdlib>

#include "base/assert.h"
#include "base/memory.h"
#include "base/text.h"
#include "common/exit_codes.h"
#include "common/interrupt.h"
#include "common/key_commands.h"
#include "common/owner_commands.h"
#include "crypto/openssl_memory.h"
#include "crypto/secure_heap.h"
#include "ledger/commitment.h"

namespace sat {

namespace {

// $XDG_DATA_HOME/sat/artist, as the XDG Base Directory Specification has it: a relative path there does not count.
Result<Path> default_home(Program program) {
    const char* leaf = program == Program::artist ? "artist" : "collector";
    const char* data = std::getenv("XDG_DATA_HOME");
    if (data != nullptr && *data == '/') return Path(data) / "sat" / leaf;
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home != '/')
        return fail(Errc::config, "there is no home directory to keep keys in", "name one with --home or SAT_HOME");
    return Path(home) / ".local" / "share" / "sat" / leaf;
}

Output::Mode mode_of(const Options& options) {
    if (options.json) return Output::Mode::json;
    return options.quiet ? Output::Mode::quiet : Output::Mode::human;
}

}  // namespace

ClientApp::ClientApp(Program program, const Options& options, Output& output)
    : program_(program), options_(options), output_(output) {}

ClientApp::~ClientApp() = default;

Result<void> ClientApp::prepare() {
    if (options_.home.empty()) {
        SAT_TRY_VALUE(home_directory_, default_home(program_));
    } else {
        home_directory_ = options_.home;
    }
    if (!options_.vault.empty()) {
        auto address = parse_address(options_.vault);
        if (!address) return fail(of_option("vault", std::move(address.error())));
        vault_ = std::move(*address);
    }
    if (!options_.vault_key.empty()) {
        const auto pin = parse_fingerprint(options_.vault_key);
        if (!pin) return fail(of_option("vault-key", pin.error()));
        trust_.pin = *pin;
    }
    trust_.accept_new = options_.accept_new;
    return {};
}

Error ClientApp::of_option(const char* name, Error error) const {
    if (!options_.from_file.contains(name)) return error;
    error.code = Errc::config;
    error.message = printable(options_.config) + ": " + error.message;
    return error;
}

Result<const KeyHome*> ClientApp::home() {
    if (!home_) {
        SAT_TRY_VALUE(home_, KeyHome::open(home_directory_));
        identities_ = std::make_unique<IdentityCache>(home_directory_);
    }
    return &*home_;
}

PassphraseSource ClientApp::passphrase_source() const {
    // A person at a terminal may be asked with --json too: the question does not touch standard output.
    return {options_.passphrase_file, options_.passphrase_fd, !options_.no_input};
}

PassphraseSource ClientApp::new_passphrase_source() const {
    return {options_.new_passphrase_file, options_.new_passphrase_fd, !options_.no_input, "--new-passphrase"};
}

// Both keys at once, so that a passphrase is asked for once, and no program runs on with keys that others can read.
Result<void> ClientApp::unlock() {
    if (kem_key_ && (signing_key_ || !wants_signing_key_)) return {};
    SAT_TRY_VALUE(const KeyHome* wallet, home());
    const auto open = [&](const SecretBytes* passphrase) -> Result<void> {
        SAT_TRY_VALUE(kem_key_, wallet->unlock_kem(passphrase));
        if (wants_signing_key_) {
            SAT_TRY_VALUE(signing_key_, wallet->unlock_sign(passphrase));
        }
        return {};
    };
    return with_passphrase_of_keys(open);
}

Result<void> ClientApp::with_passphrase_of_keys(const std::function<Result<void>(const SecretBytes*)>& open) {
    SAT_TRY_VALUE(const KeyHome* wallet, home());
    SAT_TRY_VALUE(const bool encrypted, wallet->keys_are_encrypted());
    if (!encrypted) return open(nullptr);
    if (passphrase_) return open(&*passphrase_);
    return with_passphrase(passphrase_source(), "the keys in " + printable(home_directory_.string()),
                           [&](const SecretBytes& passphrase) -> Result<void> {
                               SAT_TRY(open(&passphrase));
                               passphrase_ = passphrase.copy();
                               return {};
                           });
}

Error ClientApp::explained(Error error) const {
    if (error.code == Errc::cancelled && error.hint.empty()) {
        if (options_.command == "upload") error.hint = "run the same command again: it goes on where it stood";
        if (options_.command == "request" || options_.command == "claim") error.hint = "run the same command again";
    }
    if (error.code != Errc::handshake_failed || !home_) return error;
    const auto now = KeyHome::open(home_directory_);
    const bool rekeyed =
        now && now->wallet() == home_->wallet() && now->chain().documents().size() > home_->chain().documents().size();
    if (!rekeyed) return error;
    return {Errc::interrupted, "the wallet was rekeyed while this command ran", "run the same command again"};
}

void ClientApp::forget_home() {
    SAT_ASSERT(!client_);
    home_.reset();
    signing_key_.reset();
    kem_key_.reset();
}

Result<const SigningKey*> ClientApp::signing_key() {
    wants_signing_key_ = true;
    SAT_TRY(unlock());
    return &*signing_key_;
}

Result<bool> ClientApp::ask_trust(const Wallet& vault) const {
    auto terminal = Terminal::open();
    if (!terminal) return fail(Errc::vault_key_unknown, "there is no terminal any more to ask about the vault's key");
    terminal->show("The vault at " + vault_->text() + " is not known here.  Its key is\n\n    " + fingerprint(vault) +
                   "\n\nCompare it with the one that the vault's operator publishes.\n");
    return terminal->ask_yes("Is it the same, and shall it be trusted from now on? [yes/no] ");
}

VaultClientOptions ClientApp::client_options() const {
    VaultClientOptions options;
    options.address = *vault_;
    options.trust = trust_;
    options.agent = std::string(program_name(program_)) + "/" + kVersion;
    if (options_.timeout) options.timeout = std::chrono::seconds(*options_.timeout);
    options.stop_fd = Interrupt::fd();
    return options;
}

std::unique_ptr<ClientApp::BesideClient> ClientApp::client_beside() {
    SAT_ASSERT(client_ && kem_key_);
    VaultClientOptions options = client_options();
    options.trust = {client_->vault_wallet(), false};
    return std::make_unique<BesideClient>(*home_, *kem_key_, std::move(options));
}

Result<VaultClient*> ClientApp::connect() {
    if (client_ && client_->connected()) return &*client_;
    if (!client_) {
        SAT_TRY_VALUE(const KeyHome* wallet, home());
        if (!vault_) return fail(Errc::usage, "no vault was named", "give --vault HOST:PORT, or set SAT_VAULT");
        SAT_TRY(unlock());
        VaultClientOptions options = client_options();
        if (!options_.no_input && Terminal::open())
            options.ask_trust = [this](const Wallet& vault) { return ask_trust(vault); };
        client_.emplace(*wallet, *identities_, *kem_key_, std::move(options));
    }
    SAT_TRY_VALUE(const auto known, KnownVaults(home_directory_).find(*vault_));
    SAT_TRY(client_->connect());
    if (!known && trust_.accept_new && !trust_.pin)
        output_.note("trusted from now on: " + vault_->text() + " with the key " +
                     fingerprint(client_->vault_wallet()) + "; compare it with the one that its operator publishes");
    output_.detail("connected to " + vault_->text() + ", " + fingerprint(client_->vault_wallet()));
    return &*client_;
}

Result<void> check_text(std::string_view name, std::string_view text, std::size_t max) {
    if (!is_utf8(text)) return fail(Errc::bad_data, "the " + std::string(name) + " is not UTF-8", "write it in UTF-8");
    if (count_code_points(text) > max)
        return fail(Errc::bad_data,
                    "the " + std::string(name) + " is longer than " + std::to_string(max) + " characters",
                    "shorten it");
    return {};
}

Result<void> check_note(std::string_view name, const std::optional<std::string>& text) {
    return text ? check_text(name, *text, kMaxNoteCodePoints) : Result<void>();
}

Result<Digest> parse_hash(std::string_view name, std::string_view text, std::string_view hint) {
    auto digest = Digest::from_hex(text);
    if (!digest)
        return fail(Errc::bad_data, "the " + std::string(name) + " is not 64 lower-case hexadecimal digits",
                    std::string(hint));
    return digest;
}

namespace {

int run(Program program, const Parsed& parsed, Output& output, std::span<const OwnCommand> own_commands) {
    const auto finish = [&](const Error& error) { return output.failure(error, Interrupt::signal()); };
    if (parsed.error) {
        if (!parsed.usage.empty() && !output.json())
            (void)write_all(STDERR_FILENO, as_bytes(parsed.usage + "\n"), "standard error");
        return finish(*parsed.error);
    }
    if (!parsed.options) {
        const auto printed = output.print(parsed.text);
        return printed ? kExitDone : finish(printed.error());
    }
    std::map<std::string, Command> commands = owner_commands();
    commands.merge(key_commands());
    for (const OwnCommand& own : own_commands) commands.emplace(own.name, own.run);
    const auto command = commands.find(parsed.options->command);
    SAT_ASSERT(command != commands.end());
    ClientApp app(program, *parsed.options, output);
    if (const auto prepared = app.prepare(); !prepared) return finish(prepared.error());
    const auto report = command->second(app);
    if (!report) return finish(app.explained(report.error()));
    const auto printed = output.success(*report);
    if (!printed) return finish(printed.error());
    if (report->told) report->told();
    return report->exit;
}

}  // namespace

int run_client(Program program, int argc, char** argv, std::span<const OwnCommand> own_commands) {
    end_without_memory(program_name(program));
    end_openssl_without_memory();
    // A limit that forbids it costs no more than the lock.
    (void)start_secure_heap();
    forbid_core_dumps();
    Interrupt::install();
    const Parsed parsed = parse_options(program, {argv + std::min(argc, 1), argv + argc});
    Output::Mode mode = parsed.options ? mode_of(*parsed.options) : Output::Mode::human;
    if (parsed.json) mode = Output::Mode::json;
    Output output(program_name(program), parsed.command, mode, parsed.options && parsed.options->verbose);
    try {
        return run(program, parsed, output, own_commands);
    } catch (const std::exception& bug) {
        // Results carry what may happen; what is thrown this far is ours, or threads running out.
        return output.bug(bug.what());
    }
}

}  // namespace sat
