// SPDX-License-Identifier: Apache-2.0
#include "ledger/leaf.h"

#include <gtest/gtest.h>

#include "unit/ledger/ledger_scene.h"

namespace sat {
namespace {

std::string registration() { return sign(registration_of(ArtworkId::generate()), person("alice").key); }
std::string claim() { return sign_jws("claim", "{}", person("alice").key); }
std::string answer() { return sign_jws("answer", "{}", person("alice").key); }
std::string accept() { return sign_jws("accept", "{}", person("alice").key); }
std::string hold() { return sign_jws("hold", "{}", vault_party().log); }
std::string release() { return sign_jws("release", "{}", vault_party().log); }

bool refused(const std::string& entry) {
    const auto leaf = Leaf::parse(entry);
    if (!leaf) {
        EXPECT_EQ(leaf.error().code, Errc::bad_statement);
    }
    return !leaf;
}

TEST(Leaf, EveryTypeEncodesToWhatParsed) {
    for (const Leaf& leaf :
         {Leaf{LeafType::registration, 0, {registration()}}, Leaf{LeafType::transfer, 1, {claim(), answer(), accept()}},
          Leaf{LeafType::hold, 1790000000, {hold()}}, Leaf{LeafType::release, kJsonMaxInteger, {release()}}}) {
        const std::string entry = leaf.encode();
        EXPECT_EQ(Leaf::parse(entry).value(), leaf);
        EXPECT_EQ(Leaf::parse(entry)->encode(), entry);
    }
}

TEST(Leaf, HasTheDocumentsText) {
    const std::string jws = hold();
    EXPECT_EQ((Leaf{LeafType::hold, 12, {jws}}.encode()), "sat-leaf/1\nhold\n12\n" + jws + "\n");
    EXPECT_EQ(leaf_type_name(LeafType::registration), "register");
    EXPECT_EQ(leaf_type_name(LeafType::transfer), "transfer");
    EXPECT_EQ(leaf_type_name(LeafType::release), "release");
}

TEST(Leaf, HashIsThatOfRfc6962) {
    // SHA-256 of 00: the leaf hash of an empty entry (RFC 6962's reference tree).
    EXPECT_EQ(leaf_hash("").hex(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    EXPECT_EQ(leaf_hash("x"), sha256({ByteView(Bytes(1)), as_bytes("x")}));
}

TEST(Leaf, RefusesEverythingElse) {
    const std::string jws = hold();
    const auto entry = [&](const std::string& first, const std::string& type, const std::string& time,
                           const std::string& rest) { return first + "\n" + type + "\n" + time + "\n" + rest; };
    ASSERT_FALSE(refused(entry("sat-leaf/1", "hold", "12", jws + "\n")));
    EXPECT_TRUE(refused(entry("sat-leaf/2", "hold", "12", jws + "\n")));
    EXPECT_TRUE(refused(entry("sat-leaf/1 ", "hold", "12", jws + "\n")));
    EXPECT_TRUE(refused(entry("sat-leaf/1", "Hold", "12", jws + "\n")));
    EXPECT_TRUE(refused(entry("sat-leaf/1", "", "12", jws + "\n")));
    EXPECT_TRUE(refused(entry("sat-leaf/1", "release", "12", jws + "\n")));
    for (const char* time :
         {"", "012", "00", "-1", "+1", " 1", "1 ", "1.0", "1e3", "9007199254740992", "99999999999999999999"})
        EXPECT_TRUE(refused(entry("sat-leaf/1", "hold", time, jws + "\n"))) << time;
    EXPECT_FALSE(refused(entry("sat-leaf/1", "hold", "0", jws + "\n")));
    EXPECT_TRUE(refused(entry("sat-leaf/1", "hold", "12", jws)));
    EXPECT_TRUE(refused(entry("sat-leaf/1", "hold", "12", "")));
    EXPECT_TRUE(refused(entry("sat-leaf/1", "hold", "12", "\n")));
    EXPECT_TRUE(refused(entry("sat-leaf/1", "hold", "12", jws + "\r\n")));
    EXPECT_TRUE(refused(entry("sat-leaf/1", "hold", "12", jws + "\n\n")));
    EXPECT_TRUE(refused(entry("sat-leaf/1", "hold", "12", jws + "\n" + jws + "\n")));
    EXPECT_TRUE(refused("\n" + entry("sat-leaf/1", "hold", "12", jws + "\n")));
}

TEST(Leaf, ATransferHasItsThreeStatementsInOrder) {
    const auto transfer = [](const std::vector<std::string>& statements) {
        std::string entry = "sat-leaf/1\ntransfer\n1\n";
        for (const std::string& statement : statements) entry += statement + "\n";
        return refused(entry);
    };
    EXPECT_FALSE(transfer({claim(), answer(), accept()}));
    EXPECT_TRUE(transfer({claim(), answer()}));
    EXPECT_TRUE(transfer({answer(), claim(), accept()}));
    EXPECT_TRUE(transfer({claim(), answer(), accept(), accept()}));
    EXPECT_TRUE(transfer({claim(), claim(), claim()}));
}

TEST(Leaf, EveryTruncationIsRefused) {
    const std::string entry = Leaf{LeafType::transfer, 1, {claim(), answer(), accept()}}.encode();
    for (std::size_t size = 0; size < entry.size(); ++size) EXPECT_TRUE(refused(entry.substr(0, size))) << size;
}

TEST(Leaf, ThreeStatementsAtTheirLimitFit) {
    const auto longest = [](std::string_view type) {
        std::string payload(kMaxShortJws / 4 * 3 - 700, ' ');
        std::string jws;
        for (;; payload += "   ") {
            std::string next = sign_jws(type, payload, person("alice").key);
            if (next.size() > kMaxShortJws) return jws;
            jws = std::move(next);
        }
    };
    const Leaf leaf{LeafType::transfer, kJsonMaxInteger, {longest("claim"), longest("answer"), longest("accept")}};
    EXPECT_LE(leaf.encode().size(), kMaxLeafEntry);
    EXPECT_GT(leaf.encode().size(), 3 * kMaxShortJws - 12);
    EXPECT_TRUE(refused(std::string(kMaxLeafEntry + 1, 'a')));
}

}  // namespace
}  // namespace sat
