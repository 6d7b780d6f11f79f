// A request that meets a bad file is served from the other copy, and the bad one is mended.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "unit/vault/fixture.h"

namespace fs = std::filesystem;

namespace sat {
namespace {

class HealTest : public VaultTest {
protected:
    void SetUp() override {
        VaultTest::SetUp();
        plan.image = some_bytes(200'000);
        plan.preview = some_bytes(900, 2);
        artwork = upload(party("ada"), plan);
        vault->set_heal_report([this](const HealEvent& event) {
            const std::lock_guard lock(mutex);
            healed.push_back(event);
        });
    }

    Path image() const { return directory / in_shelf("data/image_store", artwork); }
    Path other_image() const { return directory / in_shelf("dup/duplicate_store", artwork); }
    Path metadata() const { return directory / in_shelf("data/metadata_store", artwork); }

    static Bytes contents(const Path& file) { return read_file(file, std::size_t{1} << 24).value_or(Bytes()); }
    static void flip(const Path& file, std::size_t offset) {
        Bytes bytes = contents(file);
        bytes.at(offset) ^= std::byte{1};
        ASSERT_TRUE(write_file_atomically(file, bytes, AtomicFile::Existing::replace, 0600));
    }

    // What the vault told of; waits until it told something.
    std::vector<HealEvent> told() {
        for (int i = 0; i < 6'000; ++i) {
            {
                const std::lock_guard lock(mutex);
                if (!healed.empty()) return std::exchange(healed, {});
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return {};
    }

    UploadPlan plan;
    ArtworkId artwork;
    std::mutex mutex;
    std::vector<HealEvent> healed;
};

TEST_F(HealTest, ABadImageIsServedFromTheDuplicateAndMended) {
    const Bytes good = contents(image());
    // In the header, its wrapped key, the first chunk, one in the middle, the last byte.
    for (const std::size_t offset :
         {std::size_t{1}, std::size_t{200}, std::size_t{700}, good.size() / 2, good.size() - 1}) {
        flip(image(), offset);
        EXPECT_EQ(fetch(party("ben"), artwork).value_or(Bytes()), plan.image) << offset;
        const auto seen = told();
        ASSERT_EQ(seen.size(), 1U) << offset;
        EXPECT_TRUE(seen[0].healed) << seen[0].problem;
        EXPECT_EQ(seen[0].part, "image");
        EXPECT_EQ(seen[0].artwork, artwork);
        EXPECT_EQ(contents(image()), good) << offset;
    }
}

TEST_F(HealTest, AMissingOrShortImageIsServedFromTheDuplicateAndMended) {
    const Bytes good = contents(image());
    fs::remove(image());
    EXPECT_EQ(fetch(party("ben"), artwork).value_or(Bytes()), plan.image);
    ASSERT_EQ(told().size(), 1U);
    EXPECT_EQ(contents(image()), good);
    for (const std::size_t kept : {std::size_t{0}, std::size_t{50}, good.size() - 1}) {
        fs::resize_file(image(), kept);
        EXPECT_EQ(fetch(party("ben"), artwork).value_or(Bytes()), plan.image) << kept;
        ASSERT_EQ(told().size(), 1U);
        EXPECT_EQ(contents(image()), good) << kept;
    }
}

TEST_F(HealTest, ABadDuplicateIsMendedTooWhenTheImageIsLookedAt) {
    const Bytes good = contents(image());
    flip(metadata(), 50);
    flip(other_image(), 1'000);
    const auto preview = ask_as(party("ben"), ArtworkPreviewRequest{artwork});
    ASSERT_TRUE(preview.has_value());
    EXPECT_EQ(preview->preview, plan.preview);
    EXPECT_FALSE(told().empty());
    vault.reset();  // ends with what it is at
    EXPECT_EQ(contents(other_image()), good);
}

// Anybody whom the vault admits may ask for a lost image, as often as they like.
TEST_F(HealTest, WhatNoCopyHasIsSaidOnceAndNotReadAgainForEachWhoAsks) {
    flip(image(), 100'000);
    flip(other_image(), 100'000);
    for (int i = 0; i < 5; ++i) {
        EXPECT_FALSE(fetch(party("ben"), artwork));
        if (i > 0) continue;
        std::size_t said = 0;  // of each copy
        while (said < 2) {
            const std::size_t more = told().size();
            ASSERT_GT(more, 0U);
            said += more;
        }
        EXPECT_EQ(said, 2U);
    }
    // Another work's damage is heard, so whatever had come before it would have been.
    const ArtworkId other = upload(party("ada"), plan);
    flip(directory / in_shelf("data/image_store", other), 1'000);
    EXPECT_EQ(fetch(party("ben"), other).value_or(Bytes()), plan.image);
    const auto seen = told();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].artwork, other);
}

TEST_F(HealTest, BothCopiesBadIsSaidAndNothingUnverifiedLeaves) {
    flip(image(), 100'000);
    flip(other_image(), 100'000);
    VaultSession connection = session(party("ben"));
    const auto outcome = connection.handle(ArtworkFetchRequest{artwork, 0});
    ASSERT_EQ(outcome.next, VaultSession::Outcome::Next::transmit);
    Bytes out(outcome.bulk_size);
    std::size_t got = 0;
    for (;;) {
        const auto read =
            connection.read(MutableBytes(out).subspan(got, std::min<std::size_t>(kDataBody, out.size() - got)));
        if (!read) {
            EXPECT_EQ(read.error().code, Errc::io_error);
            break;
        }
        ASSERT_GT(*read, 0U);
        got += *read;
    }
    EXPECT_LT(got, 100'000U);
    const auto seen = told();
    ASSERT_FALSE(seen.empty());
    EXPECT_FALSE(seen[0].healed);
}

TEST_F(HealTest, TwoBadCopiesServeWhatEitherHas) {
    flip(image(), 150'000);
    flip(other_image(), 20'000);
    // The first one up to its damage, then the other one, which is good from there on.
    EXPECT_EQ(fetch(party("ben"), artwork).value_or(Bytes()), plan.image);
}

}  // namespace
}  // namespace sat
