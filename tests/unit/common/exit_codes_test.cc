// The contract that scripts rely on: every failure's exit code.
// SPDX-License-Identifier: Apache-2.0
#include "common/exit_codes.h"

#include <gtest/gtest.h>

#include <map>

namespace sat {
namespace {

TEST(ExitCodes, AreTheOnesThatTheManualPromises) {
    const std::map<Errc, int> promised = {
        {Errc::malformed, 76},
        {Errc::too_large, 76},
        {Errc::unexpected, 76},
        {Errc::version, 76},
        {Errc::unknown_vault_key, 76},
        {Errc::handshake_failed, 76},
        {Errc::timeout, 75},
        {Errc::overloaded, 69},
        {Errc::internal, 69},
        {Errc::going_away, 75},
        {Errc::bad_request, 76},
        {Errc::not_found, 15},
        {Errc::forbidden, 77},
        {Errc::rate_limited, 69},
        {Errc::content_too_large, 77},
        {Errc::head_moved, 17},
        {Errc::expired, 12},
        {Errc::bad_signature, 20},
        {Errc::bad_statement, 20},
        {Errc::held, 16},
        {Errc::key_policy, 20},
        {Errc::envelope_invalid, 20},
        {Errc::hash_mismatch, 20},
        {Errc::state, 17},
        {Errc::not_owner, 77},
        {Errc::superseded, 13},
        {Errc::checkpoint_inconsistent, 24},
        {Errc::busy, 69},
        {Errc::quota, 77},
        {Errc::storage_full, 74},
        {Errc::usage, 64},
        {Errc::bad_data, 65},
        {Errc::input_unreadable, 66},
        {Errc::unreachable, 69},
        {Errc::output_exists, 73},
        {Errc::io_error, 74},
        {Errc::interrupted, 75},
        {Errc::vault_key_changed, 21},
        {Errc::vault_key_unknown, 22},
        {Errc::key_locked, 23},
        {Errc::config, 78},
        {Errc::exists, 73},
        {Errc::declined, 10},
        {Errc::still_pending, 11},
    };
    for (const auto& [code, exit] : promised) EXPECT_EQ(exit_code(code), exit) << errc_name(code);
    // Every code that a peer may send has its row.
    for (int number = 0; number < 200; ++number) {
        const auto code = errc_from_wire(static_cast<std::uint16_t>(number));
        if (code) {
            EXPECT_TRUE(promised.contains(*code)) << errc_name(*code);
        }
    }
}

TEST(ExitCodes, ASignalHasItsShellsCode) {
    EXPECT_EQ(exit_code(Errc::cancelled, 2), 130);
    EXPECT_EQ(exit_code(Errc::cancelled, 15), 143);
    EXPECT_EQ(exit_code(Errc::cancelled), 75);
}

}  // namespace
}  // namespace sat
