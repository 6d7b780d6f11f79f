// Claims: asking, answering, accepting, waiting.  Steps 8 to 11.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/assert.h"
#include "client/vault_client.h"
#include "client/vault_client_impl.h"
#include "ledger/commitment.h"

namespace sat {

namespace {

Result<std::optional<SaltedText>> draw_note(const std::optional<std::string>& text) {
    if (!text || text->empty()) return std::optional<SaltedText>{};
    SAT_TRY_VALUE(auto salted, SaltedText::draw(*text));
    return std::optional(std::move(salted));
}

// Part of every body comes from the vault: what it may have made too large is refused, not asserted.
template <SignedByPerson T>
Result<std::string> sign_checked(const T& body, const SigningKey& key) {
    SAT_TRY(check_limits(body));
    return sign(body, key);
}

// The same claim on a work of the same title: what a person was shown is what the vault answered about.
bool same_claim(const VerifiedClaim& a, const VerifiedClaim& b) {
    return a.id() == b.id() && a.registration.id == b.registration.id;
}

// A yes was recorded, and the claim is not confirmed.
Error not_confirmed(ClaimState state) {
    switch (state) {
        case ClaimState::withdrawn:
            return {Errc::state, "the claim was withdrawn", {}};
        case ClaimState::expired:
            return {Errc::expired, "the claim has expired", {}};
        case ClaimState::superseded:
            return {Errc::superseded, "the work went to somebody else", {}};
        default:
            return {Errc::bad_statement, "the vault took the answer and left the claim as it was", {}};
    }
}

// Watches over the pages of claims, which a vault might never end.
class ClaimPages {
public:
    // `cursor` is what the page was asked for with.
    Result<void> take(const std::optional<std::string>& cursor, const ClaimPage& page) {
        if (page.next_cursor && (page.items.empty() || page.next_cursor == cursor))
            return fail(Errc::malformed, "the vault's pages of claims do not go on");
        for (const ClaimItem& item : page.items) {
            bytes_ += item.claim.size() + item.registration.size();
            if (item.claim_text) bytes_ += item.claim_text->text.size();
            if (item.answer) bytes_ += item.answer->size();
            if (item.answer_text) bytes_ += item.answer_text->text.size();
        }
        if (bytes_ > kMaxListingBytes)
            return fail(Errc::too_large, "the vault lists more claims than this program holds",
                        "name the claim that you mean, by its ID, where a command takes one");
        return {};
    }

private:
    std::size_t bytes_ = 0;
};

// The question runs on the worker; when it is done, whatever the connection waits for is interrupted.  As many events
// wait meanwhile as the connection itself keeps at other times.
asio::awaitable<Result<void>> keep_alive(std::shared_ptr<Connection> connection, asio::thread_pool& worker,
                                         const std::function<void()>& question, std::deque<std::string>& events) {
    bool answered = false;
    Background<bool> asking(connection->executor(),
                            [](asio::thread_pool& pool, const std::function<void()>& ask, bool& done,
                               std::shared_ptr<Connection> waiting) -> asio::awaitable<bool> {
                                co_await on_worker(pool, [&] { ask(); });
                                done = true;
                                waiting->interrupt_idle();
                                co_return true;
                            }(worker, question, answered, connection));
    Result<void> outcome;
    std::size_t bytes = 0;
    for (const std::string& event : events) bytes += kept_event_bytes(event);
    while (!answered) {
        auto event = co_await connection->next_event(std::chrono::seconds(kIdleSeconds));
        if (!event) {
            outcome = fail(std::move(event.error()));
            break;
        }
        if (!*event) continue;
        bytes += kept_event_bytes(**event);
        if (bytes > kMaxKeptEventBytes) {
            Error flooded{Errc::overloaded, "too many events came while a person was asked", {}};
            connection->abort(flooded);
            events.clear();
            outcome = fail(std::move(flooded));
            break;
        }
        events.push_back(std::move(**event));
    }
    co_await asking.join();
    co_return outcome;
}

}  // namespace

Result<VerifiedClaim> VaultClient::verify(const ClaimItem& item) {
    SAT_TRY_VALUE(auto claims, verify_all({item}));
    return std::move(claims.front());
}

Result<std::vector<VerifiedClaim>> VaultClient::verify_all(const std::vector<ClaimItem>& items) {
    std::vector<Wallet> signers;
    for (const ClaimItem& item : items) collect_signers(item, signers);
    SAT_TRY(learn(signers));
    const IdentityLookup lookup = [this](const Wallet& wallet) { return find_identity(wallet); };
    std::vector<VerifiedClaim> claims;
    for (const ClaimItem& item : items) {
        auto claim = verify_claim(item, {vault(), lookup});
        if (!claim && claim.error().code == Errc::bad_signature) {  // keys that were rotated since they were kept
            signers.clear();
            collect_signers(item, signers);
            SAT_TRY(learn(signers, true));
            claim = verify_claim(item, {vault(), lookup});
        }
        if (!claim) return fail(std::move(claim.error()));
        claims.push_back(std::move(*claim));
    }
    return claims;
}

Result<std::vector<VerifiedClaim>> VaultClient::my_claims(const std::optional<ArtworkId>& artwork) {
    std::vector<VerifiedClaim> claims;
    ClaimMineRequest request{artwork, std::nullopt};
    ClaimPages pages;
    do {
        SAT_TRY_VALUE(const ClaimPage page, call(request));
        SAT_TRY(pages.take(request.cursor, page));
        SAT_TRY_VALUE(auto verified, verify_all(page.items));
        for (VerifiedClaim& claim : verified) {
            if (claim.collector() != impl_->home.wallet() || (artwork && claim.artwork() != *artwork))
                return fail(Errc::bad_statement, "the vault gave a claim that was not asked for");
            claims.push_back(std::move(claim));
        }
        request.cursor = page.next_cursor;
    } while (request.cursor);
    return claims;
}

Result<std::vector<VerifiedClaim>> VaultClient::inbox() {
    std::vector<VerifiedClaim> claims;
    ClaimInboxRequest request;
    ClaimPages pages;
    do {
        SAT_TRY_VALUE(const ClaimPage page, call(request));
        SAT_TRY(pages.take(request.cursor, page));
        SAT_TRY_VALUE(auto verified, verify_all(page.items));
        for (VerifiedClaim& claim : verified) {
            if (claim.owner() != impl_->home.wallet())
                return fail(Errc::bad_statement, "the vault gave a claim that is addressed to somebody else");
            claims.push_back(std::move(claim));
        }
        request.cursor = page.next_cursor;
    } while (request.cursor);
    return claims;
}

Result<VerifiedClaim> VaultClient::get_claim(const StatementId& id) {
    SAT_TRY_VALUE(const ClaimItem item, call(ClaimGetRequest{id}));
    SAT_TRY_VALUE(VerifiedClaim claim, verify(item));
    if (claim.id() != id) return fail(Errc::bad_statement, "the vault gave another claim than was asked for");
    return claim;
}

Result<VerifiedClaim> VaultClient::open_claim(const ProvedWork& work, const std::optional<std::string>& message,
                                              std::chrono::seconds life, const SigningKey& key) {
    SAT_TRY(require_no_evidence());
    Claim body = impl_->draft<Claim>();
    body.artwork = work.work.id();
    body.head = work.history.head();
    body.seq = work.history.seq();
    body.owner = work.history.owner();
    body.exp = vault_now() + life.count();
    SAT_TRY_VALUE(const auto note, draw_note(message));
    if (note) body.text_commit = note->commit();
    ClaimOpenRequest request;
    SAT_TRY_VALUE(request.claim, sign_checked(body, key));
    request.text = note;
    SAT_TRY_VALUE(const ClaimItem item, call_surely(request));
    SAT_TRY_VALUE(VerifiedClaim claim, verify(item));
    SAT_TRY_VALUE(const auto mine, parse_statement<Claim>(request.claim));
    if (claim.id() != mine.id || claim.registration.id != work.history.registration.id)
        return fail(Errc::bad_statement, "the vault answered with another claim");
    return claim;
}

Result<VerifiedClaim> VaultClient::withdraw_claim(const VerifiedClaim& claim, const SigningKey& key) {
    Withdraw body = impl_->draft<Withdraw>();
    body.artwork = claim.artwork();
    body.claim = claim.id();
    ClaimWithdrawRequest request;
    SAT_TRY_VALUE(request.withdraw, sign_checked(body, key));
    SAT_TRY_VALUE(const ClaimItem item, call_surely(request));
    SAT_TRY_VALUE(VerifiedClaim after, verify(item));
    if (!same_claim(after, claim) || after.state != ClaimState::withdrawn)
        return fail(Errc::bad_statement, "the vault answered a withdrawal with something else");
    return after;
}

Result<VerifiedClaim> VaultClient::answer_claim(const VerifiedClaim& claim, bool yes,
                                                const std::optional<std::string>& reason, const SigningKey& key) {
    SAT_TRY(require_no_evidence());
    if (yes) {
        // Nobody agrees to a request of which a part is withheld.
        if (claim.claim.body.text_commit && !claim.message)
            return fail(Errc::bad_statement, "the vault withholds what the collector wrote");
        SAT_TRY_VALUE(const History history, get_history(claim.artwork()));
        SAT_TRY(check_current(history, claim));
        SAT_TRY(prove_included(history.head()));
        SAT_TRY(check_seen(claim.claim.body.seen, claim.claim.jws));
    }
    Answer body = impl_->draft<Answer>();
    body.artwork = claim.artwork();
    body.head = claim.claim.body.head;
    body.seq = claim.claim.body.seq;
    body.claim = claim.id();
    body.to = claim.collector();
    body.yes = yes;
    // A minute less than the limit: our idea of the vault's clock is good to a second or two.
    if (yes) body.exp = std::min(vault_now() + kMaxAnswerLife - 60, claim.claim.body.exp);
    SAT_TRY_VALUE(const auto note, draw_note(reason));
    if (note) body.text_commit = note->commit();
    ClaimAnswerRequest request;
    SAT_TRY_VALUE(request.answer, sign_checked(body, key));
    request.text = note;
    SAT_TRY_VALUE(const ClaimItem item, call_surely(request));
    SAT_TRY_VALUE(VerifiedClaim after, verify(item));
    SAT_TRY_VALUE(const auto mine, parse_statement<Answer>(request.answer));
    // Sent once more after a lost reply it is no news any more, and this wallet may have answered elsewhere meanwhile.
    // What it said before is no such answer.
    if (same_claim(after, claim) && after.answer && after.answer->id != mine.id &&
        (!claim.answer || after.answer->id != claim.answer->id))
        return fail(Errc::state, "the claim was answered otherwise meanwhile", "see how it stands by `inbox`");
    if (!same_claim(after, claim) || !after.answer || after.answer->id != mine.id)
        return fail(Errc::bad_statement, "the vault recorded another answer than was given");
    if (yes && after.state != ClaimState::confirmed && after.state != ClaimState::completed)
        return fail(not_confirmed(after.state));
    if (!yes && after.state != ClaimState::declined)
        return fail(Errc::bad_statement, "the vault took the answer and did not decline the claim");
    return after;
}

Result<VerifiedClaim> VaultClient::accept_claim(const VerifiedClaim& claim, const SigningKey& key) {
    SAT_TRY(require_no_evidence());
    SAT_TRY(check_yes(claim, vault_now()));
    SAT_TRY(prove_included(claim.claim.body.head));
    SAT_TRY(check_seen(claim.answer->body.seen, claim.answer->jws));
    const Profile& profile = impl_->home.profile();
    SAT_TRY_VALUE(
        const SaltedMetadata metadata,
        SaltedMetadata::draw(dump_json(Json{
            {"name", profile.name}, {"contact", profile.contact}, {"wallet_address", impl_->home.wallet().hex()}})));
    Accept body = impl_->draft<Accept>();
    body.artwork = claim.artwork();
    body.head = claim.claim.body.head;
    body.seq = claim.claim.body.seq;
    body.claim = claim.id();
    body.answer = claim.answer->id;
    body.metadata_commit = metadata.commit();
    ClaimAcceptRequest request;
    SAT_TRY_VALUE(request.accept, sign_checked(body, key));
    request.metadata = metadata;
    SAT_TRY_VALUE(const ClaimAcceptReply reply, call_surely(request));
    SAT_TRY_VALUE(const auto mine, parse_statement<Accept>(request.accept));
    SAT_TRY_VALUE(const Receipt receipt, check_receipt(reply.receipt, mine.id, ReceiptStatus::completed));
    SAT_TRY_VALUE(VerifiedClaim after, verify(reply.claim));
    if (!same_claim(after, claim) || after.state != ClaimState::completed)
        return fail(Errc::bad_statement, "the vault answered an acceptance with something else");
    SAT_TRY_VALUE(const History history, get_history(claim.artwork()));
    SAT_TRY(check_completed(history, claim));
    const bool there = std::any_of(history.records.begin(), history.records.end(), [&](const OwnershipRecord& record) {
        return record.head == receipt.leaf && record.statement == mine.id && record.owner == impl_->home.wallet();
    });
    if (!there) return fail(Errc::bad_statement, "the vault's receipt names a leaf that its ledger does not hold");
    SAT_TRY(prove_included(receipt.leaf));
    return after;
}

Result<void> VaultClient::prove_completed(const VerifiedClaim& claim) {
    SAT_TRY_VALUE(const ProvedWork proved, get_proved_work(claim.artwork()));
    SAT_TRY(check_completed(proved.history, claim));
    return prove_included(proved.history.records[claim.claim.body.seq + 1].head);
}

Result<void> VaultClient::subscribe() {
    SAT_TRY(call(ClaimSubscribeRequest{}));
    return {};
}

Result<std::optional<VerifiedClaim>> VaultClient::next_change(std::chrono::milliseconds wait) {
    std::optional<std::string> text;
    if (!impl_->events.empty()) {
        text = std::move(impl_->events.front());
        impl_->events.pop_front();
    } else {
        SAT_ASSERT(impl_->connection);
        SAT_TRY_VALUE(text, impl_->run(impl_->connection->next_event(wait)));
    }
    if (!text) return std::optional<VerifiedClaim>{};
    SAT_TRY_VALUE(const Event event, parse_event(*text));
    SAT_TRY_VALUE(VerifiedClaim claim, verify(event.claim));
    return std::optional(std::move(claim));
}

void VaultClient::ask_beside(const std::function<void()>& question) {
    if (!connected()) {
        question();
        return;
    }
    (void)impl_->run(keep_alive(impl_->connection, impl_->worker, question, impl_->events));
}

}  // namespace sat
