// Passphrases from files and descriptors, and nobody to ask.
// SPDX-License-Identifier: Apache-2.0
#include "common/passphrase.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "support/temporary.h"

namespace sat {
namespace {

PassphraseSource from_file(const Path& file) { return {file.string(), std::nullopt, false}; }

TEST(Passphrase, LosesOneLineEndAndNothingElse) {
    const TemporaryDirectory directory;
    const std::vector<std::pair<std::string, std::string>> cases = {{"word", "word"},
                                                                    {"word\n", "word"},
                                                                    {"word\r\n", "word"},
                                                                    {"word\n\n", "word\n"},
                                                                    {"two\nlines\n", "two\nlines"},
                                                                    {" two words \n", " two words "}};
    for (const auto& [text, expected] : cases) {
        const Path file = directory / "p";
        ASSERT_TRUE(write_file_atomically(file, as_bytes(text), AtomicFile::Existing::replace, 0600));
        const auto read = read_passphrase(from_file(file));
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(to_string(read->reveal()), expected);
    }
}

TEST(Passphrase, OfNothingOrTooMuchIsNone) {
    const TemporaryDirectory directory;
    const Path file = directory / "p";
    for (const std::string& text :
         {std::string(), std::string("\n"), std::string(kMaxPassphrase + 1, 'x'), std::string(5000, 'x')}) {
        ASSERT_TRUE(write_file_atomically(file, as_bytes(text), AtomicFile::Existing::replace, 0600));
        EXPECT_EQ(read_passphrase(from_file(file)).error().code, Errc::key_locked) << text.size();
    }
    ASSERT_TRUE(write_file_atomically(file, as_bytes(std::string(kMaxPassphrase, 'x') + "\n"),
                                      AtomicFile::Existing::replace, 0600));
    EXPECT_TRUE(read_passphrase(from_file(file)));
    EXPECT_EQ(read_passphrase(from_file(directory / "none")).error().code, Errc::input_unreadable);
}

TEST(Passphrase, IsReadFromNoFileThatOthersCanReach) {
    const TemporaryDirectory directory;
    const Path file = directory / "p";
    ASSERT_TRUE(write_file_atomically(file, as_bytes("word\n"), AtomicFile::Existing::replace, 0600));
    for (const mode_t mode : {0600U, 0400U}) {
        ASSERT_EQ(::chmod(file.c_str(), mode), 0);
        EXPECT_TRUE(read_passphrase(from_file(file))) << mode;
    }
    for (const mode_t mode : {0644U, 0640U, 0604U, 0602U, 0620U}) {
        ASSERT_EQ(::chmod(file.c_str(), mode), 0);
        EXPECT_EQ(read_passphrase(from_file(file)).error().code, Errc::config) << mode;
    }
    EXPECT_EQ(read_passphrase(from_file(directory.path())).error().code, Errc::input_unreadable);
}

TEST(Passphrase, IsASecretOfItsUserOrOneThatRootHandsOver) {
    const auto is_secret = [](uid_t owner, gid_t group, mode_t mode) {
        struct stat status {};
        status.st_uid = owner;
        status.st_gid = group;
        status.st_mode = S_IFREG | mode;
        return is_secret_of(status, 1000);
    };
    EXPECT_TRUE(is_secret(1000, 1000, 0600));
    EXPECT_TRUE(is_secret(1000, 1000, 0400));
    EXPECT_FALSE(is_secret(1000, 1000, 0640));
    EXPECT_FALSE(is_secret(1001, 1000, 0600)) << "whoever else has it can read it";
    EXPECT_TRUE(is_secret(0, 0, 0440)) << "systemd's, with an access list";
    EXPECT_TRUE(is_secret(0, 0, 0400));
    EXPECT_FALSE(is_secret(0, 0, 0444));
    EXPECT_FALSE(is_secret(0, 0, 0460));
    EXPECT_FALSE(is_secret(0, 1000, 0440)) << "a group with others in it";
    struct stat status {};
    status.st_mode = S_IFREG | 0440;
    EXPECT_FALSE(is_secret_of(status, 0)) << "root's own is held to the rule";
}

TEST(Passphrase, ComesFromAPipeWithAName) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const FileDescriptor reading(ends[0]);
    FileDescriptor writing(ends[1]);
    std::thread writer([&] {
        EXPECT_TRUE(write_all(writing.get(), as_bytes("sec"), "pipe"));
        EXPECT_TRUE(write_all(writing.get(), as_bytes("ret\n"), "pipe"));
        writing.reset();
    });
    const auto read = read_passphrase(from_file("/dev/fd/" + std::to_string(reading.get())));
    writer.join();
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(to_string(read->reveal()), "secret");
}

TEST(Passphrase, ComesFromADescriptor) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const FileDescriptor reading(ends[0]);
    FileDescriptor writing(ends[1]);
    ASSERT_TRUE(write_all(writing.get(), as_bytes("secret\n"), "pipe"));
    writing.reset();
    EXPECT_EQ(to_string(read_passphrase({std::nullopt, reading.get(), false})->reveal()), "secret");
    EXPECT_EQ(read_passphrase({std::nullopt, 999, false}).error().code, Errc::input_unreadable);
}

TEST(Passphrase, WithNobodyToAskTheKeyStaysLocked) {
    const PassphraseSource nobody{std::nullopt, std::nullopt, false};
    EXPECT_EQ(with_passphrase(nobody, "the keys", [](const SecretBytes&) { return Result<void>(); }).error().code,
              Errc::key_locked);
    EXPECT_EQ(choose_passphrase(nobody, "the keys").error().code, Errc::key_locked);
}

}  // namespace
}  // namespace sat
