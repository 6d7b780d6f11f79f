// SPDX-License-Identifier: Apache-2.0
#include "ledger/statement.h"

#include <gtest/gtest.h>

#include <functional>

#include "unit/ledger/ledger_scene.h"

namespace sat {
namespace {

const ArtworkId kArtwork = ArtworkId::generate();

Claim some_claim() {
    auto body = said_by<Claim>(person("bob"));
    body.artwork = kArtwork;
    body.head = named("head");
    body.seq = 4;
    body.owner = person("alice").wallet();
    body.exp = kSceneTime + 1000;
    body.text_commit = named("text");
    return body;
}
Answer some_answer() {
    auto body = said_by<Answer>(person("alice"));
    body.artwork = kArtwork;
    body.head = named("head");
    body.claim = named("claim");
    body.to = person("bob").wallet();
    body.yes = true;
    body.exp = kSceneTime + 100;
    return body;
}
Accept some_accept() {
    auto body = said_by<Accept>(person("bob"));
    body.artwork = kArtwork;
    body.claim = named("claim");
    body.answer = named("answer");
    body.metadata_commit = named("metadata");
    return body;
}
Withdraw some_withdraw() {
    auto body = said_by<Withdraw>(person("bob"));
    body.artwork = kArtwork;
    body.claim = named("claim");
    return body;
}
template <typename T>
T some_hold() {
    auto body = said_by_vault<T>();
    body.artwork = kArtwork;
    body.on = named("head");
    body.reason = "a question of title";
    return body;
}
Head some_head() {
    auto body = said_by_vault<Head>();
    body.artwork = kArtwork;
    body.owner = person("bob").wallet();
    body.leaves = 3;
    body.tree = {12, named("root")};
    return body;
}
Receipt some_receipt() {
    auto body = said_by_vault<Receipt>();
    body.of = named("registration");
    body.copies = 2;
    body.leaf = named("leaf");
    return body;
}

template <SignedByPerson T>
std::string signed_text(const T& body, const Person& who) {
    return sign(body, who.key);
}
template <SignedByVault T>
std::string signed_text(const T& body, const VaultParty& vault) {
    return sign(body, vault.log);
}

// Round trip, the right signer, a wrong one, and every flipped bit.
template <typename T>
void expect_sound(const T& body, const auto& signer, const IdentityChain& stranger) {
    SCOPED_TRACE(T::kType);
    const std::string text = signed_text(body, signer);
    const auto statement = parse_statement<T>(text);
    ASSERT_TRUE(statement) << statement.error().message;
    EXPECT_EQ(statement->body, body);
    EXPECT_EQ(statement->jws, text);
    EXPECT_EQ(statement->id, parse_jws(text)->id);
    EXPECT_TRUE(verify(*statement, signer.chain));
    EXPECT_EQ(verify(*statement, stranger).error().code, Errc::bad_signature);
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string wrong = text;
        wrong[at] = static_cast<char>(wrong[at] ^ 1);
        const auto result = parse_and_verify<T>(wrong, signer.chain);
        ASSERT_FALSE(result) << at;
        EXPECT_TRUE(result.error().code == Errc::bad_statement || result.error().code == Errc::bad_signature);
    }
}

TEST(Statement, EveryTypeRoundTripsAndNoFlippedBitVerifies) {
    const Person& alice = person("alice");
    const Person& bob = person("bob");
    const VaultParty& vault = vault_party();
    expect_sound(registration_of(kArtwork), alice, bob.chain);
    expect_sound(some_claim(), bob, alice.chain);
    expect_sound(some_answer(), alice, bob.chain);
    expect_sound(some_accept(), bob, alice.chain);
    expect_sound(some_withdraw(), bob, alice.chain);
    expect_sound(some_hold<Hold>(), vault, alice.chain);
    expect_sound(some_hold<Release>(), vault, alice.chain);
    expect_sound(some_head(), vault, alice.chain);
    expect_sound(some_receipt(), vault, alice.chain);
}

TEST(Statement, OptionalMembersRoundTripAsNull) {
    Registration registration = registration_of(kArtwork);
    registration.preview.reset();
    registration.creation_date.clear();
    registration.description.clear();
    registration.artist.clear();
    registration.release = ReleasePolicy::preview;
    registration.seen = TreeHead{5, named("root")};
    EXPECT_EQ(parsed<Registration>(sign(registration, person("alice").key)).body, registration);
    Answer no = some_answer();
    no.yes = false;
    no.exp.reset();
    no.text_commit = named("reason");
    EXPECT_EQ(parsed<Answer>(sign(no, person("alice").key)).body, no);
}

TEST(Statement, MembersAreWrittenInTheDocumentsOrder) {
    const auto keys = [](const std::string& jws) {
        std::string out;
        const Json payload = parse_json(parse_jws(jws)->payload).value();
        for (const auto& [key, value] : payload.items()) out += key + " ";
        return out;
    };
    const std::string common = "v iss vault nonce iat seen ";
    EXPECT_EQ(keys(sign(registration_of(kArtwork), person("alice").key)),
              common +
                  "artwork title description artist creation_date file_path media_type bytes width height sha256 "
                  "release preview ");
    EXPECT_EQ(keys(sign(some_claim(), person("bob").key)), common + "artwork head seq owner exp text_commit ");
    EXPECT_EQ(keys(sign(some_answer(), person("alice").key)),
              common + "artwork head seq claim to answer exp text_commit ");
    EXPECT_EQ(keys(sign(some_accept(), person("bob").key)), common + "artwork head seq claim answer metadata_commit ");
    EXPECT_EQ(keys(sign(some_withdraw(), person("bob").key)), common + "artwork claim ");
    EXPECT_EQ(keys(sign(some_hold<Hold>(), vault_party().log)), common + "artwork on reason ");
    EXPECT_EQ(keys(sign(some_hold<Release>(), vault_party().log)), common + "artwork on reason ");
    EXPECT_EQ(keys(sign(some_head(), vault_party().log)), common + "artwork head seq owner leaves size root ");
    EXPECT_EQ(keys(sign(some_receipt(), vault_party().log)), common + "of status copies leaf ");
}

// A statement of `body`'s with its JSON edited, signed anew: whether it still parses.
template <typename T>
bool takes(const T& body, const std::function<void(Json&)>& edit) {
    const auto resign = [&](const std::string& text, const auto& key) {
        Json json = parse_json(parse_jws(text)->payload).value();
        edit(json);
        return parse_statement<T>(sign_jws(T::kType, json.dump(), key));
    };
    const auto result = [&] {
        if constexpr (SignedByVault<T>)
            return resign(sign(body, vault_party().log), vault_party().log);
        else
            return resign(sign(body, person("alice").key), person("alice").key);
    }();
    if (!result) {
        EXPECT_EQ(result.error().code, Errc::bad_statement);
    }
    return result.has_value();
}
template <typename T>
bool takes(const T& body, const char* member, const Json& value) {
    return takes(body, [&](Json& json) { json[member] = value; });
}

template <typename T>
void expect_exact_members(const T& body) {
    SCOPED_TRACE(T::kType);
    EXPECT_TRUE(takes(body, [](Json&) {}));
    std::vector<std::string> names;
    EXPECT_TRUE(takes(body, [&](Json& json) {
        for (const auto& [key, value] : json.items()) names.push_back(key);
    }));
    for (const std::string& name : names) {
        EXPECT_FALSE(takes(body, [&](Json& json) { json.erase(name); })) << name;
        EXPECT_FALSE(takes(body, name.c_str(), Json::array())) << name;
        EXPECT_FALSE(takes(body, name.c_str(), 1.5)) << name;
    }
    EXPECT_FALSE(takes(body, "more", 1));
    EXPECT_TRUE(takes(body, [](Json& json) {  // any order
        Json reversed = Json::object();
        std::vector<std::pair<std::string, Json>> items;
        for (const auto& [key, value] : json.items()) items.emplace_back(key, value);
        for (auto item = items.rbegin(); item != items.rend(); ++item) reversed[item->first] = item->second;
        json = reversed;
    }));
}

TEST(Statement, HasExactlyItsMembersInAnyOrder) {
    expect_exact_members(registration_of(kArtwork));
    expect_exact_members(some_claim());
    expect_exact_members(some_answer());
    expect_exact_members(some_accept());
    expect_exact_members(some_withdraw());
    expect_exact_members(some_hold<Hold>());
    expect_exact_members(some_hold<Release>());
    expect_exact_members(some_head());
    expect_exact_members(some_receipt());
}

TEST(Statement, RefusesADuplicateMember) {
    const std::string text = sign(some_withdraw(), person("bob").key);
    std::string payload = parse_jws(text)->payload;
    payload.insert(1, R"("v":1,)");
    EXPECT_FALSE(parse_statement<Withdraw>(sign_jws("withdraw", payload, person("bob").key)));
    EXPECT_FALSE(parse_statement<Withdraw>(sign_jws("withdraw", "", person("bob").key)));
    EXPECT_FALSE(parse_statement<Withdraw>(sign_jws("withdraw", "[]", person("bob").key)));
    EXPECT_FALSE(parse_statement<Withdraw>(sign_jws("withdraw", "{", person("bob").key)));
}

TEST(Statement, CommonMembersHoldTheirLimits) {
    const Withdraw body = some_withdraw();
    EXPECT_FALSE(takes(body, "v", 2));
    EXPECT_FALSE(takes(body, "iss", "00"));
    EXPECT_FALSE(takes(body, "nonce", to_base64url(Bytes(15))));
    EXPECT_FALSE(takes(body, "nonce", to_base64url(Bytes(17))));
    EXPECT_FALSE(takes(body, "iat", -1));
    EXPECT_TRUE(takes(body, "iat", 0));
    EXPECT_TRUE(takes(body, "seen", Json{{"size", 0}, {"root", named("root").hex()}}));
    EXPECT_FALSE(takes(body, "seen", Json{{"size", -1}, {"root", named("root").hex()}}));
    EXPECT_FALSE(takes(body, "seen", Json{{"size", 0}}));
    EXPECT_FALSE(takes(body, "seen", Json{{"size", 0}, {"root", named("root").hex()}, {"more", 1}}));
    EXPECT_FALSE(takes(body, "seen", Json::object()));
    EXPECT_FALSE(takes(body, "artwork", "0000000001"));
    EXPECT_TRUE(takes(body, "artwork", "000000001Y"));
    EXPECT_FALSE(takes(body, "artwork", "000000001y"));
}

std::string times(std::size_t count, const std::string& what) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += what;
    return out;
}

