// What a collector does: steps 6 to 8, and 11; and following a vault's ledger.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "common/client_app.h"

namespace sat {

Result<Report> run_browse(ClientApp& app);
Result<Report> run_claim(ClientApp& app);
Result<Report> run_claims(ClientApp& app);
Result<Report> run_withdraw(ClientApp& app);
Result<Report> run_ledger(ClientApp& app);

}  // namespace sat
