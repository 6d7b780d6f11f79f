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

Result<void> remove_directory(const Path& path) {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return fail(errno_error("remove", path, error.value()));
    return {};
}

}  // namespace

Result<FileSet> FileSet::begin(const Path& directory, const Path& name) {
    SAT_ASSERT(!file_set_waits(directory, name));
    Path set = directory / name;
    Path part = set;
    part += ".part";
    SAT_TRY(remove_directory(part));
    SAT_TRY(make_private_directory(part));
    return FileSet(std::move(set), std::move(part));
}

FileSet::~FileSet() {
    std::error_code ignored;
    if (!part_.empty()) std::filesystem::remove_all(part_, ignored);
}

Result<void> FileSet::commit() {
    SAT_ASSERT(!part_.empty());
    SAT_TRY(sync_directory(part_));
    if (std::rename(part_.c_str(), set_.c_str()) != 0) return fail(errno_error("create", set_, errno));
    part_.clear();
    return sync_directory(set_.parent_path());
}

bool file_set_waits(const Path& directory, const Path& name) noexcept {
    struct stat status {};
    return ::lstat((directory / name).c_str(), &status) == 0;
}

Result<void> finish_file_set(const Path& directory, const Path& to, const Path& name) {
    const Path set = directory / name;
    if (!file_set_waits(directory, name)) return {};
    SAT_TRY(require_private_directory(set));
    std::error_code error;
    std::vector<Path> files;
    std::filesystem::directory_iterator at(set, error);
    const std::filesystem::directory_iterator end;
    for (; !error && at != end; at.increment(error)) files.push_back(at->path().filename());
    if (error) return fail(errno_error("read", set, error.value()));
    for (const Path& file : files)
        if (std::rename((set / file).c_str(), (to / file).c_str()) != 0)
            return fail(errno_error("write", to / file, errno));
    // The files have their names on the disk before nothing says any more that they should.
    SAT_TRY(sync_directory(to));
    SAT_TRY(remove_directory(set));
    return sync_directory(directory);
}

}  // namespace sat