TEST(Registration, HoldsItsLimits) {
    const Registration body = registration_of(kArtwork);
    const std::string wide = "\xF0\x9F\x9A\xA3";  // one code point
    EXPECT_FALSE(takes(body, "title", ""));
    for (const char* name : {"title", "artist"}) {
        EXPECT_TRUE(takes(body, name, times(kMaxTitle, wide)));
        EXPECT_FALSE(takes(body, name, times(kMaxTitle + 1, "a")));
    }
    EXPECT_TRUE(takes(body, "artist", ""));
    EXPECT_TRUE(takes(body, "description", times(kMaxDescription, wide)));
    EXPECT_FALSE(takes(body, "description", times(kMaxDescription + 1, "a")));
    for (const char* date : {"", "0000", "2026", "2026-02", "2024-02-29"})
        EXPECT_TRUE(takes(body, "creation_date", date)) << date;
    for (const char* date : {"26", "2026-13", "2026-00", "2026-2-1", "2026-02-29", "2026-02-28T00", " 2026", "2026/02"})
        EXPECT_FALSE(takes(body, "creation_date", date)) << date;
    EXPECT_TRUE(takes(body, "file_path", times(255, "a")));
    for (const std::string& path : {std::string(), std::string("."), std::string(".."), std::string("a/b"),
                                    std::string("/"), std::string("a\0b", 3), times(256, "a"), times(64, wide)})
        EXPECT_FALSE(takes(body, "file_path", path)) << path;
    for (const char* type : {"image/jpeg", "image/png", "image/tiff", "image/webp", "image/gif", "image/avif"})
        EXPECT_TRUE(takes(body, "media_type", type));
    for (const char* type : {"", "image/heic", "image/svg+xml", "IMAGE/PNG", "image/png;q=1"})
        EXPECT_FALSE(takes(body, "media_type", type));
    EXPECT_FALSE(takes(body, "bytes", 0));
    EXPECT_TRUE(takes(body, "bytes", std::int64_t{1} << 52));
    EXPECT_FALSE(takes(body, "bytes", (std::int64_t{1} << 52) + 1));
    for (const char* name : {"width", "height"}) {
        EXPECT_FALSE(takes(body, name, 0));
        EXPECT_TRUE(takes(body, name, kMaxPixels));
        EXPECT_FALSE(takes(body, name, kMaxPixels + 1));
    }
    EXPECT_FALSE(takes(body, "release", "none"));
    const auto preview = [&](const Json& bytes, const char* type) {
        return takes(body, "preview", Json{{"sha256", named("p").hex()}, {"bytes", bytes}, {"media_type", type}});
    };
    EXPECT_TRUE(preview(1, "image/jpeg"));
    EXPECT_TRUE(preview(65536, "image/jpeg"));
    EXPECT_FALSE(preview(0, "image/jpeg"));
    EXPECT_FALSE(preview(65537, "image/jpeg"));
    EXPECT_FALSE(preview(1, "image/png"));
    EXPECT_TRUE(takes(body, "preview", nullptr));
    EXPECT_FALSE(takes(body, "preview", Json::object()));
}

