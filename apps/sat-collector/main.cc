// sat-collector: PC3, for a collector, and for anybody who owns a work.  docs/man/sat-collector.1.
// SPDX-License-Identifier: Apache-2.0
#include "common/client_app.h"
#include "sat-collector/commands.h"

int main(int argc, char** argv) {
    constexpr sat::OwnCommand kCommands[] = {{"browse", sat::run_browse},
                                             {"claim", sat::run_claim},
                                             {"claims", sat::run_claims},
                                             {"withdraw", sat::run_withdraw},
                                             {"ledger", sat::run_ledger}};
    return sat::run_client(sat::Program::collector, argc, argv, kCommands);
}
