// A client's home on disk.
// SPDX-License-Identifier: Apache-2.0
#include "client/key_home.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <thread>

#include "base/file_set.h"
#include "base/json.h"
#include "base/text.h"
#include "crypto/key_file.h"

namespace sat {

namespace {

constexpr std::size_t kMaxHomeFile = 64 * 1024;  // an identity chain of four documents has 16 KB
constexpr std::array<const char*, 4> kWalletFiles = {"identity.jws", "sign.pem", "kem.pem", "profile.json"};

Result<IdentityChain> read_identity(const Path& directory) {
    const Path path = directory / "identity.jws";
    const auto broken = [&](const Error& why) {
        return fail(Errc::config, path.string() + " is not an identity: " + why.message,
                    "restore it from your backup of the home");
    };
    auto bytes = read_file(path, kMaxHomeFile);
    if (!bytes) return fail(Errc::config, bytes.error().message);
    const auto json = parse_json(as_text(*bytes));
    if (!json) return broken(json.error());
    auto chain = IdentityChain::from_json(*json);
    if (!chain) return broken(chain.error());
    if (chain->kind() != IdentityKind::user) return broken({Errc::config, "it is a vault's", {}});
    return std::move(*chain);
}

Result<Profile> read_profile(const Path& directory) {
    const Path path = directory / "profile.json";
    if (!is_there(path)) return Profile{};
    auto bytes = read_file(path, kMaxHomeFile);
    if (!bytes) return fail(Errc::config, bytes.error().message);
    auto json = parse_json(as_text(*bytes));
    if (!json) return fail(Errc::config, path.string() + " is not a profile: " + json.error().message);
    ObjectReader in(*json, Errc::config);
    in.integer("v", 1, 1);
    Profile profile{in.text("name", kMaxProfileText), in.text("contact", kMaxProfileText)};
    SAT_TRY(in.finish());
    return profile;
}

// Moves what a wallet is made of to <name>.old-<mark>, never onto something that is there.
Result<void> set_aside(const Path& directory, const std::string& mark) {
    for (const char* name : kWalletFiles) {
        const Path from = directory / name;
        if (!is_there(from)) continue;
        std::string to = from.string() + ".old-" + mark;
        for (int count = 2;; ++count) {
            if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) break;
            if (errno != EEXIST) return fail(errno_error("rename", from, errno));
            to = from.string() + ".old-" + mark + "-" + std::to_string(count);
        }
    }
    return sync_directory(directory);
}

Result<void> write_text(const Path& path, const std::string& text) {
    return write_file_atomically(path, as_bytes(text), AtomicFile::Existing::refuse, 0600);
}

tl::unexpected<Error> foreign_key(const Path& path) {
    return fail(Errc::config, path.string() + " is not the key that identity.jws names",
                "restore the home from your backup");
}

}  // namespace

Result<void> Profile::check() const {
    for (const auto& [name_of, text] : {std::pair{"name", &name}, std::pair{"contact", &contact}}) {
        if (!is_utf8(*text)) return fail(Errc::bad_data, std::string("the ") + name_of + " is not UTF-8");
        if (count_code_points(*text) > kMaxProfileText)
            return fail(Errc::bad_data, std::string("the ") + name_of + " is longer than 200 characters");
    }
    return {};
}

