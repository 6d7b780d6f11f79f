// The vault's keys on disk.  docs/storage.md, "Keys".
// SPDX-License-Identifier: Apache-2.0
#include "vault/vault_keys.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/json.h"

namespace sat {

namespace {

constexpr const char* kSignFile = "sign.pem";
constexpr const char* kKemFile = "kem.pem";
constexpr const char* kStoreFile = "store.pem";
constexpr const char* kLogFile = "log.pem";
constexpr const char* kPublicFile = "sign.pub.pem";
constexpr const char* kIdentityFile = "identity.json";
constexpr std::size_t kMaxIdentityFile = 32 * 1024;

tl::unexpected<Error> not_ours(const Path& file) {
    return fail(Errc::config, file.string() + " is not the key that the vault's identity names",
                "put back the keys that belong together");
}

Result<IdentityChain> read_identity(const Path& directory) {
    const Path path = directory / kIdentityFile;
    const auto text = read_file(path, kMaxIdentityFile);
    if (!text) return fail(Errc::config, text.error().message, "run `sat-vaultd init`, or put back the vault's keys");
    const auto json = parse_json(as_text(*text));
    auto chain = json ? IdentityChain::from_json(*json) : Result<IdentityChain>(fail(json.error()));
    if (!chain || chain->kind() != IdentityKind::vault)
        return fail(Errc::config, path.string() + " is not the identity of a vault");
    return chain;
}

// A key file's key in its role; config for a key of another kind.
template <typename Key>
Result<Key> load(const Path& path, const SecretBytes* passphrase) {
    SAT_TRY_VALUE(KeyHandle handle, load_private_key(path, passphrase));
    auto key = Key::from_handle(std::move(handle));
    if (!key) return fail(Errc::config, path.string() + ": " + key.error().message);
    return key;
}

}  // namespace

const Wallet& VaultKeys::wallet() const noexcept { return chain.wallet(); }

Result<VaultKeys> create_vault_keys(const Path& directory, RsaBits bits, const SecretBytes* passphrase, UnixTime now) {
    std::error_code error;
    if (std::filesystem::exists(directory, error) && !std::filesystem::is_empty(directory, error))
        return fail(Errc::exists, directory.string() + " holds keys already", "a vault's keys are made once");
    // Made beside their place and put there whole, so that a crash leaves all of them or none.
    Path fresh = directory;
    fresh += ".part";
    std::filesystem::remove_all(fresh, error);
    SAT_TRY(make_private_directory(fresh));

    SigningKey sign = SigningKey::generate(bits);
    KemPrivateKey kem = KemPrivateKey::generate(bits);
    KemPrivateKey store = KemPrivateKey::generate(bits);
    LogKey log = LogKey::generate();
    IdentityChain chain = make_identity(IdentityKind::vault, sign, kem.public_key(), log.public_key(), now);
    VaultKeys keys{std::move(sign), std::move(kem), std::move(store), std::move(log), std::move(chain)};
    SAT_TRY(write_vault_keys(fresh, keys, passphrase));
    if (std::rename(fresh.c_str(), directory.c_str()) != 0) return fail(errno_error("create", directory, errno));
    SAT_TRY(sync_directory(directory.parent_path().empty() ? Path(".") : directory.parent_path()));
    SAT_TRY_VALUE(VaultKeys made, load_vault_keys(directory, passphrase));
    if (made.wallet() != keys.wallet() || made.store.public_key().id() != keys.store.public_key().id())
        return fail(Errc::io_error, "the keys in " + directory.string() + " read back otherwise than they were written",
                    "see who else writes there, and begin with an empty directory");
    return made;
}

Result<VaultKeys> load_vault_keys(const Path& directory, const SecretBytes* passphrase) {
    SAT_TRY_VALUE(IdentityChain chain, read_identity(directory));
    SAT_TRY_VALUE(SigningKey sign, load<SigningKey>(directory / kSignFile, passphrase));
    SAT_TRY_VALUE(KemPrivateKey kem, load<KemPrivateKey>(directory / kKemFile, passphrase));
    SAT_TRY_VALUE(KemPrivateKey store, load<KemPrivateKey>(directory / kStoreFile, passphrase));
    SAT_TRY_VALUE(LogKey log, load<LogKey>(directory / kLogFile, passphrase));
    if (sign.public_key().id() != chain.sign_key().id()) return not_ours(directory / kSignFile);
    if (kem.public_key().id() != chain.kem_key().id()) return not_ours(directory / kKemFile);
    // The identity does not name `store`; the master key that it must open tells later.  In another's role it is
    // refused.
    if (store.public_key().id() == kem.public_key().id() || store.public_key().id() == sign.public_key().id())
        return not_ours(directory / kStoreFile);
    if (!chain.log_key() || log.public_key().id() != chain.log_key()->id()) return not_ours(directory / kLogFile);
    return VaultKeys{std::move(sign), std::move(kem), std::move(store), std::move(log), std::move(chain)};
}

Result<void> write_vault_keys(const Path& directory, const VaultKeys& keys, const SecretBytes* passphrase) {
    const std::array<std::pair<const char*, const KeyHandle*>, 4> files = {{{kSignFile, &keys.sign.handle()},
                                                                            {kKemFile, &keys.kem.handle()},
                                                                            {kStoreFile, &keys.store.handle()},
                                                                            {kLogFile, &keys.log.handle()}}};
    for (const auto& [name, handle] : files) {
        SAT_TRY(pairwise_check(*handle));
        SAT_TRY(save_private_key(directory / name, *handle, passphrase));
    }
    // Of the first `sign`, which is what clients pin.
    SAT_TRY(write_file_atomically(directory / kPublicFile,
                                  as_bytes(public_key_pem(keys.chain.documents().front().sign.spki())),
                                  AtomicFile::Existing::refuse));
    return write_file_atomically(directory / kIdentityFile, as_bytes(dump_json(keys.chain.to_json()) + "\n"),
                                 AtomicFile::Existing::refuse);
}

bool vault_keys_exist(const Path& directory) {
    std::error_code ignored;
    return std::filesystem::exists(directory / kIdentityFile, ignored);
}

bool vault_keys_are_encrypted(const Path& directory) {
    const auto pem = read_secret_file(directory / kSignFile, kMaxKeyFile);
    return pem && private_key_is_encrypted(pem->reveal());
}

Result<IdentityChain> read_vault_identity(const Path& directory) { return read_identity(directory); }

}  // namespace sat
