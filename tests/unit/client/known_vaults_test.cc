// The four cases of a vault's key, and the file that remembers them.
// SPDX-License-Identifier: Apache-2.0
#include "client/known_vaults.h"

#include <gtest/gtest.h>

#include "support/keys.h"
#include "support/temporary.h"

namespace sat {
namespace {

IdentityChain vault_chain(const std::string& name) {
    return make_identity(IdentityKind::vault, test_signing_key(name), test_kem_key(name).public_key(),
                         test_log_key(name).public_key(), 1'700'000'000);
}

// `chain` and one document more, with the keys of `next`.
IdentityChain longer(const IdentityChain& chain, const std::string& name, const std::string& next, UnixTime iat = 2) {
    IdentityDocument document = chain.documents().back();
    document.sign = test_signing_key(next).public_key();
    document.kem = test_kem_key(next).public_key();
    document.prev = chain.newest_id();
    document.seq = chain.seq() + 1;
    document.iat = iat;
    std::vector<std::string> texts = chain.texts();
    texts.push_back(sign_identity(document, test_signing_key(name)));
    return IdentityChain::from_documents(texts).value();
}

class KnownVaultsTest : public testing::Test {
public:
    KnownVaultsTest() : known_(directory_.path()) {}

    Result<Trust> judge(const KnownVault* known, const IdentityChain& offered, const TrustPolicy& policy = {}) {
        return judge_vault(known, offered, policy, address_.text());
    }
    KnownVault as_known(const IdentityChain& chain) const { return {address_.text(), chain.wallet(), chain, 1}; }

    TemporaryDirectory directory_;
    KnownVaults known_;
    Address address_{"vault.example", 7420};
    IdentityChain one_ = vault_chain("vault-one");
    IdentityChain other_ = vault_chain("vault-other");
};

TEST_F(KnownVaultsTest, AnUnknownKeyIsForAPersonToJudge) { EXPECT_EQ(judge(nullptr, one_).value(), Trust::ask); }

TEST_F(KnownVaultsTest, AnUnknownKeyIsRecordedWhereItIsThePinOrAcceptedUnseen) {
    EXPECT_EQ(judge(nullptr, one_, {one_.wallet(), false}).value(), Trust::record);
    EXPECT_EQ(judge(nullptr, one_, {std::nullopt, true}).value(), Trust::record);
}

TEST_F(KnownVaultsTest, AKeyThatIsNotThePinIsRefusedWhateverElseIsSaid) {
    const KnownVault known = as_known(one_);
    for (const KnownVault* at_hand : {static_cast<const KnownVault*>(nullptr), &known})
        for (const bool accept : {false, true})
            EXPECT_EQ(judge(at_hand, one_, {other_.wallet(), accept}).error().code, Errc::vault_key_changed);
}

TEST_F(KnownVaultsTest, AKnownKeyGoesOn) {
    const KnownVault known = as_known(one_);
    EXPECT_EQ(judge(&known, one_).value(), Trust::known);
    EXPECT_EQ(judge(&known, one_, {one_.wallet(), false}).value(), Trust::known);
}

TEST_F(KnownVaultsTest, AChangedKeyIsRefusedEvenWhereItIsPinnedOrAccepted) {
    const KnownVault known = as_known(one_);
    for (const TrustPolicy& policy :
         {TrustPolicy{}, TrustPolicy{std::nullopt, true}, TrustPolicy{other_.wallet(), true}}) {
        const auto judged = judge(&known, other_, policy);
        ASSERT_FALSE(judged);
        EXPECT_EQ(judged.error().code, Errc::vault_key_changed);
        EXPECT_NE(judged.error().message.find(fingerprint(other_.wallet())), std::string::npos);
        EXPECT_FALSE(judged.error().hint.empty());
    }
}

TEST_F(KnownVaultsTest, AChainThatGrewIsRecordedAndOneThatShrankOrForkedIsAChangedKey) {
    const IdentityChain grown = longer(one_, "vault-one", "vault-next");
    const IdentityChain forked = longer(one_, "vault-one", "vault-next", 3);
    const KnownVault at_first = as_known(one_);
    const KnownVault later = as_known(grown);
    EXPECT_EQ(judge(&at_first, grown).value(), Trust::record);
    EXPECT_EQ(judge(&later, grown).value(), Trust::known);
    EXPECT_EQ(judge(&later, one_).error().code, Errc::vault_key_changed);
    EXPECT_EQ(judge(&later, forked).error().code, Errc::vault_key_changed);
}

TEST_F(KnownVaultsTest, RemembersWhatItRecorded) {
    EXPECT_TRUE(known_.all().value().empty());
    ASSERT_TRUE(known_.record(address_, one_.wallet(), &one_, 5));
    ASSERT_TRUE(known_.record({"::1", 7421}, other_.wallet(), nullptr, 6));
    const auto all = known_.all();
    ASSERT_TRUE(all) << all.error().message;
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ((*all)[0].address, "vault.example:7420");
    EXPECT_EQ((*all)[0].chain->newest_id(), one_.newest_id());
    EXPECT_EQ((*all)[1].address, "[::1]:7421");
    EXPECT_FALSE((*all)[1].chain);
    EXPECT_EQ(known_.find({"VAULT.example", 7420}).value()->wallet, one_.wallet()) << "host names have no case";
    EXPECT_FALSE(known_.find({"vault.example", 7421}).value());
}

TEST_F(KnownVaultsTest, NeverOverwritesAPin) {
    ASSERT_TRUE(known_.record(address_, one_.wallet(), &one_, 5));
    EXPECT_EQ(known_.record(address_, other_.wallet(), &other_, 6).error().code, Errc::vault_key_changed);
    EXPECT_EQ(known_.record(address_, other_.wallet(), nullptr, 6).error().code, Errc::vault_key_changed);
    EXPECT_EQ(known_.find(address_).value()->wallet, one_.wallet());
    // A pin without a chain takes the chain, and keeps it.
    ASSERT_TRUE(known_.record({"b", 1}, other_.wallet(), nullptr, 6));
    ASSERT_TRUE(known_.record({"b", 1}, other_.wallet(), &other_, 7));
    ASSERT_TRUE(known_.record({"b", 1}, other_.wallet(), nullptr, 8));
    EXPECT_TRUE(known_.find({"b", 1}).value()->chain);
}

TEST_F(KnownVaultsTest, ADamagedOrOpenFileIsAConfigurationErrorAndNoEmptyList) {
    ASSERT_TRUE(known_.record(address_, one_.wallet(), &one_, 5));
    const Path file = directory_ / "known_vaults.json";
    std::filesystem::permissions(file, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
    EXPECT_EQ(known_.all().error().code, Errc::config);
    for (const char* text :
         {"", "{}", R"({"v":2,"vaults":[]})", R"({"v":1,"vaults":[{"address":"a"}]})", R"({"v":1,"vaults":[]}x)"}) {
        ASSERT_TRUE(write_file_atomically(file, as_bytes(text), AtomicFile::Existing::replace, 0600));
        EXPECT_EQ(known_.all().error().code, Errc::config) << text;
    }
}

TEST(Fingerprint, IsReadAsItIsPrinted) {
    const Wallet wallet = Digest::from_hex(std::string(64, 'a')).value();
    EXPECT_EQ(parse_fingerprint(fingerprint(wallet)).value(), wallet);
    for (const std::string& bad :
         {std::string(), std::string("SHA256:"), "sha256:" + std::string(64, 'a'), "SHA256:" + std::string(63, 'a'),
          "SHA256:" + std::string(65, 'a'), "SHA256:" + std::string(64, 'g'), "MD5:" + std::string(64, 'a')})
        EXPECT_EQ(parse_fingerprint(bad).error().code, Errc::bad_data) << bad;
}

}  // namespace
}  // namespace sat
