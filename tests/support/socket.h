// A TCP socket for tests: blocking, every wait bounded, and as rude as the test wants it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/file.h"
#include "support/process.h"

namespace sat::test {

// "127.0.0.1:7420" in its parts.
struct Address {
    std::string host;
    std::uint16_t port = 0;

    static Address parse(std::string_view text);
    std::string str() const { return host + ":" + std::to_string(port); }
};

class Socket {
public:
    Socket() = default;
    explicit Socket(FileDescriptor fd) : fd_(std::move(fd)) {}

    // No socket inside where nobody listens.  `source` is a loopback address to come from: 127.0.0.2.
    static Socket connect(const Address& to, const std::string& source = {});

    explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
    // False where the other end has closed.
    bool send(ByteView bytes);
    // Exactly `size` bytes; nothing where the stream ends or patience does before.
    std::optional<Bytes> receive(std::size_t size, Duration patience = kPatience);
    // What is there, at least a byte; empty at the end of the stream, nothing where none came in time.
    std::optional<Bytes> receive_some(Duration patience = kPatience);
    // A whole frame, its length bytes included, whatever its size up to 1 MiB.
    std::optional<Bytes> receive_frame(Duration patience = kPatience);
    // Whether the other end closes within patience; what it says before is thrown away.
    bool closes(Duration patience = kPatience);
    void finish_sending();
    void close() { fd_.reset(); }
    int fd() const noexcept { return fd_.get(); }

private:
    FileDescriptor fd_;
};

// A port on 127.0.0.1 that nobody else has.
class Listener {
public:
    // With a small receive buffer the peer cannot send far ahead of what is read.
    explicit Listener(std::uint16_t port = 0, bool small_buffers = false);
    Address address() const { return {"127.0.0.1", port_}; }
    // No socket inside where nobody came in time, or stop() was called.
    Socket accept(Duration patience = kPatience);
    void stop() noexcept;

private:
    FileDescriptor fd_;
    std::uint16_t port_ = 0;
};

// A port on 127.0.0.1 where nobody listens.
Address deaf_address();

}  // namespace sat::test
