// The transfer's rules: one pure function from (work, claim, event, now) to the claim's next state or a named refusal.
// The table below is the protocol's ("Statements"), as data; decide() adds nothing to it but the order of refusals.
//
//              claim           yes              accept
//     (none) --------> pending -----> confirmed --------> completed     (every other open claim: overtaken)
//                         |               |
//                         +---------------+-- no -------> declined
//                         |               |-- withdraw -> withdrawn
//                         |               |-- time -----> expired
//                         |               +-- overtaken > superseded
//
// Time is an argument.  A deadline that has come is as good as swept: an open claim past its deadline is treated as
// expired, whether or not anyone has raised `time` yet, so that no outcome hangs on when a sweeper ran.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "ledger/statement.h"

namespace sat {

inline constexpr UnixTime kDay = 86400;
inline constexpr UnixTime kMaxClaimLife = 30 * kDay;
inline constexpr UnixTime kDefaultClaimLife = 14 * kDay;
inline constexpr UnixTime kMaxAnswerLife = 7 * kDay;  // of a yes, and its default
inline constexpr std::size_t kMaxOpenClaims = 50;     // on one work

enum class ClaimState { none, pending, confirmed, completed, declined, withdrawn, expired, superseded };
inline constexpr std::size_t kClaimStates = 8;
std::string_view claim_state_name(ClaimState state) noexcept;  // "pending"; "none" never leaves a program
// Nothing for a word that names no state a claim can be in.
std::optional<ClaimState> parse_claim_state(std::string_view name) noexcept;
constexpr bool is_open(ClaimState state) noexcept {
    return state == ClaimState::pending || state == ClaimState::confirmed;
}

enum class ClaimEvent {
    claim,
    yes,
    no,
    withdraw,
    accept,
    time,       // a deadline has come
    overtaken,  // another claim on the work was completed
};
inline constexpr std::size_t kClaimEvents = 7;
std::string_view claim_event_name(ClaimEvent event) noexcept;

// Who may raise an event.
enum class Who {
    anyone_but_owner,
    owner,      // of the work, now
    collector,  // who opened the claim
    vault,      // nobody from outside
};

// What must hold besides, each with the refusal that it gives; judged in the order in which a row has them.
enum class Guard {
    none,
    claim_current,    // statement's owner, head, seq are the work's           head_moved
    head_current,     // statement's and claim's head, seq are the work's      head_moved
    not_held,         //                                                       held
    none_by_actor,    // no other open claim of this wallet on the work        state
    below_limit,      // fewer than kMaxOpenClaims open on the work            busy
    claim_exp,        // now < exp                                             expired
                      // exp <= now + 30 d                                     bad_statement
    answer_ids,       // the statement names this claim and its collector      bad_statement
    none_confirmed,   // no other claim confirmed at this head                 state
    answer_exp,       // now < exp                                             expired
                      // exp <= min(now + 7 d, the claim's exp)                bad_statement
    claim_id,         // the statement names this claim                        bad_statement
    accept_ids,       // and the answer that confirmed it                      bad_statement
    deadline_passed,  // the claim's exp, or when confirmed the answer's       state
};

inline constexpr std::size_t kMaxGuards = 6;

struct Transition {
    ClaimState from;
    ClaimEvent event;
    Who who;
    std::array<Guard, kMaxGuards> guards;  // filled up with Guard::none
    ClaimState to;
};

inline constexpr std::array<Transition, 11> kTransitions = {{
    {ClaimState::none,
     ClaimEvent::claim,
     Who::anyone_but_owner,
     {Guard::claim_current, Guard::not_held, Guard::none_by_actor, Guard::below_limit, Guard::claim_exp},
     ClaimState::pending},
    {ClaimState::pending,
     ClaimEvent::yes,
     Who::owner,
     {Guard::head_current, Guard::not_held, Guard::answer_ids, Guard::none_confirmed, Guard::answer_exp},
     ClaimState::confirmed},
    {ClaimState::pending, ClaimEvent::no, Who::owner, {Guard::head_current, Guard::answer_ids}, ClaimState::declined},
    {ClaimState::confirmed, ClaimEvent::no, Who::owner, {Guard::head_current, Guard::answer_ids}, ClaimState::declined},
    {ClaimState::pending, ClaimEvent::withdraw, Who::collector, {Guard::claim_id}, ClaimState::withdrawn},
    {ClaimState::confirmed, ClaimEvent::withdraw, Who::collector, {Guard::claim_id}, ClaimState::withdrawn},
    {ClaimState::confirmed,
     ClaimEvent::accept,
     Who::collector,
     {Guard::head_current, Guard::claim_id, Guard::accept_ids, Guard::not_held},
     ClaimState::completed},
    {ClaimState::pending, ClaimEvent::time, Who::vault, {Guard::deadline_passed}, ClaimState::expired},
    {ClaimState::confirmed, ClaimEvent::time, Who::vault, {Guard::deadline_passed}, ClaimState::expired},
    {ClaimState::pending, ClaimEvent::overtaken, Who::vault, {}, ClaimState::superseded},
    {ClaimState::confirmed, ClaimEvent::overtaken, Who::vault, {}, ClaimState::superseded},
}};

// The work as the catalogue has it, in the transaction.
struct WorkFacts {
    Wallet owner;
    LeafHash head;
    std::uint64_t seq = 0;
    bool held = false;
};

// The claim that the event is about, as recorded.
struct ClaimFacts {
    StatementId id;
    Wallet collector;
    LeafHash head;
    std::uint64_t seq = 0;
    UnixTime exp = 0;
    ClaimState state = ClaimState::pending;
    std::optional<StatementId> answer;   // of the yes, when confirmed
    std::optional<UnixTime> answer_exp;  // likewise
};

// The other open claims on the work, counting none whose deadline has come.
struct OtherClaims {
    std::size_t open = 0;
    bool open_by_actor = false;
    bool confirmed_at_head = false;
};

// What an event says.  Which members count depends on the event; event_of() fills them from a verified statement.
struct RuleEvent {
    ClaimEvent event = ClaimEvent::time;
    Wallet actor;  // who signed it; of no account for time and overtaken
    LeafHash head;
    std::uint64_t seq = 0;
    Wallet other;        // claim: the owner it is addressed to; answers: `to`
    StatementId claim;   // claim: its own id
    StatementId answer;  // accept
    UnixTime exp = 0;    // claim, yes
};
RuleEvent event_of(const Signed<Claim>& claim);
RuleEvent event_of(const Signed<Answer>& answer);
RuleEvent event_of(const Signed<Withdraw>& withdraw);
RuleEvent event_of(const Signed<Accept>& accept);

// The moment at which an open claim expires: its exp or, when confirmed, the sooner of that and the answer's.
UnixTime deadline(const ClaimFacts& claim) noexcept;
// The recorded state, or expired where it is open and its deadline has come (deadline <= now).
ClaimState effective_state(const ClaimFacts& claim, UnixTime now) noexcept;

// The next state.  `claim` is null where none is recorded (always for the event claim); a repeat of a statement is
// not an event: look its id up first.  Refusals, in the order in which they are judged:
//   who: an answer by anybody but the owner not_owner (whatever claim it names); a claim on one's own work forbidden;
//        no such claim, or another wallet's, not_found (forbidden where the actor owns the work);
//   state: superseded, expired, or state for any other state that does not allow the event;
//   the row's guards, as at Guard.
// An event of the vault's that meets a claim past its deadline gives expired.
Result<ClaimState> decide(const WorkFacts& work, const ClaimFacts* claim, const OtherClaims& others,
                          const RuleEvent& event, UnixTime now);

}  // namespace sat
