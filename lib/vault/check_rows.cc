// The catalogue's rows.  docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#include "vault/check_rows.h"

#include <unordered_map>

#include "crypto/hash.h"
#include "ledger/rules.h"
#include "vault/words.h"

namespace sat {

namespace {

std::string short_name(const Digest& digest) { return digest.hex().substr(0, 12); }

Result<void> require(bool holds, const char* else_problem) {
    if (holds) return {};
    return fail(Errc::io_error, else_problem);
}

class RowCheck {
public:
    RowCheck(CatalogAudit& audit, const Ledger& ledger, const VaultKeys& keys, const FindIdentity& identities,
             const RowDamage& damaged)
        : audit_(audit), ledger_(ledger), keys_(keys), identities_(identities), damaged_(damaged) {}

    SoundRows run() {
        reached("works", audit_.works([this](Result<WorkRow> work) { take_work(std::move(work)); }));
        for (const ArtworkId& artwork : ledger_.order)
            if (!works_.contains(artwork)) damaged_("work " + artwork.str(), "it is missing");
        check_totals();
        check_artists();
        reached("ids", audit_.ids([this](Result<IdRow> id) { take_id(std::move(id)); }));
        for (const ArtworkId& artwork : ledger_.order)
            if (!ids_.contains(artwork)) damaged_("ID " + artwork.str(), "it is missing");
        reached("identities", audit_.identities([this](const Result<KnownIdentity>& known) { take_identity(known); }));
        for (const Wallet& signer : ledger_.signers) check_signer(signer);
        out_.all_claims =
            reached("claims", audit_.claims([this](Result<AuditedClaim> claim) { take_claim(std::move(claim)); }));
        reached("outcomes", audit_.outcomes([this](Result<OutcomeRow> outcome) { take_outcome(std::move(outcome)); }));
        for (const auto& [statement, leaf] : ledger_.outcomes)
            if (!receipts_.contains(statement))
                damaged_("outcome " + short_name(statement), "the receipt of a leaf is missing");
        for (const auto& [statement, claim] : told_)
            if (!outcomes_.contains(statement))
                damaged_("outcome " + short_name(statement), "a claim's statement has none");
        return std::move(out_);
    }

private:
    bool reached(const char* table, const Result<void>& walked) {
        if (!walked) damaged_(std::string("table ") + table, walked.error().message);
        return walked.has_value();
    }

    // --- works ---

    void take_work(Result<WorkRow> row) {
        if (!row) {
            damaged_("a work", row.error().message);
            return;
        }
        const auto judged = judge_work(*row);
        if (!judged) damaged_("work " + row->artwork.str(), judged.error().message);
        works_.insert(row->artwork);
        bytes_ += row->bytes;
    }

    Result<void> judge_work(const WorkRow& row) {
        const auto found = ledger_.works.find(row.artwork);
        SAT_TRY(require(found != ledger_.works.end(), "the ledger has no such work"));
        const LedgerWork& work = found->second;
        SAT_TRY(require(row.owner == work.state.owner && row.head == work.state.head && row.seq == work.state.seq,
                        "its owner, head or seq is not what its history gives"));
        SAT_TRY(require(row.held == work.state.held, "its history says otherwise whether it is held"));
        SAT_TRY(require(row.number == work.number, "it stands in another place than the ledger has it"));
        SAT_TRY(require(row.registered_at == work.stored.registered_at && row.bytes == work.stored.bytes,
                        "its time or size is not the registered one"));
        SAT_TRY(require(sha256(as_bytes(row.registration)) == work.stored.registration_jws,
                        "its registration is not the ledger's"));
        SAT_TRY_VALUE(const auto registration, parse_statement<Registration>(row.registration));
        RegisteredBy& registered = registered_[registration.body.iss];
        ++registered.works;
        registered.bytes += row.bytes;
        SAT_TRY_VALUE(const auto words, audit_.words_of(row.number, sat::words_of(registration.body)));
        words_ += words.wanted;
        return require(words.found == words.wanted, "words that it is found by are missing");
    }

    void check_totals() {
        const auto judged = [&]() -> Result<void> {
            SAT_TRY_VALUE(const auto totals, audit_.totals());
            SAT_TRY(require(totals.works == works_.size() && totals.bytes == bytes_,
                            "its count of works or bytes is not theirs"));
            SAT_TRY(require(totals.tree == ledger_.head, "its tree head is not that of the ledger's leaves"));
            SAT_TRY_VALUE(const std::uint64_t words, audit_.words());
            SAT_TRY(require(words == words_, "the search index has words that no work is found by"));
            SAT_TRY_VALUE(const std::uint64_t leaves, audit_.leaves());
            SAT_TRY(require(leaves == ledger_.head.size, "it has another number of leaves than the ledger"));
            // A tree of n leaves has a complete node for each time that a power of two fits in.
            std::uint64_t nodes = 0;
            for (std::uint64_t size = ledger_.head.size / 2; size > 0; size /= 2) nodes += size;
            SAT_TRY_VALUE(const std::uint64_t found, audit_.nodes());
            return require(found == nodes, "it has another number of the tree's nodes");
        }();
        if (!judged) damaged_("totals", judged.error().message);
    }

