// JSON as the protocol takes it: I-JSON (RFC 7493).  No duplicate names, no floats, integers within 2^53-1,
// valid UTF-8, depth at most 8.  nlohmann's DOM keeps the last of two equal names silently, so the parser
// here builds it through the SAX interface; nlohmann is called to parse and to print nowhere else.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace sat {

using Json = nlohmann::ordered_json;

inline constexpr int kJsonMaxDepth = 8;
inline constexpr std::int64_t kJsonMaxInteger = (std::int64_t{1} << 53) - 1;

// malformed for anything that is not one I-JSON value and nothing else.  `max_depth` counts open brackets.
Result<Json> parse_json(std::string_view text, int max_depth = kJsonMaxDepth);

// Compact, UTF-8, members in the order they were added.  Asserts valid UTF-8 in every string: what comes from
// outside was checked when it was parsed or read from the command line.
std::string dump_json(const Json& value);
// One string as dump_json() writes it, quotes and all, appended: for long answers that are written without a value.
void append_json(std::string& out, std::string_view text);

// Reads one object's members by name.  The first failure sticks, later reads give empty values, finish()
// reports it, with the member's name (ours, never the peer's) in the message and `code` as the error's code.
// finish() also refuses members that nobody asked for, unless ignore_unknown() was called.
//
//     ObjectReader in(json, Errc::bad_statement);
//     claim.artwork = in.text("artwork", 10);
//     claim.head = in.digest("head");
//     SAT_TRY(in.finish());
class ObjectReader {
public:
    // `value` outlives the reader; anything but an object is a failure.
    ObjectReader(const Json& value, Errc code);

    // A string of at most `max_code_points`.
    std::string text(std::string_view name, std::size_t max_code_points);
    std::optional<std::string> text_or_null(std::string_view name, std::size_t max_code_points);
    // An integer in [min, max].
    std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max);
    std::optional<std::int64_t> integer_or_null(std::string_view name, std::int64_t min, std::int64_t max);
    bool boolean(std::string_view name);
    // 64 lower-case hex digits.
    Digest digest(std::string_view name);
    std::optional<Digest> digest_or_null(std::string_view name);
    // base64url of min to max bytes.
    Bytes bytes(std::string_view name, std::size_t min, std::size_t max);
    std::optional<Bytes> bytes_or_null(std::string_view name, std::size_t min, std::size_t max);
    // A member of any kind; null Json where it is absent and `required` is not set.
    const Json& value(std::string_view name, bool required = true);
    // An array of at most `max_items`.
    const Json& array(std::string_view name, std::size_t max_items);
    // The *_or_null readers and value() take an absent member as null only after allow_absent() was called:
    // requests may leave out what is optional, statements may not.
    void allow_absent() noexcept { allow_absent_ = true; }
    void ignore_unknown() noexcept { ignore_unknown_ = true; }
    // For a rule that only the caller knows.
    void refuse(std::string_view name, std::string_view why);

    bool ok() const noexcept { return !error_; }
    Result<void> finish();

private:
    const Json* member(std::string_view name, bool required);

    const Json* object_;
    Errc code_;
    std::vector<std::string> seen_;
    std::optional<Error> error_;
    bool allow_absent_ = false;
    bool ignore_unknown_ = false;
};

}  // namespace sat
