// Steps 8 to 11: claims, answers, acceptances, their refusals, races and deadlines.
// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "ledger/leaf.h"
#include "store/sqlite.h"
#include "unit/vault/fixture.h"

namespace sat {
namespace {

using Strings = std::vector<std::string>;

class ClaimsTest : public VaultTest {
protected:
    void SetUp() override {
        VaultTest::SetUp();
        artwork = upload(ada);
    }

    const Party& ada = party("ada");
    const Party& ben = party("ben");
    const Party& cyd = party("cyd");
    ArtworkId artwork;
};

TEST_F(ClaimsTest, HandsAWorkOverInThreeSignedSteps) {
    auto body = claim_body(ben, artwork);
    const SaltedText message = SaltedText::draw("for my mother's birthday").value();
    body.text_commit = message.commit();
    const auto asked = signed_by(ben, body);
    const auto opened = ask_as(ben, ClaimOpenRequest{asked.jws, message}).value();
    EXPECT_EQ(opened.state, ClaimState::pending);
    EXPECT_EQ(opened.claim_text, message);
    EXPECT_EQ(opened.asked_at, kStart);
    EXPECT_EQ(opened.answer_by, kStart + kDefaultClaimLife);
    EXPECT_EQ(told(ada), (Strings{"opened pending"}));
    EXPECT_EQ(told(ben), Strings{});
    const auto inbox = ask_as(ada, ClaimInboxRequest{}).value();
    ASSERT_EQ(inbox.items.size(), 1U);
    EXPECT_EQ(inbox.items[0], opened);

    now += 60;
    auto yes = answer_body(ada, asked, true);
    const SaltedText reply = SaltedText::draw("gladly").value();
    yes.text_commit = reply.commit();
    const auto answered = signed_by(ada, yes);
    const auto confirmed = ask_as(ada, ClaimAnswerRequest{answered.jws, reply}).value();
    EXPECT_EQ(confirmed.state, ClaimState::confirmed);
    EXPECT_EQ(confirmed.answer, answered.jws);
    EXPECT_EQ(confirmed.answer_text, reply);
    EXPECT_EQ(confirmed.changed_at, kStart + 60);
    EXPECT_EQ(confirmed.answer_by, kStart + 60 + kMaxAnswerLife);
    EXPECT_EQ(told(ada), (Strings{"changed confirmed"}));
    EXPECT_EQ(told(ben), (Strings{"changed confirmed"}));

    now += 60;
    const LeafHash first = work(artwork).head;
    const auto done = accept(ben, asked, answered).value();
    EXPECT_EQ(done.claim.state, ClaimState::completed);
    EXPECT_FALSE(done.claim.answer_by);
    const auto receipt = parse_and_verify<Receipt>(done.receipt, vault->keys().chain).value();
    EXPECT_EQ(receipt.body.status, ReceiptStatus::completed);
    EXPECT_EQ(told(ada), (Strings{"changed completed"}));
    EXPECT_EQ(told(ben), (Strings{"changed completed"}));

    const WorkItem now_of_ben = work(artwork);
    EXPECT_EQ(now_of_ben.owner, ben.wallet());
    EXPECT_EQ(now_of_ben.seq, 1U);
    EXPECT_EQ(now_of_ben.head, receipt.body.leaf);
    EXPECT_NE(now_of_ben.head, first);
    const History past = history(artwork).value();
    EXPECT_EQ(past.owner(), ben.wallet());
    EXPECT_EQ(past.head(), receipt.body.leaf);
    EXPECT_TRUE(ask_as(ada, ClaimInboxRequest{})->items.empty());
    EXPECT_EQ(vault->status().open_claims, 0U);
}

// Somebody who can write to the database, and two wallets of theirs: the rules would let the work go.
TEST_F(ClaimsTest, ARowThatItsLeavesContradictMovesNoWork) {
    const auto alter = [&](const std::string& change) {
        auto db = SqliteConnection::open(directory / "data/catalog.sqlite", SqliteConnection::Access::write).value();
        ASSERT_TRUE(db->execute(("UPDATE works SET " + change).c_str()));
    };
    const LeafHash before = work(artwork).head;
    alter("owner = x'" + cyd.wallet().hex() + "'");
    const auto asked = claim(ben, artwork);
    const auto said = answer(cyd, asked);
    EXPECT_EQ(code_of(accept(ben, asked, said)), Errc::internal);
    EXPECT_EQ(code_of(vault->hold(artwork, "a look at it")), Errc::io_error);
    EXPECT_EQ(history(artwork)->records.size(), 1U) << "nothing was appended";
    alter("owner = x'" + ada.wallet().hex() + "', seq = 5");
    EXPECT_EQ(code_of(vault->hold(artwork, "a look at it")), Errc::io_error);
    alter("seq = 0, held = 1");
    EXPECT_EQ(code_of(vault->release(artwork, "looked at")), Errc::io_error);
    alter("held = 0");
    EXPECT_EQ(work(artwork).head, before);
    EXPECT_TRUE(vault->hold(artwork, "a look at it")) << "as it was, it goes on";
}

TEST_F(ClaimsTest, AsksTheNewOwnerAtTheSecondHandOver) {
    hand_over(ada, ben, artwork);
    const auto asked = claim(cyd, artwork);
    EXPECT_EQ(asked.body.owner, ben.wallet());
    EXPECT_EQ(ask_as(ben, ClaimInboxRequest{})->items.size(), 1U);
    EXPECT_TRUE(ask_as(ada, ClaimInboxRequest{})->items.empty());
    EXPECT_EQ(code_of(send_answer(ada, signed_by(ada, answer_body(ada, asked, true)))), Errc::not_owner);
    const auto said = answer(ben, asked);
    ASSERT_TRUE(accept(cyd, asked, said));
    EXPECT_EQ(work(artwork).owner, cyd.wallet());
    EXPECT_EQ(work(artwork).seq, 2U);
    EXPECT_EQ(history(artwork)->records.size(), 3U);

    // And back to where it began: no consent of an earlier round is good in a later one.
    hand_over(cyd, ada, artwork);
    EXPECT_EQ(work(artwork).seq, 3U);
    EXPECT_EQ(ask_as(ben, ArtworkHistoryRequest{artwork, 2})->leaves.size(), 2U);
    EXPECT_TRUE(history(artwork));
}

TEST_F(ClaimsTest, RefusesAClaimThatIsNotInOrder) {
    const auto refused = [&](const Party& who, const std::function<void(Claim&)>& spoil) {
        Claim body = claim_body(who, artwork);
        spoil(body);
        return code_of(open_claim(who, signed_by(who, body)));
    };
    EXPECT_EQ(refused(ada, [](Claim&) {}), Errc::forbidden);
    EXPECT_EQ(refused(ben, [](Claim& c) { c.artwork = ArtworkId::generate(); }), Errc::not_found);
    EXPECT_EQ(refused(ben, [](Claim& c) { c.head = Digest{}; }), Errc::head_moved);
    EXPECT_EQ(refused(ben, [](Claim& c) { c.seq = 1; }), Errc::head_moved);
    EXPECT_EQ(refused(ben, [&](Claim& c) { c.owner = cyd.wallet(); }), Errc::head_moved);
    EXPECT_EQ(refused(ben, [&](Claim& c) { c.exp = now; }), Errc::expired);
    EXPECT_EQ(refused(ben, [&](Claim& c) { c.exp = now + kMaxClaimLife + 1; }), Errc::bad_statement);
    EXPECT_EQ(refused(ben, [&](Claim& c) { c.vault = cyd.wallet(); }), Errc::bad_statement);
    EXPECT_EQ(refused(ben, [&](Claim& c) { c.iss = cyd.wallet(); }), Errc::bad_signature);
    EXPECT_EQ(refused(ben, [](Claim& c) { c.seen = TreeHead{}; }), Errc::checkpoint_inconsistent);
    EXPECT_EQ(refused(ben, [](Claim& c) { c.text_commit = Digest{}; }), Errc::bad_statement);
    const auto plain = signed_by(ben, claim_body(ben, artwork));
    const SaltedText text = SaltedText::draw("hello").value();
    EXPECT_EQ(code_of(ask_as(ben, ClaimOpenRequest{plain.jws, text})), Errc::bad_statement);
    Claim other = claim_body(ben, artwork);
    other.text_commit = SaltedText::draw("other").value().commit();
    EXPECT_EQ(code_of(ask_as(ben, ClaimOpenRequest{signed_by(ben, other).jws, text})), Errc::hash_mismatch);
    EXPECT_EQ(code_of(ask_as(cyd, ClaimOpenRequest{plain.jws, std::nullopt})), Errc::bad_signature);
    EXPECT_EQ(code_of(ask_as(ben, ClaimOpenRequest{"a.b.c", std::nullopt})), Errc::bad_statement);
    EXPECT_EQ(vault->status().open_claims, 0U);
    EXPECT_EQ(told(ada), Strings{});

    claim(ben, artwork);
    EXPECT_EQ(refused(ben, [](Claim&) {}), Errc::state);
}

TEST_F(ClaimsTest, RefusesAnAnswerThatIsNotInOrder) {
    const auto asked = claim(ben, artwork);
    const auto refused = [&](const Party& who, bool yes, const std::function<void(Answer&)>& spoil) {
        Answer body = answer_body(who, asked, yes);
        spoil(body);
        return code_of(send_answer(who, signed_by(who, body)));
    };
    EXPECT_EQ(refused(cyd, true, [](Answer&) {}), Errc::not_owner);
    EXPECT_EQ(refused(ben, true, [](Answer&) {}), Errc::not_owner);
    EXPECT_EQ(refused(cyd, true, [](Answer& a) { a.claim = Digest{}; }), Errc::not_owner);
    EXPECT_EQ(refused(ada, true, [](Answer& a) { a.claim = Digest{}; }), Errc::not_found);
    EXPECT_EQ(refused(ada, true, [](Answer& a) { a.artwork = ArtworkId::generate(); }), Errc::not_found);
    EXPECT_EQ(refused(ada, true, [](Answer& a) { a.head = Digest{}; }), Errc::head_moved);
    EXPECT_EQ(refused(ada, false, [](Answer& a) { a.seq = 1; }), Errc::head_moved);
    EXPECT_EQ(refused(ada, true, [&](Answer& a) { a.to = cyd.wallet(); }), Errc::bad_statement);
    EXPECT_EQ(refused(ada, true, [&](Answer& a) { a.exp = now; }), Errc::expired);
    EXPECT_EQ(refused(ada, true, [&](Answer& a) { a.exp = now + kMaxAnswerLife + 1; }), Errc::bad_statement);
    // A claim on another of her works.
    const ArtworkId second = upload(ada);
    const auto elsewhere = claim(ben, second);
    EXPECT_EQ(refused(ada, true, [&](Answer& a) { a.claim = elsewhere.id; }), Errc::not_found);
    EXPECT_EQ(state_of(ben, asked.id), ClaimState::pending);
}

TEST_F(ClaimsTest, ConfirmsOneClaimAtATime) {
    const auto of_ben = claim(ben, artwork);
    const auto of_cyd = claim(cyd, artwork);
    const auto yes = answer(ada, of_ben);
    EXPECT_EQ(code_of(send_answer(ada, signed_by(ada, answer_body(ada, of_cyd, true)))), Errc::state);
    EXPECT_EQ(code_of(send_answer(ada, signed_by(ada, answer_body(ada, of_ben, true)))), Errc::state);
    // She takes the first yes back; then the other may be confirmed, and the first can no longer be accepted.
    answer(ada, of_ben, false);
    answer(ada, of_cyd);
    EXPECT_EQ(code_of(accept(ben, of_ben, yes)), Errc::state);
    EXPECT_EQ(state_of(ben, of_ben.id), ClaimState::declined);
    EXPECT_EQ(state_of(cyd, of_cyd.id), ClaimState::confirmed);
}

TEST_F(ClaimsTest, SupersedesTheOthersWhenOneIsCompleted) {
    const auto of_ben = claim(ben, artwork);
    const auto of_cyd = claim(cyd, artwork);
    const auto yes = answer(ada, of_ben);
    told(ada), told(ben), told(cyd);
    ASSERT_TRUE(accept(ben, of_ben, yes));
    EXPECT_EQ(told(cyd), (Strings{"changed superseded"}));
    EXPECT_EQ(told(ben), (Strings{"changed completed"}));
    EXPECT_EQ(told(ada), (Strings{"changed completed"}));
    EXPECT_EQ(state_of(cyd, of_cyd.id), ClaimState::superseded);
    // Ada does not own it any more; Ben does, but this claim was not addressed to him.
    EXPECT_EQ(code_of(send_answer(ada, signed_by(ada, answer_body(ada, of_cyd, true)))), Errc::not_owner);
    EXPECT_EQ(code_of(send_answer(ben, signed_by(ben, answer_body(ben, of_cyd, true)))), Errc::superseded);
    EXPECT_EQ(vault->status().open_claims, 0U);
    // She may claim again, from the new owner.
    claim(cyd, artwork);
}

TEST_F(ClaimsTest, DeclinesWithAReasonAndWithdraws) {
    const auto of_ben = claim(ben, artwork);
    const auto of_cyd = claim(cyd, artwork);
    Answer no = answer_body(ada, of_ben, false);
    const SaltedText reason = SaltedText::draw("I keep it").value();
    no.text_commit = reason.commit();
    const auto declined = ask_as(ada, ClaimAnswerRequest{signed_by(ada, no).jws, reason}).value();
    EXPECT_EQ(declined.state, ClaimState::declined);
    EXPECT_EQ(ask_as(ben, ClaimGetRequest{of_ben.id})->answer_text, reason);

    const auto withdrawal = [&](const Party& who, const StatementId& id) {
        auto body = said_by<Withdraw>(who);
        body.artwork = artwork;
        body.claim = id;
        return ask_as(who, ClaimWithdrawRequest{sign(body, who.sign)});
    };
    EXPECT_EQ(code_of(withdrawal(ben, of_ben.id)), Errc::state);
    EXPECT_EQ(code_of(withdrawal(ben, of_cyd.id)), Errc::not_found);
    EXPECT_EQ(code_of(withdrawal(ada, of_cyd.id)), Errc::forbidden);
    EXPECT_EQ(code_of(withdrawal(cyd, Digest{})), Errc::not_found);
    told(ada), told(cyd);
    EXPECT_EQ(withdrawal(cyd, of_cyd.id)->state, ClaimState::withdrawn);
    EXPECT_EQ(told(ada), (Strings{"changed withdrawn"}));
    EXPECT_EQ(told(cyd), (Strings{"changed withdrawn"}));
    EXPECT_EQ(code_of(send_answer(ada, signed_by(ada, answer_body(ada, of_cyd, true)))), Errc::state);
}

TEST_F(ClaimsTest, RefusesAnAcceptanceThatIsNotInOrder) {
    const auto asked = claim(ben, artwork);
    const auto refused = [&](const std::function<void(Accept&, SaltedMetadata&)>& spoil, const Signed<Answer>& said) {
        ClaimAcceptRequest request = acceptance(ben, asked, said);
        Accept body = parse_statement<Accept>(request.accept)->body;
        spoil(body, request.metadata);
        request.accept = sign(body, ben.sign);
        return code_of(ask_as(ben, request));
    };
    const auto nothing = [](Accept&, SaltedMetadata&) {};
    const auto early = signed_by(ada, answer_body(ada, asked, true));
    EXPECT_EQ(refused(nothing, early), Errc::state);  // pending: nobody said yes
    const auto yes = answer(ada, asked);
    EXPECT_EQ(refused(nothing, early), Errc::bad_statement);
    EXPECT_EQ(refused([](Accept& a, SaltedMetadata&) { a.head = Digest{}; }, yes), Errc::head_moved);
    EXPECT_EQ(refused([](Accept& a, SaltedMetadata&) { a.claim = Digest{}; }, yes), Errc::not_found);
    EXPECT_EQ(refused([](Accept& a, SaltedMetadata&) { a.metadata_commit = Digest{}; }, yes), Errc::hash_mismatch);
    const auto with_metadata = [&](const std::string& text) {
        return refused(
            [&](Accept& a, SaltedMetadata& m) {
                m = SaltedMetadata::draw(text).value();
                a.metadata_commit = m.commit();
            },
            yes);
    };
    const std::string mine = ben.wallet().hex();
    EXPECT_EQ(with_metadata("not json"), Errc::bad_statement);
    EXPECT_EQ(with_metadata("[]"), Errc::bad_statement);
    EXPECT_EQ(with_metadata(R"({"name":"B","contact":""})"), Errc::bad_statement);
    EXPECT_EQ(with_metadata(R"({"name":"B","contact":"","wallet_address":")" + mine + R"(","x":1})"),
              Errc::bad_statement);
    EXPECT_EQ(
        with_metadata(R"({"name":")" + std::string(201, 'x') + R"(","contact":"","wallet_address":")" + mine + "\"}"),
        Errc::bad_statement);
    EXPECT_EQ(with_metadata(R"({"name":"B","contact":"","wallet_address":")" + cyd.wallet().hex() + "\"}"),
              Errc::bad_statement);
    EXPECT_EQ(code_of(accept(cyd, asked, yes)), Errc::not_found);
    EXPECT_EQ(code_of(accept(ada, asked, yes)), Errc::forbidden);
    EXPECT_EQ(work(artwork).owner, ada.wallet());
    EXPECT_FALSE(code_of(accept(ben, asked, yes)));
}

