// SPDX-License-Identifier: Apache-2.0
#include "ledger/note.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "crypto/key_file.h"
#include "support/keys.h"

namespace sat {
namespace {

// The Ed25519 key whose 32 secret bytes count up from `first`.
LogKey counting_key(int first) {
    Bytes der = from_hex("302e020100300506032b657004220420").value();
    for (int i = 0; i < 32; ++i) der.push_back(static_cast<std::byte>(first + i));
    const std::string pem = "-----BEGIN PRIVATE KEY-----\n" + to_base64(der) + "\n-----END PRIVATE KEY-----\n";
    return LogKey::from_handle(decode_private_key(as_bytes(pem), nullptr).value()).value();
}

const Wallet kVault = Wallet::from_hex(std::string(32, 'a').append(32, 'b')).value();

// Made with Python's cryptography 48 from the specifications, by the keys counting_key(0) and counting_key(32).
const Wallet kKnownVault = Wallet::from_hex("abababababababababababababababababababababababababababababababab").value();
const std::string kKnownNote =
    "sat-vault/abababababababababababababababababababababababababababababababab\n1234567\n"
    "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n\n"
    "— sat-vault/abababababababababababababababababababababababababababababababab "
    "CyLEYGyzmMSUQ8YzWGAIQTotuLnvm3ae4xlpcMhLanyHuJw3vX5eAhxwLQDZg9ZvM6znmcFUyVjZm+2hTU5cJbK0Pgc=\n";
const std::string kKnownCosignature =
    "— witness.example/w1 "
    "IDJKvgAAAABqsTv7/67eRBIjFciXfGad1eEzHyuW5aoe51r/TkVMVCp5ybTuAP6r1Ob5CHaGmnhsohEZ9K01z4a4gWE8096Bx7RjCA==\n";
const std::string kKnownWitness = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";

TreeHead tree_head(std::uint64_t size) { return {size, sha256(as_bytes("root of " + std::to_string(size)))}; }

std::string signed_by(const std::string& text, const LogKey& key) {
    const std::string name = vault_note_name(kVault);
    return SignedNote{text, {{name, vkey_hash(name, key.public_key()), key.sign(as_bytes(text))}}}.encode();
}

TEST(Note, AgreesWithAnIndependentCheckpoint) {
    const TreeHead head{1234567, sha256(as_bytes("root"))};
    const LogKey key = counting_key(0);
    EXPECT_EQ(sign_checkpoint(kKnownVault, head, key), kKnownNote);
    const auto opened = open_checkpoint(kKnownNote, kKnownVault, key.public_key());
    ASSERT_TRUE(opened);
    EXPECT_EQ(*opened, head);
}

TEST(Note, AgreesWithAnIndependentCosignature) {
    const LogKey key = counting_key(32);
    EXPECT_EQ(cosign_note(kKnownNote, "witness.example/w1", key, 1790000123), kKnownNote + kKnownCosignature);
    const auto witness = WitnessKey::parse(kKnownWitness);
    ASSERT_TRUE(witness);
    EXPECT_EQ(witness->name, "witness.example/w1");
    EXPECT_EQ(witness->key.raw(), key.public_key().raw());
    EXPECT_EQ(witness->vkey(), kKnownWitness);
    const auto note = SignedNote::parse(kKnownNote + kKnownCosignature);
    ASSERT_TRUE(note);
    EXPECT_EQ(verify_cosignature(*note, *witness), UnixTime{1790000123});
    EXPECT_TRUE(open_checkpoint(kKnownNote + kKnownCosignature, kKnownVault, counting_key(0).public_key()));
}

TEST(Note, ReadsTheNoteOfGosDocumentation) {
    // golang.org/x/mod/sumdb/note; its text has commas, an apostrophe and an unknown second signature.
    const std::string text =
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "— PeterNeumann "
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
        "— EnochRoot "
        "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";
    const auto note = SignedNote::parse(text);
    ASSERT_TRUE(note);
    EXPECT_EQ(note->encode(), text);
    ASSERT_EQ(note->lines.size(), 2U);
    const auto key = parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann");
    ASSERT_TRUE(key);
    EXPECT_EQ(note->lines[0].key_hash, vkey_hash("PeterNeumann", *key));
    EXPECT_TRUE(key->verify(as_bytes(note->text), note->lines[0].signature));
}

TEST(Note, CheckpointsOfEverySizeRoundTrip) {
    const LogKey& key = test_log_key("vault");
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{10}, kMaxTreeSize}) {
        const std::string note = sign_checkpoint(kVault, tree_head(size), key);
        const auto head = open_checkpoint(note, kVault, key.public_key());
        ASSERT_TRUE(head) << size;
        EXPECT_EQ(*head, tree_head(size));
        EXPECT_EQ(SignedNote::parse(note).value().encode(), note);
    }
}

