// Other people's identities: what is kept, and what a vault cannot talk us into.
// SPDX-License-Identifier: Apache-2.0
#include "client/identity_cache.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "support/keys.h"
#include "support/temporary.h"

namespace sat {
namespace {

IdentityChain user(const std::string& name, UnixTime iat = 1) {
    return make_identity(IdentityKind::user, test_signing_key(name), test_kem_key(name).public_key(), std::nullopt,
                         iat);
}

const Wallet kVault = sha256(as_bytes("vault"));
const Wallet kOtherVault = sha256(as_bytes("another vault"));

TEST(IdentityCache, KeepsWhatItTookForTheNextProcess) {
    const TemporaryDirectory home;
    const IdentityChain ada = user("ada");
    {
        IdentityCache cache(home.path());
        EXPECT_EQ(cache.find(kVault, ada.wallet()), nullptr);
        ASSERT_TRUE(cache.add(kVault, ada.wallet(), ada));
    }
    IdentityCache cache(home.path());
    const IdentityChain* found = cache.find(kVault, ada.wallet());
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->newest_id(), ada.newest_id());
}

TEST(IdentityCache, RefusesAnotherWalletsChain) {
    const TemporaryDirectory home;
    IdentityCache cache(home.path());
    EXPECT_EQ(cache.add(kVault, user("ada").wallet(), user("ben")).error().code, Errc::bad_signature);
    const IdentityChain vault = make_identity(IdentityKind::vault, test_signing_key("ada"),
                                              test_kem_key("ada").public_key(), test_log_key("ada").public_key(), 1);
    EXPECT_EQ(cache.add(kVault, vault.wallet(), vault).error().code, Errc::bad_signature) << "a vault signs no work";
}

TEST(IdentityCache, RefusesAChainThatContradictsTheKnownOne) {
    const TemporaryDirectory home;
    IdentityCache cache(home.path());
    ASSERT_TRUE(cache.add(kVault, user("ada").wallet(), user("ada", 1)));
    EXPECT_EQ(cache.add(kVault, user("ada").wallet(), user("ada", 2)).error().code, Errc::bad_signature);
    EXPECT_EQ(cache.find(kVault, user("ada").wallet())->documents().front().iat, 1);
}

TEST(IdentityCache, WhatOneVaultGaveIsNothingToAnother) {
    const TemporaryDirectory home;
    const IdentityChain shown_to_one = user("eve", 1);
    const IdentityChain shown_to_other = user("eve", 2);
    const Wallet eve = shown_to_one.wallet();
    {
        IdentityCache cache(home.path());
        ASSERT_TRUE(cache.add(kVault, eve, shown_to_one));
        EXPECT_EQ(cache.find(kOtherVault, eve), nullptr);
        ASSERT_TRUE(cache.add(kOtherVault, eve, shown_to_other));
    }
    IdentityCache cache(home.path());
    ASSERT_NE(cache.find(kVault, eve), nullptr);
    EXPECT_EQ(cache.find(kVault, eve)->newest_id(), shown_to_one.newest_id());
    ASSERT_NE(cache.find(kOtherVault, eve), nullptr);
    EXPECT_EQ(cache.find(kOtherVault, eve)->newest_id(), shown_to_other.newest_id());
}

TEST(IdentityCache, AFileOfNoVaultsIsIgnored) {
    const TemporaryDirectory home;
    const IdentityChain ada = user("ada");
    ASSERT_TRUE(make_private_directory(home / "identities"));
    const std::string text = dump_json(ada.to_json());
    const Path file = home / ("identities/" + ada.wallet().hex() + ".json");
    ASSERT_TRUE(write_file_atomically(file, as_bytes(text), AtomicFile::Existing::replace, 0600));
    EXPECT_EQ(IdentityCache(home.path()).find(kVault, ada.wallet()), nullptr);
}

TEST(IdentityCache, AFileThatWasTamperedWithIsAskedForAnew) {
    const TemporaryDirectory home;
    const IdentityChain ada = user("ada");
    ASSERT_TRUE(IdentityCache(home.path()).add(kVault, ada.wallet(), ada));
    const Path file = home / ("identities/" + kVault.hex() + "/" + ada.wallet().hex() + ".json");
    const std::string other = dump_json(user("ben").to_json());
    for (const std::string& text : {std::string("[]"), std::string("no JSON"), other}) {
        ASSERT_TRUE(write_file_atomically(file, as_bytes(text), AtomicFile::Existing::replace, 0600));
        IdentityCache cache(home.path());
        EXPECT_EQ(cache.find(kVault, ada.wallet()), nullptr) << text;
    }
}

}  // namespace
}  // namespace sat