TEST_F(ClaimsTest, ShowsAClaimToItsTwoPartiesAlone) {
    const auto asked = claim(ben, artwork);
    EXPECT_EQ(code_of(ask_as(cyd, ClaimGetRequest{asked.id})), Errc::not_found);
    EXPECT_EQ(code_of(ask_as(ben, ClaimGetRequest{Digest{}})), Errc::not_found);
    EXPECT_EQ(state_of(ada, asked.id), ClaimState::pending);
    EXPECT_EQ(state_of(ben, asked.id), ClaimState::pending);
    const auto yes = answer(ada, asked);
    ASSERT_TRUE(accept(ben, asked, yes));
    hand_over(ben, cyd, artwork);
    // Cyd owns it now; the first hand-over is still between Ada and Ben.
    EXPECT_EQ(code_of(ask_as(cyd, ClaimGetRequest{asked.id})), Errc::not_found);
    EXPECT_EQ(state_of(ada, asked.id), ClaimState::completed);
    EXPECT_EQ(state_of(ben, asked.id), ClaimState::completed);
    EXPECT_EQ(ask_as(ben, ClaimMineRequest{})->items.size(), 1U);
    EXPECT_TRUE(ask_as(ada, ClaimMineRequest{})->items.empty());
}

TEST_F(ClaimsTest, PagesInboxAndMine) {
    std::vector<ArtworkId> works{artwork};
    for (int i = 0; i < 54; ++i) works.push_back(upload_titled(ada, "T" + std::to_string(i)));
    std::vector<std::string> wanted;
    for (const ArtworkId& id : works) wanted.push_back(claim(ben, id).jws);
    const auto inbox = ask_as(ada, ClaimInboxRequest{}).value();
    EXPECT_EQ(inbox.items.size(), kMaxPageItems);
    const auto rest = ask_as(ada, ClaimInboxRequest{inbox.next_cursor}).value();
    EXPECT_FALSE(rest.next_cursor);
    Strings seen;
    for (const auto* page : {&inbox, &rest})
        for (const ClaimItem& item : page->items) seen.push_back(item.claim);
    EXPECT_EQ(seen, wanted);

    const auto mine = ask_as(ben, ClaimMineRequest{}).value();
    const auto older = ask_as(ben, ClaimMineRequest{std::nullopt, mine.next_cursor}).value();
    seen.clear();
    for (const auto* page : {&mine, &older})
        for (const ClaimItem& item : page->items) seen.insert(seen.begin(), item.claim);
    EXPECT_EQ(seen, wanted);
    EXPECT_EQ(ask_as(ben, ClaimMineRequest{works[3], std::nullopt})->items.size(), 1U);
}

