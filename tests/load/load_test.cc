// Load and abuse, on the loopback: the real sat-vaultd under more than its share.  Claims are of liveness, bounded
// counts and flat resources; times and latencies are printed as figures.  A sample by default, in full with SAT_FULL=1:
// tests/load/run --full.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <latch>
#include <map>
#include <memory>

#include "base/assert.h"
#include "base/codec.h"
#include "load/floods.h"
#include "load/many_keys.h"
#include "load/market.h"
#include "load/measure.h"
#include "support/programs.h"

namespace sat::test {
namespace {

using std::chrono::steady_clock;

bool is_ok(const Json& answer) { return answer.is_object() && answer.value("ok", false); }
double seconds_since(steady_clock::time_point then) {
    return std::chrono::duration<double>(steady_clock::now() - then).count();
}
double kibibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / 1024; }

class Load : public ThreeComputers {
public:
    void SetUp() override {
        ThreeComputers::SetUp();
        raise_descriptors();
        artist_.emplace(load_person(artist_home()));
        collector_.emplace(load_person(collector_home()));
        vault_wallet_ = vault_keys().chain.wallet();
    }
    // With these options beside the directories.
    void serve(Words more) { start_vault({.data = data(), .duplicate = duplicate(), .more = std::move(more)}); }

    Session connect(const Person& person, const std::string& source = {}) {
        auto session = open_session(vault().socket_address(), person, source);
        SAT_ASSERT(session.has_value());
        return std::move(*session);
    }
    Json status() { return vaultd_command({"status"}).json().run().data(); }
    Footprint footprint() { return footprint_of(vault().process().pid()); }
    // When nobody is connected any more.
    bool all_gone() {
        return eventually([&] { return status()["connections"] == 0; });
    }
    static Duration stretch() { return run_in_full() ? seconds(20) : seconds(2); }
    static const char* sized() { return run_in_full() ? "full" : "sample"; }

