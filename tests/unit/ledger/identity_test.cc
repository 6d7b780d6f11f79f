// SPDX-License-Identifier: Apache-2.0
#include "ledger/identity.h"

#include <gtest/gtest.h>

#include <functional>

#include "ledger/jws.h"
#include "ledger/vkey.h"
#include "support/keys.h"

namespace sat {
namespace {

const SigningKey& sign_0() { return test_signing_key("alice"); }
const SigningKey& sign_1() { return test_signing_key("bob"); }
const KemPublicKey& kem_0() { return test_kem_key("alice").public_key(); }
const KemPublicKey& kem_1() { return test_kem_key("bob").public_key(); }
const LogVerifyKey& log_0() { return test_log_key("vault").public_key(); }

constexpr UnixTime kNow = 1790000000;

IdentityChain user() { return make_identity(IdentityKind::user, sign_0(), kem_0(), std::nullopt, kNow); }
IdentityChain vault() { return make_identity(IdentityKind::vault, sign_0(), kem_0(), log_0(), kNow); }

// The document after `chain`'s newest, with new keys; `change` makes it wrong.
std::string next_document(
    const IdentityChain& chain, const SigningKey& signer,
    const std::function<void(IdentityDocument&)>& change = [](IdentityDocument&) {}) {
    IdentityDocument document = chain.documents().back();
    document.sign = (document.seq % 2 == 0 ? sign_1() : sign_0()).public_key();
    document.kem = document.seq % 2 == 0 ? kem_1() : kem_0();
    document.seq += 1;
    document.prev = chain.newest_id();
    document.iat += 100;
    change(document);
    return sign_identity(document, signer);
}

Result<IdentityChain> with_next(const IdentityChain& chain, const std::string& next) {
    std::vector<std::string> texts = chain.texts();
    texts.push_back(next);
    return IdentityChain::from_documents(texts);
}

IdentityChain rotated(const IdentityChain& chain) {
    return with_next(chain, next_document(chain, chain.seq() % 2 == 0 ? sign_0() : sign_1())).value();
}

// A document 0 of sign_0's, its payload edited.
Errc code_with(const std::function<void(Json&)>& edit) {
    Json json = parse_json(parse_jws(vault().texts()[0])->payload).value();
    edit(json);
    const std::vector<std::string> texts{sign_jws("identity", json.dump(), sign_0())};
    const auto chain = IdentityChain::from_documents(texts);
    return chain ? Errc{} : chain.error().code;
}

TEST(Identity, AWalletIsTheFirstSigningKeysId) {
    EXPECT_EQ(user().wallet(), sign_0().public_key().id());
    EXPECT_EQ(user().fingerprint(), "SHA256:" + sign_0().public_key().id().hex());
    EXPECT_EQ(user().kind(), IdentityKind::user);
    EXPECT_EQ(user().seq(), 0U);
    EXPECT_FALSE(user().log_key());
    EXPECT_EQ(vault().log_key()->raw(), log_0().raw());
    EXPECT_TRUE(user().check_keys());
}

TEST(Identity, IsExtendedByItsNewestKeyUntilItIsFull) {
    for (IdentityChain chain : {user(), vault()}) {
        const SigningKey* signer = &sign_0();
        while (can_extend(chain)) {
            const bool even = chain.seq() % 2 == 0;
            const SigningKey& next = even ? sign_1() : sign_0();
            const auto longer =
                extend_identity(chain, *signer, next.public_key(), even ? kem_1() : kem_0(), kNow + chain.seq());
            ASSERT_TRUE(longer) << longer.error().message;
            EXPECT_EQ(compare_chains(chain, *longer), ChainOrder::newer);
            EXPECT_EQ(longer->wallet(), chain.wallet());
            EXPECT_EQ(longer->log_key().has_value(), chain.log_key().has_value());
            chain = *longer;
            signer = &next;
        }
        EXPECT_EQ(chain.documents().size(), kMaxChainDocuments);
        EXPECT_EQ(extend_identity(chain, *signer, sign_0().public_key(), kem_0(), kNow).error().code, Errc::forbidden);
    }
}

TEST(Identity, EncodesToWhatParsedInBinaryAndInJson) {
    for (const IdentityChain& chain : {user(), vault(), rotated(user()), rotated(rotated(rotated(vault())))}) {
        const Bytes bytes = chain.encode();
        const auto parsed = IdentityChain::parse(bytes);
        ASSERT_TRUE(parsed);
        EXPECT_EQ(parsed->encode(), bytes);
        EXPECT_EQ(IdentityChain::from_json(chain.to_json())->encode(), bytes);
        EXPECT_EQ(parsed->ids(), chain.ids());
        EXPECT_LE(bytes.size(), 16384U);
    }
}

TEST(Identity, ReadLeavesWhatStandsBehindTheChain) {
    Bytes bytes = user().encode();
    append(bytes, as_bytes("more"));
    ByteReader in(bytes);
    EXPECT_TRUE(IdentityChain::read(in));
    EXPECT_EQ(in.remaining(), 4U);
    EXPECT_EQ(IdentityChain::parse(bytes).error().code, Errc::bad_statement);
}

TEST(Identity, EveryTruncationIsRefused) {
    const Bytes bytes = user().encode();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto parsed = IdentityChain::parse(ByteView(bytes).first(size));
        ASSERT_FALSE(parsed) << size;
        EXPECT_EQ(parsed.error().code, Errc::bad_statement);
    }
}

TEST(Identity, EveryFlippedBitIsRefused) {
    const std::string text = user().texts()[0];
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::vector<std::string> texts{text};
        texts[0][at] = static_cast<char>(texts[0][at] ^ 1);
        EXPECT_FALSE(IdentityChain::from_documents(texts)) << at;
    }
}

