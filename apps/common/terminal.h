// Talking to a person: questions and secrets over /dev/tty, never over standard input or output, which may be data.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/secret.h"

namespace sat {

class Terminal {
public:
    // Nothing where there is no controlling terminal, or neither standard input nor standard error is one: whoever
    // started us does not look there.
    static std::optional<Terminal> open();

    void show(std::string_view text);
    // A line without its end; nothing at the end of input (Ctrl-D).  cancelled: a signal came.
    Result<std::optional<std::string>> ask(std::string_view question);
    // The same with echo off, restored on every way out.  An end of input reads as empty.
    Result<SecretBytes> ask_secret(std::string_view question);
    // "yes" or "y" in any case is yes; anything else, and an end of input, is no.
    Result<bool> ask_yes(std::string_view question);

private:
    explicit Terminal(FileDescriptor fd) : fd_(std::move(fd)) {}
    template <typename Buffer>
    Result<bool> read_line(Buffer& line);

    FileDescriptor fd_;
};

}  // namespace sat
