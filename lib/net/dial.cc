// Dialling a vault: see dial.h.
// SPDX-License-Identifier: Apache-2.0
#include "net/dial.h"

#include <algorithm>
#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <vector>

#include "crypto/random.h"

namespace sat {

namespace {

using asio::ip::tcp;
using Endpoints = std::vector<tcp::endpoint>;

std::string reason(const std::error_code& error) {
    if (error == asio::error::connection_refused) return "connection refused";
    if (error == asio::error::host_unreachable || error == asio::error::network_unreachable) return "no route to it";
    if (error == asio::error::timed_out || error == asio::error::operation_aborted) return "no answer in time";
    if (error == asio::error::host_not_found || error == asio::error::host_not_found_try_again ||
        error == asio::error::no_data)
        return "no such name";
    return error.message();
}

tl::unexpected<Error> unreachable(const Address& address, const std::string& why) {
    return fail(Errc::unreachable, "cannot reach the vault at " + address.text() + ": " + why,
                "check the address, and that sat-vaultd runs there");
}

asio::awaitable<Result<Endpoints>> look_up(Address address) {
    tcp::resolver resolver(co_await asio::this_coro::executor);
    std::error_code error;
    const auto found = co_await resolver.async_resolve(address.host, std::to_string(address.port),
                                                       asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return unreachable(address, reason(error));
    Endpoints endpoints;
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
    co_return endpoints;
}

// The resolver cannot be called off while it asks a name server: it is left to itself when `until` comes first.
asio::awaitable<Result<Endpoints>> resolve(Address address, SteadyTime until) {
    std::error_code error;
    const auto numeric = asio::ip::make_address(address.host, error);
    if (!error) co_return Endpoints{tcp::endpoint(numeric, address.port)};
    const auto executor = co_await asio::this_coro::executor;
    struct Race {
        explicit Race(const asio::any_io_executor& on) : changed(on) {}
        std::optional<Result<Endpoints>> found;
        bool late = false;
        Signal changed;
    };
    const auto race = std::make_shared<Race>(executor);  // shared with the lookup that is left to itself
    auto lookup = [](Address wanted, std::shared_ptr<Race> into) -> asio::awaitable<void> {
        into->found = co_await look_up(std::move(wanted));
        into->changed.notify();
    };
    asio::co_spawn(executor, lookup(address, race), [](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
    });
    const Alarm alarm(executor, until, [race] {
        race->late = true;
        race->changed.notify();
    });
    while (!race->found && !race->late) co_await race->changed.wait();
    if (!race->found) co_return unreachable(address, "no answer from the name server in time");
    co_return std::move(*race->found);
}

// Tries all of them, each with its share of the time that is left.
asio::awaitable<Result<tcp::socket>> connect_one(Address address, Endpoints endpoints, SteadyTime until) {
    const auto executor = co_await asio::this_coro::executor;
    std::error_code error = asio::error::host_not_found;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        const auto now = std::chrono::steady_clock::now();
        if (now >= until) break;
        const auto share = (until - now) / static_cast<int>(endpoints.size() - i);
        tcp::socket socket(executor);
        const Alarm alarm(executor, now + share, [&socket] {
            std::error_code ignored;
            socket.close(ignored);
        });
        co_await socket.async_connect(endpoints[i], asio::redirect_error(asio::use_awaitable, error));
        if (!error && !alarm.rang()) co_return std::move(socket);
        if (alarm.rang()) error = asio::error::timed_out;
    }
    co_return unreachable(address, reason(error));
}

}  // namespace

asio::awaitable<Result<std::shared_ptr<Connection>>> dial(Address address, const HandshakeParty& me,
                                                          DialOptions options) {
    const auto until = std::min(options.expires, std::chrono::steady_clock::now() + options.connect);
    SAT_CO_TRY_VALUE(Endpoints endpoints, co_await resolve(address, until));
    SAT_CO_TRY_VALUE(tcp::socket socket, co_await connect_one(address, std::move(endpoints), until));
    auto connection = Connection::create(std::move(socket), Side::client, options.limits);
    connection->expire_at(options.expires);
    ClientHelloExt ext;
    if (!options.agent.empty()) ext.agent = options.agent;
    auto identity = co_await connection->receive_identity(me, std::move(ext));
    if (!identity && identity.error().code == Errc::unreachable)
        co_return unreachable(address, identity.error().message);
    if (!identity) co_return fail(std::move(identity.error()));
    co_return connection;
}

namespace {

asio::awaitable<Result<Session>> try_once(Address address, const HandshakeParty& me, CheckVault check,
                                          DialOptions options) {
    SAT_CO_TRY_VALUE(const auto connection, co_await dial(address, me, options));
    auto told = check(connection->vault());
    if (!told) {
        connection->abort({Errc::cancelled, "not the vault that was meant", {}});
        co_return fail(std::move(told.error()));
    }
    auto hello = co_await connection->finish_handshake(std::move(*told));
    if (!hello && hello.error().code == Errc::unreachable) co_return unreachable(address, hello.error().message);
    if (!hello) co_return fail(std::move(hello.error()));
    co_return Session{connection, std::move(*hello)};
}

}  // namespace

asio::awaitable<Result<Session>> open_session(Address address, const HandshakeParty& me, CheckVault check,
                                              DialOptions options) {
    auto pause = std::max(options.pause, std::chrono::milliseconds(2));
    for (int left = options.tries; left > 1; --left) {
        auto session = co_await try_once(address, me, check, options);
        if (session || session.error().code != Errc::overloaded) co_return session;
        // Half to one and a half of the mean: those who were turned away together do not come back together.
        const auto spread = random_below(static_cast<std::uint64_t>(pause.count()));
        asio::steady_timer timer(co_await asio::this_coro::executor,
                                 pause / 2 + std::chrono::milliseconds(static_cast<std::int64_t>(spread)));
        co_await timer.async_wait(asio::use_awaitable);
        pause *= 2;
    }
    co_return co_await try_once(address, me, check, options);
}

}  // namespace sat
