// Key backups: what goes in comes out, with the passphrase alone; nothing is believed that was changed.
// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_backup.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "support/temporary.h"

namespace sat {
namespace {

constexpr std::size_t kHeader = 8;
constexpr std::size_t kSum = 32;

SecretBytes secret(std::string_view text) { return SecretBytes(as_bytes(text)); }

BackupFiles files() {
    BackupFiles out;
    out.push_back({"empty", SecretBytes()});
    out.push_back({"identity", secret("[]")});
    out.push_back({"sign.pem", secret("a key")});
    return out;
}

const Bytes& sealed() {
    static const Bytes bytes = seal_key_backup(KeyBackupKind::wallet, files(), secret("open sesame"));
    return bytes;
}

Errc code(ByteView file, std::string_view passphrase = "open sesame", KeyBackupKind kind = KeyBackupKind::wallet) {
    const auto opened = open_key_backup(file, kind, secret(passphrase));
    return opened ? Errc{} : opened.error().code;
}

// With the sum that an attacker would compute.
Bytes summed(Bytes bytes) {
    bytes.resize(bytes.size() - kSum);
    const Digest sum = sha256(bytes);
    append(bytes, sum.view());
    return bytes;
}

TEST(KeyBackup, OpensWithItsPassphraseAlone) {
    const auto opened = open_key_backup(sealed(), KeyBackupKind::wallet, secret("open sesame"));
    ASSERT_TRUE(opened) << opened.error().message;
    ASSERT_EQ(opened->size(), 3U);
    EXPECT_EQ((*opened)[2].name, "sign.pem");
    EXPECT_EQ(as_text(find_backup_file(*opened, "sign.pem")->reveal()), "a key");
    EXPECT_TRUE(find_backup_file(*opened, "empty")->empty());
    EXPECT_EQ(find_backup_file(*opened, "kem.pem"), nullptr);
    EXPECT_EQ(code(sealed(), "open sesam"), Errc::key_locked);
    EXPECT_EQ(as_text(sealed()).find("a key"), std::string_view::npos);
}

TEST(KeyBackup, TwoOfTheSameAreDifferent) {
    EXPECT_NE(seal_key_backup(KeyBackupKind::wallet, files(), secret("open sesame")), sealed());
}

TEST(KeyBackup, IsOfItsKind) {
    EXPECT_EQ(code(sealed(), "open sesame", KeyBackupKind::vault), Errc::bad_data);
    Bytes other = sealed();
    other[5] = std::byte{2};
    EXPECT_EQ(code(summed(other), "open sesame", KeyBackupKind::vault), Errc::key_locked) << "the kind is bound";
}

TEST(KeyBackup, AFlippedByteIsDamageAndNotAWrongPassphrase) {
    for (std::size_t at = 0; at < sealed().size(); ++at) {
        Bytes bytes = sealed();
        bytes[at] ^= std::byte{1};
        ASSERT_EQ(code(bytes), Errc::bad_data) << at;
    }
}

TEST(KeyBackup, AChangedByteWithAFittingSumDoesNotOpen) {
    for (const std::size_t at : {kHeader, kHeader + 31, kHeader + 32, sealed().size() - kSum - 1}) {
        Bytes bytes = sealed();
        bytes[at] ^= std::byte{1};
        EXPECT_EQ(code(summed(bytes)), Errc::key_locked) << at;
    }
}

TEST(KeyBackup, AShorterOrLongerFileIsDamaged) {
    for (std::size_t size = 0; size < sealed().size(); ++size)
        ASSERT_EQ(code(ByteView(sealed()).first(size)), Errc::bad_data) << size;
    Bytes longer = sealed();
    longer.push_back(std::byte{0});
    EXPECT_EQ(code(longer), Errc::bad_data);
}

TEST(BackupFiles, EncodeToWhatParsed) {
    const SecretBytes bytes = encode_backup_files(files());
    const auto parsed = parse_backup_files(bytes.reveal());
    ASSERT_TRUE(parsed);
    const SecretBytes again = encode_backup_files(*parsed);
    EXPECT_EQ(as_text(again.reveal()), as_text(bytes.reveal()));
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_EQ(parse_backup_files(bytes.reveal().first(size)).error().code, Errc::bad_data) << size;
}

TEST(BackupFiles, RefuseWhatNoWriterMakes) {
    using namespace std::string_literals;
    const auto refused = [](const std::string& text) { return !parse_backup_files(as_bytes(text)); };
    EXPECT_FALSE(refused("\x01\0\x01x\0\0\0\0"s));
    EXPECT_TRUE(refused("\x00"s)) << "none";
    EXPECT_TRUE(refused("\x11"s + std::string(200, 'x'))) << "too many";
    EXPECT_TRUE(refused("\x01\0\0\0\0\0\0"s)) << "no name";
    EXPECT_TRUE(refused("\x02\0\x01x\0\0\0\0\0\x01x\0\0\0\0"s)) << "one name twice";
    EXPECT_TRUE(refused("\x02\0\x01y\0\0\0\0\0\x01x\0\0\0\0"s)) << "out of order";
    EXPECT_TRUE(refused("\x01\0\x01x\xff\xff\xff\xff"s)) << "larger than what follows";
    EXPECT_TRUE(refused("\x01\0\x01x\0\0\0\0y"s)) << "something behind";
}

TEST(KeyBackupFile, IsReadBackBeforeItGetsItsName) {
    const TemporaryDirectory directory;
    const Path file = directory / "keys";
    const auto write = [&](std::string_view passphrase) {
        return write_key_backup(file, sealed(), AtomicFile::Existing::refuse, KeyBackupKind::wallet,
                                secret(passphrase));
    };
    EXPECT_EQ(write("another").error().code, Errc::io_error) << "what does not open is no backup";
    EXPECT_EQ(directory.count(), 0U);
    ASSERT_TRUE(write("open sesame"));
    EXPECT_EQ(read_key_backup(file).value(), sealed());
    EXPECT_EQ(write("open sesame").error().code, Errc::output_exists);
    EXPECT_EQ(read_key_backup(directory / "none").error().code, Errc::input_unreadable);
    ASSERT_TRUE(write_file_atomically(directory / "big", Bytes(kMaxKeyBackup + 1), AtomicFile::Existing::refuse));
    EXPECT_EQ(read_key_backup(directory / "big").error().code, Errc::bad_data);
}

}  // namespace
}  // namespace sat
