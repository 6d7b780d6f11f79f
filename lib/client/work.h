// Works and claims as a client has them once it has verified what the vault said about them.
// docs/protocol.md, "Who verifies what".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ledger/history.h"
#include "ledger/statement.h"
#include "wire/messages.h"

namespace sat {

// The registration is signed by its artist for this vault.  Owner, head and seq are the vault's word; a verified
// History is their proof.
struct Work {
    Signed<Registration> registration;
    Wallet owner;
    LeafHash head;
    std::uint64_t seq = 0;
    UnixTime registered_at = 0;
    bool held = false;
    std::optional<Origin> origin;  // told to the owner alone

    const ArtworkId& id() const noexcept { return registration.body.artwork; }
};

struct VerifiedWorks {
    std::vector<Work> items;
    std::optional<std::string> next_cursor;
};

// Claim and answer are signed by those whom they name, for this vault and this work, and say the same as the state.
struct VerifiedClaim {
    Signed<Claim> claim;
    std::optional<Signed<Answer>> answer;
    std::optional<std::string> message;  // the collector's, as the claim commits to it
    std::optional<std::string> reason;   // the owner's, as the answer commits to it
    ClaimState state = ClaimState::pending;
    UnixTime asked_at = 0;
    UnixTime changed_at = 0;
    std::optional<UnixTime> answer_by;
    Signed<Registration> registration;

    const StatementId& id() const noexcept { return claim.id; }
    const ArtworkId& artwork() const noexcept { return claim.body.artwork; }
    const Wallet& owner() const noexcept { return claim.body.owner; }
    const Wallet& collector() const noexcept { return claim.body.iss; }
};

// What verification asks for: the vault's chain, and people's chains by wallet (null where there is none at hand).
struct VerifyContext {
    const IdentityChain& vault;
    const IdentityLookup& identities;
};

// bad_signature, bad_statement: what the vault gave does not hold.
Result<Work> verify_work(const WorkItem& item, const VerifyContext& context);
Result<VerifiedClaim> verify_claim(const ClaimItem& item, const VerifyContext& context);

// The wallets whose chains verify_…() will look up.
void collect_signers(const WorkItem& item, std::vector<Wallet>& out);
void collect_signers(const ClaimItem& item, std::vector<Wallet>& out);
void collect_signers(std::string_view leaf_entry, std::vector<Wallet>& out);

// bad_statement unless the history's last word is what the vault says the work is.
Result<void> check_current(const History& history, const Work& work);
// bad_statement where the history begins with another registration than the claim was shown with; head_moved unless
// the history names the owner, head and seq that the claim names.
Result<void> check_current(const History& history, const VerifiedClaim& claim);
// bad_statement unless the history begins with the claim's registration and holds the transfer that the claim asked
// for: at the next seq, from its owner at its head, to its collector.  What came after is of no account.
Result<void> check_completed(const History& history, const VerifiedClaim& claim);
// Before a collector accepts: the answer is a yes to this claim by the owner it was addressed to, to its collector, at
// the same head, and its deadline is ahead.  bad_statement; expired.
Result<void> check_yes(const VerifiedClaim& claim, UnixTime vault_now);

}  // namespace sat
