// Files: limits, atomic writing, modes, locks.
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "support/temporary.h"

namespace sat {
namespace {

mode_t mode_of(const Path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
}

void put(const Path& path, std::string_view text, mode_t mode = 0600) {
    ASSERT_TRUE(write_file_atomically(path, as_bytes(text), AtomicFile::Existing::replace));
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
}

std::string contents(const Path& path) { return to_string(read_file(path, 1 << 20).value()); }

TEST(ReadFile, TakesUpToItsLimitAndNotOneByteMore) {
    const TemporaryDirectory directory;
    for (const std::size_t size : {0U, 1U, 9U, 10U}) {
        put(directory / "f", std::string(size, 'x'));
        ASSERT_TRUE(read_file(directory / "f", 10)) << size;
        EXPECT_EQ(read_file(directory / "f", 10)->size(), size);
        EXPECT_EQ(read_secret_file(directory / "f", 10)->size(), size);
    }
    put(directory / "f", std::string(11, 'x'));
    EXPECT_EQ(read_file(directory / "f", 10).error().code, Errc::too_large);
    EXPECT_EQ(read_secret_file(directory / "f", 10).error().code, Errc::too_large);
    EXPECT_EQ(read_file(directory / "f", 0).error().code, Errc::too_large);
    put(directory / "big", std::string(100'000, 'y'));
    EXPECT_EQ(contents(directory / "big"), std::string(100'000, 'y'));
}

TEST(ReadFile, IsForRegularFilesThatAreThere) {
    const TemporaryDirectory directory;
    const auto missing = read_file(directory / "none", 10);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::input_unreadable);
    EXPECT_EQ(missing.error().message, "cannot read " + (directory / "none").string() + ": no such file or directory");
    EXPECT_EQ(read_file(directory.path(), 10).error().code, Errc::input_unreadable);
    EXPECT_EQ(read_file("/dev/null", 10).error().code, Errc::input_unreadable);
    // Nobody writes into this FIFO: opening it must not wait.
    ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
    EXPECT_EQ(read_file(directory / "fifo", 10).error().code, Errc::input_unreadable);
}

TEST(ReadSecretFd, ReadsAPipeToItsEndWithinTheLimit) {
    for (const std::size_t size : {0U, 1U, 5000U, 10'000U, 10'001U}) {
        int ends[2];
        ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        const FileDescriptor out(ends[0]);
        FileDescriptor in(ends[1]);
        ASSERT_TRUE(write_all(in.get(), Bytes(size, std::byte{7}), "pipe"));
        in.reset();
        const auto secret = read_secret_fd(out.get(), 10'000);
        EXPECT_EQ(secret.has_value(), size <= 10'000);
        EXPECT_EQ(secret ? secret->size() : 10'001U, size);
    }
    EXPECT_EQ(read_secret_fd(-1, 10).error().code, Errc::input_unreadable);
}

TEST(ReadSome, StopsAtTheEnd) {
    const TemporaryDirectory directory;
    put(directory / "f", "abcde");
    const auto fd = open_regular(directory / "f");
    ASSERT_TRUE(fd);
    Bytes buffer(3);
    EXPECT_EQ(read_some(fd->get(), buffer, "f").value(), 3U);
    EXPECT_EQ(read_some(fd->get(), buffer, "f").value(), 2U);
    EXPECT_EQ(read_some(fd->get(), buffer, "f").value(), 0U);
    EXPECT_EQ(read_some(-1, buffer, "f").error().code, Errc::io_error);
}

TEST(ErrnoError, TellsAFullDiskFromOtherFailures) {
    EXPECT_EQ(errno_error("write", "/x", ENOSPC).code, Errc::storage_full);
    EXPECT_EQ(errno_error("write", "/x", EDQUOT).code, Errc::storage_full);
    EXPECT_EQ(errno_error("write", "/x", EIO).code, Errc::io_error);
    EXPECT_EQ(errno_error("write", "/x", ENOSPC).message, "cannot write /x: no space left on device");
    const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(full);
    EXPECT_EQ(write_all(full.get(), as_bytes("x"), "/dev/full").error().code, Errc::storage_full);
}

TEST(AtomicFile, HasItsNameOnlyAfterCommit) {
    const TemporaryDirectory directory;
    auto file = AtomicFile::create(directory / "f", AtomicFile::Existing::refuse, 0600);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write(as_bytes("ab")));
    ASSERT_TRUE(file->write(as_bytes("c")));
    EXPECT_FALSE(std::filesystem::exists(directory / "f"));
    EXPECT_TRUE(std::filesystem::exists(file->temporary()));
    EXPECT_EQ(file->temporary().parent_path(), directory.path());
    EXPECT_TRUE(file->temporary().filename().string().starts_with("f."));
    EXPECT_TRUE(file->temporary().filename().string().ends_with(".part"));
    ASSERT_TRUE(file->commit());
    EXPECT_EQ(contents(directory / "f"), "abc");
    EXPECT_EQ(mode_of(directory / "f"), 0600U);
    EXPECT_EQ(directory.count(), 1U);
}

TEST(AtomicFile, LeavesNothingWhenDestroyedBeforeCommit) {
    const TemporaryDirectory directory;
    {
        auto file = AtomicFile::create(directory / "f", AtomicFile::Existing::refuse);
        ASSERT_TRUE(file);
        ASSERT_TRUE(file->write(as_bytes("abc")));
        const AtomicFile moved = std::move(*file);
        EXPECT_EQ(directory.count(), 1U);
    }
    EXPECT_EQ(directory.count(), 0U);
}

TEST(AtomicFile, RefusesAnExistingNameAtCreation) {
    const TemporaryDirectory directory;
    put(directory / "f", "old");
    const auto file = AtomicFile::create(directory / "f", AtomicFile::Existing::refuse);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, Errc::output_exists);
    // A link that leads nowhere is a name too.
    std::filesystem::create_symlink("nowhere", directory / "link");
    EXPECT_EQ(AtomicFile::create(directory / "link", AtomicFile::Existing::refuse).error().code, Errc::output_exists);
    EXPECT_EQ(contents(directory / "f"), "old");
}

TEST(AtomicFile, RefusesANameThatWasTakenMeanwhile) {
    const TemporaryDirectory directory;
    {
        auto file = AtomicFile::create(directory / "f", AtomicFile::Existing::refuse);
        ASSERT_TRUE(file);
        ASSERT_TRUE(file->write(as_bytes("mine")));
        put(directory / "f", "theirs");
        const auto committed = file->commit();
        ASSERT_FALSE(committed);
        EXPECT_EQ(committed.error().code, Errc::output_exists);
    }
    EXPECT_EQ(contents(directory / "f"), "theirs");
    EXPECT_EQ(directory.count(), 1U);
}

TEST(AtomicFile, ReplacesWhereThatIsWanted) {
    const TemporaryDirectory directory;
    put(directory / "f", "old");
    ASSERT_TRUE(write_file_atomically(directory / "f", as_bytes("new"), AtomicFile::Existing::replace, 0640));
    EXPECT_EQ(contents(directory / "f"), "new");
    EXPECT_EQ(directory.count(), 1U);
}

TEST(AtomicFile, FailsWhereThereIsNoDirectoryAndLeavesADirectoryInItsWayAlone) {
    const TemporaryDirectory directory;
    EXPECT_EQ(AtomicFile::create(directory / "none" / "f", AtomicFile::Existing::replace).error().code, Errc::io_error);
    ASSERT_TRUE(std::filesystem::create_directory(directory / "d"));
    EXPECT_FALSE(write_file_atomically(directory / "d", as_bytes("x"), AtomicFile::Existing::replace));
    EXPECT_EQ(directory.count(), 1U);
}

TEST(AtomicFile, AssignedAnotherRemovesItsOwnTemporary) {
    const TemporaryDirectory directory;
    {
        auto first = AtomicFile::create(directory / "a", AtomicFile::Existing::refuse);
        auto second = AtomicFile::create(directory / "b", AtomicFile::Existing::refuse);
        ASSERT_TRUE(first && second);
        *first = std::move(*second);
        ASSERT_TRUE(first->commit());
    }
    EXPECT_TRUE(std::filesystem::exists(directory / "b"));
    EXPECT_EQ(directory.count(), 1U);
}

TEST(PrivateDirectory, IsMadeWithItsParentsForUsAlone) {
    const TemporaryDirectory directory;
    ASSERT_TRUE(make_private_directory(directory / "a" / "b" / "c"));
    for (const char* name : {"a", "a/b", "a/b/c"}) EXPECT_EQ(mode_of(directory / name), 0700U) << name;
    EXPECT_TRUE(make_private_directory(directory / "a" / "b" / "c"));
    EXPECT_TRUE(make_private_directory(directory / "a" / "b" / "d" / ""));
    EXPECT_TRUE(require_private_directory(directory / "a"));
}

TEST(PrivateDirectory, OpenToOthersIsRefusedWithTheRemedy) {
    const TemporaryDirectory directory;
    ASSERT_TRUE(make_private_directory(directory / "d"));
    for (const mode_t mode : {0750U, 0701U, 0755U, 0720U}) {
        ASSERT_EQ(::chmod((directory / "d").c_str(), mode), 0);
        const auto made = make_private_directory(directory / "d");
        ASSERT_FALSE(made) << mode;
        EXPECT_EQ(made.error().code, Errc::config);
        EXPECT_EQ(made.error().hint, "chmod 700 " + (directory / "d").string());
    }
}

TEST(PrivateDirectory, DoesNotPassThroughAFile) {
    const TemporaryDirectory directory;
    put(directory / "f", "x");
    EXPECT_EQ(make_private_directory(directory / "f" / "d").error().code, Errc::io_error);
    EXPECT_EQ(make_private_directory(directory / "f").error().code, Errc::config);
    EXPECT_EQ(require_private_directory(directory / "none").error().code, Errc::config);
}

TEST(PrivateFile, IsARegularFileForUsAlone) {
    const TemporaryDirectory directory;
    put(directory / "f", "x", 0600);
    EXPECT_TRUE(require_private_file(directory / "f"));
    for (const mode_t mode : {0640U, 0604U, 0610U, 0666U}) {
        ASSERT_EQ(::chmod((directory / "f").c_str(), mode), 0);
        const auto required = require_private_file(directory / "f");
        ASSERT_FALSE(required) << mode;
        EXPECT_EQ(required.error().code, Errc::config);
        EXPECT_EQ(required.error().hint, "chmod 600 " + (directory / "f").string());
    }
    EXPECT_EQ(require_private_file(directory.path()).error().code, Errc::config);
    EXPECT_EQ(require_private_file(directory / "none").error().code, Errc::config);
}

TEST(PrivateFile, OfAnotherUserIsRefused) {
    const TemporaryDirectory directory;
    put(directory / "f", "x", 0600);
    if (::chown((directory / "f").c_str(), 12345, 12345) != 0) {
        std::cout << "only root can give a file away: nothing was compared\n";
        return;
    }
    EXPECT_EQ(require_private_file(directory / "f").error().code, Errc::config);
}

TEST(LockFile, IsHeldByOneAtATime) {
    const TemporaryDirectory directory;
    auto first = lock_file(directory / "lock");
    ASSERT_TRUE(first);
    // flock(2) belongs to the open file, so a second opening stands for a second process.
    const auto second = lock_file(directory / "lock");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::busy);
    first->reset();
    EXPECT_TRUE(lock_file(directory / "lock"));
    EXPECT_EQ(lock_file(directory / "none" / "lock").error().code, Errc::io_error);
}

TEST(FreeSpace, IsKnownForADirectoryThatIsThere) {
    const TemporaryDirectory directory;
    EXPECT_GT(free_space(directory.path()).value(), 0U);
    EXPECT_EQ(free_space(directory / "none").error().code, Errc::io_error);
}

TEST(SyncDirectory, FailsWhereThereIsNone) {
    const TemporaryDirectory directory;
    EXPECT_TRUE(sync_directory(directory.path()));
    EXPECT_EQ(sync_directory(directory / "none").error().code, Errc::io_error);
}

TEST(ForbidCoreDumps, ClosesTheProcessToOthers) {
    // In a child: what is forbidden stays forbidden.
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        forbid_core_dumps();
        struct rlimit limit {};
        const bool forbidden = ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0 &&
                               ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
        ::_exit(forbidden ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace sat
