// cmake --install, and the programs from where it puts them.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>

#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

class Install : public ThreeComputers {
public:
    Outcome installed(const std::string& program, Words words) {
        ProcessOptions options;
        options.argv = {dir() / "prefix" / "bin" / program};
        options.argv.insert(options.argv.end(), words.begin(), words.end());
        options.env = {{"HOME", dir()}};
        return test::run(options);
    }
};

TEST_F(Install, TheInstalledProgramsRunAndFindTheirHelper) {
    const Path prefix = dir() / "prefix";
    const Outcome done = test::run({.argv = {SAT_CMAKE, "--install", SAT_BUILD_DIR, "--prefix", prefix}}, seconds(120));
    ASSERT_EQ(done.exit_code, 0) << done.out << done.err;
    for (const char* program : {"sat-artist", "sat-collector", "sat-vaultd"}) {
        EXPECT_EQ(installed(program, {"--version"}).exit_code, 0) << program;
    }
    EXPECT_TRUE(fs::exists(prefix / "libexec" / "sat" / "sat-picture"));
    EXPECT_FALSE(fs::exists(prefix / "bin" / "sat-picture")) << "no person starts it";
    for (const char* page : {"man1/sat-artist.1", "man1/sat-collector.1", "man8/sat-vaultd.8"}) {
        EXPECT_TRUE(fs::exists(prefix / "share" / "man" / page)) << page;
    }

    // The upload needs the helper.
    const Words common = {"--home",      artist_home(),         "--vault",   vault().address(),
                          "--vault-key", vault().fingerprint(), "--no-input"};
    Words upload = {"upload", picture("picture.avif"), "--title", "Installed", "-q"};
    upload.insert(upload.end(), common.begin(), common.end());
    const Outcome uploaded = installed("sat-artist", upload);
    ASSERT_EQ(uploaded.exit_code, 0) << uploaded.out << uploaded.err;
    Words request = {"request",     uploaded.out.substr(0, 10), "-o",      dir() / "back.avif",
                     "--home",      collector_home(),           "--vault", vault().address(),
                     "--vault-key", vault().fingerprint()};
    const Outcome requested = installed("sat-collector", request);
    ASSERT_EQ(requested.exit_code, 0) << requested.out << requested.err;
    EXPECT_EQ(read_text(dir() / "back.avif"), read_text(picture("picture.avif")));
}

}  // namespace
}  // namespace sat::test
