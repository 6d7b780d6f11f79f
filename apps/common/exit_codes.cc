// Exit codes and hints.
// SPDX-License-Identifier: Apache-2.0
#include "common/exit_codes.h"

namespace sat {

int exit_code(Errc code, int signal) noexcept {
    switch (code) {
        case Errc::declined:
            return kExitDeclined;
        case Errc::still_pending:
            return kExitPending;
        case Errc::expired:
            return kExitExpired;
        case Errc::superseded:
            return kExitSuperseded;
        case Errc::not_found:
            return kExitNotThere;
        case Errc::held:
            return kExitHeld;
        case Errc::head_moved:
        case Errc::state:
            return kExitChanged;
        case Errc::bad_signature:
        case Errc::bad_statement:
        case Errc::key_policy:
        case Errc::envelope_invalid:
        case Errc::hash_mismatch:
            return kExitBadProof;
        case Errc::vault_key_changed:
            return kExitVaultKeyChanged;
        case Errc::vault_key_unknown:
            return kExitVaultKeyUnknown;
        case Errc::key_locked:
            return kExitKeyLocked;
        case Errc::checkpoint_inconsistent:
            return kExitLedger;
        case Errc::usage:
            return kExitUsage;
        case Errc::bad_data:
            return kExitBadData;
        case Errc::input_unreadable:
            return kExitUnreadable;
        case Errc::unreachable:
        case Errc::overloaded:
        case Errc::rate_limited:
        case Errc::busy:
        // The vault's: this machine's own bugs end the process by an assertion.
        case Errc::internal:
            return kExitUnreachable;
        case Errc::output_exists:
        case Errc::exists:
            return kExitExists;
        case Errc::io_error:
        case Errc::storage_full:
            return kExitIo;
        case Errc::interrupted:
        case Errc::timeout:
        case Errc::going_away:
            return kExitInterrupted;
        case Errc::malformed:
        case Errc::too_large:
        case Errc::unexpected:
        case Errc::version:
        case Errc::unknown_vault_key:
        case Errc::handshake_failed:
        case Errc::bad_request:
            return kExitProtocol;
        case Errc::forbidden:
        case Errc::not_owner:
        // No waiting helps, so a script that tries again at 69 must not.
        case Errc::quota:
        case Errc::content_too_large:
            return kExitNotAllowed;
        case Errc::config:
            return kExitConfig;
        case Errc::cancelled:
            return signal > 0 ? kExitSignal + signal : kExitInterrupted;
    }
    return kExitBug;
}

std::string_view default_hint(Errc code) noexcept {
    switch (code) {
        case Errc::usage:
            return "see --help";
        case Errc::not_found:
            return "check the ID; the command browse or list shows what there is";
        case Errc::held:
            return "the vault's operator has stopped this work; ask them";
        case Errc::head_moved:
        case Errc::state:
            return "look at it again, then decide anew";
        case Errc::bad_signature:
        case Errc::bad_statement:
        case Errc::envelope_invalid:
        case Errc::hash_mismatch:
            return "do not rely on this; tell the vault's operator";
        case Errc::unreachable:
            return "check the address, and that the vault runs";
        case Errc::overloaded:
        case Errc::rate_limited:
        case Errc::busy:
            return "try again in a while";
        case Errc::content_too_large:
            return "ask the vault's operator, or upload a smaller image";
        case Errc::vault_key_unknown:
            return "compare the key with the one that the vault's operator publishes, then give it with --vault-key";
        case Errc::interrupted:
        case Errc::timeout:
        case Errc::going_away:
            return "run the same command again";
        case Errc::still_pending:
            return "the claim stays open; run the same command again to go on waiting";
        case Errc::storage_full:
            return "make room on the disk that is full, here or at the vault";
        case Errc::io_error:
            return "look at the disk and at the file that is named, then run the same command again";
        case Errc::input_unreadable:
            return "look at the file that is named, then run the same command again";
        case Errc::config:
            return "look at what is named, its contents and its mode";
        case Errc::internal:
            return "try again in a while; the vault's operator finds the reason in its log";
        case Errc::key_locked:
            return "give the passphrase with --passphrase-file or --passphrase-fd, or on a terminal";
        case Errc::not_owner:
            return "only the present owner answers; the command history shows who that is";
        case Errc::handshake_failed:
            return "where the wallet was rekeyed elsewhere, this home has its old keys: import a newer key backup";
        case Errc::version:
        case Errc::malformed:
        case Errc::unexpected:
            return "check that a SAT vault of the same version answers at this address";
        default:
            return "";
    }
}

}  // namespace sat
