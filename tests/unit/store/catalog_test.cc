// The catalogue in SQLite, through its interface.  docs/storage.md, "The catalogue".
// SPDX-License-Identifier: Apache-2.0
#include <sqlite3.h>
#include <sys/resource.h>

#include <csignal>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "ledger/identity.h"
#include "ledger/statement.h"
#include "support/keys.h"
#include "unit/store/fixture.h"

namespace sat {
namespace {

// What somebody with a database tool would do to the file.
void tamper(const Path& file, const char* sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
}

using Strings = std::vector<std::string>;

TEST_F(CatalogTest, GivesAWorkBackWhole) {
    const ArtworkId id = add_work("Fen", "Ada", digest_of("ada"));
    const auto work = read()->work(id);
    ASSERT_TRUE(work && *work);
    EXPECT_EQ((*work)->artwork, id);
    EXPECT_EQ((*work)->owner, digest_of("ada"));
    EXPECT_EQ((*work)->head, digest_of("Fen"));
    EXPECT_EQ((*work)->registration, "registration of Fen");
    EXPECT_EQ((*work)->origin, (Origin{"192.0.2.7", 4711}));
    EXPECT_FALSE((*work)->held);
    EXPECT_FALSE(read()->work(ArtworkId::generate()).value());
}

TEST_F(CatalogTest, PagesNewestFirstWithoutGapOrRepeat) {
    for (int i = 0; i < 7; ++i) add_work("w" + std::to_string(i));
    WorkQuery query;
    query.limit = 3;
    Strings seen;
    for (int page = 0; page < 4; ++page) {
        const auto works = read()->works(query);
        ASSERT_TRUE(works.has_value());
        for (const WorkRow& work : *works) seen.push_back(work.registration);
        if (!works->empty()) query.before = works->back().number;
    }
    EXPECT_EQ(seen.size(), 7U);
    EXPECT_TRUE(std::is_sorted(seen.rbegin(), seen.rend()));
    EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
}

TEST_F(CatalogTest, FindsWholeWordsInAnyCaseAndCompatibilityForm) {
    add_work("Blue Heron at Dusk");
    add_work("Heron");
    add_work("Herons");
    add_work("Straße im ﬁrst Ⅻ");
    EXPECT_EQ(titles_of_words("heron"), (Strings{"Heron", "Blue Heron at Dusk"}));
    EXPECT_EQ(titles_of_words("HERON dusk"), (Strings{"Blue Heron at Dusk"}));
    EXPECT_EQ(titles_of_words("dusk, blue; HeRoN"), (Strings{"Blue Heron at Dusk"}));
    EXPECT_EQ(titles_of_words("STRASSE"), (Strings{"Straße im ﬁrst Ⅻ"}));
    EXPECT_EQ(titles_of_words("First xii"), (Strings{"Straße im ﬁrst Ⅻ"}));
    EXPECT_EQ(titles_of_words("heron herons"), Strings{});
    EXPECT_EQ(titles_of_words("her"), Strings{});
}

TEST_F(CatalogTest, JoinsConditionsAndPagesThroughTheJoin) {
    const Wallet ada = digest_of("ada");
    const Wallet ben = digest_of("ben");
    Strings wanted;
    for (int i = 0; i < 60; ++i) {
        const bool even = i % 2 == 0;
        const bool third = i % 3 == 0;
        const std::string title = "t" + std::to_string(i) + (even ? " even" : "") + (third ? " third" : "");
        add_work(title, i % 5 == 0 ? "The  Fifth" : "Other", i < 40 ? ada : ben);
        if (even && third && i % 5 == 0 && i < 40) wanted.insert(wanted.begin(), title);
    }
    WorkQuery query;
    query.words = {"even", "third", "even"};
    query.artist = fold("the fifth");
    query.owner = ada;
    query.limit = 50;
    EXPECT_EQ(titles(query), wanted);  // 0 and 30
    EXPECT_EQ(wanted.size(), 2U);

    query.limit = 1;
    Strings seen;
    for (;;) {
        const auto works = read()->works(query).value();
        if (works.empty()) break;
        seen.push_back(works[0].registration.substr(std::string("registration of ").size()));
        query.before = works[0].number;
    }
    EXPECT_EQ(seen, wanted);

    WorkQuery by_owner;
    by_owner.owner = ben;
    by_owner.limit = 50;
    EXPECT_EQ(titles(by_owner).size(), 20U);
    WorkQuery by_artist;
    by_artist.artist = fold("THE FIFTH");
    by_artist.limit = 50;
    EXPECT_EQ(titles(by_artist).size(), 12U);
    by_artist.artist = fold("fifth");
    EXPECT_TRUE(titles(by_artist).empty());
}

TEST_F(CatalogTest, NeverGivesAnIdOutTwice) {
    const ArtworkId id = ArtworkId::generate();
    {
        auto transaction = begin();
        EXPECT_TRUE(transaction->give_out(id).value());
        EXPECT_FALSE(transaction->give_out(id).value());
        must(transaction->commit());
    }
    open();
    EXPECT_EQ(read()->unfinished_ids().value(), std::vector{id});
    auto transaction = begin();
    EXPECT_FALSE(transaction->give_out(id).value());
    must(transaction->abandon(id));
    EXPECT_FALSE(transaction->give_out(id).value());
    must(transaction->commit());
    transaction.reset();
    EXPECT_TRUE(read()->unfinished_ids().value().empty());
}

TEST_F(CatalogTest, RollsBackWhatWasNotCommitted) {
    const ArtworkId id = ArtworkId::generate();
    {
        auto transaction = begin();
        EXPECT_TRUE(transaction->give_out(id).value());
    }
    EXPECT_TRUE(begin()->give_out(id).value());
}

TEST_F(CatalogTest, ReadsBesideAnOpenTransactionSeeTheStateBeforeIt) {
    const ArtworkId id = add_work("Fen");
    auto transaction = begin();
    must(transaction->set_held(id, true));
    EXPECT_FALSE(read()->work(id).value()->held);
    must(transaction->commit());
    EXPECT_TRUE(read()->work(id).value()->held);
}

TEST_F(CatalogTest, MovesTheOwner) {
    const ArtworkId id = add_work("Fen", "", digest_of("ada"));
    auto transaction = begin();
    must(transaction->set_owner(id, digest_of("ben"), digest_of("leaf"), 1));
    must(transaction->commit());
    const auto work = read()->work(id).value();
    EXPECT_EQ(work->owner, digest_of("ben"));
    EXPECT_EQ(work->head, digest_of("leaf"));
    EXPECT_EQ(work->seq, 1U);
    WorkQuery query;
    query.owner = digest_of("ada");
    query.limit = 1;
    EXPECT_TRUE(titles(query).empty());
}

TEST_F(CatalogTest, GivesAClaimBackWholeAndUpdatesIt) {
    ClaimRow claim = claim_on(add_work("Fen"), "c", 2000);
    claim.claim_text = SaltedText::draw("please").value();
    add(claim);
    auto found = read()->claim(claim.id).value();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->claim, "claim c");
    EXPECT_EQ(found->claim_text, claim.claim_text);
    EXPECT_FALSE(found->answer || found->answer_text || found->metadata || found->answer_id || found->answer_exp);

