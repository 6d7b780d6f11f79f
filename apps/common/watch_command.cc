// watch: stay connected, show each claim as it comes, and on a terminal ask for the answer there and then.  Steps
// 9, 10.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "base/text.h"
#include "common/exit_codes.h"
#include "common/interrupt.h"
#include "common/owner_commands.h"
#include "common/retry.h"
#include "common/views.h"

namespace sat {

namespace {

class Watch {
public:
    Watch(ClientApp& app, const KeyHome& home, const SigningKey* key) : app_(app), home_(home), key_(key) {}

    // Until --once is content, a signal comes, or something happens that no new connection mends.  The exit code: a
    // signal is how a watch that has begun ends, and no error.
    Result<int> run() {
        Backoff backoff;
        for (bool met = false;;) {
            auto done = watch_connection(met, backoff);
            if (done) return kExitDone;
            if (met && done.error().code == Errc::cancelled) break;
            if (!met || !may_pass_by_itself(done.error().code)) return fail(std::move(done.error()));
            app_.output().note("the connection ended: " + done.error().message + "; trying again");
            if (!Interrupt::sleep(backoff.next())) break;
        }
        return exit_code(Errc::cancelled, Interrupt::signal());
    }

private:
    Result<void> watch_connection(bool& met, Backoff& backoff) {
        SAT_TRY_VALUE(VaultClient * vault, app_.connect());
        SAT_TRY(vault->subscribe());
        SAT_TRY_VALUE(const auto waiting, vault->inbox());
        if (!met) app_.output().note("watching for claims on " + vault->address().text() + "; Ctrl-C ends it");
        met = true;
        backoff.reset();
        for (const VerifiedClaim& claim : waiting) {
            if (claim.state == ClaimState::pending) SAT_TRY(show(*vault, claim));
        }
        while (!(app_.options().once && handled_ > 0)) {
            SAT_TRY_VALUE(const auto claim, vault->next_change(std::chrono::hours(1)));
            if (claim && claim->owner() == home_.wallet()) SAT_TRY(show(*vault, *claim));
        }
        vault->close();
        return {};
    }

    // Once for each claim and state: an event and a page may both have it.
    Result<void> show(VaultClient& vault, const VerifiedClaim& claim) {
        const bool pending = claim.state == ClaimState::pending;
        if (app_.options().once && (!pending || handled_ > 0)) return {};
        const auto key = std::make_pair(claim.id(), claim.state);
        if (!shown_.insert(key).second) return {};
        SAT_TRY(app_.output().item(claim_answer(claim, home_.wallet())));
        if (!pending) return {};
        if (key_ != nullptr) {
            auto answered = ask(vault, claim);
            if (!answered) {
                // Asked again when the connection is back.
                shown_.erase(key);
                return answered;
            }
        }
        ++handled_;
        return {};
    }

    struct Wish {
        enum class Kind { later, yes, no };
        Kind kind = Kind::later;
        std::optional<std::string> reason;
    };

    static Result<Wish> ask_person() {
        auto terminal = Terminal::open();
        if (!terminal) return Wish{};
        for (;;) {
            SAT_TRY_VALUE(auto line, terminal->ask("Give this work to them? [yes/no/later] "));
            if (!line) return Wish{};
            const std::string_view word = *line;
            if (word == "later" || word == "l") return Wish{};
            if (word == "yes" || word == "y" || word == "Y") return Wish{Wish::Kind::yes, std::nullopt};
            if (word != "no" && word != "n" && word != "N") continue;
            for (;;) {
                SAT_TRY_VALUE(auto reason, terminal->ask("A reason for them, or nothing: "));
                if (reason && reason->empty()) reason.reset();
                if (check_note("reason", reason)) return Wish{Wish::Kind::no, std::move(reason)};
                terminal->show("At most 280 characters, please.\n");
            }
        }
    }

    Result<void> ask(VaultClient& vault, const VerifiedClaim& claim) {
        Result<Wish> wish = Wish{Wish::Kind::yes, std::nullopt};
        if (!app_.options().yes) vault.ask_beside([&] { wish = ask_person(); });
        if (!wish) return fail(wish.error());
        if (wish->kind == Wish::Kind::later) {
            app_.output().note("it waits in the inbox");
            return {};
        }
        const bool yes = wish->kind == Wish::Kind::yes;
        auto answered = vault.answer_claim(claim, yes, wish->reason, *key_);
        if (answered) {
            shown_.insert({answered->id(), answered->state});
            app_.output().note(yes ? "said yes; the collector completes it" : "said no");
            return {};
        }
        // What happened to the claim meanwhile is no reason to stop watching.
        switch (answered.error().code) {
            case Errc::head_moved:
            case Errc::state:
            case Errc::expired:
            case Errc::superseded:
            case Errc::not_found:
            case Errc::not_owner:
            case Errc::held:
                app_.output().note("not answered: " + answered.error().message);
                return {};
            default:
                return fail(std::move(answered.error()));
        }
    }

    ClientApp& app_;
    const KeyHome& home_;
    const SigningKey* key_;  // where there is somebody to ask, or --yes
    std::set<std::pair<StatementId, ClaimState>> shown_;
    std::size_t handled_ = 0;
};

}  // namespace

Result<Report> run_watch(ClientApp& app) {
    const SigningKey* key = nullptr;
    if (app.options().yes || (app.may_ask() && Terminal::open())) {
        SAT_TRY_VALUE(key, app.signing_key());
    }
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    Watch watch(app, *home, key);
    Report answer;
    SAT_TRY_VALUE(answer.exit, watch.run());
    answer.shown = true;
    return answer;
}

}  // namespace sat
