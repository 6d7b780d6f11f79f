// The commands about keys: see key_commands.h.
// SPDX-License-Identifier: Apache-2.0
#include "key_commands.h"

#include <unistd.h>

#include "base/text.h"
#include "base/time.h"
#include "common/exit_codes.h"
#include "common/interrupt.h"
#include "common/passphrase.h"
#include "crypto/key_backup.h"
#include "keys.h"
#include "vault/key_life.h"

namespace sat {

namespace {

constexpr const char* kUnprotected =
    "note: the keys now lie unprotected: whoever reads the files, or a copy of them, can be this vault\n";

PassphraseSource new_passphrase_source(const VaultdOptions& options) {
    PassphraseSource source;
    source.file = options.new_passphrase_file;
    source.fd = options.new_passphrase_fd;
    source.option = "--new-passphrase";
    return source;
}

// The passphrase that opens the keys, tried on them.
Result<std::optional<SecretBytes>> present_passphrase(const Path& data, const VaultdOptions& options) {
    std::optional<SecretBytes> out;
    const auto open = [&](const SecretBytes* passphrase) -> Result<void> {
        SAT_TRY(load_vault_keys(key_directory(data), passphrase));
        if (passphrase != nullptr) out = passphrase->copy();
        return {};
    };
    SAT_TRY(with_key_passphrase(data, options, open));
    return out;
}

const SecretBytes* pointer_to(const std::optional<SecretBytes>& passphrase) {
    return passphrase ? &*passphrase : nullptr;
}

Result<Done> export_keys(const VaultdOptions& options) {
    SAT_TRY_VALUE(const Path data, data_directory(options));
    SAT_TRY_VALUE(const auto of_keys, present_passphrase(data, options));
    // One of its own, or else the keys'.
    const PassphraseSource source = new_passphrase_source(options);
    SecretBytes seal;
    if (source.given() || !of_keys) {
        SAT_TRY_VALUE(seal, choose_passphrase(source, "the key backup"));
    } else {
        seal = of_keys->copy();
    }
    SAT_TRY_VALUE(const Bytes backup, export_vault_keys(data, pointer_to(of_keys), seal));
    const auto existing = options.force ? AtomicFile::Existing::replace : AtomicFile::Existing::refuse;
    SAT_TRY(write_key_backup(options.file, backup, existing, KeyBackupKind::vault, seal));
    SAT_TRY_VALUE(const IdentityChain chain, read_vault_identity(key_directory(data)));
    Done done;
    done.data = {
        {"wallet", chain.wallet().hex()}, {"file", printable(options.file)}, {"documents", chain.documents().size()}};
    done.text = "written, read back and opened: " + printable(options.file) + "\n";
    return done;
}

Result<Done> import_keys(const VaultdOptions& options) {
    SAT_TRY_VALUE(const Path data, data_directory(options));
    SAT_TRY(finish_key_change(data));
    if (vault_keys_exist(key_directory(data)))
        return fail(Errc::exists, "there are keys in " + printable(key_directory(data).string()) + " already",
                    "a vault's keys are never replaced; another vault needs another --data");
    SAT_TRY_VALUE(const Bytes backup, read_key_backup(options.file));
    PassphraseSource source;
    source.file = options.passphrase_file;
    source.fd = options.passphrase_fd;
    std::optional<SecretBytes> seal;
    const auto open = [&](const SecretBytes& passphrase) -> Result<void> {
        SAT_TRY(open_key_backup(backup, KeyBackupKind::vault, passphrase));
        seal = passphrase.copy();
        return {};
    };
    SAT_TRY(with_passphrase(source, "the key backup", open));
    std::optional<SecretBytes> fresh;
    if (new_passphrase_source(options).given()) {
        SAT_TRY_VALUE(fresh, read_passphrase(new_passphrase_source(options)));
    } else if (!options.no_passphrase) {
        fresh = seal->copy();
    }
    SAT_TRY_VALUE(const IdentityChain chain, import_vault_keys(data, backup, *seal, pointer_to(fresh)));
    Done done;
    done.data = {{"wallet", chain.wallet().hex()},
                 {"fingerprint", chain.fingerprint()},
                 {"data", printable(data.string())},
                 {"documents", chain.documents().size()}};
    done.text =
        "keys put back into " + printable(key_directory(data).string()) + "\nfingerprint " + chain.fingerprint() + "\n";
    if (!fresh) done.text += kUnprotected;
    return done;
}

// Before it is done, while it can still be left.
Result<void> warn_of_last(const Path& data, const VaultdOptions& options) {
    if (!options.kem) return {};
    const auto chain = read_vault_identity(key_directory(data));
    if (!chain || chain->documents().size() + 1 != kMaxChainDocuments) return {};
    return write_all(STDERR_FILENO,
                     as_bytes("sat-vaultd: warning: this is the third rekey --kem, and the last: the vault can have no "
                              "newer ones after it\n"),
                     "standard error");
}

}  // namespace

Result<Done> passphrase_command(const VaultdOptions& options) {
    SAT_TRY_VALUE(const Path data, data_directory(options));
    SAT_TRY_VALUE(const auto from, present_passphrase(data, options));
    std::optional<SecretBytes> to;
    if (!options.no_passphrase) {
        SAT_TRY_VALUE(to, choose_passphrase(new_passphrase_source(options), "the vault's keys"));
    }
    SAT_TRY(change_vault_passphrase(data, pointer_to(from), pointer_to(to)));
    SAT_TRY_VALUE(const IdentityChain chain, read_vault_identity(key_directory(data)));
    Done done;
    done.data = {{"wallet", chain.wallet().hex()}, {"encrypted", to.has_value()}};
    done.text = to ? "the keys have their new passphrase; copies made before open with the old one\n"
                   : "the keys have no passphrase any more\n";
    if (!to) done.text += kUnprotected;
    return done;
}

Result<Done> rekey_command(const VaultdOptions& options) {
    if (!options.kem && !options.store)
        return fail(Errc::usage, "which keys are to be new", "name --kem, --store or both");
    if (options.bits && !options.kem)
        return fail(Errc::usage, "a store key keeps its size, for the images' headers do", "leave --bits out");
    if (options.no_duplicate && (options.duplicate || !options.store))
        return fail(Errc::usage, "--no-duplicate goes with --store, and without --duplicate", "leave one of them out");
    SAT_TRY_VALUE(const Path data, data_directory(options));
    VaultRekey rekey;
    rekey.data = data;
    if (options.duplicate) rekey.duplicate = Path(*options.duplicate);
    rekey.kem = options.kem;
    rekey.store = options.store;
    rekey.without_duplicate = options.no_duplicate;
    if (options.bits) rekey.bits = *options.bits == 4096 ? RsaBits::b4096 : RsaBits::b3072;
    rekey.now = now_unix();
    rekey.stopped = [] { return Interrupt::signal() != 0; };
    SAT_TRY(warn_of_last(data, options));
    std::optional<VaultRekeyReport> report;
    SAT_TRY(with_key_passphrase(data, options, [&](const SecretBytes* passphrase) -> Result<void> {
        rekey.passphrase = passphrase;
        SAT_TRY_VALUE(report, rekey_vault(rekey));
        return {};
    }));
    const std::size_t documents = report->chain.documents().size();
    const std::size_t left = kMaxChainDocuments - documents;
    Json lost = Json::array();
    for (const std::string& artwork : report->lost) lost.push_back(artwork);
    Done done;
    done.data = {{"wallet", report->chain.wallet().hex()},
                 {"fingerprint", report->chain.fingerprint()},
                 {"kem", options.kem},
                 {"store", options.store},
                 {"documents", documents},
                 {"left", left},
                 {"works", report->works},
                 {"lost", std::move(lost)}};
    if (options.kem)
        done.text += "new sign and kem keys; clients' pins move by themselves. It can be done " + std::to_string(left) +
                     (left == 1 ? " more time\n" : " more times\n");
    if (options.store) {
        done.text += "a new store key; " + std::to_string(report->works) + " images wrapped anew\n";
        if (options.no_duplicate)
            done.text +=
                "note: a duplicate opens no more: mend it with `check --repair --duplicate`, or begin another\n";
        done.text += "note: backups made before open with the keys of that time alone: make a new one\n";
    }
    done.text += "note: a copy of the old keys opens this vault no more: make a new one with `keys export`\n";
    if (report->lost.empty()) return done;
    done.exit = kExitBadProof;
    done.code = "damaged";
    done.problem = "the keys are new, but " + std::to_string(report->lost.size()) +
                   " images were damaged in every copy, and stay as they were";
    done.hint = "run `sat-vaultd check`";
    return done;
}

Result<Done> keys_command(const VaultdOptions& options) {
    return options.action == "export" ? export_keys(options) : import_keys(options);
}

}  // namespace sat
