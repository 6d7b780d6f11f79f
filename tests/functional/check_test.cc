// `sat-vaultd check` with the real programs: what it says, what it heals, and how it exits.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>

#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

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

}  // namespace
}  // namespace sat::test