TEST(Identity, HasOneToFourDocuments) {
    EXPECT_FALSE(IdentityChain::from_documents({}));
    EXPECT_FALSE(IdentityChain::parse(Bytes{std::byte{0}}));
    EXPECT_FALSE(IdentityChain::from_json(Json::array()));
    EXPECT_FALSE(IdentityChain::from_json(Json("text")));
    EXPECT_FALSE(IdentityChain::from_json(Json::array({1})));
    const IdentityChain four = rotated(rotated(rotated(user())));
    EXPECT_EQ(four.seq(), 3U);
    EXPECT_FALSE(with_next(four, four.texts().back()));
}

TEST(Identity, RefusesMembersThatAreMissingUnknownOrOutOfPlace) {
    EXPECT_EQ(code_with([](Json&) {}), Errc{});
    for (const char* name : {"v", "wallet", "kind", "sign", "kem", "log", "seq", "prev", "iat"})
        EXPECT_EQ(code_with([&](Json& json) { json.erase(name); }), Errc::bad_statement) << name;
    EXPECT_EQ(code_with([](Json& json) { json["name"] = "Alice"; }), Errc::bad_statement);
    EXPECT_EQ(code_with([](Json& json) { json["v"] = 2; }), Errc::bad_statement);
    EXPECT_EQ(code_with([](Json& json) { json["wallet"] = kem_0().id().hex(); }), Errc::bad_statement);
    EXPECT_EQ(code_with([](Json& json) { json["kind"] = "user"; }), Errc::bad_statement);
    EXPECT_EQ(code_with([](Json& json) { json["kind"] = "admin"; }), Errc::bad_statement);
    EXPECT_EQ(code_with([](Json& json) { json["log"] = nullptr; }), Errc::bad_statement);
    EXPECT_EQ(code_with([](Json& json) { json["seq"] = 1; }), Errc::bad_statement);
    EXPECT_EQ(code_with([](Json& json) { json["prev"] = std::string(64, '0'); }), Errc::bad_statement);
    EXPECT_EQ(code_with([](Json& json) { json["iat"] = -1; }), Errc::bad_statement);
    EXPECT_EQ(code_with([](Json& json) { json["iat"] = "now"; }), Errc::bad_statement);
    EXPECT_EQ(code_with([](Json& json) { json["log"] = encode_vkey("sat-vault/x", log_0()); }), Errc::bad_statement);
}

TEST(Identity, RefusesKeysOutsideThePolicyAndOneKeyInTwoRoles) {
    EXPECT_EQ(code_with([](Json& json) { json["kem"] = "AAAA"; }), Errc::key_policy);
    EXPECT_EQ(code_with([](Json& json) { json["kem"] = json["sign"]; }), Errc::key_policy);
    EXPECT_EQ(code_with([](Json& json) { json["sign"] = to_base64url(sign_1().public_key().spki()); }),
              Errc::bad_statement);  // the wallet is another key's
    // Also across documents: what signed once never wraps.
    const IdentityChain chain = user();
    const auto crossed = with_next(chain, next_document(chain, sign_0(), [](IdentityDocument& document) {
                                       document.kem = KemPublicKey::from_spki(sign_0().public_key().spki()).value();
                                   }));
    EXPECT_EQ(crossed.error().code, Errc::key_policy);
}

