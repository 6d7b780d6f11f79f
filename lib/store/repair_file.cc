// Healing files.  docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#include "store/repair_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace sat {

namespace {

constexpr std::size_t kCopyStep = std::size_t{1} << 20;
// More bad files of one name than anybody will look at.
constexpr int kMostAside = 100'000;

// image_store/AB/ABCDEFGHJK becomes damaged/image_store-AB-ABCDEFGHJK.<number>.
Result<Path> name_aside(const Path& root, const Path& bad) {
    SAT_TRY(make_private_directory(root / kDamagedDirectory));
    std::string name = bad.lexically_relative(root).string();
    std::replace(name.begin(), name.end(), '/', '-');
    for (int number = 1; number < kMostAside; ++number) {
        Path aside = root / kDamagedDirectory / (name + "." + std::to_string(number));
        struct stat there {};
        if (lstat(aside.c_str(), &there) != 0 && errno == ENOENT) return aside;
    }
    return fail(Errc::io_error, (root / kDamagedDirectory).string() + " is full of files of one name",
                "look at what lies there, and move it to another place");
}

// `from`'s bytes appended to `to`.
Result<void> copy_bytes(int from, const Path& from_path, int to, const Path& to_path) {
    Bytes buffer(kCopyStep);
    for (;;) {
        SAT_TRY_VALUE(const std::size_t got, read_some(from, buffer, from_path));
        if (got == 0) return {};
        SAT_TRY(write_all(to, ByteView(buffer).first(got), to_path));
    }
}

}  // namespace

Result<void> put_aside(const Path& root, const Path& bad) {
    struct stat there {};
    if (lstat(bad.c_str(), &there) != 0 && errno == ENOENT) return {};
    SAT_TRY_VALUE(const Path aside, name_aside(root, bad));
    if (std::rename(bad.c_str(), aside.c_str()) != 0) return fail(errno_error("move", bad, errno));
    SAT_TRY(sync_directory(root / kDamagedDirectory));
    return sync_directory(bad.parent_path());
}

Result<void> copy_aside(const Path& root, const Path& bad) {
    const FileDescriptor source(::open(bad.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!source && errno == ENOENT) return {};
    if (!source) return fail(errno_error("read", bad, errno));
    SAT_TRY_VALUE(const Path aside, name_aside(root, bad));
    SAT_TRY_VALUE(AtomicFile copy, AtomicFile::create(aside, AtomicFile::Existing::refuse, 0600));
    SAT_TRY(copy_bytes(source.get(), bad, copy.fd(), aside));
    return copy.commit();
}

Result<void> keep_aside(const Path& root, const Path& bad) {
    struct stat there {};
    if (lstat(bad.c_str(), &there) != 0) {
        if (errno == ENOENT) return {};
        return fail(errno_error("examine", bad, errno));
    }
    if (!S_ISREG(there.st_mode)) return fail(Errc::io_error, bad.string() + " is no regular file");
    SAT_TRY_VALUE(const Path aside, name_aside(root, bad));
    // A file system without links has a copy.
    if (link(bad.c_str(), aside.c_str()) != 0) return copy_aside(root, bad);
    return sync_directory(root / kDamagedDirectory);
}

Result<void> heal_file_by(const FileFill& fill, const Path& root, const Path& place, const FileCheck& check) {
    SAT_TRY(make_private_directory(place.parent_path()));
    SAT_TRY_VALUE(AtomicFile file, AtomicFile::create(place, AtomicFile::Existing::replace, 0600));
    SAT_TRY(fill(file));
    // Its pages leave memory, so that whoever reads it back reads the disk.
    SAT_TRY(sync_fd(file.fd(), file.temporary()));
    (void)posix_fadvise(file.fd(), 0, 0, POSIX_FADV_DONTNEED);
    SAT_TRY(check(file.temporary()));
    struct stat there {};
    if (lstat(place.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
        // What is no file holds nothing that the place could miss.
        SAT_TRY(put_aside(root, place));
    } else {
        SAT_TRY(keep_aside(root, place));
    }
    return file.commit();
}

Result<void> heal_file(const Path& good, const Path& root, const Path& place, const FileCheck& check) {
    const FileDescriptor source(::open(good.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!source) return fail(errno_error("read", good, errno));
    return heal_file_by([&](AtomicFile& file) { return copy_bytes(source.get(), good, file.fd(), place); }, root, place,
                        check);
}

Result<void> heal_file_with(ByteView bytes, const Path& root, const Path& place, const FileCheck& check) {
    return heal_file_by([&](AtomicFile& file) { return file.write(bytes); }, root, place, check);
}

}  // namespace sat
