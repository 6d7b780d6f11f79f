// SPDX-License-Identifier: Apache-2.0
#include "ledger/history.h"

namespace sat {

namespace {

tl::unexpected<Error> contradiction(const char* what) { return fail(Errc::bad_statement, what); }

// Judges one leaf.
class LeafCheck {
public:
    LeafCheck(const IdentityChain& vault, const IdentityLookup& identities, const StateLookup& state_of)
        : vault_(vault), identities_(identities), state_of_(state_of) {}

    Result<VerifiedLeaf> run(std::string_view entry) {
        SAT_TRY_VALUE(const Leaf leaf, Leaf::parse(entry));
        out_.type = leaf.type;
        out_.at = leaf.at;
        out_.hash = leaf_hash(entry);
        switch (leaf.type) {
            case LeafType::registration:
                SAT_TRY(take_registration(leaf));
                break;
            case LeafType::transfer:
                SAT_TRY(take_transfer(leaf));
                break;
            case LeafType::hold:
                SAT_TRY(take_hold(leaf));
                break;
            case LeafType::release:
                SAT_TRY(take_release(leaf));
                break;
        }
        return std::move(out_);
    }

private:
    // The statement that says which work the leaf is about.
    template <typename T>
    Result<Signed<T>> open_first(const Leaf& leaf) {
        SAT_TRY_VALUE(const auto statement, parse_statement<T>(leaf.statements[0]));
        out_.artwork = statement.body.artwork;
        SAT_TRY_VALUE(before_, state_of_(out_.artwork));
        const bool begins = leaf.type == LeafType::registration;
        if (begins && before_ != nullptr) return contradiction("the work is registered twice");
        if (!begins && before_ == nullptr) return contradiction("the history does not begin with a registration");
        if (before_ != nullptr) out_.after = *before_;
        return open<T>(leaf.statements[0]);
    }

    // Parsed, for this vault and this work; signed by its `iss`.
    template <typename T>
    Result<Signed<T>> open(const std::string& text) {
        SAT_TRY_VALUE(auto statement, parse_statement<T>(text));
        if (statement.body.vault != vault_.wallet()) return contradiction("a statement made for another vault");
        if (statement.body.artwork != out_.artwork) return contradiction("a statement about another work");
        const IdentityChain* signer = &vault_;
        if constexpr (SignedByPerson<T>) {
            signer = identities_(statement.body.iss);
            if (signer == nullptr) return fail(Errc::bad_signature, "the identity of a signer is missing");
        }
        SAT_TRY(verify(statement, *signer));
        out_.statements.push_back(statement.id);
        if (statement.body.seen) out_.seen.push_back(*statement.body.seen);
        return statement;
    }

    Result<void> take_registration(const Leaf& leaf) {
        SAT_TRY_VALUE(auto registration, open_first<Registration>(leaf));
        out_.after = {registration.body.iss, out_.hash, 0, false};
        out_.registration = std::move(registration);
        return {};
    }

    Result<void> take_transfer(const Leaf& leaf) {
        SAT_TRY_VALUE(const auto claim, open_first<Claim>(leaf));
        SAT_TRY_VALUE(const auto answer, open<Answer>(leaf.statements[1]));
        SAT_TRY_VALUE(const auto accept, open<Accept>(leaf.statements[2]));
        SAT_TRY(check_transfer(claim, answer, accept));
        if (before_->held) return contradiction("a transfer while the work was held");
        if (claim.body.head != before_->head) return contradiction("a transfer that does not follow the owner's leaf");
        if (claim.body.seq != before_->seq) return contradiction("a transfer with a wrong seq");
        if (claim.body.owner != before_->owner) return contradiction("a transfer by somebody who was not the owner");
        if (leaf.at >= claim.body.exp || leaf.at >= *answer.body.exp)
            return contradiction("a transfer after a deadline of its statements");
        out_.after = {claim.body.iss, out_.hash, before_->seq + 1, false};
        return {};
    }

    Result<void> take_hold(const Leaf& leaf) {
        SAT_TRY_VALUE(auto hold, open_first<Hold>(leaf));
        if (hold.body.on != before_->head) return contradiction("a hold on another head");
        if (before_->held) return contradiction("a hold on a work that was held");
        out_.after.held = true;
        out_.reason = std::move(hold.body.reason);
        return {};
    }

    Result<void> take_release(const Leaf& leaf) {
        SAT_TRY_VALUE(const auto release, open_first<Release>(leaf));
        if (release.body.on != before_->head) return contradiction("a release on another head");
        if (!before_->held) return contradiction("a release of a work that was not held");
        out_.after.held = false;
        return {};
    }

    const IdentityChain& vault_;
    const IdentityLookup& identities_;
    const StateLookup& state_of_;
    const WorkState* before_ = nullptr;
    VerifiedLeaf out_;
};

// What a leaf adds to its work's history.
void add(History& history, VerifiedLeaf leaf) {
    switch (leaf.type) {
        case LeafType::registration:
            history.records.push_back({0, leaf.after.owner, std::nullopt, leaf.at, leaf.hash, leaf.statements.front()});
            history.registration = std::move(*leaf.registration);
            return;
        case LeafType::transfer:
            history.records.push_back(
                {leaf.after.seq, leaf.after.owner, history.owner(), leaf.at, leaf.hash, leaf.statements.back()});
            return;
        case LeafType::hold:
            history.holds.push_back({leaf.at, std::nullopt, std::move(leaf.reason)});
            return;
        case LeafType::release:
            history.holds.back().until = leaf.at;
            return;
    }
}

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

Result<VerifiedLeaf> verify_leaf(std::string_view entry, const IdentityChain& vault, const IdentityLookup& identities,
                                 const StateLookup& before) {
    return LeafCheck(vault, identities, before).run(entry);
}

Result<History> verify_history(const ArtworkId& artwork, const IdentityChain& vault, const IdentityLookup& identities,
                               std::span<const std::string> leaves) {
    if (vault.kind() != IdentityKind::vault) return contradiction("the vault's identity is not a vault's");
    History history;
    std::optional<WorkState> state;
    const StateLookup before = [&](const ArtworkId& about) -> Result<const WorkState*> {
        if (about != artwork) return contradiction("a statement about another work");
        return state ? &*state : nullptr;
    };
    for (const std::string& entry : leaves) {
        SAT_TRY_VALUE(auto leaf, verify_leaf(entry, vault, identities, before));
        state = leaf.after;
        add(history, std::move(leaf));
    }
    if (!state) return contradiction("the history is empty");
    return history;
}

}  // namespace sat
