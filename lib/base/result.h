// Error and Result: how every failure of the world is named and carried.
// Codes below 200 are the protocol's (docs/protocol.md, "Codes"); the others never leave this machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace sat {

// A code exists only because somebody branches on it: a peer, the exit code, a caller.
enum class Errc : std::uint16_t {
    // Transport: ALERT and CLOSE.
    malformed = 1,
    too_large = 2,
    unexpected = 3,
    version = 4,
    unknown_vault_key = 5,
    handshake_failed = 6,
    timeout = 7,
    overloaded = 8,
    internal = 9,
    going_away = 10,
    // Application: the answer to a request.
    bad_request = 100,
    not_found = 101,
    forbidden = 102,
    rate_limited = 103,
    content_too_large = 104,  // "too_large" on the wire
    head_moved = 105,
    expired = 106,
    bad_signature = 107,
    bad_statement = 108,
    held = 109,
    key_policy = 110,
    envelope_invalid = 111,
    hash_mismatch = 112,
    state = 113,
    not_owner = 114,
    superseded = 115,
    checkpoint_inconsistent = 116,
    busy = 117,
    quota = 118,  // the wallet has had its share; operator and owner can change that, time alone does not
    storage_full = 120,
    // This machine's own.
    usage = 200,        // a wrong or missing argument
    bad_data,           // an ID, wallet, date or image that cannot be one
    input_unreadable,   // a file the user named cannot be read, or changed while it was
    unreachable,        // nobody answers at the vault's address
    output_exists,      // the output file is there and --force was not given
    io_error,           // the disk: full, failing, read-only
    interrupted,        // the connection ended in the middle; trying again is safe
    vault_key_changed,  // not the pinned key: an attack, or a vault made anew
    vault_key_unknown,  // no pin and nobody to ask
    key_locked,         // passphrase missing or wrong
    config,             // configuration, key files or their modes are wrong
    exists,             // there is a wallet here already
    declined,           // the owner said no
    still_pending,      // the wait ended, the claim goes on
    cancelled,          // stopped by a signal or by our own shutdown
};

// The name that stands in JSON and in logs: "not_found", "storage_full".  Never empty.
std::string_view errc_name(Errc code) noexcept;

// The code a peer's number stands for; nothing for a number that no version 1 peer sends.
std::optional<Errc> errc_from_wire(std::uint16_t code) noexcept;

// `message` is for people: lower case, no full stop, no secrets, no bytes that a peer chose.
// `hint`, where there is one, says what to do next.
struct Error {
    Errc code = Errc::internal;
    std::string message;
    std::string hint;
};

// A value or the Error in its place.  A type of its own, since only a class, and no alias, can be [[nodiscard]].
template <typename T = void>
class [[nodiscard]] Result : public tl::expected<T, Error> {
public:
    using tl::expected<T, Error>::expected;
    Result() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): what expected's own members give converts back
    Result(tl::expected<T, Error> other) : tl::expected<T, Error>(std::move(other)) {}
};

inline tl::unexpected<Error> fail(Errc code, std::string message, std::string hint = {}) {
    return tl::unexpected<Error>(Error{code, std::move(message), std::move(hint)});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace sat

// Evaluates a Result; returns its error from this function, else goes on.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): returns from the caller
#define SAT_TRY(expression)                                        \
    do {                                                           \
        if (auto sat_try_result = (expression); !sat_try_result)   \
            return ::sat::fail(std::move(sat_try_result.error())); \
    } while (false)

// SAT_TRY_VALUE(auto key, load(path)): declares `key` as the value, or returns the error.
// NOLINTBEGIN(cppcoreguidelines-macro-usage)
#define SAT_TRY_JOIN_(a, b) a##b
#define SAT_TRY_JOIN(a, b) SAT_TRY_JOIN_(a, b)
#define SAT_TRY_VALUE_(temporary, declaration, ...)                   \
    auto temporary = (__VA_ARGS__);                                   \
    if (!temporary) return ::sat::fail(std::move(temporary.error())); \
    declaration = std::move(*temporary)
#define SAT_TRY_VALUE(declaration, ...) SAT_TRY_VALUE_(SAT_TRY_JOIN(sat_try_, __LINE__), declaration, __VA_ARGS__)
// NOLINTEND(cppcoreguidelines-macro-usage)
