// Who may come in: a policy, a list of wallets that it names, and a list of those that are blocked whatever it says.
// docs/man/sat-vaultd.8, "WHO MAY COME IN", is the contract; docs/protocol.md says when it is judged.
//
//     # the members, autumn                                              a comment; empty lines are passed over
//     8d64ec874cf24a3e…64 lower-case hex digits…                        a wallet
//     e0f763c314b50d1f…64 lower-case hex digits…  Cleo Collector        and what its operator calls it
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <unordered_set>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"
#include "options.h"

namespace sat {

using WalletSet = std::unordered_set<Wallet>;

// `file` stands in the errors, with the line.  config: a line that is neither empty, nor a comment, nor a wallet and a
// name; text that is not UTF-8 or has control characters other than TAB.
Result<WalletSet> parse_wallet_list(std::string_view text, const Path& file);

// input_unreadable; config: not ours or root's, others may write it, more than 8 MiB, or as parse_wallet_list().
Result<WalletSet> read_wallet_list(const Path& file);

class Admission {
public:
    // Everybody.
    Admission() = default;
    // usage: `listed` without a list, or a list without `listed`.  Else as read_wallet_list().
    static Result<Admission> read(const VaultdOptions& options);

    bool admits(const Wallet& wallet) const;

    bool listed() const noexcept { return listed_; }
    std::size_t wallets() const noexcept { return wallets_.size(); }
    std::size_t blocked() const noexcept { return blocked_.size(); }

private:
    bool listed_ = false;
    WalletSet wallets_;
    WalletSet blocked_;
};

}  // namespace sat
