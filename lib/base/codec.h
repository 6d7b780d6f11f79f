// Big-endian integers and length-prefixed vectors, read and written with every length doubted.
// docs/protocol.md, "Conventions".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"

namespace sat {

// Appends to a Bytes of its own; take() hands it over.
class ByteWriter {
public:
    ByteWriter& u8(std::uint8_t value);
    ByteWriter& u16(std::uint16_t value);
    ByteWriter& u32(std::uint32_t value);
    ByteWriter& u64(std::uint64_t value);
    ByteWriter& raw(ByteView bytes);
    // u16 length, then the bytes; asserts that they fit.
    ByteWriter& vec16(ByteView bytes);

    const Bytes& bytes() const noexcept { return bytes_; }
    Bytes take() noexcept { return std::move(bytes_); }

private:
    Bytes bytes_;
};

// Reads from a view that outlives it.  The first failure sticks: every later read gives zeros and empty
// views, and finish() reports it; nothing past the end is ever touched.
class ByteReader {
public:
    explicit ByteReader(ByteView bytes) noexcept : rest_(bytes) {}

    std::uint8_t u8() noexcept;
    std::uint16_t u16() noexcept;
    std::uint32_t u32() noexcept;
    std::uint64_t u64() noexcept;
    // A view into the input of exactly `size` bytes.
    ByteView raw(std::size_t size) noexcept;
    Digest digest() noexcept;
    // A vec16 whose length must lie in [min, max].
    ByteView vec16(std::size_t min, std::size_t max) noexcept;
    // The next bytes must be exactly these.
    void expect(ByteView bytes) noexcept;

    bool ok() const noexcept { return !failed_; }
    std::size_t remaining() const noexcept { return rest_.size(); }
    // malformed unless every read succeeded and every byte was read.
    Result<void> finish() const;

private:
    ByteView rest_;
    bool failed_ = false;
};

// Where only the bytes on their own are wanted.
std::array<std::byte, 4> u32_bytes(std::uint32_t value) noexcept;
std::array<std::byte, 8> u64_bytes(std::uint64_t value) noexcept;

}  // namespace sat
