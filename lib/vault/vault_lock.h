// Who may work on a vault's directories.  docs/storage.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"

namespace sat {

// flock(2)ed in DATA: alone by a repair or a change of keys, together by backups, which read what these would replace.
inline constexpr const char* kRepairLock = "repair.lock";

// `lock` in a data or duplicate directory, which whoever serves, changes or checks what is there holds alone.  busy.
Result<FileDescriptor> lock_vault(const Path& root);

// kRepairLock, alone.  busy: a backup is being made.
Result<FileDescriptor> lock_for_repair(const Path& data);

// The same, together with others.  busy: a repair or a change of keys is under way.
Result<FileDescriptor> keep_from_repair(const Path& data);

}  // namespace sat