TEST_F(ClaimsTest, LetsAPendingClaimExpire) {
    auto body = claim_body(ben, artwork);
    body.exp = now + 100;
    const auto asked = signed_by(ben, body);
    ASSERT_TRUE(open_claim(ben, asked));
    EXPECT_EQ(vault->expire_due().next, kStart + 100);
    told(ada), told(ben);
    now = kStart + 99;
    EXPECT_EQ(vault->expire_due().next, kStart + 100);
    EXPECT_EQ(ask_as(ada, ClaimInboxRequest{})->items.size(), 1U);
    EXPECT_EQ(told(ben), Strings{});

    // The deadline counts from its second on, swept or not.
    now = kStart + 100;
    EXPECT_TRUE(ask_as(ada, ClaimInboxRequest{})->items.empty());
    const auto before = ask_as(ben, ClaimGetRequest{asked.id}).value();
    EXPECT_EQ(before.state, ClaimState::expired);
    EXPECT_EQ(before.changed_at, kStart + 100);
    EXPECT_EQ(code_of(send_answer(ada, signed_by(ada, answer_body(ada, asked, true)))), Errc::expired);
    now = kStart + 150;
    EXPECT_EQ(vault->expire_due().next, std::nullopt);
    EXPECT_EQ(told(ada), (Strings{"changed expired"}));
    EXPECT_EQ(told(ben), (Strings{"changed expired"}));
    EXPECT_EQ(ask_as(ben, ClaimGetRequest{asked.id}).value(), before);
    EXPECT_EQ(vault->expire_due().next, std::nullopt);
    EXPECT_EQ(told(ben), Strings{});
}

