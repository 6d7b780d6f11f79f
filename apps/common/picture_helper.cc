// Starting sat-picture, handing it pictures, and reading what it says of each.  The protocol: apps/sat-picture/main.cc.
// SPDX-License-Identifier: Apache-2.0
#include "common/picture_helper.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/json.h"
#include "common/interrupt.h"
#include "ledger/statement.h"

namespace sat {

namespace {

constexpr std::size_t kMaxReport = 128 * 1024;  // a preview of 64 KiB in base64url, and some words
// To hand over a preview that is ready.
constexpr std::chrono::seconds kGrace{3};
// For the helper to end when nothing is asked of it any more.
constexpr std::chrono::milliseconds kFarewell{1000};

Error broken_helper(const std::string& what) {
    return {Errc::io_error, "the picture helper " + what, "try again; if it stays so, install the programs anew"};
}

// posix_spawn with only 0, 1 and 2: our line to it, nothing, nothing.
Result<pid_t> spawn(const Path& helper, int control) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0) return fail(broken_helper("cannot be started"));
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return fail(broken_helper("cannot be started"));
    }
    // Everything else is close-on-exec; closefrom makes sure of what we were started with.
    posix_spawn_file_actions_adddup2(&actions, control, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    // A group of its own: a Ctrl-C is ours to handle, and all that it started ends with it.
    sigset_t none;
    sigemptyset(&none);
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    // Ignored, it would take the helper's children from it before it could ask how they ended.
    sigaddset(&usual, SIGCHLD);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    std::string name = helper.string();
    std::array<char*, 2> argv{name.data(), nullptr};
    std::array<char*, 1> environment{nullptr};
    pid_t child = -1;
    const int error = posix_spawn(&child, name.c_str(), &actions, &attributes, argv.data(), environment.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return fail(broken_helper("cannot be started: " + errno_error("run", helper, error).message));
    return child;
}

// One request: what is wanted, and the two descriptors.  Never waits: the line holds more than
// our few.
bool send_request(int control, int image, int output, PictureDetail detail) {
    char byte = static_cast<char>(detail);
    iovec part{&byte, 1};
    const std::array<int, 2> descriptors{image, output};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof descriptors)> room{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof descriptors);
    std::memcpy(CMSG_DATA(rights), descriptors.data(), sizeof descriptors);
    ssize_t sent = 0;
    while ((sent = ::sendmsg(control, &message, MSG_NOSIGNAL | MSG_DONTWAIT)) < 0 && errno == EINTR) {
    }
    return sent == 1;
}

}  // namespace

Result<Path> find_picture_helper() {
    std::error_code error;
    const Path self = std::filesystem::read_symlink("/proc/self/exe", error);
    if (!error) {
        const Path here = self.parent_path();
        for (const Path& candidate : {here / "sat-picture", here.parent_path() / "libexec" / "sat" / "sat-picture"}) {
            if (::access(candidate.c_str(), X_OK) == 0 && std::filesystem::is_regular_file(candidate, error))
                return candidate;
        }
    }
    return fail(Errc::config, "the picture helper sat-picture is not installed",
                "it belongs beside this program, or in ../libexec/sat");
}

PictureHelper::~PictureHelper() {
    const std::lock_guard lock(mutex_);
    end_locked();
}

Result<void> PictureHelper::start() {
    const std::lock_guard lock(mutex_);
    return process_ != 0 ? Result<void>() : start_locked();
}

Result<void> PictureHelper::start_locked() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return fail(errno_error("make", "a socket", errno));
    FileDescriptor ours(ends[0]);
    const FileDescriptor theirs(ends[1]);
    SAT_TRY_VALUE(process_, spawn(program_, theirs.get()));
    control_ = std::move(ours);
    return {};
}

// One that has nothing to do ends by itself, with what it knows of the time that its children took; its end of the
// line is closed then.
void PictureHelper::end_locked() {
    if (process_ == 0) return;
    ::shutdown(control_.get(), SHUT_WR);
    pollfd waiting{control_.get(), POLLIN, 0};
    (void)::poll(&waiting, 1, static_cast<int>(kFarewell.count()));
    ::kill(-process_, SIGKILL);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
    process_ = 0;
    control_.reset();
}

Result<PictureExam> PictureHelper::examine(int image, std::chrono::seconds patience, PictureDetail detail) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(errno_error("make", "a pipe", errno));
    FileDescriptor reading(ends[0]);
    const FileDescriptor writing(ends[1]);
    const std::lock_guard lock(mutex_);
    const bool ran = process_ != 0;
    if (!ran) {
        SAT_TRY(start_locked());
    }
    bool sent = send_request(control_.get(), image, writing.get(), detail);
    if (!sent && ran) {
        // It has died since.
        end_locked();
        SAT_TRY(start_locked());
        sent = send_request(control_.get(), image, writing.get(), detail);
    }
    if (!sent) {
        end_locked();
        return fail(broken_helper("does not take the image"));
    }
    return PictureExam(std::move(reading), std::chrono::steady_clock::now() + patience);
}

