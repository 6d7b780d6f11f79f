// The bytes of a leaves file, and a reader for those who doubt it.  docs/storage.md, "The leaves files".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/file.h"
#include "ledger/leaf.h"
#include "store/at_rest.h"

namespace sat {

inline constexpr std::uint64_t kLeafLogHeader = 40;
constexpr std::uint64_t leaf_record_size(std::size_t sealed) noexcept { return 4 + sealed; }
inline constexpr std::uint64_t kMaxLeafRecord = leaf_record_size(kAtRestOverhead + kMaxLeafEntry);

Bytes leaf_log_header(const Wallet& vault);
// u32 length, then what is sealed.
Bytes leaf_record(ByteView sealed);

// One file as it lies.
class LeafFile {
public:
    // Nothing where there is none; io_error.
    static Result<std::optional<LeafFile>> open(const Path& path);

    const Path& path() const noexcept { return path_; }
    std::uint64_t size() const noexcept { return size_; }
    // What its first bytes say: a leaves file of this vault, of another one, of a newer format, or none at all.
    enum class Header { ours, foreign, newer, damaged };
    Result<Header> header_for(const Wallet& vault) const;
    // What is sealed in the record at `offset`; nothing where none is whole there.
    Result<std::optional<Bytes>> record_at(std::uint64_t offset) const;

private:
    LeafFile(Path path, FileDescriptor fd, std::uint64_t size)
        : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}
    Result<Bytes> read(std::uint64_t offset, std::uint64_t size) const;

    Path path_;
    FileDescriptor fd_;
    std::uint64_t size_;
};

}  // namespace sat
