// The accept loop: places, waiting, turning away, and the end.  docs/protocol.md, "Handshake".
// SPDX-License-Identifier: Apache-2.0
#include "net/server.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <list>
#include <mutex>

#include "net/address.h"
#include "net_fixtures.h"

namespace sat {
namespace {

// Echoes every request; "slow" takes until it is let go.
class Echo : public ServerSession {
public:
    Echo(std::shared_ptr<Connection> connection, const bool& hold, const bool& at_the_door)
        : connection_(std::move(connection)), hold_(hold), at_the_door_(at_the_door) {}

    asio::awaitable<bool> admit() override {
        while (at_the_door_) {
            asio::steady_timer timer(connection_->executor(), 2ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
        co_return true;
    }

    asio::awaitable<void> serve() override {
        for (;;) {
            co_await connection_->await_request();
            const auto request = co_await connection_->receive_request();
            if (!request && request.error().code == Errc::still_pending) continue;
            if (!request && request.error().code == Errc::cancelled) {
                co_await connection_->close(Errc::going_away);
                co_return;
            }
            if (!request || !*request) co_return;
            while (**request == "slow" && hold_) {
                asio::steady_timer timer(connection_->executor(), 2ms);
                co_await timer.async_wait(asio::use_awaitable);
            }
            const auto sent = co_await connection_->send_response(**request);
            if (!sent) co_return;
        }
    }
    void stop() override { connection_->interrupt_idle(); }

private:
    std::shared_ptr<Connection> connection_;
    const bool& hold_;
    const bool& at_the_door_;
};

class EchoVault : public ServerHandler {
public:
    EchoVault(Loop& loop, ServerOptions options) : loop_(loop), server_(loop.context, *this, with_address(options)) {
        const auto got = server_.listen();
        EXPECT_TRUE(got);
        if (got) endpoint = got->front();
        running_ = loop.start(server_.run());
    }
    ~EchoVault() override { stop(); }

    void stop() {
        server_.stop();
        EXPECT_TRUE(loop_.until([&] { return running_.done(); }));
        EXPECT_EQ(server_.connections(), 0u);
    }
    Address address() const { return {"127.0.0.1", endpoint.port()}; }
    Server& server() { return server_; }
    bool stopped() const { return running_.done(); }

    const HandshakeParty& party() const override { return vault_party(); }
    ServerHelloExt hello_ext() override {
        ++hellos;
        return test_hello();
    }
    std::shared_ptr<ServerSession> make_session(std::shared_ptr<Connection> connection, ClientIdentity) override {
        return std::make_shared<Echo>(std::move(connection), hold, at_the_door);
    }
    void on_refused(const Peer&, const Error& error) override { refused.push_back(error.code); }
    void on_accept_failure(const std::error_code&) override { ++accept_failures; }

    tcp::endpoint endpoint;
    bool hold = false;
    bool at_the_door = false;  // nobody is admitted yet
    int hellos = 0;            // that came whole, and whose work was begun
    std::vector<Errc> refused;
    int accept_failures = 0;

private:
    static ServerOptions with_address(ServerOptions options) {
        if (options.listen.empty()) options.listen = {*parse_listen_address("127.0.0.1:0")};
        return options;
    }
    Loop& loop_;
    Server server_;
    Running<bool> running_;
};

DialOptions patient() {
    DialOptions options;
    options.tries = 1;
    return options;
}

Result<Session> open(Loop& loop, const EchoVault& vault) {
    auto any = [](const IdentityChain&) -> Result<ClientFinishedExt> { return ClientFinishedExt{}; };
    return loop.run(open_session(vault.address(), client_party(), any, patient()));
}

RawEnd raw(Loop& loop, const EchoVault& vault, const char* from = "127.0.0.1") {
    tcp::socket socket(loop.context, tcp::v4());
    socket.bind(tcp::endpoint(asio::ip::make_address(from), 0));
    socket.connect(vault.endpoint);
    return {loop, std::move(socket)};
}

// IDENTITY has come: from now on CLIENT_HELLO is waited for.
RawEnd silent(Loop& loop, const EchoVault& vault, const char* from = "127.0.0.1") {
    RawEnd end = raw(loop, vault, from);
    EXPECT_EQ(end.receive(), vault_party().identity_frame());
    return end;
}

// One whose handshake stops before CLIENT_FINISHED, and may be finished.
class Unfinished {
public:
    Unfinished(Loop& loop, const EchoVault& vault, const char* from = "127.0.0.1") : end(silent(loop, vault, from)) {
        EXPECT_TRUE(handshake_.on_identity(vault_party().identity_frame()));
        EXPECT_TRUE(end.send(*handshake_.hello()));
    }
    // From now on CLIENT_FINISHED is waited for.
    void hear() {
        hello_ = end.receive();
        EXPECT_EQ(frame_type(hello_), FrameType::server_hello);
    }
    bool finish() {
        auto finished = handshake_.on_server_hello(hello_);
        return finished && end.send(*finished);
    }

    RawEnd end;

private:
    ClientHandshake handshake_{client_party(), {}};
    Bytes hello_;
};

TEST(Server, ServesOneAfterTheOtherWhateverTheOthersDo) {
    Loop loop;
    EchoVault vault(loop, {});
    RawEnd mute = raw(loop, vault);
    RawEnd garbage = raw(loop, vault);
    EXPECT_TRUE(garbage.send(Bytes(3000, std::byte{0x55})));
    { const RawEnd vanishing = raw(loop, vault); }
    for (int i = 0; i < 5; ++i) {
        const auto session = open(loop, vault);
        ASSERT_TRUE(session);
        EXPECT_EQ(loop.run(session->connection->request("hello")), "hello");
        loop.run(session->connection->close());
    }
    EXPECT_FALSE(vault.refused.empty());
}

TEST(Server, ReportsThePortThatItGotAndAPortThatIsTaken) {
    Loop loop;
    EchoVault vault(loop, {});
    EXPECT_NE(vault.endpoint.port(), 0);
    ServerOptions options;
    options.listen = {vault.endpoint};
    Server second(loop.context, vault, options);
    const auto got = second.listen();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::config);
}

TEST(Server, ListensOnBothFamiliesAtOnePort) {
    Loop loop;
    ServerOptions options;
    options.listen = {*parse_listen_address("0.0.0.0:0")};
    EchoVault vault(loop, options);
    ServerOptions v6;
    v6.listen = {tcp::endpoint(asio::ip::address_v6::any(), vault.endpoint.port())};
    Server second(loop.context, vault, v6);
    const auto got = second.listen();
    if (!got) {
        GTEST_LOG_(INFO) << "no IPv6 here: " << got.error().message;
        return;
    }
    EXPECT_EQ(got->front().port(), vault.endpoint.port());
}

TEST(Server, LetsTheNinthOfOneAddressWaitWithoutAnIdentity) {
    Loop loop;
    EchoVault vault(loop, {});
    std::list<RawEnd> eight;
    for (std::size_t i = 0; i < kMaxUnauthenticatedPerPeer; ++i) {
        eight.push_back(raw(loop, vault));
        EXPECT_EQ(eight.back().receive(), vault_party().identity_frame());
    }
    RawEnd ninth = raw(loop, vault);
    ASSERT_TRUE(loop.until([&] { return vault.server().parked() == 1; }));
    EXPECT_EQ(vault.server().unauthenticated(), kMaxUnauthenticatedPerPeer);
    loop.for_a_while(50ms);
    EXPECT_EQ(ninth.socket().available(), 0u);
    // One of the eight becomes a session: its place is free.
    auto& first = eight.front();
    ClientHandshake handshake(client_party(), {});
    ASSERT_TRUE(handshake.on_identity(vault_party().identity_frame()));
    ASSERT_TRUE(first.send(*handshake.hello()));
    ASSERT_TRUE(first.send(*handshake.on_server_hello(first.receive())));
    EXPECT_TRUE(ninth.authenticate());
    EXPECT_EQ(vault.server().parked(), 0u);
}

TEST(Server, WhoIsNotYetAdmittedHasAPlaceOfItsAddressAndNoneOfTheHandshake) {
    Loop loop;
    EchoVault vault(loop, {});
    vault.at_the_door = true;
    std::list<RawEnd> eight;
    for (std::size_t i = 0; i < kMaxUnauthenticatedPerPeer; ++i) {
        eight.push_back(raw(loop, vault));
        EXPECT_TRUE(eight.back().authenticate());
    }
    ASSERT_TRUE(loop.until([&] { return vault.server().unauthenticated() == 0; }));
    RawEnd ninth = raw(loop, vault);
    ASSERT_TRUE(loop.until([&] { return vault.server().parked() == 1; }));
    // Another address is not in their way.
    RawEnd other = raw(loop, vault, "127.0.0.2");
    EXPECT_TRUE(other.authenticate());
    EXPECT_EQ(vault.server().parked(), 1U);
    vault.at_the_door = false;
    EXPECT_TRUE(ninth.authenticate());
}

TEST(Server, WorksForStrangersPieceByPieceBetweenTheHandshakesAndOneAddressAfterTheOther) {
    Loop loop;
    ServerOptions options;
    options.handshake_threads = 1;
    options.handshakes = {10, 10};
    EchoVault vault(loop, options);
    std::mutex mutex;
    std::vector<std::string> done;  // under mutex
    const auto say = [&](const std::string& what) {
        const std::lock_guard lock(mutex);
        done.push_back(what);
    };
    std::promise<void> go;
    std::atomic<bool> begun = false;
    std::vector<Server::Piece> first;
    first.emplace_back([&]() -> Result<void> {
        begun = true;
        go.get_future().wait();
        say("a1");
        return {};
    });
    first.emplace_back([&]() -> Result<void> {
        say("a2");
        return {};
    });
    const auto piece = [&](const std::string& what) {
        return std::vector<Server::Piece>{[&say, what]() -> Result<void> {
            say(what);
            return {};
        }};
    };
    auto a = loop.start(vault.server().work_for_stranger({"192.0.2.1", 1}, std::move(first)));
    auto again = loop.start(vault.server().work_for_stranger({"192.0.2.1", 2}, piece("a3")));
    auto more = loop.start(vault.server().work_for_stranger({"192.0.2.1", 3}, piece("a4")));
    auto b = loop.start(vault.server().work_for_stranger({"192.0.2.2", 1}, piece("b1")));
    ASSERT_TRUE(loop.until([&] { return begun.load(); }));
    asio::post(vault.server().handshake_workers(), [&] { say("handshake"); });
    go.set_value();
    for (auto& one : {a, again, more, b}) EXPECT_TRUE(loop.finish(one));
    EXPECT_EQ(done, (std::vector<std::string>{"a1", "handshake", "a2", "a3", "b1", "a4"}));

    // A piece that fails is the last one.
    std::vector<Server::Piece> bad = piece("never said");
    bad.insert(bad.begin(), [] { return Result<void>(fail(Errc::key_policy, "a bad key")); });
    const auto failed = loop.run(vault.server().work_for_stranger({"192.0.2.3", 1}, std::move(bad)));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::key_policy);
    EXPECT_EQ(done.size(), 6U);
}

TEST(Server, WorkForAStrangerCountsAgainstTheRateOfItsAddress) {
    Loop loop;
    ServerOptions options;
    options.handshakes = {1, 40};  // nobody waits for more than 20 tokens
    EchoVault vault(loop, options);
    std::vector<Server::Piece> pieces(20, [] { return Result<void>(); });
    EXPECT_TRUE(loop.run(vault.server().work_for_stranger({"127.0.0.1", 1}, std::move(pieces))));
    RawEnd one = raw(loop, vault);
    EXPECT_EQ(one.receive_alert(), Errc::overloaded);
}

TEST(Server, TurnsAwayOneThatHasWaitedTooLong) {
    Loop loop;
    ServerOptions options;
    options.max_unauthenticated_per_peer = 1;
    options.parked = 30ms;
    EchoVault vault(loop, options);
    RawEnd first = raw(loop, vault);
    EXPECT_FALSE(first.receive().empty());
    RawEnd second = raw(loop, vault);
    EXPECT_EQ(second.receive_alert(), Errc::overloaded);
}

TEST(Server, LetsWhoComesTooOftenWaitForATurnAndTurnsAwayWhoWouldWaitTooLong) {
    Loop loop;
    ServerOptions options;
    // Two at once, one each 200 ms: 102 places in 20 s, of which nobody waits for the last.
    options.handshakes = {5, 2};
    EchoVault vault(loop, options);
    std::list<RawEnd> ends;
    for (int i = 0; i < 2; ++i) {
        ends.push_back(raw(loop, vault));
        EXPECT_FALSE(ends.back().receive().empty());
    }
    RawEnd third = raw(loop, vault);
    ASSERT_TRUE(loop.until([&] { return vault.server().parked() == 1; }));
    EXPECT_EQ(vault.server().unauthenticated(), 2u) << "there is a place, but not yet a turn";
    EXPECT_TRUE(third.authenticate());
    EXPECT_EQ(vault.server().parked(), 0u);
    for (int i = 0; i < 200 && vault.refused.empty(); ++i) {
        ends.push_back(raw(loop, vault));
        loop.for_a_while(1ms);
    }
    ASSERT_FALSE(vault.refused.empty());
    EXPECT_EQ(vault.refused.front(), Errc::overloaded);
    EXPECT_EQ(ends.back().receive_alert(), Errc::overloaded);
    const ServerCounts counts = vault.server().counts();
    EXPECT_LE(counts.parked, 110u);
    EXPECT_GE(counts.turned_away, 1u);
    EXPECT_EQ(counts.authenticated, 1u);
    EXPECT_EQ(counts.addresses, 1u);
}

TEST(Server, GivesThePlaceOfWhoIsWaitedForLongestToANewcomer) {
    Loop loop;
    ServerOptions options;
    options.max_unauthenticated = 3;
    EchoVault vault(loop, options);
    // The first to come is the last to be waited for.
    Unfinished first(loop, vault);
    RawEnd second = silent(loop, vault);
    Unfinished third(loop, vault);
    third.hear();
    ASSERT_TRUE(loop.until([&] { return vault.hellos == 2; }));
    first.hear();
    RawEnd newcomer = raw(loop, vault);
    EXPECT_TRUE(newcomer.authenticate());
    EXPECT_EQ(second.receive_alert(), Errc::overloaded);
    EXPECT_EQ(vault.refused, std::vector<Errc>{Errc::overloaded});
    ASSERT_TRUE(loop.until([&] { return vault.server().unauthenticated() == 2; }));
    // Those who were not asked to go finish what they began.
    EXPECT_TRUE(first.finish() && third.finish());
    ASSERT_TRUE(loop.until([&] { return vault.server().counts().authenticated == 3; }));
}

TEST(Server, GivesThePlaceOfWhoDoesNotFinishToANewcomer) {
    Loop loop;
    ServerOptions options;
    options.max_unauthenticated = 2;
    EchoVault vault(loop, options);
    Unfinished first(loop, vault);
    first.hear();
    Unfinished second(loop, vault);
    second.hear();
    RawEnd newcomer = raw(loop, vault);
    EXPECT_TRUE(newcomer.authenticate());
    EXPECT_EQ(first.end.receive_alert(), Errc::overloaded);
    EXPECT_TRUE(second.finish());
    ASSERT_TRUE(loop.until([&] { return vault.server().counts().authenticated == 2; }));
}

TEST(Server, TurnsTheNewcomerAwayWhereAllHellosAreWorkedOn) {
    Loop loop;
    ServerOptions options;
    options.max_unauthenticated = 2;
    options.handshake_threads = 1;
    EchoVault vault(loop, options);
    std::promise<void> go;
    asio::post(vault.server().handshake_workers(), [&go] { go.get_future().wait(); });
    Unfinished first(loop, vault);
    Unfinished second(loop, vault, "127.0.0.2");
    ASSERT_TRUE(loop.until([&] { return vault.hellos == 2; }));
    RawEnd newcomer = raw(loop, vault, "127.0.0.3");
    EXPECT_EQ(newcomer.receive_alert(), Errc::overloaded);
    go.set_value();
    // Those before are not harmed.
    for (Unfinished* one : {&first, &second}) {
        one->hear();
        EXPECT_TRUE(one->finish());
    }
    ASSERT_TRUE(loop.until([&] { return vault.server().unauthenticated() == 0; }));
    EXPECT_EQ(vault.server().connections(), 2u);
}

TEST(Server, TakesThePlaceFromTheAddressThatHasMost) {
    Loop loop;
    ServerOptions options;
    options.max_unauthenticated = 4;
    EchoVault vault(loop, options);
    RawEnd alone = silent(loop, vault, "127.0.0.1");
    std::list<RawEnd> many;
    for (int i = 0; i < 3; ++i) many.push_back(silent(loop, vault, "127.0.0.2"));
    // Of three, then of two; the newcomer's own address counts with the newcomer.
    RawEnd third = silent(loop, vault, "127.0.0.3");
    EXPECT_EQ(many.front().receive_alert(), Errc::overloaded);
    many.pop_front();
    RawEnd again = silent(loop, vault, "127.0.0.2");
    EXPECT_EQ(many.front().receive_alert(), Errc::overloaded);
    many.pop_front();
    RawEnd other = silent(loop, vault, "127.0.0.3");
    // Two of each but the first by now: who is waited for longest goes.
    EXPECT_EQ(many.front().receive_alert(), Errc::overloaded);
    EXPECT_EQ(alone.socket().available(), 0u);
    EXPECT_EQ(vault.server().unauthenticated(), 4u);
}

TEST(Server, TakesNoPlaceForAnAddressThatWouldHaveMore) {
    Loop loop;
    ServerOptions options;
    options.max_unauthenticated = 2;
    options.handshake_threads = 1;
    EchoVault vault(loop, options);
    RawEnd alone = silent(loop, vault, "127.0.0.1");
    std::promise<void> go;
    asio::post(vault.server().handshake_workers(), [&go] { go.get_future().wait(); });
    Unfinished busy(loop, vault, "127.0.0.2");
    ASSERT_TRUE(loop.until([&] { return vault.hellos == 1; }));
    // Its own address's is worked on, and the other address has one place only.
    EXPECT_EQ(raw(loop, vault, "127.0.0.2").receive_alert(), Errc::overloaded);
    // A third address has as much right as the first.
    RawEnd third = silent(loop, vault, "127.0.0.3");
    EXPECT_EQ(alone.receive_alert(), Errc::overloaded);
    go.set_value();
    busy.hear();
    EXPECT_TRUE(busy.finish());
    ASSERT_TRUE(loop.until([&] { return vault.server().counts().authenticated == 1; }));
}

TEST(Server, TakesNoAddressesOnlyPlaceWhereAnotherHasTwo) {
    Loop loop;
    ServerOptions options;
    options.max_unauthenticated = 3;
    options.handshake_threads = 1;
    EchoVault vault(loop, options);
    std::promise<void> go;
    asio::post(vault.server().handshake_workers(), [&go] { go.get_future().wait(); });
    Unfinished first(loop, vault, "127.0.0.2");
    Unfinished second(loop, vault, "127.0.0.2");
    ASSERT_TRUE(loop.until([&] { return vault.hellos == 2; }));
    RawEnd alone = silent(loop, vault, "127.0.0.1");
    EXPECT_EQ(raw(loop, vault, "127.0.0.3").receive_alert(), Errc::overloaded);
    go.set_value();
    first.hear();
    RawEnd newcomer = silent(loop, vault, "127.0.0.3");
    EXPECT_EQ(first.end.receive_alert(), Errc::overloaded);
    EXPECT_EQ(alone.socket().available(), 0u);
}

TEST(Server, LetsNoEightAddressesKeepTheOthersOutByHandshakesThatTheyDoNotFinish) {
    Loop loop;
    EchoVault vault(loop, {});
    const auto address = [](int n) { return "127.0.1." + std::to_string(n + 1); };
    std::list<Unfinished> attack;
    for (int i = 0; i < 64; ++i) attack.emplace_back(loop, vault, address(i % 8).c_str());
    for (Unfinished& one : attack) one.hear();
    ASSERT_EQ(vault.server().unauthenticated(), kMaxUnauthenticated);
    // Slow: it is waited for longer than any of those who come after it.
    Unfinished slow(loop, vault, "127.0.0.1");
    slow.hear();
    EXPECT_EQ(attack.front().end.receive_alert(), Errc::overloaded);
    for (int i = 0; i < 72; ++i) {
        attack.emplace_back(loop, vault, address(i % 8).c_str());
        attack.back().hear();
    }
    EXPECT_EQ(vault.server().unauthenticated(), kMaxUnauthenticated);
    RawEnd other = raw(loop, vault, "127.0.0.2");
    EXPECT_TRUE(other.authenticate());
    EXPECT_TRUE(slow.finish());
    ASSERT_TRUE(loop.until([&] { return vault.server().counts().authenticated == 2; }));
}

TEST(Server, HoldsNoMoreConnectionsThanItMay) {
    Loop loop;
    ServerOptions options;
    options.max_connections = 3;
    options.max_unauthenticated_per_peer = 1;
    EchoVault vault(loop, options);
    const auto first = open(loop, vault);
    ASSERT_TRUE(first);
    RawEnd silent = raw(loop, vault);
    EXPECT_FALSE(silent.receive().empty());
    RawEnd parked = raw(loop, vault);
    ASSERT_TRUE(loop.until([&] { return vault.server().parked() == 1; }));
    // The parked one makes room for the fourth, which is parked in its place.
    RawEnd fourth = raw(loop, vault);
    EXPECT_EQ(parked.receive_alert(), Errc::overloaded);
    EXPECT_EQ(loop.run(first->connection->request("still here")), "still here");
}

TEST(Server, SurvivesRunningOutOfDescriptors) {
    Loop loop;
    EchoVault vault(loop, {});
    tcp::socket client(loop.context, tcp::v4());  // opened before there are none left
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    std::vector<int> taken;
    rlimit low = before;
    low.rlim_cur = 200;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0; fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
        taken.push_back(fd);
    }
    client.connect(vault.endpoint);
    EXPECT_TRUE(loop.until([&] { return vault.accept_failures > 0; }));
    for (const int fd : taken) ::close(fd);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    RawEnd raw_client(loop, std::move(client));
    EXPECT_TRUE(raw_client.authenticate());
    EXPECT_EQ(vault.accept_failures, 1);
}

TEST(Server, SaysGoodbyeToIdleOnesAndFinishesWhatIsUnderWay) {
    Loop loop;
    EchoVault vault(loop, {});
    vault.hold = true;
    const auto idle = open(loop, vault);
    const auto busy = open(loop, vault);
    ASSERT_TRUE(idle && busy);
    RawEnd silent = raw(loop, vault);
    EXPECT_FALSE(silent.receive().empty());
    auto response = loop.start(busy->connection->request("slow"));
    auto event = loop.start(idle->connection->next_event(10s));
    loop.for_a_while(20ms);

    vault.server().stop();
    EXPECT_EQ(loop.finish(event).error().code, Errc::going_away);
    EXPECT_EQ(silent.receive_alert(), Errc::going_away);
    silent.socket().close();
    loop.for_a_while(50ms);
    EXPECT_FALSE(vault.stopped());
    const auto refused = open(loop, vault);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unreachable);

