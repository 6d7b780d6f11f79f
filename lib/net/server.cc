// The accept loop: see server.h.
// SPDX-License-Identifier: Apache-2.0
#include "net/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <asio/error.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/redirect_error.hpp>
#include <thread>
#include <unordered_set>

#include "net/address.h"
#include "net/deadlines.h"
#include "net/fair_turns.h"
#include "wire/frame.h"

namespace sat {

namespace {

using asio::ip::tcp;

// Out of descriptors or memory (a peer that went before it was accepted is no error of Asio's): time for others to give
// some back.
constexpr std::chrono::milliseconds kAcceptPause{100};

// Seven bytes always fit an empty send buffer: nothing waits here.
void refuse(tcp::socket socket, Errc why) {
    std::error_code ignored;
    const Bytes alert = encode_alert(why);
    socket.non_blocking(true, ignored);
    socket.write_some(asio::const_buffer(alert.data(), alert.size()), ignored);
    socket.shutdown(tcp::socket::shutdown_both, ignored);
    socket.close(ignored);
}

// Half of what there is stays with those who are known, whatever strangers send.
std::size_t handshake_threads(std::size_t wanted) {
    if (wanted > 0) return wanted;
    return std::max<std::size_t>(1, std::thread::hardware_concurrency() / 2);
}

}  // namespace

struct Server::Impl {
    struct Entry;
    // What is known of a connection while it is not admitted.
    struct Arrival {
        Arrival(const asio::any_io_executor& executor, tcp::socket accepted, Peer who, std::string from)
            : socket(std::move(accepted)), peer(std::move(who)), origin(std::move(from)), changed(executor) {}

        std::optional<tcp::socket> socket;  // parked or about to begin
        Peer peer;
        std::string origin;  // address_group()
        SteadyTime turn;     // by the rate; no place is taken before
        Signal changed;
        std::list<std::shared_ptr<Entry>>::iterator place;  // in the list of the parked
        std::optional<Error> turned_away;                   // while parked
    };
    // One accepted connection, until its coroutine is done.
    struct Entry {
        std::unique_ptr<Arrival> arrival;  // until it is admitted
        std::shared_ptr<Connection> connection;
        std::shared_ptr<ServerSession> session;
        bool parked = false;
        bool handshaking = false;
        bool counted = false;  // among its address's
    };
    using EntryPtr = std::shared_ptr<Entry>;  // shared by the lists here and the connection's own coroutine

    Impl(asio::io_context& on, ServerHandler& with, ServerOptions wanted)
        : context(on),
          handler(with),
          options(std::move(wanted)),
          limits(std::make_shared<const ConnectionLimits>(options.limits)),
          changed(on.get_executor()),
          rates(options.handshakes, kMaxAddresses),
          turns(on.get_executor()),
          workers(handshake_threads(options.handshake_threads)) {}

    asio::io_context& context;
    ServerHandler& handler;
    ServerOptions options;
    std::shared_ptr<const ConnectionLimits> limits;  // every connection's
    std::vector<tcp::acceptor> acceptors;
    std::unordered_set<EntryPtr> entries;                          // all
    std::list<EntryPtr> handshaking;                               // oldest first
    std::list<EntryPtr> parked;                                    // oldest first
    std::unordered_map<std::string, std::size_t> unadmitted_from;  // in the handshake, or not yet admitted
    ServerCounts total;                                            // what is counted from the start
    std::size_t accepting = 0;
    bool stopping = false;
    Signal changed;  // a coroutine ended, or stop()
    TokenBuckets<std::string> rates;
    FairTurns turns;  // of strangers that are worked for
    asio::thread_pool workers;

    Result<std::vector<tcp::endpoint>> listen();
    asio::awaitable<void> accept(tcp::acceptor& acceptor);
    void admit(tcp::socket socket);
    asio::awaitable<void> serve(EntryPtr entry);
    asio::awaitable<bool> welcome(EntryPtr entry);
    asio::awaitable<void> wait_for_turn(EntryPtr entry);
    void park(const EntryPtr& entry);
    void begin(const EntryPtr& entry);
    void leave_handshake(const EntryPtr& entry);
    void leave_address(const EntryPtr& entry);
    EntryPtr who_makes_room_for(const Entry& newcomer) const;
    void give_up_place(const EntryPtr& entry);
    bool forget_address(const EntryPtr& entry);
    void unpark();
    void turn_away(EntryPtr entry, Errc why, const char* message);
    void stop();
    void abort_all();
    asio::awaitable<void> run();

