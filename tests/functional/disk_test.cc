// Full disks, as people see them: at the vault while it stores a work, at a collector while it writes an image. Nothing
// is half-stored, the refusal is clear, and with room again the same command succeeds.  Every other stage:
// tests/faults.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>
#include <functional>
#include <iostream>
#include <sstream>

#include "support/faults.h"
#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::AnyOf;

// `count` calls to try, from the first to the last: all of them in full, else about `sample` of them, evenly spread.
std::vector<std::uint64_t> points(std::uint64_t count, std::uint64_t sample) {
    std::vector<std::uint64_t> out;
    const std::uint64_t step = run_in_full() || count <= sample ? 1 : count / sample;
    for (std::uint64_t call = 1; call <= count; call += step) out.push_back(call);
    if (out.empty() || out.back() != count) out.push_back(count);
    return out;
}

class Disk : public ThreeComputers {
public:
    void SetUp() override {
        ThreeComputers::SetUp();
        faults_ = std::make_unique<Faults>(dir() / "faults");
        stop_vault();
        start_vault({.data = data(), .duplicate = duplicate(), .env = faults_->env()});
    }
    Faults& faults() { return *faults_; }
    std::size_t works() {
        const Done done = collector({"browse", "--all"});
        EXPECT_EQ(done.exit, 0) << done.out << done.err;
        return done.data().is_object() ? done.data()["items"].size() : 0;
    }
    // What is stored is what is listed: no blob without a work, no work without its blob, in both directories.
    void expect_whole() {
        const std::size_t count = works();
        for (const Path& directory : {data() / "image_store", data() / "metadata_store",
                                      duplicate() / "duplicate_store", duplicate() / "duplicate_metadata_store"}) {
            EXPECT_EQ(files_below(directory).size(), count) << directory;
        }
    }

private:
    std::unique_ptr<Faults> faults_;
};

TEST_F(Disk, AVaultWhoseDiskFillsUpDuringAnUploadRefusesAndStoresNothing) {
    const Path file = tiff(400'000);
    const Words words = {"upload", file, "--title", "Large"};
    // Another version of the file each time, so that none goes on with what the one before left.
    const auto renew = [&] { fs::last_write_time(file, fs::file_time_type::clock::now()); };
    faults().count();
    ASSERT_EQ(artist(words).exit, 0);
    const std::uint64_t calls = faults().calls();
    ASSERT_GT(calls, 5U);
    std::size_t stored = 1;
    std::size_t refused = 0;
    std::size_t unknown = 0;
    for (const std::uint64_t call : points(calls, 10)) {
        renew();
        faults().full_at(call);
        const Done done = artist(words);
        faults().disarm();
        const std::string when = "full from call " + std::to_string(call) + " of " + std::to_string(calls);
        ASSERT_TRUE(vault().running()) << when;
        const std::size_t before = stored;
        stored = works();
        // All of it or none.  The last calls of all come after the commit: what fails there is not told as a refusal,
        // for the work is there.
        EXPECT_TRUE(stored == before || stored == before + 1) << when;
        if (done.exit == 0) {
            EXPECT_EQ(stored, before + 1) << when;
        } else if (stored == before) {
            EXPECT_THAT(done.exit, AnyOf(exits::kUnreachable, exits::kIo, exits::kInterrupted))
                << when << done.out << done.err;
            ++refused;
        } else {
            EXPECT_EQ(done.exit, exits::kInterrupted) << when << done.out << done.err;
            ++unknown;
        }
        const std::string newest = collector({"browse", "--limit", "1"}).data()["items"][0]["id"];
        EXPECT_EQ(collector({"request", newest, "-o", dir() / "newest.tif", "--force"}).exit, 0) << when;
    }
    EXPECT_GT(refused, 5U) << "most points are before the commit";
    renew();
    EXPECT_EQ(artist(words).exit, 0) << "with room again it is stored";
    EXPECT_EQ(works(), stored + 1);
    EXPECT_GE(unknown, 1U) << "the leaves files are written after the commit";
    // Where it was the commit that failed, that one's success has shown that the files belong to no work.
    expect_whole();
    stop_vault();
    start_vault();
    expect_whole();
    EXPECT_EQ(works(), stored + 1);
}

// What was asked for is done, and nobody can be told: the operator has to hear of it.
TEST_F(Disk, ALeavesFileThatCannotBeWrittenIsInTheLog) {
    const std::string file = (duplicate() / "leaves").string();
    const auto told = [&] {
        std::istringstream log(vault().process().err());
        for (std::string line; std::getline(log, line);)
            if (line.find("level=warning event=unanswered") != std::string::npos &&
                line.find(file) != std::string::npos)
                return true;
        return false;
    };
    const auto accept = [&](const std::function<void()>& before) {
        const std::string id = upload();
        const std::string asked = claim(kCollector, id);
        EXPECT_EQ(artist({"confirm", id, "--claim", asked}).exit, 0);
        before();
        (void)collector({"claim", id});
        const std::uint64_t calls = faults().calls();
        faults().disarm();
        EXPECT_EQ(collector({"claim", id}).exit, 0) << "asked again, it is told";
        return calls;
    };
    const auto count = [&] { faults().count(); };
    (void)accept(count);  // the first one of a collector writes down who it is
    // The last ones write and sync the leaves files.  How many the catalogue makes before them is not always the same.
    for (std::uint64_t call = accept(count) + 1; call > 1 && !told(); --call)
        (void)accept([&] { faults().fail_at(FaultKind::change, call, EIO); });
    EXPECT_TRUE(told()) << vault().process().err();
}

TEST_F(Disk, AVaultWithoutRoomSaysSoBeforeTheFirstByte) {
    // A disk of its own, of 80 MiB, 64 of which a vault never touches.
    if (test::run({.argv = {"/usr/bin/unshare", "-m", "/bin/mount", "-t", "tmpfs", "tmpfs", dir()}}).exit_code != 0) {
        std::cout << "no mount is allowed here: a real small disk was not tried\n";
        return;
    }
    stop_vault();
    no_vault();
    const Path small = dir() / "small";
    fs::create_directory(small);
    fs::permissions(small, fs::perms::owner_all);
    const std::string script =
        "mount -t tmpfs -o size=80m,mode=0700 tmpfs \"$0\" && cp -a \"$1\"/keys \"$0\"/ && "
        "exec \"$2\" run --data \"$0\" --listen 127.0.0.1:0 --allow-root";
    Process process(
        {.argv = {"/usr/bin/unshare", "-m", "/bin/sh", "-c", script, small, data(), program_path("sat-vaultd")}});
    ASSERT_TRUE(process.wait_for_output("listening ")) << process.err();
    ASSERT_TRUE(process.wait_for_output("fingerprint ")) << process.err();
    const std::string out = process.out();
    const auto value = [&out](const std::string& word) {
        const std::size_t at = out.find(word + " ") + word.size() + 1;
        return out.substr(at, out.find('\n', at) - at);
    };
    const auto run = [&](const Words& words) {
        return artist_command(words).vault(value("listening")).pin(value("fingerprint")).run();
    };
    const Path large = tiff(std::size_t{24} << 20);
    const Done refused = run({"upload", large, "--title", "Large"});
    EXPECT_THAT(refused.exit, AnyOf(exits::kUnreachable, exits::kIo)) << refused.out << refused.err;
    EXPECT_EQ(refused.code(), "storage_full");
    EXPECT_EQ(run({"upload", picture(), "--title", "Small"}).exit, 0);
    EXPECT_EQ(run({"list"}).data()["items"].size(), 1U);
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait().exit_code, 0);
}

