// What happens to a wallet's keys after they were made: another passphrase, newer keys, a backup and its return.
// Each change is whole or did not happen, whenever the machine stops.  docs/storage.md, "Keys that change", "Key
// backups".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "client/key_home.h"

namespace sat {

// Every key file of the home from now on under `to` (null: unprotected).  key_locked: `from` does not open them.
Result<void> change_passphrase(const Path& directory, const SecretBytes* from, const SecretBytes* to);

// New keys of `bits`, under the same passphrase, and one document more, signed by the old `sign`; the wallet stays. The
// old private keys are removed.  key_locked; forbidden: the identity is full; cancelled: stopped() said so.
struct Rekey {
    const SecretBytes* passphrase = nullptr;
    std::optional<RsaBits> bits;  // else as large as the present ones
    std::function<bool()> stopped = nullptr;
};
Result<KeyHome> rekey_home(const Path& directory, const Rekey& rekey, UnixTime now);

// Keys, identity, profile and pins, sealed under `seal`, as a file's bytes; opened again before they are given.
// key_locked: `passphrase` does not open the home's keys.
Result<Bytes> export_home(const Path& directory, const SecretBytes* passphrase, const SecretBytes& seal);
// Makes `directory` a home of a backup: all of it or nothing, its keys under `passphrase` (null: unprotected).  exists:
// there is a wallet; bad_data: the file is damaged, or its parts do not belong together; key_locked: `seal` does not
// open it.
Result<KeyHome> import_home(const Path& directory, ByteView backup, const SecretBytes& seal,
                            const SecretBytes* passphrase);

}  // namespace sat
