// Claims, answers, acceptances: steps 8 to 11.  Statements are verified outside of the transaction; the rules of
// ledger/rules.h are judged inside it, by the vault's clock.  docs/protocol.md, "The transfer's rules".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vault/core.h"

namespace sat {

// Refusals of the next four: those of take_statement(), check_text() and decide(); not_found for a work that is not
// there. A repeat, known by its statement id, is answered like the first, with the claim as it stands now.
Result<ClaimItem> open_claim(VaultCore& core, const Caller& caller, const ClaimOpenRequest& request);
Result<ClaimItem> withdraw_claim(VaultCore& core, const Caller& caller, const ClaimWithdrawRequest& request);
Result<ClaimItem> answer_claim(VaultCore& core, const Caller& caller, const ClaimAnswerRequest& request);
// The ownership moves: one transaction, then the leaves files, then the receipt.
Result<ClaimAcceptReply> accept_claim(VaultCore& core, const Caller& caller, const ClaimAcceptRequest& request);

// not_found unless the caller is its collector or the owner it was addressed to.
Result<ClaimItem> get_claim(VaultCore& core, const Caller& caller, const ClaimGetRequest& request);
Result<ClaimPage> list_my_claims(VaultCore& core, const Caller& caller, const ClaimMineRequest& request);
Result<ClaimPage> list_inbox(VaultCore& core, const Caller& caller, const ClaimInboxRequest& request);

// Records as expired what has passed its deadline, and tells both sides.  The next deadline.
Result<std::optional<UnixTime>> expire_claims(VaultCore& core);

}  // namespace sat