// Until something comes, it is silent for good, our patience is over, or there is too much.
Result<void> PictureExam::read_more(std::chrono::steady_clock::time_point deadline) {
    std::array<char, 8192> buffer{};
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) {
            out_of_time_ = true;
            return fail(broken_helper("took too long"));
        }
        std::array<pollfd, 2> waiting{pollfd{output_.get(), POLLIN, 0}, pollfd{Interrupt::fd(), POLLIN, 0}};
        const int ready = ::poll(waiting.data(), Interrupt::fd() >= 0 ? 2 : 1, static_cast<int>(left.count()));
        if (Interrupt::signal() != 0) return fail(Errc::cancelled, "stopped by a signal");
        if (ready <= 0 || (waiting[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
        const ssize_t got = ::read(output_.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(errno_error("read from", "the picture helper", errno));
        if (got == 0) all_read_ = true;
        text_.append(buffer.data(), static_cast<std::size_t>(got));
        if (text_.size() > kMaxReport) return fail(broken_helper("says too much"));
        return {};
    }
}

// After all was read.
Result<Picture> PictureExam::conclude() {
    const std::size_t first = header_ ? text_.find('\n') + 1 : 0;
    const std::string_view report = std::string_view(text_).substr(first);
    if (!report.ends_with('\n')) return fail(broken_helper("ended before it had answered"));
    SAT_TRY_VALUE(Picture picture, parse_picture_report(report));
    if (header_ && (picture.media_type != header_->media_type || picture.width != header_->width ||
                    picture.height != header_->height))
        return fail(broken_helper("gave two answers"));
    return picture;
}

Result<Picture> PictureExam::header() {
    auto picture = wait_for_header();
    failed_ = failed_ || !picture;
    return picture;
}

Result<Picture> PictureExam::finish() {
    auto picture = wait_for_all();
    // What takes longer than it may has told its size: the picture is one, and goes without a preview.
    if (!picture && out_of_time_ && header_) return *header_;
    failed_ = failed_ || !picture;
    return picture;
}

Result<Picture> PictureExam::wait_for_header() {
    while (!all_read_ && text_.find('\n') == std::string::npos) SAT_TRY(read_more(deadline_));
    const std::size_t end = text_.find('\n');
    if (end != std::string::npos) header_ = parse_picture_header(std::string_view(text_).substr(0, end));
    if (header_) return *header_;
    // An error, or everything at once.
    SAT_TRY_VALUE(whole_, wait_for_all());
    Picture picture = *whole_;
    picture.preview.reset();
    return picture;
}

Result<Picture> PictureExam::wait_for_all() {
    if (whole_) return std::move(*whole_);
    // The caller may have been busy for longer than our patience, and the answer be there.
    const auto deadline = std::max(deadline_, std::chrono::steady_clock::now() + kGrace);
    while (!all_read_) SAT_TRY(read_more(deadline));
    return conclude();
}

std::optional<Picture> parse_picture_header(std::string_view line) {
    const auto json = parse_json(line, 1);
    if (!json) return std::nullopt;
    ObjectReader in(*json, Errc::io_error);
    Picture picture;
    picture.media_type = in.text("media_type", 32);
    picture.width = in.integer("width", 1, kMaxPixels);
    picture.height = in.integer("height", 1, kMaxPixels);
    if (!in.finish() || !is_media_type(picture.media_type)) return std::nullopt;
    return picture;
}

Result<Picture> parse_picture_report(std::string_view text) {
    const Error nonsense = broken_helper("gave an answer that makes no sense");
    if (text.ends_with('\n')) text.remove_suffix(1);
    const auto json = parse_json(text, 1);
    if (!json) return fail(nonsense);
    ObjectReader in(*json, Errc::io_error);
    if (json->contains("error")) {
        const std::string error = in.text("error", 64);
        if (!in.finish()) return fail(nonsense);
        const char* const types = "use JPEG, PNG, TIFF, WebP, GIF or AVIF";
        if (error == "not_an_image")
            return fail(Errc::bad_data, "the file is not an image, or not of a type that is known here", types);
        if (error == "unsupported") return fail(Errc::bad_data, "the file is an image of another type", types);
        if (error == "too_large") return fail(Errc::bad_data, "the image has too many pixels to be looked at");
        if (error == "failed") return fail(Errc::bad_data, "the image is damaged");
        return fail(nonsense);
    }
    Picture picture;
    picture.media_type = in.text("media_type", 32);
    picture.width = in.integer("width", 1, kMaxPixels);
    picture.height = in.integer("height", 1, kMaxPixels);
    picture.preview = in.bytes_or_null("preview", 1, kMaxPreviewSize);
    if (!in.finish() || !is_media_type(picture.media_type)) return fail(nonsense);
    return picture;
}

}  // namespace sat
