// claim: asks, waits for the owner, and completes step 11.  Run again, it goes on where it stands:
//
//     newest claim of mine     what is done
//     pending                  wait
//     confirmed                accept, exit 0
//     completed, still mine    exit 0
//     anything else, or none   a new claim
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>

#include "common/interrupt.h"
#include "common/owner_commands.h"
#include "common/retry.h"
#include "ledger/rules.h"
#include "sat-collector/commands.h"

namespace sat {

namespace {

using Clock = std::chrono::steady_clock;

// Seconds that may lie between a claim's making and its arrival at the vault, of whose clock we know it to a second.
constexpr UnixTime kSameLife = 60;

// Events may be missed only when a vault errs; then we ask.
constexpr std::chrono::seconds kAskAgain{30};
// So long a vault may be away, while we wait, before we give up: a computer that starts again, a cable that is found.
constexpr std::chrono::seconds kPatienceWithoutVault{120};
// A vault that has fallen silent is not waited for longer than --wait says, and this.
constexpr std::chrono::seconds kLastAnswer{10};

class Claiming {
public:
    Claiming(ClientApp& app, const KeyHome& home, const SigningKey& key, ArtworkId id)
        : app_(app), home_(home), key_(key), id_(id), until_(Clock::now() + std::chrono::seconds(app.options().wait)) {}

    Result<VerifiedClaim> run() {
        Backoff backoff;
        for (;;) {
            auto claim = attempt();
            if (claim) return claim;
            if (claim.error().code == Errc::cancelled && mine_) return stopped();
            if (!waiting_ || !may_pass_by_itself(claim.error().code)) return claim;
            const auto pause = backoff.next();
            const auto now = Clock::now();
            if (!lost_since_) lost_since_ = now;
            if (now + pause > until_ || now + pause > *lost_since_ + kPatienceWithoutVault)
                return fail(Errc::interrupted, "the connection was lost while waiting: " + claim.error().message,
                            "the claim stays open; run the same command again");
            if (!Interrupt::sleep(pause)) return stopped();
        }
    }

private:
    static tl::unexpected<Error> stopped() {
        return fail(Errc::cancelled, "stopped by a signal", "the claim stays open: run the same command again");
    }

    // Over one connection.
    Result<VerifiedClaim> attempt() {
        SAT_TRY_VALUE(VaultClient * vault, app_.connect());
        // First this, then the question where it stands: nothing falls between.
        SAT_TRY(vault->subscribe());
        SAT_TRY_VALUE(VerifiedClaim claim, find_or_open(*vault));
        mine_ = claim.id();
        lost_since_.reset();
        while (claim.state == ClaimState::pending) {
            const auto now = Clock::now();
            if (now >= until_) return fail(Errc::still_pending, "the owner has not answered yet");
            if (!waiting_) app_.output().note("asked; waiting for the owner");
            waiting_ = true;
            vault->expire_at(until_ + kLastAnswer);
            SAT_TRY_VALUE(claim, next_state(*vault, claim, until_ - now));
        }
        vault->expire_at(Clock::time_point::max());
        return conclude(*vault, claim);
    }

    Result<VerifiedClaim> find_or_open(VaultClient& vault) {
        SAT_TRY_VALUE(const auto claims, vault.my_claims(id_));
        for (const VerifiedClaim& claim : claims) {
            if (!is_open(claim.state) && !(mine_ && claim.id() == *mine_)) continue;
            if (!mine_) tell_what_stays(claim);
            return claim;
        }
        SAT_TRY_VALUE(const auto work, vault.get_proved_work(id_));
        if (work.history.owner() == home_.wallet()) {
            for (const VerifiedClaim& claim : claims)
                if (claim.state == ClaimState::completed) return claim;
            return fail(Errc::forbidden, "this work is yours already");
        }
        // A no that came while nobody here was waiting is not passed over in silence.
        if (!claims.empty() && claims.front().state == ClaimState::declined &&
            claims.front().claim.body.head == work.history.head())
            app_.output().note("the owner declined your last claim" +
                               (claims.front().reason ? ": " + printable(*claims.front().reason) : std::string()) +
                               "; asking again");
        const Options& options = app_.options();
        const std::chrono::seconds life(options.expires.value_or(kDefaultClaimLife));
        return vault.open_claim(work, options.message, life, key_);
    }

    // A claim that is open already keeps the message and the deadline that it was made with.
    void tell_what_stays(const VerifiedClaim& claim) const {
        const Options& options = app_.options();
        if (claim.state != ClaimState::pending) return;
        if (options.message && *options.message != claim.message.value_or(""))
            app_.output().note("your claim is open already; the new message was not sent: withdraw it first");
        const UnixTime life = claim.claim.body.exp - claim.asked_at;
        if (options.expires && std::abs(life - *options.expires) > kSameLife)
            app_.output().note("your claim is open already; it expires as it did: withdraw it first");
    }

    Result<VerifiedClaim> next_state(VaultClient& vault, const VerifiedClaim& claim, Clock::duration left) const {
        std::chrono::milliseconds wait =
            std::chrono::ceil<std::chrono::milliseconds>(std::min<Clock::duration>(left, kAskAgain));
        // Just after a deadline there is something to ask about, whether or not anybody says so.
        if (claim.answer_by) {
            const auto due = std::chrono::seconds(std::max<UnixTime>(*claim.answer_by - vault.vault_now(), 0) + 1);
            wait = std::min<std::chrono::milliseconds>(wait, due);
        }
        const auto until = Clock::now() + wait;
        for (auto now = Clock::now(); now < until; now = Clock::now()) {
            SAT_TRY_VALUE(auto changed, vault.next_change(std::chrono::ceil<std::chrono::milliseconds>(until - now)));
            if (changed && changed->id() == claim.id()) return std::move(*changed);
        }
        return vault.get_claim(claim.id());
    }

    Result<VerifiedClaim> conclude(VaultClient& vault, const VerifiedClaim& claim) {
        switch (claim.state) {
            case ClaimState::completed:
                SAT_TRY(vault.prove_completed(claim));
                return claim;
            case ClaimState::confirmed:
                waiting_ = true;
                return vault.accept_claim(claim, key_);
            case ClaimState::declined:
                if (claim.reason) app_.output().note("the owner says: " + printable(*claim.reason));
                return fail(Errc::declined, "the owner said no");
            case ClaimState::expired:
                return fail(Errc::expired, "the claim expired without coming to an end", "claim the work again");
            case ClaimState::superseded:
                return fail(Errc::superseded, "the work went to somebody else", "claim it from its new owner");
            default:
                return fail(Errc::state, "the claim was withdrawn", "claim the work again");
        }
    }

    ClientApp& app_;
    const KeyHome& home_;
    const SigningKey& key_;
    ArtworkId id_;
    Clock::time_point until_;
    std::optional<StatementId> mine_;
    // A claim is open: from now on a lost connection is worth a new one.
    bool waiting_ = false;
    std::optional<Clock::time_point> lost_since_;
};

}  // namespace

Result<Report> run_claim(ClientApp& app) {
    const Options& options = app.options();
    SAT_TRY_VALUE(const ArtworkId id, ArtworkId::parse(options.id));
    SAT_TRY(check_note("message", options.message));
    SAT_TRY_VALUE(const SigningKey* key, app.signing_key());
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    Claiming claiming(app, *home, *key, id);
    SAT_TRY_VALUE(const VerifiedClaim claim, claiming.run());
    return claim_answer(claim, home->wallet());
}

}  // namespace sat