    const Person& artist() const { return *artist_; }
    const Person& collector() const { return *collector_; }
    const Wallet& vault_wallet() const { return vault_wallet_; }
    std::string upload_small(Session& session, const Person& person, const std::string& title) {
        RawUpload raw;
        raw.image = Bytes(20'000, std::byte{7});
        raw.title = title;
        const auto done = raw.send(session, person, vault_keys().chain);
        return is_ok(done.response) ? done.artwork : std::string();
    }

private:
    std::optional<Person> artist_;
    std::optional<Person> collector_;
    Wallet vault_wallet_;
};

TEST_F(Load, WatchersAreHeldForAFewKilobytesEachAndEveryOneIsTold) {
    const std::size_t watchers = run_in_full() ? 10'000 : 500;
    serve({"--address-rate", "0", "--wallet-rate", "0"});
    ASSERT_GE(footprint().most_files, watchers + 100) << "the vault did not raise its limit, or may not";
    ASSERT_GE(raise_descriptors(), watchers + 100) << "this system allows too few descriptors to try";
    Session work = connect(artist());
    const std::string id = upload_small(work, artist(), "watched");
    ASSERT_FALSE(id.empty());
    // What the first ones make the vault load and allocate once is no watcher's.
    {
        std::vector<Session> first;
        for (int i = 0; i < 20; ++i) first.push_back(connect(artist()));
        for (Session& one : first) ASSERT_TRUE(is_ok(one.request("claim.subscribe", Json::object())));
    }
    ASSERT_TRUE(eventually([&] { return status()["connections"] == 1; }));
    const Footprint before = footprint();
    const Latencies alone = ask_for(work, "artwork.get", Json{{"artwork", id}}, stretch());

    // Several dial at once, so that both ends compute.
    constexpr std::size_t kDialers = 4;
    std::vector<std::vector<Session>> sessions(kDialers);
    const auto began = steady_clock::now();
    {
        std::vector<std::jthread> dialers;
        for (std::size_t dialer = 0; dialer < kDialers; ++dialer) {
            dialers.emplace_back([&, dialer] {
                auto& mine = sessions[dialer];
                auto pinged = steady_clock::now();
                for (std::size_t i = dialer; i < watchers; i += kDialers) {
                    auto session = open_session(vault().socket_address(), artist());
                    if (!session || !is_ok(session->request("claim.subscribe", Json::object()))) return;
                    mine.push_back(std::move(*session));
                    // Those who came first have not been idle for too long when the last one comes.
                    if (steady_clock::now() - pinged < seconds(kPingSeconds)) continue;
                    for (Session& one : mine) (void)one.send_frame(one.sealer().ping());
                    pinged = steady_clock::now();
                }
            });
        }
    }
    const double took = seconds_since(began);
    work = connect(artist());  // the one of before has been silent for as long
    ASSERT_EQ(status()["watchers"], watchers);
    const Footprint held = footprint();
    const double each =
        kibibytes(held.resident - std::min(held.resident, before.resident)) / static_cast<double>(watchers);
    figure("watchers", std::to_string(watchers) + " in " + with_unit(took, "s") + ", " + with_unit(each, "KiB") +
                           " of the vault's memory each, " + with_unit(kibibytes(held.resident) / 1024, "MiB") +
                           " resident, " + std::to_string(held.descriptors) + " descriptors");
    EXPECT_LT(each, 32.0);
    EXPECT_GE(held.descriptors, watchers);

    const Latencies beside = ask_for(work, "artwork.get", Json{{"artwork", id}}, stretch());
    EXPECT_GT(beside.count(), 0U);
    figure("requests alone", alone.text());
    figure("requests beside the watchers", beside.text());

    // One claim, and all of them hear of it.
    Session claimer = connect(collector());
    const auto held_work = look_up(claimer, id);
    ASSERT_TRUE(held_work.has_value());
    const auto asked = steady_clock::now();
    ASSERT_TRUE(
        is_ok(claimer.request("claim.open", Json{{"claim", claim_of(*held_work, collector(), vault_wallet()).jws}})));
    std::size_t told = 0;
    for (auto& some : sessions) {
        for (Session& session : some) {
            const auto event = session.next_event();
            if (event && (*event)["e"] == "claim.opened") ++told;
        }
    }
    EXPECT_EQ(told, watchers);
    figure("telling all of them", with_unit(seconds_since(asked), "s"));

    sessions.clear();
    ASSERT_TRUE(eventually([&] { return status()["connections"] == 2; }));
    EXPECT_EQ(status()["watchers"], 0);
    EXPECT_LE(footprint().descriptors, before.descriptors + 8);
}

// An authenticated client's requests before and beside a flood: they go on, whatever the flood does.
class Flooded : public Load {
public:
    void SetUp() override {
        Load::SetUp();
        // Each test states the rates it is about.
        serve({"--address-rate", "10"});
        session_.emplace(connect(artist()));
        id_ = upload_small(*session_, artist(), "asked for");
        ASSERT_FALSE(id_.empty());
        before_ = ask();
    }
    Latencies ask() { return ask_for(*session_, "artwork.get", Json{{"artwork", id_}}, stretch()); }
    void report(const std::string& flood, const FloodCounts& counts) {
        const double busy_before = footprint().processor_seconds;
        const auto began = steady_clock::now();
        const Latencies during = ask();
        const double busy = (footprint().processor_seconds - busy_before) / seconds_since(began);
        // A request is answered within its minute, or ask_for() ends: so it went on to its end.
        EXPECT_GT(during.count(), 0U);
        EXPECT_TRUE(is_ok(session_->request("artwork.get", Json{{"artwork", id_}})));
        figure(flood + ", before", before_.text());
        figure(flood + ", during", during.text());
        figure(flood, std::to_string(counts.opened) + " connections, " + std::to_string(counts.refused) +
                          " turned away, " + std::to_string(counts.sent) + " sent, at most " +
                          std::to_string(counts.most_open) + " at once; the vault used " +
                          with_unit(busy, "processors"));
    }
    // Somebody who comes while it goes on, from an address of their own.
    bool newcomer_is_served() {
        const auto began = steady_clock::now();
        for (int tries = 1; tries <= 200; ++tries) {
            auto session = open_session(vault().socket_address(), collector(), "127.0.0.99");
            if (!session) continue;
            figure("a newcomer meanwhile",
                   "try " + std::to_string(tries) + ", " + with_unit(seconds_since(began) * 1000, "ms"));
            return is_ok(session->request("artwork.get", Json{{"artwork", id_}}));
        }
        return false;
    }
    Session& session() { return *session_; }
    const std::string& id() const { return id_; }

private:
    std::optional<Session> session_;
    std::string id_;
    Latencies before_;
};

TEST_F(Flooded, ByConnectionsThatNeverSayHelloTheVaultServesOn) {
    MuteFlood flood(vault().socket_address(), 200, [](std::uint32_t n) { return loopback(n % 16); });
    ASSERT_TRUE(eventually([&] { return flood.counts().opened > 200; }));
    report("200 mute connections a second from 16 addresses", flood.counts());
    EXPECT_TRUE(newcomer_is_served());
    const Json counts = status();
    EXPECT_LE(counts["unauthenticated"].get<std::size_t>(), 64U);
}

TEST_F(Flooded, ByConnectionsOfOneAddressNoMoreThanItsShareWaits) {
    serve({"--address-rate", "2"});
    MuteFlood flood(vault().socket_address(), 400, [](std::uint32_t) { return "127.0.0.2"; });
    ASSERT_TRUE(eventually([&] { return flood.counts().refused > 100; }));
    const Json counts = status();
    // Eight in the handshake; forty at once and as many as get their turn within 20 s: past that at once an ALERT.
    EXPECT_LE(counts["unauthenticated"].get<std::size_t>(), 8U);
    EXPECT_LE(counts["waiting"].get<std::size_t>(), 40U + 2U * 80U);
    EXPECT_GE(counts["turned_away"].get<std::size_t>(), 100U);
    EXPECT_LE(counts["addresses"].get<std::size_t>(), 4U);
    EXPECT_TRUE(newcomer_is_served());
}

TEST_F(Flooded, ByHellosOfEightAddressesTheVaultServesOn) {
    HelloFlood flood(vault().socket_address(), vault_keys().kem.public_key().id(), 16,
                     [](std::uint32_t n) { return loopback(n % 8); });
    ASSERT_TRUE(eventually([&] { return flood.counts().sent > 50; }));
    report("hellos that come to nothing from 8 addresses", flood.counts());
    EXPECT_TRUE(newcomer_is_served());
}

TEST_F(Flooded, ByHellosOfThousandsOfAddressesTheVaultServesOn) {
    HelloFlood flood(vault().socket_address(), vault_keys().kem.public_key().id(), 16, loopback);
    ASSERT_TRUE(eventually([&] { return flood.counts().sent > 50; }));
    report("hellos that come to nothing, each from an address of its own", flood.counts());
    EXPECT_TRUE(newcomer_is_served());
    EXPECT_GT(status()["failed_handshakes"].get<std::size_t>(), 50U);
}

TEST_F(Flooded, ByBytesThatDripTheVaultServesOn) {
    // In the handshake, and inside of a record of somebody who is known.
    const Bytes hello = ByteWriter().u32(2'000).raw(Bytes(2'000, std::byte{3})).take();
    const DripFlood strangers(
        32, [&](std::uint32_t n) { return Socket::connect(vault().socket_address(), loopback(n % 16)); }, hello);
    const Bytes record = ByteWriter().u32(60'000).raw(Bytes(60'000)).take();
    const DripFlood known(
        16, [&](std::uint32_t) { return std::move(connect(collector(), "127.0.0.3").socket()); }, record);
    ASSERT_TRUE(eventually([&] { return known.counts().sent > 16 && strangers.counts().sent > 32; }));
    report("48 connections that drip", strangers.counts());
    EXPECT_TRUE(newcomer_is_served());
}

