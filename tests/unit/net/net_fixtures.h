// Two ends on the loopback and one thread: coroutines are run to their end from the test's own body, so that a test
// reads as a sequence.  Limits are short ones, injected; nothing waits for the protocol's own seconds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "net/connection.h"
#include "net/dial.h"
#include "net/server.h"
#include "support/keys.h"
#include "wire/frame.h"

namespace sat {

using namespace std::chrono_literals;
using asio::ip::tcp;

inline const HandshakeParty& test_party(const std::string& name, IdentityKind kind) {
    static std::map<std::string, HandshakeParty> parties;
    auto found = parties.find(name);
    if (found == parties.end()) {
        std::optional<LogVerifyKey> log;
        if (kind == IdentityKind::vault) log = test_log_key(name).public_key();
        const auto& kem = test_kem_key(name);
        auto chain = make_identity(kind, test_signing_key(name), kem.public_key(), log, 1'700'000'000);
        found = parties.emplace(name, HandshakeParty(std::move(chain), kem)).first;
    }
    return found->second;
}
inline const HandshakeParty& vault_party() { return test_party("net-vault", IdentityKind::vault); }
inline const HandshakeParty& client_party() { return test_party("net-client", IdentityKind::user); }

// Something that runs beside the test's body.
template <typename T>
struct Running {
    std::shared_ptr<std::optional<T>> value = std::make_shared<std::optional<T>>();
    bool done() const { return value->has_value(); }
};

class Loop {
public:
    ~Loop() { workers.join(); }

    template <typename T>
    Running<T> start(asio::awaitable<T> work) {
        Running<T> running;
        auto run = [](asio::awaitable<T> inner, std::shared_ptr<std::optional<T>> into) -> asio::awaitable<void> {
            into->emplace(co_await std::move(inner));
        };
        asio::co_spawn(context, run(std::move(work), running.value), rethrow);
        return running;
    }
    Running<bool> start(asio::awaitable<void> work) {
        auto run = [](asio::awaitable<void> inner) -> asio::awaitable<bool> {
            co_await std::move(inner);
            co_return true;
        };
        return start(run(std::move(work)));
    }

    template <typename T>
    T finish(Running<T> running) {
        const bool came = until([&] { return running.done(); });
        EXPECT_TRUE(came) << "nothing happens any more";
        if (!came) throw std::runtime_error("a coroutine does not end");
        return std::move(**running.value);
    }
    template <typename T>
    T run(asio::awaitable<T> work) {
        return finish(start(std::move(work)));
    }
    void run(asio::awaitable<void> work) { finish(start(std::move(work))); }

    // Runs until `condition`; false after 20 s.
    template <typename Condition>
    bool until(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) return false;
            context.restart();
            context.run_one_for(100ms);
        }
        return true;
    }
    void for_a_while(std::chrono::milliseconds time) {
        const auto end = std::chrono::steady_clock::now() + time;
        context.restart();
        context.run_until(end);
    }

    asio::thread_pool workers{2};
    asio::io_context context;

private:
    static void rethrow(const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
    }
};

inline ServerHelloExt test_hello() {
    ServerHelloExt ext;
    ext.time = 1'800'000'000;
    ext.limits.artwork_bytes = 1 << 30;
    return ext;
}

// As a session waits for one: in await_request(), over and over while only PINGs and KEY_UPDATEs come.
inline asio::awaitable<Result<std::optional<std::string>>> next_request(std::shared_ptr<Connection> vault) {
    for (;;) {
        co_await vault->await_request();
        auto request = co_await vault->receive_request();
        if (request || request.error().code != Errc::still_pending) co_return request;
    }
}

// As a server does: a failure is told to the client.
inline asio::awaitable<Result<ClientIdentity>> accept_and_tell(Loop& loop, std::shared_ptr<Connection> vault) {
    auto client = co_await vault->accept_handshake(vault_party(), test_hello, loop.workers);
    if (!client) co_await vault->close(alert_code(client.error().code));
    co_return client;
}

struct SocketPair {
    tcp::socket client;
    tcp::socket vault;
};

