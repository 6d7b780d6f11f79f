// The commands about keys.  docs/man/sat-artist.1 is the contract.
// SPDX-License-Identifier: Apache-2.0
#include "common/key_commands.h"

#include "base/text.h"
#include "client/key_life.h"
#include "common/interrupt.h"
#include "common/owner_commands.h"
#include "crypto/key_backup.h"

namespace sat {

namespace {

constexpr const char* kUnprotected =
    "the keys now lie unprotected: whoever reads the files is this wallet, and so is whoever reads a copy of them";

std::size_t documents_left(const IdentityChain& chain) { return kMaxChainDocuments - chain.documents().size(); }

Json keys_json(const KeyHome& home) {
    return {{"wallet", home.wallet().hex()},
            {"key_id", home.chain().sign_key().id().hex()},
            {"kem_id", home.chain().kem_key().id().hex()}};
}

// Opens the keys; their passphrase, or nothing where they have none.
Result<std::optional<SecretBytes>> present_passphrase(ClientApp& app) {
    std::optional<SecretBytes> out;
    const auto open = [&](const SecretBytes* passphrase) -> Result<void> {
        SAT_TRY_VALUE(const KeyHome* home, app.home());
        SAT_TRY(home->unlock_sign(passphrase));
        if (passphrase != nullptr) out = passphrase->copy();
        return {};
    };
    SAT_TRY(app.with_passphrase_of_keys(open));
    return out;
}

Result<Report> run_passphrase(ClientApp& app) {
    const Options& options = app.options();
    // The old one first: nobody thinks up a new one in vain.
    SAT_TRY_VALUE(const auto from, present_passphrase(app));
    std::optional<SecretBytes> to;
    if (!options.no_passphrase) {
        SAT_TRY_VALUE(to, choose_passphrase(app.new_passphrase_source(), "the keys"));
    }
    SAT_TRY(change_passphrase(app.home_directory(), from ? &*from : nullptr, to ? &*to : nullptr));
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    Report answer;
    answer.data = {{"wallet", home->wallet().hex()}, {"encrypted", to.has_value()}};
    answer.text = to ? "the keys have their new passphrase; copies made before open with the old one\n"
                     : "the keys have no passphrase any more\n";
    if (!to) app.output().warn(kUnprotected);
    return answer;
}

// The vault refuses whoever comes with the old keys once it has seen the new ones, and not before.
Result<bool> tell_vault(ClientApp& app) {
    if (!app.vault()) return false;
    const auto told = [&]() -> Result<void> {
        SAT_TRY_VALUE(VaultClient * vault, app.connect());
        // Its answer says that it has let us in, and so kept the chain.
        return vault->refresh_checkpoint();
    }();
    if (!told) app.output().warn("the keys are new, but the vault does not know yet: " + told.error().message);
    return told.has_value();
}

Result<Report> run_rekey(ClientApp& app) {
    const Options& options = app.options();
    SAT_TRY_VALUE(const KeyHome* before, app.home());
    if (can_extend(before->chain()) && documents_left(before->chain()) == 1)
        app.output().warn("this is the third rekey, and the last: the wallet can have no newer keys after it");
    std::optional<KeyHome> home;
    SAT_TRY(app.with_passphrase_of_keys([&](const SecretBytes* passphrase) -> Result<void> {
        Rekey rekey;
        rekey.passphrase = passphrase;
        if (options.new_bits) rekey.bits = *options.new_bits == 4096 ? RsaBits::b4096 : RsaBits::b3072;
        rekey.stopped = [] { return Interrupt::signal() != 0; };
        SAT_TRY_VALUE(home, rekey_home(app.home_directory(), rekey, now_unix()));
        return {};
    }));
    app.forget_home();
    SAT_TRY_VALUE(const bool told, tell_vault(app));
    const std::size_t left = documents_left(home->chain());
    Report answer;
    answer.data = keys_json(*home);
    answer.data["documents"] = home->chain().documents().size();
    answer.data["left"] = left;
    answer.data["told"] = told;
    answer.text = "new keys for wallet " + home->wallet().hex() + "; it can have newer ones " + std::to_string(left) +
                  (left == 1 ? " more time\n" : " more times\n");
    answer.brief = home->chain().sign_key().id().hex() + "\n";
    app.output().note("a copy of the old keys opens nothing any more: make a new one with `keys export`");
    if (!told) app.output().note("each vault knows it from the next command that reaches it: run one for each, soon");
    return answer;
}

// One of its own, or else the keys'.
Result<SecretBytes> passphrase_of_backup(ClientApp& app, const std::optional<SecretBytes>& of_keys) {
    const PassphraseSource source = app.new_passphrase_source();
    if (source.given() || !of_keys) return choose_passphrase(source, "the key backup");
    return of_keys->copy();
}

Result<Report> run_export(ClientApp& app) {
    const Options& options = app.options();
    SAT_TRY_VALUE(const auto of_keys, present_passphrase(app));
    SAT_TRY_VALUE(const SecretBytes seal, passphrase_of_backup(app, of_keys));
    SAT_TRY_VALUE(const Bytes backup, export_home(app.home_directory(), of_keys ? &*of_keys : nullptr, seal));
    const auto existing = options.force ? AtomicFile::Existing::replace : AtomicFile::Existing::refuse;
    SAT_TRY(write_key_backup(options.file, backup, existing, KeyBackupKind::wallet, seal));
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    Report answer;
    answer.data = keys_json(*home);
    answer.data["file"] = json_text(options.file);
    answer.data["documents"] = home->chain().documents().size();
    answer.text = "written, read back and opened: " + printable(options.file) + "\n";
    answer.brief = options.file + "\n";
    app.output().note(std::string("it opens with ") +
                      (options.new_passphrase_file || options.new_passphrase_fd || !of_keys
                           ? "the passphrase given for it"
                           : "the keys' passphrase") +
                      "; a rekey makes it worthless");
    return answer;
}

Result<Report> run_import(ClientApp& app) {
    const Options& options = app.options();
    if (KeyHome::exists(app.home_directory()))
        return fail(Errc::exists, "there is a wallet in " + printable(app.home_directory().string()) + " already",
                    "name another --home: a wallet is never replaced");
    SAT_TRY_VALUE(const Bytes backup, read_key_backup(options.file));
    std::optional<SecretBytes> seal;
    const auto open = [&](const SecretBytes& passphrase) -> Result<void> {
        SAT_TRY(open_key_backup(backup, KeyBackupKind::wallet, passphrase));
        seal = passphrase.copy();
        return {};
    };
    SAT_TRY(with_passphrase(app.passphrase_source(), "the key backup", open));
    std::optional<SecretBytes> fresh;
    if (app.new_passphrase_source().given()) {
        SAT_TRY_VALUE(fresh, read_passphrase(app.new_passphrase_source()));
    } else if (!options.no_passphrase) {
        fresh = seal->copy();
    }
    SAT_TRY(import_home(app.home_directory(), backup, *seal, fresh ? &*fresh : nullptr));
    if (!fresh) app.output().warn(kUnprotected);
    return wallet_answer(app);
}

Result<Report> run_keys(ClientApp& app) { return app.options().action == "export" ? run_export(app) : run_import(app); }

}  // namespace

std::map<std::string, Command> key_commands() {
    return {{"passphrase", run_passphrase}, {"rekey", run_rekey}, {"keys", run_keys}};
}

}  // namespace sat
