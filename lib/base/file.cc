// Files on Linux.  What may fail fails with the path and the reason; ENOSPC and EDQUOT are storage_full.
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/assert.h"

namespace sat {

namespace {

std::string reason(int error_number) {
    const char* text = strerrordesc_np(error_number);
    std::string out = text != nullptr ? text : "error " + std::to_string(error_number);
    // "Input/output error" within a sentence is "input/output error"; the C library starts with a capital.
    if (!out.empty() && out[0] >= 'A' && out[0] <= 'Z') out[0] = static_cast<char>(out[0] - 'A' + 'a');
    return out;
}

tl::unexpected<Error> unreadable(const Path& path, std::string_view why) {
    return fail(Errc::input_unreadable, "cannot read " + path.string() + ": " + std::string(why));
}

Path directory_of(const Path& path) {
    Path directory = path.parent_path();
    return directory.empty() ? Path(".") : directory;
}

std::string octal(mode_t mode) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777U));
    return text.data();
}

// Eight random bytes in hex: two writers beside each other take different names.
Result<std::string> random_suffix(const Path& path) {
    std::array<std::byte, 8> bytes{};
    ssize_t got = -1;
    do got = getrandom(bytes.data(), bytes.size(), 0);
    while (got < 0 && errno == EINTR);
    if (got != static_cast<ssize_t>(bytes.size())) return fail(errno_error("create a name beside", path, errno));
    return to_hex(bytes);
}

// Until the end, into a growing buffer of `Buffer`.  too_large as soon as there is more than `limit`.
template <typename Buffer>
Result<Buffer> read_to_end(int fd, std::size_t limit, std::size_t expected, std::string_view what) {
    Buffer out;
    // One byte more than allowed is asked for, so that a file of exactly `limit` is told from a longer one.
    std::size_t room = std::min(expected, limit) + 1;
    std::size_t size = 0;
    for (;;) {
        if (size == out.size()) {
            out.resize(std::min(std::max(room, out.size() * 2), limit + 1));
            room = 4096;
        }
        const ssize_t got = ::read(fd, out.data() + size, out.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(Errc::input_unreadable, "cannot read " + std::string(what) + ": " + reason(errno));
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
        if (size > limit)
            return fail(Errc::too_large, std::string(what) + " is larger than " + std::to_string(limit) + " bytes");
    }
    out.resize(size);
    return out;
}

using SecretBuffer = std::vector<std::byte, WipingAllocator<std::byte>>;

Result<std::size_t> size_of(int fd, const Path& path) {
    struct stat status {};
    if (fstat(fd, &status) != 0) return unreadable(path, reason(errno));
    return static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
}

// Ours, and closed to everybody else.  `mend` is the mode to advise.
Result<void> require_private(const Path& path, const struct stat& status, const char* mend) {
    if (status.st_uid != geteuid())
        return fail(Errc::config, path.string() + " belongs to another user",
                    "run this as that user, with runuser(1) say");
    if ((status.st_mode & 077U) != 0)
        return fail(Errc::config, path.string() + " is open to other users (mode " + octal(status.st_mode) + ")",
                    std::string("chmod ") + mend + " " + path.string());
    return {};
}

// Gives `from` the name `to` unless something has that name: 0, or an errno, EEXIST where it is taken.
int rename_no_replace(const Path& from, const Path& to) noexcept {
    if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    // A file system without RENAME_NOREPLACE: link(2) refuses a taken name as well.
    if (link(from.c_str(), to.c_str()) != 0) return errno;
    return unlink(from.c_str()) == 0 ? 0 : errno;
}

Error output_exists(const Path& path) {
    return Error{Errc::output_exists, path.string() + " is there already",
                 "give another name, or --force to replace it"};
}

}  // namespace

void FileDescriptor::reset(int fd) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
}

Error errno_error(std::string_view doing, const Path& path, int error_number) {
    const bool full = error_number == ENOSPC || error_number == EDQUOT;
    return Error{full ? Errc::storage_full : Errc::io_error,
                 "cannot " + std::string(doing) + " " + path.string() + ": " + reason(error_number),
                 full ? "make room, then try again" : ""};
}

bool is_there(const Path& path) noexcept {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
}

Result<FileDescriptor> open_regular(const Path& path) {
    // O_NONBLOCK: a FIFO must not keep us waiting before it is found to be none; regular files do not know it.
    FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd) return unreadable(path, reason(errno));
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) return unreadable(path, reason(errno));
    if (!S_ISREG(status.st_mode)) return unreadable(path, "not a regular file");
    return fd;
}

Result<Bytes> read_file(const Path& path, std::size_t limit) {
    SAT_TRY_VALUE(const FileDescriptor fd, open_regular(path));
    SAT_TRY_VALUE(const std::size_t size, size_of(fd.get(), path));
    return read_to_end<Bytes>(fd.get(), limit, size, path.string());
}

Result<SecretBytes> read_secret_file(const Path& path, std::size_t limit) {
    SAT_TRY_VALUE(const FileDescriptor fd, open_regular(path));
    SAT_TRY_VALUE(const std::size_t size, size_of(fd.get(), path));
    SAT_TRY_VALUE(const SecretBuffer buffer, read_to_end<SecretBuffer>(fd.get(), limit, size, path.string()));
    return SecretBytes(ByteView(buffer));
}

Result<SecretBytes> read_secret_fd(int fd, std::size_t limit) {
    SAT_TRY_VALUE(const SecretBuffer buffer,
                  read_to_end<SecretBuffer>(fd, limit, 0, "file descriptor " + std::to_string(fd)));
    return SecretBytes(ByteView(buffer));
}