TEST(Registration, FitsWithEveryTextAtItsLimit) {
    Registration body = registration_of(kArtwork);
    body.title = times(kMaxTitle, "\x01");  // a control character is written with six
    body.artist = times(kMaxArtist, "\x01");
    body.description = times(kMaxDescription, "\x01");
    body.file_path = times(kMaxFilePath, "\x01");
    EXPECT_TRUE(parse_statement<Registration>(sign(body, person("alice").key)));
}

TEST(CheckLimits, NamesTheMemberThatAPersonGotWrong) {
    Registration body = registration_of(kArtwork);
    EXPECT_TRUE(check_limits(body));
    body.title = times(kMaxTitle + 1, "a");
    EXPECT_EQ(check_limits(body).error().code, Errc::bad_statement);
    EXPECT_NE(check_limits(body).error().message.find("title"), std::string::npos);
    body.title = "\xff";
    EXPECT_NE(check_limits(body).error().message.find("title"), std::string::npos);
    body = registration_of(kArtwork);
    body.bytes = ~std::uint64_t{0};
    EXPECT_FALSE(check_limits(body));
}

TEST(OtherStatements, HoldTheirLimits) {
    EXPECT_FALSE(takes(some_claim(), "seq", -1));
    EXPECT_FALSE(takes(some_claim(), "owner", nullptr));
    EXPECT_FALSE(takes(some_claim(), "exp", nullptr));
    EXPECT_TRUE(takes(some_claim(), "text_commit", nullptr));
    EXPECT_FALSE(takes(some_answer(), "answer", "maybe"));
    EXPECT_FALSE(takes(some_answer(), "answer", true));
    EXPECT_FALSE(takes(some_answer(), "answer", "no"));  // with an exp
    EXPECT_FALSE(takes(some_answer(), "exp", nullptr));  // of a yes
    EXPECT_FALSE(takes(some_accept(), "metadata_commit", nullptr));
    EXPECT_FALSE(takes(some_hold<Hold>(), "reason", ""));
    EXPECT_TRUE(takes(some_hold<Hold>(), "reason", times(kMaxReason, "a")));
    EXPECT_FALSE(takes(some_hold<Hold>(), "reason", times(kMaxReason + 1, "a")));
    EXPECT_FALSE(takes(some_receipt(), "status", "done"));
    EXPECT_FALSE(takes(some_receipt(), "copies", 0));
    EXPECT_FALSE(takes(some_receipt(), "copies", 3));
    EXPECT_FALSE(takes(some_receipt(), "vault", named("another vault").hex()));
    EXPECT_FALSE(takes(some_head(), "size", -1));
    EXPECT_FALSE(takes(some_head(), "size", kMaxTreeSize + 1));
    EXPECT_TRUE(takes(some_head(), "size", kMaxTreeSize));
    EXPECT_FALSE(takes(some_head(), "leaves", 0));
    EXPECT_TRUE(takes(some_head(), "leaves", 12));
    EXPECT_FALSE(takes(some_head(), "leaves", 13));
}

