// Statements of people who deal without a program: claims, answers and acceptances as JSON for a raw session.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "support/peer.h"

namespace sat::test {

// A work as its present owner has it.
struct Held {
    std::string artwork;
    LeafHash head;
    std::uint64_t seq = 0;
    Wallet owner;
};

// As artwork.get tells it; nothing where it does not.
std::optional<Held> look_up(Session& session, const std::string& artwork);

struct Statement {
    std::string jws;
    StatementId id;
};
Statement claim_of(const Held& work, const Person& collector, const Wallet& vault);
Statement yes_to(const Held& work, const StatementId& claim, const Wallet& collector, const Person& owner,
                 const Wallet& vault);
// The parameters of claim.accept.
Json acceptance_of(const Held& work, const StatementId& claim, const StatementId& answer, const Person& collector,
                   const Wallet& vault);

// Claim, yes, acceptance, over the two's sessions: whether the work is the collector's afterwards.
bool trade(const std::string& artwork, Session& from, const Person& owner, Session& to, const Person& collector,
           const Wallet& vault);

}  // namespace sat::test
