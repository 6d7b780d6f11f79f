// Which files a process can still reach (Landlock, docs.kernel.org/userspace-api/landlock.html): the vault, once it
// serves, its own directories alone.  What /proc shows of other processes of its user is out of reach with the rest.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/file.h"

namespace sat {

struct FileReach {
    std::vector<Path> own;   // directories: all below them may be read, written, made, renamed and removed
    std::vector<Path> read;  // directories: all below them may be read
};

enum class Confined {
    yes,
    sanitized,    // a sanitizer's run-time reads files of its own
    unsupported,  // Linux before 5.19, or without Landlock
};

// For the calling thread and all that it starts from now on, for good; not for threads that run already.  What is open
// stays open.  io_error: a directory that is named is not there, or the kernel refused.
Result<Confined> confine_files(const FileReach& reach);

}  // namespace sat