TEST_F(Disk, ACollectorWhoseDiskFillsUpHasNoFile) {
    const Path file = tiff(1'000'000);
    const Done uploaded = artist({"upload", file, "--title", "Large"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.out << uploaded.err;
    const std::string id = uploaded.data()["id"];
    // The vault pinned and all: nothing else is written by the command under test.
    ASSERT_EQ(collector({"show", id}).exit, 0);
    const Path out = dir() / "out";
    fs::create_directory(out);
    Faults full(dir() / "collector-faults");
    const Command request = collector_command({"request", id}).in(out).env(full.env());
    full.count();
    ASSERT_EQ(request.run().exit, 0);
    const std::uint64_t calls = full.calls();
    ASSERT_GT(calls, 3U);
    fs::remove(out / (id + ".tif"));
    for (const std::uint64_t call : points(calls, 8)) {
        full.full_at(call);
        const Done done = request.run();
        full.disarm();
        if (done.exit == 0) {  // only what needs no room was left to do
            EXPECT_EQ(read_text(out / (id + ".tif")), read_text(file)) << call;
            fs::remove(out / (id + ".tif"));
            continue;
        }
        EXPECT_EQ(done.exit, exits::kIo) << call << done.out << done.err;
        EXPECT_TRUE(fs::is_empty(out)) << call;
    }
    EXPECT_EQ(request.run().exit, 0);
    EXPECT_EQ(read_text(out / (id + ".tif")), read_text(file));
}

TEST_F(Disk, AnImageWrittenToAFullDeviceIsAnError) {
    const std::string id = upload();
    const Outcome outcome = test::run(
        {.argv = {"/bin/sh", "-c",
                  "exec \"$0\" request \"$1\" -o - --home \"$2\" --vault \"$3\" --vault-key \"$4\" >/dev/full",
                  program_path("sat-collector"), id, collector_home(), vault().address(), vault().fingerprint()},
         .env = {{"HOME", dir()}}});
    EXPECT_EQ(outcome.exit_code, exits::kIo) << outcome.err;
}

}  // namespace
}  // namespace sat::test
