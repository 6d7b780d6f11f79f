// Key backups.  docs/storage.md, "Key backups".
// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_backup.h"

#include <algorithm>

#include "base/codec.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "crypto/random.h"

namespace sat {

namespace {

constexpr std::string_view kMagic = "SATX";
constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kLabel = "SAT/1 key backup";
constexpr std::size_t kHeaderSize = 8;
constexpr std::size_t kSaltSize = 32;
constexpr std::size_t kSealedAt = kHeaderSize + kSaltSize;
constexpr std::size_t kMaxFiles = 16;
constexpr std::size_t kMaxName = 64;

constexpr std::uint64_t kScryptN = std::uint64_t{1} << 17;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 1;
// 128 * N * r bytes, and a little.
constexpr std::uint64_t kScryptMemory = std::uint64_t{160} << 20;

tl::unexpected<Error> damaged() {
    return fail(Errc::bad_data, "the key backup is damaged or cut short", "take another copy of it");
}

KeyAndNonce derive(const SecretBytes& passphrase, ByteView salt) {
    SAT_ASSERT(!passphrase.empty());
    SecretBytes out(kAeadKeySize + kAeadNonceSize);
    const MutableBytes key = out.reveal_mutable();
    SAT_ASSERT(EVP_PBE_scrypt(reinterpret_cast<const char*>(passphrase.reveal().data()), passphrase.size(),
                              octets(salt), salt.size(), kScryptN, kScryptR, kScryptP, kScryptMemory, octets(key),
                              key.size()) == 1);
    return KeyAndNonce(out);
}

Bytes header_of(KeyBackupKind kind) {
    return ByteWriter().raw(as_bytes(kMagic)).u8(kVersion).u8(static_cast<std::uint8_t>(kind)).u16(0).take();
}

}  // namespace

SecretBytes encode_backup_files(const BackupFiles& files) {
    SAT_ASSERT(!files.empty() && files.size() <= kMaxFiles);
    std::size_t size = 1;
    for (const BackupFile& file : files) size += 2 + file.name.size() + 4 + file.bytes.size();
    SecretBytes out(size);
    auto at = out.reveal_mutable().begin();
    const auto put = [&at](ByteView bytes) { at = std::copy(bytes.begin(), bytes.end(), at); };
    put(ByteWriter().u8(static_cast<std::uint8_t>(files.size())).bytes());
    for (std::size_t i = 0; i < files.size(); ++i) {
        const BackupFile& file = files[i];
        SAT_ASSERT(!file.name.empty() && file.name.size() <= kMaxName && file.bytes.size() <= kMaxKeyBackup);
        SAT_ASSERT(i == 0 || files[i - 1].name < file.name);
        put(ByteWriter().vec16(as_bytes(file.name)).u32(static_cast<std::uint32_t>(file.bytes.size())).bytes());
        put(file.bytes.reveal());
    }
    return out;
}

Result<BackupFiles> parse_backup_files(ByteView bytes) {
    ByteReader in(bytes);
    BackupFiles files;
    const std::size_t count = in.u8();
    if (count == 0 || count > kMaxFiles) return damaged();
    for (std::size_t i = 0; i < count; ++i) {
        std::string name = to_string(in.vec16(1, kMaxName));
        const std::size_t size = in.u32();
        if (!in.ok() || size > in.remaining()) return damaged();
        if (!files.empty() && files.back().name >= name) return damaged();
        files.push_back({std::move(name), SecretBytes(in.raw(size))});
    }
    if (!in.finish()) return damaged();
    return files;
}

const SecretBytes* find_backup_file(const BackupFiles& files, std::string_view name) noexcept {
    const auto found =
        std::find_if(files.begin(), files.end(), [&](const BackupFile& file) { return file.name == name; });
    return found == files.end() ? nullptr : &found->bytes;
}

Bytes seal_key_backup(KeyBackupKind kind, const BackupFiles& files, const SecretBytes& passphrase) {
    const SecretBytes plaintext = encode_backup_files(files);
    Bytes out = header_of(kind);
    append(out, random_bytes(kSaltSize));
    const std::size_t sealed_size = plaintext.size() + kAeadTagSize;
    SAT_ASSERT(kSealedAt + sealed_size + Digest::kSize <= kMaxKeyBackup);
    KeyAndNonce key = derive(passphrase, ByteView(out).subspan(kHeaderSize));
    const Bytes aad = label(kLabel, out);
    out.resize(kSealedAt + sealed_size);
    key.key.seal(key.base, aad, plaintext.reveal(), MutableBytes(out).subspan(kSealedAt));
    const Digest sum = sha256(out);
    append(out, sum.view());
    return out;
}

Result<BackupFiles> open_key_backup(ByteView file, KeyBackupKind kind, const SecretBytes& passphrase) {
    const Bytes header = header_of(kind);
    if (file.size() < kHeaderSize || !std::equal(kMagic.begin(), kMagic.end(), as_text(file).begin()))
        return fail(Errc::bad_data, "not a key backup", "name a file that `keys export` wrote");
    if (!std::equal(header.begin(), header.end(), file.begin()))
        return fail(Errc::bad_data, "the key backup is of the other kind, or of another version",
                    "a wallet's is imported by sat-artist or sat-collector, a vault's by sat-vaultd");
    if (file.size() < kSealedAt + kAeadTagSize + Digest::kSize || file.size() > kMaxKeyBackup) return damaged();
    const ByteView body = file.first(file.size() - Digest::kSize);
    const ByteView sum = file.subspan(body.size());
    // So that a damaged file is not taken for a wrong passphrase.
    if (!equal_constant_time(sha256(body).view(), sum)) return damaged();
    KeyAndNonce key = derive(passphrase, body.subspan(kHeaderSize, kSaltSize));
    const ByteView sealed = body.subspan(kSealedAt);
    SecretBytes plaintext(sealed.size() - kAeadTagSize);
    if (!key.key.open(key.base, label(kLabel, body.first(kSealedAt)), sealed, plaintext.reveal_mutable()))
        return fail(Errc::key_locked, "the passphrase does not open the key backup");
    return parse_backup_files(plaintext.reveal());
}

Result<void> write_key_backup(const Path& path, ByteView backup, AtomicFile::Existing existing, KeyBackupKind kind,
                              const SecretBytes& passphrase) {
    SAT_TRY_VALUE(AtomicFile out, AtomicFile::create(path, existing, 0600));
    SAT_TRY(out.write(backup));
    SAT_TRY(sync_fd(out.fd(), path));
    SAT_TRY_VALUE(const Bytes written, read_key_backup(out.temporary()));
    if (auto opened = open_key_backup(written, kind, passphrase); !opened)
        return fail(Errc::io_error, "what was written does not read back: " + opened.error().message);
    return out.commit();
}

Result<Bytes> read_key_backup(const Path& path) {
    auto bytes = read_file(path, kMaxKeyBackup);
    if (!bytes && bytes.error().code == Errc::too_large)
        return fail(Errc::bad_data, "not a key backup: it is too large");
    return bytes;
}

}  // namespace sat
