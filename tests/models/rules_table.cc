// Prints the transfer's rules as the programs have them, kTransitions of lib/ledger/rules.h, as JSON: an array of
// {"from", "event", "who", "guards", "to"}, each a name.  transfer.mjs makes the model's rules from it, so that what
// Spin checks is the table that the vault runs on.
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string>
#include <string_view>

#include "ledger/rules.h"

namespace sat {
namespace {

std::string_view who_name(Who who) noexcept {
    switch (who) {
        case Who::anyone_but_owner:
            return "anyone_but_owner";
        case Who::owner:
            return "owner";
        case Who::collector:
            return "collector";
        case Who::vault:
            return "vault";
    }
    return {};
}

std::string_view guard_name(Guard guard) noexcept {
    switch (guard) {
        case Guard::none:
            return {};
        case Guard::claim_current:
            return "claim_current";
        case Guard::head_current:
            return "head_current";
        case Guard::not_held:
            return "not_held";
        case Guard::none_by_actor:
            return "none_by_actor";
        case Guard::below_limit:
            return "below_limit";
        case Guard::claim_exp:
            return "claim_exp";
        case Guard::answer_ids:
            return "answer_ids";
        case Guard::none_confirmed:
            return "none_confirmed";
        case Guard::answer_exp:
            return "answer_exp";
        case Guard::claim_id:
            return "claim_id";
        case Guard::accept_ids:
            return "accept_ids";
        case Guard::deadline_passed:
            return "deadline_passed";
    }
    return {};
}

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

std::string row_text(const Transition& row) {
    std::string guards;
    for (const Guard guard : row.guards) {
        if (guard == Guard::none) continue;
        guards += (guards.empty() ? "" : ",") + quoted(guard_name(guard));
    }
    return "{\"from\":" + quoted(claim_state_name(row.from)) + ",\"event\":" + quoted(claim_event_name(row.event)) +
           ",\"who\":" + quoted(who_name(row.who)) + ",\"guards\":[" + guards +
           "],\"to\":" + quoted(claim_state_name(row.to)) + "}";
}

}  // namespace
}  // namespace sat

int main() {
    std::string text;
    for (const sat::Transition& row : sat::kTransitions) text += (text.empty() ? "[" : ",\n ") + sat::row_text(row);
    return std::puts((text + "]").c_str()) < 0 ? 1 : 0;
}
