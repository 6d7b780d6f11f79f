// The names and numbers of errors.  docs/protocol.md, "Codes".
// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include "base/assert.h"

namespace sat {

std::string_view errc_name(Errc code) noexcept {
    switch (code) {
        case Errc::malformed:
            return "malformed";
        case Errc::too_large:
            return "too_large";
        case Errc::unexpected:
            return "unexpected";
        case Errc::version:
            return "version";
        case Errc::unknown_vault_key:
            return "unknown_vault_key";
        case Errc::handshake_failed:
            return "handshake_failed";
        case Errc::timeout:
            return "timeout";
        case Errc::overloaded:
            return "overloaded";
        case Errc::internal:
            return "internal";
        case Errc::going_away:
            return "going_away";
        case Errc::bad_request:
            return "bad_request";
        case Errc::not_found:
            return "not_found";
        case Errc::forbidden:
            return "forbidden";
        case Errc::rate_limited:
            return "rate_limited";
        case Errc::content_too_large:
            return "too_large";
        case Errc::head_moved:
            return "head_moved";
        case Errc::expired:
            return "expired";
        case Errc::bad_signature:
            return "bad_signature";
        case Errc::bad_statement:
            return "bad_statement";
        case Errc::held:
            return "held";
        case Errc::key_policy:
            return "key_policy";
        case Errc::envelope_invalid:
            return "envelope_invalid";
        case Errc::hash_mismatch:
            return "hash_mismatch";
        case Errc::state:
            return "state";
        case Errc::not_owner:
            return "not_owner";
        case Errc::superseded:
            return "superseded";
        case Errc::checkpoint_inconsistent:
            return "checkpoint_inconsistent";
        case Errc::busy:
            return "busy";
        case Errc::quota:
            return "quota";
        case Errc::storage_full:
            return "storage_full";
        case Errc::usage:
            return "usage";
        case Errc::bad_data:
            return "bad_data";
        case Errc::input_unreadable:
            return "input_unreadable";
        case Errc::unreachable:
            return "unreachable";
        case Errc::output_exists:
            return "output_exists";
        case Errc::io_error:
            return "io_error";
        case Errc::interrupted:
            return "interrupted";
        case Errc::vault_key_changed:
            return "vault_key_changed";
        case Errc::vault_key_unknown:
            return "vault_key_unknown";
        case Errc::key_locked:
            return "key_locked";
        case Errc::config:
            return "config";
        case Errc::exists:
            return "exists";
        case Errc::declined:
            return "declined";
        case Errc::still_pending:
            return "still_pending";
        case Errc::cancelled:
            return "cancelled";
    }
    // An Errc is made from a number in errc_from_wire() alone, which knows every one that it lets through.
    assertion_failed("an Errc of this enumeration", __FILE__, __LINE__);
}

std::optional<Errc> errc_from_wire(std::uint16_t code) noexcept {
    const bool transport = code >= 1 && code <= 10;
    const bool application = (code >= 100 && code <= 118) || code == 120;
    if (!transport && !application) return std::nullopt;
    return static_cast<Errc>(code);
}

}  // namespace sat
