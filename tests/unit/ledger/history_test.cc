// Histories of works: sound ones, and each way in which one can lie.
// SPDX-License-Identifier: Apache-2.0
#include "ledger/history.h"

#include <gtest/gtest.h>

#include "unit/ledger/ledger_scene.h"

namespace sat {
namespace {

TEST(History, OfThreeOwnersVerifies) {
    Ledger ledger = registered();
    ledger.transfer(person("bob")).transfer(person("carol")).transfer(person("alice"));
    const auto history = ledger.verify();
    ASSERT_TRUE(history) << history.error().message;
    ASSERT_EQ(history->records.size(), 4U);
    EXPECT_EQ(history->records[0].owner, person("alice").wallet());
    EXPECT_FALSE(history->records[0].from);
    EXPECT_EQ(history->records[1].owner, person("bob").wallet());
    EXPECT_EQ(history->records[1].from, person("alice").wallet());
    EXPECT_EQ(history->records[2].seq, 2U);
    EXPECT_EQ(history->records[2].at, kSceneTime + 20);
    EXPECT_EQ(history->owner(), person("alice").wallet());
    EXPECT_EQ(history->head(), ledger.head);
    EXPECT_EQ(history->seq(), 3U);
    EXPECT_FALSE(history->held());
    EXPECT_EQ(history->registration.body.title, "Boats");
}

TEST(History, HoldsAndReleasesAreNoOwnerships) {
    Ledger ledger = registered();
    ledger.hold_or_release<Hold>().hold_or_release<Release>();
    ledger.transfer(person("bob"));  // its head is the registration's leaf, not the release's
    ledger.hold_or_release<Hold>();
    const auto history = ledger.verify();
    ASSERT_TRUE(history) << history.error().message;
    ASSERT_EQ(history->holds.size(), 2U);
    EXPECT_EQ(history->holds[0].from, kSceneTime + 10);
    EXPECT_EQ(history->holds[0].until, kSceneTime + 20);
    EXPECT_EQ(history->holds[0].reason, "a question of title");
    EXPECT_TRUE(history->held());
    EXPECT_EQ(history->records.size(), 2U);
}

TEST(History, BeginsWithItsOneRegistration) {
    EXPECT_EQ(Ledger().verdict(), "bad_statement: the history is empty");
    Ledger twice = registered();
    twice.begin();
    EXPECT_EQ(twice.verdict(), "bad_statement: the work is registered twice");
    Ledger headless = registered();
    headless.transfer(person("bob"));
    headless.leaves.erase(headless.leaves.begin());
    EXPECT_EQ(headless.verdict(), "bad_statement: the history does not begin with a registration");
    EXPECT_EQ(Ledger().begin([](Registration& r) { r.artwork = ArtworkId::generate(); }).verdict(),
              "bad_statement: a statement about another work");
    EXPECT_EQ(Ledger().begin([](Registration& r) { r.vault = named("another vault"); }).verdict(),
              "bad_statement: a statement made for another vault");
    EXPECT_EQ(Ledger().begin([](Registration& r) { r.iss = person("bob").wallet(); }).verdict(),
              "bad_signature: the statement's signature is wrong");
    EXPECT_EQ(Ledger().begin([](Registration& r) { r.iss = named("nobody"); }).verdict(),
              "bad_signature: the identity of a signer is missing");
}

TEST(History, NoLeafMayBeLeftOutOrMoved) {
    Ledger ledger = registered();
    ledger.transfer(person("bob")).transfer(person("carol"));
    Ledger gap = ledger;
    gap.leaves.erase(gap.leaves.begin() + 1);
    EXPECT_EQ(gap.verdict(), "bad_statement: a transfer that does not follow the owner's leaf");
    Ledger swapped = ledger;
    std::swap(swapped.leaves[1], swapped.leaves[2]);
    EXPECT_EQ(swapped.verdict(), "bad_statement: a transfer that does not follow the owner's leaf");
    Ledger repeated = ledger;
    repeated.leaves.push_back(repeated.leaves.back());
    EXPECT_EQ(repeated.verdict(), "bad_statement: a transfer that does not follow the owner's leaf");
    // What leaving out the end cannot show is the checkpoint's business: a prefix is a history.
    ledger.leaves.pop_back();
    EXPECT_EQ(ledger.verdict(), "sound");
}

std::string with(const Lie& lie) { return registered().transfer(person("bob"), lie).verdict(); }

TEST(History, AThiefCannotSignForAnyOfTheThree) {
    const Person& carol = person("carol");
    EXPECT_EQ(with({}), "sound");
    Lie lie;
    lie.claimer = &carol;
    EXPECT_EQ(with(lie), "bad_signature: the statement's signature is wrong");
    lie = {};
    lie.answerer = &carol;
    EXPECT_EQ(with(lie), "bad_signature: the statement's signature is wrong");
    lie = {};
    lie.accepter = &carol;
    EXPECT_EQ(with(lie), "bad_signature: the statement's signature is wrong");
}

TEST(History, ThePresentOwnerAloneGivesTheWorkAway) {
    // Carol answers in her own name, with a good signature.
    Lie lie;
    lie.answer = [](Answer& a) { a.iss = person("carol").wallet(); };
    lie.answerer = &person("carol");
    EXPECT_EQ(with(lie), "bad_statement: the answer is not the claim's owner's");
    lie.claim = [](Claim& c) { c.owner = person("carol").wallet(); };
    EXPECT_EQ(with(lie), "bad_statement: a transfer by somebody who was not the owner");

    // After the hand-over the artist signs once more.
    Ledger ledger = registered();
    ledger.transfer(person("bob"));
    lie = {};
    lie.claim = [](Claim& c) { c.owner = person("alice").wallet(); };
    lie.answer = [](Answer& a) { a.iss = person("alice").wallet(); };
    lie.answerer = &person("alice");
    EXPECT_EQ(ledger.transfer(person("carol"), lie).verdict(),
              "bad_statement: a transfer by somebody who was not the owner");
}

TEST(History, TheThreeStatementsAgree) {
    Lie lie;
    lie.accept = [](Accept& a) { a.iss = person("carol").wallet(); };
    lie.accepter = &person("carol");
    EXPECT_EQ(with(lie), "bad_statement: a transfer's statements name different collectors");
    lie = {};
    lie.answer = [](Answer& a) { a.to = person("carol").wallet(); };
    EXPECT_EQ(with(lie), "bad_statement: a transfer's statements name different collectors");
    lie = {};
    lie.answer = [](Answer& a) { a.claim = named("another claim"); };
    EXPECT_EQ(with(lie), "bad_statement: a transfer's statements name different claims");
    lie = {};
    lie.accept = [](Accept& a) { a.claim = named("another claim"); };
    EXPECT_EQ(with(lie), "bad_statement: a transfer's statements name different claims");
    lie = {};
    lie.accept = [](Accept& a) { a.answer = named("another answer"); };
    EXPECT_EQ(with(lie), "bad_statement: the acceptance names another answer");
    lie = {};
    lie.answer = [](Answer& a) {
        a.yes = false;
        a.exp.reset();
    };
    EXPECT_EQ(with(lie), "bad_statement: the answer is not a yes");
    for (const auto& head : {named("one"), named("two")}) {
        lie = {};
        lie.answer = [&](Answer& a) { a.head = head; };
        EXPECT_EQ(with(lie), "bad_statement: a transfer's statements name different heads");
        lie = {};
        lie.accept = [&](Accept& a) { a.head = head; };
        EXPECT_EQ(with(lie), "bad_statement: a transfer's statements name different heads");
    }
    lie = {};
    lie.accept = [](Accept& a) { a.seq = 1; };
    EXPECT_EQ(with(lie), "bad_statement: a transfer's statements name different seqs");
    lie = {};
    lie.claim = [](Claim& c) { c.artwork = ArtworkId::generate(); };
    EXPECT_EQ(with(lie), "bad_statement: a statement about another work");
    lie = {};
    lie.accept = [](Accept& a) { a.vault = named("another vault"); };
    EXPECT_EQ(with(lie), "bad_statement: a statement made for another vault");
}

TEST(History, HeadAndSeqContinueFromTheOwnersLeaf) {
    Ledger ledger = registered();
    ledger.head = named("another leaf");
    EXPECT_EQ(ledger.transfer(person("bob")).verdict(),
              "bad_statement: a transfer that does not follow the owner's leaf");
    ledger = registered();
    ledger.seq = 1;
    EXPECT_EQ(ledger.transfer(person("bob")).verdict(), "bad_statement: a transfer with a wrong seq");
}

TEST(History, NobodyBuysFromThemselves) {
    EXPECT_EQ(registered().transfer(person("alice")).verdict(), "bad_statement: a transfer to the owner");
}

TEST(History, ATransferStandsBeforeBothDeadlines) {
    Lie lie;
    lie.delay = 499;
    EXPECT_EQ(with(lie), "sound");
    lie.delay = 500;
    EXPECT_EQ(with(lie), "bad_statement: a transfer after a deadline of its statements");
    lie.answer = [](Answer& a) { a.exp = kSceneTime + 1001; };
    EXPECT_EQ(with(lie), "bad_statement: the answer outlives its claim");
    lie.answer = [](Answer& a) { a.exp = kSceneTime + 1000; };
    lie.delay = 1000;
    EXPECT_EQ(with(lie), "bad_statement: a transfer after a deadline of its statements");
}

TEST(History, AHeldWorkIsNotTransferred) {
    Ledger ledger = registered();
    ledger.hold_or_release<Hold>().transfer(person("bob"));
    EXPECT_EQ(ledger.verdict(), "bad_statement: a transfer while the work was held");
}

TEST(History, HoldsAndReleasesComeInTurnsOnTheirHead) {
    EXPECT_EQ(registered().hold_or_release<Release>().verdict(),
              "bad_statement: a release of a work that was not held");
    EXPECT_EQ(registered().hold_or_release<Hold>().hold_or_release<Hold>().verdict(),
              "bad_statement: a hold on a work that was held");
    EXPECT_EQ(registered().hold_or_release<Hold>([](Hold& h) { h.on = named("other"); }).verdict(),
              "bad_statement: a hold on another head");
    EXPECT_EQ(registered()
                  .hold_or_release<Hold>()
                  .hold_or_release<Release>([](Release& r) { r.on = named("other"); })
                  .verdict(),
              "bad_statement: a release on another head");
}

TEST(History, OnlyTheVaultsLogKeyHolds) {
    Ledger ledger = registered();
    Hold hold = said_by_vault<Hold>();
    hold.artwork = ledger.artwork;
    hold.on = ledger.head;
    hold.reason = "forged";
    ledger.add({LeafType::hold, ledger.now, {sign(hold, test_log_key("other"))}});
    EXPECT_EQ(ledger.verdict(), "bad_signature: the statement's signature is wrong");
}

TEST(History, IsReadUnderAVaultsIdentityOnly) {
    const Ledger ledger = registered();
    const auto history = verify_history(
        ledger.artwork, person("bob").chain, [](const Wallet&) { return nullptr; }, ledger.leaves);
    EXPECT_EQ(history.error().code, Errc::bad_statement);
}

TEST(History, AnyFlippedBitOfATransferIsRefused) {
    Ledger ledger = registered();
    ledger.transfer(person("bob"));
    const std::string entry = ledger.leaves[1];
    for (std::size_t at = 0; at < entry.size(); ++at) {
        ledger.leaves[1] = entry;
        ledger.leaves[1][at] = static_cast<char>(ledger.leaves[1][at] ^ 1);
        const auto history = ledger.verify();
        // The leaf's own time is the vault's word: within the deadlines it verifies, under another hash.
        if (history) {
            EXPECT_NE(history->head(), leaf_hash(entry));
            EXPECT_NE(history->records.back().at, ledger.now);
        }
    }
}

}  // namespace
}  // namespace sat
