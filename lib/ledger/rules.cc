// SPDX-License-Identifier: Apache-2.0
#include "ledger/rules.h"

#include <algorithm>

namespace sat {

namespace {

constexpr std::array<std::string_view, kClaimStates> kStateNames = {"none",     "pending",   "confirmed", "completed",
                                                                    "declined", "withdrawn", "expired",   "superseded"};
constexpr std::array<std::string_view, kClaimEvents> kEventNames = {"claim",  "yes",  "no",       "withdraw",
                                                                    "accept", "time", "overtaken"};

constexpr const Transition* find_row(ClaimState from, ClaimEvent event) noexcept {
    for (const Transition& row : kTransitions)
        if (row.from == from && row.event == event) return &row;
    return nullptr;
}

constexpr Who who_raises(ClaimEvent event) noexcept {
    for (const Transition& row : kTransitions)
        if (row.event == event) return row.who;
    return Who::vault;
}

// decide() asks who before it looks at the state: an event is always the same party's, and no pair has two rows.
constexpr bool table_is_sound() noexcept {
    for (const Transition& row : kTransitions)
        if (row.who != who_raises(row.event) || &row != find_row(row.from, row.event)) return false;
    return true;
}
static_assert(table_is_sound());

Result<void> check_who(Who who, const WorkFacts& work, const ClaimFacts* claim, const RuleEvent& event) {
    switch (who) {
        case Who::anyone_but_owner:
            if (event.actor == work.owner) return fail(Errc::forbidden, "the work is already yours");
            return {};
        case Who::owner:
            if (event.actor != work.owner) return fail(Errc::not_owner, "only the work's owner may answer");
            if (claim == nullptr) return fail(Errc::not_found, "no such claim");
            return {};
        case Who::collector:
            if (claim == nullptr) return fail(Errc::not_found, "no such claim");
            if (event.actor == claim->collector) return {};
            if (event.actor == work.owner) return fail(Errc::forbidden, "only the claim's collector may do this");
            return fail(Errc::not_found, "no such claim");
        case Who::vault:
            if (claim == nullptr) return fail(Errc::not_found, "no such claim");
            return {};
    }
    return fail(Errc::internal, "no such party");
}

Error state_refusal(ClaimState state) {
    switch (state) {
        case ClaimState::superseded:
            return {Errc::superseded, "somebody else owns the work now", {}};
        case ClaimState::expired:
            return {Errc::expired, "the claim has expired", {}};
        default:
            return {Errc::state, "the claim's state does not allow this", {}};
    }
}

bool at_head(const WorkFacts& work, const LeafHash& head, std::uint64_t seq) noexcept {
    return head == work.head && seq == work.seq;
}

// now < exp <= latest
Result<void> check_exp(UnixTime exp, UnixTime now, UnixTime latest) {
    if (exp <= now) return fail(Errc::expired, "the statement's deadline has passed");
    if (exp > latest) return fail(Errc::bad_statement, "the statement's deadline is too far away");
    return {};
}

// `claim` is null only where no row with a guard on it can be reached.
Result<void> check_guard(Guard guard, const WorkFacts& work, const ClaimFacts* claim, const OtherClaims& others,
                         const RuleEvent& event, UnixTime now) {
    switch (guard) {
        case Guard::none:
            return {};
        case Guard::claim_current:
            if (at_head(work, event.head, event.seq) && event.other == work.owner) return {};
            return fail(Errc::head_moved, "the work's owner has changed");
        case Guard::head_current:
            if (at_head(work, event.head, event.seq) && at_head(work, claim->head, claim->seq)) return {};
            return fail(Errc::head_moved, "the work's owner has changed");
        case Guard::not_held:
            if (!work.held) return {};
            return fail(Errc::held, "the operator holds the work");
        case Guard::none_by_actor:
            if (!others.open_by_actor) return {};
            return fail(Errc::state, "another claim of this wallet on the work is open");
        case Guard::below_limit:
            if (others.open < kMaxOpenClaims) return {};
            return fail(Errc::busy, "too many claims on the work are open", "try again later");
        case Guard::claim_exp:
            return check_exp(event.exp, now, now + kMaxClaimLife);
        case Guard::answer_ids:
            if (event.claim == claim->id && event.other == claim->collector) return {};
            return fail(Errc::bad_statement, "the answer names another claim or collector");
        case Guard::none_confirmed:
            if (!others.confirmed_at_head) return {};
            return fail(Errc::state, "another claim on the work is confirmed");
        case Guard::answer_exp:
            return check_exp(event.exp, now, std::min(now + kMaxAnswerLife, claim->exp));
        case Guard::claim_id:
            if (event.claim == claim->id) return {};
            return fail(Errc::bad_statement, "the statement names another claim");
        case Guard::accept_ids:
            if (claim->answer == event.answer) return {};
            return fail(Errc::bad_statement, "the acceptance names another answer");
        case Guard::deadline_passed:
            if (deadline(*claim) <= now) return {};
            return fail(Errc::state, "the claim's deadline has not come");
    }
    return fail(Errc::internal, "no such guard");
}

}  // namespace

std::string_view claim_state_name(ClaimState state) noexcept { return kStateNames[static_cast<std::size_t>(state)]; }

std::optional<ClaimState> parse_claim_state(std::string_view name) noexcept {
    for (std::size_t i = 1; i < kClaimStates; ++i)
        if (kStateNames[i] == name) return static_cast<ClaimState>(i);
    return std::nullopt;
}

std::string_view claim_event_name(ClaimEvent event) noexcept { return kEventNames[static_cast<std::size_t>(event)]; }

RuleEvent event_of(const Signed<Claim>& claim) {
    const Claim& body = claim.body;
    return {ClaimEvent::claim, body.iss, body.head, body.seq, body.owner, claim.id, {}, body.exp};
}

RuleEvent event_of(const Signed<Answer>& answer) {
    const Answer& body = answer.body;
    return {body.yes ? ClaimEvent::yes : ClaimEvent::no,
            body.iss,
            body.head,
            body.seq,
            body.to,
            body.claim,
            answer.id,
            body.exp.value_or(0)};
}

RuleEvent event_of(const Signed<Withdraw>& withdraw) {
    RuleEvent event;
    event.event = ClaimEvent::withdraw;
    event.actor = withdraw.body.iss;
    event.claim = withdraw.body.claim;
    return event;
}

RuleEvent event_of(const Signed<Accept>& accept) {
    const Accept& body = accept.body;
    return {ClaimEvent::accept, body.iss, body.head, body.seq, {}, body.claim, body.answer, 0};
}

UnixTime deadline(const ClaimFacts& claim) noexcept {
    if (claim.state == ClaimState::confirmed && claim.answer_exp) return std::min(claim.exp, *claim.answer_exp);
    return claim.exp;
}

ClaimState effective_state(const ClaimFacts& claim, UnixTime now) noexcept {
    return is_open(claim.state) && deadline(claim) <= now ? ClaimState::expired : claim.state;
}

Result<ClaimState> decide(const WorkFacts& work, const ClaimFacts* claim, const OtherClaims& others,
                          const RuleEvent& event, UnixTime now) {
    const Who who = who_raises(event.event);
    SAT_TRY(check_who(who, work, claim, event));

    // The vault's own events meet the recorded state, and where a deadline has come, time was first.
    const ClaimState recorded = claim == nullptr ? ClaimState::none : claim->state;
    const ClaimState effective = claim == nullptr ? ClaimState::none : effective_state(*claim, now);
    const ClaimState state = who == Who::vault ? recorded : effective;
    const ClaimEvent raised = who == Who::vault && effective != recorded ? ClaimEvent::time : event.event;

    const Transition* row = find_row(state, raised);
    if (row == nullptr) return fail(state_refusal(state));
    for (const Guard guard : row->guards) SAT_TRY(check_guard(guard, work, claim, others, event, now));
    return row->to;
}

}  // namespace sat
