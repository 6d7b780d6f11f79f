// kill -9 of the vault at any call that changes its disk: after it starts again there is all of an upload or none of
// it, and one owner.  A sample of the points by default; all of them with SAT_FULL=1.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "support/faults.h"
#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::AnyOf;

class Crash : public ThreeComputers {
public:
    void SetUp() override {
        ThreeComputers::SetUp();
        faults_ = std::make_unique<Faults>(dir() / "faults");
        stop_vault();
        start();
    }
    Faults& faults() { return *faults_; }
    void start() { start_vault({.data = data(), .duplicate = duplicate(), .env = faults_->env()}); }
    // The calls to die at: spread over all of them, the last ones, where the commit is, one by one.
    std::vector<std::uint64_t> points(std::uint64_t count, std::uint64_t spread, std::uint64_t last) {
        std::vector<std::uint64_t> out;
        const std::uint64_t step = run_in_full() ? 1 : std::max<std::uint64_t>(1, count / spread);
        for (std::uint64_t call = 1; call <= count; call += call + last > count ? 1 : step) out.push_back(call);
        return out;
    }
    Json works() {
        const Done done = collector({"browse", "--all"});
        EXPECT_EQ(done.exit, 0) << done.out << done.err;
        return done.data().is_object() ? done.data()["items"] : Json::array();
    }

private:
    std::unique_ptr<Faults> faults_;
};

TEST_F(Crash, AnUploadIsThereAfterTheRestartOrItIsNot) {
    const Path file = tiff(300'000);
    const std::string image = read_text(file);
    const Words words = {"upload", file, "--title", "Survivor"};
    faults().count();
    ASSERT_EQ(artist(words).exit, 0);
    const std::uint64_t calls = faults().calls();
    ASSERT_GT(calls, 10U);
    std::size_t stored = 1;
    for (const std::uint64_t call : points(calls, 8, 8)) {
        const std::string when = "killed at call " + std::to_string(call) + " of " + std::to_string(calls);
        // Another version of the file each time, so that none goes on with what the one before left.
        fs::last_write_time(file, fs::file_time_type::clock::now());
        faults().kill_at(call);
        const Done done = artist(words);
        if (done.exit == 0 && vault().running()) {  // this time it took fewer calls
            ++stored;
            faults().disarm();
            continue;
        }
        EXPECT_THAT(done.exit, AnyOf(0, exits::kInterrupted, exits::kUnreachable)) << when << done.out << done.err;
        ASSERT_TRUE(eventually([this] { return !vault().running(); })) << when;
        faults().disarm();
        start();
        const Json items = works();
        ASSERT_TRUE(items.size() == stored || items.size() == stored + 1) << when;
        if (done.exit == 0) {
            EXPECT_EQ(items.size(), stored + 1) << when << ": the artist has a receipt";
        }
        const bool there = items.size() == stored + 1;
        stored = items.size();
        for (const Path& directory : {data() / "image_store", data() / "metadata_store",
                                      duplicate() / "duplicate_store", duplicate() / "duplicate_metadata_store"}) {
            EXPECT_EQ(files_below(directory).size(), stored) << when << ": " << directory;
        }
        if (there) {
            const std::string id = items[0]["id"];
            fs::remove(dir() / "back.tif");
            const Done back = collector({"request", id, "-o", dir() / "back.tif"});
            EXPECT_EQ(back.exit, 0) << when << back.out << back.err;
            EXPECT_EQ(read_text(dir() / "back.tif"), image) << when;
            EXPECT_EQ(collector({"history", id}).exit, 0) << when;
        }
    }
    fs::last_write_time(file, fs::file_time_type::clock::now());
    EXPECT_EQ(artist(words).exit, 0);
    EXPECT_EQ(works().size(), stored + 1);
}

TEST_F(Crash, AnAcceptanceHappenedOrItDidNotAndThereIsOneOwner) {
    const auto confirmed = [&] {
        const std::string id = upload();
        claim(kCollector, id);
        EXPECT_EQ(artist({"confirm", id}).exit, 0);
        return id;
    };
    std::uint64_t calls = 0;
    {
        const std::string id = confirmed();
        faults().count();
        ASSERT_EQ(collector({"claim", id}).exit, 0);
        calls = faults().calls();
        faults().disarm();
    }
    ASSERT_GT(calls, 2U);
    for (const std::uint64_t call : points(calls, 5, 3)) {
        const std::string when = "killed at call " + std::to_string(call) + " of " + std::to_string(calls);
        const std::string id = confirmed();
        faults().kill_at(call);
        const Done done = collector({"claim", id, "--wait", "1"});
        if (done.exit == 0 && vault().running()) {
            faults().disarm();
            continue;
        }
        EXPECT_THAT(done.exit, AnyOf(0, exits::kInterrupted, exits::kUnreachable)) << when << done.out << done.err;
        ASSERT_TRUE(eventually([this] { return !vault().running(); })) << when;
        faults().disarm();
        start();

        const Done history = second({"history", id});
        ASSERT_EQ(history.exit, 0) << when << history.out << history.err;
        const std::size_t owners = history.data()["items"].size();
        const std::string owner = owner_of(id);
        if (done.exit == 0) {
            EXPECT_EQ(owners, 2U) << when << ": the collector has a receipt";
        }
        EXPECT_EQ(owner, wallet(owners == 2 ? collector_home() : artist_home()).hex()) << when;
        EXPECT_EQ(artist({"list"}).data()["items"].empty(), owners == 2) << when;
        // Said again, it is done, once.
        EXPECT_EQ(collector({"claim", id}).exit, 0) << when;
        EXPECT_EQ(owner_of(id), wallet(collector_home()).hex()) << when;
        EXPECT_EQ(second({"history", id}).data()["items"].size(), 2U) << when;
    }
}

TEST_F(Crash, AVaultKilledWhileItStartsStartsAgain) {
    const std::string id = upload();
    hand_over(id, kArtist, kCollector);
    const std::uint64_t most = run_in_full() ? 1'000 : 6;
    for (std::uint64_t call = 1; call <= most; ++call) {
        vault().kill_hard();
        faults().kill_at(call);
        Process process({.argv = {program_path("sat-vaultd"), "run", "--data", data(), "--duplicate", duplicate(),
                                  "--listen", "127.0.0.1:0", "--allow-root"},
                         .env = faults().env()});
        ASSERT_TRUE(eventually([&] { return !process.running() || !process.out().empty(); }));
        const bool lived = process.running();
        process.kill_hard();
        faults().disarm();
        start();
        // Each start is at a new address, and a home files only so many.
        fs::remove(collector_home() / "known_vaults.json");
        EXPECT_EQ(owner_of(id), wallet(collector_home()).hex()) << call;
        if (lived) break;  // it starts with fewer calls
    }
    EXPECT_EQ(second({"history", id}).data()["items"].size(), 2U);
}

TEST_F(Crash, AClaimThatWasAnsweredIsThereAfterAKill) {
    const std::string id = upload();
    const std::string claim_id = claim(kCollector, id);
    vault().kill_hard();
    start();
    EXPECT_EQ(artist({"inbox"}).data()["items"].size(), 1U);
    EXPECT_EQ(artist({"confirm", id}).exit, 0);
    vault().kill_hard();
    start();
    const Done done = collector({"claim", id});
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(done.data()["claim"], claim_id);
}

}  // namespace
}  // namespace sat::test