    // Quotas are judged by them.
    void check_artists() {
        std::size_t matching = 0;
        const bool all = reached("artists", audit_.artists([&](const Result<ArtistRow>& row) {
            const auto found = row ? registered_.find(row->wallet) : registered_.end();
            if (found != registered_.end() && found->second.works == row->registered.works &&
                found->second.bytes == row->registered.bytes)
                ++matching;
            else
                damaged_("artist", row ? "what a wallet has registered is not its count" : row.error().message);
        }));
        if (all && matching < registered_.size()) damaged_("artists", "a wallet's count of works is missing or wrong");
    }

    // --- IDs and identities ---

    void take_id(Result<IdRow> row) {
        if (!row) {
            damaged_("an ID", row.error().message);
            return;
        }
        ids_.insert(row->artwork);
        if (row->unfinished && ledger_.works.contains(row->artwork))
            damaged_("ID " + row->artwork.str(), "a work's ID is taken for that of an unfinished upload");
        out_.ids.push_back(*row);
    }

    void take_identity(const Result<KnownIdentity>& known) {
        if (!known) {
            damaged_("an identity", known.error().message);
            return;
        }
        const auto chain = IdentityChain::parse(known->chain);
        if (!chain || chain->wallet() != known->wallet) {
            damaged_("identity " + short_name(known->wallet), "it does not prove itself");
            return;
        }
        chains_[known->wallet] = chain->seq();
    }

    // Nobody could verify a history without them.
    void check_signer(const Wallet& signer) {
        const auto known = chains_.find(signer);
        const auto best = identities_(signer);
        if (known == chains_.end()) {
            damaged_("identity " + short_name(signer), "it is missing");
        } else if (best && known->second < best->seq()) {
            damaged_("identity " + short_name(signer), "an identity file has a newer one");
        }
    }

    // --- claims ---

    void take_claim(Result<AuditedClaim> claim) {
        if (!claim) {
            ++out_.spoilt_claims;
            damaged_("a claim", claim.error().message);
            return;
        }
        const auto judged = judge_claim(*claim);
        if (!judged) {
            ++out_.spoilt_claims;
            damaged_("claim " + short_name(claim->row.id), judged.error().message);
            return;
        }
        claims_[claim->row.id] = claim->row.artwork;
        told_[claim->row.id] = claim->row.id;
        if (claim->row.answer_id) told_[*claim->row.answer_id] = claim->row.id;
        // Its statement was verified.
        if (claim->row.accept)
            if (const auto accept = parse_statement<Accept>(*claim->row.accept)) told_[accept->id] = claim->row.id;
        out_.claims.push_back(std::move(claim->row));
    }

    template <SignedByPerson T>
    Result<Signed<T>> signed_by(const std::string& jws, const Wallet& who) {
        SAT_TRY_VALUE(auto statement, parse_statement<T>(jws));
        SAT_TRY(require(statement.body.iss == who && statement.body.vault == keys_.wallet(),
                        "a statement of it is somebody else's"));
        const auto chain = identities_(who);
        SAT_TRY(require(chain.has_value(), "the identity of its signer is missing"));
        SAT_TRY(verify(statement, *chain));
        return statement;
    }

    static bool same_text(const std::optional<Digest>& commit, const std::optional<SaltedText>& text) {
        return commit.has_value() == text.has_value() && (!text || text->commit() == *commit);
    }

    Result<void> judge_claim(const AuditedClaim& audited) {
        const ClaimRow& row = audited.row;
        const auto work = ledger_.works.find(row.artwork);
        SAT_TRY(require(work != ledger_.works.end(), "the ledger has no such work"));
        SAT_TRY_VALUE(const auto claim, signed_by<Claim>(row.claim, row.collector));
        SAT_TRY(require(claim.id == row.id && claim.body.artwork == row.artwork && claim.body.owner == row.owner &&
                            claim.body.head == row.head && claim.body.seq == row.seq && claim.body.exp == row.exp,
                        "it is not what its statement says"));
        SAT_TRY(require(same_text(claim.body.text_commit, row.claim_text), "its message is not the one committed to"));
        SAT_TRY(judge_answer(row));
        SAT_TRY(judge_accept(row));
        const bool open = is_open(row.state);
        SAT_TRY(require(audited.deadline == (open ? std::optional(deadline(row.facts())) : std::nullopt),
                        "its deadline is not its own"));
        return require(!open || (row.head == work->second.state.head && row.owner == work->second.state.owner),
                       "it is open, and the work has another owner");
    }

