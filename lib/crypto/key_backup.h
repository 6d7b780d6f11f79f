// Keys in one file to be kept elsewhere, always under a passphrase.  docs/storage.md, "Key backups".
//
//     "SATX" | u8 version=1 | u8 kind | u16 0 | salt[32] | sealed | H(all before it)[32]
//
// key[32] | nonce[12] = scrypt(passphrase, salt, N = 2^17, r = 8, p = 1): fixed, so that no file says how much memory
// opening it takes.  What is sealed is a list of files, names rising: u8 count | count x (vec16 name | u32 size |
// bytes).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"
#include "base/secret.h"

namespace sat {

enum class KeyBackupKind : std::uint8_t { wallet = 1, vault = 2 };

struct BackupFile {
    std::string name;
    SecretBytes bytes;
};
using BackupFiles = std::vector<BackupFile>;

inline constexpr std::size_t kMaxKeyBackup = std::size_t{5} << 20;

// `passphrase` is not empty; `files` are 1 to 16 with names of 1 to 64 bytes, rising, and fit kMaxKeyBackup: asserted.
// Takes 128 MiB of memory and about half a second, as open does.
Bytes seal_key_backup(KeyBackupKind kind, const BackupFiles& files, const SecretBytes& passphrase);
// bad_data: no key backup, one of the other kind, or damaged; key_locked: the passphrase does not open it.
Result<BackupFiles> open_key_backup(ByteView file, KeyBackupKind kind, const SecretBytes& passphrase);

// Written beside `path`, read back and opened before it gets its name.  output_exists; storage_full, io_error.
Result<void> write_key_backup(const Path& path, ByteView backup, AtomicFile::Existing existing, KeyBackupKind kind,
                              const SecretBytes& passphrase);
// input_unreadable; bad_data where it is larger than any.
Result<Bytes> read_key_backup(const Path& path);

// What is sealed, by itself.  What parses encodes to the same bytes; bad_data.
SecretBytes encode_backup_files(const BackupFiles& files);
Result<BackupFiles> parse_backup_files(ByteView bytes);

// The file of that name, or null.
const SecretBytes* find_backup_file(const BackupFiles& files, std::string_view name) noexcept;

}  // namespace sat
