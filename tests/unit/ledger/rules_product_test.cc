// decide() is kTransitions and nothing else: over every state, event, actor and combination of facts it gives what the
// table says, with the meaning of each guard and each refusal written down here a second time.  The model in
// tests/models/transfer.pml has the same meanings under the same names.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <optional>

#include "crypto/hash.h"
#include "ledger/rules.h"

namespace sat {
namespace {

constexpr UnixTime kNow = 1790000000;
constexpr UnixTime kAnswerExp = kNow + 500;
constexpr UnixTime kClaimExp = kNow + 1000;

enum class Exp { passed, good, far };

// One point of the product.
struct Facts {
    ClaimState state;
    ClaimEvent event;
    Who actor;           // owner, collector, or anyone_but_owner: neither of them
    bool event_at_head;  // the statement names the present head
    bool claim_at_head;  // so does the claim
    bool other;          // the claim is addressed to the owner; the answer to the collector
    bool claim_id;
    bool answer_id;
    bool held;
    bool open_by_actor;
    bool full;
    bool confirmed_at_head;
    bool deadline_passed;
    Exp exp;
};
constexpr unsigned kBits = 10;

Facts facts_of(ClaimState state, ClaimEvent event, Who actor, unsigned bits, Exp exp) {
    const auto bit = [bits](unsigned at) { return (bits >> at & 1U) != 0; };
    return {state, event, actor, bit(0), bit(1), bit(2), bit(3), bit(4), bit(5), bit(6), bit(7), bit(8), bit(9), exp};
}

class Product : public ::testing::Test {
public:
    Result<ClaimState> decided(const Facts& facts) const {
        const WorkFacts work{owner_, head_, 3, facts.held};
        ClaimFacts claim{claim_,
                         collector_,
                         facts.claim_at_head ? head_ : stale_,
                         facts.claim_at_head ? 3U : 2U,
                         kClaimExp,
                         facts.state,
                         {},
                         {}};
        if (facts.state == ClaimState::confirmed) {
            claim.answer = answer_;
            claim.answer_exp = kAnswerExp;
        }
        const UnixTime now = !facts.deadline_passed ? kNow : deadline(claim);
        const OtherClaims others{facts.full ? kMaxOpenClaims : kMaxOpenClaims - 1, facts.open_by_actor,
                                 facts.confirmed_at_head};
        RuleEvent event;
        event.event = facts.event;
        event.actor = facts.actor == Who::owner ? owner_ : facts.actor == Who::collector ? collector_ : stranger_;
        event.head = facts.event_at_head ? head_ : stale_;
        event.seq = facts.event_at_head ? 3U : 2U;
        const bool claims = facts.event == ClaimEvent::claim;
        event.other = !facts.other ? stranger_ : claims ? owner_ : collector_;
        event.claim = facts.claim_id ? claim_ : stale_;
        event.answer = facts.answer_id ? answer_ : stale_;
        const UnixTime latest = claims ? now + kMaxClaimLife : kClaimExp;
        event.exp = facts.exp == Exp::passed ? now : facts.exp == Exp::good ? latest : latest + 1;
        return decide(work, facts.state == ClaimState::none ? nullptr : &claim, others, event, now);
    }

private:
    static Digest named(std::string_view name) { return sha256(as_bytes(name)); }
    Digest owner_ = named("owner"), collector_ = named("collector"), stranger_ = named("stranger");
    Digest head_ = named("head"), stale_ = named("stale"), claim_ = named("claim"), answer_ = named("answer");
};

// The refusal of one guard, or nothing where it holds.
std::optional<Errc> refusal(Guard guard, const Facts& facts) {
    const auto unless = [](bool holds, Errc code) { return holds ? std::nullopt : std::optional(code); };
    switch (guard) {
        case Guard::none:
            return {};
        case Guard::claim_current:
            return unless(facts.event_at_head && facts.other, Errc::head_moved);
        case Guard::head_current:
            return unless(facts.event_at_head && facts.claim_at_head, Errc::head_moved);
        case Guard::not_held:
            return unless(!facts.held, Errc::held);
        case Guard::none_by_actor:
            return unless(!facts.open_by_actor, Errc::state);
        case Guard::below_limit:
            return unless(!facts.full, Errc::busy);
        case Guard::claim_exp:
        case Guard::answer_exp:
            return unless(facts.exp == Exp::good, facts.exp == Exp::passed ? Errc::expired : Errc::bad_statement);
        case Guard::answer_ids:
            return unless(facts.claim_id && facts.other, Errc::bad_statement);
        case Guard::none_confirmed:
            return unless(!facts.confirmed_at_head, Errc::state);
        case Guard::claim_id:
            return unless(facts.claim_id, Errc::bad_statement);
        case Guard::accept_ids:
            return unless(facts.answer_id, Errc::bad_statement);
        case Guard::deadline_passed:
            return unless(facts.deadline_passed, Errc::state);
    }
    return Errc::internal;
}

// The refusal of the party that raises the event, or nothing.
std::optional<Errc> refusal(Who who, const Facts& facts) {
    const bool recorded = facts.state != ClaimState::none;
    if (who == Who::anyone_but_owner) return facts.actor == Who::owner ? std::optional(Errc::forbidden) : std::nullopt;
    if (who == Who::owner && facts.actor != Who::owner) return Errc::not_owner;
    if (!recorded) return Errc::not_found;
    if (who == Who::collector && facts.actor == Who::owner) return Errc::forbidden;
    if (who == Who::collector && facts.actor != Who::collector) return Errc::not_found;
    return {};
}

struct Outcome {
    ClaimState next = ClaimState::none;
    Errc code{};
    bool operator==(const Outcome&) const = default;
};

Outcome by_the_table(const Facts& facts) {
    const auto refused = [](Errc code) { return Outcome{ClaimState::none, code}; };
    Who who = Who::vault;
    for (const Transition& row : kTransitions)
        if (row.event == facts.event) who = row.who;
    if (const auto code = refusal(who, facts)) return refused(*code);

    // A claim past its deadline counts as expired; an event of the vault's makes it so.
    const bool late = is_open(facts.state) && facts.deadline_passed;
    if (late && who == Who::vault) return {ClaimState::expired, {}};
    const ClaimState state = late ? ClaimState::expired : facts.state;
    for (const Transition& row : kTransitions) {
        if (row.from != state || row.event != facts.event) continue;
        for (const Guard guard : row.guards)
            if (const auto code = refusal(guard, facts)) return refused(*code);
        return {row.to, {}};
    }
    return refused(state == ClaimState::superseded ? Errc::superseded
                   : state == ClaimState::expired  ? Errc::expired
                                                   : Errc::state);
}

TEST_F(Product, DecideGivesWhatTheTableSaysForEveryCombinationOfFacts) {
    std::size_t tried = 0, allowed = 0, wrong = 0;
    for (std::size_t state = 0; state < kClaimStates; ++state) {
        for (std::size_t event = 0; event < kClaimEvents; ++event) {
            for (const Who actor : {Who::owner, Who::collector, Who::anyone_but_owner}) {
                for (unsigned bits = 0; bits < 1U << kBits; ++bits) {
                    for (const Exp exp : {Exp::passed, Exp::good, Exp::far}) {
                        const Facts facts =
                            facts_of(static_cast<ClaimState>(state), static_cast<ClaimEvent>(event), actor, bits, exp);
                        const auto next = decided(facts);
                        const Outcome outcome =
                            next ? Outcome{*next, {}} : Outcome{ClaimState::none, next.error().code};
                        ++tried;
                        allowed += next ? 1U : 0U;
                        if (outcome == by_the_table(facts)) continue;
                        ++wrong;
                        ADD_FAILURE() << claim_state_name(facts.state) << ' ' << claim_event_name(facts.event)
                                      << " actor " << static_cast<int>(actor) << " bits " << bits << " exp "
                                      << static_cast<int>(exp);
                        if (wrong == 10) GTEST_FAIL() << "and perhaps more";
                    }
                }
            }
        }
    }
    EXPECT_EQ(tried, kClaimStates * kClaimEvents * 3 * 1024 * 3);
    EXPECT_GT(allowed, 0U);
}

}  // namespace
}  // namespace sat
