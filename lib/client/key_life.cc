// A wallet's keys, changed and carried elsewhere.
// SPDX-License-Identifier: Apache-2.0
#include "client/key_life.h"

#include <algorithm>
#include <array>

#include "base/file_set.h"
#include "client/known_vaults.h"
#include "crypto/key_backup.h"
#include "crypto/key_file.h"

namespace sat {

namespace {

constexpr const char* kIdentityName = "identity.jws";
constexpr const char* kKemName = "kem.pem";
constexpr const char* kVaultsName = "known_vaults.json";
constexpr const char* kProfileName = "profile.json";
constexpr const char* kSignName = "sign.pem";
// In the order of a backup.
constexpr std::array<const char*, 5> kNames = {kIdentityName, kKemName, kVaultsName, kProfileName, kSignName};

struct HomeKeys {
    SigningKey sign;
    KemPrivateKey kem;
};

Result<HomeKeys> unlock(const KeyHome& home, const SecretBytes* passphrase) {
    SAT_TRY_VALUE(SigningKey sign, home.unlock_sign(passphrase));
    SAT_TRY_VALUE(KemPrivateKey kem, home.unlock_kem(passphrase));
    return HomeKeys{std::move(sign), std::move(kem)};
}

Result<void> write_keys(const Path& directory, const HomeKeys& keys, const SecretBytes* passphrase) {
    SAT_TRY(save_private_key(directory / kSignName, keys.sign.handle(), passphrase));
    return save_private_key(directory / kKemName, keys.kem.handle(), passphrase);
}

Result<void> write_private(const Path& path, ByteView bytes) {
    return write_file_atomically(path, bytes, AtomicFile::Existing::refuse, 0600);
}

// The files are read back and opened as the next command will, before the old ones go.
Result<void> commit(FileSet& set, const SecretBytes* passphrase) {
    SAT_TRY_VALUE(const KeyHome written, KeyHome::open(set.path()));
    SAT_TRY_VALUE(const HomeKeys keys, unlock(written, passphrase));
    SAT_TRY(pairwise_check(keys.sign.handle()));
    SAT_TRY(pairwise_check(keys.kem.handle()));
    return set.commit();
}

tl::unexpected<Error> not_a_home(const Error& why) {
    return fail(Errc::bad_data, "the key backup does not hold a wallet: " + why.message);
}

// Everything of the backup into `directory`, which is a home then.
Result<void> unpack(const BackupFiles& files, const Path& directory, const SecretBytes* passphrase) {
    const bool complete = std::equal(files.begin(), files.end(), kNames.begin(), kNames.end(),
                                     [](const BackupFile& file, const char* name) { return file.name == name; });
    if (!complete) return not_a_home({Errc::bad_data, "it has other files", {}});
    for (const BackupFile& file : files) {
        const bool is_key = file.name == kSignName || file.name == kKemName;
        if (!is_key) {
            SAT_TRY(write_private(directory / file.name, file.bytes.reveal()));
            continue;
        }
        const auto key = decode_private_key(file.bytes.reveal(), nullptr);
        if (!key) return not_a_home(key.error());
        SAT_TRY(save_private_key(directory / file.name, *key, passphrase));
    }
    const auto home = KeyHome::open(directory);
    if (!home) return not_a_home(home.error());
    const auto keys = unlock(*home, passphrase);
    if (!keys) return not_a_home(keys.error());
    if (const auto vaults = KnownVaults(directory).all(); !vaults) return not_a_home(vaults.error());
    return {};
}

}  // namespace

Result<void> change_passphrase(const Path& directory, const SecretBytes* from, const SecretBytes* to) {
    SAT_TRY_VALUE(const FileDescriptor lock, lock_home(directory));
    SAT_TRY_VALUE(const KeyHome home, KeyHome::open(directory));
    SAT_TRY_VALUE(const HomeKeys keys, unlock(home, from));
    SAT_TRY_VALUE(FileSet set, FileSet::begin(directory));
    SAT_TRY(write_keys(set.path(), keys, to));
    SAT_TRY(write_private(set.path() / kIdentityName, as_bytes(identity_text(home.chain()))));
    SAT_TRY(commit(set, to));
    return finish_file_set(directory, directory);
}

Result<KeyHome> rekey_home(const Path& directory, const Rekey& rekey, UnixTime now) {
    SAT_TRY_VALUE(const FileDescriptor lock, lock_home(directory));
    SAT_TRY_VALUE(const KeyHome home, KeyHome::open(directory));
    SAT_TRY_VALUE(const HomeKeys old, unlock(home, rekey.passphrase));
    const bool large = old.sign.public_key().block_size() == kMaxRsaBlock;
    const RsaBits bits = rekey.bits.value_or(large ? RsaBits::b4096 : RsaBits::b3072);
    const HomeKeys fresh{SigningKey::generate(bits), KemPrivateKey::generate(bits)};
    if (rekey.stopped && rekey.stopped()) return fail(Errc::cancelled, "stopped by a signal");
    SAT_TRY_VALUE(const IdentityChain chain,
                  extend_identity(home.chain(), old.sign, fresh.sign.public_key(), fresh.kem.public_key(), now));
    SAT_TRY_VALUE(FileSet set, FileSet::begin(directory));
    SAT_TRY(write_keys(set.path(), fresh, rekey.passphrase));
    SAT_TRY(write_private(set.path() / kIdentityName, as_bytes(identity_text(chain))));
    SAT_TRY(commit(set, rekey.passphrase));
    SAT_TRY(finish_file_set(directory, directory));
    return KeyHome::open(directory);
}

Result<Bytes> export_home(const Path& directory, const SecretBytes* passphrase, const SecretBytes& seal) {
    SAT_TRY_VALUE(const FileDescriptor lock, lock_home(directory));
    SAT_TRY_VALUE(const KeyHome home, KeyHome::open(directory));
    SAT_TRY_VALUE(const HomeKeys keys, unlock(home, passphrase));
    SAT_TRY(pairwise_check(keys.sign.handle()));
    SAT_TRY(pairwise_check(keys.kem.handle()));
    BackupFiles files;
    files.push_back({kIdentityName, SecretBytes(as_bytes(identity_text(home.chain())))});
    files.push_back({kKemName, encode_private_key(keys.kem.handle(), nullptr)});
    files.push_back({kVaultsName, SecretBytes(as_bytes(known_vaults_text({})))});
    if (is_there(directory / kVaultsName)) {
        SAT_TRY_VALUE(const auto vaults, KnownVaults(directory).all());
        files.back().bytes = SecretBytes(as_bytes(known_vaults_text(vaults)));
    }
    files.push_back({kProfileName, SecretBytes(as_bytes(profile_text(home.profile())))});
    files.push_back({kSignName, encode_private_key(keys.sign.handle(), nullptr)});
    return seal_key_backup(KeyBackupKind::wallet, files, seal);
}

Result<KeyHome> import_home(const Path& directory, ByteView backup, const SecretBytes& seal,
                            const SecretBytes* passphrase) {
    const auto refuse = [&] {
        return fail(Errc::exists, "there is a wallet in " + directory.string() + " already",
                    "name another --home: a wallet is never replaced");
    };
    if (KeyHome::exists(directory)) return refuse();
    SAT_TRY_VALUE(const BackupFiles files, open_key_backup(backup, KeyBackupKind::wallet, seal));
    SAT_TRY(make_private_directory(directory));
    SAT_TRY_VALUE(const FileDescriptor lock, lock_home(directory));
    if (KeyHome::exists(directory)) return refuse();
    for (const char* name : kNames)
        if (is_there(directory / name))
            return fail(Errc::exists, "there is " + std::string(name) + " in " + directory.string() + " already",
                        "name another --home: nothing is replaced");
    SAT_TRY_VALUE(FileSet set, FileSet::begin(directory));
    SAT_TRY(unpack(files, set.path(), passphrase));
    SAT_TRY(commit(set, passphrase));
    SAT_TRY(finish_file_set(directory, directory));
    return KeyHome::open(directory);
}

}  // namespace sat
