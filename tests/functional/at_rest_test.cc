// What a thief of the vault's disks can read: no title, no name, no word, no byte of an image.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>

#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

class AtRest : public ThreeComputers {};

// The base64url text of `words` at each of the three places where it can begin, without the ends that its neighbours
// share.
std::vector<std::string> encodings(const std::string& words) {
    std::vector<std::string> out{words};
    for (std::size_t shift = 0; shift < 3; ++shift) {
        const std::string text = to_base64url(as_bytes(std::string(shift, ' ') + words));
        const std::size_t skip = shift == 0 ? 0 : shift + 1;
        out.push_back(text.substr(skip, text.size() - skip - 2));
    }
    out.push_back(to_hex(as_bytes(words)));
    return out;
}

TEST_F(AtRest, NothingThatWasPlantedIsInAnyFile) {
    const std::string in_png = "hidden-inside-the-png-metadata";
    const Path file = dir() / "unmistakable-file-name.png";
    write_bytes(file, make_png_with_text(in_png));
    const Path large = tiff(200'000, 7);
    const std::string title = "Unmistakable Title";
    const Done first = artist({"upload", file, "--title", title, "--description", "Unmistakable description of it",
                               "--artist", "Unmistakable Artist", "--created", "1897-03-21"});
    ASSERT_EQ(first.exit, 0) << first.out << first.err;
    const std::string id = first.data()["id"];
    ASSERT_EQ(artist({"upload", large, "--title", "Unmistakable Second"}).exit, 0);

    // Everything that is said on the way to the second owner.
    ASSERT_EQ(second({"claim", id, "--wait", "0", "--message", "Unmistakable message one"}).exit, exits::kPending);
    ASSERT_EQ(artist({"decline", id, "--reason", "Unmistakable reason given"}).exit, 0);
    ASSERT_EQ(collector({"claim", id, "--wait", "0", "--message", "Unmistakable message two"}).exit, exits::kPending);
    ASSERT_EQ(artist({"confirm", id}).exit, 0);
    ASSERT_EQ(collector({"claim", id}).exit, 0);
    ASSERT_EQ(vaultd({"hold", id, "--reason", "Unmistakable hold reason"}).exit, 0);
    ASSERT_EQ(vaultd({"release", id}).exit, 0);

    std::vector<std::string> planted;
    for (const std::string& words :
         {title, std::string("Unmistakable"), std::string("unmistakable"), std::string("description of it"),
          std::string("unmistakable-file-name"), std::string("1897-03-21"), std::string("message one"),
          std::string("reason given"), std::string("message two"), std::string("hold reason"),
          std::string(kCollectorName), std::string(kCollectorContact), std::string("Ada Artist"), in_png}) {
        for (std::string& text : encodings(words)) planted.push_back(std::move(text));
    }
    for (const Path& image : {file, large}) {
        const std::string bytes = read_text(image);
        for (std::size_t at = 0; at + 24 <= bytes.size(); at += bytes.size() / 40)
            planted.push_back(bytes.substr(at, 24));
    }

    const auto search = [&](const std::string& when) {
        std::size_t files = 0;
        for (const Path& directory : {data(), duplicate()}) {
            for (const Path& stored : files_below(directory)) {
                const std::string bytes = read_text(stored);
                ++files;
                for (const std::string& text : planted) {
                    EXPECT_EQ(bytes.find(text), std::string::npos) << when << ": " << stored << " holds " << text;
                    EXPECT_EQ(stored.string().find(text), std::string::npos) << when << ": " << stored;
                }
            }
        }
        EXPECT_GT(files, 8U) << "there was something to search";
    };
    search("running");
    const std::string log = vault().process().out() + vault().process().err();
    for (const std::string& text : planted) EXPECT_EQ(log.find(text), std::string::npos) << "the log holds " << text;
    stop_vault();
    search("stopped");
    start_vault();
    // And the vault still knows it all.
    EXPECT_EQ(collector({"show", id}).data()["title"], title);
    EXPECT_EQ(collector({"browse", "unmistakable"}).data()["items"].size(), 2U);
}

TEST_F(AtRest, ThePlantedWordsAreFoundWhereTheyMayBe) {
    // The search above finds what is there: the artist's own file, in the clear, holds them.
    write_text(dir() / "clear.txt", "see " + to_base64url(as_bytes("x Unmistakable Title y")));
    bool found = false;
    for (const std::string& text : encodings("Unmistakable Title")) {
        found = found || read_text(dir() / "clear.txt").find(text) != std::string::npos;
    }
    EXPECT_TRUE(found);
}

TEST_F(AtRest, TheVaultsFilesAreItsOwnersAlone) {
    upload();
    for (const Path& directory : {data(), duplicate()}) {
        EXPECT_EQ(fs::status(directory).permissions() & (fs::perms::group_all | fs::perms::others_all), fs::perms::none)
            << directory;
        for (const Path& file : files_below(directory)) {
            EXPECT_EQ(fs::status(file).permissions() & (fs::perms::group_write | fs::perms::others_all),
                      fs::perms::none)
                << file;
        }
    }
}

}  // namespace
}  // namespace sat::test
