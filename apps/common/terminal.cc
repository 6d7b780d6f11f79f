// Prompts.
// SPDX-License-Identifier: Apache-2.0
#include "common/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "common/interrupt.h"

namespace sat {

namespace {

constexpr std::size_t kMaxLine = 4096;  // what a terminal in canonical mode gives at most

// Echo off for as long as it lives.
class Silence {
public:
    explicit Silence(int fd) : fd_(fd) {
        if (::tcgetattr(fd, &before_) != 0) return;
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        quiet.c_lflag |= ECHONL;
        // Ctrl-\ and Ctrl-Z would leave the terminal silent; Ctrl-C is heard and ends the question.
        quiet.c_cc[VQUIT] = _POSIX_VDISABLE;
        quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
        active_ = ::tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;
    ~Silence() {
        if (active_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
    }

private:
    int fd_;
    termios before_{};
    bool active_ = false;
};

}  // namespace

std::optional<Terminal> Terminal::open() {
    if (::isatty(STDIN_FILENO) == 0 && ::isatty(STDERR_FILENO) == 0) return std::nullopt;
    FileDescriptor fd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!fd) return std::nullopt;
    return Terminal(std::move(fd));
}

void Terminal::show(std::string_view text) { (void)write_all(fd_.get(), as_bytes(text), "/dev/tty"); }

// Whether a line came before the input ended.
template <typename Buffer>
Result<bool> Terminal::read_line(Buffer& line) {
    for (;;) {
        std::array<pollfd, 2> waiting{pollfd{fd_.get(), POLLIN, 0}, pollfd{Interrupt::fd(), POLLIN, 0}};
        if (::poll(waiting.data(), Interrupt::fd() >= 0 ? 2 : 1, -1) < 0 && errno != EINTR)
            return fail(errno_error("read", "/dev/tty", errno));
        if (Interrupt::signal() != 0) return fail(Errc::cancelled, "stopped by a signal");
        if ((waiting[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
        std::byte byte{};
        const ssize_t got = ::read(fd_.get(), &byte, 1);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got <= 0) return false;
        if (byte == std::byte{'\n'}) return true;
        if (line.size() < kMaxLine) line.push_back(byte);
    }
}

Result<std::optional<std::string>> Terminal::ask(std::string_view question) {
    show(question);
    Bytes line;
    SAT_TRY_VALUE(const bool whole, read_line(line));
    if (!whole) {
        show("\n");
        return std::optional<std::string>{};
    }
    return std::optional(to_string(line));
}

Result<SecretBytes> Terminal::ask_secret(std::string_view question) {
    const Silence silence(fd_.get());
    show(question);
    std::vector<std::byte, WipingAllocator<std::byte>> line;
    line.reserve(kMaxLine);
    SAT_TRY(read_line(line));
    return SecretBytes(ByteView(line));
}

Result<bool> Terminal::ask_yes(std::string_view question) {
    SAT_TRY_VALUE(auto line, ask(question));
    if (!line) return false;
    for (char& c : *line)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return *line == "y" || *line == "yes";
}

}  // namespace sat
