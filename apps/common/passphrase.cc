// Passphrases.
// SPDX-License-Identifier: Apache-2.0
#include "common/passphrase.h"

#include "common/terminal.h"
#include "crypto/hash.h"

namespace sat {

namespace {

constexpr int kTries = 3;

std::string options_of(const PassphraseSource& source) {
    return std::string(source.option) + "-file or " + source.option + "-fd";
}

tl::unexpected<Error> nobody_to_ask(const PassphraseSource& source, const std::string& what) {
    return fail(Errc::key_locked, "there is nobody to ask for the passphrase of " + what,
                "give it with " + options_of(source));
}

std::optional<Terminal> terminal_of(const PassphraseSource& source) {
    return source.may_ask ? Terminal::open() : std::nullopt;
}

}  // namespace

Result<SecretBytes> read_passphrase(const PassphraseSource& source) {
    const auto raw = source.file ? read_secret_file(*source.file, kMaxPassphrase + 2)
                                 : read_secret_fd(source.fd.value_or(-1), kMaxPassphrase + 2);
    if (!raw && raw.error().code == Errc::too_large) return fail(Errc::key_locked, "the passphrase is too long");
    if (!raw) return fail(raw.error());
    ByteView text = raw->reveal();
    if (!text.empty() && text.back() == std::byte{'\n'}) text = text.first(text.size() - 1);
    if (!text.empty() && text.back() == std::byte{'\r'}) text = text.first(text.size() - 1);
    if (text.empty()) return fail(Errc::key_locked, "the passphrase given is empty");
    if (text.size() > kMaxPassphrase) return fail(Errc::key_locked, "the passphrase is too long");
    return SecretBytes(text);
}

Result<void> with_passphrase(const PassphraseSource& source, const std::string& what,
                             const std::function<Result<void>(const SecretBytes&)>& open) {
    if (source.given()) {
        SAT_TRY_VALUE(const SecretBytes passphrase, read_passphrase(source));
        return open(passphrase);
    }
    auto terminal = terminal_of(source);
    if (!terminal) return nobody_to_ask(source, what);
    for (int tries = 1;; ++tries) {
        SAT_TRY_VALUE(const SecretBytes passphrase, terminal->ask_secret("Passphrase of " + what + ": "));
        if (passphrase.empty()) return fail(Errc::key_locked, "no passphrase was given");
        auto opened = open(passphrase);
        if (opened || opened.error().code != Errc::key_locked || tries == kTries) return opened;
        terminal->show("That is not it.\n");
    }
}

Result<SecretBytes> choose_passphrase(const PassphraseSource& source, const std::string& what) {
    if (source.given()) return read_passphrase(source);
    auto terminal = terminal_of(source);
    if (!terminal)
        return fail(Errc::key_locked, "the new keys need a passphrase, and there is nobody to ask",
                    "give one with " + options_of(source) + ", or leave the keys unprotected with --no-passphrase");
    for (int tries = 1; tries <= kTries; ++tries) {
        SAT_TRY_VALUE(SecretBytes first, terminal->ask_secret("New passphrase for " + what + ": "));
        if (first.empty()) {
            terminal->show("It must not be empty; --no-passphrase leaves keys unprotected.\n");
            continue;
        }
        if (first.size() > kMaxPassphrase) {
            terminal->show("It must not be longer than 1024 bytes.\n");
            continue;
        }
        SAT_TRY_VALUE(const SecretBytes again, terminal->ask_secret("The same once more: "));
        if (equal_constant_time(first.reveal(), again.reveal())) return first;
        terminal->show("The two differ.\n");
    }
    return fail(Errc::key_locked, "no passphrase was chosen");
}

}  // namespace sat
