// The rebuilt catalogue.  docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#include "vault/rebuild.h"

#include <unordered_map>
#include <unordered_set>

#include "ledger/leaf.h"
#include "store/sqlite_catalog.h"
#include "vault/words.h"

namespace sat {

namespace {

// Rows of one transaction, about.  SQLite walks over all that a transaction has changed at the end of each statement in
// it: one transaction of a million works would take days.  Nobody reads the file before all of them are committed.
constexpr std::uint64_t kRowsAtOnce = 250;

class Rebuild {
public:
    Rebuild(const RebuildFrom& from, SqliteCatalog& catalog) : from_(from), file_(catalog) {
        for (const ClaimRow& claim : from.rows.claims) claims_.insert(claim.id);
        for (const OutcomeRow& outcome : from.rows.outcomes) outcomes_[outcome.statement] = &outcome;
    }

    Result<void> run() {
        SAT_TRY(take_rows());
        SAT_TRY_VALUE(const TreeHead head, catalog_->tree_head());
        if (head != from_.ledger.head) return fail(Errc::io_error, "the rebuilt catalogue has another root");
        return catalog_->commit();
    }

    std::uint64_t claims() const noexcept { return added_; }

private:
    Result<void> take_rows() {
        SAT_TRY_VALUE(catalog_, file_.begin());
        for (const KnownIdentity& identity : from_.known) {
            SAT_TRY(catalog_->put_identity(identity.wallet, identity.chain));
            SAT_TRY(wrote_one());
        }
        LedgerVisitor visitor;
        visitor.leaf = [this](const LeafCopies& copies, const Result<VerifiedLeaf>& leaf, const LedgerWork* work) {
            return take_leaf(copies, leaf, work);
        };
        SAT_TRY_VALUE(const Ledger again, walk_ledger(from_.sources, from_.keys.chain, from_.identities, visitor));
        if (again.head != from_.ledger.head)
            return fail(Errc::io_error, "the ledger changed while the catalogue was rebuilt", "try again");
        for (const ClaimRow& claim : from_.rows.claims) SAT_TRY(add_claim(claim));
        for (const OutcomeRow& outcome : from_.rows.outcomes)
            if (recorded_.insert(outcome.statement).second) SAT_TRY(add_outcome(outcome));
        // By these a repeated statement is known.
        for (const ClaimRow& claim : from_.rows.claims) {
            SAT_TRY(tell(claim.id, claim));
            if (claim.answer_id) SAT_TRY(tell(*claim.answer_id, claim));
        }
        for (const IdRow& id : from_.rows.ids) {
            if (from_.ledger.works.contains(id.artwork)) continue;
            SAT_TRY_VALUE(const bool is_new, catalog_->give_out(id.artwork));
            if (is_new && !id.unfinished) SAT_TRY(catalog_->abandon(id.artwork));
            SAT_TRY(wrote_one());
        }
        return {};
    }

    Result<void> wrote_one() {
        if (++rows_ % kRowsAtOnce != 0) return {};
        SAT_TRY(catalog_->commit());
        // It lets go of the writer before the next one takes it.
        catalog_.reset();
        SAT_TRY_VALUE(catalog_, file_.begin());
        return {};
    }

    Result<void> add_claim(const ClaimRow& claim) {
        ++added_;
        SAT_TRY(catalog_->add_claim(claim));
        return wrote_one();
    }

    Result<void> add_outcome(const OutcomeRow& outcome) {
        SAT_TRY(catalog_->add_outcome(outcome));
        return wrote_one();
    }

    Result<void> tell(const StatementId& statement, const ClaimRow& claim) {
        if (!recorded_.insert(statement).second) return {};
        return add_outcome({statement, claim.artwork, claim.id, std::nullopt});
    }

    Result<void> take_leaf(const LeafCopies& copies, const Result<VerifiedLeaf>& leaf, const LedgerWork* work) {
        if (!leaf) return fail(leaf.error());
        SAT_TRY_VALUE(const Leaf parsed, Leaf::parse(copies.entry));
        switch (leaf->type) {
            case LeafType::registration:
                SAT_TRY(add_work(*leaf, *work));
                break;
            case LeafType::transfer:
                SAT_TRY(catalog_->set_owner(leaf->artwork, leaf->after.owner, leaf->after.head, leaf->after.seq));
                SAT_TRY(add_transfer(*leaf, parsed));
                break;
            case LeafType::hold:
            case LeafType::release:
                SAT_TRY(catalog_->set_held(leaf->artwork, leaf->after.held));
                break;
        }
        return catalog_->append_sealed_leaf(leaf->artwork, leaf->hash, leaf->at, *copies.sealed);
    }

    Result<void> add_work(const VerifiedLeaf& leaf, const LedgerWork& work) {
        const auto file = from_.work_file(work.stored);
        WorkRow row;
        row.artwork = leaf.artwork;
        row.owner = leaf.after.owner;
        row.head = leaf.after.head;
        row.registered_at = leaf.at;
        row.bytes = work.stored.bytes;
        row.registration = leaf.registration->jws;
        if (file) {
            row.origin = file->origin;
        } else if (const auto origin = from_.origin(leaf.artwork)) {
            row.origin = *origin;
        }
        SAT_TRY_VALUE(const bool is_new, catalog_->give_out(leaf.artwork));
        if (!is_new) return fail(Errc::io_error, "the ledger registers a work twice");
        SAT_TRY(catalog_->add_work(row, words_of(leaf.registration->body)));
        const std::optional<std::string> kept = file ? std::optional(file->receipt) : std::nullopt;
        return add_receipt(leaf.statements.front(), leaf.artwork, std::nullopt, ReceiptStatus::registered, leaf.hash,
                           kept);
    }