    claim.state = ClaimState::confirmed;
    claim.answer = "answer";
    claim.answer_id = digest_of("answer");
    claim.answer_exp = 1500;
    claim.answer_text = SaltedText::draw("yes").value();
    claim.accept = "accept";
    claim.metadata = SaltedMetadata::draw("{}").value();
    auto transaction = begin();
    must(transaction->update_claim(claim));
    must(transaction->commit());
    transaction.reset();
    found = read()->claim(claim.id).value();
    EXPECT_EQ(found->state, ClaimState::confirmed);
    EXPECT_EQ(found->answer, claim.answer);
    EXPECT_EQ(found->answer_id, claim.answer_id);
    EXPECT_EQ(found->answer_exp, claim.answer_exp);
    EXPECT_EQ(found->answer_text, claim.answer_text);
    EXPECT_EQ(found->accept, claim.accept);
    EXPECT_EQ(found->metadata, claim.metadata);
    EXPECT_EQ(read()->next_deadline().value(), 1500);
    EXPECT_EQ(read()->totals().value().open_claims, 1U);
}

TEST_F(CatalogTest, ListsClaimsByCollectorWorkInboxAndDeadline) {
    const ArtworkId fen = add_work("Fen");
    const ArtworkId moor = add_work("Moor");
    add(claim_on(fen, "a", 2000));
    add(claim_on(moor, "b", 3000));
    add(claim_on(fen, "c", 1500));
    const auto names = [](const std::vector<ClaimRow>& claims) {
        Strings out;
        for (const ClaimRow& claim : claims) out.push_back(claim.claim);
        return out;
    };
    const Wallet collector = digest_of("collector");
    const Wallet owner = digest_of("owner");
    constexpr std::uint64_t kAll = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(names(read()->claims_of(collector, {}, kAll, 50).value()), (Strings{"claim c", "claim b", "claim a"}));
    EXPECT_EQ(names(read()->claims_of(collector, {}, 3, 1).value()), (Strings{"claim b"}));
    EXPECT_EQ(names(read()->claims_of(collector, fen, kAll, 50).value()), (Strings{"claim c", "claim a"}));
    EXPECT_EQ(names(read()->claims_of(owner, {}, kAll, 50).value()), Strings{});
    EXPECT_EQ(names(read()->inbox(owner, 0, 1000, 50).value()), (Strings{"claim a", "claim b", "claim c"}));
    EXPECT_EQ(names(read()->inbox(owner, 1, 1000, 1).value()), (Strings{"claim b"}));
    EXPECT_EQ(names(read()->inbox(owner, 0, 1500, 50).value()), (Strings{"claim a", "claim b"}));
    EXPECT_EQ(names(read()->due_claims(2000, 50).value()), (Strings{"claim c", "claim a"}));
    EXPECT_EQ(names(read()->due_claims(1499, 50).value()), Strings{});
    EXPECT_EQ(read()->open_claims(fen).value().size(), 2U);
    EXPECT_EQ(read()->next_deadline().value(), 1500);
}

TEST_F(CatalogTest, KeepsHistoriesOutcomesAndIdentities) {
    const ArtworkId fen = add_work("Fen");
    add_work("Moor");
    {
        auto transaction = begin();
        must(transaction->append_leaf(fen, digest_of("second"), 1001, "second"));
        must(transaction->add_outcome({digest_of("s"), fen, std::nullopt, "receipt"}));
        must(transaction->add_outcome({digest_of("t"), fen, digest_of("claim"), std::nullopt}));
        must(transaction->put_identity(digest_of("ada"), as_bytes("chain")));
        must(transaction->put_identity(digest_of("ada"), as_bytes("longer chain")));
        must(transaction->commit());
    }
    open();
    EXPECT_EQ(read()->history(fen, 0, 50).value(), (Strings{"leaf of Fen", "second"}));
    EXPECT_EQ(read()->history(fen, 1, 50).value(), (Strings{"second"}));
    EXPECT_EQ(read()->history(fen, 0, 1).value(), (Strings{"leaf of Fen"}));
    EXPECT_EQ(read()->history(fen, 2, 50).value(), Strings{});
    EXPECT_EQ(read()->outcome(digest_of("s")).value()->receipt, "receipt");
    EXPECT_EQ(read()->outcome(digest_of("t")).value()->claim, digest_of("claim"));
    EXPECT_FALSE(read()->outcome(digest_of("u")).value());
    EXPECT_EQ(read()->identity(digest_of("ada")).value(), to_bytes("longer chain"));
    EXPECT_FALSE(read()->identity(digest_of("ben")).value());
    const CatalogTotals totals = read()->totals().value();
    EXPECT_EQ(totals.works, 2U);
    EXPECT_EQ(totals.bytes, 20U);
    EXPECT_EQ(totals.leaves, 3U);
}

TEST_F(CatalogTest, RevealsNoWordThatSomebodyWrote) {
    const ArtworkId id = add_work("Zanzibar", "Quixotica");
    ClaimRow claim = claim_on(id, "Xylophone", 2000);
    claim.claim_text = SaltedText::draw("Wunderkammer").value();
    claim.metadata = SaltedMetadata::draw("Vermilion").value();
    add(claim);
    {
        auto transaction = begin();
        must(transaction->add_outcome({digest_of("s"), id, std::nullopt, "Umbrella"}));
        must(transaction->put_identity(digest_of("ada"), as_bytes("Tangerine")));
        must(transaction->commit());
    }
    EXPECT_TRUE(any_file_contains(directory.path(), id.view()));  // the test does look at the right bytes
    for (const char* word : {"Zanzibar", "zanzibar", "Quixotica", "quixotica", "Xylophone", "Wunderkammer", "Vermilion",
                             "Umbrella", "Tangerine", "192.0.2.7", "leaf of"})
        EXPECT_FALSE(any_file_contains(directory.path(), word)) << word;
}

TEST_F(CatalogTest, RefusesSealedRowsThatWereSwapped) {
    const ArtworkId fen = add_work("Fen");
    add_work("Moor");
    add(claim_on(fen, "a", 2000));
    add(claim_on(fen, "b", 2000));
    {
        auto transaction = begin();
        must(transaction->put_identity(digest_of("ada"), as_bytes("ada")));
        must(transaction->put_identity(digest_of("ben"), as_bytes("ben")));
        must(transaction->add_outcome({digest_of("s"), fen, std::nullopt, "s"}));
        must(transaction->add_outcome({digest_of("t"), fen, std::nullopt, "t"}));
        must(transaction->commit());
    }
    catalog.reset();
    for (const char* sql : {
             // Row by row: the first takes the second's.
             "UPDATE works SET sealed = (SELECT sealed FROM works AS o WHERE o.number <> works.number)",
             "UPDATE claims SET sealed = (SELECT sealed FROM claims AS o WHERE o.number <> claims.number)",
             "UPDATE leaves SET sealed = (SELECT sealed FROM leaves AS o WHERE o.number <> leaves.number)",
             "UPDATE identities SET sealed = (SELECT sealed FROM identities AS o WHERE o.wallet <> identities.wallet)",
             "UPDATE outcomes SET sealed = (SELECT sealed FROM outcomes AS o WHERE o.statement <> outcomes.statement)",
         })
        tamper(file(), sql);
    open();
    EXPECT_EQ(code_of(read()->work(fen)), Errc::io_error);
    EXPECT_EQ(code_of(read()->claim(digest_of("a"))), Errc::io_error);
    EXPECT_EQ(code_of(read()->history(fen, 0, 50)), Errc::io_error);
    EXPECT_EQ(code_of(read()->identity(digest_of("ada"))), Errc::io_error);
    EXPECT_EQ(code_of(read()->outcome(digest_of("s"))), Errc::io_error);
}

TEST_F(CatalogTest, RefusesAValueOfAnotherKind) {
    const ArtworkId fen = add_work("Fen");
    catalog.reset();
    tamper(file(), "UPDATE works SET owner = x'00'");
    open();
    EXPECT_EQ(code_of(read()->work(fen)), Errc::io_error);
}

TEST_F(CatalogTest, OpensForItsVaultItsMasterKeyAndItsFormatAlone) {
    catalog.reset();
    EXPECT_EQ(code_of(SqliteCatalog::open(file(), master, digest_of("other"))), Errc::config);
    EXPECT_EQ(code_of(SqliteCatalog::open(file(), MasterKey::draw(), vault)), Errc::config);
    EXPECT_FALSE(code_of(SqliteCatalog::open(file(), master, vault)));
    for (const char* version : {"PRAGMA user_version = 4", "PRAGMA user_version = -1", "PRAGMA user_version = 0"}) {
        tamper(file(), version);
        EXPECT_EQ(code_of(SqliteCatalog::open(file(), master, vault)), Errc::config);
    }
    tamper(file(), "PRAGMA user_version = 3; PRAGMA application_id = 1");
    EXPECT_EQ(code_of(SqliteCatalog::open(file(), master, vault)), Errc::config);

    const Path foreign = directory / "foreign.sqlite";
    tamper(foreign, "CREATE TABLE t(x)");
    EXPECT_EQ(code_of(SqliteCatalog::open(foreign, master, vault)), Errc::config);
    ASSERT_TRUE(write_file_atomically(directory / "text", Bytes(4096, std::byte{'x'}), AtomicFile::Existing::refuse));
    EXPECT_EQ(code_of(SqliteCatalog::open(directory / "text", master, vault)), Errc::config);
}

TEST_F(CatalogTest, KeepsTheTreeOfItsLeavesAtEverySize) {
    constexpr std::size_t kMost = 37;
    EXPECT_EQ(read()->tree_head().value(), (TreeHead{0, empty_root()}));
    MerkleBuilder tree;
    std::vector<TreeHead> heads = {tree.head()};
    for (std::size_t i = 0; i < kMost; ++i) {
        add_work("w" + std::to_string(i));
        tree.append(digest_of("w" + std::to_string(i)));
        heads.push_back(tree.head());
        EXPECT_EQ(read()->tree_head().value(), tree.head());
    }
    open();
    const auto reader = read();
    for (std::size_t size = 0; size <= kMost; ++size) EXPECT_EQ(tree_root(*reader, size).value(), heads[size].root);
    for (std::size_t i = 0; i < kMost; ++i) {
        const LeafHash leaf = digest_of("w" + std::to_string(i));
        EXPECT_EQ(reader->leaf_index(leaf).value(), i);
        const auto proof = inclusion_proof(*reader, i, kMost);
        ASSERT_TRUE(proof.has_value());
        EXPECT_TRUE(verify_inclusion(leaf, i, kMost, *proof, heads[kMost].root));
    }
    EXPECT_FALSE(reader->leaf_index(digest_of("another leaf")).value());
    EXPECT_EQ(code_of(tree_root(*reader, kMost + 1)), Errc::io_error);
}

TEST_F(CatalogTest, GivesTheTreeOfItsMomentToAReader) {
    add_work("first");
    const auto reader = read();
    const TreeHead head = reader->tree_head().value();
    add_work("second");
    EXPECT_EQ(reader->tree_head().value(), head);
    EXPECT_EQ(reader->entries(0, 50).value(), Strings{"leaf of first"});
    EXPECT_EQ(read()->tree_head().value().size, 2U);
}

TEST_F(CatalogTest, GrowsNoTreeByATransactionThatWasRolledBack) {
    const ArtworkId fen = add_work("Fen");
    const TreeHead head = read()->tree_head().value();
    for (int i = 0; i < 3; ++i) must(begin()->append_leaf(fen, digest_of("never"), 1001, "never"));
    EXPECT_EQ(read()->tree_head().value(), head);
    auto transaction = begin();
    must(transaction->append_leaf(fen, digest_of("second"), 1001, "second"));
    must(transaction->append_leaf(fen, digest_of("third"), 1002, "third"));
    must(transaction->commit());
    EXPECT_EQ(read()->tree_head().value().root,
              node_hash(node_hash(digest_of("Fen"), digest_of("second")), digest_of("third")));
}

TEST_F(CatalogTest, FindsEntriesAndTheLastLeafOfAWorkAtAnySize) {
    const ArtworkId fen = add_work("Fen");
    const ArtworkId moor = add_work("Moor");
    auto transaction = begin();
    must(transaction->append_leaf(fen, digest_of("second"), 1001, "second"));
    must(transaction->commit());
    EXPECT_EQ(read()->entries(0, 50).value(), (Strings{"leaf of Fen", "leaf of Moor", "second"}));
    EXPECT_EQ(read()->entries(1, 1).value(), Strings{"leaf of Moor"});
    EXPECT_EQ(read()->entries(3, 50).value(), Strings{});
    EXPECT_FALSE(read()->last_leaf(fen, 0).value());
    for (const std::uint64_t size : {1U, 2U}) EXPECT_EQ(read()->last_leaf(fen, size).value()->entry, "leaf of Fen");
    for (const std::uint64_t size : {3U, 4U}) {
        const auto last = read()->last_leaf(fen, size).value();
        EXPECT_EQ(last->entry, "second");
        EXPECT_EQ(last->index, 2U);
        EXPECT_EQ(last->position, 1U);
    }
    EXPECT_FALSE(read()->last_leaf(moor, 1).value());
    EXPECT_EQ(read()->last_leaf(moor, 3).value()->index, 1U);
}

TEST_F(CatalogTest, BringsACatalogueOfTheFirstFormatUpToDate) {
    for (int i = 0; i < 11; ++i) add_work("w" + std::to_string(i));
    const TreeHead head = read()->tree_head().value();
    catalog.reset();
    tamper(file(),
           "DROP TABLE artists; DROP INDEX claims_open_of; DROP TABLE nodes; DROP INDEX leaves_hash; ALTER TABLE vault "
           "DROP COLUMN tree_size;"
           " ALTER TABLE vault DROP COLUMN tree_root; PRAGMA user_version = 1");
    open();
    EXPECT_EQ(read()->tree_head().value(), head);
    add_work("another");
    open();
    EXPECT_EQ(read()->tree_head().value().size, 12U);
    EXPECT_EQ(read()->leaf_index(digest_of("w7")).value(), 7U);
    EXPECT_EQ(tree_root(*read(), 11).value(), head.root);
}

TEST_F(CatalogTest, CountsWhatAWalletRegisteredWhoeverOwnsItNow) {
    const Wallet ada = digest_of("ada");
    const Wallet ben = digest_of("ben");
    EXPECT_EQ(read()->registered_by(ada).value().works, 0U);
    const ArtworkId first = add_work("w0", "", ada);
    add_work("w1", "", ada);
    add_work("w2", "", ben);
    const auto expect_counts = [&] {
        EXPECT_EQ(read()->registered_by(ada).value().works, 2U);
        EXPECT_EQ(read()->registered_by(ada).value().bytes, 20U);
        EXPECT_EQ(read()->registered_by(ben).value().works, 1U);
    };
    expect_counts();
    {
        auto transaction = begin();
        must(transaction->set_owner(first, ben, digest_of("sold"), 1));
        must(transaction->commit());
    }
    expect_counts();
}

TEST_F(CatalogTest, BringsACatalogueOfTheSecondFormatUpToDateAlsoOfWorksThatWereSold) {
    const SigningKey& sign_key = test_signing_key("ada");
    const IdentityChain chain =
        make_identity(IdentityKind::user, sign_key, test_kem_key("ada").public_key(), std::nullopt, 1'700'000'000);
    auto body = make_statement<Registration>(chain.wallet(), vault, 1'700'000'000);
    body.artwork = ArtworkId::generate();
    body.title = "Sold";
    body.file_path = "sold.png";
    body.media_type = "image/png";
    body.bytes = 70;
    body.width = body.height = 1;
    WorkRow work;
    work.artwork = body.artwork;
    work.owner = chain.wallet();
    work.head = digest_of("sold");
    work.bytes = body.bytes;
    work.registration = sign(body, sign_key);
    {
        auto transaction = begin();
        ASSERT_TRUE(*transaction->give_out(work.artwork));
        must(transaction->add_work(work, {}));
        must(transaction->append_leaf(work.artwork, work.head, 1000, "leaf"));
        must(transaction->set_owner(work.artwork, digest_of("ben"), digest_of("sold again"), 1));
        must(transaction->commit());
    }
    add_work("kept", "", chain.wallet());
    catalog.reset();
    tamper(file(), "DROP TABLE artists; DROP INDEX claims_open_of; PRAGMA user_version = 2");
    open();
    EXPECT_EQ(read()->registered_by(chain.wallet()).value().works, 2U);
    EXPECT_EQ(read()->registered_by(chain.wallet()).value().bytes, 80U);
    EXPECT_EQ(read()->registered_by(digest_of("ben")).value().works, 0U);
    EXPECT_EQ(read()->open_claims_of(digest_of("collector"), 0).value(), 0U);
    add_work("another", "", digest_of("ben"));
    EXPECT_EQ(read()->registered_by(digest_of("ben")).value().works, 1U);
}

TEST_F(CatalogTest, CountsTheOpenClaimsOfACollectorByTheirDeadlines) {
    const ArtworkId fen = add_work("Fen");
    const Wallet collector = digest_of("collector");
    add(claim_on(fen, "a", 2000));
    add(claim_on(fen, "b", 3000));
    ClaimRow over = claim_on(fen, "c", 4000);
    over.state = ClaimState::declined;
    add(over);
    EXPECT_EQ(read()->open_claims_of(collector, 1999).value(), 2U);
    EXPECT_EQ(read()->open_claims_of(collector, 2000).value(), 1U);
    EXPECT_EQ(read()->open_claims_of(collector, 3000).value(), 0U);
    EXPECT_EQ(read()->open_claims_of(digest_of("owner"), 1000).value(), 0U);
}

TEST_F(CatalogTest, DoesNotOpenWithATreeThatIsNotTheRecordedOne) {
    for (int i = 0; i < 5; ++i) add_work("w" + std::to_string(i));
    catalog.reset();
    const Bytes whole = read_file(file(), std::size_t{1} << 24).value();
    for (const char* sql : {
             "UPDATE vault SET tree_root = zeroblob(32)",
             "UPDATE vault SET tree_size = 4",
             "UPDATE vault SET tree_size = 6",
             "UPDATE nodes SET hash = zeroblob(32) WHERE level = 2",
             "DELETE FROM nodes WHERE level = 2",
             "UPDATE leaves SET hash = zeroblob(32) WHERE number = 4",
             "DELETE FROM leaves WHERE number = 4",
         }) {
        SCOPED_TRACE(sql);
        tamper(file(), sql);
        const auto refused = SqliteCatalog::open(file(), master, vault);
        ASSERT_FALSE(refused.has_value());
        EXPECT_NE(refused.error().message.find("tree"), std::string::npos) << refused.error().message;
        std::filesystem::remove(file() += "-wal");
        std::filesystem::remove(file() += "-shm");
        ASSERT_TRUE(write_file_atomically(file(), whole, AtomicFile::Existing::replace, 0600));
        EXPECT_FALSE(code_of(SqliteCatalog::open(file(), master, vault)));
    }
}

TEST_F(CatalogTest, ServesReadersAndAWriterAtOnce) {
    add_work("first");
    std::vector<std::thread> threads;
    std::atomic<int> failures = 0;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 50; ++n) {
                const auto reader = catalog->read();
                WorkQuery query;
                query.limit = 5;
                if (!reader || !(*reader)->works(query)) ++failures;
            }
        });
    for (int n = 0; n < 20; ++n) add_work("w" + std::to_string(n));
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(read()->totals().value().works, 21U);
}

