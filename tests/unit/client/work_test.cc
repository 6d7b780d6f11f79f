// What a vault may tell about works and claims, and every way in which it may not.
// SPDX-License-Identifier: Apache-2.0
#include "client/work.h"

#include <gtest/gtest.h>

#include "unit/client/claim_scene.h"

namespace sat {
namespace {

Result<Work> verify_told(const WorkItem& item) {
    const IdentityLookup people = scene_people();
    return verify_work(item, {vault_party().chain, people});
}
Result<VerifiedClaim> verify_told(const ClaimItem& item) {
    const IdentityLookup people = scene_people();
    return verify_claim(item, {vault_party().chain, people});
}

TEST(VerifyWork, TakesWhatItsArtistSigned) {
    const WorkScene scene;
    const auto work = verify_told(scene.item());
    ASSERT_TRUE(work) << work.error().message;
    EXPECT_EQ(work->id(), scene.artwork);
    EXPECT_EQ(work->registration.body, scene.registration);
}

TEST(VerifyWork, RefusesAnothersSignatureAnotherVaultAndAnUnknownSigner) {
    WorkScene scene;
    WorkItem item = scene.item();
    item.registration = sign(scene.registration, person("bob").key);
    EXPECT_EQ(verify_told(item).error().code, Errc::bad_signature);
    scene.registration.vault = person("bob").wallet();
    EXPECT_EQ(verify_told(scene.item()).error().code, Errc::bad_statement);
    scene = WorkScene();
    scene.registration.iss = named("nobody");
    EXPECT_EQ(verify_told(scene.item()).error().code, Errc::bad_signature);
    item.registration = "a.b.c";
    EXPECT_EQ(verify_told(item).error().code, Errc::bad_statement);
}

TEST(VerifyClaim, TakesAClaimAndItsMessage) {
    ClaimScene scene;
    const auto claim = verify_told(scene.claim_item());
    ASSERT_TRUE(claim) << claim.error().message;
    EXPECT_EQ(claim->message, "May I have it?");
    EXPECT_EQ(claim->collector(), person("bob").wallet());
    EXPECT_EQ(claim->owner(), person("alice").wallet());
    EXPECT_FALSE(claim->reason);
}

TEST(VerifyClaim, TakesAnAnswerAndItsReason) {
    for (const bool yes : {true, false}) {
        ClaimScene scene;
        const auto claim = verify_told(scene.say(yes).claim_item());
        ASSERT_TRUE(claim) << claim.error().message;
        EXPECT_EQ(claim->answer->body.yes, yes);
        EXPECT_EQ(claim->reason, "With pleasure");
    }
}

TEST(VerifyClaim, RefusesAMessageThatWasExchangedAndLetsOneBeWithheld) {
    ClaimScene scene;
    ClaimItem item = scene.claim_item();
    item.claim_text->text = "I demand it";
    EXPECT_EQ(verify_told(item).error().code, Errc::bad_statement);
    item.claim_text.reset();
    EXPECT_FALSE(verify_told(item).value().message);
    ClaimScene silent;
    silent.claim.text_commit.reset();
    EXPECT_EQ(verify_told(silent.claim_item()).error().code, Errc::bad_statement) << "words that nobody said";
}

TEST(VerifyClaim, RefusesAClaimThatItsCollectorDidNotSign) {
    ClaimScene scene;
    scene.claimer = &person("carol");
    EXPECT_EQ(verify_told(scene.claim_item()).error().code, Errc::bad_signature);
}

TEST(VerifyClaim, RefusesAnAnswerThatBelongsElsewhere) {
    const std::vector<std::pair<const char*, std::function<void(Answer&)>>> lies = {
        {"another claim", [](Answer& a) { a.claim = named("another"); }},
        {"another collector", [](Answer& a) { a.to = person("carol").wallet(); }},
        {"another head", [](Answer& a) { a.head = named("another"); }},
        {"another seq", [](Answer& a) { a.seq = 7; }},
        {"another work", [](Answer& a) { a.artwork = ArtworkId::generate(); }},
    };
    for (const auto& [what, lie] : lies) {
        ClaimScene scene;
        scene.say(true);
        lie(*scene.answer);
        EXPECT_EQ(verify_told(scene.claim_item()).error().code, Errc::bad_statement) << what;
    }
    ClaimScene scene;
    scene.say(true).answerer = &person("carol");
    EXPECT_EQ(verify_told(scene.claim_item()).error().code, Errc::bad_signature);
    scene.answer->iss = person("carol").wallet();
    EXPECT_EQ(verify_told(scene.claim_item()).error().code, Errc::bad_statement) << "not the one who was asked";
}

TEST(VerifyClaim, RefusesAStateThatTheStatementsDoNotBearOut) {
    for (const ClaimState state : {ClaimState::confirmed, ClaimState::completed, ClaimState::declined}) {
        ClaimScene scene;
        scene.state = state;
        EXPECT_EQ(verify_told(scene.claim_item()).error().code, Errc::bad_statement) << claim_state_name(state);
    }
    ClaimScene no;
    no.say(false).state = ClaimState::confirmed;
    EXPECT_EQ(verify_told(no.claim_item()).error().code, Errc::bad_statement);
    ClaimScene yes;
    yes.say(true).state = ClaimState::pending;
    EXPECT_EQ(verify_told(yes.claim_item()).error().code, Errc::bad_statement);
}

TEST(VerifyClaim, RefusesAnotherWorksRegistration) {
    ClaimScene scene;
    ClaimItem item = scene.claim_item();
    item.registration = WorkScene().item().registration;
    EXPECT_EQ(verify_told(item).error().code, Errc::bad_statement);
}

TEST(CheckYes, HoldsUntilTheSoonerOfBothDeadlines) {
    ClaimScene scene;
    const VerifiedClaim claim = scene.say(true).verified();
    EXPECT_TRUE(check_yes(claim, kSceneTime + 499));
    EXPECT_EQ(check_yes(claim, kSceneTime + 500).error().code, Errc::expired);
    ClaimScene no;
    EXPECT_EQ(check_yes(no.say(false).verified(), kSceneTime).error().code, Errc::bad_statement);
}

TEST(CheckCurrent, AHistoryThatNamesAnotherOwnerIsNotBelieved) {
    WorkScene scene;
    const Work work = verify_told(scene.item()).value();
    History history{
        work.registration, {{0, work.owner, std::nullopt, kSceneTime, work.head, work.registration.id}}, {}};
    EXPECT_TRUE(check_current(history, work));
    History other = history;
    other.records.back().owner = person("bob").wallet();
    EXPECT_EQ(check_current(other, work).error().code, Errc::bad_statement);
    other = history;
    other.records.back().head = named("another");
    EXPECT_EQ(check_current(other, work).error().code, Errc::bad_statement);
    other = history;
    other.registration.id = named("another");
    EXPECT_EQ(check_current(other, work).error().code, Errc::bad_statement);
}

// The history of the claim's work as its owner has it, before anything came of the claim.
History history_before(const VerifiedClaim& claim) {
    return {claim.registration,
            {{0, claim.owner(), std::nullopt, kSceneTime, claim.claim.body.head, claim.registration.id}},
            {}};
}

TEST(CheckCurrent, AClaimHoldsAtTheHeadAndOnTheWorkThatItWasShownWith) {
    ClaimScene scene;
    const VerifiedClaim claim = scene.verified();
    const History history = history_before(claim);
    EXPECT_TRUE(check_current(history, claim));
    VerifiedClaim other = claim;
    other.claim.body.seq = 1;
    EXPECT_EQ(check_current(history, other).error().code, Errc::head_moved);
    other = claim;
    other.registration.id = named("another title");
    EXPECT_EQ(check_current(history, other).error().code, Errc::bad_statement);
}

TEST(CheckCompleted, BelievesATransferThatTheHistoryHolds) {
    ClaimScene scene;
    const VerifiedClaim claim = scene.say(true).verified();
    History history = history_before(claim);
    EXPECT_EQ(check_completed(history, claim).error().code, Errc::bad_statement) << "no transfer at all";
    history.records.push_back({1, claim.collector(), claim.owner(), kSceneTime, named("next"), named("accept")});
    EXPECT_TRUE(check_completed(history, claim));
    History onward = history;
    onward.records.push_back(
        {2, person("carol").wallet(), claim.collector(), kSceneTime, named("last"), named("another accept")});
    EXPECT_TRUE(check_completed(onward, claim)) << "what came after is of no account";

    History other = history;
    other.records[1].owner = person("carol").wallet();
    EXPECT_EQ(check_completed(other, claim).error().code, Errc::bad_statement);
    other = history;
    other.records[1].from = person("carol").wallet();
    EXPECT_EQ(check_completed(other, claim).error().code, Errc::bad_statement);
    other = history;
    other.records[0].head = named("another");
    EXPECT_EQ(check_completed(other, claim).error().code, Errc::bad_statement);
    other = history;
    other.registration.id = named("another title");
    EXPECT_EQ(check_completed(other, claim).error().code, Errc::bad_statement);
    for (const std::uint64_t seq : {std::uint64_t{1}, std::uint64_t{2}, ~std::uint64_t{0}}) {
        VerifiedClaim later = claim;
        later.claim.body.seq = seq;
        EXPECT_EQ(check_completed(history, later).error().code, Errc::bad_statement) << seq;
    }
}

TEST(CollectSigners, NamesEverybodyWhoseChainIsNeeded) {
    ClaimScene scene;
    std::vector<Wallet> signers;
    collect_signers(scene.say(true).claim_item(), signers);
    EXPECT_EQ(signers,
              (std::vector<Wallet>{person("alice").wallet(), person("bob").wallet(), person("alice").wallet()}));
    signers.clear();
    collect_signers("no leaf", signers);
    EXPECT_TRUE(signers.empty());
}

}  // namespace
}  // namespace sat
