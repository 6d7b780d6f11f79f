// browse, claims, withdraw.
// SPDX-License-Identifier: Apache-2.0
#include "sat-collector/commands.h"

#include <algorithm>

#include "common/owner_commands.h"
#include "common/views.h"
#include "wire/limits.h"

namespace sat {

Result<Report> run_browse(ClientApp& app) {
    const Options& options = app.options();
    ArtworkListRequest query;
    SAT_TRY(check_text("search text", options.text, kMaxSearchText));
    SAT_TRY(check_text("artist's name", options.artist, kMaxSearchText));
    if (!options.text.empty()) query.text = options.text;
    if (!options.artist.empty()) query.artist = options.artist;
    if (!options.owner.empty()) {
        SAT_TRY_VALUE(query.owner,
                      parse_hash("owner's wallet", options.owner, "the command show prints a work's owner"));
    }
    query.limit = options.all ? static_cast<int>(kMaxPageItems) : options.limit;
    if (!options.cursor.empty()) {
        const bool ascii =
            std::all_of(options.cursor.begin(), options.cursor.end(), [](char c) { return c > ' ' && c <= '~'; });
        if (!ascii || options.cursor.size() > kMaxCursor)
            return fail(Errc::bad_data, "the cursor is none that a vault gave");
        query.cursor = options.cursor;
    }
    SAT_TRY_VALUE(VaultClient * vault, app.connect());
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    std::vector<Work> works;
    do {
        auto page = vault->list_works(query);
        // Of all that we ask here, the cursor alone is the vault's to understand.
        if (!page && page.error().code == Errc::bad_request && works.empty() && query.cursor)
            return fail(Errc::bad_data, "the cursor is none that this vault gave", "browse again without --cursor");
        if (!page) return fail(std::move(page.error()));
        std::move(page->items.begin(), page->items.end(), std::back_inserter(works));
        query.cursor = page->next_cursor;
    } while (options.all && query.cursor);
    return works_answer(works, query.cursor, home->wallet());
}

Result<Report> run_claims(ClientApp& app) {
    SAT_TRY_VALUE(VaultClient * vault, app.connect());
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    SAT_TRY_VALUE(const auto claims, vault->my_claims(std::nullopt));
    return claims_answer(claims, home->wallet());
}

Result<Report> run_withdraw(ClientApp& app) {
    SAT_TRY_VALUE(const ArtworkId id, ArtworkId::parse(app.options().id));
    SAT_TRY_VALUE(const SigningKey* key, app.signing_key());
    SAT_TRY_VALUE(VaultClient * vault, app.connect());
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    SAT_TRY_VALUE(const auto claims, vault->my_claims(id));
    const auto open =
        std::find_if(claims.begin(), claims.end(), [](const VerifiedClaim& c) { return is_open(c.state); });
    if (open == claims.end())
        return fail(Errc::not_found, "there is no open claim of mine on this work",
                    "the command claims lists them all");
    SAT_TRY_VALUE(const VerifiedClaim withdrawn, vault->withdraw_claim(*open, *key));
    return claim_answer(withdrawn, home->wallet());
}

}  // namespace sat
