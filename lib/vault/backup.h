// A copy of a vault, made while it serves or stands still, read back and verified; and a vault made of such a copy.
// docs/storage.md, "Backups".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "vault/check.h"

namespace sat {

struct BackupOptions {
    Path data;
    std::optional<Path> duplicate;  // where a file of `data` is bad, its copy is taken from here
    Path directory;                 // empty, or not there
    UnixTime now = 0;
    std::function<bool()> stopped;  // asked between files: whether to give up, leaving nothing
};

struct BackupReport {
    CheckReport check;        // of the backup
    std::string why_no_keys;  // why the keys are not in it; empty: they are, and a passphrase protects all of them
};

// The directory gets its name when all of it is on the disk and was verified; a failure leaves nothing.  What is
// damaged in every copy of the vault is damaged in the backup too, or missing where it cannot be read, and in the
// report. exists: something lies in the directory; config: the directory is one of the vault's, or a file system, or
// the catalogue is damaged; busy: a repair is under way; cancelled; storage_full, io_error.
Result<BackupReport> backup_vault(const BackupOptions& options, const VaultKeys& keys);

// config where a restore into `data` was cut off or failed: what lies there looks like a new vault's, and is none.
Result<void> refuse_unfinished_restore(const Path& data);

// Before the keys can be opened: `data` is empty but for keys, and has those of the backup where it had none.
// exists; input_unreadable: no backup, or a link in it; config: no keys anywhere; busy.
Result<void> prepare_restore(const Path& backup, const Path& data);
// Everything of the backup is in `data`, verified, but for files of works and `leaves` where the disk lost them, which
// the report names.
// After a failure, or cut off anywhere, it may be run again, and until then no vault starts there.
// exists; config: the keys are not those of the backup; input_unreadable: a link in it; busy, cancelled, storage_full,
// io_error.
Result<CheckReport> restore_vault(const Path& backup, const Path& data, const VaultKeys& keys, UnixTime now,
                                  const std::function<bool()>& stopped);

}  // namespace sat