    bool has_place(const Entry& entry) const {
        const auto found = unadmitted_from.find(entry.arrival->origin);
        return found == unadmitted_from.end() || found->second < options.max_unauthenticated_per_peer;
    }
    void refused(const Peer& peer, const Error& error) {
        ++total.turned_away;
        handler.on_refused(peer, error);
    }
};

Result<std::vector<tcp::endpoint>> Server::Impl::listen() {
    std::vector<tcp::endpoint> got;
    for (const tcp::endpoint& wanted : options.listen) {
        tcp::acceptor acceptor(context);
        std::error_code error;
        acceptor.open(wanted.protocol(), error);
        if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
        // So that 0.0.0.0 and [::] may both be listened on, at one port.
        if (!error && wanted.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
        if (!error) acceptor.bind(wanted, error);
        if (!error) acceptor.listen(1024, error);
        if (!error) got.push_back(acceptor.local_endpoint(error));
        if (error) {
            acceptors.clear();
            return fail(Errc::config, "cannot listen on " + endpoint_text(wanted) + ": " + error.message(),
                        "choose another address with --listen ADDR:PORT");
        }
        acceptors.push_back(std::move(acceptor));
    }
    return got;
}

asio::awaitable<void> Server::Impl::accept(tcp::acceptor& acceptor) {
    bool short_of_something = false;  // said once
    while (!stopping) {
        tcp::socket socket(context);
        std::error_code error;
        co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
        if (stopping) break;
        if (!error) {
            short_of_something = false;
            admit(std::move(socket));
        } else {
            if (!std::exchange(short_of_something, true)) handler.on_accept_failure(error);
            bool over = false;
            const Alarm alarm(context.get_executor(), std::chrono::steady_clock::now() + kAcceptPause, [this, &over] {
                over = true;
                changed.notify();
            });
            while (!over && !stopping) co_await changed.wait();
        }
    }
    --accepting;
    changed.notify();
}

void Server::Impl::admit(tcp::socket socket) {
    std::error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    if (error) return;
    Peer peer{address_text(endpoint.address()), endpoint.port()};
    std::string origin = address_group(endpoint.address());
    const SteadyTime now = std::chrono::steady_clock::now();
    const auto wait = rates.take(origin, now, kLongestTurn);
    if (!wait) {
        refuse(std::move(socket), Errc::overloaded);
        refused(peer, {Errc::overloaded, "its address connects too often", {}});
        return;
    }
    if (entries.size() >= options.max_connections) {
        if (parked.empty()) {
            refuse(std::move(socket), Errc::overloaded);
            refused(peer, {Errc::overloaded, "too many connections", {}});
            return;
        }
        turn_away(parked.front(), Errc::overloaded, "made room for another connection");
    }
    const auto entry = std::make_shared<Entry>();
    entry->arrival =
        std::make_unique<Arrival>(context.get_executor(), std::move(socket), std::move(peer), std::move(origin));
    entry->arrival->turn = now + *wait;
    entries.insert(entry);
    if (entry->arrival->turn > now || !has_place(*entry)) {
        park(entry);
    } else {
        begin(entry);
    }
    asio::co_spawn(context, serve(entry), [this, entry](const std::exception_ptr& failure) {
        // A thread could not be had for this session's work; the others need not suffer for it.
        if (failure) {
            const Peer& whose = entry->arrival ? entry->arrival->peer : entry->connection->peer();
            handler.on_refused(whose, {Errc::internal, "the session was ended by an exception", {}});
        }
        leave_handshake(entry);
        leave_address(entry);
        if (entry->connection) entry->connection->abort({Errc::interrupted, "the session is over", {}});
        entry->session.reset();
        entries.erase(entry);
        changed.notify();
    });
}

void Server::Impl::park(const EntryPtr& entry) {
    entry->parked = true;
    entry->arrival->place = parked.insert(parked.end(), entry);
}

// Into the handshake: counted, and somebody else's place taken where there is none.
void Server::Impl::begin(const EntryPtr& entry) {
    if (handshaking.size() >= options.max_unauthenticated) {
        const EntryPtr other = who_makes_room_for(*entry);
        if (!other) {
            entry->arrival->turned_away = Error{Errc::overloaded, "too many handshakes are under way", {}};
            return;
        }
        other->connection->evict(Errc::overloaded);
        give_up_place(other);
        forget_address(other);  // now: the next newcomer may come before its coroutine has run
    }
    entry->handshaking = true;
    handshaking.push_back(entry);
    entry->counted = true;
    ++unadmitted_from[entry->arrival->origin];
}

// Of those whose message is waited for, not of those whose hello is worked on: of the address that has most places once
// the newcomer has its own, the one that is waited for longest.  Nobody where the newcomer's own address would have
// more than that one, and no address's only place while any has two.
Server::Impl::EntryPtr Server::Impl::who_makes_room_for(const Entry& newcomer) const {
    const auto places = [&](const std::string& origin) {
        const auto found = unadmitted_from.find(origin);
        return (found == unadmitted_from.end() ? 0 : found->second) + (origin == newcomer.arrival->origin ? 1 : 0);
    };
    EntryPtr best;
    std::size_t most = places(newcomer.arrival->origin);  // of best's address, or what it has to have
    bool any_has_two = most > 1;
    for (const EntryPtr& entry : handshaking) {
        const std::size_t has = places(entry->arrival->origin);
        any_has_two = any_has_two || has > 1;
        const SteadyTime since = entry->connection ? entry->connection->awaited_since() : kNever;
        if (since == kNever || has < most) continue;
        if (best && has == most && since >= best->connection->awaited_since()) continue;
        best = entry;
        most = has;
    }
    return most == 1 && any_has_two ? nullptr : best;
}

void Server::Impl::give_up_place(const EntryPtr& entry) {
    entry->handshaking = false;
    handshaking.remove(entry);
}

void Server::Impl::leave_handshake(const EntryPtr& entry) {
    if (!entry->handshaking) return;
    give_up_place(entry);
    unpark();
}

void Server::Impl::leave_address(const EntryPtr& entry) {
    if (forget_address(entry)) unpark();
}

// Whether it was counted.
bool Server::Impl::forget_address(const EntryPtr& entry) {
    if (!std::exchange(entry->counted, false)) return false;
    const auto count = unadmitted_from.find(entry->arrival->origin);
    if (--count->second == 0) unadmitted_from.erase(count);
    return true;
}

// Those who wait take free places only, and nobody's.
void Server::Impl::unpark() {
    while (!stopping && handshaking.size() < options.max_unauthenticated) {
        const SteadyTime now = std::chrono::steady_clock::now();
        const auto next = std::ranges::find_if(
            parked, [&](const EntryPtr& entry) { return entry->arrival->turn <= now && has_place(*entry); });
        if (next == parked.end()) return;
        const EntryPtr entry = *next;
        parked.erase(next);
        entry->parked = false;
        begin(entry);
        entry->arrival->changed.notify();
    }
}

// By value: a reference to the list's own element would not outlive its removal.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
void Server::Impl::turn_away(EntryPtr entry, Errc why, const char* message) {
    entry->arrival->turned_away = Error{why, message, {}};
    entry->parked = false;
    parked.erase(entry->arrival->place);
    entry->arrival->changed.notify();
}

asio::awaitable<void> Server::Impl::wait_for_turn(EntryPtr entry) {
    const Alarm alarm(context.get_executor(), std::chrono::steady_clock::now() + options.parked, [this, entry] {
        if (entry->parked) turn_away(entry, Errc::overloaded, "waited too long for a place");
    });
    const Alarm turn(context.get_executor(), entry->arrival->turn, [this] { unpark(); });
    while (entry->parked) co_await entry->arrival->changed.wait();
}

// Little is kept across the session: most only wait, and there may be very many of them.
asio::awaitable<void> Server::Impl::serve(EntryPtr entry) {
    const bool admitted = co_await welcome(entry);
    if (!admitted) co_return;
    entry->arrival.reset();
    co_await entry->session->serve();
}

// Whether it is admitted; where not, it was told.
asio::awaitable<bool> Server::Impl::welcome(EntryPtr entry) {
    Arrival& arrival = *entry->arrival;
    if (entry->parked) co_await wait_for_turn(entry);
    if (stopping && !arrival.turned_away) arrival.turned_away = Error{Errc::going_away, "the vault stops", {}};
    if (arrival.turned_away) {
        refuse(std::move(*arrival.socket), arrival.turned_away->code);
        refused(arrival.peer, *arrival.turned_away);
        co_return false;
    }
    entry->connection = Connection::create_with(std::move(*arrival.socket), Side::vault, limits);
    arrival.socket.reset();
    auto ext = [this] { return handler.hello_ext(); };
    auto client = co_await entry->connection->accept_handshake(handler.party(), ext, workers);
    leave_handshake(entry);
    if (!client) {
        leave_address(entry);
        ++total.failed;
        handler.on_refused(arrival.peer, client.error());
        // Its place is free before it has taken the word.
        co_await entry->connection->close(alert_code(client.error().code));
        co_return false;
    }
    ++total.authenticated;
    entry->session = handler.make_session(entry->connection, std::move(*client));
    if (stopping) entry->session->stop();
    const bool admitted = co_await entry->session->admit();
    leave_address(entry);
    co_return admitted;
}

void Server::Impl::stop() {
    if (stopping) return;
    stopping = true;
    std::error_code ignored;
    for (auto& acceptor : acceptors) acceptor.close(ignored);
    turns.stop();
    while (!parked.empty()) turn_away(parked.front(), Errc::going_away, "the vault stops");
    // A copy: what ends leaves the list.
    const std::vector<EntryPtr> all(entries.begin(), entries.end());
    for (const EntryPtr& entry : all) {
        if (entry->session) entry->session->stop();
        if (entry->connection) entry->connection->evict(Errc::going_away);
    }
    changed.notify();
}

void Server::Impl::abort_all() {
    const std::vector<EntryPtr> all(entries.begin(), entries.end());
    for (const EntryPtr& entry : all) {
        if (entry->connection) entry->connection->abort({Errc::going_away, "the vault stops", {}});
    }
}

asio::awaitable<void> Server::Impl::run() {
    accepting = acceptors.size();
    for (auto& acceptor : acceptors) {
        asio::co_spawn(context, accept(acceptor), [](const std::exception_ptr& failure) {
            if (failure) std::rethrow_exception(failure);
        });
    }
    while (!stopping) co_await changed.wait();
    const Alarm alarm(context.get_executor(), std::chrono::steady_clock::now() + options.drain,
                      [this] { abort_all(); });
    while (accepting > 0 || !entries.empty()) co_await changed.wait();
}

Server::Server(asio::io_context& context, ServerHandler& handler, ServerOptions options)
    : impl_(std::make_unique<Impl>(context, handler, std::move(options))) {}

Server::~Server() { impl_->workers.join(); }

Result<std::vector<tcp::endpoint>> Server::listen() { return impl_->listen(); }

asio::awaitable<void> Server::run() { return impl_->run(); }

void Server::stop() { impl_->stop(); }

void Server::abort() {
    impl_->stop();
    impl_->abort_all();
}

ServerCounts Server::counts() const noexcept {
    ServerCounts counts = impl_->total;
    counts.connections = impl_->entries.size();
    counts.unauthenticated = impl_->handshaking.size();
    counts.parked = impl_->parked.size();
    counts.addresses = impl_->rates.size();
    return counts;
}

asio::thread_pool& Server::handshake_workers() noexcept { return impl_->workers; }

asio::awaitable<Result<void>> Server::work_for_stranger(Peer stranger, std::vector<Piece> pieces) {
    std::string origin = address_group(asio::ip::make_address(stranger.address));
    const SteadyTime now = std::chrono::steady_clock::now();
    impl_->rates.charge(origin, now, kPieceCost * static_cast<double>(pieces.size()));
    const auto turn = co_await impl_->turns.take(std::move(origin), now + kLongestStrangerTurn);
    if (!turn && impl_->stopping) co_return fail(Errc::going_away, "the vault stops");
    if (!turn) co_return fail(Errc::overloaded, "waited too long for its turn");
    for (Piece& piece : pieces) SAT_CO_TRY(co_await on_worker(impl_->workers, piece));
    co_return Result<void>();
}

std::size_t raise_open_files(std::size_t wanted) noexcept {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    if (limit.rlim_cur < wanted) {
        rlimit raised = limit;
        raised.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    }
    return static_cast<std::size_t>(limit.rlim_cur);
}

}  // namespace sat
