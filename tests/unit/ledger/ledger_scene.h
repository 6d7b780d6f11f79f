// An artist, two collectors and a vault with their keys and chains, and a work that passes between them: the language
// of the statement, leaf and history tests.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "ledger/history.h"
#include "support/keys.h"

namespace sat {

inline constexpr UnixTime kSceneTime = 1790000000;

struct Person {
    const SigningKey& key;
    IdentityChain chain;
    const Wallet& wallet() const { return chain.wallet(); }
};

inline const Person& person(const std::string& name) {
    static std::map<std::string, Person> people;
    auto found = people.find(name);
    if (found == people.end()) {
        const SigningKey& key = test_signing_key(name);
        found =
            people
                .emplace(name, Person{key, make_identity(IdentityKind::user, key, test_kem_key("alice").public_key(),
                                                         std::nullopt, kSceneTime)})
                .first;
    }
    return found->second;
}

struct VaultParty {
    const LogKey& log;
    IdentityChain chain;
    const Wallet& wallet() const { return chain.wallet(); }
};

inline const VaultParty& vault_party() {
    static const LogKey& log = test_log_key("vault");
    static const VaultParty vault{log, make_identity(IdentityKind::vault, test_signing_key("vault"),
                                                     test_kem_key("vault").public_key(), log.public_key(), kSceneTime)};
    return vault;
}

inline Digest named(std::string_view name) { return sha256(as_bytes(name)); }

// A T of `who`'s at the scene's vault.
template <SignedByPerson T>
T said_by(const Person& who) {
    return make_statement<T>(who.wallet(), vault_party().wallet(), kSceneTime);
}
template <SignedByVault T>
T said_by_vault() {
    return make_statement<T>(vault_party().wallet(), vault_party().wallet(), kSceneTime);
}

inline Registration registration_of(const ArtworkId& artwork) {
    auto body = said_by<Registration>(person("alice"));
    body.artwork = artwork;
    body.title = "Boats";
    body.description = "Oil on wood";
    body.artist = "A. Rtist";
    body.creation_date = "2026-02-28";
    body.file_path = "boats.tiff";
    body.media_type = "image/tiff";
    body.bytes = 70000;
    body.width = 200;
    body.height = 350;
    body.sha256 = named("image");
    body.preview = PreviewInfo{named("preview"), 7, "image/jpeg"};
    return body;
}

// A statement that was just signed, with its name.
template <AnyStatement T>
Signed<T> parsed(const std::string& jws) {
    return parse_statement<T>(jws).value();
}

}  // namespace sat
