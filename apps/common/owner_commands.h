// What every owner of a work can do, in both programs: init whoami list show request inbox watch confirm decline
// history certificate verify.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "common/client_app.h"

namespace sat {

std::map<std::string, Command> owner_commands();

// One to a file.
Result<Report> run_request(ClientApp& app);
Result<Report> run_watch(ClientApp& app);
Result<Report> run_certificate(ClientApp& app);
Result<Report> run_verify(ClientApp& app);

// A claim, as the answer of a command; -q prints its state.
Report claim_answer(const VerifiedClaim& claim, const Wallet& me);
// The wallet, its keys and its pins, as whoami and keys import print them.
Result<Report> wallet_answer(ClientApp& app);
// Lists of works and claims; -q prints IDs.
Report works_answer(const std::vector<Work>& works, const std::optional<std::string>& next_cursor, const Wallet& me);
Report claims_answer(const std::vector<VerifiedClaim>& claims, const Wallet& me);

}  // namespace sat
