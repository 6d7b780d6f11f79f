// Quotas: what one wallet may register and have open, judged where it grows.  docs/protocol.md, "Limits".
// SPDX-License-Identifier: Apache-2.0
#include <thread>

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
