// Quotas: what one wallet may register and have open, judged where it grows.  docs/protocol.md, "Limits".
// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "ledger/rules.h"
#include "store/sqlite.h"
#include "unit/vault/fixture.h"

namespace sat {
namespace {

class QuotaTest : public VaultTest {
protected:
    static UploadPlan of_size(std::size_t bytes) {
        UploadPlan plan;
        plan.image = some_bytes(bytes);
        return plan;
    }
    const Party& ada = party("ada");
    const Party& ben = party("ben");
    const Party& cyd = party("cyd");
};

TEST_F(QuotaTest, AWalletRegistersSoManyWorksAndNoMoreWhoeverOwnsThem) {
    options.quotas.works = 2;
    open();
    const ArtworkId first = upload(ada, of_size(10));
    upload(ada, of_size(10));
    EXPECT_EQ(code_of(try_upload(ada, of_size(10))), Errc::quota);
    // Refused with the begin already: nobody sends bytes in vain.
    EXPECT_EQ(code_of(ask_as(ada, UploadBeginRequest{10, "image/png"})), Errc::quota);
    // What is sold stays on the disk, and what is bought does not count: no yes is in vain.
    hand_over(ada, ben, first);
    EXPECT_EQ(code_of(try_upload(ada, of_size(10))), Errc::quota);
    upload(ben, of_size(10));
    upload(ben, of_size(10));
    EXPECT_EQ(code_of(try_upload(ben, of_size(10))), Errc::quota);
    // Also after a restart; and the operator may think again.
    open();
    EXPECT_EQ(code_of(try_upload(ada, of_size(10))), Errc::quota);
    options.quotas.works = 3;
    open();
    upload(ada, of_size(10));
    EXPECT_EQ(code_of(try_upload(ada, of_size(10))), Errc::quota);
}

TEST_F(QuotaTest, AWalletRegistersSoManyBytesAndNotOneMore) {
    options.quotas.bytes = 1000;
    open();
    upload(ada, of_size(400));
    EXPECT_EQ(code_of(ask_as(ada, UploadBeginRequest{601, "image/png"})), Errc::quota);
    EXPECT_FALSE(code_of(ask_as(ada, UploadBeginRequest{599, "image/png"})));
    upload(ada, of_size(600));
    EXPECT_EQ(code_of(ask_as(ada, UploadBeginRequest{1, "image/png"})), Errc::quota);
    upload(ben, of_size(1000));
    // A smaller one takes nothing away.
    options.quotas.bytes = 10;
    open();
    EXPECT_EQ(vault->status().works, 3U);
    EXPECT_EQ(code_of(ask_as(ada, UploadBeginRequest{1, "image/png"})), Errc::quota);
}

TEST_F(QuotaTest, WhatIsUnderWayCountsUntilItComesToNothing) {
    options.quotas.bytes = 1000;
    open();
    {
        VaultSession connection = session(ada);
        ASSERT_FALSE(code_of(ask(connection, UploadBeginRequest{600, "image/png"})));
        EXPECT_EQ(code_of(ask_as(ada, UploadBeginRequest{401, "image/png"})), Errc::busy) << "later, perhaps";
        EXPECT_FALSE(code_of(ask_as(ada, UploadBeginRequest{400, "image/png"})));
        EXPECT_EQ(code_of(ask_as(ada, UploadBeginRequest{1001, "image/png"})), Errc::quota) << "never";
        EXPECT_FALSE(code_of(ask_as(ben, UploadBeginRequest{1000, "image/png"})));
    }
    EXPECT_FALSE(code_of(ask_as(ada, UploadBeginRequest{1000, "image/png"})));
}

TEST_F(QuotaTest, AnIdThatWasNotUsedIsGivenToTheSameWalletOnceMore) {
    const auto begin = [&](const Party& who) {
        return ask_as(who, UploadBeginRequest{10, "image/png"}).value().artwork;
    };
    const ArtworkId first = begin(ada);
    EXPECT_EQ(begin(ada), first);
    const ArtworkId other = begin(ben);
    EXPECT_NE(other, first);
    VaultSession connection = session(ada);
    EXPECT_EQ(ask(connection, UploadBeginRequest{10, "image/png"}).value().artwork, first);
    EXPECT_NE(begin(ada), first) << "while somebody has it";
    // Once something was sealed for it, it is nobody's any more.
    ASSERT_TRUE(send_sealed(connection, first, of_size(10)).has_value());
    EXPECT_EQ(ask(connection, UploadBeginRequest{10, "image/png"}).value().artwork == first, false);
    EXPECT_NE(upload(ada, of_size(10)), first);
    EXPECT_EQ(begin(ben), other);
}

TEST_F(QuotaTest, AWalletSpendsSoManyIdsADayOnNothing) {
    options.quotas.ids_a_day = 2;
    open();
    const auto spend = [&](const Party& who) -> std::optional<Errc> {
        VaultSession connection = session(who);
        const auto begun = ask(connection, UploadBeginRequest{10, "image/png"});
        if (begun) {
            EXPECT_TRUE(send_sealed(connection, begun->artwork, of_size(10)).has_value());
        }
        return code_of(begun);
    };
    // Works cost nothing.
    for (int i = 0; i < 4; ++i) upload(ada, of_size(10));
    EXPECT_FALSE(spend(ada));
    EXPECT_FALSE(spend(ada));
    EXPECT_EQ(spend(ada), Errc::rate_limited);
    EXPECT_FALSE(spend(ben));
    now = (now / kDay + 1) * kDay;
    EXPECT_FALSE(spend(ada));
}

TEST_F(QuotaTest, AStartGivesUpLeftOverIdsInStepsThatStay) {
    constexpr int kIds = 2500;
    vault.reset();
    const auto count = [&] {
        const auto db =
            SqliteConnection::open(options.data / "catalog.sqlite", SqliteConnection::Access::write).value();
        return db->integer("SELECT count(*) FROM ids WHERE unfinished = 1").value();
    };
    {
        const auto db =
            SqliteConnection::open(options.data / "catalog.sqlite", SqliteConnection::Access::write).value();
        ASSERT_TRUE(db->execute("BEGIN"));
        for (int i = 0; i < kIds; ++i)
            ASSERT_TRUE(
                db->query("INSERT INTO ids(artwork, unfinished) VALUES(?, 1)").bind(ArtworkId::generate()).run());
        ASSERT_TRUE(db->execute("COMMIT"));
    }
    ASSERT_EQ(count(), kIds);
    // What a start that is ended in the middle has done by then.
    std::vector<std::int64_t> left;
    options.getting_on = [&] { left.push_back(count()); };
    open();
    EXPECT_EQ(count(), 0);
    ASSERT_GE(left.size(), 4U);
    EXPECT_EQ(std::vector(left.begin(), left.begin() + 4),
              (std::vector<std::int64_t>{kIds, kIds, kIds - 1024, kIds - 2048}));
    options.getting_on = [] {};
}

TEST_F(QuotaTest, TwoConnectionsDoNotPassTheLimitTogether) {
    options.quotas.works = 3;
    open();
    upload(ada, of_size(10));
    upload(ada, of_size(10));
    // Four uploads that were all begun while there was room for one.
    struct Ready {
        VaultSession connection;
        UploadCommitRequest commit;
    };
    std::vector<Ready> ready;
    const UploadPlan plan = of_size(50);
    for (int i = 0; i < 4; ++i) {
        VaultSession connection = session(ada);
        const auto begun = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type});
        ASSERT_TRUE(begun.has_value());
        ASSERT_TRUE(send_sealed(connection, begun->artwork, plan).has_value());
        const std::string jws = sign(registration_of(ada, begun->artwork, plan), ada.sign);
        ready.push_back({std::move(connection), {jws, std::nullopt}});
    }
    std::vector<std::optional<Errc>> codes(ready.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < ready.size(); ++i)
        threads.emplace_back([&, i] { codes[i] = code_of(ask(ready[i].connection, ready[i].commit)); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(std::ranges::count(codes, std::optional<Errc>()), 1);
    EXPECT_EQ(std::ranges::count(codes, std::optional(Errc::quota)), 3);
    ready.clear();
    EXPECT_EQ(vault->status().works, 3U);
    // Three works in two copies, image and metadata; nothing of the others.
    EXPECT_EQ(stored_files(), 12U);
    EXPECT_EQ(vault->status().uploads, 0U);
}

TEST_F(QuotaTest, ARegistrationThatWasTakenIsAnsweredLikeTheFirstTime) {
    options.quotas.works = 1;
    open();
    VaultSession connection = session(ada);
    const UploadPlan plan = of_size(50);
    const auto begun = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type});
    ASSERT_TRUE(begun.has_value());
    ASSERT_TRUE(send_sealed(connection, begun->artwork, plan).has_value());
    const UploadCommitRequest commit{sign(registration_of(ada, begun->artwork, plan), ada.sign), std::nullopt};
    const auto first = ask(connection, commit);
    ASSERT_TRUE(first.has_value());
    const auto again = ask_as(ada, commit);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->receipt, first->receipt);
}

