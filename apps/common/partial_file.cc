// Partial files.
// SPDX-License-Identifier: Apache-2.0
#include "common/partial_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/interrupt.h"

namespace sat {

namespace {

// What is left for the sync at the end is at most this.
constexpr std::uint64_t kWriteOutStep = std::uint64_t{8} << 20;

// What a file made now would have.  No other thread makes one meanwhile.
mode_t usual_mode() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0644 & ~mask;
}

// Others may read it, but not change it: so a commit() that was cut short leaves it.  What is in it is compared with
// the registration in any case.
bool is_ours(int fd, const Path& path) {
    struct stat opened {};
    struct stat named {};
    if (::fstat(fd, &opened) != 0 || ::lstat(path.c_str(), &named) != 0) return false;
    return S_ISREG(opened.st_mode) && opened.st_uid == ::geteuid() && opened.st_nlink == 1 &&
           (opened.st_mode & 07133U) == 0 && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

Path PartialFile::name_in(const Path& directory, const ArtworkId& artwork, const Digest& sha256) {
    return directory / (artwork.str() + "-" + sha256.hex().substr(0, 16) + ".part");
}

Result<std::optional<PartialFile>> PartialFile::open(Path path) {
    // O_NONBLOCK: a FIFO of that name keeps nobody waiting.
    FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    if (!fd) {
        if (errno == ELOOP || errno == EACCES || errno == ENXIO || errno == EISDIR || errno == EEXIST)
            return std::optional<PartialFile>{};
        return fail(errno_error("write", path, errno));
    }
    // After the lock: the one who had it may have removed or renamed the file since.
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || !is_ours(fd.get(), path) || ::fchmod(fd.get(), 0600) != 0)
        return std::optional<PartialFile>{};
    return std::optional(PartialFile(std::move(path), std::move(fd)));
}

PartialFile::~PartialFile() {
    if (fd_ && !path_.empty()) ::unlink(path_.c_str());
}

Result<FetchedBeginning> PartialFile::take_stock(std::uint64_t size) {
    struct stat status {};
    if (::fstat(fd_.get(), &status) != 0) return fail(errno_error("examine", path_, errno));
    FetchedBeginning have;
    have.bytes = std::min(static_cast<std::uint64_t>(status.st_size), size) / kChunkPlaintext * kChunkPlaintext;
    if (::ftruncate(fd_.get(), static_cast<off_t>(have.bytes)) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) != 0)
        return fail(errno_error("write", path_, errno));
    Bytes buffer(std::size_t{1} << 20);
    for (std::uint64_t left = have.bytes; left > 0;) {
        if (Interrupt::signal() != 0) return fail(Errc::cancelled, "stopped by a signal");
        const MutableBytes part =
            MutableBytes(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size())));
        SAT_TRY_VALUE(const std::size_t got, read_some(fd_.get(), part, path_));
        if (got != part.size()) return fail(Errc::io_error, path_.string() + " changed while it was read");
        have.hash.update(part);
        left -= got;
    }
    size_ = writing_out_ = have.bytes;
    return have;
}

Result<void> PartialFile::restart() {
    if (::ftruncate(fd_.get(), 0) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) != 0)
        return fail(errno_error("write", path_, errno));
    size_ = writing_out_ = 0;
    return {};
}

Result<void> PartialFile::write(ByteView bytes) {
    SAT_TRY(write_all(fd_.get(), bytes, path_));
    size_ += bytes.size();
    if (size_ - writing_out_ >= kWriteOutStep) {
        // Waits for nothing and promises nothing: the sync at the end, which has the less to wait for, says how it
        // went.
        (void)::sync_file_range(fd_.get(), static_cast<off64_t>(writing_out_), 0, SYNC_FILE_RANGE_WRITE);
        writing_out_ = size_;
    }
    return {};
}

bool PartialFile::holds_a_chunk() const noexcept {
    struct stat status {};
    return ::fstat(fd_.get(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) >= kChunkPlaintext;
}

Result<Bytes> PartialFile::beginning(std::size_t size) const {
    Bytes out(size);
    const ssize_t got = ::pread(fd_.get(), out.data(), out.size(), 0);
    if (got < 0) return fail(errno_error("read", path_, errno));
    out.resize(static_cast<std::size_t>(got));
    return out;
}

Result<void> PartialFile::commit(const Path& path, AtomicFile::Existing existing) {
    if (::fchmod(fd_.get(), usual_mode()) != 0) return fail(errno_error("write", path_, errno));
    AtomicFile whole = AtomicFile::adopt(std::exchange(path_, {}), std::move(fd_), path, existing);
    return whole.commit();
}

}  // namespace sat