TEST_F(ClaimsTest, TellsBothThatAYesIsOverWhenItIsUsedTooLate) {
    const auto asked = claim(ben, artwork);
    auto body = answer_body(ada, asked, true);
    body.exp = now + 100;
    const auto yes = signed_by(ada, body);
    ASSERT_TRUE(send_answer(ada, yes));
    now += 100;
    told(ada), told(ben);
    EXPECT_EQ(code_of(accept(ben, asked, yes)), Errc::expired);
    EXPECT_EQ(told(ben), (Strings{"changed expired"}));
    EXPECT_EQ(told(ada), (Strings{"changed expired"}));
    EXPECT_EQ(vault->expire_due().next, std::nullopt);
    EXPECT_EQ(told(ben), Strings{});
}

TEST_F(ClaimsTest, LetsAYesExpireAndTheWorkGoToSomebodyElse) {
    const auto of_ben = claim(ben, artwork);
    auto body = answer_body(ada, of_ben, true);
    body.exp = now + 100;
    const auto yes = signed_by(ada, body);
    ASSERT_TRUE(send_answer(ada, yes));
    now += 100;
    // Without a sweep in between: the new claim records that the old one is over, and both hear of it.
    told(ada), told(ben);
    const auto of_cyd = claim(cyd, artwork);
    EXPECT_EQ(told(ben), (Strings{"changed expired"}));
    EXPECT_EQ(told(ada), (Strings{"changed expired", "opened pending"}));
    const auto second = answer(ada, of_cyd);
    EXPECT_EQ(code_of(accept(ben, of_ben, yes)), Errc::expired);
    ASSERT_TRUE(accept(cyd, of_cyd, second));
    EXPECT_EQ(state_of(ben, of_ben.id), ClaimState::expired);
    EXPECT_TRUE(history(artwork));
}

