// The owner's commands.
// SPDX-License-Identifier: Apache-2.0
#include "common/owner_commands.h"

#include <algorithm>

#include "base/text.h"
#include "common/exit_codes.h"
#include "common/interrupt.h"
#include "common/views.h"

namespace sat {

namespace {

// A home that knows the vault by another key is not given a new wallet first and an error then.
Result<void> require_pinned_key(ClientApp& app) {
    if (!app.vault() || !app.trust().pin) return {};
    SAT_TRY_VALUE(const auto known, KnownVaults(app.home_directory()).find(*app.vault()));
    if (!known || known->wallet == *app.trust().pin) return {};
    return fail(Errc::vault_key_changed,
                "this home knows the vault " + known->address + " by another key, " + fingerprint(known->wallet) +
                    "; nothing was changed",
                "compare --vault-key with what the vault's operator publishes");
}

// The wallet is there, whatever became of the connection; nobody shall take this for a reason to make another.
Error made_without_vault(Error error, bool is_pinned) {
    const char* const but = is_pinned ? "the vault was not met: " : "the vault is not pinned: ";
    error.message = std::string("the wallet was made, but ") + but + error.message;
    std::string hint = error.hint.empty() ? std::string(default_hint(error.code)) : std::move(error.hint);
    if (error.code == Errc::vault_key_unknown)
        hint = "compare the key with the one that the vault's operator publishes";
    if (!hint.empty()) hint += "; ";
    if (!is_pinned) hint += "give --vault-key to the next command that reaches the vault; ";
    error.hint = hint + "do not run init again";
    return error;
}

Result<Report> run_init(ClientApp& app) {
    const Options& options = app.options();
    const Profile profile{options.name, options.contact};
    SAT_TRY(profile.check());
    if (app.trust().pin && !app.vault())
        return fail(Errc::usage, "a vault's key was named, and no vault", "add --vault HOST:PORT");
    if (KeyHome::exists(app.home_directory()) && !options.force)
        return fail(Errc::exists, "there is a wallet in " + printable(app.home_directory().string()) + " already",
                    "use it, name another --home, or --force to put it aside");
    SAT_TRY(require_pinned_key(app));
    std::optional<SecretBytes> passphrase;
    const bool encrypted = !options.no_passphrase;
    if (encrypted) {
        SAT_TRY_VALUE(passphrase, choose_passphrase(app.passphrase_source(), "the keys"));
    }
    KeyHome::NewKeys keys;
    keys.bits = options.bits == 4096 ? RsaBits::b4096 : RsaBits::b3072;
    keys.passphrase = passphrase ? &*passphrase : nullptr;
    keys.profile = profile;
    keys.force = options.force;
    keys.stopped = [] { return Interrupt::signal() != 0; };
    SAT_TRY_VALUE(const KeyHome home, KeyHome::create(app.home_directory(), keys, now_unix()));
    const std::string keep_it = std::string("this wallet is its keys: keep what `keys export` writes elsewhere") +
                                (encrypted ? ", and the passphrase" : "");
    // A vault that is named with its key is pinned without being asked; without its key it has to show it.
    if (app.vault() && app.trust().pin) {
        SAT_TRY(KnownVaults(home.directory()).record(*app.vault(), *app.trust().pin, nullptr, now_unix()));
    } else if (app.vault()) {
        if (passphrase) app.remember_passphrase(std::move(*passphrase));
        if (const auto connected = app.connect(); !connected) {
            // A failure's one document has no place for it: whoami prints it.
            if (!app.output().json()) {
                SAT_TRY_VALUE(const Report made, wallet_answer(app));
                SAT_TRY(app.output().item(made));
            }
            app.output().note(keep_it);
            SAT_TRY_VALUE(const auto known, KnownVaults(home.directory()).find(*app.vault()));
            return fail(made_without_vault(connected.error(), known.has_value()));
        }
    }
    SAT_TRY_VALUE(Report answer, wallet_answer(app));
    app.output().note(keep_it);
    return answer;
}

Result<Report> run_list(ClientApp& app) {
    SAT_TRY_VALUE(VaultClient * vault, app.connect());
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    ArtworkListRequest query;
    query.owner = home->wallet();
    std::vector<Work> works;
    do {
        SAT_TRY_VALUE(auto page, vault->list_works(query));
        std::move(page.items.begin(), page.items.end(), std::back_inserter(works));
        query.cursor = page.next_cursor;
    } while (query.cursor);
    return works_answer(works, std::nullopt, home->wallet());
}

Result<Report> run_show(ClientApp& app) {
    SAT_TRY_VALUE(const ArtworkId id, ArtworkId::parse(app.options().id));
    SAT_TRY_VALUE(VaultClient * vault, app.connect());
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    SAT_TRY_VALUE(const auto work, vault->get_proved_work(id));
    return Report{artwork_json(work.work), artwork_text(work.work, home->wallet()), id.str() + "\n"};
}

Result<Report> run_history(ClientApp& app) {
    SAT_TRY_VALUE(const ArtworkId id, ArtworkId::parse(app.options().id));
    SAT_TRY_VALUE(VaultClient * vault, app.connect());
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    SAT_TRY_VALUE(const History history, vault->get_history_in_ledger(id));
    const TreeHead& ledger = vault->tree_head();
    std::string brief;
    for (const OwnershipRecord& record : history.records) brief += record.owner.hex() + "\n";
    Json json = history_json(history);
    json["ledger"] = Json{{"size", ledger.size}, {"root", ledger.root.hex()}};
    return Report{
        std::move(json),
        history_text(history, home->wallet()) + "  all in the ledger, checkpoint " + std::to_string(ledger.size) + "\n",
        brief};
}

Result<Report> run_inbox(ClientApp& app) {
    SAT_TRY_VALUE(VaultClient * vault, app.connect());
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    SAT_TRY_VALUE(const auto claims, vault->inbox());
    Report answer = claims_answer(claims, home->wallet());
    if (claims.empty()) answer.text = "no claim waits for an answer\n";
    return answer;
}

constexpr const char* kSeeInbox = "the command inbox shows the claims that wait";

// The same command run again, after a connection that took its answer with it, shall not read as if somebody else had
// acted.
Error not_the_owner(VaultClient& vault, const ArtworkId& id, const Wallet& me) {
    const auto history = vault.get_history(id);
    const bool given = history && history->records.size() > 1 && history->records.rbegin()[1].owner == me;
    return {Errc::not_owner, given ? "you have given this work away already" : "this work has another owner",
            given ? "the command history shows to whom" : ""};
}

// The claim that confirm and decline are about: the one named, or the one that waits.
Result<VerifiedClaim> choose_claim(VaultClient& vault, const ArtworkId& id, const std::optional<StatementId>& named,
                                   bool yes, const Wallet& me) {
    if (named) {
        auto claim = vault.get_claim(*named);
        if (!claim && claim.error().code == Errc::not_found)
            return fail(Errc::not_found, "the vault has no such claim", kSeeInbox);
        if (!claim) return claim;
        if (claim->artwork() != id) return fail(Errc::not_found, "that claim is on another work", kSeeInbox);
        if (claim->owner() != me) return fail(Errc::not_found, "that claim is addressed to somebody else", kSeeInbox);
        return claim;
    }
    SAT_TRY_VALUE(auto inbox, vault.inbox());
    std::erase_if(inbox, [&](const VerifiedClaim& claim) { return claim.artwork() != id; });
    std::vector<VerifiedClaim> waiting;
    std::copy_if(inbox.begin(), inbox.end(), std::back_inserter(waiting),
                 [](const VerifiedClaim& claim) { return claim.state == ClaimState::pending; });
    // A yes may be said again, and taken back, as long as the collector has not accepted it.
    if (waiting.empty()) waiting = std::move(inbox);
    if (waiting.empty()) return fail(Errc::not_found, "no claim on this work waits for an answer", kSeeInbox);
    if (waiting.size() == 1) return std::move(waiting.front());
    std::string hint = "name one with --claim:";
    for (const VerifiedClaim& claim : waiting) hint += " " + claim.id().hex();
    return fail(Errc::usage, std::to_string(waiting.size()) + " claims wait for " + (yes ? "a yes" : "an answer"),
                hint);
}

Result<Report> run_answer(ClientApp& app, bool yes) {
    const Options& options = app.options();
    SAT_TRY_VALUE(const ArtworkId id, ArtworkId::parse(options.id));
    std::optional<StatementId> named;
    if (options.claim) {
        SAT_TRY_VALUE(named, parse_hash("claim", *options.claim, kSeeInbox));
    }
    SAT_TRY(check_note("reason", options.reason));
    SAT_TRY_VALUE(const SigningKey* key, app.signing_key());
    SAT_TRY_VALUE(VaultClient * vault, app.connect());
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    SAT_TRY_VALUE(const Work work, vault->get_work(id));
    if (work.owner != home->wallet()) return fail(not_the_owner(*vault, id, home->wallet()));
    SAT_TRY_VALUE(const VerifiedClaim claim, choose_claim(*vault, id, named, yes, home->wallet()));
    // Said already: nothing to do, and nothing wrong.
    if (yes && claim.state == ClaimState::confirmed) return claim_answer(claim, home->wallet());
    if (!yes && claim.state == ClaimState::declined) return claim_answer(claim, home->wallet());
    auto terminal = app.may_ask() && !options.yes && yes ? Terminal::open() : std::nullopt;
    if (terminal) {
        Result<bool> sure = false;
        vault->ask_beside([&] {
            terminal->show(claim_text(claim, home->wallet()));
            sure = terminal->ask_yes("Give this work to them? [yes/no] ");
        });
        if (!sure) return fail(sure.error());
        if (!*sure)
            return fail(Errc::still_pending, "you did not say yes",
                        "the claim still waits; the command decline says no");
        if (!vault->connected()) {
            SAT_TRY(app.connect());
        }
    }
    SAT_TRY_VALUE(const VerifiedClaim answered, vault->answer_claim(claim, yes, options.reason, *key));
    return claim_answer(answered, home->wallet());
}

}  // namespace

Result<Report> wallet_answer(ClientApp& app) {
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    SAT_TRY_VALUE(const auto vaults, KnownVaults(home->directory()).all());
    return Report{wallet_json(*home, vaults), wallet_text(*home, vaults), home->wallet().hex() + "\n"};
}

Report claim_answer(const VerifiedClaim& claim, const Wallet& me) {
    return {claim_json(claim), claim_text(claim, me), std::string(claim_state_name(claim.state)) + "\n"};
}

Report works_answer(const std::vector<Work>& works, const std::optional<std::string>& next_cursor, const Wallet& me) {
    Report answer;
    Json items = Json::array();
    for (const Work& work : works) {
        items.push_back(artwork_json(work));
        answer.text += artwork_line(work, me);
        answer.brief += work.id().str() + "\n";
    }
    if (works.empty()) answer.text = "no works\n";
    if (next_cursor) answer.text += "more: --cursor " + printable(*next_cursor) + "\n";
    answer.data = page_json(std::move(items), next_cursor);
    return answer;
}

Report claims_answer(const std::vector<VerifiedClaim>& claims, const Wallet& me) {
    Report answer;
    Json items = Json::array();
    for (const VerifiedClaim& claim : claims) {
        items.push_back(claim_json(claim));
        answer.text += claim_text(claim, me);
        answer.brief += claim.id().hex() + "\n";
    }
    if (claims.empty()) answer.text = "no claims\n";
    answer.data = page_json(std::move(items), std::nullopt);
    return answer;
}

std::map<std::string, Command> owner_commands() {
    return {{"init", run_init},
            {"whoami", wallet_answer},
            {"list", run_list},
            {"show", run_show},
            {"request", run_request},
            {"inbox", run_inbox},
            {"watch", run_watch},
            {"confirm", [](ClientApp& app) { return run_answer(app, true); }},
            {"decline", [](ClientApp& app) { return run_answer(app, false); }},
            {"history", run_history},
            {"certificate", run_certificate},
            {"verify", run_verify}};
}

}  // namespace sat
