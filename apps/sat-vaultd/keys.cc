// Keys for the commands: see keys.h.
// SPDX-License-Identifier: Apache-2.0
#include "keys.h"

#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "base/time.h"
#include "common/passphrase.h"
#include "vault/check.h"
#include "vault/key_life.h"
#include "vault/vault_lock.h"

namespace sat {

namespace {

PassphraseSource source_of(const VaultdOptions& options) {
    PassphraseSource source;
    source.file = options.passphrase_file;
    source.fd = options.passphrase_fd;
    return source;
}

// That it has no keys, and nothing that keys were made for.
Result<void> require_unused(const Path& data) {
    const Path directory = key_directory(data);
    if (vault_keys_exist(directory))
        return fail(Errc::exists, "there are keys in " + printable(directory.string()) + " already",
                    "a vault's keys are made once; another vault needs another --data");
    std::error_code error;
    std::filesystem::directory_iterator at(data, error);
    if (error == std::errc::no_such_file_or_directory) return {};
    for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
        const Path name = at->path().filename();
        // A file system of its own has this; an init or an import that was cut off left the others.
        if (name == "lost+found" || name == "keys" || name == "keys.part" || name == "lock" || name == kRepairLock ||
            name == "keys.next.part")
            continue;
        return fail(Errc::config, printable(data.string()) + " has no keys, but is not empty",
                    "put the keys of this vault back, or name another directory with --data");
    }
    if (error) return fail(errno_error("read", printable(data.string()), error.value()));
    return {};
}

}  // namespace

Path key_directory(const Path& data) { return data / "keys"; }

VaultOptions vault_options(const Path& data, const VaultdOptions& options) {
    VaultOptions out;
    out.data = data;
    if (options.duplicate) out.duplicate = Path(*options.duplicate);
    out.max_artwork_bytes = options.max_artwork;
    out.quotas = options.quotas;
    return out;
}

Result<VaultKeys> make_keys(const Path& data, const VaultdOptions& options) {
    SAT_TRY(finish_key_change(data));
    SAT_TRY(require_unused(data));
    const RsaBits bits = options.bits == 4096 ? RsaBits::b4096 : RsaBits::b3072;
    SecretBytes passphrase;
    if (!options.no_passphrase) {
        SAT_TRY_VALUE(passphrase, choose_passphrase(source_of(options), "the vault's keys"));
    }
    SAT_TRY(make_private_directory(data));
    // Two first starts at once: one makes the keys, the other finds them or is refused.
    SAT_TRY_VALUE(const FileDescriptor lock, lock_vault(data));
    SAT_TRY(require_unused(data));
    return create_vault_keys(key_directory(data), bits, options.no_passphrase ? nullptr : &passphrase, now_unix());
}

Result<void> require_keys(const Path& data) {
    const Path directory = key_directory(data);
    if (vault_keys_exist(directory)) return {};
    if (::access(directory.c_str(), F_OK) != 0 && errno == EACCES) {
        Error error = errno_error("enter", printable(data.string()), EACCES);
        error.hint = "run it as the user that the vault runs as";
        return fail(std::move(error));
    }
    return fail(Errc::config, "there is no vault in " + printable(data.string()),
                "make one with `sat-vaultd init`, or name another directory with --data");
}

Result<void> with_key_passphrase(const Path& data, const VaultdOptions& options,
                                 const std::function<Result<void>(const SecretBytes*)>& open) {
    const Path directory = key_directory(data);
    SAT_TRY(finish_key_change(data));
    SAT_TRY(require_keys(data));
    SAT_TRY(require_private_directory(data));
    SAT_TRY(require_private_directory(directory));
    if (!vault_keys_are_encrypted(directory)) return open(nullptr);
    return with_passphrase(source_of(options), "the vault's keys",
                           [&](const SecretBytes& passphrase) { return open(&passphrase); });
}

Result<VaultKeys> open_keys(const Path& data, const VaultdOptions& options) {
    std::optional<VaultKeys> keys;
    SAT_TRY(with_key_passphrase(data, options, [&](const SecretBytes* passphrase) -> Result<void> {
        SAT_TRY_VALUE(keys, load_vault_keys(key_directory(data), passphrase));
        return {};
    }));
    return std::move(*keys);
}

}  // namespace sat
