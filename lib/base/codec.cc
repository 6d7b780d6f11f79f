// Big-endian integers and length-prefixed vectors.  docs/protocol.md, "Conventions".
// SPDX-License-Identifier: Apache-2.0
#include "base/codec.h"

#include <algorithm>

#include "base/assert.h"

namespace sat {

namespace {

template <std::size_t Size>
std::array<std::byte, Size> big_endian(std::uint64_t value) noexcept {
    std::array<std::byte, Size> out{};
    for (std::size_t i = Size; i-- > 0; value >>= 8) out[i] = static_cast<std::byte>(value & 0xff);
    return out;
}

std::uint64_t from_big_endian(ByteView bytes) noexcept {
    std::uint64_t value = 0;
    for (const std::byte byte : bytes) value = (value << 8) | std::to_integer<std::uint64_t>(byte);
    return value;
}

}  // namespace

ByteWriter& ByteWriter::u8(std::uint8_t value) { return raw(big_endian<1>(value)); }
ByteWriter& ByteWriter::u16(std::uint16_t value) { return raw(big_endian<2>(value)); }
ByteWriter& ByteWriter::u32(std::uint32_t value) { return raw(big_endian<4>(value)); }
ByteWriter& ByteWriter::u64(std::uint64_t value) { return raw(big_endian<8>(value)); }

ByteWriter& ByteWriter::raw(ByteView bytes) {
    append(bytes_, bytes);
    return *this;
}

ByteWriter& ByteWriter::vec16(ByteView bytes) {
    SAT_ASSERT(bytes.size() <= UINT16_MAX);
    return u16(static_cast<std::uint16_t>(bytes.size())).raw(bytes);
}

// A failed read gives an empty view, whose value is zero.
std::uint8_t ByteReader::u8() noexcept { return static_cast<std::uint8_t>(from_big_endian(raw(1))); }
std::uint16_t ByteReader::u16() noexcept { return static_cast<std::uint16_t>(from_big_endian(raw(2))); }
std::uint32_t ByteReader::u32() noexcept { return static_cast<std::uint32_t>(from_big_endian(raw(4))); }
std::uint64_t ByteReader::u64() noexcept { return from_big_endian(raw(8)); }

ByteView ByteReader::raw(std::size_t size) noexcept {
    if (failed_ || size > rest_.size()) {
        failed_ = true;
        return {};
    }
    const ByteView out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
}

Digest ByteReader::digest() noexcept {
    Digest out;
    const ByteView bytes = raw(Digest::kSize);
    std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
    return out;
}

ByteView ByteReader::vec16(std::size_t min, std::size_t max) noexcept {
    const std::size_t size = u16();
    if (size < min || size > max) failed_ = true;
    return raw(size);
}

void ByteReader::expect(ByteView bytes) noexcept {
    const ByteView found = raw(bytes.size());
    if (!std::equal(found.begin(), found.end(), bytes.begin(), bytes.end())) failed_ = true;
}

Result<void> ByteReader::finish() const {
    if (failed_) return fail(Errc::malformed, "a field is missing, too long or wrong");
    if (!rest_.empty()) return fail(Errc::malformed, "bytes left over at the end");
    return {};
}

std::array<std::byte, 4> u32_bytes(std::uint32_t value) noexcept { return big_endian<4>(value); }
std::array<std::byte, 8> u64_bytes(std::uint64_t value) noexcept { return big_endian<8>(value); }

}  // namespace sat
