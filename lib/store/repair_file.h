// Putting a good file in the place of a bad one: written beside, synced, read back, renamed over it; what lay there is
// kept in damaged/ of the same directory.  At no moment is the place without a file that was there before.
// docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "base/file.h"

namespace sat {

// Whether the bytes that were written are good: asked of the new file before it gets its name.
using FileCheck = std::function<Result<void>(const Path& file)>;

// Below `root`, where put_aside() and heal_file() keep what they replaced.
inline constexpr const char* kDamagedDirectory = "damaged";

// Moves `bad`, below `root`, to damaged/; nothing where it is not there.
Result<void> put_aside(const Path& root, const Path& bad);
// Keeps `bad` in damaged/ under a second name, or as a copy, and leaves it where it is; nothing where it is not there.
// io_error too where it is no regular file.
Result<void> keep_aside(const Path& root, const Path& bad);
// Keeps a copy of its bytes, for a file that will be written to.
Result<void> copy_aside(const Path& root, const Path& bad);

// A copy of `good` becomes `place`, below `root`; its directory is made where it is missing.  What `check` refuses, or
// any other failure, leaves `place` as it was.
Result<void> heal_file(const Path& good, const Path& root, const Path& place, const FileCheck& check);
// The same with these bytes.
Result<void> heal_file_with(ByteView bytes, const Path& root, const Path& place, const FileCheck& check);
// The same with what `fill` writes.
using FileFill = std::function<Result<void>(AtomicFile& file)>;
Result<void> heal_file_by(const FileFill& fill, const Path& root, const Path& place, const FileCheck& check);

}  // namespace sat
