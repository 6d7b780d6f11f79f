// `sat-vaultd check` with the real programs: what it says, what it heals, and how it exits.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>

#include "support/faults.h"
#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

class CheckCommand : public ThreeComputers {
public:
    Done check(Words more = {}) {
        Words words{"check", "--duplicate", duplicate()};
        words.insert(words.end(), more.begin(), more.end());
        return vaultd_command(words).json().run();
    }
    static void flip(const Path& file, std::size_t offset) {
        std::string bytes = read_text(file);
        ASSERT_GT(bytes.size(), offset);
        bytes[offset] = static_cast<char>(bytes[offset] ^ 1);
        write_text(file, bytes);
    }
    Path image(const std::string& id) const { return data() / "image_store" / id.substr(0, 2) / id; }
    Path other_image(const std::string& id) const { return duplicate() / "duplicate_store" / id.substr(0, 2) / id; }
    void remove_catalog() const {
        for (const char* name : {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"})
            fs::remove(data() / name);
    }
};

TEST_F(CheckCommand, ExitsByWhatItFindsAndHealsWhatItCan) {
    const std::string id = upload();
    hand_over(id, kArtist, kCollector);
    const Done running = check();
    EXPECT_EQ(running.exit, exits::kUnreachable) << running.out;
    EXPECT_THAT(running.error().value("hint", ""), HasSubstr("stop it"));
    stop_vault();

    Done done = check();
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(done.data()["works"], 1);
    EXPECT_EQ(done.data()["leaves"], 2);
    EXPECT_EQ(done.data()["left"], 0);

    flip(image(id), 900);
    done = check();
    EXPECT_EQ(done.exit, exits::kBadProof) << done.out;
    EXPECT_EQ(done.code(), "damaged");
    const Json& damage = done.error()["found"]["damages"][0];
    EXPECT_EQ(damage["part"], "image");
    EXPECT_EQ(damage["artwork"], id);
    EXPECT_EQ(damage["remedy"], "copy");
    EXPECT_EQ(damage["healed"], false);
    EXPECT_THAT(done.error().value("hint", ""), HasSubstr("--repair"));
    const Done text = vaultd_command({"check", "--duplicate", duplicate()}).run();
    EXPECT_EQ(text.exit, exits::kBadProof);
    EXPECT_THAT(text.out, HasSubstr(id + ": "));
    EXPECT_THAT(text.out, HasSubstr("another copy is good"));

    done = check({"--repair"});
    EXPECT_EQ(done.exit, 0) << done.out;
    EXPECT_EQ(done.data()["damaged"], 1);
    EXPECT_EQ(check().data()["damaged"], 0);

    flip(image(id), 900);
    flip(other_image(id), 900);
    done = check({"--repair"});
    EXPECT_EQ(done.exit, exits::kBadProof) << done.out;
    EXPECT_EQ(done.error()["found"]["left"], 2);
    EXPECT_EQ(done.error()["found"]["damages"][1]["remedy"], "none");
    start_vault();
    const Done lost = collector({"request", id, "-o", dir() / "lost.jpg"});
    EXPECT_NE(lost.exit, 0);
    EXPECT_FALSE(fs::exists(dir() / "lost.jpg"));
}

TEST_F(CheckCommand, ALostDatabaseComesBackWithEveryOwnerAndClientsGoOn) {
    const std::string given = upload("Given away");
    const std::string kept = upload("Kept");
    hand_over(given, kArtist, kCollector);
    claim(kSecond, kept);
    stop_vault();
    remove_catalog();
    const Done refused = vaultd_command({"status"}).json().run();
    EXPECT_EQ(refused.exit, exits::kConfig) << "leaves without a catalogue are no vault: " << refused.out;
    const Done done = check({"--repair"});
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_THAT(done.data()["notes"].dump(), HasSubstr("claims that were open are lost"));
    start_vault();
    EXPECT_EQ(owner_of(given), wallet(collector_home()).hex());
    EXPECT_EQ(owner_of(kept), wallet(artist_home()).hex());
    EXPECT_EQ(second({"history", given}).data()["items"].size(), 2U);
    EXPECT_EQ(collector({"browse", "kept"}).data()["items"].size(), 1U) << "the words are there again";
    EXPECT_EQ(collector({"request", kept, "-o", dir() / "kept.jpg"}).exit, 0);
    EXPECT_EQ(collector({"claim", given}).exit, 0) << "it is mine already, and the vault knows it";
    hand_over(kept, kArtist, kSecond);
    stop_vault();
    EXPECT_EQ(check().exit, 0);
}

TEST_F(CheckCommand, ALostPrimaryDirectoryComesBackFromTheDuplicateAndTheKeys) {
    const std::string id = upload();
    hand_over(id, kArtist, kCollector);
    stop_vault();
    fs::rename(data() / "keys", dir() / "keys");
    fs::remove_all(data());
    const Done keyless = check({"--repair"});
    EXPECT_EQ(keyless.exit, exits::kConfig) << keyless.out;
    fs::create_directory(data());
    fs::permissions(data(), fs::perms::owner_all);
    fs::rename(dir() / "keys", data() / "keys");
    const Done done = check({"--repair"});
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    start_vault();
    EXPECT_EQ(owner_of(id), wallet(collector_home()).hex());
    EXPECT_EQ(collector({"request", id, "-o", dir() / "back.jpg"}).exit, 0);
}

TEST_F(CheckCommand, ABadImageIsServedFromTheDuplicateWhileTheVaultRuns) {
    const Path file = tiff(300'000);
    const Done uploaded = artist({"upload", file, "--title", "Unmistakable"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.err;
    const std::string id = uploaded.data()["id"];
    const std::string good = read_text(image(id));
    flip(image(id), 150'000);
    ASSERT_EQ(collector({"request", id, "-o", dir() / "back.tif"}).exit, 0);
    EXPECT_EQ(read_text(dir() / "back.tif"), read_text(file));
    ASSERT_TRUE(vault().process().wait_for_error("event=healed"));
    EXPECT_EQ(read_text(image(id)), good);
    EXPECT_THAT(vault().process().err(), testing::Not(HasSubstr("Unmistakable")));
}

TEST_F(CheckCommand, ADirectoryThatCannotBeListedIsADamageAndEndsNothing) {
    upload();
    stop_vault();
    no_vault();
    remove_catalog();
    Faults faults(dir() / "faults");
    faults.make_unreadable("/vault/identities");
    const Done done = vaultd_command({"check", "--repair", "--duplicate", duplicate()}).env(faults.env()).json().run();
    EXPECT_EQ(done.exit, exits::kBadProof) << done.out << done.err;
    EXPECT_GT(faults.injected(), 0U);
    EXPECT_TRUE(fs::exists(data() / "catalog.sqlite")) << "the duplicate has the identities";
    EXPECT_EQ(check({"--repair"}).exit, 0);
    EXPECT_EQ(check().exit, 0);
}

// A vault of one work with an open claim, its catalogue's format number and its leaves damaged; each try of a repair
// begins from a copy of it.
class CutOffRepair : public CheckCommand {
public:
    void SetUp() override {
        CheckCommand::SetUp();
        id_ = upload();
        claim(kCollector, id_);
        stop_vault();
        flip(data() / "catalog.sqlite", 61);
        const std::string leaves = read_text(data() / "leaves");
        write_text(data() / "leaves", leaves.substr(0, leaves.size() - 10));
        flip(image(id_), 900);
        keep(data(), dir() / "kept-data");
        keep(duplicate(), dir() / "kept-duplicate");
        faults_ = std::make_unique<Faults>(dir() / "faults");
    }
    Faults& faults() { return *faults_; }
    void put_back() {
        keep(dir() / "kept-data", data());
        keep(dir() / "kept-duplicate", duplicate());
    }
    Done faulty_repair() {
        return vaultd_command({"check", "--repair", "--duplicate", duplicate()}).env(faults().env()).run();
    }
    // Run again without faults it heals all, and the claim is there.
    void expect_healed(const std::string& when) {
        faults().disarm();
        const Done done = check({"--repair"});
        EXPECT_EQ(done.exit, 0) << when << done.out << done.err;
        EXPECT_EQ(check().exit, 0) << when;
        const Done status = vaultd_command({"status"}).json().run();
        ASSERT_EQ(status.exit, 0) << when << status.out;
        EXPECT_EQ(status.data()["works"], 1) << when;
        EXPECT_EQ(status.data()["open_claims"], 1) << when;
    }
    // Some of the calls that a whole repair makes, the last one among them.
    std::vector<std::uint64_t> points(std::uint64_t sample) {
        faults().count();
        EXPECT_EQ(faulty_repair().exit, 0);
        const std::uint64_t calls = faults().calls();
        EXPECT_GT(calls, 5U);
        expect_healed("whole");
        std::vector<std::uint64_t> out;
        const std::uint64_t step = run_in_full() ? 1 : std::max<std::uint64_t>(1, calls / sample);
        for (std::uint64_t call = 1; call <= calls; call += step) out.push_back(call);
        if (out.back() != calls) out.push_back(calls);
        return out;
    }

private:
    static void keep(const Path& from, const Path& to) {
        fs::remove_all(to);
        fs::copy(from, to, fs::copy_options::recursive);
    }

    std::string id_;
    std::unique_ptr<Faults> faults_;
};

TEST_F(CutOffRepair, ThatIsKilledAnywhereEndsRunAgainAsOneThatWasNot) {
    for (const std::uint64_t call : points(8)) {
        put_back();
        faults().kill_at(call);
        (void)faulty_repair();
        expect_healed("killed at call " + std::to_string(call));
    }
}

TEST_F(CutOffRepair, ThatRunsOutOfRoomAnywhereSaysSoAndLosesNothing) {
    for (const std::uint64_t call : points(8)) {
        put_back();
        faults().full_at(call);
        const Done done = faulty_repair();
        const std::string when = "full from call " + std::to_string(call);
        faults().disarm();
        // Where the last sync failed, all is mended, and nobody knew.
        EXPECT_THAT(done.exit, AnyOf(0, exits::kBadProof, exits::kIo)) << when << done.out << done.err;
        if (done.exit == 0) {
            EXPECT_EQ(check().exit, 0) << when << done.out;
        }
        expect_healed(when);
    }
}

TEST_F(CutOffRepair, OnASmallDiskSaysSoAndLosesNothing) {
    if (test::run({.argv = {"/usr/bin/unshare", "-m", "/bin/mount", "-t", "tmpfs", "tmpfs", dir()}}).exit_code != 0) {
        std::cout << "no mount is allowed here: a real small disk was not tried\n";
        return;
    }
    const Path small = dir() / "small";
    const Path out = dir() / "out";
    fs::create_directory(small);
    fs::create_directory(out);
    const std::string script =
        "mount -t tmpfs -o size=${3}k,mode=0700 tmpfs \"$0\" && cp -a \"$1\"/. \"$0\"/ || exit 99; "
        "\"$2\" check --repair --data \"$0\"; code=$?; rm -rf \"$4\" && cp -a \"$0\" \"$4\" && exit $code";
    std::size_t short_of_room = 0;
    // From a disk on which nothing more fits to one on which all of it does.
    for (int size = 320; size <= 900; size += run_in_full() ? 8 : 80) {
        put_back();
        const auto outcome = test::run({.argv = {"/usr/bin/unshare", "-m", "/bin/sh", "-c", script, small, data(),
                                                 program_path("sat-vaultd"), std::to_string(size), out}});
        if (outcome.exit_code == 99) continue;  // the vault itself did not fit
        fs::remove_all(data());
        fs::copy(out, data(), fs::copy_options::recursive);
        if (outcome.exit_code != 0) ++short_of_room;
        expect_healed("on " + std::to_string(size) + " KiB");
    }
    EXPECT_GT(short_of_room, 0U);
}

TEST_F(CheckCommand, ADuplicateThatIsNotMountedIsNotMade) {
    upload();
    stop_vault();
    const Done done = vaultd_command({"check", "--repair", "--duplicate", dir() / "mistyped"}).json().run();
    EXPECT_EQ(done.exit, exits::kConfig) << done.out;
    EXPECT_FALSE(fs::exists(dir() / "mistyped"));
    const Done alone = vaultd_command({"check"}).json().run();
    EXPECT_EQ(alone.exit, 0) << alone.out;
    EXPECT_THAT(alone.data()["notes"].dump(), HasSubstr(duplicate().string()));
}

}  // namespace
}  // namespace sat::test
