// A work and a claim on it as a vault would tell them, each part open to a test's lies.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/work.h"
#include "unit/ledger/ledger_scene.h"

namespace sat {

inline IdentityLookup scene_people() {
    return [](const Wallet& wallet) -> const IdentityChain* {
        for (const char* name : {"alice", "bob", "carol"})
            if (person(name).wallet() == wallet) return &person(name).chain;
        return nullptr;
    };
}

// alice registered it and owns it.
struct WorkScene {
    ArtworkId artwork = ArtworkId::generate();
    Registration registration = registration_of(artwork);

    WorkItem item() const {
        WorkItem work;
        work.registration = sign(registration, person("alice").key);
        work.owner = person("alice").wallet();
        work.head = named("head");
        work.registered_at = kSceneTime;
        return work;
    }
};

// bob asks alice for it.
struct ClaimScene : WorkScene {
    SaltedText message = SaltedText::draw("May I have it?").value();
    SaltedText reason = SaltedText::draw("With pleasure").value();
    Claim claim = make_claim();
    ClaimState state = ClaimState::pending;
    std::optional<Answer> answer;
    const Person* claimer = &person("bob");
    const Person* answerer = &person("alice");

    Claim make_claim() const {
        auto body = said_by<Claim>(person("bob"));
        body.artwork = artwork;
        body.head = named("head");
        body.seq = 0;
        body.owner = person("alice").wallet();
        body.exp = kSceneTime + 1000;
        body.text_commit = message.commit();
        return body;
    }
    std::string claim_jws() {
        if (claim_jws_.empty()) claim_jws_ = sign(claim, claimer->key);
        return claim_jws_;
    }
    ClaimScene& say(bool yes) {
        auto body = said_by<Answer>(person("alice"));
        body.artwork = artwork;
        body.head = claim.head;
        body.seq = claim.seq;
        body.claim = parse_jws(claim_jws())->id;
        body.to = person("bob").wallet();
        body.yes = yes;
        if (yes) body.exp = kSceneTime + 500;
        body.text_commit = reason.commit();
        answer = body;
        state = yes ? ClaimState::confirmed : ClaimState::declined;
        return *this;
    }
    ClaimItem claim_item() {
        ClaimItem told;
        told.claim = claim_jws();
        told.claim_text = message;
        if (answer) {
            told.answer = sign(*answer, answerer->key);
            told.answer_text = reason;
        }
        told.state = state;
        told.asked_at = kSceneTime;
        told.changed_at = kSceneTime;
        told.answer_by = kSceneTime + 1000;
        told.registration = item().registration;
        return told;
    }
    VerifiedClaim verified() {
        const IdentityLookup people = scene_people();
        return verify_claim(claim_item(), {vault_party().chain, people}).value();
    }

private:
    std::string claim_jws_;
};

}  // namespace sat
