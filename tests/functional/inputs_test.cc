// What people get wrong, and the exit code that says so.  Nothing here needs luck: where a command must not even reach
// the vault, there is none at the address that it is given.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/programs.h"
#include "support/relay.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Inputs : public ThreeComputers {
public:
    // A client without a vault anywhere: whatever it answers, no packet was needed for it.
    Done nowhere(const std::string& program, Words words) {
        return Command(program, std::move(words))
            .home(program == "sat-artist" ? artist_home() : collector_home())
            .vault(deaf_address().str())
            .pin(vault().fingerprint())
            .json()
            .run();
    }
    Done upload_file(const Path& file) { return artist({"upload", file, "--title", "T"}); }
    std::size_t works() { return collector({"browse"}).data()["items"].size(); }
};

TEST_F(Inputs, WrongOrMissingArgumentsAreUsageErrors) {
    const std::vector<std::pair<std::string, Words>> wrong = {
        {"sat-artist", {"upload"}},
        {"sat-artist", {"upload", picture()}},
        {"sat-artist", {"upload", picture(), "--title", "T", "--release", "everything"}},
        {"sat-artist", {"upload", picture(), "--title", "T", "--release", "preview", "--no-preview"}},
        {"sat-artist", {"upload", picture(), "--title", "T", "--no-such-flag"}},
        {"sat-artist", {"show"}},
        {"sat-artist", {"show", "0000000000", "0000000000"}},
        {"sat-artist", {"confirm"}},
        {"sat-artist", {"list", "--timeout", "soon"}},
        {"sat-artist", {"init", "--bits", "2048"}},
        {"sat-artist", {"list", "--vault", "host:port:more"}},
        {"sat-collector", {"claim"}},
        {"sat-collector", {"claim", "0000000000", "--wait", "long"}},
        {"sat-collector", {"browse", "--limit", "many"}},
        {"sat-collector", {"upload", picture(), "--title", "T"}},
    };
    for (const auto& [program, words] : wrong) {
        const Command command =
            Command(program, words).home(program == "sat-artist" ? artist_home() : collector_home()).json();
        Process process = command.begin();
        const Outcome outcome = process.wait();
        EXPECT_EQ(outcome.exit_code, exits::kUsage) << words[0] << " " << words.back() << outcome.out << outcome.err;
        const auto document = parse_json(outcome.out.substr(0, outcome.out.find_last_not_of('\n') + 1));
        ASSERT_TRUE(document.has_value()) << outcome.out;
        EXPECT_EQ((*document)["ok"], false);
        EXPECT_EQ((*document)["error"]["exit"], exits::kUsage);
    }
    EXPECT_EQ(Command("sat-vaultd", {"dance"}).run().exit, exits::kUsage);
    EXPECT_EQ(Command("sat-vaultd", {"hold"}).home(data()).run().exit, exits::kUsage);
    EXPECT_EQ(Command("sat-vaultd", {"run", "--listen", "nonsense"}).home(dir() / "none").run().exit, exits::kUsage);
}

TEST_F(Inputs, WithoutACommandAProgramSaysWhatThereIs) {
    for (const std::string program : {"sat-artist", "sat-collector"}) {
        const Outcome bare = test::run({.argv = {program_path(program)}, .env = {{"HOME", dir()}}});
        EXPECT_EQ(bare.exit_code, exits::kUsage) << bare.out << bare.err;
        EXPECT_TRUE(bare.out.empty()) << "usage errors go to standard error: " << bare.out;
    }
    for (const std::string program : {"sat-artist", "sat-collector", "sat-vaultd"}) {
        const Outcome help = test::run({.argv = {program_path(program), "--help"}, .env = {{"HOME", dir()}}});
        EXPECT_EQ(help.exit_code, 0) << help.err;
        EXPECT_THAT(help.out, HasSubstr(program));
        const Outcome version = test::run({.argv = {program_path(program), "--version"}, .env = {{"HOME", dir()}}});
        EXPECT_EQ(version.exit_code, 0) << version.err;
        EXPECT_THAT(version.out, HasSubstr("1.0.0"));
    }
}

