// The picture helper, from the side of the program that starts it: sat-picture looks at the image, so that a hostile
// picture meets neither the keys nor the network.  Its answer is doubted like any peer's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "base/file.h"

namespace sat {

struct Picture {
    std::string media_type;
    std::int64_t width = 0;
    std::int64_t height = 0;
    std::optional<Bytes> preview;  // JPEG
};

// Beside this program, or installed at ../libexec/sat/.  config: nowhere.
Result<Path> find_picture_helper();

// The helper at work on one picture, beside whatever else is done.  Destroyed, it is ended.
class PictureExam {
public:
    // Starts `helper` over the file `image` is open on.  io_error: it could not be run.
    static Result<PictureExam> begin(const Path& helper, int image,
                                     std::chrono::seconds patience = std::chrono::seconds(90));
    PictureExam(PictureExam&& other) noexcept;
    PictureExam& operator=(PictureExam&&) = delete;
    ~PictureExam();

    // Waits for type and size, which come long before the preview of a large picture; without a preview.  bad_data: it
    // is no image, or none of the six types, or too large; io_error: the helper was killed, took longer than its
    // patience, or answered nonsense; cancelled.
    Result<Picture> header();
    // Waits for everything.  Errors as header().  Once.
    Result<Picture> finish();

private:
    PictureExam(pid_t child, FileDescriptor output, std::chrono::steady_clock::time_point deadline)
        : child_(child), output_(std::move(output)), deadline_(deadline) {}

    Result<void> read_more(std::chrono::steady_clock::time_point deadline);
    Result<int> wait_for_end();
    Result<Picture> conclude();

    pid_t child_;  // 0: it has ended
    FileDescriptor output_;
    std::chrono::steady_clock::time_point deadline_;
    std::string text_;  // what it has printed
    bool all_read_ = false;
    std::optional<Picture> header_;
    std::optional<Picture> whole_;  // it was there at once
};

// begin() and finish().
Result<Picture> examine_picture(const Path& helper, int image,
                                std::chrono::seconds patience = std::chrono::seconds(90));

// What the helper printed, and how it ended: the last line, after the one of the header if there was one.
Result<Picture> parse_picture_report(std::string_view text, int exit_code);
// The line of the header, which comes before the preview is made; nothing where `line` is another one.
std::optional<Picture> parse_picture_header(std::string_view line);

}  // namespace sat
