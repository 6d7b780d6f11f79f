// Replaying ledgers of several works: sound ones, and each way in which a vault's whole ledger can lie although every
// work's history may be well.
// SPDX-License-Identifier: Apache-2.0
#include "ledger/follower.h"

#include <gtest/gtest.h>

#include "unit/ledger/ledger_scene.h"

namespace sat {
namespace {

class FollowerTest : public testing::Test {
public:
    Result<void> take(const std::string& entry) { return follower_.take(entry); }
    // Takes it, or gives the refusal.
    std::string verdict(const std::string& entry) {
        const std::uint64_t before = follower_.size();
        const TreeHead head = follower_.head();
        const auto taken = take(entry);
        if (taken) return "sound";
        EXPECT_EQ(follower_.size(), before);
        EXPECT_EQ(follower_.head(), head);
        return taken.error().message;
    }

    bool knows_bob_ = true;
    LedgerFollower follower_{vault_party().chain, [this](const Wallet& wallet) -> const IdentityChain* {
                                 for (const char* name : {"alice", "bob", "carol"})
                                     if (person(name).wallet() == wallet && (knows_bob_ || name != std::string("bob")))
                                         return &person(name).chain;
                                 return nullptr;
                             }};
};

TEST_F(FollowerTest, FollowsWorksThatAreMixed) {
    Ledger one = registered();
    Ledger two = registered();
    EXPECT_EQ(verdict(one.leaves[0]), "sound");
    EXPECT_EQ(verdict(two.leaves[0]), "sound");
    one.transfer(person("bob"));
    EXPECT_EQ(verdict(one.leaves[1]), "sound");
    two.hold_or_release<Hold>().hold_or_release<Release>().transfer(person("carol"));
    for (std::size_t i = 1; i < two.leaves.size(); ++i) EXPECT_EQ(verdict(two.leaves[i]), "sound") << i;
    one.transfer(person("alice"));
    EXPECT_EQ(verdict(one.leaves[2]), "sound");
    EXPECT_EQ(follower_.size(), 7U);
    EXPECT_EQ(follower_.works(), 2U);
    EXPECT_EQ(follower_.transfers(), 3U);
}

TEST_F(FollowerTest, KnowsTheRootOfEverySize) {
    EXPECT_TRUE(follower_.require({0, empty_root()}));
    Ledger work = registered();
    work.transfer(person("bob")).transfer(person("carol"));
    MerkleBuilder tree;
    std::vector<TreeHead> heads = {tree.head()};
    for (const std::string& leaf : work.leaves) {
        ASSERT_TRUE(take(leaf));
        tree.append(leaf_hash(leaf));
        heads.push_back(tree.head());
    }
    for (const TreeHead& head : heads) {
        EXPECT_TRUE(follower_.require(head)) << head.size;
        const auto refused = follower_.require({head.size, named("x")});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::checkpoint_inconsistent);
    }
    EXPECT_EQ(follower_.head(), heads.back());
}

TEST_F(FollowerTest, NamesTheFirstEntryThatDoesNotHold) {
    Ledger work = registered();
    work.transfer(person("bob"));
    EXPECT_EQ(verdict("nonsense"), "entry 0 of the ledger: not a ledger leaf of version 1");
    EXPECT_EQ(verdict(work.leaves[1]), "entry 0 of the ledger: the history does not begin with a registration");
    ASSERT_TRUE(take(work.leaves[0]));
    EXPECT_EQ(verdict(work.leaves[0]), "entry 1 of the ledger: the work is registered twice");
    ASSERT_TRUE(take(work.leaves[1]));
    EXPECT_EQ(verdict(work.leaves[1]), "entry 2 of the ledger: a transfer that does not follow the owner's leaf");
}

TEST_F(FollowerTest, RefusesAWorkRegisteredTwiceUnderOneId) {
    Ledger work = registered();
    ASSERT_TRUE(take(work.leaves[0]));
    Ledger again;
    again.artwork = work.artwork;
    again.begin([](Registration& body) { body.title = "Forgery"; });
    EXPECT_EQ(verdict(again.leaves[0]), "entry 1 of the ledger: the work is registered twice");
}

TEST_F(FollowerTest, RefusesAStatementThatCountsTwice) {
    Ledger work = registered();
    ASSERT_TRUE(take(work.leaves[0]));
    work.hold_or_release<Hold>();
    ASSERT_TRUE(take(work.leaves[1]));
    work.hold_or_release<Release>();
    ASSERT_TRUE(take(work.leaves[2]));
    Leaf again = Leaf::parse(work.leaves[1]).value();
    again.at += 100;
    EXPECT_EQ(verdict(again.encode()), "entry 3 of the ledger: a statement that counted before");
}

TEST_F(FollowerTest, RefusesSignersWhoSawAnotherLedger) {
    Ledger work;
    const auto seen = [](std::uint64_t size, const Digest& root) {
        return [=](Registration& body) { body.seen = TreeHead{size, root}; };
    };
    EXPECT_EQ(verdict(Ledger().begin(seen(0, empty_root())).leaves[0]), "sound");
    const TreeHead one = follower_.head();
    const std::string refusal = "entry 1 of the ledger: its signer had been shown another ledger";
    EXPECT_EQ(verdict(Ledger().begin(seen(0, one.root)).leaves[0]), refusal);
    EXPECT_EQ(verdict(Ledger().begin(seen(1, empty_root())).leaves[0]), refusal);
    EXPECT_EQ(verdict(Ledger().begin(seen(2, one.root)).leaves[0]), refusal);
    EXPECT_EQ(verdict(Ledger().begin(seen(1, one.root)).leaves[0]), "sound");
}

TEST_F(FollowerTest, AskedAgainWithTheIdentityItGoesOn) {
    Ledger work = registered();
    work.transfer(person("bob"));
    ASSERT_TRUE(take(work.leaves[0]));
    knows_bob_ = false;
    const auto refused = take(work.leaves[1]);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::bad_signature);
    knows_bob_ = true;
    EXPECT_TRUE(take(work.leaves[1]));
}

}  // namespace
}  // namespace sat
