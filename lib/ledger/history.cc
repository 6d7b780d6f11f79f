// SPDX-License-Identifier: Apache-2.0
#include "ledger/history.h"

namespace sat {

namespace {

tl::unexpected<Error> contradiction(const char* what) { return fail(Errc::bad_statement, what); }

// Walks the leaves of one work and keeps where it stands.
class Walk {
public:
    Walk(const ArtworkId& artwork, const IdentityChain& vault, const IdentityLookup& identities)
        : artwork_(artwork), vault_(vault), identities_(identities) {}

    Result<void> take(const std::string& entry) {
        SAT_TRY_VALUE(const Leaf leaf, Leaf::parse(entry));
        if ((leaf.type == LeafType::registration) != history_.records.empty())
            return contradiction(history_.records.empty() ? "the history does not begin with a registration"
                                                          : "the work is registered twice");
        switch (leaf.type) {
            case LeafType::registration:
                return take_registration(leaf, leaf_hash(entry));
            case LeafType::transfer:
                return take_transfer(leaf, leaf_hash(entry));
            case LeafType::hold:
                return take_hold(leaf);
            case LeafType::release:
                return take_release(leaf);
        }
        return contradiction("a leaf of an unknown type");
    }

    Result<History> finish() {
        if (history_.records.empty()) return contradiction("the history is empty");
        return std::move(history_);
    }

private:
    // Parsed, for this vault and, where the type names one, for this work; signed by its `iss`.
    template <typename T>
    Result<Signed<T>> open(const std::string& text) const {
        SAT_TRY_VALUE(auto statement, parse_statement<T>(text));
        if (statement.body.vault != vault_.wallet()) return contradiction("a statement made for another vault");
        if (statement.body.artwork != artwork_) return contradiction("a statement about another work");
        const IdentityChain* signer = &vault_;
        if constexpr (SignedByPerson<T>) {
            signer = identities_(statement.body.iss);
            if (signer == nullptr) return fail(Errc::bad_signature, "the identity of a signer is missing");
        }
        SAT_TRY(verify(statement, *signer));
        return statement;
    }

    Result<void> take_registration(const Leaf& leaf, const LeafHash& hash) {
        SAT_TRY_VALUE(auto registration, open<Registration>(leaf.statements[0]));
        history_.records.push_back({0, registration.body.iss, std::nullopt, leaf.at, hash, registration.id});
        history_.registration = std::move(registration);
        return {};
    }

    Result<void> take_transfer(const Leaf& leaf, const LeafHash& hash) {
        SAT_TRY_VALUE(const auto claim, open<Claim>(leaf.statements[0]));
        SAT_TRY_VALUE(const auto answer, open<Answer>(leaf.statements[1]));
        SAT_TRY_VALUE(const auto accept, open<Accept>(leaf.statements[2]));
        SAT_TRY(check_transfer(claim, answer, accept));
        if (history_.held()) return contradiction("a transfer while the work was held");
        if (claim.body.head != history_.head())
            return contradiction("a transfer that does not follow the owner's leaf");
        if (claim.body.seq != history_.seq()) return contradiction("a transfer with a wrong seq");
        if (claim.body.owner != history_.owner()) return contradiction("a transfer by somebody who was not the owner");
        if (leaf.at >= claim.body.exp || leaf.at >= *answer.body.exp)
            return contradiction("a transfer after a deadline of its statements");
        history_.records.push_back({history_.seq() + 1, claim.body.iss, history_.owner(), leaf.at, hash, accept.id});
        return {};
    }

    Result<void> take_hold(const Leaf& leaf) {
        SAT_TRY_VALUE(const auto hold, open<Hold>(leaf.statements[0]));
        if (hold.body.on != history_.head()) return contradiction("a hold on another head");
        if (history_.held()) return contradiction("a hold on a work that was held");
        history_.holds.push_back({leaf.at, std::nullopt, hold.body.reason});
        return {};
    }

    Result<void> take_release(const Leaf& leaf) {
        SAT_TRY_VALUE(const auto release, open<Release>(leaf.statements[0]));
        if (release.body.on != history_.head()) return contradiction("a release on another head");
        if (!history_.held()) return contradiction("a release of a work that was not held");
        history_.holds.back().until = leaf.at;
        return {};
    }

    const ArtworkId& artwork_;
    const IdentityChain& vault_;
    const IdentityLookup& identities_;
    History history_;
};

}  // namespace

Result<void> check_transfer(const Signed<Claim>& claim, const Signed<Answer>& answer, const Signed<Accept>& accept) {
    const Claim& asked = claim.body;
    const Answer& said = answer.body;
    const Accept& taken = accept.body;
    if (said.vault != asked.vault || taken.vault != asked.vault)
        return contradiction("a transfer's statements are for different vaults");
    if (said.artwork != asked.artwork || taken.artwork != asked.artwork)
        return contradiction("a transfer's statements are about different works");
    if (said.head != asked.head || taken.head != asked.head)
        return contradiction("a transfer's statements name different heads");
    if (said.seq != asked.seq || taken.seq != asked.seq)
        return contradiction("a transfer's statements name different seqs");
    if (said.claim != claim.id || taken.claim != claim.id)
        return contradiction("a transfer's statements name different claims");
    if (taken.answer != answer.id) return contradiction("the acceptance names another answer");
    if (!said.yes || !said.exp) return contradiction("the answer is not a yes");
    if (said.to != asked.iss || taken.iss != asked.iss)
        return contradiction("a transfer's statements name different collectors");
    if (said.iss != asked.owner) return contradiction("the answer is not the claim's owner's");
    if (asked.iss == asked.owner) return contradiction("a transfer to the owner");
    if (*said.exp > asked.exp) return contradiction("the answer outlives its claim");
    return {};
}

Result<History> verify_history(const ArtworkId& artwork, const IdentityChain& vault, const IdentityLookup& identities,
                               std::span<const std::string> leaves) {
    if (vault.kind() != IdentityKind::vault) return contradiction("the vault's identity is not a vault's");
    Walk walk(artwork, vault, identities);
    for (const std::string& entry : leaves) SAT_TRY(walk.take(entry));
    return walk.finish();
}

}  // namespace sat
