// SPDX-License-Identifier: Apache-2.0
#include "bench/bare.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <thread>

namespace sat::bare {

Stream::Stream(FileDescriptor fd) : fd_(std::move(fd)) {
    const int yes = 1;
    require(setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0, "no socket");
}

void Stream::send(ByteView bytes) const {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        require(sent > 0, "cannot send");
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
}

bool Stream::receive(MutableBytes into) const {
    const ssize_t got = recv(fd_.get(), into.data(), into.size(), MSG_WAITALL);
    require(got == 0 || (got > 0 && static_cast<std::size_t>(got) == into.size()), "the connection ended");
    return got > 0;
}

FileDescriptor create(const Path& path, int flags) {
    FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600));
    require(static_cast<bool>(fd), "cannot create a file");
    return fd;
}

void sync(const FileDescriptor& fd) { require(fdatasync(fd.get()) == 0, "cannot sync"); }

Stream connect_to(const std::string& port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
    FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    require(connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "cannot connect");
    return Stream(std::move(fd));
}

void serve(const std::function<void(const Stream&)>& each) {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    auto* address = reinterpret_cast<sockaddr*>(&here);
    const FileDescriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    require(bind(listener.get(), address, size) == 0 && listen(listener.get(), 64) == 0, "cannot listen");
    require(getsockname(listener.get(), address, &size) == 0, "no port");
    std::cout << ntohs(here.sin_port) << std::endl;
    for (;;) {
        FileDescriptor fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        require(static_cast<bool>(fd), "cannot accept");
        std::thread([&each, fd = std::move(fd)]() mutable {
            try {
                each(Stream(std::move(fd)));
            } catch (const std::exception& error) {
                // Whoever waits for this one would wait for ever.
                std::cerr << "bare: " << error.what() << "\n";
                std::_Exit(1);
            }
        }).detach();
    }
}

int main_of(const char* name, const std::function<int()>& run) {
    try {
        return run();
    } catch (const std::exception& error) {
        std::cerr << name << ": " << error.what() << "\n";
        return 1;
    }
}

}  // namespace sat::bare
