// SPDX-License-Identifier: Apache-2.0
#include "client/upload_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <set>

#include "crypto/hash.h"
#include "ledger/jws.h"
#include "support/keys.h"
#include "support/temporary.h"

namespace sat {
namespace {

class UploadStoreTest : public testing::Test {
public:
    UploadStoreTest() : store_(directory_.path()) {}

    static StatementId id(const UploadCommitRequest& commit) { return parse_jws(commit.registration).value().id; }

    TemporaryDirectory directory_;
    UploadStore store_;
    Digest name_ = sha256(as_bytes("name"));
    UploadCommitRequest mine_{sign_jws("registration", "mine", test_signing_key("artist")), std::nullopt};
    UploadCommitRequest other_{sign_jws("registration", "other", test_signing_key("artist")), Bytes(3, std::byte{1})};
};

TEST_F(UploadStoreTest, GivesBackWhatWasKeptUntilThatIsRemoved) {
    EXPECT_EQ(store_.find(name_).value(), std::nullopt);
    ASSERT_TRUE(store_.remove(name_, id(mine_)));
    ASSERT_TRUE(store_.keep(name_, other_));
    EXPECT_EQ(store_.find(name_).value(), other_);
    ASSERT_TRUE(store_.remove(name_, id(other_)));
    EXPECT_EQ(store_.find(name_).value(), std::nullopt);
}

TEST_F(UploadStoreTest, WhatAnotherRunKeepsUnderTheNameByNowStays) {
    ASSERT_TRUE(store_.keep(name_, mine_));
    ASSERT_TRUE(store_.keep(name_, other_));
    ASSERT_TRUE(store_.remove(name_, id(mine_)));
    EXPECT_EQ(store_.find(name_).value(), other_);
}

TEST_F(UploadStoreTest, ANameIsOneRunsUntilThatEnds) {
    std::optional<NameHold> mine = store_.hold(name_);
    EXPECT_EQ(mine->by, NameHold::By::this_run);
    EXPECT_EQ(store_.hold(name_).by, NameHold::By::another_run);
    EXPECT_EQ(store_.hold(sha256(as_bytes("another name"))).by, NameHold::By::this_run);
    EXPECT_EQ(store_.hold(name_).by, NameHold::By::another_run) << "whoever looked and left took nothing along";
    EXPECT_NE(fcntl(mine->lock.get(), F_GETFD) & FD_CLOEXEC, 0) << "no program that is started keeps it";
    mine.reset();
    EXPECT_EQ(store_.hold(name_).by, NameHold::By::this_run);
    EXPECT_EQ(UploadStore(directory_ / "none").hold(name_).by, NameHold::By::unknown);
}

TEST(UploadName, EachRunVaultAndVersionOfAFileHasItsOwn) {
    const Wallet vault = Wallet(sha256(as_bytes("vault")));
    struct stat file {};
    file.st_size = 1;
    std::set<std::string> names;
    for (unsigned which = 0; which < kUploadNames; ++which) names.insert(upload_name(vault, file, which).hex());
    names.insert(upload_name(Wallet(sha256(as_bytes("other"))), file, 0).hex());
    file.st_mtim.tv_nsec = 1;
    names.insert(upload_name(vault, file, 0).hex());
    EXPECT_EQ(names.size(), kUploadNames + 2);
}

}  // namespace
}  // namespace sat
