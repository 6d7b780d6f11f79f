// The programs on a bad network: a vault that is not there, silent, slow, or gone in the middle.  The same command run
// again succeeds, and nothing half-done is left behind.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "support/programs.h"
#include "support/relay.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

class Network : public ThreeComputers {
public:
    std::size_t works() {
        const Done done = collector({"browse"});
        EXPECT_EQ(done.exit, 0) << done.out << done.err;
        return done.data().is_object() ? done.data()["items"].size() : 0;
    }
    // Of an upload or a request that did not happen.
    void expect_no_leftovers(const Path& directory, const std::string& name) {
        for (const auto& entry : fs::directory_iterator(directory)) {
            EXPECT_FALSE(entry.path().filename().string().starts_with(name)) << entry.path();
        }
    }
};

TEST_F(Network, AVaultThatIsNotThereIsUnreachable) {
    const std::string id = upload();
    const std::string nowhere = deaf_address().str();
    EXPECT_EQ(collector_command({"browse"}).vault(nowhere).run().exit, exits::kUnreachable);
    EXPECT_EQ(collector_command({"claim", id}).vault(nowhere).run().exit, exits::kUnreachable);
    EXPECT_EQ(collector_command({"request", id}).in(dir()).vault(nowhere).run().exit, exits::kUnreachable);
    EXPECT_EQ(artist_command({"upload", picture(), "--title", "T"}).vault(nowhere).run().exit, exits::kUnreachable);
    EXPECT_EQ(artist_command({"confirm", id}).vault(nowhere).run().exit, exits::kUnreachable);
    EXPECT_EQ(collector_command({"browse"}).vault("no-such-host.invalid:7420").run().exit, exits::kUnreachable);
    expect_no_leftovers(dir(), id);
}

TEST_F(Network, ANameServerThatDoesNotAnswerKeepsNobodyLongerThanTheTimeout) {
    const auto begun = std::chrono::steady_clock::now();
    const Done done = collector_command({"browse", "--timeout", "1"})
                          .vault("vault.invalid:7420")
                          .env("LD_PRELOAD", SAT_SLOW_NAMES_LIBRARY)
                          .run();
    EXPECT_EQ(done.exit, exits::kUnreachable) << done.out << done.err;
    EXPECT_THAT(done.error()["message"].get<std::string>(), testing::HasSubstr("name server"));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(20)) << "the name server takes a minute";
}

TEST_F(Network, AVaultThatNeverSpeaksIsGivenUp) {
    ScriptedVault silent([](Socket& socket) { socket.closes(seconds(60)); });
    const Done done = collector_command({"browse", "--timeout", "2"}).vault(silent.address()).run();
    EXPECT_EQ(done.exit, exits::kUnreachable) << done.out << done.err;
}

TEST_F(Network, AVaultThatFallsSilentAfterTheHandshakeIsGivenUp) {
    upload();
    Relay relay(vault().socket_address());
    // The handshake's two frames pass; of the rest nothing does.
    relay.treat(Direction::to_client, {.edit = [](std::size_t number, Bytes frame) {
                    return number < 2 ? std::vector<Bytes>{std::move(frame)} : std::vector<Bytes>{};
                }});
    const Done done = collector_command({"browse", "--timeout", "3"}).vault(relay.address()).run();
    EXPECT_EQ(done.exit, exits::kInterrupted) << done.out << done.err;
    EXPECT_EQ(collector({"browse"}).exit, 0);
}

TEST_F(Network, AVaultThatDripsIsGivenUp) {
    Relay relay(vault().socket_address());
    relay.treat(Direction::to_client, {.bytes_per_second = 40});
    const Done done = collector_command({"browse", "--timeout", "3"}).vault(relay.address()).run();
    EXPECT_EQ(done.exit, exits::kUnreachable) << done.out << done.err;
}

