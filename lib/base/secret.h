// SecretBytes: keys, passphrases and shared secrets.  Wiped when freed, moved but never copied,
// never compared with ==, never printed; reveal() is the one door, so that grep finds every use.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace sat {

// Overwrites `size` bytes in a way that the compiler may not leave out.
void wipe(void* data, std::size_t size) noexcept;

// Wipes what it frees: a vector that grows leaves nothing behind.
template <typename T>
struct WipingAllocator {
    using value_type = T;
    WipingAllocator() noexcept = default;
    // Implicit, as the allocator contract wants it.
    template <typename U>
    WipingAllocator(const WipingAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor)
    T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
    void deallocate(T* data, std::size_t count) noexcept {
        wipe(data, count * sizeof(T));
        std::allocator<T>().deallocate(data, count);
    }
    friend bool operator==(const WipingAllocator&, const WipingAllocator&) noexcept { return true; }
};

class SecretBytes {
public:
    SecretBytes() = default;
    explicit SecretBytes(std::size_t size) : bytes_(size) {}
    explicit SecretBytes(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
    SecretBytes(SecretBytes&&) noexcept = default;
    SecretBytes& operator=(SecretBytes&& other) noexcept {
        bytes_.swap(other.bytes_);
        other.clear();
        return *this;
    }
    SecretBytes(const SecretBytes&) = delete;
    SecretBytes& operator=(const SecretBytes&) = delete;
    ~SecretBytes() = default;

    // The secret itself, for as long as this object lives and is not resized.
    ByteView reveal() const noexcept { return bytes_; }
    MutableBytes reveal_mutable() noexcept { return bytes_; }

    std::size_t size() const noexcept { return bytes_.size(); }
    bool empty() const noexcept { return bytes_.empty(); }
    // Wipes and frees.
    void clear() noexcept { std::vector<std::byte, WipingAllocator<std::byte>>().swap(bytes_); }
    // Deliberate, named, greppable.
    SecretBytes copy() const { return SecretBytes(reveal()); }
    // The first `size` bytes from `offset`, as a secret of their own; asserts that they are there.
    SecretBytes slice(std::size_t offset, std::size_t size) const;

    bool operator==(const SecretBytes&) const = delete;

private:
    std::vector<std::byte, WipingAllocator<std::byte>> bytes_;
};

}  // namespace sat
