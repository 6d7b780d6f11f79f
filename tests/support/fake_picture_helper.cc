// A picture helper as a test wants it: it takes requests as sat-picture does (apps/sat-picture/main.cc) and has the
// shell script that lies beside its name, NAME.sh, answer each, with the picture as its input and the pipe as its
// output. Each start of it adds a byte to NAME.starts.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <string>

int main(int /*argc*/, char** argv) {
    const std::string name = argv[0];
    const int starts = open((name + ".starts").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (write(starts, "x", 1) != 1) return 1;
    std::signal(SIGCHLD, SIG_IGN);
    for (;;) {
        char byte = 1;
        iovec part{&byte, 1};
        std::array<int, 2> descriptors{};
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof descriptors)> room{};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = room.data();
        message.msg_controllen = room.size();
        const ssize_t got = recvmsg(STDIN_FILENO, &message, MSG_CMSG_CLOEXEC);
        if (got == 0) return 0;
        const cmsghdr* const rights = CMSG_FIRSTHDR(&message);
        if (got != 1 || byte != 0 || rights == nullptr || rights->cmsg_len != CMSG_LEN(sizeof descriptors)) return 1;
        std::memcpy(descriptors.data(), CMSG_DATA(rights), sizeof descriptors);
        if (fork() == 0) {
            std::signal(SIGCHLD, SIG_DFL);
            dup2(descriptors[0], STDIN_FILENO);
            dup2(descriptors[1], STDOUT_FILENO);
            execl("/bin/sh", "sh", (name + ".sh").c_str(), nullptr);
            _exit(127);
        }
        for (const int fd : descriptors) close(fd);
    }
}
