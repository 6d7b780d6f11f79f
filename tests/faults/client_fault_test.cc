// The clients' commands while one of their calls fails, once: of the disk, or for memory.  Each ends with a code and a
// hint, claims nothing that is not so, and the same command succeeds when it is run again.  A sample of the calls by
// default; all of them with SAT_FULL=1.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "faults/figures.h"
#include "faults/sanitized.h"
#include "faults/scene.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

// Where each run wants a work of its own first, a second or so.
constexpr std::uint64_t kOfSlowOnes = 300;

class ClientFault : public ThreeComputers {
public:
    void SetUp() override {
        ThreeComputers::SetUp();
        faults_ = std::make_unique<Faults>(dir() / "faults");
    }
    Faults& faults() { return *faults_; }

    // A command of a client, and what it leaves.
    struct Case {
        const char* program;
        // Of a run that begins now, on what it needs.
        std::function<Command()> begin;
        // Its exit code where nothing fails.
        int done = 0;
        // And where all was done but the telling, when it is run once more.
        std::optional<int> done_before = {};
        // Whether what it is to bring about is so, and nothing more.
        std::function<bool()> is_so;
        // Of some 4,000 call paths of a command, in full; all of them end the program in the same two ways.
        std::uint64_t most_paths = UINT64_MAX;
    };

    void fail_everywhere(const Case& tried, std::uint64_t sample) {
        // A client's first run makes files that those after it find.
        run(tried, {}, [] {});
        run(tried, faults().env(tried.program), [&] { faults().count(FaultKind::io); });
        const std::uint64_t calls = faults().calls();
        ASSERT_GT(calls, 5U);
        std::uint64_t injected = 0;
        for (const std::uint64_t call : points(calls, sample)) {
            const std::string when = "disk call " + std::to_string(call) + " of " + std::to_string(calls) + " fails";
            fail_once(tried, faults().env(tried.program), when, [&] { faults().fail_at(FaultKind::io, call, EIO); });
            injected += faults().injected();
        }
        EXPECT_GE(injected, points(calls, sample).size() * 9 / 10);
        report_figure("disk calls of clients failed", injected);
        if (is_sanitized(program_path(tried.program))) {
            std::cout << "the program has a sanitizer's allocator: no allocation was made to fail\n";
            return;
        }
        run(tried, faults().memory_env(tried.program), [&] { faults().record_stacks(); });
        const std::vector<std::uint64_t> stacks = faults().stacks();
        ASSERT_GT(stacks.size(), 100U);
        injected = 0;
        for (const std::uint64_t number : points(stacks.size(), sample, tried.most_paths)) {
            const std::string when =
                "allocation by call path " + std::to_string(number) + " of " + std::to_string(stacks.size()) + " fails";
            fail_once(tried, faults().memory_env(tried.program), when,
                      [&] { faults().fail_stack(stacks[number - 1]); });
            injected += faults().injected();
        }
        EXPECT_GE(injected, points(stacks.size(), sample, tried.most_paths).size() / 2)
            << "not every run takes the same paths";
        report_figure("allocations of clients failed", injected);
    }

private:
    Done run(const Case& tried, const std::map<std::string, std::string>& env, const std::function<void()>& arm) {
        const Command command = tried.begin().json(false).env(env);
        arm();
        Done done = command.run();
        faults().disarm();
        return done;
    }

    void fail_once(const Case& tried, const std::map<std::string, std::string>& env, const std::string& when,
                   const std::function<void()>& arm) {
        Command command = tried.begin().json(false);
        Command faulty = command;
        faulty.env(env);
        arm();
        const Done done = faulty.run();
        faults().disarm();
        if (done.exit == tried.done) {
            EXPECT_TRUE(tried.is_so()) << when << ": it says that it succeeded";
            return;
        }
        EXPECT_THAT(done.exit,
                    AnyOf(exits::kUnreadable, exits::kUnreachable, 70, exits::kIo, exits::kInterrupted, exits::kConfig))
            << when << ": " << done.out << done.err;
        EXPECT_THAT(done.err, HasSubstr(": error: ")) << when;
        EXPECT_THAT(done.err, HasSubstr(": hint: ")) << when;
        const Done again = command.run();
        EXPECT_THAT(again.exit, AnyOf(tried.done, tried.done_before.value_or(tried.done)))
            << when << ", again: " << done.err << again.out << again.err;
        EXPECT_TRUE(tried.is_so()) << when << ": " << done.err << ", again: " << again.err << again.out;
    }

    std::unique_ptr<Faults> faults_;
};

