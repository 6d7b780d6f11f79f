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
                "look at what lies there, and remove it");
}

// A second name, so that the first is never without a file; false where the file system has none to give.
Result<bool> keep_aside(const Path& root, const Path& bad) {
    struct stat there {};
    if (lstat(bad.c_str(), &there) != 0) {
        if (errno == ENOENT) return true;
        return fail(errno_error("examine", bad, errno));
    }
    SAT_TRY_VALUE(const Path aside, name_aside(root, bad));
    if (link(bad.c_str(), aside.c_str()) != 0) return false;
    SAT_TRY(sync_directory(root / kDamagedDirectory));
    return true;
}

template <typename Fill>
Result<void> heal(const Path& root, const Path& place, const FileCheck& check, Fill fill) {
    SAT_TRY(make_private_directory(place.parent_path()));
    SAT_TRY_VALUE(AtomicFile file, AtomicFile::create(place, AtomicFile::Existing::replace, 0600));
    SAT_TRY(fill(file));
    SAT_TRY(check(file.temporary()));
    SAT_TRY_VALUE(const bool kept, keep_aside(root, place));
    if (!kept) SAT_TRY(put_aside(root, place));
    return file.commit();
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

Result<void> copy_bytes(int from, const Path& from_path, int to, const Path& to_path) {
    Bytes buffer(kCopyStep);
    for (;;) {
        SAT_TRY_VALUE(const std::size_t got, read_some(from, buffer, from_path));
        if (got == 0) return {};
        SAT_TRY(write_all(to, ByteView(buffer).first(got), to_path));
    }
}

Result<void> heal_file(const Path& good, const Path& root, const Path& place, const FileCheck& check) {
    const FileDescriptor source(::open(good.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!source) return fail(errno_error("read", good, errno));
    return heal(root, place, check, [&](AtomicFile& file) { return copy_bytes(source.get(), good, file.fd(), place); });
}

Result<void> heal_file_with(ByteView bytes, const Path& root, const Path& place, const FileCheck& check) {
    return heal(root, place, check, [&](AtomicFile& file) { return file.write(bytes); });
}

}  // namespace sat
