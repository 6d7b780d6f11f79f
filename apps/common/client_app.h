// A client program: parses the command line, runs one command, prints what it came to, and gives the exit code.
// What both programs share is here and in owner_commands.h; each adds its own commands.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "client/vault_client.h"
#include "common/options.h"
#include "common/output.h"
#include "common/passphrase.h"
#include "common/terminal.h"

namespace sat {

// What a command works with.  Keys are opened, and questions asked, before the first packet.
class ClientApp {
public:
    ClientApp(Program program, const Options& options, Output& output);
    ~ClientApp();
    ClientApp(const ClientApp&) = delete;
    ClientApp& operator=(const ClientApp&) = delete;

    const Options& options() const noexcept { return options_; }
    Output& output() noexcept { return output_; }
    const Path& home_directory() const noexcept { return home_directory_; }

    // Judges the global options and finds the home: usage, bad_data, config.  Before anything else.
    Result<void> prepare();

    // The wallet; config where there is none.  Lives as long as the app.
    Result<const KeyHome*> home();
    // Opens the signing key, asking for the passphrase if it has to.  Before connect().
    Result<const SigningKey*> signing_key();
    // Calls `open` with the keys' passphrase, or null where they have none, asking for it if it has to; remembers it
    // when that worked.  key_locked.
    Result<void> with_passphrase_of_keys(const std::function<Result<void>(const SecretBytes*)>& open);
    // `error`, or what is behind it: a vault ends every connection of a wallet's older keys, those too that another
    // process of this home has just replaced.  Where a signal ended it, what running the command again comes to.
    Error explained(Error error) const;
    // The keys in the home are others from now on.
    void forget_home();
    // The passphrase of keys just made, so that nobody is asked for it twice: a descriptor can be read only once.
    void remember_passphrase(SecretBytes passphrase) { passphrase_ = std::move(passphrase); }
    // A client that is connected to the vault named by --vault.  Lives as long as the app.
    Result<VaultClient*> connect();
    // One more client of the vault that connect() met, not connected yet, with an identity cache of its own: for a
    // thread that works beside others.  The app outlives it.
    struct BesideClient {
        IdentityCache identities;
        VaultClient client;
        BesideClient(const KeyHome& home, KemPrivateKey kem, VaultClientOptions options)
            : identities(home.directory()), client(home, identities, std::move(kem), std::move(options)) {}
    };
    std::unique_ptr<BesideClient> client_beside();
    // The vault's address, if one was named.
    const std::optional<Address>& vault() const noexcept { return vault_; }
    const TrustPolicy& trust() const noexcept { return trust_; }
    PassphraseSource passphrase_source() const;
    // Of --new-passphrase-file and -fd.
    PassphraseSource new_passphrase_source() const;

    // Somebody to ask.
    bool may_ask() const noexcept { return !options_.no_input && !options_.json; }
    // For progress: nobody wants it with -q or --json.
    bool may_animate() const noexcept { return output_.mode() == Output::Mode::human; }

private:
    Result<void> unlock();
    // What was wrong with the value of the option `name`: config, and the file named, where --config's file gave it.
    Error of_option(const char* name, Error error) const;
    VaultClientOptions client_options() const;
    Result<bool> ask_trust(const Wallet& vault) const;

    Program program_;
    const Options& options_;
    Output& output_;
    Path home_directory_;
    std::optional<Address> vault_;
    TrustPolicy trust_;
    bool wants_signing_key_ = false;
    std::optional<KeyHome> home_;
    std::unique_ptr<IdentityCache> identities_;
    std::optional<SecretBytes> passphrase_;
    std::optional<SigningKey> signing_key_;
    std::optional<KemPrivateKey> kem_key_;
    std::optional<VaultClient> client_;
};

using Command = std::function<Result<Report>(ClientApp&)>;
// A table of them is made without memory, before run_client() has said what is to happen when there is none.
struct OwnCommand {
    const char* name;
    Result<Report> (*run)(ClientApp&);
};

// A text from the command line: bad_data unless it is UTF-8 of at most `max` code points.
Result<void> check_text(std::string_view name, std::string_view text, std::size_t max);
// A message or a reason likewise: 1 to 280 code points.
Result<void> check_note(std::string_view name, const std::optional<std::string>& text);
// 64 lower-case hex digits; bad_data, with `hint`: where to find one.
Result<Digest> parse_hash(std::string_view name, std::string_view text, std::string_view hint);

// All of main() but the program's own commands.  Never throws.
int run_client(Program program, int argc, char** argv, std::span<const OwnCommand> own_commands);

}  // namespace sat