TEST_F(QuotaTest, ACollectorHasSoManyOpenClaimsOnAllWorksTogether) {
    options.quotas.claims = 2;
    open();
    std::vector<ArtworkId> works;
    for (int i = 0; i < 4; ++i) works.push_back(upload(ada, of_size(10)));
    const auto first = claim(ben, works[0]);
    const auto second = claim(ben, works[1]);
    EXPECT_EQ(code_of(open_claim(ben, signed_by(ben, claim_body(ben, works[2])))), Errc::quota);
    EXPECT_EQ(vault->status().open_claims, 2U);
    claim(cyd, works[2]);
    // A repeat is the first one, not another.
    EXPECT_FALSE(code_of(open_claim(ben, second)));

    // What is over makes room: declined, withdrawn, expired.
    answer(ada, first, false);
    const auto third = claim(ben, works[2]);
    EXPECT_EQ(code_of(open_claim(ben, signed_by(ben, claim_body(ben, works[3])))), Errc::quota);
    auto withdraw = said_by<Withdraw>(ben);
    withdraw.artwork = works[2];
    withdraw.claim = third.id;
    EXPECT_FALSE(code_of(ask_as(ben, ClaimWithdrawRequest{sign(withdraw, ben.sign)})));
    claim(ben, works[3]);
    EXPECT_EQ(code_of(open_claim(ben, signed_by(ben, claim_body(ben, works[0])))), Errc::quota);
    // Nobody has noticed yet that their time is over, and it counts all the same.
    now = second.body.exp;
    claim(ben, works[0]);
    claim(ben, works[1]);
    EXPECT_EQ(code_of(open_claim(ben, signed_by(ben, claim_body(ben, works[2])))), Errc::quota);
}

