// Output.
// SPDX-License-Identifier: Apache-2.0
#include "common/output.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "base/text.h"
#include "common/exit_codes.h"

namespace sat {

namespace {

bool may_use_colour() {
    const char* no_colour = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    return ::isatty(STDERR_FILENO) != 0 && (no_colour == nullptr || *no_colour == '\0') && term != nullptr &&
           std::strcmp(term, "dumb") != 0;
}

}  // namespace

std::string json_text(std::string_view text) { return is_utf8(text) ? std::string(text) : printable(text); }

namespace {

// In ASCII, everything else as \u: the same JSON, and nothing from a peer reaches a terminal as it came (C1 and bidi
// controls are no control characters to JSON).
std::string document(const Json& json) { return json.dump(-1, ' ', true) + "\n"; }

}  // namespace

std::string success_document(const std::string& command, const Json& data) {
    return document(Json{{"sat", 1}, {"command", json_text(command)}, {"ok", true}, {"data", data}});
}

std::string failure_document(const std::string& command, const Error& error, int exit) {
    const std::string_view hint = error.hint.empty() ? default_hint(error.code) : std::string_view(error.hint);
    Json body{{"code", errc_name(error.code)}, {"exit", exit}, {"message", json_text(error.message)}};
    body["hint"] = hint.empty() ? Json(nullptr) : Json(json_text(hint));
    return document(Json{{"sat", 1}, {"command", json_text(command)}, {"ok", false}, {"error", std::move(body)}});
}

Output::Output(std::string program, std::string command, Mode mode, bool verbose)
    : program_(std::move(program)),
      command_(std::move(command)),
      mode_(mode),
      verbose_(verbose),
      colour_(may_use_colour()) {}

Result<void> Output::print(std::string_view text) {
    return write_all(STDOUT_FILENO, as_bytes(text), "standard output");
}

Result<void> Output::success(const Report& answer) {
    if (answer.shown) return {};
    return item(answer);
}

Result<void> Output::item(const Report& answer) {
    switch (mode_) {
        case Mode::json:
            return print(success_document(command_, answer.data));
        case Mode::quiet:
            return print(answer.brief);
        case Mode::human:
            break;
    }
    return print(answer.text);
}

int Output::failure(const Error& error, int signal) {
    const int exit = exit_code(error.code, signal);
    if (mode_ == Mode::json) {
        const auto printed = print(failure_document(command_, error, exit));
        return printed ? exit : exit_code(printed.error().code);
    }
    say("error", error.message);
    const std::string_view hint = error.hint.empty() ? default_hint(error.code) : std::string_view(error.hint);
    if (!hint.empty()) say("hint", std::string(hint));
    return exit;
}

int Output::bug(const std::string& what) {
    const Error error{Errc::internal, "the program failed: " + printable(what), "please report this"};
    if (mode_ == Mode::json) {
        (void)print(failure_document(command_, error, kExitBug));
    } else {
        say("error", error.message);
        say("hint", error.hint);
    }
    return kExitBug;
}

void Output::note(const std::string& text) {
    if (mode_ == Mode::human) say("", text);
}

void Output::detail(const std::string& text) {
    if (verbose_) say("", text);
}

void Output::warn(const std::string& text) { say("warning", text); }

void Output::say(std::string_view kind, const std::string& text) {
    const bool bold = colour_ && kind == "error";
    std::string line = program_ + ": ";
    if (!kind.empty()) line += (bold ? "\x1b[1;31m" : "") + std::string(kind) + (bold ? "\x1b[0m" : "") + ": ";
    // Names of files are others' to choose, and an error says them as they are.
    line += printable_sentence(text) + "\n";
    (void)write_all(STDERR_FILENO, as_bytes(line), "standard error");
}

}  // namespace sat