TEST_F(Network, ASlowLineIsNoFailure) {
    const std::string id = upload();
    Relay relay(vault().socket_address());
    relay.treat(Direction::to_client, {.bytes_per_second = 8'000});
    relay.treat(Direction::to_vault, {.bytes_per_second = 8'000});
    const Done done = collector_command({"request", id, "-o", dir() / "slow.jpg"}).vault(relay.address()).run();
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(read_text(dir() / "slow.jpg"), read_text(picture()));
}

TEST_F(Network, AnUploadCutAnywhereMayBeRunAgain) {
    const Path file = tiff(3'000'000);
    const Words words = {"upload", file, "--title", "Cut"};
    Relay relay(vault().socket_address());
    // In IDENTITY's answer, in the finish, in the requests, in the bulk, near its end.
    std::size_t uploads = 0;
    for (const std::uint64_t at : {1U, 700U, 2'900U, 3'600U, 70'000U, 1'500'000U, 3'000'000U}) {
        tiff(3'000'000);  // a file of its own each time: nothing goes on
        relay.treat(Direction::to_vault, {.cut_after = at});
        const Done cut = artist_command(words).vault(relay.address()).run();
        EXPECT_EQ(cut.exit, at < 2'900 ? cut.exit : exits::kInterrupted) << at << cut.out << cut.err;
        EXPECT_TRUE(cut.exit == exits::kInterrupted || cut.exit == exits::kUnreachable) << at << cut.out << cut.err;
        EXPECT_EQ(works(), uploads) << at;
    }
    relay.treat(Direction::to_vault, {});
    EXPECT_EQ(artist_command(words).vault(relay.address()).run().exit, 0);
    EXPECT_EQ(works(), ++uploads);
    EXPECT_EQ(files_below(data() / "image_store").size(), 1U) << "nothing of the cut ones is kept";
    EXPECT_EQ(files_below(duplicate() / "duplicate_store").size(), 1U);
}

TEST_F(Network, ARequestCutAnywhereLeavesNoFileAndMayBeRunAgain) {
    const Path file = tiff(3'000'000);
    const Done uploaded = artist({"upload", file, "--title", "Cut"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.out << uploaded.err;
    const std::string id = uploaded.data()["id"];
    const Path out = dir() / "out";
    fs::create_directory(out);
    Relay relay(vault().socket_address());
    for (const std::uint64_t at : {1U, 1'000U, 2'000U, 3'500U, 10'000U, 100'000U, 2'900'000U}) {
        relay.treat(Direction::to_client, {.cut_after = at});
        const Done cut = collector_command({"request", id}).in(out).vault(relay.address()).run();
        EXPECT_TRUE(cut.exit == exits::kInterrupted || (at < 3'000 && cut.exit == exits::kUnreachable))
            << at << " " << cut.exit << cut.out << cut.err;
        expect_no_leftovers(out, id + ".");
        for (const auto& entry : fs::directory_iterator(out)) fs::remove(entry.path());
    }
    relay.treat(Direction::to_client, {});
    EXPECT_EQ(collector_command({"request", id}).in(out).vault(relay.address()).run().exit, 0);
    EXPECT_EQ(read_text(out / (id + ".tif")), read_text(file));
}

TEST_F(Network, AnUploadWhoseAnswerIsLostIsFoundDoneOrNotDone) {
    // The registration reaches the vault; the receipt does not come back.
    Relay relay(vault().socket_address());
    std::atomic<int> frames = 0;
    relay.treat(Direction::to_client, {.edit = [&frames](std::size_t, Bytes frame) {
                    ++frames;
                    return std::vector<Bytes>{std::move(frame)};
                }});
    ASSERT_EQ(artist_command({"upload", picture(), "--title", "Once"}).vault(relay.address()).run().exit, 0);
    const int receipt = frames - 1;
    ASSERT_EQ(works(), 1U);
    relay.treat(Direction::to_client, {.edit = [&relay, receipt](std::size_t number, Bytes frame) {
                    if (number != static_cast<std::size_t>(receipt)) return std::vector<Bytes>{std::move(frame)};
                    relay.cut();
                    return std::vector<Bytes>{};
                }});
    const Done lost = artist_command({"upload", picture(), "--title", "Twice"}).vault(relay.address()).run();
    EXPECT_TRUE(lost.exit == exits::kInterrupted || lost.exit == 0) << lost.out << lost.err;
    EXPECT_EQ(works(), 2U) << "it was committed: the outcome was unknown to the client alone";
    const Done browsed = collector({"browse"});
    for (const Json& item : browsed.data()["items"]) check_artwork(item);
}

TEST_F(Network, TheVaultKilledInTheMiddleOfAnUploadAndStartedAgainTakesTheSameUpload) {
    const Path file = tiff(8'000'000);
    const Words words = {"upload", file, "--title", "Persistent"};
    Relay relay(vault().socket_address());
    relay.treat(Direction::to_vault, {.hold_after = 1'000'000});
    const Command uploading = artist_command(words).vault(relay.address());
    Process process = uploading.begin();
    ASSERT_TRUE(relay.wait_held());
    vault().kill_hard();
    relay.release();
    const Done done = uploading.finish(process);
    EXPECT_EQ(done.exit, exits::kInterrupted) << done.out << done.err;
    start_vault();
    EXPECT_EQ(works(), 0U);
    EXPECT_TRUE(files_below(data() / "image_store").empty());
    EXPECT_EQ(artist(words).exit, 0);
    EXPECT_EQ(works(), 1U);
}

TEST_F(Network, TheVaultKilledInTheMiddleOfARequestAndStartedAgainServesTheSameRequest) {
    const Path file = tiff(8'000'000);
    const Done uploaded = artist({"upload", file, "--title", "Persistent"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.out << uploaded.err;
    const std::string id = uploaded.data()["id"];
    const Path out = dir() / "out";
    fs::create_directory(out);
    Relay relay(vault().socket_address());
    relay.treat(Direction::to_client, {.hold_after = 1'000'000});
    const Command requesting = collector_command({"request", id}).in(out).vault(relay.address());
    Process process = requesting.begin();
    ASSERT_TRUE(relay.wait_held());
    vault().kill_hard();
    relay.cut();
    const Done done = requesting.finish(process);
    EXPECT_EQ(done.exit, exits::kInterrupted) << done.out << done.err;
    expect_no_leftovers(out, id + ".");
    start_vault();
    EXPECT_EQ(collector_command({"request", id}).in(out).run().exit, 0);
    EXPECT_EQ(read_text(out / (id + ".tif")), read_text(file));
}

TEST_F(Network, AnUploadStoppedByASignalStoresNothing) {
    const Path file = tiff(8'000'000);
    Relay relay(vault().socket_address());
    relay.treat(Direction::to_vault, {.hold_after = 1'000'000});
    for (const auto& [signal, exit_code] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}}) {
        const Command uploading = artist_command({"upload", file, "--title", "Stopped"}).vault(relay.address());
        Process process = uploading.begin();
        ASSERT_TRUE(relay.wait_held());
        process.signal(signal);
        const Done done = uploading.finish(process);
        EXPECT_EQ(done.exit, exit_code) << done.out << done.err;
        relay.cut();
    }
    EXPECT_EQ(works(), 0U);
    EXPECT_TRUE(eventually([&] { return files_below(data() / "incoming").size() == 2; })) << "it may go on";
    EXPECT_TRUE(files_below(data() / "image_store").empty());
}

TEST_F(Network, ARequestStoppedByASignalLeavesNoFile) {
    const Done uploaded = artist({"upload", tiff(8'000'000), "--title", "Stopped"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.out << uploaded.err;
    const std::string id = uploaded.data()["id"];
    const Path out = dir() / "out";
    fs::create_directory(out);
    Relay relay(vault().socket_address());
    relay.treat(Direction::to_client, {.hold_after = 1'000'000});
    for (const auto& [signal, exit_code] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}}) {
        const Command requesting = collector_command({"request", id}).in(out).vault(relay.address());
        Process process = requesting.begin();
        ASSERT_TRUE(relay.wait_held());
        process.signal(signal);
        const Done done = requesting.finish(process);
        EXPECT_EQ(done.exit, exit_code) << done.out << done.err;
        expect_no_leftovers(out, id + ".");
        relay.cut();
    }
}

TEST_F(Network, AVaultListensOnSeveralAddressesOfBothKinds) {
    stop_vault();
    start_vault({.data = data(), .duplicate = duplicate(), .more = {"--listen", "127.0.0.3:0"}});
    const auto listening = [&] {
        std::vector<std::string> addresses;
        std::istringstream lines(vault().process().out());
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("listening ")) addresses.push_back(line.substr(10));
        }
        return addresses;
    };
    ASSERT_TRUE(eventually([&] { return listening().size() == 2; }));
    for (const std::string& address : listening())
        EXPECT_EQ(collector_command({"browse"}).vault(address).run().exit, 0);
    stop_vault();
    if (!fs::exists("/proc/net/if_inet6") || read_text("/proc/net/if_inet6").find(" lo") == std::string::npos) {
        std::cout << "this system has no IPv6 loopback: it was not tried\n";
        no_vault();
        return;
    }
    start_vault({.data = data(), .duplicate = duplicate(), .listen = "[::1]:0"});
    EXPECT_THAT(vault().address(), testing::StartsWith("[::1]:"));
    EXPECT_EQ(collector({"browse"}).exit, 0);
    EXPECT_EQ(collector_command({"whoami"}).run().data()["vaults"].back()["address"], vault().address());
}

TEST_F(Network, AClaimThatWaitsOutlivesTheVaultsRestart) {
    const std::string id = upload();
    Relay relay(vault().socket_address());
    const Command waiting = collector_command({"claim", id, "--wait", "60"}).vault(relay.address());
    Process process = waiting.begin();
    ASSERT_TRUE(eventually([&] { return artist({"inbox"}).data()["items"].size() == 1; }));
    vault().kill_hard();
    start_vault();
    relay.set_vault(vault().socket_address());
    EXPECT_EQ(artist({"confirm", id}).exit, 0);
    const Done done = waiting.finish(process);
    // It came back by itself, or said that it was interrupted: then the same command goes on where it stands.
    EXPECT_TRUE(done.exit == 0 || done.exit == exits::kInterrupted) << done.out << done.err;
    EXPECT_EQ(collector({"claim", id}).exit, 0);
    EXPECT_EQ(owner_of(id), wallet(collector_home()).hex());
}

TEST_F(Network, AClaimWaitsForASilentVaultNoLongerThanItSaid) {
    const std::string id = upload();
    Relay relay(vault().socket_address());
    std::atomic<bool> silent = false;
    relay.treat(Direction::to_client, {.edit = [&silent](std::size_t, Bytes frame) {
                    return silent ? std::vector<Bytes>{} : std::vector<Bytes>{std::move(frame)};
                }});
    const Command waiting = collector_command({"claim", id, "--wait", "3"}).json(false).vault(relay.address());
    const auto begun = std::chrono::steady_clock::now();
    Process process = waiting.begin();
    ASSERT_TRUE(eventually([&] { return process.err().find("waiting for the owner") != std::string::npos; }));
    silent = true;
    const Done done = waiting.finish(process);
    EXPECT_EQ(done.exit, exits::kInterrupted) << done.out << done.err;
    EXPECT_THAT(done.err, testing::HasSubstr("the claim stays open; run the same command again"));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(40)) << "a connection's own limit is 300 s";
    silent = false;
    EXPECT_EQ(collector({"claim", id, "--wait", "0"}).exit, exits::kPending) << "it is the same claim, still open";
    EXPECT_EQ(collector({"claims"}).data()["items"].size(), 1U);
}

TEST_F(Network, FramesThatAreAlteredRepeatedOrSwappedOnTheWayEndTheConnectionAndNothingElse) {
    const std::string id = upload();
    Relay relay(vault().socket_address());
    const auto flip = [](std::size_t which) {
        return [which](std::size_t number, Bytes frame) {
            if (number == which) frame[frame.size() / 2] ^= std::byte{1};
            return std::vector<Bytes>{std::move(frame)};
        };
    };
    const auto repeat = [](std::size_t which) {
        return [which](std::size_t number, Bytes frame) {
            if (number == which) return std::vector<Bytes>{frame, frame};
            return std::vector<Bytes>{std::move(frame)};
        };
    };
    const auto drop = [](std::size_t which) {
        return [which](std::size_t number, Bytes frame) {
            return number == which ? std::vector<Bytes>{} : std::vector<Bytes>{std::move(frame)};
        };
    };
    const auto swap = [](std::size_t which) {
        auto kept = std::make_shared<Bytes>();
        return [which, kept](std::size_t number, Bytes frame) {
            if (number == which) {
                *kept = std::move(frame);
                return std::vector<Bytes>{};
            }
            if (number == which + 1) return std::vector<Bytes>{std::move(frame), *kept};
            return std::vector<Bytes>{std::move(frame)};
        };
    };
    const auto attempt = [&](Direction direction, const char* what, std::size_t which, Treatment treatment) {
        relay.treat(direction, std::move(treatment));
        const Done done =
            collector_command({"request", id, "-o", dir() / "got.jpg", "--timeout", "3"}).vault(relay.address()).run();
        EXPECT_NE(done.exit, 0) << what << which;
        EXPECT_TRUE(done.exit == exits::kUnreachable || done.exit == exits::kInterrupted ||
                    done.exit == exits::kProtocol || done.exit == exits::kBadProof)
            << what << " " << which << ": " << done.exit << done.out << done.err;
        EXPECT_FALSE(fs::exists(dir() / "got.jpg")) << what << which;
        relay.treat(direction, {});
    };
    for (std::size_t which = 0; which < 4; ++which) {
        attempt(Direction::to_vault, "flip to vault", which, {.edit = flip(which)});
        attempt(Direction::to_client, "flip to client", which, {.edit = flip(which)});
        attempt(Direction::to_client, "repeat to client", which, {.edit = repeat(which)});
    }
    for (std::size_t which = 0; which < 3; ++which) {
        attempt(Direction::to_vault, "repeat to vault", which, {.edit = repeat(which)});
        attempt(Direction::to_client, "drop to client", which, {.edit = drop(which)});
    }
    attempt(Direction::to_client, "swap to client", 3, {.edit = swap(3)});
    EXPECT_EQ(collector({"request", id, "-o", dir() / "got.jpg"}).exit, 0) << "the vault serves on";
}

TEST_F(Network, AVaultThatSpeaksSomethingElseIsAProtocolError) {
    struct Greeting {
        const char* what;
        Bytes answer;
        int exit = exits::kProtocol;
    };
    const std::vector<Greeting> words = {
        {"http", to_bytes("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")},
        {"ssh", to_bytes("SSH-2.0-OpenSSH_9.2\r\n")},
        {"a frame of nothing", Bytes(4)},
        {"a frame of 2 GiB", to_bytes("\x7f\xff\xff\xff\x02")},
        {"a frame just too large", to_bytes(std::string("\0\0\x40\x01\x02", 5))},
        {"an unknown type", to_bytes(std::string("\0\0\0\x03\x09\0\1", 7))},
        {"an empty identity", to_bytes(std::string("\0\0\0\x02\x02\0", 6)), exits::kBadProof},
        {"another client", to_bytes(std::string("\0\0\0\x06\x03SATP\1", 10))},
    };
    for (const Greeting& word : words) {
        ScriptedVault strange([&word](Socket& socket) {
            socket.send(word.answer);
            socket.closes(seconds(30));
        });
        const Done done = collector_command({"browse", "--timeout", "3"}).vault(strange.address()).run();
        EXPECT_EQ(done.exit, word.exit) << word.what << done.out << done.err;
    }
}

TEST_F(Network, AnOverloadedVaultIsTriedThreeTimes) {
    ScriptedVault busy([](Socket& socket) { socket.send(encode_alert(Errc::overloaded)); });
    const Done done = collector_command({"browse"}).vault(busy.address()).run();
    EXPECT_EQ(done.exit, exits::kUnreachable) << done.out << done.err;
    EXPECT_EQ(busy.connections(), 3);
}

}  // namespace
}  // namespace sat::test
