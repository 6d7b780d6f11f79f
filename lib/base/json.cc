// The I-JSON reader: nlohmann's lexer and grammar, this project's own construction of the value, so that
// duplicate names, floats, large integers and deep nesting are refused while they are read (RFC 7493).
// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/text.h"

namespace sat {

namespace {

// RFC 7493, 2.1: strings contain no noncharacters, U+FDD0 to U+FDEF and the last two of every plane.
// `text` is valid UTF-8.
bool has_noncharacter(std::string_view text) noexcept {
    for (std::size_t i = 0; i + 2 < text.size(); ++i) {
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[i + at]); };
        if (byte(0) == 0xef) {
            if (byte(1) == 0xb7 && byte(2) >= 0x90 && byte(2) <= 0xaf) return true;
            if (byte(1) == 0xbf && byte(2) >= 0xbe) return true;
        } else if (byte(0) >= 0xf0 && i + 3 < text.size()) {
            if ((byte(1) & 0x0fU) == 0x0f && byte(2) == 0xbf && byte(3) >= 0xbe) return true;
        }
    }
    return false;
}

// Builds the value.  `why` says what was refused here; it stays empty for errors of the grammar.
class Builder : public nlohmann::json_sax<Json> {
public:
    Builder(Json& root, int max_depth) : root_(root), max_depth_(static_cast<std::size_t>(max_depth)) {}

    const char* why() const noexcept { return why_; }

    bool null() override { return add(nullptr) != nullptr; }
    bool boolean(bool value) override { return add(value) != nullptr; }
    bool number_integer(number_integer_t value) override {
        if (value < -kJsonMaxInteger || value > kJsonMaxInteger) return refuse("an integer beyond 2^53-1");
        return add(value) != nullptr;
    }
    bool number_unsigned(number_unsigned_t value) override {
        if (value > static_cast<number_unsigned_t>(kJsonMaxInteger)) return refuse("an integer beyond 2^53-1");
        return add(value) != nullptr;
    }
    // Integers too large for 64 bits come here too.
    bool number_float(number_float_t, const string_t&) override { return refuse("a number that is not an integer"); }
    bool string(string_t& value) override {
        if (has_noncharacter(value)) return refuse("a string with a noncharacter");
        return add(std::move(value)) != nullptr;
    }
    bool binary(binary_t&) override { return refuse("binary data"); }
    bool start_object(std::size_t) override { return open(Json::object()); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool key(string_t& name) override {
        if (has_noncharacter(name)) return refuse("a name with a noncharacter");
        name_ = std::move(name);
        return true;
    }
    // Names are compared here, all at once: one by one as they come would take quadratic time.
    bool end_object() override {
        const auto& members = open_.back()->get_ref<const Json::object_t&>();
        open_.pop_back();
        std::vector<std::string_view> names;
        names.reserve(members.size());
        for (const auto& member : members) names.emplace_back(member.first);
        std::sort(names.begin(), names.end());
        if (std::adjacent_find(names.begin(), names.end()) != names.end()) return refuse("a name that stands twice");
        return true;
    }
    bool end_array() override {
        open_.pop_back();
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

private:
    using Members = std::vector<std::pair<const std::string, Json>>;
    static_assert(std::is_base_of_v<Members, Json::object_t>, "ordered_json keeps its members in a vector");

    bool refuse(const char* why) noexcept {
        why_ = why;
        return false;
    }

    // The place of the value in what is built; valid until its container grows, which is not before it is closed.
    Json* add(Json value) {
        if (open_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        Json& container = *open_.back();
        if (container.is_array()) {
            auto& items = container.get_ref<Json::array_t&>();
            items.push_back(std::move(value));
            return &items.back();
        }
        // The vector below, since ordered_json's own insertion looks through all members first.
        Members& members = container.get_ref<Json::object_t&>();
        members.emplace_back(std::move(name_), std::move(value));
        return &members.back().second;
    }

    bool open(Json value) {
        if (open_.size() >= max_depth_) return refuse("brackets nested too deeply");
        open_.push_back(add(std::move(value)));
        return true;
    }

    Json& root_;
    const std::size_t max_depth_;
    std::vector<Json*> open_;
    std::string name_;
    const char* why_ = "";
};

// How many of the first bytes, eight at a time, are ASCII that JSON writes as it is: neither controls nor '"' nor '\\'.
std::size_t plain_words(std::string_view text) noexcept {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    constexpr std::uint64_t kTops = 0x80 * kOnes;
    // The top bit of the lowest byte that is below `limit` (at most 0x80) is set, and none where there is no such byte.
    const auto below = [](std::uint64_t word, std::uint64_t limit) { return (word - limit * kOnes) & ~word & kTops; };
    std::size_t at = 0;
    for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, sizeof word);
        const std::uint64_t quotes = below(word ^ '"' * kOnes, 1);
        const std::uint64_t slashes = below(word ^ '\\' * kOnes, 1);
        if (((word & kTops) | below(word, 0x20) | quotes | slashes) != 0) break;
    }
    return at;
}

// The library writes strings code point by code point, which was a quarter of what a page of the catalogue cost.
void append_value(std::string& out, const Json& value) {
    switch (value.type()) {
        case Json::value_t::null:
            out += "null";
            break;
        case Json::value_t::boolean:
            out += value.get<bool>() ? "true" : "false";
            break;
        case Json::value_t::number_integer:
            out += std::to_string(value.get<std::int64_t>());
            break;
        case Json::value_t::number_unsigned:
            out += std::to_string(value.get<std::uint64_t>());
            break;
        case Json::value_t::string:
            append_json(out, value.get_ref<const std::string&>());
            break;
        case Json::value_t::array: {
            char before = '[';
            for (const Json& item : value) {
                out.push_back(std::exchange(before, ','));
                append_value(out, item);
            }
            out += before == '[' ? "[]" : "]";
            break;
        }
        case Json::value_t::object: {
            char before = '{';
            for (const auto& [name, member] : value.get_ref<const Json::object_t&>()) {
                out.push_back(std::exchange(before, ','));
                append_json(out, name);
                out.push_back(':');
                append_value(out, member);
            }
            out += before == '{' ? "{}" : "}";
            break;
        }
        default:
            SAT_ASSERT(false);  // I-JSON has no floats, and nothing else
    }
}

const Json& null_json() {
    static const Json value;
    return value;
}

const Json& empty_array() {
    static const Json value = Json::array();
    return value;
}

}  // namespace

