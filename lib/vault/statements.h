// What the vault asks of every statement before it looks at what it says.  docs/protocol.md, "Who verifies what".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ledger/commitment.h"
#include "ledger/statement.h"
#include "vault/core.h"

namespace sat {

// bad_statement: structure, limits, or for another vault; bad_signature: not by the caller; checkpoint_inconsistent:
// its `seen` is beyond the newest checkpoint, or not the ledger's tree of that size.  No reader or transaction of the
// catalogue's may be held.
template <SignedByPerson T>
Result<Signed<T>> take_statement(const VaultCore& core, const Caller& caller, const std::string& jws) {
    SAT_TRY_VALUE(auto statement, parse_statement<T>(jws));
    if (statement.body.vault != core.wallet()) return fail(Errc::bad_statement, "a statement for another vault");
    // Refuses an `iss` that is not the chain's, which is the session's.
    SAT_TRY(verify(statement, *caller.chain));
    if (statement.body.seen) {
        SAT_TRY_VALUE(const bool agrees, core.checkpoints->agrees(*statement.body.seen));
        if (!agrees)
            return fail(Errc::checkpoint_inconsistent, "a statement names a tree head that is not the ledger's");
    }
    return statement;
}

// The text travels beside its commitment, both or neither.  bad_statement, hash_mismatch.
inline Result<void> check_text(const std::optional<Digest>& commit, const std::optional<SaltedText>& text) {
    if (commit.has_value() != text.has_value())
        return fail(Errc::bad_statement, "a text without its commitment, or a commitment without its text");
    if (text && text->commit() != *commit) return fail(Errc::hash_mismatch, "a text that is not the one committed to");
    return {};
}

// The vault's own receipt.
inline std::string sign_receipt(const VaultCore& core, const StatementId& of, ReceiptStatus status,
                                const LeafHash& leaf, UnixTime now) {
    auto receipt = make_statement<Receipt>(core.wallet(), core.wallet(), now);
    receipt.of = of;
    receipt.status = status;
    receipt.copies = core.blobs->copies();
    receipt.leaf = leaf;
    return sign(receipt, core.keys.log);
}

}  // namespace sat