    Result<void> judge_answer(const ClaimRow& row) {
        SAT_TRY(require(row.answer.has_value() == row.answer_id.has_value(), "half of its answer is missing"));
        const bool needs = row.state == ClaimState::confirmed || row.state == ClaimState::completed ||
                           row.state == ClaimState::declined;
        if (!row.answer) return require(!needs && !row.answer_exp && !row.answer_text, "its answer is missing");
        SAT_TRY_VALUE(const auto answer, signed_by<Answer>(*row.answer, row.owner));
        SAT_TRY(require(answer.id == *row.answer_id && answer.body.claim == row.id && answer.body.to == row.collector &&
                            answer.body.artwork == row.artwork && answer.body.exp == row.answer_exp,
                        "its answer is not what the answer's statement says"));
        SAT_TRY(require(same_text(answer.body.text_commit, row.answer_text), "its reason is not the one committed to"));
        SAT_TRY(require(row.state != ClaimState::pending, "it is pending, and answered"));
        return require(!needs || answer.body.yes == (row.state != ClaimState::declined),
                       "its state is not the one that its answer leads to");
    }

    Result<void> judge_accept(const ClaimRow& row) {
        if (row.state != ClaimState::completed)
            return require(!row.accept && !row.metadata, "it is accepted, and not completed");
        SAT_TRY(require(row.accept.has_value(), "its acceptance is missing"));
        SAT_TRY_VALUE(const auto accept, signed_by<Accept>(*row.accept, row.collector));
        SAT_TRY(require(accept.body.claim == row.id && accept.body.answer == row.answer_id,
                        "its acceptance is another claim's"));
        SAT_TRY(require(!row.metadata || row.metadata->commit() == accept.body.metadata_commit,
                        "its metadata is not the one committed to"));
        return require(ledger_.outcomes.contains(accept.id), "it is completed, and the ledger has no such transfer");
    }

    // --- outcomes ---

    void take_outcome(Result<OutcomeRow> outcome) {
        if (!outcome) {
            damaged_("an outcome", outcome.error().message);
            return;
        }
        const auto judged = judge_outcome(*outcome);
        if (!judged) {
            damaged_("outcome " + short_name(outcome->statement), judged.error().message);
            return;
        }
        if (outcome->receipt) receipts_.insert(outcome->statement);
        outcomes_.insert(outcome->statement);
        out_.outcomes.push_back(std::move(*outcome));
    }

    Result<void> judge_outcome(const OutcomeRow& outcome) {
        SAT_TRY(require(ledger_.works.contains(outcome.artwork), "the ledger has no such work"));
        if (outcome.claim) {
            const auto claim = claims_.find(*outcome.claim);
            SAT_TRY(require(claim != claims_.end() && claim->second == outcome.artwork,
                            "it names a claim that is not sound, or not on its work"));
        }
        const auto told = told_.find(outcome.statement);
        SAT_TRY(require(told == told_.end() || outcome.claim == told->second, "it does not name its claim"));
        if (!outcome.receipt) return require(outcome.claim.has_value(), "it says nothing");
        SAT_TRY_VALUE(const auto receipt, parse_and_verify<Receipt>(*outcome.receipt, keys_.chain));
        const auto leaf = ledger_.outcomes.find(outcome.statement);
        return require(
            receipt.body.of == outcome.statement && leaf != ledger_.outcomes.end() && leaf->second == receipt.body.leaf,
            "its receipt is not of a leaf of the ledger");
    }

    CatalogAudit& audit_;
    const Ledger& ledger_;
    const VaultKeys& keys_;
    const FindIdentity& identities_;
    const RowDamage& damaged_;
    SoundRows out_;
    std::unordered_set<ArtworkId> works_;
    std::unordered_set<ArtworkId> ids_;
    std::unordered_map<StatementId, ArtworkId> claims_;
    std::unordered_map<StatementId, StatementId> told_;  // a sound claim's statements, and the claim
    std::unordered_set<StatementId> outcomes_;           // that are sound
    std::unordered_set<StatementId> receipts_;
    std::unordered_map<Wallet, RegisteredBy> registered_;
    std::unordered_map<Wallet, std::uint64_t> chains_;  // sound ones' seq
    std::uint64_t bytes_ = 0;
    std::uint64_t words_ = 0;
};

}  // namespace

SoundRows check_rows(CatalogAudit& audit, const Ledger& ledger, const VaultKeys& keys, const FindIdentity& identities,
                     const RowDamage& damaged) {
    return RowCheck(audit, ledger, keys, identities, damaged).run();
}

}  // namespace sat
