// Several images in one command: told in the order of the arguments, one that is bad takes no other with it, and the
// same command once more stores nothing twice.  docs/man/sat-artist.1, "upload".
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "base/json.h"
#include "support/pictures.h"
#include "support/programs.h"
#include "support/relay.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;

class ManyUploads : public ThreeComputers {
public:
    // More than there are connections.
    Words images(std::size_t count, std::size_t bytes) {
        Words paths;
        for (std::size_t i = 0; i < count; ++i) {
            const Path path = dir() / ("work " + std::to_string(i) + ".tif");
            EXPECT_TRUE(write_file_atomically(path, make_tiff(bytes + i, static_cast<std::uint32_t>(i + 1)),
                                              AtomicFile::Existing::replace));
            paths.push_back(path);
        }
        return paths;
    }
    Command uploading(Words paths) {
        paths.insert(paths.begin(), "upload");
        return artist_command(std::move(paths)).json(false);
    }
    static std::vector<std::string> lines(const std::string& text) {
        std::vector<std::string> out;
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);) out.push_back(line);
        return out;
    }
    std::size_t works() {
        const Done done = collector({"browse", "--all"});
        return done.exit == 0 ? done.data()["items"].size() : 0;
    }
    bool nothing_is_remembered() const { return files_below(artist_home() / "uploads").empty(); }
};

TEST_F(ManyUploads, AreStoredUnderTheirNamesAndToldInTheirOrder) {
    const Words paths = images(9, 60'000);
    const Done done = uploading(paths).also({"-q"}).run();
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    const auto ids = lines(done.out);
    ASSERT_EQ(ids.size(), paths.size());
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), paths.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const Done shown = artist({"show", ids[i]});
        ASSERT_EQ(shown.exit, 0) << shown.out;
        EXPECT_EQ(shown.data()["title"], "work " + std::to_string(i));
        EXPECT_EQ(shown.data()["bytes"], fs::file_size(paths[i]));
    }
    EXPECT_TRUE(nothing_is_remembered());
}

TEST_F(ManyUploads, ABadOneIsToldAndTheOthersAreStoredOnceHoweverOftenTheCommandIsRun) {
    Words paths = images(6, 60'000);
    const Path bad = paths[2];
    ASSERT_TRUE(write_file_atomically(bad, as_bytes("no image"), AtomicFile::Existing::replace));
    const Done first = uploading(paths).also({"--json"}).run();
    EXPECT_EQ(first.exit, exits::kBadData) << first.err;
    const auto documents = lines(first.out);
    ASSERT_EQ(documents.size(), paths.size());
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < documents.size(); ++i) {
        const Json document = Json::parse(documents[i]);
        EXPECT_EQ(document["ok"], i != 2);
        if (i == 2) {
            EXPECT_THAT(document["error"]["message"].get<std::string>(), HasSubstr("work 2.tif"));
        } else {
            ids.push_back(document["data"]["id"]);
        }
    }
    EXPECT_EQ(works(), 5U);

    ASSERT_TRUE(write_file_atomically(bad, make_tiff(70'000, 99), AtomicFile::Existing::replace));
    const Done second = uploading(paths).also({"-q"}).run();
    EXPECT_EQ(second.exit, 0) << second.err;
    auto found = lines(second.out);
    ASSERT_EQ(found.size(), paths.size());
    found.erase(found.begin() + 2);
    EXPECT_EQ(found, ids);
    EXPECT_EQ(works(), 6U);
    EXPECT_TRUE(nothing_is_remembered());
}

TEST_F(ManyUploads, KilledHalfWayTheSameCommandStoresEachOnce) {
    const Words paths = images(12, 900'000);
    Relay relay(vault().socket_address());
    // Each of four connections in the middle of its second image.
    relay.treat(Direction::to_vault, {.hold_after = 1'500'000});
    Process process = uploading(paths).also({"-q"}).vault(relay.address()).begin();
    ASSERT_TRUE(relay.wait_held(4));
    process.kill_hard();
    relay.cut();
    EXPECT_EQ(works(), 4U);
    const Done done = uploading(paths).also({"-q"}).run();
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    const auto ids = lines(done.out);
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), paths.size());
    EXPECT_EQ(works(), paths.size());
    EXPECT_TRUE(nothing_is_remembered());
}

TEST_F(ManyUploads, GoOnAtTheRateThatTheVaultGivesTheirWallet) {
    // A hundred requests at once, then ten a second; an upload is three.
    start_vault({.data = data(), .duplicate = duplicate(), .more = {"--wallet-rate", "10"}});
    const Words paths = images(40, 2000);
    const auto begin = std::chrono::steady_clock::now();
    const Done done = uploading(paths).also({"-q"}).run();
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2)) << "nobody made it wait";
    EXPECT_EQ(lines(done.out).size(), paths.size());
    EXPECT_EQ(works(), paths.size());
}

TEST_F(ManyUploads, TakeNoTitleAndNoImageTwice) {
    Words paths = images(2, 1000);
    EXPECT_EQ(uploading(paths).also({"--title", "Both"}).run().exit, exits::kUsage);
    paths.push_back(paths[0]);
    EXPECT_EQ(uploading(paths).run().exit, exits::kUsage);
    EXPECT_EQ(uploading({paths[0]}).run().exit, exits::kUsage);
    EXPECT_EQ(works(), 0U);
}

}  // namespace
}  // namespace sat::test
