// The programs' exit codes: one for each decision that a script has to take.  docs/man/sat-artist.1, "EXIT STATUS".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/result.h"

namespace sat {

inline constexpr int kExitDone = 0;
inline constexpr int kExitDeclined = 10;
inline constexpr int kExitPending = 11;
inline constexpr int kExitExpired = 12;
inline constexpr int kExitSuperseded = 13;
inline constexpr int kExitNotThere = 15;
inline constexpr int kExitHeld = 16;
inline constexpr int kExitChanged = 17;
inline constexpr int kExitBadProof = 20;
inline constexpr int kExitVaultKeyChanged = 21;
inline constexpr int kExitVaultKeyUnknown = 22;
inline constexpr int kExitKeyLocked = 23;
inline constexpr int kExitLedger = 24;
inline constexpr int kExitUsage = 64;
inline constexpr int kExitBadData = 65;
inline constexpr int kExitUnreadable = 66;
inline constexpr int kExitUnreachable = 69;
inline constexpr int kExitBug = 70;
inline constexpr int kExitExists = 73;
inline constexpr int kExitIo = 74;
inline constexpr int kExitInterrupted = 75;
inline constexpr int kExitProtocol = 76;
inline constexpr int kExitNotAllowed = 77;
inline constexpr int kExitConfig = 78;
inline constexpr int kExitSignal = 128;  // plus the signal's number

// The one table.  `signal` is the one that stopped the program, for cancelled; 0 where there was none.
int exit_code(Errc code, int signal = 0) noexcept;

// What to do about a failure that brought no hint of its own; empty where there is nothing to say.
std::string_view default_hint(Errc code) noexcept;

}  // namespace sat
