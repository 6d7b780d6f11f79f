// Rot in a small vault: whatever byte turns over, whatever is cut off, swapped or deleted is found, and healed where
// anything good is left of it.  A sample of the bytes by default; many more with SAT_FULL=1.
// SPDX-License-Identifier: Apache-2.0
#include "vault/check.h"

#include <gmock/gmock.h>

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "ledger/note.h"
#include "store/identity_files.h"
#include "store/leaf_file.h"
#include "store/sqlite.h"
#include "store/sqlite_catalog.h"
#include "unit/vault/fixture.h"
#include "vault/backup.h"

namespace fs = std::filesystem;

namespace sat {
namespace {

using testing::Contains;
using testing::HasSubstr;

bool run_in_full() {
    const char* value = std::getenv("SAT_FULL");
    return value != nullptr && std::string_view(value) == "1";
}

class CheckTest : public VaultTest {
protected:
    // Two works, one with a preview, one handed over, held and released; a pending claim, a confirmed and a declined
    // one.
    void SetUp() override {
        VaultTest::SetUp();
        for (const char* name : {"ada", "ben", "cyd"}) ASSERT_TRUE(vault->admit(party(name).caller()));
        UploadPlan with_preview;
        with_preview.image = some_bytes(40'000);
        with_preview.preview = some_bytes(900, 2);
        first = upload(party("ada"), with_preview);
        UploadPlan plain;
        plain.image = some_bytes(40'000, 3);
        second = upload(party("ada"), plain);
        hand_over(party("ada"), party("ben"), second);
        ASSERT_TRUE(vault->hold(second, "a look"));
        ASSERT_TRUE(vault->release(second, "seen"));
        const auto declined = claim(party("ben"), first);
        answer(party("ada"), declined, false);
        answer(party("ada"), claim(party("ben"), first));
        pending = claim(party("cyd"), second).id;
        ledger = vault->status().ledger;
        vault.reset();
        fs::create_directory(directory / "pristine");
        fs::copy(directory / "data", directory / "pristine" / "data", fs::copy_options::recursive);
        fs::copy(directory / "dup", directory / "pristine" / "dup", fs::copy_options::recursive);
        // What checks leave in the files of a good catalogue is not what they are to find.
        for (const Path& file : {Path("data"), Path("dup")}) fs::remove(directory / "pristine" / file / "lock");
    }

    void restore() {
        for (const char* place : {"data", "dup"}) {
            fs::remove_all(directory / place);
            fs::copy(directory / "pristine" / place, directory / place, fs::copy_options::recursive);
        }
    }

    CheckReport check(bool repair = false) {
        auto report = check_vault({options.data, options.duplicate, repair, now}, keys);
        EXPECT_TRUE(report.has_value()) << (report ? "" : report.error().message);
        return report ? std::move(*report) : CheckReport();
    }

    static std::string words(const CheckReport& report) {
        std::string out;
        for (const Damage& damage : report.damages)
            out += damage.part + " " + damage.where + ": " + damage.problem + (damage.healed ? " (healed)\n" : "\n");
        for (const std::string& note : report.notes) out += "note: " + note + "\n";
        return out;
    }

    static std::vector<std::string> parts(const CheckReport& report) {
        std::vector<std::string> out;
        for (const Damage& damage : report.damages) out.push_back(damage.part);
        return out;
    }

    // Every file of both places, below the test's directory.
    std::vector<Path> stored() const {
        std::vector<Path> out;
        for (const char* place : {"data", "dup"})
            for (const Path& file : files_below(directory / "pristine" / place))
                if (file.filename() != kDuplicateRecord) out.push_back(file.lexically_relative(directory / "pristine"));
        std::sort(out.begin(), out.end());
        return out;
    }

    Bytes contents(const Path& file) const { return read_file(directory / file, std::size_t{1} << 26).value(); }
    void put(const Path& file, ByteView bytes) const {
        ASSERT_TRUE(write_file_atomically(directory / file, bytes, AtomicFile::Existing::replace, 0600));
    }
    void flip(const Path& file, std::size_t offset, std::byte with = std::byte{0x01}) const {
        Bytes bytes = contents(file);
        bytes[offset] ^= with;
        put(file, bytes);
    }

    static bool is_catalog(const Path& file) { return file.filename() == "catalog.sqlite"; }

    // Every file of both places with all that is in it, but for the locks.
    std::map<std::string, Bytes> everything() const {
        std::map<std::string, Bytes> out;
        for (const char* place : {"data", "dup"}) {
            if (!fs::exists(directory / place)) continue;
            for (const Path& file : files_below(directory / place)) {
                const std::string name = file.lexically_relative(directory.path()).string();
                if (!name.ends_with("lock") && !name.ends_with("-shm")) out[name] = contents(name);
            }
        }
        return out;
    }

    // What a repair cannot judge it names, and leaves as it is, however often it runs.
    CheckReport expect_untouched(const std::string& when) {
        const auto before = everything();
        CheckReport report;
        for (int i = 0; i < 2; ++i) {
            report = check(true);
            EXPECT_GT(report.left(), 0U) << when;
            EXPECT_TRUE(everything() == before) << when << "\n" << words(report);
        }
        return report;
    }

    void remove_catalog() const {
        for (const char* file : {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"})
            fs::remove(directory / "data" / file);
    }

    void execute(const char* sql) const {
        auto db = SqliteConnection::open(directory / "data/catalog.sqlite", SqliteConnection::Access::write).value();
        const auto done = db->execute(sql);
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }

    // A leaves file's first records.
    Bytes first_leaves(std::size_t count) const {
        Bytes out = leaf_log_header(keys.wallet());
        const auto file = LeafFile::open(directory / "data/leaves").value();
        for (std::size_t i = 0; i < count; ++i) append(out, leaf_record(file->record_at(out.size()).value().value()));
        return out;
    }

    // Everything that the catalogue says, in words; empty where it cannot be read.
    std::string catalog_text() const {
        auto db = SqliteConnection::open(directory / "data/catalog.sqlite", SqliteConnection::Access::read);
        if (!db) return "";
        std::string out;
        for (const char* sql :
             {"SELECT quote(one)||quote(wallet)||quote(master_check)||quote(works)||quote(bytes)||quote(tree_size)||"
              "quote(tree_root) FROM vault",
              "SELECT quote(artwork)||quote(unfinished) FROM ids ORDER BY 1",
              "SELECT quote(wallet)||quote(sealed) FROM identities ORDER BY 1",
              "SELECT quote(number)||quote(artwork)||quote(owner)||quote(head)||quote(seq)||quote(registered_at)||"
              "quote(held)||quote(bytes)||quote(sealed) FROM works ORDER BY 1",
              "SELECT quote(word)||quote(work) FROM words ORDER BY 1",
              "SELECT quote(number)||quote(claim)||quote(artwork)||quote(collector)||quote(owner)||quote(head)||"
              "quote(seq)||quote(state)||quote(asked_at)||quote(changed_at)||quote(exp)||quote(answer)||"
              "quote(answer_exp)||quote(deadline)||quote(sealed) FROM claims ORDER BY 1",
              "SELECT quote(number)||quote(artwork)||quote(position)||quote(hash)||quote(at)||quote(log_end)||"
              "quote(sealed) FROM leaves ORDER BY 1",
              "SELECT quote(level)||quote(number)||quote(hash) FROM nodes ORDER BY 1",
              "SELECT quote(statement)||quote(artwork)||quote(claim)||quote(sealed) FROM outcomes ORDER BY 1"}) {
            SqliteQuery rows = (*db)->query(sql);
            for (;;) {
                const auto there = rows.step();
                if (!there) return "";
                if (!*there) break;
                out += rows.text(0) + "\n";
            }
        }
        return out;
    }

    // The vault opens, and everything is as it was; `claims`: whether those that were open are there, if that is sure.
    void expect_as_before(const std::string& when, std::optional<bool> claims = true) {
        open();
        ASSERT_NE(vault, nullptr) << when;
        EXPECT_EQ(vault->status().ledger, ledger) << when;
        EXPECT_EQ(work(first).owner, party("ada").wallet()) << when;
        EXPECT_EQ(work(second).owner, party("ben").wallet()) << when;
        EXPECT_EQ(fetch(party("cyd"), first).value_or(Bytes()), some_bytes(40'000)) << when;
        EXPECT_EQ(fetch(party("cyd"), second).value_or(Bytes()), some_bytes(40'000, 3)) << when;
        EXPECT_TRUE(history(second).has_value()) << when;
        const auto identities =
            ask_as(party("cyd"), IdentityGetRequest{{party("ada").wallet(), party("ben").wallet()}});
        ASSERT_TRUE(identities.has_value()) << when;
        for (const auto& chain : identities->identities) EXPECT_TRUE(chain.has_value()) << when;
        const auto claim = ask_as(party("cyd"), ClaimGetRequest{pending});
        if (claims) {
            EXPECT_EQ(claim.has_value(), *claims) << when;
        }
        vault.reset();
    }

    // Damaged in the way that `when` tells: it is found, healed, and found no more.
    void expect_healed(const std::string& when, bool claims = true) {
        const CheckReport found = check();
        EXPECT_GT(found.left(), 0U) << when;
        const CheckReport repaired = check(true);
        EXPECT_EQ(repaired.left(), 0U) << when << "\n" << words(repaired);
        const CheckReport after = check();
        EXPECT_EQ(after.damages.size(), 0U) << when << "\n" << words(after);
        expect_as_before(when, claims);
    }

    VaultKeys keys = test_vault_keys();
    ArtworkId first;
    ArtworkId second;
    StatementId pending;
    TreeHead ledger;
};

TEST_F(CheckTest, AVaultThatIsWellIsFoundWell) {
    const CheckReport report = check();
    EXPECT_EQ(words(report), "");
    EXPECT_EQ(report.works, 2U);
    EXPECT_EQ(report.ledger, ledger);
    EXPECT_GT(report.files, 10U);
    EXPECT_EQ(words(check(true)), "") << "and a repair has nothing to do";
    expect_as_before("after a check");
    EXPECT_EQ(words(check()), "") << "after it served again";
}

TEST_F(CheckTest, NothingStoredIsNoDamage) {
    for (const char* place : {"data", "dup"}) {
        fs::remove_all(directory / place);
        fs::create_directory(directory / place);
        fs::permissions(directory / place, fs::perms::owner_all);
    }
    const CheckReport report = check();
    EXPECT_EQ(report.left(), 0U);
    EXPECT_THAT(report.notes, Contains(HasSubstr("nothing was stored")));
}

TEST_F(CheckTest, AVaultThatRunsIsNotChecked) {
    open();
    const auto report = check_vault({options.data, options.duplicate, false, now}, keys);
    EXPECT_EQ(code_of(report), Errc::busy);
}

TEST_F(CheckTest, FindsAFlipOfAnyByteOfEveryFileAndHealsIt) {
    std::size_t flips = 0;
    for (const Path& file : stored()) {
        const std::size_t size = contents(file).size();
        // Each file's first bytes, where its form is, its last one, and a spread between them.
        std::vector<std::size_t> offsets{0, 9, size / 2, size - 1};
        const std::size_t spread = run_in_full() ? 80 : 3;
        for (std::size_t i = 1; i < spread; ++i) offsets.push_back(i * size / spread + i % 7);
        for (const std::size_t offset : offsets) {
            if (offset >= size) continue;
            restore();
            const std::string before = is_catalog(file) ? catalog_text() : "";
            flip(file, offset);
            ++flips;
            const std::string when = file.string() + " at " + std::to_string(offset) + " of " + std::to_string(size);
            const CheckReport found = check();
            if (is_catalog(file) && found.left() == 0) {
                EXPECT_EQ(catalog_text(), before) << when << ": what was not found harms nothing";
                continue;
            }
            EXPECT_GT(found.left(), 0U) << when;
            const CheckReport repaired = check(true);
            EXPECT_EQ(repaired.left(), 0U) << when << "\n" << words(repaired);
            EXPECT_EQ(check().left(), 0U) << when;
        }
        expect_as_before("after the flips in " + file.string(),
                         is_catalog(file) ? std::nullopt : std::optional<bool>(true));
    }
    EXPECT_GT(flips, 60U);
}

TEST_F(CheckTest, FindsAFlippedByteInEveryPageOfTheCatalogue) {
    const Path file = "data/catalog.sqlite";
    const std::size_t size = contents(file).size();
    std::size_t found = 0;
    std::size_t harmless = 0;
    const std::size_t step = run_in_full() ? 61 : 4096;
    for (std::size_t at = 0; at < size; at += step) {
        // SQLite fills a page from its end.
        const std::size_t offset = run_in_full() ? at : at + 4000;
        if (offset >= size) break;
        restore();
        const std::string before = catalog_text();
        flip(file, offset, std::byte{0x20});
        const CheckReport report = check();
        if (report.left() > 0) {
            ++found;
            continue;
        }
        ++harmless;
        EXPECT_EQ(catalog_text(), before) << "at " << offset;
    }
    // Most of a small catalogue is pages that are hardly filled.
    EXPECT_GT(found, size / step / 5) << "and harmless: " << harmless;
}

TEST_F(CheckTest, FindsWhatIsCutOffAndHealsIt) {
    for (const Path& file : stored()) {
        const Bytes whole = contents(file);
        for (const std::size_t kept : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
            restore();
            put(file, ByteView(whole).first(kept));
            const std::string when = file.string() + " cut to " + std::to_string(kept);
            EXPECT_GT(check().left(), 0U) << when;
            const CheckReport repaired = check(true);
            EXPECT_EQ(repaired.left(), 0U) << when << "\n" << words(repaired);
            EXPECT_EQ(check().left(), 0U) << when;
        }
        expect_as_before("after cuts of " + file.string(), !is_catalog(file));
    }
}

TEST_F(CheckTest, FindsWhatIsDeletedAndHealsIt) {
    for (const Path& file : stored()) {
        restore();
        fs::remove(directory / file);
        expect_healed("without " + file.string(), !is_catalog(file));
    }
}

TEST_F(CheckTest, FindsTwoFilesThatWereSwappedAndHealsThem) {
    for (const Path& store : {Path("data/image_store"), Path("data/metadata_store"), Path("dup/duplicate_store"),
                              Path("dup/duplicate_metadata_store")}) {
        restore();
        const Path one = in_shelf(store, first);
        const Path other = in_shelf(store, second);
        const Bytes bytes = contents(one);
        put(one, contents(other));
        put(other, bytes);
        const CheckReport found = check();
        EXPECT_EQ(found.left(), 2U) << store << "\n" << words(found);
        expect_healed("swapped in " + store.string());
    }
}

TEST_F(CheckTest, NamesWhatIsLostWhenBothCopiesAreBad) {
    for (const char* store : {"data/image_store", "dup/duplicate_store"}) flip(in_shelf(store, first), 20'000);
    CheckReport report = check(true);
    EXPECT_EQ(report.left(), 2U) << words(report);
    for (const Damage& damage : report.damages) {
        EXPECT_EQ(damage.part, "image");
        EXPECT_EQ(damage.artwork, first);
        EXPECT_EQ(damage.remedy, Remedy::none);
        EXPECT_THAT(damage.problem, HasSubstr("chunk 1 does not authenticate"));
    }
    restore();
    // A preview stands nowhere else; what has none is written from the ledger.
    for (const char* store : {"data/metadata_store", "dup/duplicate_metadata_store"}) {
        flip(in_shelf(store, first), 100);
        fs::remove(directory / in_shelf(store, second));
    }
    report = check(true);
    EXPECT_EQ(report.left(), 2U) << words(report);
    for (const Damage& damage : report.damages) EXPECT_EQ(damage.healed, damage.artwork == second) << words(report);
    EXPECT_EQ(check().left(), 2U);
}

TEST_F(CheckTest, RebuildsALostDatabaseFromTheMetadataAndTheLeaves) {
    for (const char* file : {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"})
        fs::remove(directory / "data" / file);
    EXPECT_EQ(code_of(try_open()), Errc::config) << "leaves without a catalogue are no vault";
    EXPECT_FALSE(fs::exists(directory / "data/catalog.sqlite")) << "and none is made up";
    const CheckReport report = check(true);
    EXPECT_EQ(report.left(), 0U) << words(report);
    EXPECT_THAT(report.notes, Contains(HasSubstr("claims that were open are lost")));
    EXPECT_EQ(report.ledger, ledger);
    expect_as_before("without a database", false);
    EXPECT_EQ(words(check()), "");
    // It goes on from there.
    open();
    ASSERT_TRUE(vault->admit(party("cyd").caller()));
    hand_over(party("ben"), party("cyd"), second);
    EXPECT_EQ(work(second).owner, party("cyd").wallet());
    EXPECT_EQ(work(second).seq, 2U);
    vault.reset();
    EXPECT_EQ(words(check()), "");
}

TEST_F(CheckTest, RebuildsALostDatabaseWithoutTheDuplicate) {
    fs::remove(directory / "data/catalog.sqlite");
    options.duplicate.reset();
    EXPECT_THAT(expect_untouched("the duplicate was not named").notes,
                Contains(HasSubstr((directory / "dup").string())));
    // It is lost, says the operator.
    fs::remove(directory / "data" / kDuplicateRecord);
    EXPECT_EQ(check(true).left(), 0U);
    expect_as_before("without a database and a duplicate", false);
}

TEST_F(CheckTest, KeepsTheClaimsOfADamagedDatabaseThatCanBeRead) {
    {
        auto db = SqliteConnection::open(directory / "data/catalog.sqlite", SqliteConnection::Access::write).value();
        ASSERT_TRUE(
            db->execute("UPDATE works SET owner = zeroblob(32), held = 1; UPDATE vault SET works = 7;"
                        "DELETE FROM words; DELETE FROM nodes; DELETE FROM artists; UPDATE ids SET unfinished = 1"));
    }
    EXPECT_FALSE(try_open().has_value()) << "a damaged tree is no vault";
    EXPECT_TRUE(fs::exists(directory / in_shelf("data/image_store", first))) << "no work is taken for a leftover";
    const CheckReport report = check(true);
    EXPECT_EQ(report.left(), 0U) << words(report);
    EXPECT_THAT(report.notes, Contains(HasSubstr("no claim is lost")));
    expect_as_before("with a mended database");
}

TEST_F(CheckTest, RebuildsMoreRowsThanOneTransactionTakes) {
    constexpr int kIds = 1'200;  // that were given out and became no works
    std::string sql = "DELETE FROM nodes; INSERT INTO ids VALUES";
    for (int i = 0; i < kIds; ++i) sql += (i == 0 ? "('" : ", ('") + ArtworkId::generate().str() + "', 0)";
    execute(sql.c_str());
    const auto count = [&] {
        auto db = SqliteConnection::open(directory / "data/catalog.sqlite", SqliteConnection::Access::read).value();
        return db->integer("SELECT count(*) FROM ids").value();
    };
    const std::int64_t before = count();
    ASSERT_GE(before, kIds);
    const CheckReport report = check(true);
    EXPECT_EQ(report.left(), 0U) << words(report);
    EXPECT_EQ(count(), before);
    expect_as_before("with many rows");
}

TEST_F(CheckTest, ABackupThatGoesAwayWhileItIsReadIsNoDamagedOne) {
    const Path backup = directory / "backup";
    const Path away = directory / "away";
    const Path fresh = directory / "fresh";
    ASSERT_TRUE(backup_vault({options.data, options.duplicate, backup, now, {}}, keys).has_value());
    // Before every third of its files and directories, until the last is copied.
    for (int name = 1;; name += 3) {
        fs::remove_all(fresh);
        fs::create_directory(fresh);
        int asked = 0;
        const auto gone = restore_vault(backup, fresh, keys, now, [&] {
            if (++asked == name) fs::rename(backup, away);
            return false;
        });
        fs::rename(away, backup);
        if (gone) {
            EXPECT_EQ(gone->left(), 0U) << words(*gone);
            // Three files, three directories with two shelves in each of two, four of works, and identities.
            EXPECT_GT(name, 3 + 3 + 4);
            break;
        }
        EXPECT_EQ(gone.error().code, Errc::input_unreadable) << name << gone.error().message;
        EXPECT_FALSE(refuse_unfinished_restore(fresh).has_value()) << name << ": a vault may start";
        const auto again = restore_vault(backup, fresh, keys, now, nullptr);
        ASSERT_TRUE(again.has_value()) << name << again.error().message;
        EXPECT_EQ(again->left(), 0U) << name << words(*again);
    }
}

TEST_F(CheckTest, ABackupAndARestoreHearASignalBetweenFilesAndWhileTheyCheckThem) {
    const Path backup = directory / "backup";
    const Path fresh = directory / "fresh";
    int asked = 0;
    int until = 0;
    const auto stopped = [&] { return ++asked == until; };
    ASSERT_TRUE(backup_vault({options.data, options.duplicate, directory / "first", now, stopped}, keys).has_value());
    const int of_backup = asked;
    // Of both works: before each is copied, and before each is checked.
    EXPECT_GE(of_backup, 2 + 2);
    for (until = 1; until <= of_backup; until += 3) {
        asked = 0;
        const auto cut = backup_vault({options.data, options.duplicate, backup, now, stopped}, keys);
        ASSERT_FALSE(cut.has_value()) << until;
        EXPECT_EQ(cut.error().code, Errc::cancelled) << cut.error().message;
        EXPECT_FALSE(fs::exists(backup));
    }
    until = 0;
    ASSERT_TRUE(backup_vault({options.data, options.duplicate, backup, now, stopped}, keys).has_value());
    fs::create_directory(fresh);
    asked = 0;
    ASSERT_TRUE(restore_vault(backup, fresh, keys, now, stopped).has_value());
    const int of_restore = asked;
    EXPECT_GE(of_restore, 3 + 3 + 4 + 2) << "files and directories, works' files, and each work once more";
    for (until = 1; until <= of_restore; until += 3) {
        fs::remove_all(fresh);
        fs::create_directory(fresh);
        asked = 0;
        const auto cut = restore_vault(backup, fresh, keys, now, stopped);
        ASSERT_FALSE(cut.has_value()) << until;
        EXPECT_EQ(cut.error().code, Errc::cancelled) << cut.error().message;
        EXPECT_FALSE(refuse_unfinished_restore(fresh).has_value()) << until << ": a vault may start";
    }
}

TEST_F(CheckTest, FindsACountOfWhatAWalletRegisteredThatIsWrong) {
    for (const char* sql : {"UPDATE artists SET works = works + 1", "UPDATE artists SET bytes = 0",
                            "DELETE FROM artists", "INSERT INTO artists VALUES(zeroblob(32), 1, 1)"}) {
        restore();
        {
            auto db =
                SqliteConnection::open(directory / "data/catalog.sqlite", SqliteConnection::Access::write).value();
            ASSERT_TRUE(db->execute(sql)) << sql;
        }
        expect_healed(sql);
    }
}

TEST_F(CheckTest, ANumberOfLeavesThatIsWrongCostsNoLeaf) {
    for (const char* sql : {"UPDATE vault SET tree_size = tree_size + 4", "UPDATE vault SET tree_size = tree_size + 1",
                            "UPDATE vault SET tree_size = tree_size - 1", "UPDATE vault SET tree_size = 0"}) {
        restore();
        execute(sql);
        EXPECT_FALSE(try_open().has_value()) << sql;
        expect_healed(sql);
    }
    // With a root of its own it may be of leaves that are lost.
    restore();
    execute("UPDATE vault SET tree_size = tree_size + 4, tree_root = zeroblob(32)");
    EXPECT_THAT(words(expect_untouched("another tree")), HasSubstr("missing or damaged in every copy"));
}

TEST_F(CheckTest, AVaultThatIsContradictedIsNotWellAndNotRepaired) {
    MerkleBuilder tree;
    std::vector<TreeHead> heads{tree.head()};
    const auto file = LeafFile::open(directory / "data/leaves").value();
    {
        auto db = SqliteConnection::open(directory / "data/catalog.sqlite", SqliteConnection::Access::read).value();
        SqliteQuery rows = db->query("SELECT hash FROM leaves ORDER BY number");
        while (rows.step().value()) {
            tree.append(rows.digest(0));
            heads.push_back(tree.head());
        }
    }
    ASSERT_EQ(heads.back(), ledger);
    ASSERT_GT(heads.size(), 5U);
    const auto note = [&](const TreeHead& head) {
        put("data/contradiction", as_bytes(sign_checkpoint(keys.wallet(), head, keys.log)));
    };
    for (const TreeHead& head : heads) {
        const std::string when = "of " + std::to_string(head.size) + " leaves";
        restore();
        note(head);
        EXPECT_EQ(words(check()), "") << "a note that agrees, " << when;
        note({head.size, sha256(as_bytes("another root"))});
        EXPECT_EQ(code_of(try_open()), Errc::config) << when;
        EXPECT_THAT(words(expect_untouched(when)), HasSubstr("contradicts it")) << when;
        const auto backup = backup_vault({options.data, options.duplicate, directory / "backup", now, {}}, keys);
        ASSERT_TRUE(backup.has_value()) << when << ": " << backup.error().message;
        EXPECT_THAT(words(backup->check), HasSubstr("contradicts it")) << when;
        fs::remove_all(directory / "backup");
    }
    // Nothing is made from such a ledger.
    note({1, sha256(as_bytes("another root"))});
    execute("UPDATE vault SET works = 7");
    fs::remove(directory / "dup/leaves");
    EXPECT_THAT(words(expect_untouched("with other damages")), HasSubstr("cannot be rebuilt"));
    restore();
    note({ledger.size + 1, ledger.root});
    EXPECT_THAT(words(expect_untouched("beyond the ledger")), HasSubstr("contradicts it"));
}

TEST_F(CheckTest, RebuildsTheLostPrimaryDirectoryFromTheDuplicate) {
    fs::remove_all(directory / "data");
    fs::create_directory(directory / "data");
    fs::permissions(directory / "data", fs::perms::owner_all);
    const CheckReport report = check(true);
    EXPECT_EQ(report.left(), 0U) << words(report);
    expect_as_before("without the primary directory", false);
    EXPECT_EQ(words(check()), "");
}

TEST_F(CheckTest, RebuildsALostDuplicate) {
    fs::remove_all(directory / "dup");
    fs::create_directory(directory / "dup");
    fs::permissions(directory / "dup", fs::perms::owner_all);
    expect_healed("without the duplicate");
}

TEST_F(CheckTest, AnOlderCatalogueIsBroughtUpToItsLeaves) {
    fs::copy_file(directory / "data/catalog.sqlite", directory / "old.sqlite");
    restore();
    open();
    hand_over(party("ben"), party("ada"), second);
    ledger = vault->status().ledger;
    vault.reset();
    for (const char* file : {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"})
        fs::remove(directory / "data" / file);
    fs::copy_file(directory / "old.sqlite", directory / "data/catalog.sqlite");
    EXPECT_EQ(code_of(try_open()), Errc::config);
    const CheckReport report = check(true);
    EXPECT_EQ(report.left(), 0U) << words(report);
    EXPECT_THAT(report.notes, Contains(HasSubstr("claims that were made since are lost")));
    open();
    EXPECT_EQ(vault->status().ledger, ledger);
    EXPECT_EQ(work(second).owner, party("ada").wallet());
}

TEST_F(CheckTest, ALeafThatNoCopyHasIsNamedAndNothingIsGuessed) {
    for (const char* file : {"data/leaves", "dup/leaves"}) flip(file, 100);
    for (const char* file : {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"})
        fs::remove(directory / "data" / file);
    const CheckReport report = check(true);
    EXPECT_GT(report.left(), 0U);
    EXPECT_THAT(parts(report), Contains("ledger"));
    EXPECT_THAT(report.notes, Contains(HasSubstr("cannot be rebuilt")));
    EXPECT_FALSE(fs::exists(directory / "data/catalog.sqlite"));
    EXPECT_TRUE(fs::exists(directory / in_shelf("data/image_store", second))) << "what may be a work's stays";
}

TEST_F(CheckTest, WhatBelongsToNothingIsNamedAndPutAside) {
    const ArtworkId nobody = ArtworkId::generate();
    const Path shelf = (directory / in_shelf("data/image_store", nobody)).parent_path();
    fs::create_directories(shelf);
    fs::permissions(shelf, fs::perms::owner_all);
    put(in_shelf("data/image_store", nobody), some_bytes(10));
    CheckReport report = check();
    ASSERT_EQ(report.left(), 1U) << words(report);
    EXPECT_EQ(report.damages[0].part, "stranger");
    report = check(true);
    EXPECT_EQ(report.left(), 0U);
    EXPECT_EQ(files_below(directory / "data/damaged").size(), 1U) << "kept";
    EXPECT_EQ(words(check()), "");
}

TEST_F(CheckTest, WhatIsReplacedIsKept) {
    flip(in_shelf("data/image_store", first), 5);
    const Bytes bad = contents(in_shelf("data/image_store", first));
    EXPECT_EQ(check(true).left(), 0U);
    const auto kept = files_below(directory / "data/damaged");
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(read_file(kept[0], std::size_t{1} << 20).value(), bad);
    EXPECT_EQ(fs::status(kept[0]).permissions() & (fs::perms::group_all | fs::perms::others_all), fs::perms::none);
}

TEST_F(CheckTest, WithoutACatalogueAndLeavesTheLedgerIsUnknownAndNothingIsTouched) {
    remove_catalog();
    for (const char* file : {"data/leaves", "dup/leaves"}) fs::remove(directory / file);
    const CheckReport report = expect_untouched("without a catalogue and leaves");
    EXPECT_THAT(parts(report), Contains("ledger"));
    EXPECT_FALSE(fs::exists(directory / "data/catalog.sqlite"));
}

TEST_F(CheckTest, LeavesThatWereCutOffInEveryCopyLoseNoWork) {
    const Bytes one = first_leaves(1);
    for (const char* file : {"data/leaves", "dup/leaves"}) put(file, one);
    remove_catalog();
    const CheckReport report = expect_untouched("with one leaf of all");
    EXPECT_THAT(words(report), HasSubstr("the ledger lacks"));
    EXPECT_TRUE(fs::exists(directory / in_shelf("data/image_store", second)));
}

TEST_F(CheckTest, TwoHistoriesAreNamedAndNeverMerged) {
    for (const bool longer : {false, true}) {
        restore();
        open();
        upload(party("ada"));
        if (longer) upload(party("ada"));
        vault.reset();
        fs::copy(directory / "dup", directory / "branch", fs::copy_options::recursive);
        restore();
        const std::optional<Path> duplicate = options.duplicate;
        options.duplicate.reset();
        open();
        hand_over(party("ben"), party("ada"), second);
        vault.reset();
        options.duplicate = duplicate;
        fs::remove_all(directory / "dup");
        fs::rename(directory / "branch", directory / "dup");
        const CheckReport report = expect_untouched("two histories");
        EXPECT_THAT(words(report), HasSubstr("two histories part here"));
        EXPECT_EQ(report.ledger.size, ledger.size + 1);
        // Without a catalogue neither is one put together.
        remove_catalog();
        EXPECT_THAT(words(expect_untouched("two histories without a catalogue")), HasSubstr("two histories part here"));
        EXPECT_EQ(code_of(try_open()), Errc::config);
    }
}

TEST_F(CheckTest, AnotherVaultsDirectoryIsRefusedBeforeAnythingIsWritten) {
    const Wallet other = party("ada").wallet();
    const Bytes foreign_key = MasterKey::draw().wrap(other, keys.store.public_key());
    Bytes newer_key = contents("dup/master.key");
    newer_key[4] = std::byte{2};
    newer_key[100] ^= std::byte{1};
    Bytes foreign_leaves = leaf_log_header(other);
    append(foreign_leaves, leaf_record(some_bytes(200)));
    Bytes newer_leaves = leaf_log_header(keys.wallet());
    newer_leaves[4] = std::byte{2};
    append(newer_leaves, leaf_record(some_bytes(200)));
    const std::vector<std::pair<const char*, Bytes>> cases{{"dup/master.key", foreign_key},
                                                           {"dup/master.key", newer_key},
                                                           {"dup/leaves", foreign_leaves},
                                                           {"dup/leaves", newer_leaves}};
    for (const auto& [file, bytes] : cases) {
        restore();
        put(file, bytes);
        flip(in_shelf("data/image_store", first), 20'000);
        const auto before = everything();
        EXPECT_EQ(code_of(check_vault({options.data, options.duplicate, true, now}, keys)), Errc::config) << file;
        EXPECT_TRUE(everything() == before) << file;
    }
    restore();
    execute("UPDATE vault SET wallet = zeroblob(32), master_check = zeroblob(32)");
    const auto before = everything();
    EXPECT_EQ(code_of(check_vault({options.data, options.duplicate, true, now}, keys)), Errc::config) << "a catalogue";
    EXPECT_TRUE(everything() == before);
}

TEST_F(CheckTest, ADuplicateThatIsNotThereIsRefusedAndNotMade) {
    options.duplicate = directory / "mistyped";
    EXPECT_EQ(code_of(check_vault({options.data, options.duplicate, true, now}, keys)), Errc::config);
    EXPECT_FALSE(fs::exists(*options.duplicate));
}

TEST_F(CheckTest, ACatalogueOfANewerVersionIsRefusedAndOneWithAWrongNumberKeepsItsClaims) {
    execute(("PRAGMA user_version = " + std::to_string(kCatalogVersion + 1)).c_str());
    const auto before = everything();
    const auto refused = check_vault({options.data, options.duplicate, true, now}, keys);
    ASSERT_EQ(code_of(refused), Errc::config);
    EXPECT_THAT(refused.error().message, HasSubstr("newer version"));
    EXPECT_TRUE(everything() == before);
    for (const char* sql : {"PRAGMA user_version = 1", "PRAGMA user_version = 2097154", "PRAGMA application_id = 7",
                            "UPDATE vault SET wallet = zeroblob(32)"}) {
        restore();
        execute(sql);
        expect_healed(sql);
    }
}

TEST_F(CheckTest, RowsThatAreNotThereAreMissed) {
    for (const char* sql :
         {"DELETE FROM outcomes WHERE sealed IS NULL", "UPDATE outcomes SET claim = NULL WHERE claim IS NOT NULL"}) {
        restore();
        execute(sql);
        expect_healed(sql);
    }
    // Who never owned a work has an identity nowhere else, and without it a claim proves nothing.
    restore();
    execute("DELETE FROM identities");
    expect_healed("without identities", false);
}

TEST_F(CheckTest, AnOlderChainInAnIdentityFileIsDamage) {
    const Party& ada = party("ada");
    IdentityDocument next = ada.chain.documents().back();
    next.sign = party("ben").sign.public_key();
    next.kem = party("ben").kem.public_key();
    next.seq += 1;
    next.prev = ada.chain.newest_id();
    next.iat += 100;
    std::vector<std::string> texts = ada.chain.texts();
    texts.push_back(sign_identity(next, ada.sign));
    const IdentityChain longer = IdentityChain::from_documents(texts).value();
    const MasterKey master = MasterKey::unwrap(contents("data/master.key"), keys.wallet(), keys.store).value();
    AtRestSealer sealer(master.derive(AtRestKey::files));
    const Path file = identity_path("dup", ada.wallet());
    put(file, seal_identity_file(ada.wallet(), longer.encode(), sealer));
    CheckReport report = check();
    EXPECT_THAT(parts(report), Contains("identity"));
    EXPECT_EQ(check(true).left(), 0U);
    for (const char* root : {"data", "dup"}) {
        const auto kept = open_identity_file(contents(identity_path(root, ada.wallet())), ada.wallet(), sealer).value();
        EXPECT_EQ(kept, longer.encode()) << root;
    }
    EXPECT_EQ(words(check()), "");
}

TEST_F(CheckTest, AMendThatFailsIsToldAndTheOthersGoOn) {
    flip(in_shelf("data/image_store", first), 20'000);
    flip(in_shelf("dup/duplicate_store", second), 20'000);
    put("dup/damaged", some_bytes(3));
    const CheckReport report = check(true);
    EXPECT_GT(report.left(), 0U);
    EXPECT_THAT(words(report), HasSubstr("could not be mended"));
    for (const Damage& damage : report.damages)
        if (damage.artwork == first) {
            EXPECT_TRUE(damage.healed) << words(report);
        }
}

TEST_F(CheckTest, LeavesThatAreNoFileAreWrittenAnew) {
    fs::rename(directory / "data/leaves", directory / "elsewhere");
    fs::create_symlink(directory / "elsewhere", directory / "data/leaves");
    fs::remove(directory / "dup/leaves");
    fs::create_directory(directory / "dup/leaves");
    fs::permissions(directory / "dup/leaves", fs::perms::owner_all);
    expect_healed("leaves that are a link and a directory");
}

TEST_F(CheckTest, ModesAndStrayFilesAreNamedAndMended) {
    fs::permissions(directory / "data/leaves", fs::perms(0644));
    fs::permissions(directory / "data/catalog.sqlite", fs::perms(0640));
    const Path shelf = (directory / in_shelf("data/image_store", first)).parent_path();
    fs::permissions(shelf, fs::perms(0755));
    flip(in_shelf("data/image_store", first), 20'000);
    put("data/incoming/notes.txt", some_bytes(3));
    put("dup/identities/README", some_bytes(3));
    const CheckReport report = check();
    EXPECT_EQ(report.left(), 6U) << words(report);
    EXPECT_EQ(std::ranges::count(parts(report), "mode"), 3);
    EXPECT_EQ(std::ranges::count(parts(report), "stranger"), 2);
    expect_healed("modes and strays");
    EXPECT_EQ(fs::status(shelf).permissions(), fs::perms(0700));
}

TEST_F(CheckTest, ADamagedLogOfACrashedVaultIsFoundAndKept) {
    open();
    claim(party("cyd"), first);
    for (const char* file : {"catalog.sqlite", "catalog.sqlite-wal"})
        fs::copy_file(directory / "data" / file, directory / file);
    vault.reset();
    restore();
    for (const char* file : {"catalog.sqlite", "catalog.sqlite-wal"})
        fs::copy_file(directory / file, directory / "data" / file, fs::copy_options::overwrite_existing);
    for (const char* file : {"data/catalog.sqlite", "data/catalog.sqlite-wal"})
        fs::permissions(directory / file, fs::perms(0600));
    const auto sound = everything();
    EXPECT_EQ(words(check()), "") << "a crash is no damage";
    EXPECT_TRUE(everything() == sound) << "and a check changes nothing";
    flip("data/catalog.sqlite-wal", 200);
    const Bytes log = contents("data/catalog.sqlite-wal");
    const CheckReport found = check();
    EXPECT_THAT(words(found), HasSubstr("frame 0 is damaged"));
    EXPECT_EQ(contents("data/catalog.sqlite-wal"), log) << "the evidence stays";
    const CheckReport repaired = check(true);
    EXPECT_EQ(repaired.left(), 0U) << words(repaired);
    EXPECT_THAT(repaired.notes, Contains(HasSubstr("claims that were made since are lost")));
    bool kept = false;
    for (const Path& file : files_below(directory / "data/damaged"))
        kept = kept || read_file(file, std::size_t{1} << 26).value() == log;
    EXPECT_TRUE(kept);
    expect_as_before("after a damaged log");
    EXPECT_EQ(words(check()), "");
}

TEST_F(CheckTest, AnInterruptedRepairEndsAsOneThatWasNot) {
    // What each step leaves: a rebuilt file that did not get its name, or an old one that has two.
    flip("data/leaves", 100);
    flip("dup/leaves", 0);
    execute("UPDATE vault SET works = 7");
    put("data/catalog.rebuilt", some_bytes(5000));
    put("data/catalog.rebuilt-wal", some_bytes(5000));
    put("data/leaves.abcdef.part", some_bytes(50));
    fs::create_directory(directory / "data/damaged");
    fs::permissions(directory / "data/damaged", fs::perms::owner_all);
    fs::create_hard_link(directory / "data/catalog.sqlite", directory / "data/damaged/catalog.sqlite.1");
    fs::create_hard_link(directory / "data/leaves", directory / "data/damaged/leaves.1");
    expect_healed("after a repair that was cut off");
    EXPECT_FALSE(fs::exists(directory / "data/catalog.rebuilt"));
    EXPECT_FALSE(fs::exists(directory / "data/catalog.rebuilt-wal"));
}

TEST_F(CheckTest, ARepairWithoutRoomLeavesWhatWasThere) {
    execute("UPDATE vault SET works = 7");
    fs::remove(directory / "dup/leaves");
    const Bytes catalog = contents("data/catalog.sqlite");
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto old = std::signal(SIGXFSZ, SIG_IGN);
    for (const rlim_t size : {rlim_t{64}, rlim_t{20'000}, rlim_t{150'000}}) {
        const rlimit small{size, before.rlim_max};
        ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
        const CheckReport report = check(true);
        ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
        EXPECT_GT(report.left(), 0U) << size;
        EXPECT_EQ(contents("data/catalog.sqlite"), catalog) << size;
        EXPECT_FALSE(fs::exists(directory / "data/catalog.rebuilt")) << size;
    }
    (void)std::signal(SIGXFSZ, old);
    expect_healed("with room again");
}

TEST_F(CheckTest, FilesThatAnOlderCatalogueTakesForLeftoversAreKeptByTheStart) {
    options.duplicate.reset();
    open();
    upload(party("ada"));
    const std::vector<const char*> older{"catalog.sqlite", "catalog.sqlite-wal", "leaves"};
    for (const char* file : older) fs::copy_file(directory / "data" / file, directory / file);
    UploadPlan plan;
    plan.image = some_bytes(5000, 9);
    const ArtworkId later = upload(party("ada"), plan);
    vault.reset();
    const Bytes image = contents(in_shelf("data/image_store", later));
    for (const char* file : older)
        fs::copy_file(directory / file, directory / "data" / file, fs::copy_options::overwrite_existing);
    EXPECT_THAT(check().notes, Contains(HasSubstr("may be of a work")));
    std::vector<HealEvent> told_events;
    open();
    vault->set_heal_report([&](const HealEvent& event) { told_events.push_back(event); });
    ASSERT_EQ(told_events.size(), 1U);
    EXPECT_EQ(told_events[0].artwork, later);
    vault.reset();
    EXPECT_FALSE(fs::exists(directory / in_shelf("data/image_store", later)));
    bool kept = false;
    for (const Path& file : files_below(directory / "data/damaged"))
        kept = kept || read_file(file, std::size_t{1} << 26).value() == image;
    EXPECT_TRUE(kept);
}

TEST_F(CheckTest, ADuplicateThatWasAwayGetsTheIdentitiesBeforeTheLeaves) {
    const std::optional<Path> duplicate = options.duplicate;
    options.duplicate.reset();
    open();
    ASSERT_TRUE(vault->admit(party("dan").caller()));
    const ArtworkId third = upload(party("dan"));
    options.duplicate = duplicate;
    open();
    ledger = vault->status().ledger;
    vault.reset();
    EXPECT_EQ(words(check()), "");
    fs::remove_all(directory / "data");
    fs::create_directory(directory / "data");
    fs::permissions(directory / "data", fs::perms::owner_all);
    const CheckReport report = check(true);
    EXPECT_EQ(report.left(), 0U) << words(report);
    EXPECT_EQ(report.ledger, ledger);
    open();
    EXPECT_EQ(work(third).owner, party("dan").wallet());
}

TEST_F(CheckTest, ANewDuplicateGetsNoRottenImage) {
    flip(in_shelf("data/image_store", first), 20'000);
    fs::remove_all(directory / "dup");
    std::vector<HealEvent> told_events;
    open();
    vault->set_heal_report([&](const HealEvent& event) { told_events.push_back(event); });
    ASSERT_EQ(told_events.size(), 1U);
    EXPECT_EQ(told_events[0].artwork, first);
    EXPECT_FALSE(told_events[0].healed);
    EXPECT_FALSE(fs::exists(directory / in_shelf("dup/duplicate_store", first)));
    EXPECT_TRUE(fs::exists(directory / in_shelf("dup/duplicate_store", second)));
}

}  // namespace
}  // namespace sat
