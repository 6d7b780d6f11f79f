// SPDX-License-Identifier: Apache-2.0
#include "support/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/assert.h"

namespace sat::test {

namespace {

sockaddr_in socket_address(const std::string& host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    SAT_ASSERT(inet_pton(AF_INET, host.c_str(), &address.sin_addr) == 1);
    return address;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

// Whether `fd` became readable in time.
bool wait_readable(int fd, Duration patience) {
    const auto end = Clock::now() + patience;
    for (;;) {
        const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
        pollfd entry{fd, POLLIN, 0};
        const int ready = poll(&entry, 1, left > 0 ? static_cast<int>(left) : 0);
        if (ready > 0) return true;
        if (ready == 0) return false;
        if (errno != EINTR) return false;
    }
}

}  // namespace

Address Address::parse(std::string_view text) {
    const auto colon = text.rfind(':');
    SAT_ASSERT(colon != std::string_view::npos);
    return {std::string(text.substr(0, colon)),
            static_cast<std::uint16_t>(std::stoi(std::string(text.substr(colon + 1))))};
}

Socket Socket::connect(const Address& to, const std::string& source) {
    FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    SAT_ASSERT(fd.get() >= 0);
    if (!source.empty()) {
        const sockaddr_in from = socket_address(source, 0);
        SAT_ASSERT(bind(fd.get(), generic(from), sizeof from) == 0);
    }
    const sockaddr_in address = socket_address(to.host, to.port);
    if (::connect(fd.get(), generic(address), sizeof address) != 0) return {};
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return Socket(std::move(fd));
}

bool Socket::send(ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t done = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(done));
    }
    return true;
}

std::optional<Bytes> Socket::receive_some(Duration patience) {
    if (!wait_readable(fd_.get(), patience)) return std::nullopt;
    Bytes buffer(65536);
    const ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    buffer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return buffer;
}

std::optional<Bytes> Socket::receive(std::size_t size, Duration patience) {
    const auto end = Clock::now() + patience;
    Bytes out(size);
    std::size_t filled = 0;
    while (filled < size) {
        if (!wait_readable(fd_.get(), end - Clock::now())) return std::nullopt;
        const ssize_t got = recv(fd_.get(), out.data() + filled, size - filled, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return std::nullopt;
        filled += static_cast<std::size_t>(got);
    }
    return out;
}

std::optional<Bytes> Socket::receive_frame(Duration patience) {
    auto frame = receive(4, patience);
    if (!frame) return std::nullopt;
    std::size_t size = 0;
    for (const std::byte byte : *frame) size = size << 8 | static_cast<std::size_t>(byte);
    if (size > (std::size_t{1} << 20)) return std::nullopt;
    const auto body = receive(size, patience);
    if (!body) return std::nullopt;
    append(*frame, *body);
    return frame;
}

bool Socket::closes(Duration patience) {
    const auto end = Clock::now() + patience;
    for (;;) {
        const auto some = receive_some(end - Clock::now());
        if (!some) return false;
        if (some->empty()) return true;
    }
}

void Socket::finish_sending() { shutdown(fd_.get(), SHUT_WR); }

Listener::Listener(std::uint16_t port, bool small_buffers) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    SAT_ASSERT(fd_.get() >= 0);
    const int on = 1;
    setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (small_buffers) {
        const int size = 65536;
        setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    sockaddr_in address = socket_address("127.0.0.1", port);
    SAT_ASSERT(bind(fd_.get(), generic(address), sizeof address) == 0);
    SAT_ASSERT(listen(fd_.get(), 512) == 0);
    socklen_t size = sizeof address;
    SAT_ASSERT(getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
}

Socket Listener::accept(Duration patience) {
    if (!wait_readable(fd_.get(), patience)) return {};
    FileDescriptor peer(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (peer.get() < 0) return {};
    const int on = 1;
    setsockopt(peer.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return Socket(std::move(peer));
}

void Listener::stop() noexcept { shutdown(fd_.get(), SHUT_RDWR); }

Address deaf_address() {
    // Bound for a moment: the kernel gives a port out again only after all others.
    return Listener().address();
}

}  // namespace sat::test
