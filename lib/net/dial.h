// The client's way to a vault: resolve, connect, IDENTITY, and the handshake once the pin was compared.
// docs/protocol.md, "Handshake".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "net/address.h"
#include "net/connection.h"

namespace sat {

struct DialOptions {
    std::chrono::milliseconds connect = std::chrono::seconds(10);  // names and TCP, all addresses together
    ConnectionLimits limits;
    std::string agent;      // "sat-collector/1.0.0"; empty: not told
    int tries = kMaxTries;  // of open_session(), where the vault is overloaded
    std::chrono::milliseconds pause =
        std::chrono::milliseconds(500);  // mean of the random pauses; the next is twice as long
    SteadyTime expires = kNever;         // of everything, as Connection::expire_at(): --timeout
};

// Resolves, tries every address, and returns when the vault's IDENTITY is verified; nothing has been sent.
// unreachable: no such name, refused, no route, a limit, or an end before IDENTITY.  An ALERT's own code.
// The failures of ClientHandshake::on_identity().
// `me` outlives the handshake.
asio::awaitable<Result<std::shared_ptr<Connection>>> dial(Address address, const HandshakeParty& me,
                                                          DialOptions options);

struct Session {
    std::shared_ptr<Connection> connection;
    ServerHelloExt hello;  // the vault's clock and limits
};

// Compares IDENTITY's chain with the pin, and gives what this vault is told in CLIENT_FINISHED; its error ends the
// attempt before anything is sent.  It may not ask a person: nobody keeps a connection waiting.  Called again on every
// try.
using CheckVault = std::function<Result<ClientFinishedExt>(const IdentityChain& vault)>;

// dial(), `check`, and the handshake.  Where the vault answers overloaded: again, `tries` in all, after random pauses.
// unreachable: as in dial(), and a limit passed before the handshake was finished; interrupted: the stream ended in it.
asio::awaitable<Result<Session>> open_session(Address address, const HandshakeParty& me, CheckVault check,
                                              DialOptions options);

}  // namespace sat
