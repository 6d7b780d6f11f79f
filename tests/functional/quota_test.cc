// What one wallet may have, as people meet it: the exit code, what is said, and what is still there.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "support/programs.h"

namespace sat::test {
namespace {

class Quota : public ThreeComputers {};

TEST_F(Quota, WhoIsPastItIsToldSoAndTheOthersAreNot) {
    start_vault({.data = data(), .duplicate = duplicate(), .more = {"--wallet-works", "2", "--wallet-claims", "1"}});
    const std::string first = upload("first");
    const std::string second = upload("second");
    const Done third = artist({"upload", picture(), "--title", "third"});
    EXPECT_EQ(third.exit, 77) << third.out;
    EXPECT_EQ(third.code(), "quota");
    EXPECT_EQ(collector({"browse", "--all"}).data()["items"].size(), 2U);

    claim(kCollector, first);
    const Done more = collector({"claim", second, "--wait", "0"});
    EXPECT_EQ(more.exit, 77) << more.out;
    EXPECT_EQ(more.code(), "quota");
    claim(kSecond, second);
    // One that is over makes room.
    EXPECT_EQ(artist({"decline", first}).exit, 0);
    claim(kCollector, second);

    // In words, with what to do.
    const Done words = artist_command({"upload", picture(), "--title", "third"}).json(false).run();
    EXPECT_EQ(words.exit, 77);
    EXPECT_THAT(words.err, testing::HasSubstr("hint: "));
}

TEST_F(Quota, ANumberThatIsNoneIsRefused) {
    for (const char* option : {"--wallet-works", "--wallet-bytes", "--wallet-claims", "--address-rate"}) {
        const Done refused = vaultd({"run", option, "-1"});
        EXPECT_EQ(refused.exit, 64) << option << refused.out << refused.err;
    }
}

}  // namespace
}  // namespace sat::test