TEST_F(QuotaTest, ACollectorOpensTwiceAsManyClaimsInADay) {
    options.quotas.claims = 2;
    open();
    const ArtworkId artwork = upload(ada, of_size(10));
    const auto open_and_withdraw = [&]() -> std::optional<Errc> {
        const auto asked = signed_by(ben, claim_body(ben, artwork));
        if (const auto code = code_of(open_claim(ben, asked))) return code;
        auto withdraw = said_by<Withdraw>(ben);
        withdraw.artwork = artwork;
        withdraw.claim = asked.id;
        return code_of(ask_as(ben, ClaimWithdrawRequest{sign(withdraw, ben.sign)}));
    };
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(open_and_withdraw());
    now = kStart + kDay - 1;
    EXPECT_EQ(open_and_withdraw(), Errc::rate_limited);
    claim(cyd, artwork);
    open();
    EXPECT_EQ(open_and_withdraw(), Errc::rate_limited) << "a restart forgets nothing";
    now = kStart + kDay;
    EXPECT_FALSE(open_and_withdraw());
}

TEST_F(QuotaTest, ClaimsOfManyConnectionsDoNotPassTheLimitTogether) {
    constexpr int kWorks = 6;
    options.quotas.claims = 2;
    open();
    std::vector<Signed<Claim>> claims;
    for (int i = 0; i < kWorks; ++i) {
        const ArtworkId artwork = upload(ada, of_size(10));
        claims.push_back(signed_by(ben, claim_body(ben, artwork)));
    }
    std::vector<std::optional<Errc>> codes(claims.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < claims.size(); ++i)
        threads.emplace_back([&, i] { codes[i] = code_of(open_claim(ben, claims[i])); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(std::ranges::count(codes, std::optional<Errc>()), 2);
    EXPECT_EQ(std::ranges::count(codes, std::optional(Errc::quota)), kWorks - 2);
}

}  // namespace
}  // namespace sat