TEST_F(Inputs, AFileThatIsNoImageIsBadData) {
    write_text(dir() / "text.jpg", "this is a text file, whatever its name says\n");
    write_text(dir() / "empty.png", "");
    write_text(dir() / "page.svg", "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>");
    write_bytes(dir() / "half.png", ByteView(sample_bytes(samples()[1])).first(40));
    write_text(
        dir() / "bitmap.bmp",
        std::string("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0", 30) + std::string(40, '\0'));
    for (const char* name : {"text.jpg", "empty.png", "page.svg", "half.png", "bitmap.bmp"}) {
        const Done done = upload_file(dir() / name);
        EXPECT_EQ(done.exit, exits::kBadData) << name << done.out << done.err;
    }
    EXPECT_EQ(works(), 0U);
}

TEST_F(Inputs, AnImageIsRefusedBeforeAPacketLeaves) {
    write_text(dir() / "text.jpg", "no image\n");
    EXPECT_EQ(nowhere("sat-artist", {"upload", dir() / "text.jpg", "--title", "T"}).exit, exits::kBadData);
    EXPECT_EQ(nowhere("sat-artist", {"upload", dir() / "missing.jpg", "--title", "T"}).exit, exits::kUnreadable);
    // And where there is nothing wrong with it, it is the vault that is missing.
    EXPECT_EQ(nowhere("sat-artist", {"upload", picture(), "--title", "T"}).exit, exits::kUnreachable);
}

TEST_F(Inputs, AFileThatCannotBeReadIsUnreadable) {
    EXPECT_EQ(upload_file(dir() / "missing.jpg").exit, exits::kUnreadable);
    EXPECT_EQ(upload_file(dir()).exit, exits::kUnreadable) << "a directory";
    ASSERT_EQ(mkfifo((dir() / "pipe.jpg").c_str(), 0600), 0);
    EXPECT_EQ(upload_file(dir() / "pipe.jpg").exit, exits::kUnreadable) << "a pipe, without waiting for a writer";
    fs::create_symlink(dir() / "loop.jpg", dir() / "loop.jpg");
    EXPECT_EQ(upload_file(dir() / "loop.jpg").exit, exits::kUnreadable);

    const Path file = picture();
    fs::permissions(file, fs::perms::none);
    const Done done = artist_command({"upload", file, "--title", "T"}).without_capabilities().run();
    EXPECT_EQ(done.exit, exits::kUnreadable) << done.out << done.err;
    EXPECT_EQ(works(), 0U);
}