inline SocketPair connected_sockets(Loop& loop) {
    tcp::acceptor acceptor(loop.context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    tcp::socket client(loop.context);
    client.connect(acceptor.local_endpoint());
    return {std::move(client), acceptor.accept()};
}

// An authenticated connection, both ends of it our own.
struct Pair {
    std::shared_ptr<Connection> client;
    std::shared_ptr<Connection> vault;
};

inline Pair connected(Loop& loop, ConnectionLimits client_limits = {}, ConnectionLimits vault_limits = {}) {
    auto sockets = connected_sockets(loop);
    Pair pair{Connection::create(std::move(sockets.client), Side::client, client_limits),
              Connection::create(std::move(sockets.vault), Side::vault, vault_limits)};
    auto accepted = loop.start(pair.vault->accept_handshake(vault_party(), test_hello, loop.workers));
    EXPECT_TRUE(loop.run(pair.client->receive_identity(client_party(), {})));
    EXPECT_TRUE(loop.run(pair.client->finish_handshake()));
    const auto client = loop.finish(accepted);
    EXPECT_TRUE(client);
    if (client) {
        EXPECT_EQ(client->chain.wallet(), client_party().chain().wallet());
    }
    return pair;
}

// One end by hand: bytes and records as a test wants them, right or wrong.
class RawEnd {
public:
    RawEnd(Loop& loop, tcp::socket socket) : loop_(loop), socket_(std::move(socket)) {}

    bool send(ByteView bytes) {
        auto work = [](tcp::socket& socket, Bytes data) -> asio::awaitable<bool> {
            std::error_code error;
            co_await asio::async_write(socket, asio::buffer(data.data(), data.size()),
                                       asio::redirect_error(asio::use_awaitable, error));
            co_return !error;
        };
        return loop_.run(work(socket_, to_bytes(bytes)));
    }
    // A whole frame; empty at the end of the stream.
    Bytes receive() {
        auto work = [](tcp::socket& socket) -> asio::awaitable<Bytes> {
            std::error_code error;
            Bytes frame(kFrameHeaderSize);
            co_await asio::async_read(socket, asio::buffer(frame.data(), frame.size()),
                                      asio::redirect_error(asio::use_awaitable, error));
            if (error) co_return Bytes();
            const std::size_t size = ByteReader(frame).u32();
            frame.resize(kFrameHeaderSize + size);
            co_await asio::async_read(socket, asio::buffer(frame.data() + kFrameHeaderSize, size),
                                      asio::redirect_error(asio::use_awaitable, error));
            if (error) co_return Bytes();
            co_return frame;
        };
        return loop_.run(work(socket_));
    }
    // The next frame is an ALERT of this code, and then the stream ends.
    Errc receive_alert() {
        const auto alert = parse_alert(receive());
        EXPECT_TRUE(alert);
        EXPECT_TRUE(receive().empty());
        return alert ? *alert : Errc::internal;
    }

    // As a client, up to an authenticated connection.
    bool authenticate() {
        ClientHandshake handshake(client_party(), {});
        const Bytes identity = receive();
        if (identity.empty() || !handshake.on_identity(identity)) return false;
        auto hello = handshake.hello();
        if (!hello || !send(*hello)) return false;
        auto finished = handshake.on_server_hello(receive());
        if (!finished || !send(*finished)) return false;
        auto keys = handshake.established();
        if (!keys) return false;
        sealer.emplace(std::move(keys->send), 0);
        opener.emplace(std::move(keys->receive), Side::vault);
        return true;
    }

    std::optional<RecordSealer> sealer;
    std::optional<RecordOpener> opener;
    tcp::socket& socket() { return socket_; }

private:
    Loop& loop_;
    tcp::socket socket_;
};

// A pair of which the client is raw, and authenticated.
struct HalfRaw {
    RawEnd client;
    std::shared_ptr<Connection> vault;
};

inline HalfRaw half_raw(Loop& loop, ConnectionLimits limits = {}) {
    auto sockets = connected_sockets(loop);
    auto vault = Connection::create(std::move(sockets.vault), Side::vault, limits);
    RawEnd client(loop, std::move(sockets.client));
    auto accepted = loop.start(vault->accept_handshake(vault_party(), test_hello, loop.workers));
    EXPECT_TRUE(client.authenticate());
    EXPECT_TRUE(loop.finish(accepted));
    return {std::move(client), std::move(vault)};
}

}  // namespace sat
