// The ledger as everybody may check it: checkpoints, proofs, entries, heads, and a vault that is shown its own note.
// docs/protocol.md, "Checkpoints".
// SPDX-License-Identifier: Apache-2.0
#include "ledger/leaf.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "store/sqlite.h"
#include "unit/vault/fixture.h"

namespace sat {
namespace {

class LedgerTest : public VaultTest {
protected:
    const Wallet& me() const { return vault->keys().wallet(); }

    TreeHead opened(const std::string& note) const {
        const auto head = open_checkpoint(note, me(), vault->keys().log.public_key());
        EXPECT_TRUE(head.has_value());
        return head.value_or(TreeHead());
    }

    TreeHead newest() {
        const auto reply = ask_as(ada, LedgerCheckpointRequest{});
        EXPECT_TRUE(reply.has_value());
        EXPECT_EQ(reply->checkpoint, vault->checkpoint());
        return opened(reply->checkpoint);
    }

    std::vector<std::string> entries() {
        std::vector<std::string> out;
        std::optional<std::uint64_t> from = 0;
        while (from) {
            const auto page = ask_as(ada, LedgerEntriesRequest{*from});
            EXPECT_TRUE(page.has_value());
            out.insert(out.end(), page->entries.begin(), page->entries.end());
            from = page->next;
        }
        return out;
    }

    // The tree heads of all sizes, from the entries alone.
    std::vector<TreeHead> heads() {
        MerkleBuilder tree;
        std::vector<TreeHead> out = {tree.head()};
        for (const std::string& entry : entries()) {
            tree.append(leaf_hash(entry));
            out.push_back(tree.head());
        }
        return out;
    }

    Result<Signed<Head>> head_of(const ArtworkId& artwork, std::optional<std::uint64_t> size = std::nullopt) {
        SAT_TRY_VALUE(const auto reply, ask_as(ben, LedgerHeadRequest{artwork, size}));
        SAT_TRY_VALUE(auto head, parse_and_verify<Head>(reply.head, vault->keys().chain));
        EXPECT_EQ(head.body.tree, opened(reply.checkpoint));
        return head;
    }

    void hold_and_release(const ArtworkId& artwork, int times) {
        for (int i = 0; i < times; ++i) {
            ASSERT_TRUE(vault->hold(artwork, "why"));
            ASSERT_TRUE(vault->release(artwork, "why not"));
        }
    }

    // Only what the vault's own directory has; the duplicate is left out.
    void copy_data(const char* from, const char* to) const {
        std::filesystem::remove_all(directory / to);
        std::filesystem::copy(directory / from, directory / to, std::filesystem::copy_options::recursive);
    }

    void damage_node(const std::string& which) const {
        auto db = SqliteConnection::open(directory / "data/catalog.sqlite", SqliteConnection::Access::write).value();
        ASSERT_TRUE(db->execute(("UPDATE nodes SET hash = zeroblob(32) WHERE " + which).c_str()));
    }

