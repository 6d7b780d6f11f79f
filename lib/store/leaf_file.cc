// A leaves file's bytes.  docs/storage.md, "The leaves files".
// SPDX-License-Identifier: Apache-2.0
#include "store/leaf_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "base/codec.h"

namespace sat {

namespace {

constexpr std::string_view kMagic = "SATL";
constexpr std::uint8_t kVersion = 1;

}  // namespace

Bytes leaf_log_header(const Wallet& vault) {
    Bytes out = ByteWriter().raw(as_bytes(kMagic)).u8(kVersion).u8(0).u16(0).raw(vault.view()).take();
    SAT_ASSERT(out.size() == kLeafLogHeader);
    return out;
}

Bytes leaf_record(ByteView sealed) {
    return ByteWriter().u32(static_cast<std::uint32_t>(sealed.size())).raw(sealed).take();
}

Result<std::optional<LeafFile>> LeafFile::open(const Path& path) {
    FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && errno == ENOENT) return std::optional<LeafFile>();
    if (!fd) return fail(errno_error("read", path, errno));
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) return fail(errno_error("read", path, errno));
    return std::optional(LeafFile(path, std::move(fd), static_cast<std::uint64_t>(status.st_size)));
}

Result<Bytes> LeafFile::read(std::uint64_t offset, std::uint64_t size) const {
    if (lseek(fd_.get(), static_cast<off_t>(offset), SEEK_SET) < 0) return fail(errno_error("read", path_, errno));
    Bytes out(static_cast<std::size_t>(size));
    SAT_TRY_VALUE(const std::size_t got, read_some(fd_.get(), out, path_));
    out.resize(got);
    return out;
}

Result<LeafFile::Header> LeafFile::header_for(const Wallet& vault) const {
    SAT_TRY_VALUE(const Bytes found, read(0, kLeafLogHeader));
    const Bytes wanted = leaf_log_header(vault);
    if (found == wanted) return Header::ours;
    const auto same = [&](std::size_t from, std::size_t size) {
        return std::ranges::equal(ByteView(found).subspan(from, size), ByteView(wanted).subspan(from, size));
    };
    const std::size_t version = kMagic.size();
    if (found.size() < kLeafLogHeader || !same(0, version)) return Header::damaged;
    if (found[version] != std::byte{kVersion}) return Header::newer;
    return same(version, 4) ? Header::foreign : Header::damaged;
}

Result<std::optional<Bytes>> LeafFile::record_at(std::uint64_t offset) const {
    if (offset >= size_) return std::optional<Bytes>();
    SAT_TRY_VALUE(const Bytes bytes, read(offset, std::min<std::uint64_t>(size_ - offset, kMaxLeafRecord)));
    ByteReader in(bytes);
    const std::uint32_t length = in.u32();
    const ByteView sealed = in.raw(length);
    if (!in.ok() || sealed.size() < kAtRestOverhead) return std::optional<Bytes>();
    return std::optional(to_bytes(sealed));
}

}  // namespace sat