TEST_F(ClaimsTest, AnswersEveryRepeatedStatementLikeTheFirst) {
    const auto asked = claim(ben, artwork);
    const auto said = answer(ada, asked);
    const ClaimAcceptRequest accepting = acceptance(ben, asked, said);
    const auto first = ask_as(ben, accepting).value();
    told(ada), told(ben);
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(open_claim(ben, asked)->state, ClaimState::completed);
        EXPECT_EQ(send_answer(ada, said)->state, ClaimState::completed);
        EXPECT_EQ(ask_as(ben, accepting).value(), first);
        now += kMaxClaimLife;
        open();
    }
    EXPECT_EQ(told(ada), Strings{});
    EXPECT_EQ(work(artwork).seq, 1U);
    EXPECT_EQ(vault->status().ledger.size, 2U);

    // A declined one too, after which the same wallet has claimed anew.
    const auto of_cyd = claim(cyd, artwork);
    const auto no = answer(ben, of_cyd, false);
    claim(cyd, artwork);
    EXPECT_EQ(send_answer(ben, no)->state, ClaimState::declined);
    EXPECT_EQ(open_claim(cyd, of_cyd)->state, ClaimState::declined);
}

TEST_F(ClaimsTest, ServesAndTransfersNothingThatIsHeld) {
    UploadPlan plan;
    plan.preview = some_bytes(100);
    const ArtworkId other = upload(ada, plan);
    const auto confirmed = claim(ben, other);
    const auto yes = answer(ada, confirmed);
    const auto pending = claim(cyd, other);

    EXPECT_EQ(code_of(vault->hold(ArtworkId::generate(), "why")), Errc::not_found);
    EXPECT_EQ(code_of(vault->hold(other, "")), Errc::bad_statement);
    EXPECT_EQ(code_of(vault->release(other, "why")), Errc::state);
    ASSERT_TRUE(vault->hold(other, "a dispute"));
    EXPECT_EQ(code_of(vault->hold(other, "a dispute")), Errc::state);
    EXPECT_TRUE(work(other).held);

    EXPECT_EQ(code_of(fetch(ben, other)), Errc::held);
    EXPECT_EQ(code_of(fetch(ada, other)), Errc::held);
    EXPECT_EQ(code_of(ask_as(ben, ArtworkPreviewRequest{other})), Errc::held);
    EXPECT_EQ(code_of(accept(ben, confirmed, yes)), Errc::held);
    EXPECT_EQ(code_of(send_answer(ada, signed_by(ada, answer_body(ada, pending, true)))), Errc::held);
    answer(ada, pending, false);
    EXPECT_EQ(code_of(open_claim(cyd, signed_by(cyd, claim_body(cyd, other)))), Errc::held);
    open();
    EXPECT_TRUE(history(other)->held());

    ASSERT_TRUE(vault->release(other, "settled"));
    EXPECT_EQ(code_of(vault->release(other, "settled")), Errc::state);
    EXPECT_EQ(fetch(ben, other).value(), plan.image);
    ASSERT_TRUE(accept(ben, confirmed, yes));
    const History past = history(other).value();
    ASSERT_EQ(past.holds.size(), 1U);
    EXPECT_EQ(past.holds[0].reason, "a dispute");
    EXPECT_FALSE(past.held());
    EXPECT_EQ(past.owner(), ben.wallet());
}

