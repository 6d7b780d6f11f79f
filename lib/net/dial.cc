// Dialling a vault: see dial.h.
// SPDX-License-Identifier: Apache-2.0
#include "net/dial.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/error.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "base/file.h"
#include "crypto/random.h"

namespace sat {

namespace {

using asio::ip::tcp;
using Endpoints = std::vector<tcp::endpoint>;

std::string reason(const std::error_code& error) {
    if (error == asio::error::connection_refused) return "connection refused";
    if (error == asio::error::host_unreachable || error == asio::error::network_unreachable) return "no route to it";
    if (error == asio::error::timed_out || error == asio::error::operation_aborted) return "no answer in time";
    if (error == asio::error::host_not_found) return "no such name";
    return error.message();
}

tl::unexpected<Error> unreachable(const Address& address, const std::string& why) {
    return fail(Errc::unreachable, "cannot reach the vault at " + address.text() + ": " + why,
                "check the address, and that sat-vaultd runs there");
}

// What getaddrinfo(3) finds; it asks name servers for as long as the system's own limits let it.
Result<Endpoints> look_up(const Address& address) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(address.host.c_str(), nullptr, &hints, &found);
    if (failed == EAI_SYSTEM) return unreachable(address, std::error_code(errno, std::system_category()).message());
    if (failed == EAI_NONAME || failed == EAI_AGAIN || failed == EAI_NODATA || failed == EAI_ADDRFAMILY)
        return unreachable(address, "no such name");
    if (failed != 0) return unreachable(address, ::gai_strerror(failed));
    Endpoints endpoints;
    for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
        tcp::endpoint endpoint;
        if (entry->ai_addrlen > endpoint.capacity()) continue;
        std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
        endpoint.resize(entry->ai_addrlen);
        endpoint.port(address.port);
        endpoints.push_back(endpoint);
    }
    ::freeaddrinfo(found);
    if (endpoints.empty()) return unreachable(address, "no such name");
    return endpoints;
}

// Shared by who waits and the thread that looks up.
struct Lookup {
    std::mutex mutex;
    std::optional<Result<Endpoints>> found;
};

// getaddrinfo(3) cannot be called off.  Its thread is nobody's, so that neither this connection nor the end of the
// program waits for it (a thread of asio's resolver is joined with the context).  It knows the context not at all,
// which may be gone by then: it says that it is done by closing its end of a pipe.
asio::awaitable<Result<Endpoints>> resolve(Address address, SteadyTime until) {
    std::error_code error;
    const auto numeric = asio::ip::make_address(address.host, error);
    if (!error) co_return Endpoints{tcp::endpoint(numeric, address.port)};
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        co_return unreachable(address, std::error_code(errno, std::system_category()).message());
    asio::posix::stream_descriptor done(co_await asio::this_coro::executor, ends[0]);
    const auto lookup = std::make_shared<Lookup>();
    std::thread([lookup, address, end = FileDescriptor(ends[1])] {
        auto found = look_up(address);
        const std::lock_guard lock(lookup->mutex);
        lookup->found = std::move(found);
    }).detach();
    const Alarm alarm(co_await asio::this_coro::executor, until, [&done] {
        std::error_code ignored;
        done.cancel(ignored);
    });
    co_await done.async_wait(asio::posix::stream_descriptor::wait_read,
                             asio::redirect_error(asio::use_awaitable, error));
    const std::lock_guard lock(lookup->mutex);
    if (!lookup->found) co_return unreachable(address, "no answer from the name server in time");
    co_return std::move(*lookup->found);
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
