// The leaves files.  docs/storage.md, "The leaves files".
// SPDX-License-Identifier: Apache-2.0
#include "store/leaf_log.h"

#include <sys/resource.h>

#include <csignal>

#include "base/text.h"
#include "unit/store/fixture.h"

namespace sat {
namespace {

class LeafLogTest : public CatalogTest {
protected:
    std::vector<Path> files() const { return {directory / "leaves", directory / "leaves2"}; }

    Result<std::unique_ptr<LeafLog>> open_log() {
        SAT_TRY_VALUE(auto log, LeafLog::open(files(), vault, master, *catalog));
        SAT_TRY(log->catch_up(*catalog));
        return log;
    }

    void must_open() {
        const auto log = open_log();
        ASSERT_TRUE(log.has_value()) << log.error().message;
    }

    Bytes contents(int which = 0) {
        return read_file(files()[static_cast<std::size_t>(which)], std::size_t{1} << 24).value();
    }

    void put(ByteView bytes, int which = 0) {
        ASSERT_TRUE(write_file_atomically(files()[static_cast<std::size_t>(which)], bytes,
                                          AtomicFile::Existing::replace, 0600));
    }
};

TEST_F(LeafLogTest, CopiesEveryLeafIntoBothFilesAlike) {
    auto log = open_log().value();
    EXPECT_EQ(contents().size(), kLeafLogHeader);
    add_work("Fen");
    add_work("Moor");
    must(log->catch_up(*catalog));
    const Bytes first = contents();
    EXPECT_EQ(first.size(), kLeafLogHeader + leaf_record_size(kAtRestOverhead + std::string("leaf of Fen").size()) +
                                leaf_record_size(kAtRestOverhead + std::string("leaf of Moor").size()));
    EXPECT_EQ(first, contents(1));
    must(log->catch_up(*catalog));
    EXPECT_EQ(contents(), first);
}

TEST_F(LeafLogTest, WritesTheMissingTailAtOpenWhereverTheFileEnds) {
    for (int i = 0; i < 5; ++i) add_work("w" + std::to_string(i));
    must_open();
    const Bytes whole = contents();
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        put(ByteView(whole).first(size));
        must_open();
        ASSERT_EQ(contents(), whole) << size;
    }
}

TEST_F(LeafLogTest, MendsAnEndThatAPowerCutLeftUnwritten) {
    for (int i = 0; i < 5; ++i) add_work("w" + std::to_string(i));
    must_open();
    const Bytes whole = contents();
    for (const std::size_t kept : {whole.size() - 1, whole.size() / 2, std::size_t{kLeafLogHeader}}) {
        Bytes zeros = whole;
        std::fill(zeros.begin() + static_cast<std::ptrdiff_t>(kept), zeros.end(), std::byte{0});
        put(zeros);
        must_open();
        EXPECT_EQ(contents(), whole);
    }
}

TEST_F(LeafLogTest, EndsWhereItEndedAfterAFailedWriteAndTriesAgain) {
    auto log = open_log().value();
    add_work("Fen");
    must(log->catch_up(*catalog));
    const Bytes before = contents();
    add_work("Moor");
    struct rlimit old {};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
    std::signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = old;
    small.rlim_cur = before.size() + 10;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto first = log->catch_up(*catalog);
    const auto second = log->catch_up(*catalog);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
    EXPECT_TRUE(code_of(first));
    EXPECT_TRUE(code_of(second));
    EXPECT_EQ(contents(), before);
    must(log->catch_up(*catalog));
    const Bytes whole = contents();
    EXPECT_EQ(contents(1), whole);
    EXPECT_GT(whole.size(), before.size());
    must_open();  // the catalogue agrees
    EXPECT_EQ(contents(), whole);
}

TEST_F(LeafLogTest, FillsADuplicateThatWasAddedLater) {
    for (int i = 0; i < 300; ++i) add_work("w" + std::to_string(i));
    must_open();
    std::filesystem::remove(files()[1]);
    must_open();
    EXPECT_EQ(contents(1), contents(0));
}

TEST_F(LeafLogTest, RefusesACatalogueThatIsOlderThanTheFile) {
    add_work("Fen");
    must_open();
    catalog.reset();
    std::filesystem::copy_file(file(), directory / "old.sqlite");
    open();
    add_work("Moor");
    must_open();
    const Bytes both = contents();
    catalog.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file().string() + suffix);
    std::filesystem::rename(directory / "old.sqlite", file());
    open();
    const auto refused = open_log();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::config);
    EXPECT_NE(refused.error().message.find("contradict"), std::string::npos);
    EXPECT_EQ(contents(), both);

    // Another ledger grown from the old catalogue: leaf 1 is there twice, differently.
    add_work("A heath, and a longer title than before");
    EXPECT_EQ(code_of(open_log()), Errc::config);
    EXPECT_EQ(contents(), both);
}

TEST_F(LeafLogTest, RefusesAFileOfAnotherVaultOrFormat) {
    must_open();
    const Bytes whole = contents();
    for (const std::size_t at : {0U, 4U, 8U, 39U}) {
        Bytes foreign = whole;
        foreign[at] ^= std::byte{1};
        put(foreign);
        EXPECT_EQ(code_of(open_log()), Errc::config) << at;
    }
}

}  // namespace
}  // namespace sat