TEST(Statement, IsParsedAsItsOwnTypeAlone) {
    const std::string claim = sign(some_claim(), person("bob").key);
    EXPECT_TRUE(parse_statement<Claim>(claim));
    EXPECT_FALSE(parse_statement<Answer>(claim));
    EXPECT_FALSE(parse_statement<Withdraw>(claim));
    EXPECT_FALSE(parse_statement<Receipt>(claim));
    EXPECT_FALSE(parse_statement<Release>(sign(some_hold<Hold>(), vault_party().log)));
    EXPECT_FALSE(parse_statement<Claim>(person("bob").chain.texts()[0]));
}

TEST(Statement, TheTypeFixesTheAlgorithm) {
    const std::string payload = parse_jws(sign(some_receipt(), vault_party().log))->payload;
    EXPECT_FALSE(parse_statement<Receipt>(sign_jws("receipt", payload, test_signing_key("vault"))));
    const std::string claim = parse_jws(sign(some_claim(), person("bob").key))->payload;
    EXPECT_FALSE(parse_statement<Claim>(sign_jws("claim", claim, vault_party().log)));
}

TEST(Statement, AnotherWalletsKeyUnderOnesNameDoesNotVerify) {
    // Alice signs a claim that says it is Bob's.
    const auto forged = parsed<Claim>(sign(some_claim(), person("alice").key));
    EXPECT_EQ(verify(forged, person("bob").chain).error().code, Errc::bad_signature);
    EXPECT_EQ(verify(forged, person("alice").chain).error().code, Errc::bad_signature);
}

