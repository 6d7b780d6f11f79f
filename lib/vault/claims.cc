// The transfer.  docs/protocol.md, "The transfer's rules".
// SPDX-License-Identifier: Apache-2.0
#include "vault/claims.h"

#include <limits>

#include "base/json.h"
#include "ledger/history.h"
#include "ledger/leaf.h"
#include "ledger/rules.h"
#include "vault/quota.h"
#include "vault/standing.h"
#include "vault/statements.h"
#include "vault/views.h"

namespace sat {

namespace {

constexpr std::size_t kMaxProfileText = 200;  // code points of name and contact
constexpr std::size_t kExpireStep = 100;      // claims in one transaction of the sweeper

tl::unexpected<Error> damaged(const char* how) {
    return fail(Errc::io_error, std::string("the catalogue is damaged: ") + how, "run `sat-vaultd check --repair`");
}

// One that the catalogue has just named.
Result<ClaimRow> named_claim(CatalogReader& catalog, const StatementId& id) {
    SAT_TRY_VALUE(auto row, catalog.claim(id));
    if (!row) return damaged("it names a claim that is not there");
    return std::move(*row);
}

WorkFacts facts_of(const WorkRow& work) { return {work.owner, work.head, work.seq, work.held}; }

// One change to a work's claims: a transaction, what is known in it, and who will be told.
class ClaimChange {
public:
    ClaimChange(VaultCore& core, std::unique_ptr<CatalogTransaction> transaction)
        : core_(core), transaction_(std::move(transaction)), now_(core.now()) {}

    static Result<ClaimChange> begin(VaultCore& core) {
        SAT_TRY_VALUE(auto transaction, core.catalog->begin());
        return ClaimChange(core, std::move(transaction));
    }

    CatalogTransaction& catalog() noexcept { return *transaction_; }
    UnixTime now() const noexcept { return now_; }
    const WorkRow& work() const noexcept { return *work_; }

    // The claim that a repeated statement was about; nothing for a statement that was not heard before.
    Result<std::optional<ClaimRow>> heard(const StatementId& statement, std::string* receipt = nullptr) {
        SAT_TRY_VALUE(const auto outcome, transaction_->outcome(statement));
        if (!outcome || !outcome->claim) return std::optional<ClaimRow>();
        if (receipt != nullptr && outcome->receipt) *receipt = *outcome->receipt;
        auto claim = transaction_->claim(*outcome->claim);
        if (claim && !*claim) return damaged("it names a claim that is not there");
        return claim;
    }

    // Takes the work up, and records which of its claims have passed their deadline.  not_found.
    Result<void> take_up(const ArtworkId& artwork) {
        SAT_TRY_VALUE(work_, transaction_->work(artwork));
        if (!work_) return fail(Errc::not_found, "no such artwork");
        SAT_TRY_VALUE(const auto open, transaction_->open_claims(artwork));
        for (const OpenClaim& claim : open) {
            if (claim.deadline > now_) {
                open_.push_back(claim);
                continue;
            }
            SAT_TRY_VALUE(auto row, named_claim(*transaction_, claim.id));
            SAT_TRY(raise(row, ClaimEvent::time, claim.deadline));
            tell_both(row);
        }
        return {};
    }

    // A claim on this work.
    Result<std::optional<ClaimRow>> find(const StatementId& id) {
        SAT_TRY_VALUE(auto claim, transaction_->claim(id));
        if (claim && claim->artwork != work_->artwork) claim.reset();
        return claim;
    }

    // What the rules say to the event.
    Result<ClaimState> judge(const RuleEvent& event, const ClaimRow* claim) const {
        OtherClaims others;
        for (const OpenClaim& other : open_) {
            if (claim != nullptr && other.id == claim->id) continue;
            ++others.open;
            others.open_by_actor = others.open_by_actor || other.collector == event.actor;
            others.confirmed_at_head =
                others.confirmed_at_head || (other.state == ClaimState::confirmed && other.head == work_->head);
        }
        const std::optional<ClaimFacts> facts = claim == nullptr ? std::nullopt : std::optional(claim->facts());
        return decide(facts_of(*work_), facts ? &*facts : nullptr, others, event, now_);
    }

    // Every other open claim on the work is overtaken; each losing collector is told.
    Result<void> overtake(const StatementId& winner) {
        for (const OpenClaim& open : open_) {
            if (open.id == winner) continue;
            SAT_TRY_VALUE(auto row, named_claim(*transaction_, open.id));
            SAT_TRY(raise(row, ClaimEvent::overtaken, now_));
            tell(row.collector, EventKind::claim_changed, row);
        }
        return {};
    }

