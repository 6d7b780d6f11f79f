// What `request` has of an image that is not whole yet: a file beside the one that it will become, never by its name,
// kept where the transfer is interrupted and gone on with by the next run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "client/vault_client.h"

namespace sat {

// Locked while it is open: one process fills it.
class PartialFile {
public:
    // `<directory>/<ID>-<16 hex of the image's SHA-256>.part`: it belongs to this image of this work, and to no other.
    static Path name_in(const Path& directory, const ArtworkId& artwork, const Digest& sha256);

    // Opens or makes it, mode 0600.  Nothing where its name is taken by what is not ours to write (a link, somebody
    // else's file, one that others can write, anything but a file), or another process fills it: it is left alone.
    // io_error, storage_full.
    static Result<std::optional<PartialFile>> open(Path path);

    PartialFile(PartialFile&&) noexcept = default;
    PartialFile& operator=(PartialFile&&) noexcept = default;
    // Removes it unless keep() was called.
    ~PartialFile();

    // What is there, cut to whole chunks of an image of `size` bytes, read and hashed; the file stands behind it.
    // cancelled: a signal came.
    Result<FetchedBeginning> take_stock(std::uint64_t size);
    // Empties it.
    Result<void> restart();
    Result<void> write(ByteView bytes);
    // The first bytes, as many as there are up to `size`.
    Result<Bytes> beginning(std::size_t size) const;
    // Synced, and under the name that it is for.  It is not a partial file any more.
    Result<void> commit(const Path& path, AtomicFile::Existing existing);
    // There is something to go on with.
    bool holds_a_chunk() const noexcept;
    // It stays for the next run.
    void keep() noexcept { path_.clear(); }
    const Path& path() const noexcept { return path_; }

private:
    PartialFile(Path path, FileDescriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}

    Path path_;  // empty once it is not to be removed
    FileDescriptor fd_;
    std::uint64_t size_ = 0;         // written
    std::uint64_t writing_out_ = 0;  // of it, on its way to the disk
};

}  // namespace sat