TEST_F(Inputs, AFileThatShrinksWhileItIsReadIsNotUploaded) {
    const Path file = tiff(std::size_t{32} << 20);
    Relay relay(vault().socket_address());
    relay.treat(Direction::to_vault, {.hold_after = 200'000});
    const Command uploading = artist_command({"upload", file, "--title", "T"}).vault(relay.address());
    Process process = uploading.begin();
    ASSERT_TRUE(relay.wait_held());
    fs::resize_file(file, 25'000'000);
    relay.release();
    const Done done = uploading.finish(process);
    EXPECT_EQ(done.exit, exits::kUnreadable) << done.out << done.err;
    EXPECT_EQ(works(), 0U);
}

TEST_F(Inputs, AFileThatGrowsWhileItIsReadIsNotUploaded) {
    const Path file = tiff(std::size_t{32} << 20);
    Relay relay(vault().socket_address());
    relay.treat(Direction::to_vault, {.hold_after = 200'000});
    const Command uploading = artist_command({"upload", file, "--title", "T"}).vault(relay.address());
    Process process = uploading.begin();
    ASSERT_TRUE(relay.wait_held());
    fs::resize_file(file, fs::file_size(file) + 100'000);
    relay.release();
    const Done done = uploading.finish(process);
    EXPECT_EQ(done.exit, exits::kUnreadable) << done.out << done.err;
    EXPECT_EQ(works(), 0U);
}

TEST_F(Inputs, AFileThatIsRewrittenWhileItIsReadIsNotUploaded) {
    const Path file = tiff(std::size_t{32} << 20);
    Relay relay(vault().socket_address());
    relay.treat(Direction::to_vault, {.hold_after = 200'000});
    const Command uploading = artist_command({"upload", file, "--title", "T"}).vault(relay.address());
    Process process = uploading.begin();
    ASSERT_TRUE(relay.wait_held());
    {
        std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
        out.seekp(30'000'000);
        out << "painted over";
    }
    relay.release();
    const Done done = uploading.finish(process);
    EXPECT_EQ(done.exit, exits::kUnreadable) << done.out << done.err;
    EXPECT_EQ(works(), 0U);
}

TEST_F(Inputs, ABadIdIsCaughtBeforeAPacketLeaves) {
    const std::string id = upload();
    std::string slip = id;
    slip[3] = slip[3] == 'A' ? 'B' : 'A';
    std::string swapped = id;
    for (std::size_t i = 0; i + 1 < swapped.size(); ++i) {
        if (swapped[i] != swapped[i + 1]) {
            std::swap(swapped[i], swapped[i + 1]);
            break;
        }
    }
    for (const std::string& bad :
         {slip, swapped, id.substr(1), id + "0", std::string("ILOUILOUIL"), std::string("0123-45678")}) {
        for (const std::string command : {"show", "request", "history", "confirm", "decline"}) {
            EXPECT_EQ(nowhere("sat-artist", {command, bad}).exit, exits::kBadData) << command << " " << bad;
        }
        for (const std::string command : {"claim", "withdraw"}) {
            EXPECT_EQ(nowhere("sat-collector", {command, bad}).exit, exits::kBadData) << command << " " << bad;
        }
        EXPECT_EQ(vaultd({"hold", bad, "--reason", "r"}).exit, exits::kBadData) << bad;
    }
    // A good one gets as far as the missing vault, and is taken in any case.
    EXPECT_EQ(nowhere("sat-collector", {"show", id}).exit, exits::kUnreachable);
    std::string lower = id;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const Done done = collector({"show", lower});
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(done.data()["id"], id);
}

TEST_F(Inputs, OtherBadDataIsCaughtBeforeAPacketLeavesToo) {
    const Path file = picture();
    const std::string long_title(201, 'x');
    const std::string longest(200, 'x');
    EXPECT_EQ(nowhere("sat-artist", {"upload", file, "--title", ""}).exit, exits::kBadData);
    EXPECT_EQ(nowhere("sat-artist", {"upload", file, "--title", long_title}).exit, exits::kBadData);
    EXPECT_EQ(nowhere("sat-artist", {"upload", file, "--title", longest}).exit, exits::kUnreachable);
    EXPECT_EQ(nowhere("sat-artist", {"upload", file, "--title", "T", "--artist", long_title}).exit, exits::kBadData);
    EXPECT_EQ(nowhere("sat-artist", {"upload", file, "--title", "T", "--description", std::string(4001, 'd')}).exit,
              exits::kBadData);
    EXPECT_EQ(nowhere("sat-artist", {"upload", file, "--title", "T", "--description", std::string(4000, 'd')}).exit,
              exits::kUnreachable);
    EXPECT_EQ(nowhere("sat-artist", {"upload", file, "--title", "\xC3\x28"}).exit, exits::kBadData);
    for (const char* date : {"2026-02-30", "26", "2026-13", "yesterday", "2026-5-1"}) {
        EXPECT_EQ(nowhere("sat-artist", {"upload", file, "--title", "T", "--created", date}).exit, exits::kBadData)
            << date;
    }
    EXPECT_EQ(nowhere("sat-collector", {"browse", "--owner", "1234"}).exit, exits::kBadData);
    EXPECT_EQ(nowhere("sat-artist", {"confirm", "0000000000", "--claim", "abc"}).exit, exits::kBadData);
    // 280 code points, not bytes.
    const std::string id = upload();
    std::string message;
    for (int i = 0; i < 281; ++i) message += "\xC3\xA9";
    EXPECT_EQ(nowhere("sat-collector", {"claim", id, "--message", message}).exit, exits::kBadData);
    EXPECT_EQ(nowhere("sat-artist", {"decline", id, "--reason", message}).exit, exits::kBadData);
    EXPECT_EQ(nowhere("sat-collector", {"claim", id, "--message", message.substr(2)}).exit, exits::kUnreachable);
}

TEST_F(Inputs, AnOutputThatExistsIsNeverOverwritten) {
    const std::string id = upload();
    const Path wanted = dir() / "mine.jpg";
    write_text(wanted, "precious");
    const Done refused = collector({"request", id, "-o", wanted});
    EXPECT_EQ(refused.exit, exits::kExists) << refused.out << refused.err;
    EXPECT_EQ(read_text(wanted), "precious");
    const Done forced = collector({"request", id, "-o", wanted, "--force"});
    EXPECT_EQ(forced.exit, 0) << forced.out << forced.err;
    EXPECT_EQ(read_text(wanted), read_text(picture()));
}

TEST_F(Inputs, TheOutputIsNamedByContentWhereNoNameIsGiven) {
    const std::string id = upload();
    const Path here = dir() / "here";
    fs::create_directory(here);
    const Done done = collector_command({"request", id}).in(here).run();
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(read_text(here / (id + ".jpg")), read_text(picture())) << done.out;
    EXPECT_EQ(collector_command({"request", id}).in(here).run().exit, exits::kExists);
    const Done into = collector({"request", id, "-o", dir() / "artist"});
    EXPECT_EQ(into.exit, 0) << into.out << into.err;
    EXPECT_TRUE(fs::exists(dir() / "artist" / (id + ".jpg"))) << "into a directory";
    const Outcome out = collector_command({"request", id, "-o", "-"}).json(false).begin().wait();
    EXPECT_EQ(out.exit_code, 0) << out.err;
    EXPECT_EQ(out.out, read_text(picture())) << "to standard output";
    const Done nowhere_to = collector({"request", id, "-o", dir() / "no" / "such" / "place.jpg"});
    EXPECT_NE(nowhere_to.exit, 0);
    EXPECT_FALSE(fs::exists(dir() / "no"));
}

TEST_F(Inputs, ASecondInitRefusesAndLeavesTheWalletAlone) {
    const std::string before = wallet(artist_home()).hex();
    const std::string key = read_text(artist_home() / "sign.pem");
    const Done done = artist_command({"init", "--no-passphrase"}).run();
    EXPECT_EQ(done.exit, exits::kExists) << done.out << done.err;
    EXPECT_EQ(wallet(artist_home()).hex(), before);
    EXPECT_EQ(read_text(artist_home() / "sign.pem"), key);
    EXPECT_EQ(vaultd({"init", "--no-passphrase"}).exit, exits::kExists);
}

TEST_F(Inputs, InitPinsTheVaultThatIsNamed) {
    const Done pinned = Command("sat-collector", {"init", "--no-passphrase"})
                            .home(dir() / "pinned")
                            .vault(vault().address())
                            .pin(vault().fingerprint())
                            .json()
                            .run();
    ASSERT_EQ(pinned.exit, 0) << pinned.out << pinned.err;
    ASSERT_EQ(pinned.data()["vaults"].size(), 1U);
    EXPECT_EQ(pinned.data()["vaults"][0]["key"], vault().fingerprint());
    const auto browse = [&] { return collector_command({"browse"}).home(dir() / "pinned").pin("").run().exit; };
    EXPECT_EQ(browse(), 0);
    // With --force there is a new wallet, and the old one is put aside.
    const Done forced =
        Command("sat-collector", {"init", "--no-passphrase", "--force"}).home(dir() / "pinned").json().run();
    ASSERT_EQ(forced.exit, 0) << forced.out << forced.err;
    EXPECT_NE(forced.data()["wallet"], pinned.data()["wallet"]);
    const std::string old_wallet = pinned.data()["wallet"];
    EXPECT_TRUE(fs::exists(dir() / "pinned" / ("sign.pem.old-" + old_wallet.substr(0, 8))));
    EXPECT_EQ(browse(), 0);
}

TEST_F(Inputs, AHomeWithoutAWalletIsAConfigurationError) {
    const Done done = artist_command({"list"}).home(dir() / "nobody").run();
    EXPECT_EQ(done.exit, exits::kConfig) << done.out << done.err;
    EXPECT_THAT(done.out + done.err, HasSubstr("init"));
    EXPECT_EQ(artist_command({"whoami"}).home(dir() / "nobody").run().exit, exits::kConfig);
}

TEST_F(Inputs, AWrongValueInTheConfigurationFileIsAConfigurationError) {
    const Path file = dir() / "sat.toml";
    for (const char* line : {"vault = \"127.0.0.1:7420\n", "vault-key = \"SHA256:short\"\n"}) {
        write_text(file, line);
        const Done done = Command("sat-artist", {"list", "--config", file}).home(artist_home()).json().run();
        EXPECT_EQ(done.exit, exits::kConfig) << done.out << done.err;
        EXPECT_THAT(done.error()["message"].get<std::string>(), HasSubstr(file.string()));
    }
    EXPECT_EQ(artist_command({"list", "--config", file}).vault("a:b:c").pin(vault().fingerprint()).run().exit,
              exits::kUsage);
}

TEST_F(Inputs, KeysThatOthersMayReadAreNotUsed) {
    for (const Path& key : {artist_home() / "sign.pem", artist_home() / "kem.pem"}) {
        fs::permissions(key, fs::perms::group_read, fs::perm_options::add);
        const Done done = artist({"list"});
        EXPECT_EQ(done.exit, exits::kConfig) << key << done.out << done.err;
        fs::permissions(key, fs::perms::group_read, fs::perm_options::remove);
    }
    EXPECT_EQ(artist({"list"}).exit, 0);
    fs::permissions(artist_home(), fs::perms::others_read | fs::perms::others_exec, fs::perm_options::add);
    EXPECT_EQ(artist({"list"}).exit, exits::kConfig);

    stop_vault();
    no_vault();
    for (const Path& key : {data() / "keys"}) {
        fs::permissions(key, fs::perms::group_read | fs::perms::group_exec, fs::perm_options::add);
        const Done done = Command("sat-vaultd", {"run", "--listen", "127.0.0.1:0"}).home(data()).run();
        EXPECT_EQ(done.exit, exits::kConfig) << key << done.out << done.err;
    }
}

TEST_F(Inputs, ANameOfAFileSendsNothingToTheTerminal) {
    const Path name = dir() / "a\x1b[31m\nb.jpg";
    const auto say = [&](Words words) {
        const Done done = artist_command(std::move(words)).json(false).run();
        EXPECT_NE(done.exit, 0);
        EXPECT_EQ((done.out + done.err).find('\x1b'), std::string::npos) << done.err;
        EXPECT_THAT(done.err, testing::HasSubstr("a\\x1B[31m\\x0Ab.jpg")) << "and it can be told which";
        return done.exit;
    };
    EXPECT_EQ(say({"upload", name, "--title", "x"}), exits::kUnreadable) << "not there";
    fs::create_directory(name);
    EXPECT_EQ(say({"upload", name, "--title", "x"}), exits::kUnreadable) << "no file";
    EXPECT_EQ(say({"upload", name, picture()}), exits::kUnreadable) << "one of several";
    fs::remove(name);
    write_text(name, "");
    EXPECT_EQ(say({"upload", name, "--title", "x"}), exits::kBadData) << "empty";
    EXPECT_EQ(say({"certificate", upload(), "-o", name}), exits::kExists);
}

TEST_F(Inputs, AWrongOrMissingPassphraseLeavesTheKeyLocked) {
    copy_cached("locked", dir() / "locked");
    const auto locked = [&](const Words& more) {
        return collector_command({"browse"}).home(dir() / "locked").also(more).run();
    };
    const Path file = dir() / "passphrase";
    const auto passphrase = [&](std::string_view text) {
        write_text(file, text);
        fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
        return Words{"--passphrase-file", file};
    };
    EXPECT_EQ(locked({}).exit, exits::kKeyLocked) << "none, and nobody to ask";
    EXPECT_EQ(locked(passphrase("wrong\n")).exit, exits::kKeyLocked);
    EXPECT_EQ(locked(passphrase(std::string(kLockedPassphrase) + "x\n")).exit, exits::kKeyLocked);
    EXPECT_EQ(locked(passphrase(std::string(kLockedPassphrase) + "\n")).exit, 0);
    EXPECT_EQ(locked(passphrase(kLockedPassphrase)).exit, 0) << "with or without a line's end";
    passphrase(kLockedPassphrase);
    fs::permissions(file, fs::perms::group_read | fs::perms::others_read, fs::perm_options::add);
    const Done open = locked({"--passphrase-file", file});
    EXPECT_EQ(open.exit, exits::kConfig) << open.out << open.err;
    const Done missing = locked({"--passphrase-file", dir() / "no-such-file"});
    EXPECT_NE(missing.exit, 0);
    EXPECT_EQ(missing.exit, exits::kUnreadable) << missing.out << missing.err;
    // The descriptor: standard input is one.
    const Done by_fd = collector_command({"browse"})
                           .home(dir() / "locked")
                           .also({"--passphrase-fd", "0"})
                           .input(std::string(kLockedPassphrase) + "\n")
                           .run();
    EXPECT_EQ(by_fd.exit, 0) << by_fd.out << by_fd.err;
    // Nothing of it in the open.
    EXPECT_THAT(locked(passphrase("my-wrong-secret\n")).err, testing::Not(HasSubstr("my-wrong-secret")));
}

TEST_F(Inputs, OnATerminalThePassphraseIsAskedForAndNotShown) {
    copy_cached("locked", dir() / "locked");
    Process process = collector_command({"browse"}).home(dir() / "locked").terminal().begin();
    ASSERT_TRUE(process.wait_for_output("assphrase")) << process.out();
    process.write(std::string(kLockedPassphrase) + "\n");
    const Outcome outcome = process.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
    EXPECT_THAT(outcome.out, testing::Not(HasSubstr("battery")));
}

TEST_F(Inputs, OneVaultHoldsADataDirectory) {
    const Done done = Command("sat-vaultd", {"run", "--listen", "127.0.0.1:0"}).home(data()).run();
    EXPECT_NE(done.exit, 0) << done.out;
    EXPECT_NE(done.exit, exits::kDone);
    EXPECT_EQ(artist({"list"}).exit, 0) << "the first one serves on";
}

TEST_F(Inputs, AnImageThatIsTooLargeForTheVaultIsRefusedBeforeItIsSent) {
    stop_vault();
    start_vault({.data = data(), .duplicate = duplicate(), .more = {"--max-artwork", "1000000"}});
    const Path file = tiff(2'000'000);
    Relay relay(vault().socket_address());
    const Done done = artist_command({"upload", file, "--title", "T"}).vault(relay.address()).run();
    EXPECT_NE(done.exit, 0) << done.out;
    EXPECT_LT(relay.passed(Direction::to_vault), 100'000U);
    EXPECT_EQ(artist({"upload", picture(), "--title", "T"}).exit, 0);
}

}  // namespace
}  // namespace sat::test
