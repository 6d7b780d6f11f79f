// A vault's accept loop: who is served, who waits, who is turned away, and how it all ends.
// docs/protocol.md, "Handshake", the last paragraphs.  What a session does is the program's; this floor knows no vault.
//
//     accepted --(its address has 8 that are not admitted, or has used up its rate)--> parked --(its turn)--+
//         |                                                                                                 v
//         +----------------------------------------------------------------------> handshake --> admission --> session
//
// Past 64 in the handshake somebody whose message is waited for gets ALERT overloaded, one of the address that has most
// places, or the newcomer; so does one whose turn by the rate would come too late, at once.  An address is IPv4's, or
// an IPv6 network of 64 bits.  One thread, that of the io_context; the RSA work of strangers has a pool of its own, of
// half the processors: that of handshakes as it comes, other work piece by piece between them (work_for_stranger).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/connection.h"
#include "net/rate.h"

namespace sat {

// What an address may do by default: a gallery's people behind one address who all come at once, and one program after
// the other afterwards.  Ten handshakes a second cost 2 % of a processor; as new wallets they would cost ten times that
// and more, so each piece of work for a stranger counts as kPieceCost handshakes: with it, 5 % at most.
inline constexpr Rate kAddressRate{10, 200};
// The full check of an RSA key takes 11 ms (3072 bits) or 21 ms (4096).
inline constexpr double kPieceCost = 4;
// Longer a stranger does not wait for the turn to be worked for: a thread does some hundreds of such works meanwhile.
inline constexpr std::chrono::seconds kLongestStrangerTurn{60};
// Longer nobody is let wait for a turn by the rate: programs give up after 30 s without IDENTITY.
inline constexpr std::chrono::seconds kLongestTurn{20};
// Buckets of addresses that are kept, about 200 bytes each.
inline constexpr std::size_t kMaxAddresses = 65'536;

struct ServerOptions {
    std::vector<asio::ip::tcp::endpoint> listen;
    ConnectionLimits limits;
    std::size_t max_unauthenticated = kMaxUnauthenticated;
    std::size_t max_unauthenticated_per_peer = kMaxUnauthenticatedPerPeer;
    // Of all kinds.  A watcher costs about 5 KiB.  Past it the oldest parked one makes room, or the newcomer goes.
    std::size_t max_connections = 16'384;
    std::chrono::milliseconds drain = std::chrono::seconds(30);   // for what is under way when the server stops
    std::chrono::milliseconds parked = std::chrono::seconds(60);  // longer a client does not wait for IDENTITY
    std::size_t handshake_threads = 0;                            // 0: half the processors, at least one
    Rate handshakes = kAddressRate;                               // of one address
};

struct ServerCounts {
    std::size_t connections = 0;
    std::size_t unauthenticated = 0;  // in the handshake
    std::size_t parked = 0;
    std::size_t addresses = 0;  // that have a bucket
    // Since the start.
    std::uint64_t authenticated = 0;
    std::uint64_t failed = 0;       // in the handshake, whatever the reason
    std::uint64_t turned_away = 0;  // before it
};

// One client after CLIENT_FINISHED.
class ServerSession {
public:
    virtual ~ServerSession() = default;
    // Whether the client may come in; where not, it was told.  Until then it has one of its address's places, no longer
    // one of the handshake's.
    virtual asio::awaitable<bool> admit() { co_return true; }
    // Until the client or the server has enough.  Whatever goes wrong stays in here; the connection is closed after it.
    virtual asio::awaitable<void> serve() = 0;
    // The server stops: finish what is under way, close with going_away, return.  Called at most once.
    virtual void stop() = 0;
};

// The program's part.  Outlives the server.
class ServerHandler {
public:
    virtual ~ServerHandler() = default;
    virtual const HandshakeParty& party() const = 0;
    virtual ServerHelloExt hello_ext() = 0;
    // Shared: the server keeps it for stop() while serve() runs.
    virtual std::shared_ptr<ServerSession> make_session(std::shared_ptr<Connection> connection,
                                                        ClientIdentity client) = 0;
    // For the log: a connection ended before it was a session, or was turned away.  `error.message` is ours.
    virtual void on_refused(const Peer& peer, const Error& error) = 0;
    // For the log, once until it works again: accept() itself failed, out of descriptors; it is tried again and again.
    virtual void on_accept_failure(const std::error_code& error) = 0;
};

class Server {
public:
    Server(asio::io_context& context, ServerHandler& handler, ServerOptions options);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Binds all of options.listen; the endpoints got, in that order, port 0 replaced.  config: an address that is not
    // ours or a port that is taken or not allowed.
    Result<std::vector<asio::ip::tcp::endpoint>> listen();
    // Accepts and serves until stop(), then until every session has ended or the drain limit has passed, and every
    // coroutine of this server is done.  After it the object may go.
    asio::awaitable<void> run();
    // Any number of times, from the context's thread.
    void stop();
    // stop(), and nothing that is under way is waited for.
    void abort();

    ServerCounts counts() const noexcept;
    std::size_t connections() const noexcept { return counts().connections; }
    std::size_t unauthenticated() const noexcept { return counts().unauthenticated; }
    std::size_t parked() const noexcept { return counts().parked; }
    // For what else is done on behalf of strangers, and is quickly done.
    asio::thread_pool& handshake_workers() noexcept;
    // What takes longer, in pieces of some milliseconds, up to the first that fails: on those workers, a piece at a
    // time, one stranger after the other and the addresses in turn, between the handshakes.  It is counted against the
    // address's rate.  overloaded: the turn did not come in time; going_away: the server stops.
    using Piece = std::function<Result<void>()>;
    asio::awaitable<Result<void>> work_for_stranger(Peer stranger, std::vector<Piece> pieces);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Raises RLIMIT_NOFILE's soft limit towards `wanted` descriptors, as far as the hard one allows; what there is now.
std::size_t raise_open_files(std::size_t wanted) noexcept;

}  // namespace sat