Result<FileDescriptor> lock_file_patiently(const Path& path) {
    constexpr int kTries = 250;
    for (int tries = 1;; ++tries) {
        auto lock = lock_file(path);
        if (lock || lock.error().code != Errc::busy || tries == kTries) return lock;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

std::string identity_text(const IdentityChain& chain) { return dump_json(chain.to_json()) + "\n"; }
std::string profile_text(const Profile& profile) {
    return dump_json(Json{{"v", 1}, {"name", profile.name}, {"contact", profile.contact}}) + "\n";
}

Result<FileDescriptor> lock_home(const Path& directory) {
    SAT_TRY_VALUE(FileDescriptor lock, lock_file(directory / "lock"));
    SAT_TRY(finish_file_set(directory, directory));
    return lock;
}

bool KeyHome::exists(const Path& directory) noexcept {
    return is_there(directory / "identity.jws") || file_set_waits(directory);
}

Result<KeyHome> KeyHome::create(const Path& directory, const NewKeys& keys, UnixTime now) {
    SAT_TRY(keys.profile.check());
    const auto refuse = [&] {
        return fail(Errc::exists, "there is a wallet in " + directory.string() + " already",
                    "use it, name another --home, or --force to put it aside");
    };
    if (exists(directory) && !keys.force) return refuse();
    SAT_TRY(make_private_directory(directory));
    SAT_TRY_VALUE(const FileDescriptor lock, lock_home(directory));
    if (exists(directory) && !keys.force) return refuse();

    const SigningKey sign = SigningKey::generate(keys.bits);
    const KemPrivateKey kem = KemPrivateKey::generate(keys.bits);
    SAT_TRY(pairwise_check(sign.handle()));
    SAT_TRY(pairwise_check(kem.handle()));
    if (keys.stopped && keys.stopped()) return fail(Errc::cancelled, "stopped by a signal");
    IdentityChain chain = make_identity(IdentityKind::user, sign, kem.public_key(), std::nullopt, now);

    // A wallet that is known by name; or key files whose identity was never written, by an init that was cut short.
    std::string mark = "unfinished";
    if (exists(directory)) {
        const auto old = read_identity(directory);
        mark = old ? old->wallet().hex().substr(0, 8) : "unreadable";
    }
    SAT_TRY(set_aside(directory, mark));
    SAT_TRY(save_private_key(directory / "sign.pem", sign.handle(), keys.passphrase));
    SAT_TRY(save_private_key(directory / "kem.pem", kem.handle(), keys.passphrase));
    SAT_TRY(write_text(directory / "profile.json", profile_text(keys.profile)));
    SAT_TRY(write_text(directory / "identity.jws", identity_text(chain)));
    return KeyHome(directory, std::move(chain), keys.profile);
}

Result<KeyHome> KeyHome::open(const Path& directory) {
    if (!exists(directory))
        return fail(Errc::config, "there is no wallet in " + directory.string(),
                    "make one with the command init, or name its --home");
    SAT_TRY(require_private_directory(directory));
    if (file_set_waits(directory)) {
        SAT_TRY_VALUE(const FileDescriptor lock, lock_file_patiently(directory / "lock"));
        SAT_TRY(finish_file_set(directory, directory));
    }
    SAT_TRY_VALUE(IdentityChain chain, read_identity(directory));
    SAT_TRY_VALUE(Profile profile, read_profile(directory));
    return KeyHome(directory, std::move(chain), std::move(profile));
}

Result<bool> KeyHome::keys_are_encrypted() const {
    bool encrypted = false;
    for (const Path& path : {sign_file(), kem_file()}) {
        SAT_TRY(require_private_file(path));
        auto pem = read_secret_file(path, kMaxHomeFile);
        if (!pem) return fail(Errc::config, pem.error().message);
        encrypted = encrypted || private_key_is_encrypted(pem->reveal());
    }
    return encrypted;
}

Result<SigningKey> KeyHome::unlock_sign(const SecretBytes* passphrase) const {
    SAT_TRY_VALUE(KeyHandle handle, load_private_key(sign_file(), passphrase));
    SAT_TRY_VALUE(SigningKey key, SigningKey::from_handle(std::move(handle)));
    if (key.public_key().id() != chain_.sign_key().id()) return foreign_key(sign_file());
    return key;
}

Result<KemPrivateKey> KeyHome::unlock_kem(const SecretBytes* passphrase) const {
    SAT_TRY_VALUE(KeyHandle handle, load_private_key(kem_file(), passphrase));
    SAT_TRY_VALUE(KemPrivateKey key, KemPrivateKey::from_handle(std::move(handle)));
    if (key.public_key().id() != chain_.kem_key().id()) return foreign_key(kem_file());
    return key;
}

}  // namespace sat