    vault.hold = false;
    EXPECT_EQ(loop.finish(response), "slow");
    EXPECT_EQ(loop.run(busy->connection->next_event(10s)).error().code, Errc::going_away);
    vault.stop();
}

TEST(Server, StopsWaitingWhenTheTimeToFinishIsOver) {
    Loop loop;
    ServerOptions options;
    options.drain = 50ms;
    EchoVault vault(loop, options);
    vault.hold = true;
    const auto busy = open(loop, vault);
    ASSERT_TRUE(busy);
    auto response = loop.start(busy->connection->request("slow"));
    loop.for_a_while(20ms);
    vault.server().stop();
    const auto cut = loop.finish(response);
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, Errc::interrupted);
    vault.hold = false;
    vault.stop();
}

TEST(Server, HoldsHundredsOfIdleOnes) {
    Loop loop;
    EchoVault vault(loop, {});
    raise_open_files(2000);
    std::list<std::shared_ptr<Connection>> idle;
    for (int i = 0; i < 200; ++i) {
        const auto session = open(loop, vault);
        ASSERT_TRUE(session);
        idle.push_back(session->connection);
    }
    EXPECT_EQ(vault.server().connections(), 200u);
    EXPECT_EQ(loop.run(idle.front()->request("first")), "first");
    EXPECT_EQ(loop.run(idle.back()->request("last")), "last");
}

}  // namespace
}  // namespace sat
