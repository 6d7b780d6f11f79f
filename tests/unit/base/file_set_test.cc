// Files that change together: all of them or none, whenever it was cut off.
// SPDX-License-Identifier: Apache-2.0
#include "base/file_set.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "support/temporary.h"

namespace sat {
namespace {

namespace fs = std::filesystem;

class FileSetTest : public testing::Test {
public:
    FileSetTest() {
        put(home() / "a", "old a");
        put(home() / "b", "old b");
        put(home() / "c", "untouched");
    }
    Path home() const { return directory_.path(); }
    static void put(const Path& path, std::string_view text) {
        ASSERT_TRUE(write_file_atomically(path, as_bytes(text), AtomicFile::Existing::refuse, 0600));
    }
    std::string contents(const char* name) const { return to_string(read_file(home() / name, 100).value()); }
    FileSet begin() const {
        auto set = FileSet::begin(home());
        SAT_ASSERT(set);
        put(set->path() / "a", "new a");
        put(set->path() / "b", "new b");
        return std::move(*set);
    }

private:
    TemporaryDirectory directory_;
};

TEST_F(FileSetTest, ReplacesItsNamesakesAndNothingElse) {
    FileSet set = begin();
    EXPECT_EQ(contents("a"), "old a");
    ASSERT_TRUE(set.commit());
    EXPECT_TRUE(file_set_waits(home()));
    ASSERT_TRUE(finish_file_set(home(), home()));
    EXPECT_EQ(contents("a") + contents("b") + contents("c"), "new anew buntouched");
    EXPECT_FALSE(file_set_waits(home()));
    EXPECT_TRUE(finish_file_set(home(), home())) << "nothing waits, nothing happens";
    EXPECT_EQ(fs::directory_iterator(home())->path().parent_path(), home());
    EXPECT_FALSE(fs::exists(home() / kFileSet));
}

TEST_F(FileSetTest, HasANameOfItsOwnWhereItIsGivenOne) {
    {
        auto set = FileSet::begin(home(), "other");
        ASSERT_TRUE(set);
        put(set->path() / "a", "other a");
        ASSERT_TRUE(set->commit());
    }
    EXPECT_TRUE(file_set_waits(home(), "other"));
    EXPECT_FALSE(file_set_waits(home()));
    ASSERT_TRUE(finish_file_set(home(), home()));
    EXPECT_EQ(contents("a"), "old a");
    ASSERT_TRUE(finish_file_set(home(), home(), "other"));
    EXPECT_EQ(contents("a"), "other a");
    EXPECT_FALSE(file_set_waits(home(), "other"));
}

TEST_F(FileSetTest, NotCommittedItLeavesNothing) {
    {
        const FileSet set = begin();
        EXPECT_TRUE(fs::exists(set.path()));
    }
    EXPECT_FALSE(file_set_waits(home()));
    EXPECT_EQ(std::distance(fs::directory_iterator(home()), fs::directory_iterator()), 3);
    EXPECT_EQ(contents("a"), "old a");
}

TEST_F(FileSetTest, WhatACrashLeftUnfinishedIsMadeAnew) {
    const Path part = home() / (std::string(kFileSet) + ".part");
    fs::create_directory(part);
    std::ofstream(part / "rubbish") << "half a key";
    FileSet set = begin();
    ASSERT_TRUE(set.commit());
    ASSERT_TRUE(finish_file_set(home(), home()));
    EXPECT_FALSE(fs::exists(home() / "rubbish"));
}

TEST_F(FileSetTest, CutOffWhileItsFilesAreMovedItIsFinishedLater) {
    for (const char* moved : {"a", "b"}) {
        FileSet set = begin();
        ASSERT_TRUE(set.commit());
        fs::rename(home() / kFileSet / moved, home() / moved);
        ASSERT_TRUE(finish_file_set(home(), home())) << moved;
        EXPECT_EQ(contents("a") + contents("b"), "new anew b");
    }
    // After all were moved, before the set was removed.
    fs::create_directory(home() / kFileSet);
    fs::permissions(home() / kFileSet, fs::perms::owner_all);
    ASSERT_TRUE(finish_file_set(home(), home()));
    EXPECT_FALSE(file_set_waits(home()));
}

TEST_F(FileSetTest, OneThatOthersMayWriteIsNotBelieved) {
    FileSet set = begin();
    ASSERT_TRUE(set.commit());
    fs::permissions(home() / kFileSet, fs::perms::all);
    EXPECT_EQ(finish_file_set(home(), home()).error().code, Errc::config);
    EXPECT_EQ(contents("a"), "old a");
}

}  // namespace
}  // namespace sat
