// Leaf entries: what the ledger keeps of each registration, transfer, hold and release, as text.
//     sat-leaf/1 LF type LF unix time LF, then the statements' compact JWS, one a line, each ended by LF
// docs/protocol.md, "The ledger".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "ledger/statement.h"

namespace sat {

enum class LeafType {
    registration,  // "register": the registration
    transfer,      // claim, answer, accept
    hold,          // the hold
    release,       // the release
};
std::string_view leaf_type_name(LeafType type) noexcept;

// An entry of a C2SP tlog bundle has a u16 length.
inline constexpr std::size_t kMaxLeafEntry = 65535;
static_assert(3 * kMaxShortJws + 64 <= kMaxLeafEntry && kMaxJwsSize + 64 <= kMaxLeafEntry);

struct Leaf {
    LeafType type = LeafType::registration;
    UnixTime at = 0;                      // the vault's clock, when it was appended
    std::vector<std::string> statements;  // compact JWS: one, or a transfer's three

    // Asserts what parse() requires.
    std::string encode() const;
    // bad_statement unless it is exactly such an entry, with statements of the types that its type has, within
    // kMaxLeafEntry.  Their signatures are not checked.  What parses encodes to the same text.
    static Result<Leaf> parse(std::string_view entry);
    bool operator==(const Leaf&) const = default;
};

// H(00 || entry)   (RFC 6962, 2.1)
LeafHash leaf_hash(std::string_view entry);

}  // namespace sat