TEST_F(ClientFault, KilledAnywhereItKeepsBothHalvesOfTheEvidenceOrNeither) {
    // It has seen a work; then the vault's ledger is empty.
    upload();
    ASSERT_EQ(collector({"browse"}).exit, 0);
    const HandshakeParty party = vault_party();
    const std::string forgetful = empty_checkpoint(vault_keys());
    ScriptedVault lying([&](Socket& socket) {
        serve_requests(socket, party, forgetful, [](Session& session, const std::string&, const Json&) {
            return session.send(RecordType::response, ok_response(Json::object()));
        });
    });
    const Path home = dir() / "killed";
    const auto run = [&](const std::map<std::string, std::string>& env) {
        return collector_command({"browse"}).home(home).vault(lying.address()).env(env).json(false).run();
    };
    const auto begin = [&] {
        fs::remove_all(home);
        fs::copy(collector_home(), home, fs::copy_options::recursive);
    };
    begin();
    faults().count();
    ASSERT_EQ(run(faults().env("sat-collector")).exit, exits::kLedger);
    const std::uint64_t calls = faults().calls();
    ASSERT_GT(calls, 8U);
    std::size_t kept = 0;
    for (std::uint64_t call = 1; call <= calls; ++call) {
        begin();
        faults().kill_at(call);
        const Done killed = run(faults().env("sat-collector"));
        faults().disarm();
        EXPECT_EQ(killed.exit, 128 + SIGKILL) << "at call " << call;
        // The next command is to the honest vault, which gives no reason to keep anything.
        const Done next = collector_command({"browse"}).home(home).run();
        std::vector<std::string> halves;
        for (const char* which : {".fork-kept", ".fork-shown"}) {
            const Path half = home / "checkpoints" / (party.chain().wallet().hex() + which);
            if (fs::exists(half)) halves.push_back(read_text(half));
        }
        if (halves.empty()) {
            EXPECT_EQ(next.exit, 0) << "killed at call " << call << ": " << next.out << next.err;
            continue;
        }
        ++kept;
        EXPECT_EQ(next.exit, exits::kLedger) << "killed at call " << call << ": " << next.out << next.err;
        ASSERT_EQ(halves.size(), 2U) << "killed at call " << call << " of " << calls;
        EXPECT_EQ(std::ranges::count(halves, forgetful), 1) << call;
    }
    EXPECT_GT(kept, 1U);
    EXPECT_LT(kept, calls);
}

TEST_F(ClientFault, AnUploadFailsWithAWordOrSucceeds) {
    const Path file = tiff(100'000);
    std::size_t number = 0;
    // A word of its title: to list all works takes longer with each.
    const auto word = [&] { return "number" + std::to_string(number); };
    fail_everywhere({.program = "sat-artist",
                     .begin =
                         [&] {
                             ++number;
                             // Another version of the file, so that it is another upload.
                             fs::last_write_time(file, fs::file_time_type::clock::now());
                             return artist_command({"upload", file, "--title", word()});
                         },
                     .is_so =
                         [&] {
                             const Done done = collector({"browse", word()});
                             EXPECT_EQ(done.exit, 0) << done.out << done.err;
                             const std::size_t stored = done.exit == 0 ? done.data()["items"].size() : 0;
                             EXPECT_LE(stored, 1U) << done.out;
                             return stored == 1;
                         }},
                    4);
}

TEST_F(ClientFault, ARequestFailsWithAWordOrGivesTheWholeImage) {
    const Path file = tiff(200'000);
    const Done uploaded = artist({"upload", file, "--title", "Large"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.err;
    const std::string id = uploaded.data()["id"];
    const Path out = dir() / "out.tif";
    const std::string image = read_text(file);
    fail_everywhere({.program = "sat-collector",
                     .begin =
                         [&] {
                             fs::remove(out);
                             return collector_command({"request", id, "-o", out});
                         },
                     .done_before = exits::kExists,
                     .is_so = [&] { return read_text(out) == image; }},
                    4);
}

TEST_F(ClientFault, AClaimFailsWithAWordOrIsOpen) {
    std::string id;
    const auto open_claims = [&] {
        std::size_t open = 0;
        const Done claims = collector({"claims"});
        for (const Json& claim : claims.data()["items"])
            if (claim["artwork"] == id && claim["state"] == "pending") ++open;
        return open;
    };
    fail_everywhere({.program = "sat-collector",
                     .begin =
                         [&] {
                             id = upload();
                             return collector_command({"claim", id, "--wait", "0"});
                         },
                     .done = exits::kPending,
                     .is_so = [&] { return open_claims() == 1; },
                     .most_paths = kOfSlowOnes},
                    3);
}

TEST_F(ClientFault, AYesFailsWithAWordOrIsGiven) {
    std::string id;
    fail_everywhere({.program = "sat-artist",
                     .begin =
                         [&] {
                             id = upload();
                             claim(kCollector, id);
                             return artist_command({"confirm", id});
                         },
                     .is_so =
                         [&] {
                             const Done claims = collector({"claims"});
                             for (const Json& claim : claims.data()["items"])
                                 if (claim["artwork"] == id) return claim["state"] == "confirmed";
                             return false;
                         },
                     .most_paths = kOfSlowOnes},
                    3);
}

TEST_F(ClientFault, AnAcceptanceFailsWithAWordOrMovesTheWork) {
    std::string id;
    fail_everywhere({.program = "sat-collector",
                     .begin =
                         [&] {
                             id = upload();
                             claim(kCollector, id);
                             EXPECT_EQ(artist({"confirm", id}).exit, 0);
                             return collector_command({"claim", id, "--wait", "5"});
                         },
                     .is_so = [&] { return owner_of(id) == wallet(collector_home()).hex(); },
                     .most_paths = kOfSlowOnes},
                    3);
}

}  // namespace
}  // namespace sat::test