TEST(Note, RefusesEverySingleByteChangeAndEveryTruncation) {
    const LogKey& key = test_log_key("vault");
    const std::string note = sign_checkpoint(kVault, tree_head(4711), key);
    for (std::size_t at = 0; at < note.size(); ++at) {
        for (const int mask : {0x01, 0x20, 0x80}) {
            std::string wrong = note;
            wrong[at] = static_cast<char>(wrong[at] ^ mask);
            EXPECT_FALSE(open_checkpoint(wrong, kVault, key.public_key())) << at;
        }
        EXPECT_FALSE(open_checkpoint(note.substr(0, at), kVault, key.public_key())) << at;
        EXPECT_FALSE(open_checkpoint(note.substr(0, at) + note.substr(at + 1), kVault, key.public_key())) << at;
    }
    for (const char* more : {"\n", " ", "x", "\n\n"})
        EXPECT_FALSE(open_checkpoint(note + more, kVault, key.public_key()));
}

TEST(Note, RefusesAnotherVaultsCheckpointAndAnothersKey) {
    const LogKey& key = test_log_key("vault");
    const std::string note = sign_checkpoint(kVault, tree_head(3), key);
    EXPECT_EQ(open_checkpoint(note, kKnownVault, key.public_key()).error().code, Errc::bad_statement);
    EXPECT_EQ(open_checkpoint(note, kVault, test_log_key("other").public_key()).error().code, Errc::bad_signature);
}

TEST(Note, RefusesCheckpointsThatAreNotWrittenAsDocumented) {
    const LogKey& key = test_log_key("vault");
    const std::string name = vault_note_name(kVault);
    const std::string root = to_base64(tree_head(3).root.view());
    const auto opens = [&](const std::string& text) {
        return open_checkpoint(signed_by(text, key), kVault, key.public_key()).has_value();
    };
    EXPECT_TRUE(opens(name + "\n3\n" + root + "\n"));
    for (const char* size : {"", "03", "-3", "+3", " 3", "3 ", "0x3", "4503599627370497", "99999999999999999999"})
        EXPECT_FALSE(opens(name + "\n" + size + "\n" + root + "\n")) << size;
    EXPECT_FALSE(opens(name + "\n3\n" + root.substr(0, root.size() - 1) + "\n"));
    EXPECT_FALSE(opens(name + "\n3\n" + to_base64(ByteView(tree_head(3).root.view()).first(31)) + "\n"));
    EXPECT_FALSE(opens(name + "\n3\n\n"));
    EXPECT_FALSE(opens(name + "\n3\n"));
    EXPECT_FALSE(opens(name + "\n3\n" + root + "\nextension\n"));
    EXPECT_FALSE(opens(name + "\n\n3\n" + root + "\n"));
}

TEST(Note, RefusesWhatIsNotASignedNote) {
    const std::string good = "text\n\n— name AAAAAAA=\n";
    ASSERT_TRUE(SignedNote::parse(good));
    for (const std::string& wrong : {
             std::string(),
             std::string("\n"),
             std::string("\n\n"),
             std::string("text\n"),
             std::string("text\n\n"),
             std::string("text\n\n- name AAAAAAA=\n"),
             std::string("text\n\n—name AAAAAAA=\n"),
             std::string("text\n\n— name\n"),
             std::string("text\n\n— name \n"),
             std::string("text\n\n—  AAAAAAA=\n"),
             std::string("text\n\n— na+me AAAAAAA=\n"),
             std::string("text\n\n— n\xC2\xA0me AAAAAAA=\n"),
             std::string("text\n\n— name AAAAAA==\n"),    // a key hash alone
             std::string("text\n\n— name AAAAAAAB\n— "),  // cut off
             std::string("text\n\n— name AAAAAAA\n"),
             std::string("text\n\n— name AAAAAAB=\n"),
             std::string("te\xFFxt\n\n— name AAAAAAA=\n"),
             std::string("te\rxt\n\n— name AAAAAAA=\n"),
             std::string("te\txt\n\n— name AAAAAAA=\n"),
             std::string("te\0xt\n\n— name AAAAAAA=\n", 26),
         })
        EXPECT_FALSE(SignedNote::parse(wrong)) << wrong;
}

TEST(Note, KeepsItsLimits) {
    const std::string line = "— name AAAAAAA=\n";
    std::string note = "text\n\n";
    for (std::size_t i = 0; i < kMaxNoteSignatures; ++i) note += line;
    EXPECT_TRUE(SignedNote::parse(note));
    EXPECT_FALSE(SignedNote::parse(note + line));
    const std::string tail = "\n\n" + line;
    EXPECT_TRUE(SignedNote::parse(std::string(kMaxNote - tail.size(), 'x') + tail));
    EXPECT_FALSE(SignedNote::parse(std::string(kMaxNote - tail.size() + 1, 'x') + tail));
    EXPECT_TRUE(SignedNote::parse("text\n\n— " + std::string(kMaxKeyName, 'n') + " AAAAAAA=\n"));
    EXPECT_FALSE(SignedNote::parse("text\n\n— " + std::string(kMaxKeyName + 1, 'n') + " AAAAAAA=\n"));
}