// Threads that give out IDs of their own as fast as they can; every third of each is rolled back.
struct Writers {
    std::vector<ArtworkId> committed;  // in the order in which the catalogue told
    std::vector<ArtworkId> dropped;
    std::vector<ArtworkId> failed;

    void run(Catalog& catalog, int threads, int each) {
        std::vector<std::thread> running;
        std::mutex mutex;
        for (int t = 0; t < threads; ++t)
            running.emplace_back([&] {
                for (int n = 0; n < each; ++n) {
                    const ArtworkId id = ArtworkId::generate();
                    auto transaction = catalog.begin();
                    ASSERT_TRUE(transaction && (*transaction)->give_out(id));
                    const bool drops = n % 3 == 2;
                    // Told one after the other, so this needs no lock.
                    const bool done = !drops && (*transaction)->commit([&] { committed.push_back(id); });
                    transaction->reset();
                    if (done) continue;
                    const std::lock_guard lock(mutex);
                    (drops ? dropped : failed).push_back(id);
                }
            });
        for (std::thread& thread : running) thread.join();
    }
};

TEST_F(CatalogTest, CommitsTogetherWhatComesTogetherAndDropsOnlyWhatWasRolledBack) {
    Writers writers;
    writers.run(*catalog, 12, 15);
    EXPECT_EQ(writers.committed.size(), 120U);
    EXPECT_EQ(writers.dropped.size(), 60U);
    EXPECT_TRUE(writers.failed.empty());
    open();
    auto transaction = begin();
    for (const ArtworkId& id : writers.committed) EXPECT_FALSE(transaction->give_out(id).value());
    for (const ArtworkId& id : writers.dropped) EXPECT_TRUE(transaction->give_out(id).value());
}

TEST_F(CatalogTest, FailsAllThatShareACommitThatFailsAndTellsNothing) {
    add_work("before");
    Writers writers;
    {
        // No file grows any more: what is written to the database's log fails.
        std::signal(SIGXFSZ, SIG_IGN);
        struct rlimit before {};
        ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
        struct rlimit none = before;
        none.rlim_cur = 64;
        ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
        writers.run(*catalog, 8, 2);
        ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    }
    EXPECT_TRUE(writers.committed.empty());
    EXPECT_EQ(writers.failed.size(), 16U);
    add_work("after");
    open();
    EXPECT_EQ(read()->totals().value().works, 2U);
    auto transaction = begin();
    for (const ArtworkId& id : writers.failed) EXPECT_TRUE(transaction->give_out(id).value());
}

}  // namespace
}  // namespace sat