TEST(Statement, AVaultIsNoPerson) {
    const SigningKey& key = test_signing_key("vault");
    Claim claim = some_claim();
    claim.iss = vault_party().wallet();
    EXPECT_EQ(verify(parsed<Claim>(sign(claim, key)), vault_party().chain).error().code, Errc::bad_signature);
    Receipt receipt = some_receipt();
    receipt.iss = receipt.vault = person("bob").wallet();
    EXPECT_EQ(verify(parsed<Receipt>(sign(receipt, vault_party().log)), person("bob").chain).error().code,
              Errc::bad_signature);
}

TEST(Statement, ALongTextIsARegistrationsPrivilege) {
    const std::string payload = parse_jws(sign(some_withdraw(), person("bob").key))->payload;
    const auto padded = [&](std::size_t spaces) {
        return sign_jws("withdraw", payload + std::string(spaces, ' '), person("bob").key);
    };
    EXPECT_TRUE(parse_statement<Withdraw>(padded(0)));
    EXPECT_TRUE(parse_statement<Withdraw>(padded(8000)));
    ASSERT_GT(padded(16000).size(), kMaxShortJws);
    EXPECT_EQ(parse_statement<Withdraw>(padded(16000)).error().code, Errc::bad_statement);
}

TEST(Statement, EachHasANonceOfItsOwn) { EXPECT_NE(some_claim().nonce, some_claim().nonce); }

}  // namespace
}  // namespace sat
