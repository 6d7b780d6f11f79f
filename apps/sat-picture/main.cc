// sat-picture: looks at pictures for `sat-artist upload`, so that neither a hostile picture nor a hundred shared
// libraries come near the artist's keys, nor one picture near the next.  docs/architecture.md,
// docs/decisions/0014-one-helper-for-many-pictures.md.
//
// Input: descriptor 0, a socket of type SOCK_SEQPACKET (unix(7)) to whoever started it.  A request is a message of one
// byte, 0, or 1 where no preview is wanted, with two descriptors (SCM_RIGHTS): a regular file, which is the picture,
// and the writing end of a pipe for the answer.  Any number of requests, one after the other or all at once.  The
// picture is opened anew, read-only, through /proc/self/fd: the offset of the caller's descriptor is left alone.  A
// pipe whose reading end is closed ends the work on its picture.  No argument, no environment.
//
// Answer: JSON objects on the pipe, each with a line feed.
//   first, once the header is read and while the preview is made, {"media_type":T,"width":W,"height":H}; not where
//   there is no header, or the decoder ended over it.  Then the same three come again, with the preview.  One of:
//     {"media_type":T,"width":W,"height":H,"preview":P}
//           T, by content and never by name: image/jpeg image/png image/tiff image/webp image/gif image/avif.
//           W, H: pixels as the file's header gives them, before an EXIF orientation is applied (AVIF's own rotation
//           is part of its header and applied); of the first frame or page where there are several.
//           P: base64url of a JPEG: upright, at most 512 pixels a side, never enlarged, sRGB, alpha on white, at most
//           64 KiB, no metadata.  null where the memory cap (512 MiB), the CPU limit (60 s), the patience (180 s) or a
//           damaged body allows none, and where none is wanted.
//     {"error":E}
//           not_an_image: neither a decoder nor a signature knows it.  unsupported: an image, of another type.
//           too_large: a side beyond 10,000,000, or a header that needs more than the cap.
//           failed: damaged before its size was known, or something went wrong here.
//   A pipe that ends before that line has: the helper died.
//
// Exit: 0 when the socket's other end is closed; 1 where it could not start, or got what is no request; 64 where it was
// given an argument.
//
// Three kinds of process.  This one loads libvips and sees no byte of any picture: it forks.  Its child, one for each
// picture, decodes nothing either: a child of its own does, behind limits and a system call filter, and hands its
// findings over a pipe.  Whatever ends the decoder, the dimensions that it had found are kept.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
#include "picture.h"
#include "sandbox.h"

namespace sat {

namespace {

// Longer than the CPU limit: a disk may be slow, a stuck one must not hold the upload for ever.
constexpr std::chrono::seconds kPatience{180};
// For a decoder that has said everything to be gone.
constexpr std::chrono::seconds kGoing{10};
constexpr std::size_t kMaxReport = 2 * sizeof(PictureHeader) + kMaxPreview;

struct Request {
    FileDescriptor picture;
    FileDescriptor output;
    bool preview = true;
};

Json described(const PictureHeader& header) {
    Json json;
    json["media_type"] = media_type_name(header.type);
    json["width"] = header.width;
    json["height"] = header.height;
    return json;
}

bool print(int output, const Json& json) {
    const std::string line = dump_json(json) + "\n";
    return write_all(output, as_bytes(line), "pipe").has_value();
}

struct Report {
    Bytes bytes;
    int status = 0;  // as waitpid gives it
};

// The child of `parent` ends with it.
void follow(pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
}

// With descriptors 3, the picture, and 4, the report, and no other that leads anywhere.
[[noreturn]] void be_the_decoder(pid_t parent, int input, int report, bool preview) {
    follow(parent);
    // Above the two numbers first, so that neither takes the other's place.
    const int high_input = fcntl(input, F_DUPFD, 5);
    const int high_report = fcntl(report, F_DUPFD, 5);
    if (high_input < 0 || high_report < 0 || dup2(high_input, 3) < 0 || dup2(high_report, 4) < 0) _exit(1);
    if (!close_from(5)) _exit(1);
    _exit(static_cast<int>(decode_picture(3, 4, preview)));
}

// How our only child ended, by itself or, at `deadline`, by us.
int wait_for(pid_t child, std::chrono::steady_clock::time_point deadline) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    int status = 0;
    for (;;) {
        const pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child || (ended < 0 && errno != EINTR)) return status;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) break;
        const timespec wait{left.count() / 1000, left.count() % 1000 * 1'000'000};
        (void)sigtimedwait(&ends, nullptr, &wait);
    }
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

std::optional<PictureHeader> header_at(ByteView bytes, std::size_t index) {
    PictureHeader header;
    if (bytes.size() < (index + 1) * sizeof header) return std::nullopt;
    std::memcpy(&header, bytes.data() + index * sizeof header, sizeof header);
    // The child may be the picture's by now: nothing that it says is taken on trust.
    if (header.type < MediaType::jpeg || header.type > MediaType::avif) return std::nullopt;
    if (header.width == 0 || header.height == 0) return std::nullopt;
    return header;
}

