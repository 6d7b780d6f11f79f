// SPDX-License-Identifier: Apache-2.0
#include "ledger/vkey.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "support/keys.h"

namespace sat {
namespace {

TEST(Vkey, AgreesWithTheSignedNoteSpecification) {
    // The verifier key of c2sp.org/signed-note and of golang.org/x/mod/sumdb/note's documentation.
    const std::string peter = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const auto key = parse_vkey(peter, "PeterNeumann");
    ASSERT_TRUE(key);
    EXPECT_EQ(encode_vkey("PeterNeumann", *key), peter);
    EXPECT_EQ(to_hex(vkey_hash("PeterNeumann", *key)), "c74f20a3");
}

TEST(Vkey, RoundTripsUnderAVaultsName) {
    const auto& key = test_log_key("vault").public_key();
    const std::string name = vault_note_name(key.id());
    EXPECT_EQ(name, "sat-vault/" + key.id().hex());
    const auto parsed = parse_vkey(encode_vkey(name, key), name);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->raw(), key.raw());
}

TEST(Vkey, RefusesAnotherNameHashTypeOrEncoding) {
    const auto& key = test_log_key("vault").public_key();
    const std::string good = encode_vkey("name", key);
    EXPECT_FALSE(parse_vkey(good, "nam"));
    EXPECT_FALSE(parse_vkey(good, "other"));
    EXPECT_FALSE(parse_vkey("", "name"));
    EXPECT_FALSE(parse_vkey("name", "name"));
    for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(parse_vkey(good.substr(0, size), "name"));
    EXPECT_FALSE(parse_vkey(good + "=", "name"));
    EXPECT_FALSE(parse_vkey(good + "\n", "name"));
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string wrong = good;
        wrong[at] = static_cast<char>(wrong[at] ^ 1);
        EXPECT_FALSE(parse_vkey(wrong, "name")) << at;
    }
}

// A key whose every message is signed, in the form of a verifier key.
std::string vkey_of_small_order(const std::string& name, char type) {
    const std::string typed = type + std::string(1, '\x01') + std::string(31, '\0');
    const std::string hash = sha256({as_bytes(name), as_bytes("\n"), as_bytes(typed)}).hex().substr(0, 8);
    return name + '+' + hash + '+' + to_base64(as_bytes(typed));
}

TEST(Vkey, RefusesAKeyOfSmallOrder) {
    EXPECT_EQ(parse_vkey(vkey_of_small_order("name", '\x01'), "name").error().code, Errc::key_policy);
    EXPECT_EQ(WitnessKey::parse(vkey_of_small_order("witness.example", '\x04')).error().code, Errc::key_policy);
}

}  // namespace
}  // namespace sat
