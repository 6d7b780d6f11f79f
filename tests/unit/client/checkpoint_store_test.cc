// SPDX-License-Identifier: Apache-2.0
#include "client/checkpoint_store.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "base/json.h"
#include "crypto/hash.h"
#include "support/keys.h"
#include "support/temporary.h"

namespace sat {
namespace {

class CheckpointStoreTest : public testing::Test {
public:
    CheckpointStoreTest() : store_(directory_.path()) {}

    VerifiedCheckpoint checkpoint(std::uint64_t size, const std::string& root = "root") const {
        const TreeHead head{size, sha256(as_bytes(root))};
        return {sign_checkpoint(vault_.wallet(), head, test_log_key("vault")), head};
    }
    Path file(const std::string& more = "") const {
        return directory_.path() / "checkpoints" / (vault_.wallet().hex() + more);
    }
    void write(const Path& path, const std::string& text) const {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    }

    TemporaryDirectory directory_;
    CheckpointStore store_;
    IdentityChain vault_ = make_identity(IdentityKind::vault, test_signing_key("vault"),
                                         test_kem_key("vault").public_key(), test_log_key("vault").public_key(), 1);
};

TEST_F(CheckpointStoreTest, KeepsTheNewestOfAVault) {
    EXPECT_EQ(store_.find(vault_).value(), std::nullopt);
    ASSERT_EQ(store_.keep(vault_, checkpoint(3), std::nullopt).value(), std::nullopt);
    EXPECT_EQ(store_.find(vault_).value(), checkpoint(3));
    ASSERT_EQ(store_.keep(vault_, checkpoint(5), checkpoint(3).head).value(), std::nullopt);
    EXPECT_EQ(store_.find(vault_).value(), checkpoint(5));
    // The same once more, and an older one that was compared with it.
    ASSERT_EQ(store_.keep(vault_, checkpoint(5), std::nullopt).value(), std::nullopt);
    ASSERT_EQ(store_.keep(vault_, checkpoint(4), checkpoint(5).head).value(), std::nullopt);
    EXPECT_EQ(store_.find(vault_).value(), checkpoint(5));
}

TEST_F(CheckpointStoreTest, GivesBackWhatAnotherProcessFiledInstead) {
    ASSERT_TRUE(store_.keep(vault_, checkpoint(7), std::nullopt));
    for (const auto& fresh : {checkpoint(9), checkpoint(6), checkpoint(7, "another root")}) {
        EXPECT_EQ(store_.keep(vault_, fresh, std::nullopt).value(), checkpoint(7));
        EXPECT_EQ(store_.keep(vault_, fresh, checkpoint(5).head).value(), checkpoint(7));
    }
    EXPECT_EQ(store_.find(vault_).value(), checkpoint(7));
}

TEST_F(CheckpointStoreTest, ReadsANoteOfTheVaultsAlone) {
    ASSERT_TRUE(store_.keep(vault_, checkpoint(7), std::nullopt));
    const TreeHead head{8, sha256(as_bytes("root"))};
    for (const std::string& wrong : {std::string(), std::string("no note"), std::string(kMaxNote + 1, 'x'),
                                     sign_checkpoint(vault_.wallet(), head, test_log_key("other")),
                                     sign_checkpoint(sha256(ByteView()), head, test_log_key("vault"))}) {
        write(file(), wrong);
        const auto found = store_.find(vault_);
        ASSERT_FALSE(found) << wrong;
        EXPECT_EQ(found.error().code, Errc::config);
        EXPECT_NE(found.error().message.find(file().string()), std::string::npos);
    }
}

TEST_F(CheckpointStoreTest, EvidenceStopsEverythingUntilItIsRemoved) {
    EXPECT_TRUE(store_.require_no_evidence(vault_.wallet()));
    const Error error = store_.keep_evidence(vault_.wallet(), "ours", "theirs");
    EXPECT_EQ(error.code, Errc::checkpoint_inconsistent);
    const auto refused = store_.require_no_evidence(vault_.wallet());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::checkpoint_inconsistent);
    for (const char* which : {".fork-kept", ".fork-shown"})
        EXPECT_NE(refused.error().hint.find(file(which).string()), std::string::npos);
    EXPECT_EQ(to_string(read_file(file(".fork-kept"), 100).value()), "ours");
    EXPECT_EQ(to_string(read_file(file(".fork-shown"), 100).value()), "theirs");
    // The first evidence stays; another vault is another matter.
    (void)store_.keep_evidence(vault_.wallet(), "later", "later");
    EXPECT_EQ(to_string(read_file(file(".fork-kept"), 100).value()), "ours");
    EXPECT_TRUE(store_.require_no_evidence(sha256(ByteView())));
    std::filesystem::remove(file(".fork-kept"));
    EXPECT_FALSE(store_.require_no_evidence(vault_.wallet()));
    std::filesystem::remove(file(".fork-shown"));
    EXPECT_TRUE(store_.require_no_evidence(vault_.wallet()));
}

TEST_F(CheckpointStoreTest, EvidenceThatACrashLeftHalfDoneIsFinishedByWhoeverComesNext) {
    const auto crash = [&](bool one_moved) {
        std::filesystem::remove_all(directory_.path() / "checkpoints");
        (void)store_.keep_evidence(vault_.wallet(), "ours", "theirs");
        std::filesystem::create_directory(file(".fork"));
        std::filesystem::permissions(file(".fork"), std::filesystem::perms::owner_all);
        for (const char* which : {".fork-kept", ".fork-shown"}) {
            std::filesystem::rename(file(which), file(".fork") / file(which).filename());
            if (one_moved) return;
        }
    };
    for (const bool one_moved : {false, true}) {
        const std::vector<std::function<Errc()>> next = {
            [&] { return store_.require_no_evidence(vault_.wallet()).error().code; },
            [&] { return store_.keep(vault_, checkpoint(5), std::nullopt).error().code; },
            [&] { return store_.keep_evidence(vault_.wallet(), "later", "later").code; },
        };
        for (const auto& come : next) {
            crash(one_moved);
            EXPECT_EQ(come(), Errc::checkpoint_inconsistent);
            EXPECT_EQ(to_string(read_file(file(".fork-kept"), 100).value()), "ours");
            EXPECT_EQ(to_string(read_file(file(".fork-shown"), 100).value()), "theirs");
            EXPECT_FALSE(std::filesystem::exists(file(".fork")));
        }
    }
}

TEST_F(CheckpointStoreTest, NothingIsKeptOnceThereIsEvidence) {
    ASSERT_TRUE(store_.keep(vault_, checkpoint(3), std::nullopt));
    (void)store_.keep_evidence(vault_.wallet(), "ours", "theirs");
    const auto refused = store_.keep(vault_, checkpoint(5), checkpoint(3).head);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::checkpoint_inconsistent);
    EXPECT_EQ(store_.find(vault_).value(), checkpoint(3));
}

