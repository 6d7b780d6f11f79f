// SPDX-License-Identifier: Apache-2.0
#include "ledger/leaf.h"

#include <array>
#include <charconv>
#include <span>

#include "base/assert.h"
#include "crypto/hash.h"
#include "ledger/jws.h"

namespace sat {

namespace {

constexpr std::string_view kFirstLine = "sat-leaf/1";
constexpr std::byte kLeafPrefix{0x00};

constexpr std::array<std::string_view, 1> kRegistrationTypes = {Registration::kType};
constexpr std::array<std::string_view, 3> kTransferTypes = {Claim::kType, Answer::kType, Accept::kType};
constexpr std::array<std::string_view, 1> kHoldTypes = {Hold::kType};
constexpr std::array<std::string_view, 1> kReleaseTypes = {Release::kType};

struct LeafForm {
    LeafType type;
    std::string_view name;
    std::span<const std::string_view> statements;
};
constexpr std::array<LeafForm, 4> kForms = {{
    {LeafType::registration, "register", kRegistrationTypes},
    {LeafType::transfer, "transfer", kTransferTypes},
    {LeafType::hold, "hold", kHoldTypes},
    {LeafType::release, "release", kReleaseTypes},
}};

const LeafForm& form_of(LeafType type) noexcept { return kForms[static_cast<std::size_t>(type)]; }

tl::unexpected<Error> refuse(const char* why) { return fail(Errc::bad_statement, why); }

// The next line without its LF; nothing where no LF is left.
std::optional<std::string_view> next_line(std::string_view& rest) noexcept {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return line;
}

// Decimal without sign or leading zeros, up to 2^53-1.
std::optional<UnixTime> read_time(std::string_view text) noexcept {
    if (text.empty() || text.front() == '-' || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    UnixTime time = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), time);
    if (error != std::errc{} || end != text.data() + text.size() || time > kJsonMaxInteger) return std::nullopt;
    return time;
}

}  // namespace

std::string_view leaf_type_name(LeafType type) noexcept { return form_of(type).name; }

std::string Leaf::encode() const {
    std::string entry(kFirstLine);
    entry += '\n';
    entry += leaf_type_name(type);
    entry += '\n';
    entry += std::to_string(at);
    entry += '\n';
    for (const std::string& statement : statements) {
        entry += statement;
        entry += '\n';
    }
    SAT_ASSERT(parse(entry) == *this);
    return entry;
}

Result<Leaf> Leaf::parse(std::string_view entry) {
    if (entry.size() > kMaxLeafEntry) return refuse("the leaf is too long");
    if (next_line(entry) != kFirstLine) return refuse("not a ledger leaf of version 1");
    const auto type_line = next_line(entry);
    const auto time_line = next_line(entry);
    if (!type_line || !time_line) return refuse("the leaf is cut off");

    Leaf leaf;
    const LeafForm* form = nullptr;
    for (const LeafForm& candidate : kForms)
        if (candidate.name == *type_line) form = &candidate;
    if (form == nullptr) return refuse("a leaf of an unknown type");
    leaf.type = form->type;
    const auto at = read_time(*time_line);
    if (!at) return refuse("the leaf's time is not a time");
    leaf.at = *at;
    for (const std::string_view type : form->statements) {
        const auto line = next_line(entry);
        if (!line) return refuse("the leaf is cut off");
        SAT_TRY_VALUE(const Jws jws, parse_jws(*line));
        if (jws.type != type) return refuse("the leaf's statements are not those of its type");
        leaf.statements.emplace_back(*line);
    }
    if (!entry.empty()) return refuse("something stands behind the leaf");
    return leaf;
}

LeafHash leaf_hash(std::string_view entry) { return sha256({ByteView(&kLeafPrefix, 1), as_bytes(entry)}); }

}  // namespace sat
