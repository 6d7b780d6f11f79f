// A client's home: its keys, its identity, its own metadata.  docs/storage.md, "A client's home".
//
//     sign.pem kem.pem    private keys, PKCS#8, encrypted unless the owner said otherwise
//     identity.jws        the identity chain, a JSON array; written last: a home has a wallet once it is there
//     profile.json        {"v":1,"name":…,"contact":…}: the owner's metadata of step 11
//
// Everything is mode 0600 in a directory of mode 0700.  A wallet's keys are replaced by its own rekey alone
// (key_life.h).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "base/file.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/keys.h"
#include "ledger/identity.h"

namespace sat {

inline constexpr std::size_t kMaxProfileText = 200;  // code points

// What the owner tells about themselves when they take over a work.
struct Profile {
    std::string name;
    std::string contact;

    // bad_data unless both are UTF-8 of at most kMaxProfileText code points.
    Result<void> check() const;
    bool operator==(const Profile&) const = default;
};

class KeyHome {
public:
    struct NewKeys {
        RsaBits bits = RsaBits::b3072;
        const SecretBytes* passphrase = nullptr;  // null: unencrypted
        Profile profile;
        // Where there is a wallet already: its files become <name>.old-<first 8 digits of the wallet>.
        bool force = false;
        // Asked after the keys are made, which takes seconds, and before anything is written.
        std::function<bool()> stopped = nullptr;
    };

    // Makes both key pairs and the identity.  exists: there is a wallet and `force` is not set; bad_data: the profile;
    // config: the directory is open to others; busy: another process makes keys here; cancelled: stopped() said so.
    static Result<KeyHome> create(const Path& directory, const NewKeys& keys, UnixTime now);
    // Whether `directory` holds a wallet.
    static bool exists(const Path& directory) noexcept;
    // Reads identity and profile; no private key is opened.  Finishes a change of keys that was cut off.  config: there
    // is no wallet, or modes or contents are wrong; busy: another process changes the keys.
    static Result<KeyHome> open(const Path& directory);

    const Path& directory() const noexcept { return directory_; }
    const IdentityChain& chain() const noexcept { return chain_; }
    const Wallet& wallet() const noexcept { return chain_.wallet(); }
    const Profile& profile() const noexcept { return profile_; }
    Path sign_file() const { return directory_ / "sign.pem"; }
    Path kem_file() const { return directory_ / "kem.pem"; }

    // Whether opening the keys takes a passphrase.  config: a key file is missing or open to others.
    Result<bool> keys_are_encrypted() const;
    // key_locked: passphrase missing or wrong; config: the file's modes, or a key that is not the identity's.
    Result<SigningKey> unlock_sign(const SecretBytes* passphrase) const;
    Result<KemPrivateKey> unlock_kem(const SecretBytes* passphrase) const;

private:
    KeyHome(Path directory, IdentityChain chain, Profile profile)
        : directory_(std::move(directory)), chain_(std::move(chain)), profile_(std::move(profile)) {}

    Path directory_;
    IdentityChain chain_;
    Profile profile_;
};

// What identity.jws and profile.json hold.
std::string identity_text(const IdentityChain& chain);
std::string profile_text(const Profile& profile);

// The lock under which a home's keys are made and changed; a change that was cut off before is finished.  busy.
Result<FileDescriptor> lock_home(const Path& directory);

// An flock(2) on `path` for a change that takes milliseconds: waits for another process's, busy after 5 s.
Result<FileDescriptor> lock_file_patiently(const Path& path);

}  // namespace sat