TEST_F(CheckpointStoreTest, WithoutTheLockNoEvidenceIsWritten) {
    std::filesystem::create_directories(directory_.path() / "checkpoints" / "lock");
    std::filesystem::permissions(directory_.path() / "checkpoints", std::filesystem::perms::owner_all);
    const Error error = store_.keep_evidence(vault_.wallet(), "ours", "theirs");
    EXPECT_EQ(error.code, Errc::checkpoint_inconsistent);
    EXPECT_NE(error.message.find("could not be kept"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(file(".fork-kept")));
    EXPECT_FALSE(std::filesystem::exists(file(".fork-shown")));
}

TEST_F(CheckpointStoreTest, WhatWasNotProvedWaitsUntilItIs) {
    EXPECT_TRUE(store_.find_unproved(vault_).value().empty());
    ASSERT_TRUE(store_.add_unproved(vault_, checkpoint(5)));
    ASSERT_TRUE(store_.add_unproved(vault_, checkpoint(5)));
    ASSERT_TRUE(store_.add_unproved(vault_, checkpoint(5, "another root")));
    ASSERT_TRUE(store_.add_unproved(vault_, checkpoint(4)));
    EXPECT_EQ(store_.find_unproved(vault_).value(),
              (std::vector{checkpoint(5), checkpoint(5, "another root"), checkpoint(4)}));
    EXPECT_EQ(store_.find(vault_).value(), std::nullopt) << "it is not what is believed";
    for (const auto& proved : {checkpoint(5), checkpoint(9), checkpoint(4)})
        ASSERT_TRUE(store_.remove_unproved(vault_, proved));
    EXPECT_EQ(store_.find_unproved(vault_).value(), std::vector{checkpoint(5, "another root")});
    ASSERT_TRUE(store_.remove_unproved(vault_, checkpoint(5, "another root")));
    EXPECT_FALSE(std::filesystem::exists(file(".unproved")));
    ASSERT_TRUE(store_.remove_unproved(vault_, checkpoint(5)));
}

TEST_F(CheckpointStoreTest, SoManyUnprovedAndNoMore) {
    for (std::uint64_t size = 1; size <= CheckpointStore::kMaxUnproved; ++size)
        ASSERT_TRUE(store_.add_unproved(vault_, checkpoint(size)));
    EXPECT_EQ(store_.add_unproved(vault_, checkpoint(99)).error().code, Errc::too_large);
    EXPECT_TRUE(store_.add_unproved(vault_, checkpoint(1)));
    EXPECT_EQ(store_.find_unproved(vault_).value().size(), CheckpointStore::kMaxUnproved);
}

TEST_F(CheckpointStoreTest, UnprovedNotesAreTheVaultsAlone) {
    ASSERT_TRUE(store_.add_unproved(vault_, checkpoint(1)));
    const TreeHead head{8, sha256(as_bytes("root"))};
    const std::string others = sign_checkpoint(vault_.wallet(), head, test_log_key("other"));
    for (const std::string& wrong : {std::string(), std::string("{}"), std::string("[1]"), std::string("[\"x\"]"),
                                     dump_json(Json::array({others}))}) {
        write(file(".unproved"), wrong);
        const auto found = store_.find_unproved(vault_);
        ASSERT_FALSE(found) << wrong;
        EXPECT_EQ(found.error().code, Errc::config);
    }
}

TEST_F(CheckpointStoreTest, EvidenceThatCannotBeKeptIsStillAnError) {
    write(directory_.path() / "checkpoints", "a file in the directory's place");
    const Error error = store_.keep_evidence(vault_.wallet(), "ours", "theirs");
    EXPECT_EQ(error.code, Errc::checkpoint_inconsistent);
    EXPECT_NE(error.message.find("could not be kept"), std::string::npos);
}

}  // namespace
}  // namespace sat