    const Party& ada = party("ada");
    const Party& ben = party("ben");
    const Party& cyd = party("cyd");
};

TEST_F(LedgerTest, SignsTheTreeOfItsEntriesAndProvesEveryLeafOfIt) {
    EXPECT_EQ(newest(), (TreeHead{0, empty_root()}));
    const ArtworkId first = upload(ada);
    EXPECT_EQ(newest().size, 1U);
    upload(ben);
    hand_over(ada, ben, first);
    hold_and_release(first, 3);
    const TreeHead head = newest();
    EXPECT_EQ(head, heads().back());
    EXPECT_EQ(head.size, 9U);
    EXPECT_EQ(vault->status().ledger, head);

    const std::vector<std::string> leaves = entries();
    for (const TreeHead& at : heads()) {
        for (std::size_t i = 0; i < leaves.size() && at.size > 0; ++i) {
            const auto proof = ask_as(cyd, LedgerInclusionRequest{leaf_hash(leaves[i]), at.size});
            if (i >= at.size) {
                EXPECT_EQ(code_of(proof), Errc::not_found);
                continue;
            }
            ASSERT_TRUE(proof.has_value());
            EXPECT_EQ(proof->index, i);
            EXPECT_TRUE(verify_inclusion(leaf_hash(leaves[i]), proof->index, at.size, proof->proof, at.root));
        }
        for (const TreeHead& older : heads()) {
            if (older.size > at.size) break;
            const auto proof = ask_as(cyd, LedgerConsistencyRequest{older.size, at.size});
            ASSERT_TRUE(proof.has_value());
            EXPECT_TRUE(verify_consistency(older, at, proof->proof));
        }
    }
    const std::string note = vault->checkpoint();
    open();
    EXPECT_EQ(vault->checkpoint(), note);
}

TEST_F(LedgerTest, RefusesWhatIsBeyondItsNewestCheckpoint) {
    const ArtworkId artwork = upload(ada);
    const LeafHash leaf = leaf_hash(entries().at(0));
    EXPECT_EQ(code_of(ask_as(ada, LedgerInclusionRequest{leaf, 2})), Errc::bad_request);
    EXPECT_EQ(code_of(ask_as(ada, LedgerInclusionRequest{leaf, kMaxTreeSize})), Errc::bad_request);
    EXPECT_EQ(code_of(ask_as(ada, LedgerInclusionRequest{sha256(as_bytes("none")), 1})), Errc::not_found);
    EXPECT_EQ(code_of(ask_as(ada, LedgerConsistencyRequest{1, 2})), Errc::bad_request);
    EXPECT_EQ(code_of(ask_as(ada, LedgerConsistencyRequest{2, 2})), Errc::bad_request);
    EXPECT_EQ(code_of(ask_as(ada, LedgerHeadRequest{artwork, 2})), Errc::bad_request);
    for (const std::uint64_t from : {std::uint64_t{1}, std::uint64_t{2}, kMaxTreeSize}) {
        const auto page = ask_as(ada, LedgerEntriesRequest{from});
        ASSERT_TRUE(page.has_value());
        EXPECT_EQ(*page, LedgerEntriesReply{});
    }
}

TEST_F(LedgerTest, GivesItsEntriesInPagesWithoutGapOrRepeat) {
    const ArtworkId artwork = upload(ada);
    hold_and_release(artwork, 26);  // 53 leaves
    const auto page = ask_as(ada, LedgerEntriesRequest{0});
    ASSERT_TRUE(page.has_value());
    EXPECT_EQ(page->entries.size(), 50U);
    EXPECT_EQ(page->next, 50U);
    const auto last = ask_as(ada, LedgerEntriesRequest{50});
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ(last->entries.size(), 3U);
    EXPECT_FALSE(last->next);
    EXPECT_FALSE(ask_as(ada, LedgerEntriesRequest{3})->next);
    EXPECT_EQ(heads().back(), newest());
}

TEST_F(LedgerTest, SaysWhoOwnedAWorkAtEverySize) {
    upload(cyd);
    const ArtworkId artwork = upload(ada);  // leaf 1
    upload(cyd);
    ASSERT_TRUE(vault->hold(artwork, "why"));  // 3
    ASSERT_TRUE(vault->release(artwork, "why not"));
    hand_over(ada, ben, artwork);              // 5
    ASSERT_TRUE(vault->hold(artwork, "why"));  // 6
    const std::vector<std::string> leaves = entries();

    struct At {
        const Party* owner;
        std::uint64_t seq, leaves;
        std::size_t head;
    };
    const std::vector<At> wanted = {{nullptr, 0, 0, 0}, {nullptr, 0, 0, 0}, {&ada, 0, 1, 1}, {&ada, 0, 1, 1},
                                    {&ada, 0, 2, 1},    {&ada, 0, 3, 1},    {&ben, 1, 4, 5}, {&ben, 1, 5, 5}};
    const std::vector<TreeHead> trees = heads();
    ASSERT_EQ(trees.size(), wanted.size());
    for (std::size_t size = 0; size < wanted.size(); ++size) {
        SCOPED_TRACE(size);
        const auto head = head_of(artwork, size);
        if (wanted[size].owner == nullptr) {
            EXPECT_EQ(code_of(head), Errc::not_found);
            continue;
        }
        ASSERT_TRUE(head.has_value()) << head.error().message;
        EXPECT_EQ(head->body.artwork, artwork);
        EXPECT_EQ(head->body.owner, wanted[size].owner->wallet());
        EXPECT_EQ(head->body.seq, wanted[size].seq);
        EXPECT_EQ(head->body.leaves, wanted[size].leaves);
        EXPECT_EQ(head->body.head, leaf_hash(leaves[wanted[size].head]));
        EXPECT_EQ(head->body.tree, trees[size]);
    }
    EXPECT_EQ(head_of(artwork)->body.tree, newest());
    EXPECT_EQ(head_of(artwork)->body.head, work(artwork).head);
    EXPECT_EQ(code_of(head_of(ArtworkId::generate())), Errc::not_found);
}

TEST_F(LedgerTest, TakesStatementsThatHaveSeenItsLedgerAndNoOthers) {
    const ArtworkId artwork = upload(ada);
    upload(cyd);
    upload(cyd);
    const std::vector<TreeHead> trees = heads();
    const Digest other = sha256(as_bytes("another root"));
    const auto claimed = [&](const TreeHead& seen) {
        Claim body = claim_body(ben, artwork);
        body.seen = seen;
        const auto statement = signed_by(ben, body);
        const auto opened = open_claim(ben, statement);
        if (opened) {
            auto withdraw = said_by<Withdraw>(ben);
            withdraw.artwork = artwork;
            withdraw.claim = statement.id;
            EXPECT_TRUE(ask_as(ben, ClaimWithdrawRequest{sign(withdraw, ben.sign)}).has_value());
        }
        return code_of(opened);
    };
    for (const TreeHead& seen : trees) {
        EXPECT_EQ(claimed(seen), std::nullopt) << seen.size;
        EXPECT_TRUE(*vault->agrees(seen));
        EXPECT_EQ(claimed({seen.size, other}), Errc::checkpoint_inconsistent) << seen.size;
        EXPECT_FALSE(*vault->agrees({seen.size, other}));
        EXPECT_EQ(claimed({trees.size(), seen.root}), Errc::checkpoint_inconsistent);
    }
    UploadPlan plan;
    plan.registration = [&](Registration& body) { body.seen = trees.back(); };
    EXPECT_TRUE(try_upload(ada, plan).has_value());
}

TEST_F(LedgerTest, AnswersAReportOfAnythingButAContradiction) {
    upload(ada);
    const TreeHead head = newest();
    const LogKey other = LogKey::generate();
    const Digest root = sha256(as_bytes("another root"));
    std::string damaged = sign_checkpoint(me(), {9, root}, vault->keys().log);
    damaged[damaged.size() - 6] = damaged[damaged.size() - 6] == 'A' ? 'B' : 'A';
    for (const std::string& note :
         {std::string("not a note"), vault->checkpoint(), sign_checkpoint(me(), heads()[0], vault->keys().log),
          sign_checkpoint(me(), {9, root}, other), sign_checkpoint(ada.wallet(), {9, root}, vault->keys().log),
          damaged})
        EXPECT_EQ(code_of(ask_as(ben, LedgerReportRequest{note})), Errc::bad_request);
    EXPECT_FALSE(vault->contradicted());
    EXPECT_FALSE(std::filesystem::exists(directory / "data/contradiction"));
    EXPECT_EQ(newest(), head);
    open();
}

TEST_F(LedgerTest, ServesNobodyOnceItIsShownACheckpointThatItsLedgerContradicts) {
    for (const std::uint64_t size : {1U, 3U}) {
        SCOPED_TRACE(size);
        std::filesystem::remove_all(directory / "data");
        std::filesystem::remove_all(directory / "dup");
        open();
        const ArtworkId artwork = upload(ada);
        upload(ada);
        VaultSession watcher = session(cyd);
        VaultSession transmission = session(cyd);
        ASSERT_EQ(transmission.handle(ArtworkFetchRequest{artwork, 0}).next, VaultSession::Outcome::Next::transmit);
        const std::string note = sign_checkpoint(me(), {size, sha256(as_bytes("root"))}, vault->keys().log);
        EXPECT_EQ(session(ben).handle(LedgerReportRequest{note}).next, VaultSession::Outcome::Next::halt);
        EXPECT_TRUE(vault->contradicted());
        EXPECT_EQ(watcher.handle(ArtworkGetRequest{artwork}).next, VaultSession::Outcome::Next::halt);
        Bytes buffer(100);
        EXPECT_EQ(code_of(transmission.read(buffer)), Errc::internal);
        EXPECT_EQ(code_of(vault->admit(ada.caller())), Errc::internal);
        EXPECT_EQ(read_file(directory / "data/contradiction", kMaxNote).value(), to_bytes(note));

        vault.reset();
        const auto refused = try_open();
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().code, Errc::config);
        EXPECT_NE(refused.error().message.find("contradict"), std::string::npos) << refused.error().message;
        EXPECT_FALSE(refused.error().hint.empty());
    }
}

TEST_F(LedgerTest, AContradictionThatCouldNotBeWrittenIsWrittenAsSoonAsItCan) {
    const Path kept = directory / "data/contradiction";
    for (const bool closed : {false, true}) {
        SCOPED_TRACE(closed);
        std::filesystem::remove_all(directory / "data");
        std::filesystem::remove_all(directory / "dup");
        open();
        upload(ada);
        std::filesystem::create_directory(kept);  // so that no file can be
        const std::string note = sign_checkpoint(me(), {1, sha256(as_bytes("root"))}, vault->keys().log);
        const auto outcome = session(ben).handle(LedgerReportRequest{note});
        EXPECT_EQ(outcome.next, VaultSession::Outcome::Next::halt);
        ASSERT_FALSE(outcome.response.has_value());
        EXPECT_NE(outcome.response.error().message.find("could not be kept"), std::string::npos);
        EXPECT_TRUE(vault->contradicted());
        const Sweep failed = vault->expire_due();
        ASSERT_EQ(failed.failures.size(), 1U);
        EXPECT_NE(failed.failures[0].message.find(kept.string()), std::string::npos) << failed.failures[0].message;
        ASSERT_TRUE(failed.next);
        EXPECT_LE(*failed.next, now + 10) << "it is tried again soon";
        std::filesystem::remove(kept);
        if (!closed) {
            EXPECT_TRUE(vault->expire_due().failures.empty());
            EXPECT_EQ(read_file(kept, kMaxNote).value(), to_bytes(note));
        }
        vault.reset();
        EXPECT_EQ(read_file(kept, kMaxNote).value(), to_bytes(note));
        EXPECT_EQ(code_of(try_open()), Errc::config);
    }
}

TEST_F(LedgerTest, OpensOnTheNewestCopyOfItsDataAfterAnOlderOneWasContradicted) {
    options.duplicate.reset();
    std::filesystem::remove_all(directory / "data");
    open();
    const ArtworkId artwork = upload(ada);
    vault.reset();
    copy_data("data", "older");
    open();
    hand_over(ada, ben, artwork);
    const std::string note = vault->checkpoint();
    vault.reset();
    copy_data("data", "newest");

    copy_data("older", "data");
    open();  // nothing in the directory itself shows that it is an older one
    EXPECT_EQ(session(ben).handle(LedgerReportRequest{note}).next, VaultSession::Outcome::Next::halt);
    vault.reset();
    EXPECT_EQ(code_of(try_open()), Errc::config);

    std::filesystem::copy_file(directory / "data/contradiction", directory / "newest/contradiction");
    copy_data("newest", "data");
    open();
    EXPECT_EQ(vault->checkpoint(), note);
    EXPECT_EQ(work(artwork).owner, ben.wallet());

    vault.reset();
    ASSERT_TRUE(write_file_atomically(directory / "data/contradiction", as_bytes("something else"),
                                      AtomicFile::Existing::replace, 0600));
    EXPECT_EQ(code_of(try_open()), Errc::config);
}

TEST_F(LedgerTest, NeverAccusesItselfByADamagedNode) {
    const ArtworkId artwork = upload(ada);
    hold_and_release(artwork, 1);
    const std::string three = vault->checkpoint();
    hold_and_release(artwork, 2);
    upload(ada);
    ASSERT_EQ(newest().size, 8U);
    const LeafHash leaf = leaf_hash(entries().at(0));
    vault.reset();
    damage_node("level = 1 AND number = 0");  // not at the edge, so the start does not meet it
    open();
    EXPECT_EQ(code_of(ask_as(ben, LedgerConsistencyRequest{3, 8})), Errc::internal);
    EXPECT_EQ(code_of(ask_as(ben, LedgerInclusionRequest{leaf, 3})), Errc::internal);
    EXPECT_EQ(code_of(ask_as(ben, LedgerHeadRequest{artwork, 3})), Errc::internal);
    EXPECT_NE(session(ben).handle(LedgerReportRequest{three}).next, VaultSession::Outcome::Next::halt);
    EXPECT_FALSE(vault->contradicted());
    EXPECT_FALSE(std::filesystem::exists(directory / "data/contradiction"));
}

TEST_F(LedgerTest, GrowsNoTreeOnADamagedNode) {
    const ArtworkId artwork = upload(ada);
    hold_and_release(artwork, 3);
    upload(ada);
    const std::string note = vault->checkpoint();
    damage_node("level = 3 AND number = 0");
    EXPECT_EQ(code_of(vault->hold(artwork, "why")), Errc::io_error);
    EXPECT_EQ(vault->checkpoint(), note);
    EXPECT_FALSE(work(artwork).held);
}

}  // namespace
}  // namespace sat
