// sat-picture: looks at one picture for `sat-artist upload`, so that neither a hostile picture nor a hundred shared
// libraries come near the artist's keys.  docs/architecture.md.
//
// Input: descriptor 0, a regular file.  It is opened anew, read-only, through /proc/self/fd/0: the offset of the
// caller's descriptor is left alone.  No argument, no environment.
//
// Output: JSON objects on stdout, each with a line feed.
//   first, once the header is read and while the preview is made, {"media_type":T,"width":W,"height":H}; not where
//   there is no header, or the decoder ended over it.  Then exit 0 follows, and the same three again:
//   exit 0  {"media_type":T,"width":W,"height":H,"preview":P}
//           T, by content and never by name: image/jpeg image/png image/tiff image/webp image/gif image/avif.
//           W, H: pixels as the file's header gives them, before an EXIF orientation is applied (AVIF's own rotation
//           is part of its header and applied); of the first frame or page where there are several.
//           P: base64url of a JPEG: upright, at most 512 pixels a side, never enlarged, sRGB, alpha on white, at most
//           64 KiB, no metadata.  null where the memory cap (512 MiB), the CPU limit (60 s) or a damaged body allows
//           none.
//   exit 1  {"error":E}
//           not_an_image: no decoder knows it.  unsupported: an image, of another type.
//           too_large: a side beyond 10,000,000, or a header that needs more than the cap.
//           failed: damaged before its size was known, or something went wrong here.
//   exit 64 it was given an argument.
//
// The process itself decodes nothing: a child does, behind limits and a system call filter, and hands its findings
// over a pipe.  Whatever ends the child, the dimensions that it had found are kept.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
#include "picture.h"
#include "sandbox.h"

namespace sat {

namespace {

// Longer than the CPU limit: a disk may be slow, a stuck one must not hold the upload for ever.
constexpr std::chrono::seconds kPatience{180};
constexpr std::size_t kMaxReport = 2 * sizeof(PictureHeader) + kMaxPreview;

Json described(const PictureHeader& header) {
    Json json;
    json["media_type"] = media_type_name(header.type);
    json["width"] = header.width;
    json["height"] = header.height;
    return json;
}

bool print(const Json& json) {
    const std::string line = dump_json(json) + "\n";
    return write_all(STDOUT_FILENO, as_bytes(line), "standard output").has_value();
}

struct Report {
    Bytes bytes;
    int status = 0;  // as waitpid gives it
};

[[noreturn]] void be_the_child(int input, int output) {
    // It ends with its parent, and its libraries have nobody to talk to.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
    _exit(static_cast<int>(decode_picture(input, output)));
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

// What the child said until it ended or our patience did.  The header is told as soon as it is there.
std::optional<Report> run_child(int input) {
    std::array<int, 2> pipe_ends{};
    if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return std::nullopt;
    const FileDescriptor reading(pipe_ends[0]);
    FileDescriptor writing(pipe_ends[1]);
    const pid_t child = fork();
    if (child < 0) return std::nullopt;
    if (child == 0) be_the_child(input, writing.get());
    writing.reset();

    Report report;
    report.bytes.resize(kMaxReport);
    std::size_t size = 0;
    bool told = false;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (size < report.bytes.size()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd waiting{reading.get(), POLLIN, 0};
        const int ready = left.count() > 0 ? poll(&waiting, 1, static_cast<int>(left.count())) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) break;
        const ssize_t count = read(reading.get(), report.bytes.data() + size, report.bytes.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        size += static_cast<std::size_t>(count);
        if (const auto header = header_at(ByteView(report.bytes).first(size), 1); header && !told) {
            told = true;
            if (!print(described(*header))) break;
        }
    }
    report.bytes.resize(size);
    // One that ended by itself is a zombie by now or about to be; only one that we gave up on feels this.
    if (std::chrono::steady_clock::now() >= deadline) kill(child, SIGKILL);
    while (waitpid(child, &report.status, 0) < 0) {
        if (errno != EINTR) return std::nullopt;
    }
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

Json examine() {
    if (!limit_process()) return refused(PictureOutcome::failed);
    const Result<FileDescriptor> input = open_regular("/proc/self/fd/0");
    if (!input) return refused(PictureOutcome::failed);
    const std::optional<Report> report = run_child(input->get());
    return report ? conclude(*report) : refused(PictureOutcome::failed);
}

}  // namespace

}  // namespace sat

int main(int argc, char** /*argv*/) {
    if (argc != 1) {
        std::fputs("sat-picture: takes no arguments; a picture on standard input, JSON on standard output\n", stderr);
        return 64;
    }
    const sat::Json answer = sat::examine();
    if (!sat::print(answer)) return 1;
    return answer.contains("error") ? 1 : 0;
}
