// Files that change together.
// SPDX-License-Identifier: Apache-2.0
#include "base/file_set.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <vector>

#include "base/assert.h"

namespace sat {

namespace {

Path set_path(const Path& directory) { return directory / kFileSet; }

Result<void> remove_directory(const Path& path) {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return fail(errno_error("remove", path, error.value()));
    return {};
}

}  // namespace

Result<FileSet> FileSet::begin(const Path& directory) {
    SAT_ASSERT(!file_set_waits(directory));
    Path part = set_path(directory);
    part += ".part";
    SAT_TRY(remove_directory(part));
    SAT_TRY(make_private_directory(part));
    return FileSet(directory, std::move(part));
}

FileSet::~FileSet() {
    std::error_code ignored;
    if (!part_.empty()) std::filesystem::remove_all(part_, ignored);
}

Result<void> FileSet::commit() {
    SAT_ASSERT(!part_.empty());
    SAT_TRY(sync_directory(part_));
    const Path set = set_path(directory_);
    if (std::rename(part_.c_str(), set.c_str()) != 0) return fail(errno_error("create", set, errno));
    part_.clear();
    return sync_directory(directory_);
}

bool file_set_waits(const Path& directory) noexcept {
    struct stat status {};
    return ::lstat(set_path(directory).c_str(), &status) == 0;
}

Result<void> finish_file_set(const Path& directory, const Path& to) {
    const Path set = set_path(directory);
    if (!file_set_waits(directory)) return {};
    SAT_TRY(require_private_directory(set));
    std::error_code error;
    std::vector<Path> names;
    std::filesystem::directory_iterator at(set, error);
    const std::filesystem::directory_iterator end;
    for (; !error && at != end; at.increment(error)) names.push_back(at->path().filename());
    if (error) return fail(errno_error("read", set, error.value()));
    for (const Path& name : names)
        if (std::rename((set / name).c_str(), (to / name).c_str()) != 0)
            return fail(errno_error("write", to / name, errno));
    // The files have their names on the disk before nothing says any more that they should.
    SAT_TRY(sync_directory(to));
    SAT_TRY(remove_directory(set));
    return sync_directory(directory);
}

}  // namespace sat
