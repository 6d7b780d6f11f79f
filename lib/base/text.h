// UTF-8: whether it is, how long it is, how its words fold for search, and how it is made safe to print.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sat {

bool is_utf8(std::string_view text) noexcept;

// Code points of valid UTF-8.
std::size_t count_code_points(std::string_view text) noexcept;

// Text from a peer, safe on a terminal: control characters (C0, DEL, C1), bidi controls, zero-width and other
// format characters, line and paragraph separators, unassigned code points and bytes that are not UTF-8 come
// out as \u{202E} or \x1B; a backslash as \\.  LF and TAB stay only where `multiline`.
std::string printable(std::string_view text, bool multiline = false);
// The same on one line, of a sentence in which some names may be escaped already: a backslash stays as it is.
std::string printable_sentence(std::string_view text);

// Case-folded, compatibility-composed (NFKC_Casefold) form, white space runs folded into one space and trimmed:
// two texts that a person would call the same name are equal.  Empty for text that is not UTF-8.
std::string fold(std::string_view text);

// The words of fold(text), letters, marks and digits only, each once, in order of first appearance.
// Two spellings that differ only in case or in compatibility forms give the same words.
std::vector<std::string> search_words(std::string_view text);

}  // namespace sat
