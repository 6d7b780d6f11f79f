// The log's frames.  docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_log.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>

#include "base/codec.h"

namespace sat {

namespace {

constexpr std::uint32_t kMagic = 0x377f0682;  // and 1 more where the sums are over big-endian words
constexpr std::size_t kHeader = 32;
constexpr std::size_t kFrameHeader = 24;
constexpr std::uint32_t kMostPage = 65536;

struct Sum {
    std::uint32_t first = 0;
    std::uint32_t second = 0;
    bool operator==(const Sum&) const = default;

    void add(ByteView bytes, bool big_endian) {
        const auto word = [&](std::size_t at) {
            std::uint32_t out = 0;
            for (std::size_t i = 0; i < 4; ++i)
                out |= std::to_integer<std::uint32_t>(bytes[at + i]) << (8 * (big_endian ? 3 - i : i));
            return out;
        };
        for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
            first += word(at) + second;
            second += word(at + 4) + first;
        }
    }
};

}  // namespace

Result<std::optional<std::string>> damage_of_log(const Path& log) {
    const std::optional<std::string> none;
    const FileDescriptor fd(::open(log.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && errno == ENOENT) return none;
    if (!fd) return fail(errno_error("read", log, errno));
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) return fail(errno_error("read", log, errno));
    if (!S_ISREG(status.st_mode)) return std::optional<std::string>("it is no regular file");
    if (static_cast<std::uint64_t>(status.st_size) <= kHeader) return none;

    Bytes header(kHeader);
    SAT_TRY(read_some(fd.get(), header, log));
    ByteReader in(header);
    const std::uint32_t magic = in.u32();
    (void)in.u32();
    const std::uint32_t page = in.u32();
    (void)in.u32();
    const Bytes salts = to_bytes(in.raw(8));
    const Sum claimed{in.u32(), in.u32()};
    const bool big_endian = (magic & 1U) != 0;
    Sum sum;
    sum.add(ByteView(header).first(kHeader - 8), big_endian);
    if ((magic & ~1U) != kMagic || sum != claimed || page < 512 || page > kMostPage || (page & (page - 1)) != 0)
        return std::optional<std::string>("its header is damaged");

    std::optional<std::uint64_t> bad;
    Bytes frame(kFrameHeader + page);
    for (std::uint64_t number = 0;; ++number) {
        SAT_TRY_VALUE(const std::size_t got, read_some(fd.get(), frame, log));
        if (got < frame.size()) return none;
        const bool current = std::equal(salts.begin(), salts.end(), frame.begin() + 8);
        if (bad) {
            // A process writes its frames in their order.
            if (current) return std::optional("frame " + std::to_string(*bad) + " is damaged, and others follow it");
            continue;
        }
        ByteReader sums(ByteView(frame).subspan(16, 8));
        const Sum written{sums.u32(), sums.u32()};
        sum.add(ByteView(frame).first(8), big_endian);
        sum.add(ByteView(frame).subspan(kFrameHeader), big_endian);
        if (!current || sum != written) bad = number;
    }
}

}  // namespace sat