// What the decoder said until it ended, our patience did, or nobody wants to know.  The header is told as soon as it is
// there.
std::optional<Report> run_decoder(int input, int output, bool preview) {
    std::array<int, 2> pipe_ends{};
    if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return std::nullopt;
    const FileDescriptor reading(pipe_ends[0]);
    FileDescriptor writing(pipe_ends[1]);
    // For wait_for(), and from before there is a child.
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ends, nullptr);
    const pid_t self = getpid();
    const pid_t child = fork();
    if (child < 0) return std::nullopt;
    if (child == 0) be_the_decoder(self, input, writing.get(), preview);
    writing.reset();

    Report report;
    report.bytes.resize(kMaxReport);
    std::size_t size = 0;
    bool told = false;
    bool ended = false;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (size < report.bytes.size()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        std::array<pollfd, 2> waiting{pollfd{reading.get(), POLLIN, 0}, pollfd{output, 0, 0}};
        const int ready = left.count() > 0 ? poll(waiting.data(), waiting.size(), static_cast<int>(left.count())) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0 || waiting[1].revents != 0) break;
        const ssize_t count = read(reading.get(), report.bytes.data() + size, report.bytes.size() - size);
        if (count < 0 && errno == EINTR) continue;
        ended = count == 0;
        if (count <= 0) break;
        size += static_cast<std::size_t>(count);
        if (const auto header = header_at(ByteView(report.bytes).first(size), 1); header && !told) {
            told = true;
            if (!print(output, described(*header))) break;
        }
    }
    const bool all_said = ended || size == report.bytes.size();
    report.status =
        wait_for(child, all_said ? std::chrono::steady_clock::now() + kGoing : std::chrono::steady_clock::time_point());
    report.bytes.resize(size);
    return report;
}

Json found(const PictureHeader& header, ByteView preview) {
    Json json = described(header);
    json["preview"] = preview.empty() ? Json(nullptr) : Json(to_base64url(preview));
    return json;
}

Json refused(PictureOutcome outcome) {
    Json json;
    json["error"] = picture_outcome_name(outcome);
    return json;
}

Json conclude(const Report& report) {
    const bool exited = WIFEXITED(report.status);
    const int code = exited ? WEXITSTATUS(report.status) : 0;
    if (const auto header = header_at(report.bytes, 1)) {
        const bool whole = exited && code == static_cast<int>(PictureOutcome::done);
        return found(*header, whole ? ByteView(report.bytes).subspan(2 * sizeof(PictureHeader)) : ByteView());
    }
    if (exited) {
        const bool known =
            code > static_cast<int>(PictureOutcome::done) && code < static_cast<int>(PictureOutcome::failed);
        return refused(known ? static_cast<PictureOutcome>(code) : PictureOutcome::failed);
    }
    // Killed over the header.  GLib aborts or traps when memory ends, the kernel kills when time does.
    const int signal = WTERMSIG(report.status);
    if (signal != SIGABRT && signal != SIGTRAP && signal != SIGXCPU && signal != SIGKILL) {
        return refused(PictureOutcome::failed);
    }
    if (const auto promised = header_at(report.bytes, 0)) return found(*promised, {});
    return refused(PictureOutcome::too_large);
}

Json examine(const Request& request) {
    const Result<FileDescriptor> input = open_regular("/proc/self/fd/" + std::to_string(request.picture.get()));
    if (!input) return refused(PictureOutcome::failed);
    const std::optional<Report> report = run_decoder(input->get(), request.output.get(), request.preview);
    return report ? conclude(*report) : refused(PictureOutcome::failed);
}

// The process of one picture.
[[noreturn]] void be_the_examiner(pid_t parent, const Request& request) {
    follow(parent);
    // The line to our starter is not this picture's.
    if (dup2(STDOUT_FILENO, STDIN_FILENO) < 0) _exit(1);
    _exit(print(request.output.get(), examine(request)) ? 0 : 1);
}

// Nothing where the other end is closed, or what came is no request: `broken` then.
std::optional<Request> next_request(bool& broken) {
    char byte = -1;
    iovec part{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(2 * sizeof(int))> room{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    ssize_t got = 0;
    while ((got = recvmsg(STDIN_FILENO, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
    }
    if (got == 0) return std::nullopt;
    broken = true;
    const cmsghdr* const rights = got == 1 ? CMSG_FIRSTHDR(&message) : nullptr;
    if (rights == nullptr || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS) return std::nullopt;
    std::array<int, 2> descriptors{-1, -1};
    const std::size_t size = rights->cmsg_len - CMSG_LEN(0);
    if (size > sizeof descriptors) return std::nullopt;
    std::memcpy(descriptors.data(), CMSG_DATA(rights), size);
    Request request{FileDescriptor(descriptors[0]), FileDescriptor(descriptors[1]), byte == 0};
    if (size != sizeof descriptors || (byte != 0 && byte != 1) || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return std::nullopt;
    broken = false;
    return request;
}

int serve() {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0) return 1;
    // Whoever starts us may ignore it: then nobody could wait for a child.
    if (std::signal(SIGCHLD, SIG_DFL) == SIG_ERR) return 1;
    if (!limit_process() || !load_decoders()) return 1;
    const pid_t self = getpid();
    bool broken = false;
    while (const std::optional<Request> request = next_request(broken)) {
        if (!may_fork()) return 1;
        const pid_t child = fork();
        if (child == 0) be_the_examiner(self, *request);
        if (child < 0) (void)print(request->output.get(), refused(PictureOutcome::failed));
        while (waitpid(-1, nullptr, WNOHANG) > 0) {
        }
    }
    // None outlives its pipe or its patience, and the time that they took counts for whoever waits for us.
    while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
    }
    return broken ? 1 : 0;
}

}  // namespace

}  // namespace sat

int main(int argc, char** /*argv*/) {
    if (argc != 1) {
        std::fputs("sat-picture: takes no arguments; it is started by sat-artist\n", stderr);
        return 64;
    }
    // Not by return: a hundred libraries would tidy up.
    _exit(sat::serve());
}
