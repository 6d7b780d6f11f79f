// What happens to a vault's keys after they were made: another passphrase, newer keys, a backup and its return.
// The vault stands still meanwhile.  A change is prepared beside what it changes, counts once all of it is on the disk,
// and is then carried out, by whoever comes next if need be.  docs/storage.md, "Keys that change", "Key backups".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "vault/vault_keys.h"

namespace sat {

// Carries out a change that was cut off; nothing where none waits.  Before the keys in `data` are read.  busy: a vault
// runs on the directories; config: the duplicate that the change was made with is not there; storage_full, io_error.
Result<void> finish_key_change(const Path& data);

// Every key file from now on under `to` (null: unprotected).  key_locked: `from` does not open them; busy.
Result<void> change_vault_passphrase(const Path& data, const SecretBytes* from, const SecretBytes* to);

struct VaultRekey {
    Path data;
    std::optional<Path> duplicate;
    bool kem = false;    // new `sign` and `kem`: one more document of the identity
    bool store = false;  // a new `store`: the master key and every image's header wrapped anew
    // `store` although the vault has a duplicate that is not named: what of it is the only good copy is lost.
    bool without_duplicate = false;
    std::optional<RsaBits> bits;  // of `sign` and `kem`; else as large as the present ones.  `store` keeps its size
    const SecretBytes* passphrase = nullptr;
    UnixTime now = 0;
    std::function<bool()> stopped = nullptr;  // asked before anything changes
};

struct VaultRekeyReport {
    IdentityChain chain;
    std::uint64_t works = 0;        // whose headers were wrapped anew
    std::vector<std::string> lost;  // images whose header opens in no copy; they stay as they are
};

// The old private keys are removed.  key_locked; forbidden: the identity is full; busy; cancelled; config: keys, data
// and duplicate do not belong together, or there is a duplicate that was not named; storage_full, io_error: nothing has
// changed, or finish_key_change() goes on.
Result<VaultRekeyReport> rekey_vault(const VaultRekey& rekey);

// Keys and identity, sealed under `seal`, as a file's bytes; a vault may run.  key_locked; busy: they are being
// changed.
Result<Bytes> export_vault_keys(const Path& data, const SecretBytes* passphrase, const SecretBytes& seal);
// Into DATA/keys, which holds none: all or nothing, under `passphrase`.  exists; bad_data; key_locked; busy; config:
// what lies in DATA does not open with them.
Result<IdentityChain> import_vault_keys(const Path& data, ByteView backup, const SecretBytes& seal,
                                        const SecretBytes* passphrase);

}  // namespace sat