// Runs all at once, as far as the machine does.
template <typename Work>
void at_once(std::size_t count, Work work) {
    std::atomic<bool> go = false;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i)
        threads.emplace_back([&, i] {
            while (!go) std::this_thread::yield();
            work(i);
        });
    go = true;
    for (std::thread& thread : threads) thread.join();
}

TEST_F(ClaimsTest, ConfirmsOneOfTwoWhenBothAreAnsweredAtOnce) {
    const std::vector<Signed<Claim>> claims{claim(ben, artwork), claim(cyd, artwork)};
    const std::vector<Signed<Answer>> answers{signed_by(ada, answer_body(ada, claims[0], true)),
                                              signed_by(ada, answer_body(ada, claims[1], true))};
    std::vector<std::optional<Errc>> codes(2);
    at_once(2, [&](std::size_t i) { codes[i] = code_of(send_answer(ada, answers[i])); });
    EXPECT_EQ(std::count(codes.begin(), codes.end(), std::nullopt), 1);
    EXPECT_EQ(std::count(codes.begin(), codes.end(), std::optional(Errc::state)), 1);
}

TEST_F(ClaimsTest, EndsOneWayWhenAcceptanceMeetsRefusal) {
    for (int round = 0; round < 6; ++round) {
        const ArtworkId id = upload_titled(ada, "R");
        const auto asked = claim(ben, id);
        const auto yes = answer(ada, asked);
        const auto no = signed_by(ada, answer_body(ada, asked, false));
        const auto accepting = acceptance(ben, asked, yes);
        std::vector<std::optional<Errc>> codes(2);
        at_once(2, [&](std::size_t i) {
            codes[i] = i == 0 ? code_of(ask_as(ben, accepting)) : code_of(send_answer(ada, no));
        });
        const bool moved = work(id).owner == ben.wallet();
        EXPECT_EQ(codes[0], moved ? std::nullopt : std::optional(Errc::state));
        EXPECT_EQ(codes[1], moved ? std::optional(Errc::not_owner) : std::nullopt);
        EXPECT_EQ(history(id)->records.size(), moved ? 2U : 1U);
    }
}

TEST_F(ClaimsTest, GivesOneReceiptToAnAcceptanceThatComesManyTimesAtOnce) {
    const auto asked = claim(ben, artwork);
    const auto accepting = acceptance(ben, asked, answer(ada, asked));
    std::vector<std::string> receipts(8);
    at_once(receipts.size(), [&](std::size_t i) {
        const auto done = ask_as(ben, accepting);
        if (done) receipts[i] = done->receipt;
    });
    EXPECT_FALSE(receipts[0].empty());
    EXPECT_EQ(std::count(receipts.begin(), receipts.end(), receipts[0]), 8);
    EXPECT_EQ(vault->status().ledger.size, 2U);
    EXPECT_EQ(told(ben).size(), 2U);  // confirmed, completed
}

}  // namespace
}  // namespace sat
