// The picture helper, from the side of the program that starts it: sat-picture looks at the image, so that a hostile
// picture meets neither the keys nor the network.  Its answer is doubted like any peer's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <mutex>
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

inline constexpr std::chrono::seconds kPicturePatience{90};

// What the helper is asked for: the byte of a request.
enum class PictureDetail : char { preview = 0, header = 1 };

// The helper at work on one picture, beside whatever else is done.  Destroyed, it makes the helper let go of it.
class PictureExam {
public:
    // Waits for type and size, which come long before the preview of a large picture; without a preview.  bad_data: it
    // is no image, or none of the six types, or too large; io_error: the helper died, took longer than its patience,
    // or answered nonsense; cancelled.
    Result<Picture> header();
    // Waits for everything.  Where time is up and header() has told type and size, those, without a preview.  Errors
    // as header().  Once.
    Result<Picture> finish();
    // finish() gave no preview because time was up.
    bool took_too_long() const noexcept { return out_of_time_; }
    // header() or finish() has: over this picture, which says nothing of the others.
    bool failed() const noexcept { return failed_; }

private:
    friend class PictureHelper;
    PictureExam(FileDescriptor output, std::chrono::steady_clock::time_point deadline)
        : output_(std::move(output)), deadline_(deadline) {}

    Result<void> read_more(std::chrono::steady_clock::time_point deadline);
    Result<Picture> wait_for_header();
    Result<Picture> wait_for_all();
    Result<Picture> conclude();

    FileDescriptor output_;
    std::chrono::steady_clock::time_point deadline_;
    std::string text_;  // what it has printed
    bool all_read_ = false;
    bool out_of_time_ = false;
    bool failed_ = false;
    std::optional<Picture> header_;
    std::optional<Picture> whole_;  // it was there at once
};

// One process for all the pictures of a command: it forks a sandboxed one for each.  May be used by several threads.
class PictureHelper {
public:
    explicit PictureHelper(Path program) : program_(std::move(program)) {}
    PictureHelper(const PictureHelper&) = delete;
    PictureHelper& operator=(const PictureHelper&) = delete;
    // Ends it, and the exams that are under way.
    ~PictureHelper();

    // Starts it, unless it runs: what it loads takes a while, which the caller may have other use for.  io_error.
    Result<void> start();
    // Hands it the file that `image` is open on; one that has died meanwhile is started anew.  Where the header is
    // enough there is no preview.  io_error: it could not be run.
    Result<PictureExam> examine(int image, std::chrono::seconds patience = kPicturePatience,
                                PictureDetail detail = PictureDetail::preview);

private:
    Result<void> start_locked();
    void end_locked();

    Path program_;
    std::mutex mutex_;
    pid_t process_ = 0;       // 0: none
    FileDescriptor control_;  // to it
};

// What the helper printed, from the last line's beginning: after the one of the header, if there was one.
Result<Picture> parse_picture_report(std::string_view text);
// The line of the header, which comes before the preview is made; nothing where `line` is another one.
std::optional<Picture> parse_picture_header(std::string_view line);

}  // namespace sat