Result<Json> parse_json(std::string_view text, int max_depth) {
    SAT_ASSERT(max_depth >= 0);
    // nlohmann skips a byte order mark and takes a NUL for the end of its input.
    if (text.starts_with("\xef\xbb\xbf")) return fail(Errc::malformed, "JSON with a byte order mark");
    if (text.find('\0') != std::string_view::npos) return fail(Errc::malformed, "JSON with a NUL in it");
    Json root;
    Builder builder(root, max_depth);
    bool parsed = false;
    try {
        parsed = Json::sax_parse(text.begin(), text.end(), &builder);
    } catch (const Json::exception&) {
        parsed = false;
    }
    if (!parsed) {
        const std::string_view why = builder.why();
        return fail(Errc::malformed, why.empty() ? "not JSON" : "not the JSON that is taken here: " + std::string(why));
    }
    return root;
}

void append_json(std::string& out, std::string_view text) {
    constexpr const char* kDigits = "0123456789abcdef";
    bool ascii = true;
    std::size_t written = 0;
    out.push_back('"');
    for (std::size_t at = 0; at < text.size(); ++at) {
        at += plain_words(text.substr(at));
        if (at == text.size()) break;
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte >= 0x80) ascii = false;
        if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
        out.append(text, written, at - written);
        written = at + 1;
        out.push_back('\\');
        switch (byte) {
            case '\b':
                out.push_back('b');
                break;
            case '\f':
                out.push_back('f');
                break;
            case '\n':
                out.push_back('n');
                break;
            case '\r':
                out.push_back('r');
                break;
            case '\t':
                out.push_back('t');
                break;
            case '"':
            case '\\':
                out.push_back(text[at]);
                break;
            default:
                out += "u00";
                out.push_back(kDigits[byte >> 4]);
                out.push_back(kDigits[byte & 0xf]);
        }
    }
    out.append(text, written);
    out.push_back('"');
    SAT_ASSERT(ascii || is_utf8(text));
}

std::string dump_json(const Json& value) {
    std::string out;
    append_value(out, value);
    return out;
}

ObjectReader::ObjectReader(const Json& value, Errc code) : object_(&value), code_(code) {
    if (!value.is_object()) error_ = Error{code_, "not a JSON object", {}};
}

const Json* ObjectReader::member(std::string_view name, bool required) {
    if (error_) return nullptr;
    seen_.emplace_back(name);
    for (const auto& [key, value] : object_->get_ref<const Json::object_t&>())
        if (key == name) return &value;
    if (required || !allow_absent_) refuse(name, "missing");
    return nullptr;
}