Result<std::size_t> read_some(int fd, MutableBytes out, const Path& path_for_errors) {
    std::size_t size = 0;
    while (size < out.size()) {
        const ssize_t got = ::read(fd, out.data() + size, out.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(errno_error("read", path_for_errors, errno));
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    return size;
}

Result<void> write_all(int fd, ByteView bytes, const Path& path_for_errors) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail(errno_error("write", path_for_errors, errno));
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Result<void> sync_fd(int fd, const Path& path_for_errors) {
    if (fsync(fd) != 0) return fail(errno_error("write", path_for_errors, errno));
    return {};
}

Result<void> sync_directory(const Path& directory) {
    const FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return fail(errno_error("open", directory, errno));
    // EINVAL: a file system that has no sync for directories has nothing to do here.
    if (fsync(fd.get()) != 0 && errno != EINVAL) return fail(errno_error("write", directory, errno));
    return {};
}

Result<AtomicFile> AtomicFile::create(const Path& path, Existing existing, mode_t mode) {
    struct stat status {};
    if (existing == Existing::refuse && lstat(path.c_str(), &status) == 0) return fail(output_exists(path));
    SAT_TRY_VALUE(const std::string suffix, random_suffix(path));
    AtomicFile file;
    file.path_ = path;
    file.existing_ = existing;
    Path temporary = path;
    temporary += "." + suffix + ".part";
    file.fd_.reset(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file.fd_) return fail(errno_error("write", path, errno));
    file.temporary_ = std::move(temporary);
    return file;
}

AtomicFile AtomicFile::adopt(Path temporary, FileDescriptor fd, const Path& path, Existing existing) {
    AtomicFile file;
    file.path_ = path;
    file.temporary_ = std::move(temporary);
    file.fd_ = std::move(fd);
    file.existing_ = existing;
    return file;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::move(other.fd_)),
      existing_(other.existing_) {}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
    // What this one had in hand leaves with `other`, and is removed by its destructor.
    std::swap(path_, other.path_);
    std::swap(temporary_, other.temporary_);
    std::swap(fd_, other.fd_);
    std::swap(existing_, other.existing_);
    return *this;
}

AtomicFile::~AtomicFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> AtomicFile::write(ByteView bytes) { return write_all(fd_.get(), bytes, path_); }

Result<void> AtomicFile::commit() {
    SAT_ASSERT(fd_ && !temporary_.empty());
    SAT_TRY(sync_fd(fd_.get(), path_));
    if (existing_ == Existing::refuse) {
        const int error_number = rename_no_replace(temporary_, path_);
        if (error_number == EEXIST) return fail(output_exists(path_));
        if (error_number != 0) return fail(errno_error("write", path_, error_number));
    } else if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
        return fail(errno_error("write", path_, errno));
    }
    Result<void> synced = sync_directory(directory_of(path_));
    // Whoever is told of a failure finds nothing under the final name; a file that was replaced cannot come back.
    if (!synced && existing_ == Existing::refuse && rename_no_replace(path_, temporary_) == 0) return synced;
    temporary_.clear();
    fd_.reset();
    return synced;
}

Result<void> write_file_atomically(const Path& path, ByteView bytes, AtomicFile::Existing existing, mode_t mode) {
    SAT_TRY_VALUE(AtomicFile file, AtomicFile::create(path, existing, mode));
    SAT_TRY(file.write(bytes));
    return file.commit();
}

Result<void> make_private_directory(const Path& path) {
    // From the root downwards; what is there already stays as it is, only the last one is ours to judge.
    Path so_far;
    for (const Path& part : path) {
        so_far /= part;
        if (part.empty() || part == "/") continue;
        if (::mkdir(so_far.c_str(), 0700) == 0) {
            // Its name has to stay as what will be in it does; a parent that we may not read is left to its owner.
            (void)sync_directory(directory_of(so_far));
            continue;
        }
        if (errno == EEXIST) continue;
        // On a read-only or foreign parent mkdir may complain before it looks whether the directory is there.
        const int error_number = errno;
        struct stat status {};
        if (::stat(so_far.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
            return fail(errno_error("create", so_far, error_number));
    }
    return require_private_directory(path);
}

Result<void> require_private_file(const Path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return fail(Errc::config, "cannot read " + path.string() + ": " + reason(errno));
    if (!S_ISREG(status.st_mode)) return fail(Errc::config, path.string() + " is not a regular file");
    return require_private(path, status, "600");
}

Result<void> require_private_directory(const Path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return fail(Errc::config, "cannot open " + path.string() + ": " + reason(errno));
    if (!S_ISDIR(status.st_mode)) return fail(Errc::config, path.string() + " is not a directory");
    return require_private(path, status, "700");
}

Result<FileDescriptor> lock_file(const Path& path) {
    FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) return fail(errno_error("open", path, errno));
    while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno == EWOULDBLOCK) return fail(Errc::busy, path.string() + " is held by another process");
        return fail(errno_error("lock", path, errno));
    }
    return fd;
}

Result<std::uint64_t> free_space(const Path& directory) {
    struct statvfs status {};
    if (statvfs(directory.c_str(), &status) != 0) return fail(errno_error("examine", directory, errno));
    return static_cast<std::uint64_t>(status.f_bavail) * static_cast<std::uint64_t>(status.f_frsize);
}

void forbid_core_dumps() noexcept {
    const struct rlimit none {};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

}  // namespace sat
