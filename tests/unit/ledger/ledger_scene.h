// An artist, two collectors and a vault with their keys and chains, and a work that passes between them: the language
// of the statement, leaf, history and certificate tests.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
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

// What one transfer of a test's says or does wrong.
struct Lie {
    std::function<void(Claim&)> claim = [](Claim&) {};
    std::function<void(Answer&)> answer = [](Answer&) {};
    std::function<void(Accept&)> accept = [](Accept&) {};
    const Person* claimer = nullptr;  // who signs instead
    const Person* answerer = nullptr;
    const Person* accepter = nullptr;
    UnixTime delay = 10;
};

// A ledger of one work.  Every step is signed by the right parties; the hooks let a test make one of them lie.
class Ledger {
public:
    ArtworkId artwork = ArtworkId::generate();
    std::vector<std::string> leaves;
    LeafHash head;
    std::uint64_t seq = 0;
    const Person* owner = &person("alice");
    UnixTime now = kSceneTime;

    Ledger& begin(const std::function<void(Registration&)>& change = [](Registration&) {}) {
        Registration body = registration_of(artwork);
        change(body);
        add({LeafType::registration, now, {sign(body, person("alice").key)}});
        head = leaf_hash(leaves.back());
        return *this;
    }

    Ledger& transfer(const Person& to, const Lie& lie = Lie()) {
        auto claim = said_by<Claim>(to);
        claim.artwork = artwork;
        claim.head = head;
        claim.seq = seq;
        claim.owner = owner->wallet();
        claim.exp = now + 1000;
        lie.claim(claim);
        const std::string claim_text = sign(claim, (lie.claimer != nullptr ? *lie.claimer : to).key);
        auto answer = said_by<Answer>(*owner);
        answer.artwork = artwork;
        answer.head = head;
        answer.seq = seq;
        answer.claim = parse_jws(claim_text)->id;
        answer.to = to.wallet();
        answer.yes = true;
        answer.exp = now + 500;
        lie.answer(answer);
        const std::string answer_text = sign(answer, (lie.answerer != nullptr ? *lie.answerer : *owner).key);
        auto accept = said_by<Accept>(to);
        accept.artwork = artwork;
        accept.head = head;
        accept.seq = seq;
        accept.claim = parse_jws(claim_text)->id;
        accept.answer = parse_jws(answer_text)->id;
        lie.accept(accept);
        const std::string accept_text = sign(accept, (lie.accepter != nullptr ? *lie.accepter : to).key);
        now += lie.delay;
        add({LeafType::transfer, now, {claim_text, answer_text, accept_text}});
        head = leaf_hash(leaves.back());
        owner = &to;
        ++seq;
        return *this;
    }

    template <typename T>
    Ledger& hold_or_release(const std::function<void(T&)>& change = [](T&) {}) {
        T body = said_by_vault<T>();
        body.artwork = artwork;
        body.on = head;
        body.reason = "a question of title";
        change(body);
        now += 10;
        add({std::is_same_v<T, Hold> ? LeafType::hold : LeafType::release, now, {sign(body, vault_party().log)}});
        return *this;
    }

    void add(const Leaf& leaf) { leaves.push_back(leaf.encode()); }

    Result<History> verify() const {
        return verify_history(
            artwork, vault_party().chain,
            [](const Wallet& wallet) -> const IdentityChain* {
                for (const char* name : {"alice", "bob", "carol"})
                    if (person(name).wallet() == wallet) return &person(name).chain;
                return nullptr;
            },
            leaves);
    }
    // The refusal's code and message, or "sound".
    std::string verdict() const {
        const auto history = verify();
        if (history) return "sound";
        return std::string(errc_name(history.error().code)) + ": " + history.error().message;
    }
};

inline Ledger registered() { return std::move(Ledger().begin()); }

}  // namespace sat
