// The picture helper, from the side of the program that starts it: sat-picture looks at the image, so that a hostile
// picture meets neither the keys nor the network.  Its answer is doubted like any peer's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

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

// Runs `helper` over the file `image` is open on.  bad_data: it is no image, or none of the six types, or too large;
// io_error: the helper could not be run, was killed, took longer than `patience`, or answered nonsense; cancelled.
Result<Picture> examine_picture(const Path& helper, int image,
                                std::chrono::seconds patience = std::chrono::seconds(90));

// What the helper printed, and how it ended.
Result<Picture> parse_picture_report(std::string_view text, int exit_code);

}  // namespace sat
