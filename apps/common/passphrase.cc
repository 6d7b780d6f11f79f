// Passphrases.
// SPDX-License-Identifier: Apache-2.0
#include "common/passphrase.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "base/text.h"
#include "common/interrupt.h"
#include "common/terminal.h"
#include "crypto/hash.h"

namespace sat {

namespace {

constexpr int kTries = 3;
// For all of a pipe: whoever writes it may be asking for a passphrase, too.
constexpr std::chrono::minutes kPipePatience{5};

std::string options_of(const PassphraseSource& source) {
    return std::string(source.option) + "-file or " + source.option + "-fd";
}

tl::unexpected<Error> nobody_to_ask(const PassphraseSource& source, const std::string& what) {
    return fail(Errc::key_locked, "there is nobody to ask for the passphrase of " + what,
                "give it with " + options_of(source));
}

std::optional<Terminal> terminal_of(const PassphraseSource& source) {
    return source.may_ask ? Terminal::open() : std::nullopt;
}

// Until its end.  Of one that does not block, and of one whose writers take their time; a signal ends it.
Result<SecretBytes> read_in_time(int fd, const std::string& name) {
    constexpr std::size_t kLimit = kMaxPassphrase + 2;
    const auto deadline = std::chrono::steady_clock::now() + kPipePatience;
    SecretBytes text(kLimit + 1);
    std::size_t size = 0;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0)
            return fail(Errc::input_unreadable, (size == 0 ? "nothing comes from " : "no end comes from ") + name);
        // poll(2) leaves a descriptor of -1 out.
        std::array<pollfd, 2> waiting{pollfd{fd, POLLIN, 0}, pollfd{Interrupt::fd(), POLLIN, 0}};
        const int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(left.count()));
        if (Interrupt::signal() != 0) return fail(Errc::cancelled, "stopped by a signal");
        if (ready <= 0 || waiting[0].revents == 0) continue;
        const MutableBytes room = text.reveal_mutable().subspan(size);
        const ssize_t got = ::read(fd, room.data(), room.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) return fail(Errc::input_unreadable, errno_error("read", name, errno).message);
        if (got == 0) return text.slice(0, size);
        size += static_cast<std::size_t>(got);
        if (size > kLimit) return fail(Errc::too_large, "the passphrase is too long");
    }
}

// A shell's <(command) is a pipe with a name.
Result<SecretBytes> read_from(const Path& path) {
    const std::string name = printable(path.string());
    // O_NONBLOCK: nobody may ever open a FIFO's other end.
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd) return fail(Errc::input_unreadable, errno_error("read", path, errno).message);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return fail(Errc::input_unreadable, errno_error("read", path, errno).message);
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
        return fail(Errc::input_unreadable, "cannot read " + name + ": neither a file nor a pipe");
    if (!is_secret_of(status, ::geteuid()))
        return fail(Errc::config, name + ", with a passphrase, belongs to or is open to other users",
                    "make it this user's own, with mode 600 or 400");
    return read_in_time(fd.get(), name);
}

}  // namespace

bool is_secret_of(const struct stat& status, uid_t user) noexcept {
    if (status.st_uid == user) return (status.st_mode & 0077U) == 0;
    return status.st_uid == 0 && status.st_gid == 0 && (status.st_mode & 0037U) == 0;
}

Result<SecretBytes> read_passphrase(const PassphraseSource& source) {
    const auto raw = source.file ? read_from(*source.file)
                                 : read_in_time(*source.fd, "file descriptor " + std::to_string(*source.fd));
    if (!raw && raw.error().code == Errc::too_large) return fail(Errc::key_locked, "the passphrase is too long");
    if (!raw) return fail(raw.error());
    ByteView text = raw->reveal();
    if (!text.empty() && text.back() == std::byte{'\n'}) text = text.first(text.size() - 1);
    if (!text.empty() && text.back() == std::byte{'\r'}) text = text.first(text.size() - 1);
    if (text.empty()) return fail(Errc::key_locked, "the passphrase given is empty");
    if (text.size() > kMaxPassphrase) return fail(Errc::key_locked, "the passphrase is too long");
    return SecretBytes(text);
}

Result<void> with_passphrase(const PassphraseSource& source, const std::string& what,
                             const std::function<Result<void>(const SecretBytes&)>& open) {
    if (source.given()) {
        SAT_TRY_VALUE(const SecretBytes passphrase, read_passphrase(source));
        return open(passphrase);
    }
    auto terminal = terminal_of(source);
    if (!terminal) return nobody_to_ask(source, what);
    for (int tries = 1;; ++tries) {
        SAT_TRY_VALUE(const SecretBytes passphrase, terminal->ask_secret("Passphrase of " + what + ": "));
        if (passphrase.empty()) return fail(Errc::key_locked, "no passphrase was given");
        auto opened = open(passphrase);
        if (opened || opened.error().code != Errc::key_locked || tries == kTries) return opened;
        terminal->show("That is not it.\n");
    }
}

Result<SecretBytes> choose_passphrase(const PassphraseSource& source, const std::string& what) {
    if (source.given()) return read_passphrase(source);
    auto terminal = terminal_of(source);
    if (!terminal)
        return fail(Errc::key_locked, "the new keys need a passphrase, and there is nobody to ask",
                    "give one with " + options_of(source) + ", or leave the keys unprotected with --no-passphrase");
    for (int tries = 1; tries <= kTries; ++tries) {
        SAT_TRY_VALUE(SecretBytes first, terminal->ask_secret("New passphrase for " + what + ": "));
        if (first.empty()) {
            terminal->show("It must not be empty; --no-passphrase leaves keys unprotected.\n");
            continue;
        }
        if (first.size() > kMaxPassphrase) {
            terminal->show("It must not be longer than 1024 bytes.\n");
            continue;
        }
        SAT_TRY_VALUE(const SecretBytes again, terminal->ask_secret("The same once more: "));
        if (equal_constant_time(first.reveal(), again.reveal())) return first;
        terminal->show("The two differ.\n");
    }
    return fail(Errc::key_locked, "no passphrase was chosen");
}

}  // namespace sat