TEST(Note, IgnoresLinesOfKeysItDoesNotKnowAndRefusesTwoOfOneKey) {
    const LogKey& key = test_log_key("vault");
    const std::string note = sign_checkpoint(kVault, tree_head(3), key);
    const std::string line = note.substr(note.find("\n\n") + 2);
    const std::string stranger = signed_by(checkpoint_text(kVault, tree_head(3)), test_log_key("other"));
    const std::string unknown = stranger.substr(stranger.find("\n\n") + 2);
    EXPECT_TRUE(open_checkpoint(note + unknown, kVault, key.public_key()));
    EXPECT_TRUE(open_checkpoint(note + "— elsewhere AAAAAAA=\n", kVault, key.public_key()));
    EXPECT_FALSE(open_checkpoint(note + line, kVault, key.public_key()));
    EXPECT_FALSE(open_checkpoint(stranger, kVault, key.public_key()));
}

TEST(Cosignature, IsByItsWitnessOverItsTimeAndItsNote) {
    const LogKey& key = test_log_key("witness");
    const WitnessKey witness{"example.org/w", key.public_key()};
    const std::string note = sign_checkpoint(kVault, tree_head(9), test_log_key("vault"));
    const auto cosigned = cosign_note(note, witness.name, key, 1790000000);
    ASSERT_TRUE(cosigned);
    const SignedNote parsed = SignedNote::parse(*cosigned).value();
    ASSERT_EQ(verify_cosignature(parsed, witness), UnixTime{1790000000});

    EXPECT_FALSE(verify_cosignature(SignedNote::parse(note).value(), witness));
    EXPECT_FALSE(verify_cosignature(parsed, {"example.org/v", key.public_key()}));
    EXPECT_FALSE(verify_cosignature(parsed, {witness.name, test_log_key("other").public_key()}));
    for (std::size_t at = 0; at < parsed.lines[1].signature.size(); ++at) {
        SignedNote wrong = parsed;
        wrong.lines[1].signature[at] ^= std::byte{1};
        EXPECT_FALSE(verify_cosignature(wrong, witness)) << at;
    }
    SignedNote other = parsed;
    other.text = checkpoint_text(kVault, tree_head(10));
    EXPECT_FALSE(verify_cosignature(other, witness));
    SignedNote twice = parsed;
    twice.lines.push_back(parsed.lines[1]);
    EXPECT_FALSE(verify_cosignature(twice, witness));
    SignedNote cut = parsed;
    cut.lines[1].signature.pop_back();
    EXPECT_FALSE(verify_cosignature(cut, witness));
}

TEST(Cosignature, OfTheSameKeyReplacesTheOlderOne) {
    const LogKey& key = test_log_key("witness");
    const std::string note = sign_checkpoint(kVault, tree_head(9), test_log_key("vault"));
    const std::string once = cosign_note(note, "w", key, 1).value();
    EXPECT_EQ(cosign_note(once, "w", key, 2).value(), cosign_note(note, "w", key, 2).value());
    EXPECT_NE(cosign_note(once, "v", key, 2).value(), cosign_note(note, "v", key, 2).value());
}

TEST(Cosignature, IsRefusedWhereTheNoteHasNoRoom) {
    const LogKey& key = test_log_key("witness");
    std::string note = sign_checkpoint(kVault, tree_head(9), test_log_key("vault"));
    for (std::size_t i = 1; i < kMaxNoteSignatures; ++i)
        note = cosign_note(note, "witness-" + std::to_string(i), key, 1).value();
    EXPECT_FALSE(cosign_note(note, "one-more", key, 1));
    EXPECT_TRUE(cosign_note(note, "witness-1", key, 2));
    EXPECT_FALSE(cosign_note("no note", "w", key, 1));
}

TEST(WitnessKey, RefusesAnotherTypeHashOrName) {
    const LogVerifyKey& key = test_log_key("witness").public_key();
    const std::string good = encode_vkey("w", key, VkeyType::cosignature);
    ASSERT_TRUE(WitnessKey::parse(good));
    EXPECT_FALSE(WitnessKey::parse(encode_vkey("w", key)));
    EXPECT_FALSE(WitnessKey::parse("v" + good.substr(1)));
    EXPECT_FALSE(WitnessKey::parse(good.substr(1)));
    EXPECT_FALSE(WitnessKey::parse(""));
    EXPECT_FALSE(WitnessKey::parse(encode_vkey("w w", key, VkeyType::cosignature)));
}

}  // namespace
}  // namespace sat
