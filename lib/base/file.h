// Files: read with a limit, written whole or not at all, their modes checked.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/secret.h"

namespace sat {

using Path = std::filesystem::path;

// A descriptor that closes itself.
class FileDescriptor {
public:
    FileDescriptor() noexcept = default;
    explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
    FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        reset(other.release());
        return *this;
    }
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    int release() noexcept { return std::exchange(fd_, -1); }
    void reset(int fd = -1) noexcept;

private:
    int fd_ = -1;
};

// io_error for errno, as a sentence: "cannot write <path>: no space left on device".  ENOSPC and EDQUOT carry
// storage_full instead, so that callers can tell a full disk.
Error errno_error(std::string_view doing, const Path& path, int error_number);

// Something has that name, be it a link to nothing.
bool is_there(const Path& path) noexcept;

// Opens with O_CLOEXEC.  input_unreadable where it is missing, not permitted or not a regular file.
Result<FileDescriptor> open_regular(const Path& path);

// Whole contents of at most `limit` bytes.  input_unreadable; too_large past the limit.
Result<Bytes> read_file(const Path& path, std::size_t limit);
Result<SecretBytes> read_secret_file(const Path& path, std::size_t limit);
// From a descriptor until its end.
Result<SecretBytes> read_secret_fd(int fd, std::size_t limit);

// Reads exactly out.size() bytes, or fewer at the end of the file; how many.
Result<std::size_t> read_some(int fd, MutableBytes out, const Path& path_for_errors);
Result<void> write_all(int fd, ByteView bytes, const Path& path_for_errors);
Result<void> sync_fd(int fd, const Path& path_for_errors);
// fsync on a directory, so that what was renamed into it stays.
Result<void> sync_directory(const Path& directory);

// A file that comes into being whole: written beside its final name, and only commit() gives it that name.
// Destroyed before that, it leaves nothing behind.
class AtomicFile {
public:
    enum class Existing { refuse, replace };

    // The temporary is `<path>.<random>.part` in the same directory, created with `mode`.
    // With refuse: output_exists if `path` is there, here and again at commit (link(2), no race).
    static Result<AtomicFile> create(const Path& path, Existing existing, mode_t mode = 0644);

    // One that was written under a name of its own, in the same directory; removed where it is not committed.
    static AtomicFile adopt(Path temporary, FileDescriptor fd, const Path& path, Existing existing);

    AtomicFile(AtomicFile&&) noexcept;
    AtomicFile& operator=(AtomicFile&&) noexcept;
    ~AtomicFile();

    Result<void> write(ByteView bytes);
    // Sync, rename, sync the directory.  With refuse, where that fails `path` is as it was.
    Result<void> commit();
    int fd() const noexcept { return fd_.get(); }
    const Path& temporary() const noexcept { return temporary_; }

private:
    AtomicFile() = default;

    Path path_;
    Path temporary_;
    FileDescriptor fd_;
    Existing existing_ = Existing::refuse;
};

// AtomicFile in one go.
Result<void> write_file_atomically(const Path& path, ByteView bytes, AtomicFile::Existing existing, mode_t mode = 0644);

// Makes the directory, mode 0700, parents too; config if it is there but open to others or another user's.
Result<void> make_private_directory(const Path& path);
// config unless `path` is a regular file of ours with no access for group and others; says how to mend it.
Result<void> require_private_file(const Path& path);
Result<void> require_private_directory(const Path& path);

// An flock(2) on `path`, held until destroyed.  busy if another process holds it.
Result<FileDescriptor> lock_file(const Path& path);

// Bytes that may still be written by us on `directory`'s file system.
Result<std::uint64_t> free_space(const Path& directory);

// No core dumps and no ptrace by others: called first in every main().
void forbid_core_dumps() noexcept;

}  // namespace sat
