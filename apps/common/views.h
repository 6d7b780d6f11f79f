// Works, claims and histories as they are shown: the JSON of docs/man/sat-artist.1, and text for people in which
// nothing that came from a peer can move the cursor, hide, or run from right to left.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "client/key_home.h"
#include "client/known_vaults.h"
#include "client/work.h"

namespace sat {

// "  name          value" and the line's end; the value is printable.
std::string field(std::string_view name, const std::string& value);
std::string who(const Wallet& wallet, const Wallet& me);

// What the artist signed of a work.
Json registration_json(const Registration& registration);
Json artwork_json(const Work& work);
std::string artwork_text(const Work& work, const Wallet& me);
// A table's line and its head.
std::string artwork_line(const Work& work, const Wallet& me);

Json claim_json(const VerifiedClaim& claim);
std::string claim_text(const VerifiedClaim& claim, const Wallet& me);

Json history_json(const History& history);
std::string history_text(const History& history, const Wallet& me);

// {"items":[…],"next_cursor":…}
Json page_json(Json items, const std::optional<std::string>& next_cursor);

Json wallet_json(const KeyHome& home, const std::vector<KnownVault>& vaults);
std::string wallet_text(const KeyHome& home, const std::vector<KnownVault>& vaults);

}  // namespace sat
