// A file that a target writes its input to, for parsers that read files: the same one each time, private, removed at
// the end.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "support/temporary.h"

namespace sat {

inline void write_scratch(const Path& path, ByteView bytes) {
    const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    SAT_ASSERT(fd && write_all(fd.get(), bytes, path).has_value());
}

}  // namespace sat