TEST(Identity, IsSignedByItsOwnKeyThenByTheOneBefore) {
    const IdentityChain first = user();
    Json json = parse_json(parse_jws(first.texts()[0])->payload).value();
    const std::vector<std::string> foreign{sign_jws("identity", json.dump(), sign_1())};
    EXPECT_EQ(IdentityChain::from_documents(foreign).error().code, Errc::bad_signature);
    const std::vector<std::string> other_type{sign_jws("claim", json.dump(), sign_0())};
    EXPECT_EQ(IdentityChain::from_documents(other_type).error().code, Errc::bad_statement);

    EXPECT_TRUE(with_next(first, next_document(first, sign_0())));
    EXPECT_EQ(with_next(first, next_document(first, sign_1())).error().code, Errc::bad_signature);
    const auto wrong = [&](const std::function<void(IdentityDocument&)>& change) {
        const auto chain = with_next(first, next_document(first, sign_0(), change));
        return chain ? Errc{} : chain.error().code;
    };
    EXPECT_EQ(wrong([](IdentityDocument& d) { d.seq = 2; }), Errc::bad_statement);
    EXPECT_EQ(wrong([](IdentityDocument& d) { d.prev = Digest{}; }), Errc::bad_statement);
    EXPECT_EQ(wrong([](IdentityDocument& d) { d.prev.reset(); }), Errc::bad_statement);
    EXPECT_EQ(wrong([](IdentityDocument& d) { d.wallet = d.sign.id(); }), Errc::bad_statement);
    EXPECT_EQ(wrong([](IdentityDocument& d) {
                  d.kind = IdentityKind::vault;
                  d.log = log_0();
              }),
              Errc::bad_statement);
}

// Whoever has `sign` alone is not the ledger's voice: every checkpoint and receipt hangs on the first document's `log`.
TEST(Identity, AVaultsLogKeyNeverChanges) {
    for (IdentityChain chain : {vault(), rotated(vault())}) {
        const SigningKey& signer = chain.seq() % 2 == 0 ? sign_0() : sign_1();
        const auto other = [](IdentityDocument& document) { document.log = test_log_key("thief").public_key(); };
        const auto changed = with_next(chain, next_document(chain, signer, other));
        ASSERT_FALSE(changed) << chain.seq();
        EXPECT_EQ(changed.error().code, Errc::bad_statement);
        EXPECT_TRUE(with_next(chain, next_document(chain, signer)));
    }
}

TEST(Identity, OldSignaturesStayGoodAndSecretsGoToTheNewestKey) {
    const IdentityChain chain = rotated(user());
    EXPECT_EQ(chain.wallet(), sign_0().public_key().id());
    EXPECT_EQ(chain.sign_key().id(), sign_1().public_key().id());
    EXPECT_EQ(chain.kem_key().id(), kem_1().id());
    EXPECT_NE(chain.find_sign_key(sign_0().public_key().id()), nullptr);
    EXPECT_NE(chain.find_sign_key(sign_1().public_key().id()), nullptr);
    EXPECT_EQ(chain.find_sign_key(kem_0().id()), nullptr);
    EXPECT_NE(vault().find_log_key(log_0().id()), nullptr);
    EXPECT_EQ(vault().find_log_key(sign_0().public_key().id()), nullptr);
}

TEST(CompareChains, TellsNewerFromRolledBackAndForked) {
    const IdentityChain one = user();
    const IdentityChain two = rotated(one);
    const IdentityChain three = rotated(two);
    EXPECT_EQ(compare_chains(one, one), ChainOrder::same);
    EXPECT_EQ(compare_chains(one, two), ChainOrder::newer);
    EXPECT_EQ(compare_chains(one, three), ChainOrder::newer);
    EXPECT_EQ(compare_chains(two, one), ChainOrder::rolled_back);
    EXPECT_EQ(compare_chains(three, two), ChainOrder::rolled_back);
    // Signed afresh, PSS gives another signature; the document is the same.
    EXPECT_EQ(compare_chains(one, user()), ChainOrder::same);
    const IdentityChain forged = make_identity(IdentityKind::user, sign_0(), kem_1(), std::nullopt, kNow);
    EXPECT_EQ(compare_chains(one, forged), ChainOrder::other);
    const IdentityChain fork =
        with_next(one, next_document(one, sign_0(), [](IdentityDocument& d) { d.iat += 1; })).value();
    EXPECT_EQ(compare_chains(two, fork), ChainOrder::other);
    EXPECT_EQ(compare_chains(fork, three), ChainOrder::other);
    const IdentityChain stranger = make_identity(IdentityKind::user, sign_1(), kem_1(), std::nullopt, kNow);
    EXPECT_EQ(compare_chains(one, stranger), ChainOrder::other);
}

}  // namespace
}  // namespace sat