TEST_F(Flooded, ByUploadsThatStopHalfWayTheVaultServesOn) {
    // Four of a wallet's are all it may have; each has a quarter of a megabyte sent of four.
    std::vector<Session> sessions;
    const auto begin = [&](const Person& person) {
        sessions.push_back(connect(person));
        return sessions.back().request("upload.begin", Json{{"bytes", 4'000'000}, {"media_type", "image/png"}});
    };
    for (const Person* person : {&artist(), &collector()}) {
        for (int i = 0; i < 4; ++i) {
            const Json begun = begin(*person);
            ASSERT_TRUE(is_ok(begun));
            const auto id = ArtworkId::from_canonical(begun["r"]["artwork"].get<std::string>());
            ASSERT_TRUE(id.has_value());
            const IdentityChain chain = vault_keys().chain;
            Sealer sealer = Sealer::create(*id, 4'000'000, chain.wallet(), chain.kem_key(), Purpose::transit);
            Bytes stream;
            ASSERT_TRUE(sealer.seal(Bytes(300'000), stream).has_value());
            Session& session = sessions.back();
            const Json data{{"m", "upload.data"}, {"p", {{"header", to_base64url(sealer.header().encode())}}}};
            ASSERT_TRUE(session.send(RecordType::request, dump_json(data)));
            for (std::size_t at = 0; at + kDataBody <= stream.size(); at += kDataBody)
                ASSERT_TRUE(session.send_data(ByteView(stream).subspan(at, kDataBody)));
        }
        EXPECT_EQ(error_code(begin(*person)), 117) << "a fifth";
    }
    EXPECT_EQ(status()["uploads"], 8);
    const FloodCounts none;
    report("8 uploads that stopped half way", none);
    sessions.clear();
    EXPECT_TRUE(eventually([&] { return status()["uploads"] == 0; }));
    EXPECT_FALSE(upload_small(session(), artist(), "whole").empty());
}

TEST_F(Flooded, ByRequestsOfOneWalletItsOwnWaitAndTheOthersDoNot) {
    serve({"--wallet-rate", "1"});
    Session other = connect(artist());
    std::vector<Session> greedy;
    for (int i = 0; i < 40; ++i) greedy.push_back(connect(collector()));
    // Ten at once are its burst, five more have their turn within 5 s, and the others are answered 103 after as long.
    const std::string search = dump_json(Json{{"m", "artwork.list"}, {"p", {{"limit", 50}}}});
    for (Session& one : greedy) ASSERT_TRUE(one.send(RecordType::request, search));
    const auto began = steady_clock::now();
    EXPECT_TRUE(is_ok(other.request("artwork.get", Json{{"artwork", id()}})));
    figure("another wallet's request beside 40 of one at once", with_unit(seconds_since(began) * 1000, "ms"));
    std::size_t answered = 0;
    std::size_t limited = 0;
    for (Session& one : greedy) {
        const auto message = one.receive();
        ASSERT_TRUE(message.has_value());
        const Json answer = message->json();
        ++(is_ok(answer) ? answered : limited);
        if (!is_ok(answer)) {
            EXPECT_EQ(error_code(answer), 103);
        }
    }
    const Json counts = status();
    EXPECT_GT(answered, 10U);
    EXPECT_GT(limited, 0U);
    EXPECT_GT(counts["requests_delayed"].get<std::size_t>(), 0U);
    EXPECT_EQ(counts["requests_refused"].get<std::size_t>(), limited);
}

TEST_F(Load, OfManyCollectorsWhoClaimOneWorkAtOnceOneBecomesItsOwnerAndEveryOtherIsTold) {
    constexpr std::size_t kMostOpen = 50;
    const std::size_t count = run_in_full() ? 1'000 : 60;
    serve({"--address-rate", "0"});
    const auto making = steady_clock::now();
    const std::vector<Person> people = many_people(count);
    figure("keys", std::to_string(count) + " wallets in " + with_unit(seconds_since(making), "s"));
    Session owner = connect(artist());
    const std::string id = upload_small(owner, artist(), "wanted");
    ASSERT_FALSE(id.empty());
    const auto work = look_up(owner, id);
    ASSERT_TRUE(work.has_value());

    std::vector<Session> sessions;
    std::vector<Statement> claims;
    auto pinged = steady_clock::now();
    for (const Person& person : people) {
        sessions.push_back(connect(person));
        ASSERT_TRUE(is_ok(sessions.back().request("claim.subscribe", Json::object())));
        claims.push_back(claim_of(*work, person, vault_wallet()));
        // Nobody has been silent for too long when the last one is there.
        if (steady_clock::now() - pinged < seconds(kPingSeconds)) continue;
        for (Session& one : sessions) ASSERT_TRUE(one.send_frame(one.sealer().ping()));
        pinged = steady_clock::now();
    }
    owner = connect(artist());
    // All are on their way before the first is answered to anybody.
    const auto began = steady_clock::now();
    const auto claim_all = [&](const std::vector<std::size_t>& who) {
        std::map<std::size_t, int> codes;
        for (const std::size_t i : who)
            EXPECT_TRUE(sessions[i].send(RecordType::request,
                                         dump_json(Json{{"m", "claim.open"}, {"p", {{"claim", claims[i].jws}}}})));
        for (const std::size_t i : who) {
            for (;;) {
                const auto message = sessions[i].receive();
                if (!message) {
                    ADD_FAILURE() << "no answer to collector " << i;
                    break;
                }
                if (message->type != RecordType::response) continue;
                codes[i] = error_code(message->json());
                break;
            }
        }
        return codes;
    };
    std::vector<std::size_t> all(count);
    for (std::size_t i = 0; i < count; ++i) all[i] = i;
    std::vector<std::size_t> open;
    std::vector<std::size_t> left;
    for (const auto& [i, code] : claim_all(all)) {
        if (code != 0) {
            EXPECT_EQ(code, 117) << i;
        }
        (code == 0 ? open : left).push_back(i);
    }
    ASSERT_EQ(open.size(), kMostOpen);
    figure("claims at once", std::to_string(count) + " judged in " + with_unit(seconds_since(began), "s"));

    // The owner says yes to two of them at once, over two connections: one is confirmed, the other is 113.
    Session second = connect(artist());
    const Statement yes[2] = {
        yes_to(*work, claims[open[0]].id, people[open[0]].wallet(), artist(), vault_wallet()),
        yes_to(*work, claims[open[1]].id, people[open[1]].wallet(), artist(), vault_wallet()),
    };
    const auto answer = [](const Statement& statement) {
        return dump_json(Json{{"m", "claim.answer"}, {"p", {{"answer", statement.jws}}}});
    };
    ASSERT_TRUE(owner.send(RecordType::request, answer(yes[0])));
    ASSERT_TRUE(second.send(RecordType::request, answer(yes[1])));
    const auto first_answer = owner.receive();
    const auto second_answer = second.receive();
    ASSERT_TRUE(first_answer && second_answer);
    const int first_code = error_code(first_answer->json());
    const int second_code = error_code(second_answer->json());
    EXPECT_THAT((std::vector{first_code, second_code}), testing::UnorderedElementsAre(0, 113));
    const std::size_t winner = open[first_code == 0 ? 0 : 1];
    const Statement& confirmed = yes[first_code == 0 ? 0 : 1];
    // Everybody tries to accept, whoever was said yes to.
    for (const std::size_t i : open) {
        if (i == winner) continue;
        const Json refused = sessions[i].request(
            "claim.accept", acceptance_of(*work, claims[i].id, confirmed.id, people[i], vault_wallet()));
        EXPECT_EQ(error_code(refused), 113) << i;
    }
    ASSERT_TRUE(is_ok(sessions[winner].request(
        "claim.accept", acceptance_of(*work, claims[winner].id, confirmed.id, people[winner], vault_wallet()))));

    // The 49 others are told by an event, and asking again says the same; those who found no room are told why now.
    for (const std::size_t i : open) {
        if (i == winner) continue;
        std::string state;
        while (state != "superseded") {
            const auto event = sessions[i].next_event();
            ASSERT_TRUE(event.has_value()) << "collector " << i << " was never told";
            if ((*event)["e"] == "claim.changed") state = (*event)["p"]["state"].get<std::string>();
        }
        const Json again = sessions[i].request(
            "claim.accept", acceptance_of(*work, claims[i].id, confirmed.id, people[i], vault_wallet()));
        EXPECT_EQ(error_code(again), 115) << i;
    }
    for (const auto& [i, code] : claim_all(left)) EXPECT_EQ(code, 105) << i;

    const auto after = look_up(second, id);
    ASSERT_TRUE(after.has_value());
    EXPECT_EQ(after->owner, people[winner].wallet());
    EXPECT_EQ(after->seq, 1U);
    const Json history = second.request("artwork.history", Json{{"artwork", id}, {"from", 0}});
    EXPECT_EQ(history["r"]["leaves"].size(), 2U);
    EXPECT_EQ(status()["open_claims"], 0);
}

// Rounds of everything at once; after each nobody is connected, and what the vault then still holds is measured.
TEST_F(Load, MixedWorkLeavesMemoryAndDescriptorsFlat) {
    // Of the vault's memory, between the first rounds that count and the last ones: SQLite's page caches fill up, and a
    // heap of several threads breathes.  A leak of 100 bytes a request would be past it within the hour.
    constexpr std::uint64_t kTolerance = std::uint64_t{6} << 20;
    constexpr std::uint64_t kDescriptorTolerance = 2;
    const char* minutes = std::getenv("SAT_SOAK_MINUTES");
    const auto length = run_in_full() ? std::chrono::minutes(minutes != nullptr ? std::atoi(minutes) : 60)
                                      : std::chrono::duration_cast<std::chrono::minutes>(seconds(0));
    constexpr int kFewestRounds = 8;
    // Two wallets do here in an hour what many would in a day.
    serve({"--address-rate", "0", "--wallet-rate", "0", "--wallet-works", "1000000", "--wallet-claims", "1000000"});
    std::string traded;
    {
        Session session = connect(artist());
        traded = upload_small(session, artist(), "traded");
        ASSERT_FALSE(traded.empty());
    }
    std::atomic<std::uint64_t> requests = 0;
    const auto check = [&](bool done) {
        EXPECT_TRUE(done);
        ++requests;
    };
    bool artist_owns = true;
    const auto round = [&](int number) {
        std::vector<std::jthread> threads;
        threads.emplace_back([&] {
            Session session = connect(artist());
            for (int i = 0; i < 3; ++i)
                check(!upload_small(session, artist(), "soak " + std::to_string(number)).empty());
            check(is_ok(session.request("upload.begin", Json{{"bytes", 10'000}, {"media_type", "image/png"}})));
        });
        threads.emplace_back([&] {
            Session session = connect(collector());
            for (int i = 0; i < 10; ++i) {
                check(is_ok(session.request("artwork.list", Json{{"limit", 20}})));
                check(is_ok(session.request("artwork.list", Json{{"text", "soak"}, {"limit", 20}})));
                check(is_ok(session.request("artwork.history", Json{{"artwork", traded}, {"from", 0}})));
                check(is_ok(session.request("artwork.fetch", Json{{"artwork", traded}, {"offset", 0}})));
                for (;;) {
                    const auto part = session.receive();
                    ASSERT_TRUE(part.has_value());
                    if (part->type == RecordType::data_end) break;
                }
                check(is_ok(session.request("ledger.checkpoint", Json::object())));
                check(is_ok(session.request("claim.mine", Json::object())));
            }
        });
        threads.emplace_back([&] {
            Session a = connect(artist());
            Session b = connect(collector());
            for (int i = 0; i < 2; ++i) {
                const bool moved = artist_owns ? trade(traded, a, artist(), b, collector(), vault_wallet())
                                               : trade(traded, b, collector(), a, artist(), vault_wallet());
                check(moved);
                if (moved) artist_owns = !artist_owns;
            }
        });
        threads.emplace_back([&] {
            for (int i = 0; i < 10; ++i) {
                std::vector<Session> watchers;
                for (int n = 0; n < 3; ++n) {
                    watchers.push_back(connect(n == 0 ? collector() : artist()));
                    check(is_ok(watchers.back().request("claim.subscribe", Json::object())));
                }
                // Some go with a word, others without.
                (void)watchers.front().send_frame(watchers.front().sealer().close());
            }
        });
        threads.emplace_back([&] {
            const KeyId kem = vault_keys().kem.public_key().id();
            const HelloFlood rude(vault().socket_address(), kem, 1, [](std::uint32_t n) { return loopback(n); });
            ASSERT_TRUE(eventually([&] { return rude.counts().sent > 5; }));
        });
    };

    struct Sample {
        double at = 0;
        Footprint footprint;
    };
    std::vector<Sample> samples;
    const auto began = steady_clock::now();
    for (int number = 0; number < kFewestRounds || steady_clock::now() - began < length; ++number) {
        round(number);
        ASSERT_FALSE(HasFailure());
        ASSERT_TRUE(all_gone());
        samples.push_back({seconds_since(began), footprint()});
    }
    // The first half of a sample, or the first twentieth of a long run, warms up.
    const std::size_t warm = std::max<std::size_t>(kFewestRounds / 2, samples.size() / 20);
    const std::size_t width = std::max<std::size_t>(1, (samples.size() - warm) / 4);
    const auto middle = [&](std::size_t from, auto member) {
        std::vector<std::uint64_t> values;
        for (std::size_t i = from; i < from + width; ++i) values.push_back(samples[i].footprint.*member);
        std::ranges::sort(values);
        return values[values.size() / 2];
    };
    const auto first = middle(warm, &Footprint::resident);
    const auto last = middle(samples.size() - width, &Footprint::resident);
    const auto first_files = middle(warm, &Footprint::descriptors);
    const auto last_files = middle(samples.size() - width, &Footprint::descriptors);
    for (std::size_t i = 0; i < samples.size(); i += std::max<std::size_t>(1, samples.size() / 12))
        figure("soak at " + with_unit(samples[i].at, "s"),
               with_unit(kibibytes(samples[i].footprint.resident) / 1024, "MiB") + ", " +
                   std::to_string(samples[i].footprint.descriptors) + " descriptors");
    figure("soak", std::to_string(samples.size()) + " rounds, " + std::to_string(requests) + " requests in " +
                       with_unit(samples.back().at, "s") + "; resident " + with_unit(kibibytes(first) / 1024, "MiB") +
                       " to " + with_unit(kibibytes(last) / 1024, "MiB") + ", descriptors " +
                       std::to_string(first_files) + " to " + std::to_string(last_files));
    EXPECT_LE(last, first + kTolerance);
    EXPECT_LE(last_files, first_files + kDescriptorTolerance);
}

}  // namespace
}  // namespace sat::test