std::string ObjectReader::text(std::string_view name, std::size_t max_code_points) {
    auto value = text_or_null(name, max_code_points);
    if (!value) {
        refuse(name, "missing");
        return {};
    }
    return std::move(*value);
}

std::optional<std::string> ObjectReader::text_or_null(std::string_view name, std::size_t max_code_points) {
    const Json* found = member(name, false);
    if (found == nullptr || found->is_null()) return std::nullopt;
    if (!found->is_string()) {
        refuse(name, "not a string");
        return std::nullopt;
    }
    const auto& value = found->get_ref<const std::string&>();
    if (count_code_points(value) > max_code_points) {
        refuse(name, "too long, at most " + std::to_string(max_code_points) + " characters");
        return std::nullopt;
    }
    return value;
}

std::int64_t ObjectReader::integer(std::string_view name, std::int64_t min, std::int64_t max) {
    const auto value = integer_or_null(name, min, max);
    if (!value) refuse(name, "missing");
    return value.value_or(0);
}

std::optional<std::int64_t> ObjectReader::integer_or_null(std::string_view name, std::int64_t min, std::int64_t max) {
    const Json* found = member(name, false);
    if (found == nullptr || found->is_null()) return std::nullopt;
    if (!found->is_number_integer()) {
        refuse(name, "not an integer");
        return std::nullopt;
    }
    const auto value = found->get<std::int64_t>();
    if (value < min || value > max) {
        refuse(name, "out of range, from " + std::to_string(min) + " to " + std::to_string(max));
        return std::nullopt;
    }
    return value;
}

bool ObjectReader::boolean(std::string_view name) {
    const Json* found = member(name, true);
    if (found == nullptr) return false;
    if (!found->is_boolean()) {
        refuse(name, "neither true nor false");
        return false;
    }
    return found->get<bool>();
}

Digest ObjectReader::digest(std::string_view name) {
    const auto value = digest_or_null(name);
    if (!value) refuse(name, "missing");
    return value.value_or(Digest{});
}

std::optional<Digest> ObjectReader::digest_or_null(std::string_view name) {
    const Json* found = member(name, false);
    if (found == nullptr || found->is_null()) return std::nullopt;
    if (found->is_string()) {
        if (const auto value = Digest::from_hex(found->get_ref<const std::string&>())) return *value;
    }
    refuse(name, "not 64 lower-case hex digits");
    return std::nullopt;
}

Bytes ObjectReader::bytes(std::string_view name, std::size_t min, std::size_t max) {
    auto value = bytes_or_null(name, min, max);
    if (!value) {
        refuse(name, "missing");
        return {};
    }
    return std::move(*value);
}

std::optional<Bytes> ObjectReader::bytes_or_null(std::string_view name, std::size_t min, std::size_t max) {
    const Json* found = member(name, false);
    if (found == nullptr || found->is_null()) return std::nullopt;
    if (!found->is_string()) {
        refuse(name, "not a string");
        return std::nullopt;
    }
    auto value = from_base64url(found->get_ref<const std::string&>());
    if (!value) {
        refuse(name, "not base64url");
        return std::nullopt;
    }
    if (value->size() < min || value->size() > max) {
        refuse(name, "of the wrong size");
        return std::nullopt;
    }
    return std::move(*value);
}

const Json& ObjectReader::value(std::string_view name, bool required) {
    const Json* found = member(name, required);
    return found != nullptr ? *found : null_json();
}

const Json& ObjectReader::array(std::string_view name, std::size_t max_items) {
    const Json* found = member(name, true);
    if (found == nullptr) return empty_array();
    if (!found->is_array()) {
        refuse(name, "not an array");
        return empty_array();
    }
    if (found->size() > max_items) {
        refuse(name, "too many, at most " + std::to_string(max_items));
        return empty_array();
    }
    return *found;
}

void ObjectReader::refuse(std::string_view name, std::string_view why) {
    if (error_) return;
    error_ = Error{code_, std::string(name) + ": " + std::string(why), {}};
}

Result<void> ObjectReader::finish() {
    if (!error_ && !ignore_unknown_) {
        for (const auto& [key, value] : object_->get_ref<const Json::object_t&>()) {
            if (std::find(seen_.begin(), seen_.end(), key) == seen_.end()) {
                error_ = Error{code_, "a member that does not belong here", {}};
                break;
            }
        }
    }
    if (error_) return fail(*error_);
    return {};
}

}  // namespace sat
