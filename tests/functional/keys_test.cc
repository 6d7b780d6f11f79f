// Keys of the larger size, and keys under a passphrase, at either end.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <filesystem>

#include "support/faults.h"
#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

class Keys : public ThreeComputers {
public:
    Path passphrase_file(std::string_view passphrase) {
        const Path file = dir() / "passphrase";
        write_text(file, std::string(passphrase) + "\n");
        fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
        return file;
    }
};

TEST_F(Keys, LargeAndSmallKeysDealWithEachOther) {
    stop_vault();
    copy_cached("large-vault", dir() / "large-vault");
    copy_cached("large", dir() / "large");
    start_vault({.data = dir() / "large-vault"});
    const std::string id = upload();
    const auto large = [&](Words words) { return collector_command(std::move(words)).home(dir() / "large").run(); };
    const Done request = large({"request", id, "-o", dir() / "large.jpg"});
    ASSERT_EQ(request.exit, 0) << request.out << request.err;
    EXPECT_EQ(read_text(dir() / "large.jpg"), read_text(picture()));
    EXPECT_EQ(large({"claim", id, "--wait", "0"}).exit, exits::kPending);
    EXPECT_EQ(artist({"confirm", id}).exit, 0);
    EXPECT_EQ(large({"claim", id}).exit, 0);
    EXPECT_EQ(owner_of(id), wallet(dir() / "large").hex());
    // And back, from the large to the small.
    EXPECT_EQ(collector({"claim", id, "--wait", "0"}).exit, exits::kPending);
    EXPECT_EQ(large({"confirm", id}).exit, 0);
    EXPECT_EQ(collector({"claim", id}).exit, 0);
    const Done history = second({"history", id});
    EXPECT_EQ(history.exit, 0) << history.out << history.err;
    EXPECT_EQ(history.data()["items"].size(), 3U);
}

TEST_F(Keys, APassphraseFromADescriptorMakesTheWalletAndMeetsTheVault) {
    const Path home = dir() / "fresh";
    const Done made = Command("sat-collector", {"init", "--passphrase-fd", "0", "--accept-new"})
                          .home(home)
                          .vault(vault().address())
                          .input("a passphrase of some length\n")
                          .json()
                          .run();
    ASSERT_EQ(made.exit, 0) << made.out << made.err;
    EXPECT_EQ(made.data()["vaults"].size(), 1U);
}

// What has begun to come is waited for no longer than what has not, and Ctrl-C ends that.
TEST_F(Keys, APassphrasePipeWithoutAnEndIsLeftByCtrlC) {
    const Path pipe = dir() / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const FileDescriptor both(::open(pipe.c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(write_all(both.get(), as_bytes("half a pass"), pipe));
    const Command command =
        Command("sat-collector", {"init", "--passphrase-file", pipe}).home(dir() / "fresh").json(false);
    Process process = command.begin();
    ASSERT_TRUE(eventually([&] {
        int unread = -1;
        return ::ioctl(both.get(), FIONREAD, &unread) == 0 && unread == 0;
    }));
    process.signal(SIGINT);
    EXPECT_EQ(command.finish(process).exit, 130);
}

// Two first starts at once would each make keys, and one take the other's away.
TEST_F(Keys, AVaultsKeysAreMadeUnderItsLock) {
    const Path fresh = dir() / "fresh";
    fs::create_directory(fresh);
    fs::permissions(fresh, fs::perms::owner_all);
    auto lock = lock_file(fresh / "lock");
    ASSERT_TRUE(lock);
    const Done init = Command("sat-vaultd", {"init", "--no-passphrase"}).home(fresh).json().run();
    EXPECT_EQ(init.code(), "busy") << init.out;
    const Done run = Command("sat-vaultd", {"run", "--listen", "127.0.0.1:0", "--no-passphrase"}).home(fresh).run();
    EXPECT_EQ(run.exit, init.exit) << run.err;
    EXPECT_EQ(files_below(fresh).size(), 1U) << "the lock alone";
    lock->reset();
    EXPECT_EQ(Command("sat-vaultd", {"init", "--no-passphrase"}).home(fresh).json().run().exit, 0);
}

TEST_F(Keys, AreNotMadeInADirectoryThatCannotBeListed) {
    const Path fresh = dir() / "fresh";
    fs::create_directory(fresh);
    fs::permissions(fresh, fs::perms::owner_all);
    Faults faults(dir() / "faults");
    faults.make_unreadable("/fresh");
    const Done init = Command("sat-vaultd", {"init", "--no-passphrase"}).home(fresh).env(faults.env()).json().run();
    EXPECT_EQ(init.exit, exits::kIo) << init.out << init.err;
    EXPECT_GT(faults.injected(), 0U);
    EXPECT_FALSE(fs::exists(fresh / "keys"));
}

TEST_F(Keys, AVaultUnderAPassphraseStartsWithItAndNotWithout) {
    stop_vault();
    copy_cached("locked-vault", dir() / "locked-vault");
    const auto attempt = [&](const Words& more) {
        return Command("sat-vaultd", {"run", "--listen", "127.0.0.1:0"}).home(dir() / "locked-vault").also(more).run();
    };
    EXPECT_EQ(attempt({}).exit, exits::kKeyLocked);
    EXPECT_EQ(attempt({"--passphrase-file", passphrase_file("wrong")}).exit, exits::kKeyLocked);
    const Path right = passphrase_file(kLockedPassphrase);
    start_vault({.data = dir() / "locked-vault", .more = {"--passphrase-file", right}});
    const std::string id = upload();
    stop_vault();
    // What it stored opens after a restart, and the fingerprint needs no passphrase.
    start_vault({.data = dir() / "locked-vault", .more = {"--passphrase-file", right}});
    EXPECT_EQ(collector({"request", id, "-o", dir() / "again.jpg"}).exit, 0);
    EXPECT_EQ(read_text(dir() / "again.jpg"), read_text(picture()));
    const Done fingerprint = Command("sat-vaultd", {"fingerprint"}).home(dir() / "locked-vault").run();
    EXPECT_EQ(fingerprint.out, vault().fingerprint() + "\n") << fingerprint.err;
}

TEST_F(Keys, AVaultWhoseKeysAreGoneDoesNotMakeNewOnes) {
    upload();
    stop_vault();
    fs::rename(data() / "keys", dir() / "keys-elsewhere");
    const Done done = Command("sat-vaultd", {"run", "--listen", "127.0.0.1:0", "--no-passphrase"}).home(data()).run();
    EXPECT_EQ(done.exit, exits::kConfig) << done.out << done.err;
    fs::rename(dir() / "keys-elsewhere", data() / "keys");
    // Nor does it serve with another vault's.
    copy_cached("other-vault", dir() / "other-vault");
    fs::rename(data() / "keys", dir() / "keys-elsewhere");
    fs::copy(dir() / "other-vault" / "keys", data() / "keys", fs::copy_options::recursive);
    const Done other = Command("sat-vaultd", {"run", "--listen", "127.0.0.1:0"}).home(data()).run();
    EXPECT_EQ(other.exit, exits::kConfig) << other.out << other.err;
    fs::remove_all(data() / "keys");
    fs::rename(dir() / "keys-elsewhere", data() / "keys");
    start_vault();
    EXPECT_EQ(artist({"list"}).data()["items"].size(), 1U);
}

}  // namespace
}  // namespace sat::test
