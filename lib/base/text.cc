// UTF-8 through utf8proc, whose tables are Unicode's.
// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <utf8proc.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <set>

#include "base/assert.h"

namespace sat {

namespace {

struct CodePoint {
    std::int32_t value;  // negative: the byte here is not UTF-8
    std::size_t size;    // bytes; 1 where it is not UTF-8
};

// The code point at `at`, which lies before the end.
CodePoint code_point_at(std::string_view text, std::size_t at) noexcept {
    const auto* begin = reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at;
    if (*begin < 0x80) return {*begin, 1};
    utf8proc_int32_t value = -1;
    const utf8proc_ssize_t size = utf8proc_iterate(begin, static_cast<utf8proc_ssize_t>(text.size() - at), &value);
    if (size <= 0 || value < 0) return {-1, 1};
    return {value, static_cast<std::size_t>(size)};
}

bool is_safe_to_print(std::int32_t code_point) noexcept {
    switch (utf8proc_category(code_point)) {
        case UTF8PROC_CATEGORY_CC:
        case UTF8PROC_CATEGORY_CF:
        case UTF8PROC_CATEGORY_CS:
        case UTF8PROC_CATEGORY_CN:
        case UTF8PROC_CATEGORY_ZL:
        case UTF8PROC_CATEGORY_ZP:
            return false;
        default:
            break;
    }
    // Not of category Cf, yet nothing is seen of them: fillers, the grapheme joiner, variation selectors.
    return utf8proc_get_property(code_point)->ignorable == 0;
}

bool is_space(std::int32_t code_point) noexcept {
    if (code_point >= 0x09 && code_point <= 0x0d) return true;
    if (code_point == 0x85) return true;
    const utf8proc_category_t category = utf8proc_category(code_point);
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

bool is_word_part(std::int32_t code_point) noexcept {
    const utf8proc_category_t category = utf8proc_category(code_point);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}
// is_word_part() reads letters, marks and numbers as one range of utf8proc's enumeration.
static_assert(UTF8PROC_CATEGORY_LU == 1 && UTF8PROC_CATEGORY_LO == 5 && UTF8PROC_CATEGORY_MN == 6 &&
              UTF8PROC_CATEGORY_ND == 9 && UTF8PROC_CATEGORY_NO == 11);

struct FreeText {
    // utf8proc allocates with malloc.
    void operator()(utf8proc_uint8_t* text) const noexcept { std::free(text); }  // NOLINT(cppcoreguidelines-no-malloc)
};

// What becomes of the characters that are safe, but not always meant.
struct Escaping {
    bool lines = false;       // LF and TAB stay
    bool backslashes = true;  // a backslash is doubled
};

std::string escape_text(std::string_view text, Escaping how) {
    std::string out;
    out.reserve(text.size());
    std::array<char, 16> escape{};
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint next = code_point_at(text, at);
        const std::string_view source = text.substr(at, next.size);
        at += next.size;
        if (next.value == '\\') {
            out += how.backslashes ? "\\\\" : "\\";
        } else if ((how.lines && (next.value == '\n' || next.value == '\t')) ||
                   (next.value >= 0 && is_safe_to_print(next.value))) {
            out += source;
        } else if (next.value < 0x80) {  // ASCII, or a byte that is not UTF-8
            std::snprintf(escape.data(), escape.size(), "\\x%02X", static_cast<unsigned char>(source[0]));
            out += escape.data();
        } else {
            std::snprintf(escape.data(), escape.size(), "\\u{%X}", static_cast<unsigned>(next.value));
            out += escape.data();
        }
    }
    return out;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint next = code_point_at(text, at);
        if (next.value < 0) return false;
        at += next.size;
    }
    return true;
}

std::size_t count_code_points(std::string_view text) noexcept {
    std::size_t count = 0;
    for (const char byte : text) count += (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U ? 1 : 0;
    return count;
}

std::string printable(std::string_view text, bool multiline) { return escape_text(text, {multiline, true}); }

std::string printable_sentence(std::string_view text) { return escape_text(text, {false, false}); }

std::string fold(std::string_view text) {
    utf8proc_uint8_t* raw = nullptr;
    const utf8proc_ssize_t size = utf8proc_map(
        reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &raw,
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
                                       UTF8PROC_IGNORE));
    const std::unique_ptr<utf8proc_uint8_t, FreeText> owned(raw);
    if (size == UTF8PROC_ERROR_NOMEM) {
        // As a failed `new`: no words is an answer, and not this one.
        if (const std::new_handler handler = std::get_new_handler()) handler();
        throw std::bad_alloc();
    }
    if (size < 0) return {};
    const std::string_view mapped(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size));

    std::string out;
    out.reserve(mapped.size());
    bool space_before = false;
    for (std::size_t at = 0; at < mapped.size();) {
        const CodePoint next = code_point_at(mapped, at);
        SAT_ASSERT(next.value >= 0);
        if (is_space(next.value)) {
            space_before = true;
        } else {
            if (space_before && !out.empty()) out.push_back(' ');
            space_before = false;
            out += mapped.substr(at, next.size);
        }
        at += next.size;
    }
    return out;
}

std::vector<std::string> search_words(std::string_view text) {
    const std::string folded = fold(text);
    std::vector<std::string> words;
    std::set<std::string, std::less<>> known;
    std::size_t begin = 0;
    const auto end_word = [&](std::size_t end) {
        const std::string_view word = std::string_view(folded).substr(begin, end - begin);
        if (!word.empty() && known.emplace(word).second) words.emplace_back(word);
    };
    for (std::size_t at = 0; at < folded.size();) {
        const CodePoint next = code_point_at(folded, at);
        if (!is_word_part(next.value)) {
            end_word(at);
            begin = at + next.size;
        }
        at += next.size;
    }
    end_word(folded.size());
    return words;
}

}  // namespace sat
