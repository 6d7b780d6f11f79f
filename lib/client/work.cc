// Verifying works and claims.
// SPDX-License-Identifier: Apache-2.0
#include "client/work.h"

#include "ledger/commitment.h"

namespace sat {

namespace {

template <SignedByPerson T>
Result<Signed<T>> open_statement(std::string_view jws, const VerifyContext& context) {
    SAT_TRY_VALUE(auto statement, parse_statement<T>(jws));
    if (statement.body.vault != context.vault.wallet())
        return fail(Errc::bad_statement, "a statement was made for another vault");
    const IdentityChain* signer = context.identities(statement.body.iss);
    if (signer == nullptr) return fail(Errc::bad_signature, "the vault has no identity for a statement's signer");
    SAT_TRY(verify(statement, *signer));
    return statement;
}

// The text of a note, which has to open the statement's commitment; a vault may withhold it, and not invent one.
Result<std::optional<std::string>> open_note(const std::optional<SaltedText>& note,
                                             const std::optional<Digest>& commit) {
    if (!note) return std::optional<std::string>{};
    if (!commit || note->commit() != *commit)
        return fail(Errc::bad_statement, "a message is not the one that its writer committed to");
    return std::optional(note->text);
}

Result<void> check_answer(const VerifiedClaim& claim) {
    const Answer& answer = claim.answer->body;
    const Claim& asked = claim.claim.body;
    if (answer.iss != asked.owner || answer.claim != claim.id() || answer.to != asked.iss ||
        answer.artwork != asked.artwork || answer.head != asked.head || answer.seq != asked.seq)
        return fail(Errc::bad_statement, "an answer does not belong to its claim");
    return {};
}

// A yes may have been followed by a no, an expiry or a transfer; a confirmed or completed claim has one for certain.
Result<void> check_state(const VerifiedClaim& claim) {
    const bool yes = claim.answer && claim.answer->body.yes;
    const bool no = claim.answer && !claim.answer->body.yes;
    switch (claim.state) {
        case ClaimState::confirmed:
        case ClaimState::completed:
            if (!yes)
                return fail(Errc::bad_statement, "a claim is said to be confirmed, and its owner's yes is missing");
            return {};
        case ClaimState::declined:
            if (!no) return fail(Errc::bad_statement, "a claim is said to be declined, and its owner's no is missing");
            return {};
        case ClaimState::pending:
            if (claim.answer) return fail(Errc::bad_statement, "a claim is said to be pending, and it was answered");
            return {};
        default:
            return {};
    }
}

Result<void> check_title(const History& history, const VerifiedClaim& claim) {
    if (history.registration.id != claim.registration.id)
        return fail(Errc::bad_statement, "the vault showed a claim with another registration than the work has");
    return {};
}

template <SignedByPerson T>
void collect_from(std::string_view jws, std::vector<Wallet>& out) {
    if (const auto statement = parse_statement<T>(jws)) out.push_back(statement->body.iss);
}

}  // namespace

Result<Work> verify_work(const WorkItem& item, const VerifyContext& context) {
    SAT_TRY_VALUE(auto registration, open_statement<Registration>(item.registration, context));
    return Work{std::move(registration), item.owner, item.head, item.seq, item.registered_at, item.held, item.origin};
}

Result<VerifiedClaim> verify_claim(const ClaimItem& item, const VerifyContext& context) {
    VerifiedClaim claim;
    SAT_TRY_VALUE(claim.registration, open_statement<Registration>(item.registration, context));
    SAT_TRY_VALUE(claim.claim, open_statement<Claim>(item.claim, context));
    if (claim.claim.body.artwork != claim.registration.body.artwork)
        return fail(Errc::bad_statement, "a claim came with another work's registration");
    SAT_TRY_VALUE(claim.message, open_note(item.claim_text, claim.claim.body.text_commit));
    if (item.answer) {
        SAT_TRY_VALUE(claim.answer, open_statement<Answer>(*item.answer, context));
        SAT_TRY(check_answer(claim));
        SAT_TRY_VALUE(claim.reason, open_note(item.answer_text, claim.answer->body.text_commit));
    }
    claim.state = item.state;
    claim.asked_at = item.asked_at;
    claim.changed_at = item.changed_at;
    claim.answer_by = item.answer_by;
    SAT_TRY(check_state(claim));
    return claim;
}

void collect_signers(const WorkItem& item, std::vector<Wallet>& out) {
    collect_from<Registration>(item.registration, out);
}

void collect_signers(const ClaimItem& item, std::vector<Wallet>& out) {
    collect_from<Registration>(item.registration, out);
    collect_from<Claim>(item.claim, out);
    if (item.answer) collect_from<Answer>(*item.answer, out);
}

void collect_signers(std::string_view leaf_entry, std::vector<Wallet>& out) {
    const auto leaf = Leaf::parse(leaf_entry);
    if (!leaf) return;
    if (leaf->type == LeafType::registration) collect_from<Registration>(leaf->statements.front(), out);
    if (leaf->type != LeafType::transfer) return;
    collect_from<Claim>(leaf->statements[0], out);
    collect_from<Answer>(leaf->statements[1], out);
    collect_from<Accept>(leaf->statements[2], out);
}

Result<void> check_current(const History& history, const Work& work) {
    if (history.registration.id != work.registration.id)
        return fail(Errc::bad_statement, "the work's history begins with another registration");
    if (history.owner() != work.owner || history.head() != work.head || history.seq() != work.seq)
        return fail(Errc::bad_statement, "the vault names another owner than the work's history proves");
    if (history.held() != work.held)
        return fail(Errc::bad_statement, "the vault's word on a hold is not the work's history's");
    return {};
}

Result<void> check_current(const History& history, const VerifiedClaim& claim) {
    SAT_TRY(check_title(history, claim));
    const Claim& asked = claim.claim.body;
    if (history.owner() != asked.owner || history.head() != asked.head || history.seq() != asked.seq)
        return fail(Errc::head_moved, "the work changed hands since this was claimed");
    return {};
}

Result<void> check_completed(const History& history, const VerifiedClaim& claim) {
    SAT_TRY(check_title(history, claim));
    const Claim& asked = claim.claim.body;
    // Without the sum: a seq is whatever a statement may hold.
    const bool there = asked.seq < history.records.size() - 1;
    const OwnershipRecord* before = there ? &history.records[asked.seq] : nullptr;
    const OwnershipRecord* made = there ? before + 1 : nullptr;
    if (!there || before->head != asked.head || made->owner != asked.iss || made->from != asked.owner)
        return fail(Errc::bad_statement,
                    "a claim is said to be completed, and the work's history has no such transfer");
    return {};
}

Result<void> check_yes(const VerifiedClaim& claim, UnixTime vault_now) {
    if (!claim.answer || !claim.answer->body.yes) return fail(Errc::bad_statement, "the owner's yes is missing");
    SAT_TRY(check_answer(claim));
    if (!claim.answer->body.exp || *claim.answer->body.exp <= vault_now || claim.claim.body.exp <= vault_now)
        return fail(Errc::expired, "the owner's yes has expired");
    return {};
}

}  // namespace sat
