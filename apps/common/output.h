// What a program says: results on standard output, everything else on standard error; as text for people, or as one
// JSON document for scripts, on failure too.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace sat {

// What a command came to.
struct Report {
    Json data;           // --json
    std::string text;    // for people; whole lines
    std::string brief;   // -q: the result alone; whole lines
    bool shown = false;  // it was printed as it came
    int exit = 0;        // of a command of several parts, some of which failed and were told
    // Once it was printed: until then the same command has to find what was done.
    std::function<void()> told = nullptr;
};

// {"sat":1,"command":…,"ok":true,"data":…}
std::string success_document(const std::string& command, const Json& data);
// {"sat":1,"command":…,"ok":false,"error":{"code":…,"exit":…,"message":…,"hint":…}}; hint is null where there is none.
std::string failure_document(const std::string& command, const Error& error, int exit);
// `text` where it is UTF-8, else with what is not escaped: JSON has no other strings.
std::string json_text(std::string_view text);

class Output {
public:
    enum class Mode { human, quiet, json };

    Output(std::string program, std::string command, Mode mode, bool verbose);

    Mode mode() const noexcept { return mode_; }
    bool json() const noexcept { return mode_ == Mode::json; }
    // io_error, storage_full: standard output does not take it.
    Result<void> print(std::string_view text);
    Result<void> success(const Report& answer);
    // One of many results: a JSON document, or its text (-q: brief).
    Result<void> item(const Report& answer);
    // Prints the failure, and returns the exit code.
    int failure(const Error& error, int signal);
    // Prints that the program itself failed, and returns 70.
    int bug(const std::string& what);
    // To a person: not with -q, not with --json.
    void note(const std::string& text);
    // With -v.
    void detail(const std::string& text);
    // Always, on standard error.
    void warn(const std::string& text);

private:
    void say(std::string_view kind, const std::string& text);

    std::string program_;
    std::string command_;
    Mode mode_;
    bool verbose_;
    bool colour_;
};

}  // namespace sat
