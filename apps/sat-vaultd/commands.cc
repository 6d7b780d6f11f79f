// The commands: see commands.h.
// SPDX-License-Identifier: Apache-2.0
#include "commands.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>

#include "admin.h"
#include "base/text.h"
#include "base/time.h"
#include "care.h"
#include "confine.h"
#include "daemon.h"
#include "key_commands.h"
#include "keys.h"
#include "ledger/statement.h"
#include "ledger/vkey.h"

namespace sat {

namespace {

constexpr const char* kReleaseReason = "released by the operator";

Result<Done> init(const VaultdOptions& options) {
    SAT_TRY_VALUE(const Path data, data_directory(options));
    SAT_TRY_VALUE(const VaultKeys keys, make_keys(data, options));
    const std::string fingerprint = keys.chain.fingerprint();
    Done done;
    done.data = {{"wallet", keys.wallet().hex()}, {"fingerprint", fingerprint}, {"data", printable(data.string())}};
    done.text = "keys made in " + printable(key_directory(data).string()) + "\nfingerprint " + fingerprint +
                "\npublish the fingerprint: clients pin it with --vault-key\n";
    return done;
}

Result<Done> fingerprint(const VaultdOptions& options) {
    SAT_TRY_VALUE(const Path data, data_directory(options));
    SAT_TRY(require_keys(data));
    SAT_TRY_VALUE(const IdentityChain chain, read_vault_identity(key_directory(data)));
    Done done;
    done.data = {{"wallet", chain.wallet().hex()},
                 {"fingerprint", chain.fingerprint()},
                 {"log", encode_vkey(vault_note_name(chain.wallet()), *chain.log_key())}};
    done.text = chain.fingerprint() + "\n";
    return done;
}

// The vault that runs on `data` answers, or `stopped` does, on the store itself.
Result<Json> ask(const VaultdOptions& options, const Json& request,
                 const std::function<Result<Json>(Vault&)>& stopped) {
    SAT_TRY_VALUE(const Path data, data_directory(options));
    SAT_TRY_VALUE(const std::optional<Json> answered, ask_daemon(data, request));
    if (answered) return *answered;
    SAT_TRY_VALUE(VaultKeys keys, open_keys(data, options));
    SAT_TRY_VALUE(const auto vault, Vault::open(vault_options(data, options), std::move(keys), now_unix));
    return stopped(*vault);
}

Result<Done> status(const VaultdOptions& options) {
    SAT_TRY_VALUE(const Json data, ask(options, {{"command", "status"}}, [](Vault& vault) -> Result<Json> {
                      Json out = status_json(vault.status());
                      out["running"] = false;
                      return out;
                  }));
    Done done;
    done.data = data;
    for (const auto& [key, value] : data.items()) {
        std::string name = key;
        std::ranges::replace(name, '_', ' ');
        name.resize(std::max<std::size_t>(name.size() + 1, 14), ' ');
        std::string text = dump_json(value);
        if (value.is_boolean()) text = value.get<bool>() ? "yes" : "no";
        if (value.is_string()) text = value.get<std::string>();
        done.text += name + text + "\n";
    }
    return done;
}

Result<Done> hold_or_release(const VaultdOptions& options) {
    const bool hold = options.command == "hold";
    SAT_TRY_VALUE(const ArtworkId artwork, ArtworkId::parse(options.id));
    const std::string reason = options.reason.empty() && !hold ? kReleaseReason : options.reason;
    if (!is_utf8(reason) || reason.empty() || count_code_points(reason) > kMaxReason)
        return fail(Errc::bad_data, "the reason is not a text of 1 to 280 characters");
    const Json request{{"command", options.command}, {"artwork", artwork.str()}, {"reason", reason}};
    auto data = ask(options, request, [&](Vault& vault) -> Result<Json> {
        SAT_TRY(hold ? vault.hold(artwork, reason) : vault.release(artwork, reason));
        return Json{{"artwork", artwork.str()}, {"held", hold}};
    });
    if (!data) {
        Error& error = data.error();
        if (error.code == Errc::not_found) error.hint = "check the ID; it is of no work in this vault";
        if (error.code == Errc::state) error.hint = "nothing was changed";
        return fail(std::move(error));
    }
    Done done;
    done.data = std::move(*data);
    done.text = artwork.str() + (hold ? " is held: neither served nor transferred\n" : " is released\n");
    return done;
}

Result<Done> run(const VaultdOptions& options) {
    SAT_TRY(run_daemon(options));
    Done done;
    done.shown = true;
    return done;
}

}  // namespace

Result<Done> run_command(const VaultdOptions& options) {
    if (options.command != "run" && options.command != "fingerprint") (void)lock_memory();  // `run` warns besides
    if (options.command == "init") return init(options);
    if (options.command == "fingerprint") return fingerprint(options);
    if (options.command == "status") return status(options);
    if (options.command == "passphrase") return passphrase_command(options);
    if (options.command == "rekey") return rekey_command(options);
    if (options.command == "keys") return keys_command(options);
    if (options.command == "check") return check_command(options);
    if (options.command == "backup") return backup_command(options);
    if (options.command == "restore") return restore_command(options);
    if (options.command == "hold" || options.command == "release") return hold_or_release(options);
    return run(options);
}

}  // namespace sat