    void tell(const Wallet& to, EventKind kind, const ClaimRow& claim) {
        notices_.push_back({to, {kind, view(claim)}});
    }
    void tell_both(const ClaimRow& claim) {
        tell(claim.owner, EventKind::claim_changed, claim);
        tell(claim.collector, EventKind::claim_changed, claim);
    }

    ClaimItem view(const ClaimRow& claim) const { return claim_view(claim, work_->registration, now_); }

    // Before the change has written anything of its own: a refusal may rest on others' statements that are not on the
    // disk yet, and is told only when they are.
    template <typename T>
    Result<T> told(Result<T> judged) {
        if (judged || is_failure(judged.error().code)) return judged;
        SAT_TRY(core_.commit_and_tell(std::move(transaction_), notices_));
        return judged;
    }

    Result<void> commit() && { return core_.commit_and_tell(std::move(transaction_), notices_); }

    // The answer to a statement that was heard before; its first hearing may be on its way to the disk just now.
    Result<ClaimItem> repeat(const ClaimRow& claim) && {
        SAT_TRY_VALUE(ClaimItem view, claim_view(*transaction_, claim, now_));
        SAT_TRY(transaction_->commit());
        return view;
    }

    // An event of the vault's own.
    Result<void> raise(ClaimRow& claim, ClaimEvent event, UnixTime at) {
        RuleEvent raised;
        raised.event = event;
        const ClaimFacts facts = claim.facts();
        SAT_TRY_VALUE(claim.state, decide(facts_of(*work_), &facts, {}, raised, now_));
        claim.changed_at = at;
        return transaction_->update_claim(claim);
    }

private:
    // Of the catalogue itself.
    static bool is_failure(Errc code) {
        return code == Errc::io_error || code == Errc::storage_full || code == Errc::internal;
    }