    Result<void> add_receipt(const StatementId& of, const ArtworkId& artwork, const std::optional<StatementId>& claim,
                             ReceiptStatus status, const LeafHash& leaf, const std::optional<std::string>& kept) {
        recorded_.insert(of);
        const auto known = outcomes_.find(of);
        OutcomeRow outcome{of, artwork, claim, kept};
        if (known != outcomes_.end() && known->second->receipt) outcome.receipt = known->second->receipt;
        if (!outcome.receipt) outcome.receipt = sign_receipt_again(from_, of, status, leaf);
        return add_outcome(outcome);
    }

    // A transfer's claim, where it did not survive, as its statements tell it.  One that had a message or a reason
    // cannot be told without them.
    Result<void> add_transfer(const VerifiedLeaf& leaf, const Leaf& parsed) {
        const StatementId& id = leaf.statements[0];
        bool there = claims_.contains(id);
        if (!there) {
            SAT_TRY_VALUE(const auto claim, parse_statement<Claim>(parsed.statements[0]));
            SAT_TRY_VALUE(const auto answer, parse_statement<Answer>(parsed.statements[1]));
            if (!claim.body.text_commit && !answer.body.text_commit) {
                ClaimRow row;
                row.id = id;
                row.artwork = leaf.artwork;
                row.collector = claim.body.iss;
                row.owner = claim.body.owner;
                row.head = claim.body.head;
                row.seq = claim.body.seq;
                row.state = ClaimState::completed;
                row.asked_at = leaf.at;
                row.changed_at = leaf.at;
                row.exp = claim.body.exp;
                row.answer_id = answer.id;
                row.answer_exp = answer.body.exp;
                row.claim = claim.jws;
                row.answer = answer.jws;
                row.accept = parsed.statements[2];
                SAT_TRY(add_claim(row));
                there = true;
                for (const StatementId& statement : {id, answer.id}) {
                    recorded_.insert(statement);
                    SAT_TRY(add_outcome({statement, leaf.artwork, id, std::nullopt}));
                }
            }
        }
        return add_receipt(leaf.statements[2], leaf.artwork, there ? std::optional(id) : std::nullopt,
                           ReceiptStatus::completed, leaf.hash, std::nullopt);
    }

    const RebuildFrom& from_;
    SqliteCatalog& file_;
    std::unique_ptr<CatalogTransaction> catalog_;
    std::uint64_t rows_ = 0;
    std::unordered_set<StatementId> claims_;  // that survived
    std::unordered_map<StatementId, const OutcomeRow*> outcomes_;
    std::unordered_set<StatementId> recorded_;
    std::uint64_t added_ = 0;
};

Result<void> remove_database(const Path& file) {
    for (const char* suffix : {"", "-wal", "-shm"}) {
        std::error_code error;
        Path left = file;
        left += suffix;
        std::filesystem::remove(left, error);
        if (error) return fail(errno_error("remove", left, error.value()));
    }
    return {};
}

// A commit lies in the -wal, and closing a database does not tell whether a full disk kept it out of the file.
Result<void> settle(const Path& fresh, const RebuildFrom& from, std::uint64_t claims) {
    {
        SAT_TRY_VALUE(const auto audit, CatalogAudit::open(fresh, from.master, from.keys.wallet()));
        SAT_TRY(audit->empty_log());
    }
    Path log = fresh;
    log += "-wal";
    std::error_code error;
    if (const auto left = std::filesystem::file_size(log, error); !error && left > 0)
        return fail(Errc::io_error, "the rebuilt catalogue is not in one file");
    {
        SAT_TRY_VALUE(const FileDescriptor fd, open_regular(fresh));
        SAT_TRY(sync_fd(fd.get(), fresh));
    }
    SAT_TRY_VALUE(const auto audit, CatalogAudit::open(fresh, from.master, from.keys.wallet()));
    SAT_TRY_VALUE(const auto lines, audit->integrity());
    SAT_TRY_VALUE(const auto totals, audit->totals());
    std::uint64_t there = 0;
    SAT_TRY(audit->claims([&](const Result<AuditedClaim>& claim) { there += claim ? 1U : 0U; }));
    if (!lines.empty() || !audit->problems().empty() || totals.tree != from.ledger.head || there != claims)
        return fail(Errc::io_error, "the rebuilt catalogue does not read back as it was written");
    return {};
}

}  // namespace

std::string sign_receipt_again(const RebuildFrom& from, const StatementId& of, ReceiptStatus status,
                               const LeafHash& leaf) {
    auto receipt = make_statement<Receipt>(from.keys.wallet(), from.keys.wallet(), from.now);
    receipt.of = of;
    receipt.status = status;
    receipt.copies = from.copies;
    receipt.leaf = leaf;
    return sign(receipt, from.keys.log);
}

Result<void> rebuild_catalog(const Path& fresh, const RebuildFrom& from) {
    const auto rebuild = [&]() -> Result<void> {
        SAT_TRY(remove_database(fresh));
        std::uint64_t claims = 0;
        {
            SAT_TRY_VALUE(const auto catalog, SqliteCatalog::open(fresh, from.master, from.keys.wallet()));
            Rebuild rows(from, *catalog);
            SAT_TRY(rows.run());
            claims = rows.claims();
        }
        SAT_TRY(settle(fresh, from, claims));
        for (const char* suffix : {"-wal", "-shm"}) {
            Path left = fresh;
            left += suffix;
            std::error_code ignored;
            std::filesystem::remove(left, ignored);
        }
        return {};
    };
    auto done = rebuild();
    if (!done) (void)remove_database(fresh);
    return done;
}

}  // namespace sat
