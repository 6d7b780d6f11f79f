// Dialling: what becomes of a vault that is not there, is silent, is the wrong one, or has no place left.
// SPDX-License-Identifier: Apache-2.0
#include "net/dial.h"

#include "net_fixtures.h"

namespace sat {
namespace {

DialOptions quick() {
    DialOptions options;
    options.connect = 2000ms;
    options.limits.identity = 100ms;
    options.limits.handshake = 200ms;
    options.pause = 5ms;
    options.agent = "net-test/1";
    return options;
}

Result<ClientFinishedExt> any_vault(const IdentityChain&) { return ClientFinishedExt{}; }

// A listener whose connections a test serves by hand.
class FakeVault {
public:
    explicit FakeVault(Loop& loop)
        : loop_(loop), acceptor_(loop.context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

    Address address() const { return {"127.0.0.1", acceptor_.local_endpoint().port()}; }
    // Serves each connection with `serve` until the acceptor goes.
    void serve_all(std::function<asio::awaitable<void>(tcp::socket)> serve) {
        auto work = [](tcp::acceptor& acceptor, std::function<asio::awaitable<void>(tcp::socket)> each,
                       int& count) -> asio::awaitable<void> {
            for (;;) {
                std::error_code error;
                tcp::socket socket(acceptor.get_executor());
                co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
                if (error) co_return;
                ++count;
                co_await each(std::move(socket));
            }
        };
        accepting_ = loop_.start(work(acceptor_, std::move(serve), connections));
    }
    ~FakeVault() {
        acceptor_.close();
        loop_.until([&] { return !accepting_ || accepting_->done(); });
    }
    int connections = 0;

private:
    Loop& loop_;
    tcp::acceptor acceptor_;
    std::optional<Running<bool>> accepting_;
};

asio::awaitable<void> send_bytes(tcp::socket& socket, Bytes bytes) {
    std::error_code ignored;
    co_await asio::async_write(socket, asio::buffer(bytes.data(), bytes.size()),
                               asio::redirect_error(asio::use_awaitable, ignored));
}

// Reads and drops until the other end closes; how much came.
asio::awaitable<std::size_t> drain(tcp::socket& socket) {
    std::size_t total = 0;
    std::array<std::byte, 4096> bytes{};
    for (;;) {
        std::error_code error;
        const std::size_t size = co_await socket.async_read_some(asio::buffer(bytes.data(), bytes.size()),
                                                                 asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return total;
        total += size;
    }
}

TEST(Dial, FindsNobodyWhereNobodyListens) {
    Loop loop;
    Address address{"127.0.0.1", 0};
    {
        tcp::acceptor acceptor(loop.context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        address.port = acceptor.local_endpoint().port();
    }
    for (const Address& nobody : {address, Address{"no-such-host.invalid", 7420}}) {
        const auto session = loop.run(open_session(nobody, client_party(), any_vault, quick()));
        ASSERT_FALSE(session);
        EXPECT_EQ(session.error().code, Errc::unreachable);
        EXPECT_FALSE(session.error().hint.empty());
    }
}

TEST(Dial, GivesUpOnAVaultThatNeverSaysWhoItIs) {
    Loop loop;
    FakeVault vault(loop);
    vault.serve_all(
        [](tcp::socket socket) -> asio::awaitable<void> { [[maybe_unused]] const auto sent = co_await drain(socket); });
    const auto session = loop.run(open_session(vault.address(), client_party(), any_vault, quick()));
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::unreachable);
}

TEST(Dial, TakesAnEndBeforeIdentityAsUnreachable) {
    Loop loop;
    FakeVault vault(loop);
    vault.serve_all([](tcp::socket socket) -> asio::awaitable<void> {
        const Bytes half(vault_party().identity_frame().begin(), vault_party().identity_frame().begin() + 100);
        co_await send_bytes(socket, half);
    });
    const auto session = loop.run(open_session(vault.address(), client_party(), any_vault, quick()));
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::unreachable);
}

TEST(Dial, SendsNothingToAVaultThatIsNotTheOneThatWasMeant) {
    Loop loop;
    FakeVault vault(loop);
    std::optional<std::size_t> received;
    vault.serve_all([&received](tcp::socket socket) -> asio::awaitable<void> {
        co_await send_bytes(socket, vault_party().identity_frame());
        received = co_await drain(socket);
    });
    std::optional<Wallet> shown;
    auto check = [&shown](const IdentityChain& chain) -> Result<ClientFinishedExt> {
        shown = chain.wallet();
        return fail(Errc::vault_key_changed, "not the pinned key");
    };
    const auto session = loop.run(open_session(vault.address(), client_party(), check, quick()));
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::vault_key_changed);
    EXPECT_EQ(shown, vault_party().chain().wallet());
    ASSERT_TRUE(loop.until([&] { return received.has_value(); }));
    EXPECT_EQ(*received, 0u);
}

TEST(Dial, TakesAnEndInTheHandshakeAsInterruptedAndSilenceAsUnreachable) {
    Loop loop;
    for (const bool silent : {false, true}) {
        FakeVault vault(loop);
        vault.serve_all([silent](tcp::socket socket) -> asio::awaitable<void> {
            co_await send_bytes(socket, vault_party().identity_frame());
            if (silent) {
                [[maybe_unused]] const auto sent = co_await drain(socket);
            } else {
                std::array<std::byte, 4> header{};
                std::error_code ignored;
                co_await asio::async_read(socket, asio::buffer(header.data(), header.size()),
                                          asio::redirect_error(asio::use_awaitable, ignored));
            }
        });
        const auto session = loop.run(open_session(vault.address(), client_party(), any_vault, quick()));
        ASSERT_FALSE(session);
        EXPECT_EQ(session.error().code, silent ? Errc::unreachable : Errc::interrupted);
    }
}

TEST(Dial, TriesThreeTimesWhereTheVaultIsOverloaded) {
    Loop loop;
    {
        FakeVault vault(loop);
        vault.serve_all([](tcp::socket socket) -> asio::awaitable<void> {
            co_await send_bytes(socket, encode_alert(Errc::overloaded));
        });
        const auto session = loop.run(open_session(vault.address(), client_party(), any_vault, quick()));
        ASSERT_FALSE(session);
        EXPECT_EQ(session.error().code, Errc::overloaded);
        EXPECT_EQ(vault.connections, kMaxTries);
    }
    // Another refusal is not tried again.
    FakeVault vault(loop);
    vault.serve_all([](tcp::socket socket) -> asio::awaitable<void> {
        co_await send_bytes(socket, encode_alert(Errc::going_away));
    });
    const auto session = loop.run(open_session(vault.address(), client_party(), any_vault, quick()));
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::going_away);
    EXPECT_EQ(vault.connections, 1);
}

TEST(Dial, SucceedsAtTheNextTry) {
    Loop loop;
    FakeVault vault(loop);
    std::shared_ptr<Connection> served;
    vault.serve_all([&](tcp::socket socket) -> asio::awaitable<void> {
        if (vault.connections == 1) {
            co_await send_bytes(socket, encode_alert(Errc::overloaded));
            co_return;
        }
        served = Connection::create(std::move(socket), Side::vault, {});
        const auto client = co_await served->accept_handshake(vault_party(), test_hello, loop.workers);
        EXPECT_TRUE(client);
        if (client) {
            EXPECT_EQ(client->hello.agent, "net-test/1");
        }
    });
    const auto session = loop.run(open_session(vault.address(), client_party(), any_vault, quick()));
    ASSERT_TRUE(session);
    EXPECT_EQ(session->hello, test_hello());
    EXPECT_EQ(session->connection->vault().wallet(), vault_party().chain().wallet());
    ASSERT_TRUE(loop.until([&] { return served && served->established(); }));
}

TEST(Dial, EndsWhenTheTimeForEverythingIsOver) {
    Loop loop;
    FakeVault vault(loop);
    vault.serve_all(
        [](tcp::socket socket) -> asio::awaitable<void> { [[maybe_unused]] const auto sent = co_await drain(socket); });
    DialOptions options = quick();
    options.limits.identity = 10s;
    options.expires = std::chrono::steady_clock::now() + 50ms;
    const auto session = loop.run(open_session(vault.address(), client_party(), any_vault, options));
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::unreachable);
}

}  // namespace
}  // namespace sat