    VaultCore& core_;
    std::unique_ptr<CatalogTransaction> transaction_;
    UnixTime now_;
    std::optional<WorkRow> work_;
    std::vector<OpenClaim> open_;  // whose deadline has not come
    std::vector<Notice> notices_;
};

// Step 11's metadata: the commitment, and exactly the members that are documented.
Result<void> check_metadata(const Accept& accept, const SaltedMetadata& metadata) {
    if (metadata.commit() != accept.metadata_commit)
        return fail(Errc::hash_mismatch, "metadata that is not what was committed to");
    const auto json = parse_json(metadata.metadata);
    if (!json) return fail(Errc::bad_statement, "metadata that is not JSON");
    ObjectReader in(*json, Errc::bad_statement);
    (void)in.text("name", kMaxProfileText);
    (void)in.text("contact", kMaxProfileText);
    const Wallet wallet = in.digest("wallet_address");
    SAT_TRY(in.finish());
    if (wallet != accept.iss) return fail(Errc::bad_statement, "metadata of another wallet");
    return {};
}

// The caller's identity file, for what is to come to stand in the ledger: before the transaction, since everybody who
// writes would wait for the disk with it.  False, and none is written, where the caller has no part in such a claim, or
// it cannot be seen yet.
Result<bool> keep_identity(VaultCore& core, const Caller& caller, const StatementId& id) {
    {
        SAT_TRY_VALUE(const auto reader, core.catalog->read());
        SAT_TRY_VALUE(const auto claim, reader->claim(id));
        if (!claim || (claim->collector != caller.wallet && claim->owner != caller.wallet)) return false;
    }
    SAT_TRY(core.identity_files->keep(caller.wallet, caller.chain->encode()));
    return true;
}

}  // namespace

Result<ClaimItem> open_claim(VaultCore& core, const Caller& caller, const ClaimOpenRequest& request) {
    SAT_TRY_VALUE(const auto statement, take_statement<Claim>(core, caller, request.claim));
    SAT_TRY(check_text(statement.body.text_commit, request.text));
    SAT_TRY_VALUE(ClaimChange change, ClaimChange::begin(core));
    SAT_TRY_VALUE(const auto heard, change.heard(statement.id));
    if (heard) return std::move(change).repeat(*heard);
    SAT_TRY(change.told(change.take_up(statement.body.artwork)));

    ClaimRow claim;
    SAT_TRY_VALUE(claim.state, change.told(change.judge(event_of(statement), nullptr)));
    SAT_TRY(change.told(check_claim_quota(change.catalog(), core.options.quotas, caller.wallet, change.now())));
    claim.id = statement.id;
    claim.artwork = statement.body.artwork;
    claim.collector = statement.body.iss;
    claim.owner = statement.body.owner;
    claim.head = statement.body.head;
    claim.seq = statement.body.seq;
    claim.asked_at = change.now();
    claim.changed_at = change.now();
    claim.exp = statement.body.exp;
    claim.claim = statement.jws;
    claim.claim_text = request.text;
    SAT_TRY(change.catalog().add_claim(claim));
    SAT_TRY(change.catalog().add_outcome({statement.id, claim.artwork, claim.id, std::nullopt}));
    change.tell(claim.owner, EventKind::claim_opened, claim);
    ClaimItem view = change.view(claim);
    SAT_TRY(std::move(change).commit());
    return view;
}

Result<ClaimItem> withdraw_claim(VaultCore& core, const Caller& caller, const ClaimWithdrawRequest& request) {
    SAT_TRY_VALUE(const auto statement, take_statement<Withdraw>(core, caller, request.withdraw));
    SAT_TRY_VALUE(ClaimChange change, ClaimChange::begin(core));
    SAT_TRY_VALUE(const auto heard, change.heard(statement.id));
    if (heard) return std::move(change).repeat(*heard);
    SAT_TRY(change.told(change.take_up(statement.body.artwork)));

    SAT_TRY_VALUE(auto claim, change.find(statement.body.claim));
    SAT_TRY_VALUE(const ClaimState next, change.told(change.judge(event_of(statement), claim ? &*claim : nullptr)));
    claim->state = next;
    claim->changed_at = change.now();
    SAT_TRY(change.catalog().update_claim(*claim));
    SAT_TRY(change.catalog().add_outcome({statement.id, claim->artwork, claim->id, std::nullopt}));
    change.tell_both(*claim);
    ClaimItem view = change.view(*claim);
    SAT_TRY(std::move(change).commit());
    return view;
}

Result<ClaimItem> answer_claim(VaultCore& core, const Caller& caller, const ClaimAnswerRequest& request) {
    SAT_TRY_VALUE(const auto statement, take_statement<Answer>(core, caller, request.answer));
    SAT_TRY(check_text(statement.body.text_commit, request.text));
    // A yes comes to stand in the ledger, perhaps under a newer key than the owner's leaf.
    bool kept = false;
    if (statement.body.yes) {
        SAT_TRY_VALUE(kept, keep_identity(core, caller, statement.body.claim));
    }
    SAT_TRY_VALUE(ClaimChange change, ClaimChange::begin(core));
    SAT_TRY_VALUE(const auto heard, change.heard(statement.id));
    if (heard) return std::move(change).repeat(*heard);
    SAT_TRY(change.told(change.take_up(statement.body.artwork)));

    SAT_TRY_VALUE(auto claim, change.find(statement.body.claim));
    SAT_TRY_VALUE(const ClaimState next, change.told(change.judge(event_of(statement), claim ? &*claim : nullptr)));
    claim->state = next;
    claim->changed_at = change.now();
    if (statement.body.yes && !kept) SAT_TRY(core.identity_files->keep(caller.wallet, caller.chain->encode()));
    claim->answer = statement.jws;
    claim->answer_id = statement.id;
    claim->answer_exp = statement.body.exp;
    claim->answer_text = request.text;
    SAT_TRY(change.catalog().update_claim(*claim));
    SAT_TRY(change.catalog().add_outcome({statement.id, claim->artwork, claim->id, std::nullopt}));
    change.tell_both(*claim);
    ClaimItem view = change.view(*claim);
    SAT_TRY(std::move(change).commit());
    return view;
}

Result<ClaimAcceptReply> accept_claim(VaultCore& core, const Caller& caller, const ClaimAcceptRequest& request) {
    SAT_TRY_VALUE(const auto statement, take_statement<Accept>(core, caller, request.accept));
    SAT_TRY(check_metadata(statement.body, request.metadata));
    SAT_TRY_VALUE(const bool kept, keep_identity(core, caller, statement.body.claim));
    ClaimAcceptReply reply;
    const auto record = [&]() -> Result<void> {
        SAT_TRY_VALUE(ClaimChange change, ClaimChange::begin(core));
        SAT_TRY_VALUE(const auto heard, change.heard(statement.id, &reply.receipt));
        if (heard) {
            SAT_TRY_VALUE(reply.claim, std::move(change).repeat(*heard));
            return {};
        }
        SAT_TRY(change.told(change.take_up(statement.body.artwork)));
        SAT_TRY_VALUE(auto claim, change.find(statement.body.claim));
        SAT_TRY_VALUE(const ClaimState next, change.told(change.judge(event_of(statement), claim ? &*claim : nullptr)));
        // What a reader of the ledger will ask of these three; the rules have asked it step by step.
        SAT_TRY_VALUE(const auto asked, parse_statement<Claim>(claim->claim));
        if (!claim->answer) return damaged("a confirmed claim has no answer");
        SAT_TRY_VALUE(const auto answered, parse_statement<Answer>(*claim->answer));
        SAT_TRY(check_transfer(asked, answered, statement));
        SAT_TRY(change.told(require_standing(change.catalog(), change.work())));
        if (!kept) SAT_TRY(core.identity_files->keep(caller.wallet, caller.chain->encode()));

        const WorkRow& work = change.work();
        const std::string entry =
            Leaf{LeafType::transfer, change.now(), {claim->claim, *claim->answer, statement.jws}}.encode();
        const LeafHash head = leaf_hash(entry);
        reply.receipt = sign_receipt(core, statement.id, ReceiptStatus::completed, head, change.now());
        claim->state = next;
        claim->changed_at = change.now();
        claim->accept = statement.jws;
        claim->metadata = request.metadata;
        SAT_TRY(change.catalog().update_claim(*claim));
        change.tell_both(*claim);
        SAT_TRY(change.overtake(claim->id));
        SAT_TRY(change.catalog().set_owner(work.artwork, claim->collector, head, work.seq + 1));
        SAT_TRY(change.catalog().append_leaf(work.artwork, head, change.now(), entry));
        SAT_TRY(change.catalog().add_outcome({statement.id, work.artwork, claim->id, reply.receipt}));
        reply.claim = change.view(*claim);
        return std::move(change).commit();
    };
    SAT_TRY(record());
    SAT_TRY(core.sync_before_receipt());
    return reply;
}

Result<ClaimItem> get_claim(VaultCore& core, const Caller& caller, const ClaimGetRequest& request) {
    SAT_TRY_VALUE(const auto reader, core.catalog->read());
    SAT_TRY_VALUE(const auto claim, reader->claim(request.claim));
    if (!claim || (caller.wallet != claim->collector && caller.wallet != claim->owner))
        return fail(Errc::not_found, "no such claim");
    return claim_view(*reader, *claim, core.now());
}

namespace {

// A page of `rows`, which may hold one more than fits, so that the end is known.
Result<ClaimPage> claim_page(VaultCore& core, CatalogReader& reader, const std::vector<ClaimRow>& rows,
                             CursorKind kind) {
    ClaimPage page;
    std::size_t size = 0;
    const UnixTime now = core.now();
    for (const ClaimRow& row : rows) {
        SAT_TRY_VALUE(ClaimItem item, claim_view(reader, row, now));
        size += page_size_of(item);
        if (!page.items.empty() && (page.items.size() == kMaxPageItems || size > kMaxPage)) {
            page.next_cursor = encode_cursor(kind, rows[page.items.size() - 1].number);
            break;
        }
        page.items.push_back(std::move(item));
    }
    return page;
}

}  // namespace

Result<ClaimPage> list_my_claims(VaultCore& core, const Caller& caller, const ClaimMineRequest& request) {
    SAT_TRY_VALUE(const auto before, decode_cursor(CursorKind::mine, request.cursor));
    SAT_TRY_VALUE(const auto reader, core.catalog->read());
    SAT_TRY_VALUE(const auto rows,
                  reader->claims_of(caller.wallet, request.artwork,
                                    before.value_or(std::numeric_limits<std::int64_t>::max()), kMaxPageItems + 1));
    return claim_page(core, *reader, rows, CursorKind::mine);
}

Result<ClaimPage> list_inbox(VaultCore& core, const Caller& caller, const ClaimInboxRequest& request) {
    SAT_TRY_VALUE(const auto after, decode_cursor(CursorKind::inbox, request.cursor));
    SAT_TRY_VALUE(const auto reader, core.catalog->read());
    SAT_TRY_VALUE(const auto rows, reader->inbox(caller.wallet, after.value_or(0), core.now(), kMaxPageItems + 1));
    return claim_page(core, *reader, rows, CursorKind::inbox);
}

Result<std::optional<UnixTime>> expire_claims(VaultCore& core) {
    for (;;) {
        const UnixTime now = core.now();
        {
            SAT_TRY_VALUE(const auto reader, core.catalog->read());
            SAT_TRY_VALUE(const auto next, reader->next_deadline());
            if (!next || *next > now) return next;
        }
        SAT_TRY_VALUE(auto transaction, core.catalog->begin());
        SAT_TRY_VALUE(auto due, transaction->due_claims(now, kExpireStep));
        std::vector<Notice> notices;
        for (ClaimRow& claim : due) {
            // The rule for time: open, and the deadline has come.
            const ClaimFacts facts = claim.facts();
            if (!is_open(claim.state) || deadline(facts) > now) return damaged("a claim's deadline is not its own");
            claim.state = ClaimState::expired;
            claim.changed_at = deadline(facts);
            SAT_TRY(transaction->update_claim(claim));
            SAT_TRY_VALUE(const ClaimItem view, claim_view(*transaction, claim, now));
            for (const Wallet& to : {claim.owner, claim.collector})
                notices.push_back({to, {EventKind::claim_changed, view}});
        }
        SAT_TRY(core.commit_and_tell(std::move(transaction), notices));
    }
}

}  // namespace sat
