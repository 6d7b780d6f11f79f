// Several files that change together: a crash at any moment leaves all of the old ones or all of the new ones.  They
// are written into a directory beside those they replace, which gets its name when all of it is on the disk; from then
// on they count, and whoever comes next moves them to their places.  docs/storage.md, "Keys that change".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"

namespace sat {

// Of a set of keys, in the directory whose files change; with ".part" behind it while it is being written.
inline constexpr const char* kFileSet = "keys.next";

// Destroyed before commit(), it leaves nothing behind.  Its user holds a lock that keeps others from changing the same
// files.
class FileSet {
public:
    // In `directory`/`name`.part, mode 0700; an unfinished one that lies there is removed.
    static Result<FileSet> begin(const Path& directory, const Path& name = kFileSet);

    FileSet(FileSet&& other) noexcept : set_(std::move(other.set_)), part_(std::exchange(other.part_, {})) {}
    FileSet& operator=(FileSet&&) = delete;
    ~FileSet();

    // Where the new files are written, each synced.
    const Path& path() const noexcept { return part_; }
    // Once.
    Result<void> commit();

private:
    FileSet(Path set, Path part) : set_(std::move(set)), part_(std::move(part)) {}

    Path set_;
    Path part_;
};

// Whether a committed set waits in `directory` for its files to be moved.
bool file_set_waits(const Path& directory, const Path& name = kFileSet) noexcept;
// Gives each of its files its name in `to`, whatever has that name, and removes the set.  Nothing where none waits. May
// be cut off anywhere and called again.  Under the same lock as the set was written.
Result<void> finish_file_set(const Path& directory, const Path& to, const Path& name = kFileSet);

}  // namespace sat
