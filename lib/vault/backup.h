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
    std::function<bool()> stopped;  // asked between works: whether to give up, leaving nothing
};

struct BackupReport {
    CheckReport check;       // of the backup
    bool with_keys = false;  // they are in it only where a passphrase protects them
};

// Shared by those who read what a repair or a change of keys would replace; beside a vault that serves.  busy.
Result<FileDescriptor> keep_from_repair(const Path& data);

// The directory gets its name when all of it is on the disk and was verified; a failure leaves nothing.  What is
// damaged in every copy of the vault is damaged in the backup too, and in the report.  exists: something lies in the
// directory; config: the directory is one of the vault's, or a file system, or the catalogue is damaged;
// busy: a repair is under way; cancelled; storage_full, io_error.
Result<BackupReport> backup_vault(const BackupOptions& options, const VaultKeys& keys);

// Before the keys can be opened: `data` is empty but for keys, and has those of the backup where it had none.
// exists; input_unreadable: no backup; config: no keys anywhere.
Result<void> prepare_restore(const Path& backup, const Path& data);
// Everything of the backup is in `data`, verified.  After a failure, or cut off anywhere, it may be run again.
// config: the keys are not those of the backup; busy, cancelled, storage_full, io_error.
Result<CheckReport> restore_vault(const Path& backup, const Path& data, const VaultKeys& keys, UnixTime now,
                                  const std::function<bool()>& stopped);

}  // namespace sat
