// Connections over the loopback: what both ends keep to, and what a vault does with a client that does not.
// docs/protocol.md, "Frames", "Records", "Bulk streams".
// SPDX-License-Identifier: Apache-2.0
#include "net/connection.h"

#include <future>

#include "base/codec.h"
#include "net_fixtures.h"

namespace sat {
namespace {

Bytes pattern(std::uint64_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>((i * 31 + i / 251) & 0xff);
    return bytes;
}

// Gives the bytes of `all` one after the other.
BulkSource source_of(const Bytes& all) {
    auto at = std::make_shared<std::size_t>(0);
    return [&all, at](std::vector<MutableBytes> parts) -> asio::awaitable<Result<void>> {
        for (const MutableBytes part : parts) {
            std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(*at), part.size(), part.begin());
            *at += part.size();
        }
        co_return Result<void>();
    };
}

BulkSink sink_into(Bytes& all) {
    return [&all](std::vector<MutableBytes> parts) -> asio::awaitable<Result<void>> {
        for (const MutableBytes part : parts) append(all, part);
        co_return Result<void>();
    };
}

TEST(Connection, CarriesMessagesOfEverySizeBothWays) {
    Loop loop;
    const Pair pair = connected(loop);
    for (const std::size_t size :
         {std::size_t{1}, kMaxRecordBody - 1, kMaxRecordBody, kMaxRecordBody + 1, kMaxMessage}) {
        const std::string question(size, 'q');
        const std::string reply(size, 'r');
        auto asked = loop.start(pair.client->request(question));
        const auto request = loop.run(next_request(pair.vault));
        ASSERT_TRUE(request && *request);
        EXPECT_EQ(**request, question);
        ASSERT_TRUE(loop.run(pair.vault->send_response(reply)));
        EXPECT_EQ(loop.finish(asked), reply);
    }
}

TEST(Connection, KeepsEventsThatComeBeforeAResponse) {
    Loop loop;
    const Pair pair = connected(loop);
    EXPECT_TRUE(pair.vault->post_event("one"));
    EXPECT_TRUE(pair.vault->post_event("two"));
    auto asked = loop.start(pair.client->request("question"));
    ASSERT_TRUE(loop.run(next_request(pair.vault)));
    ASSERT_TRUE(loop.run(pair.vault->send_response("reply")));
    EXPECT_EQ(loop.finish(asked), "reply");
    EXPECT_EQ(loop.run(pair.client->next_event(10s)), "one");
    EXPECT_EQ(loop.run(pair.client->next_event(10s)), "two");
}

TEST(Connection, GoesOnAfterAWaitForAnEventInWhichNoneCame) {
    Loop loop;
    const Pair pair = connected(loop);
    for (int i = 0; i < 3; ++i) {
        const auto nothing = loop.run(pair.client->next_event(20ms));
        ASSERT_TRUE(nothing);
        EXPECT_FALSE(*nothing);
    }
    auto event = loop.start(pair.client->next_event(10s));
    EXPECT_TRUE(pair.vault->post_event("late"));
    EXPECT_EQ(loop.finish(event), "late");
    auto asked = loop.start(pair.client->request("question"));
    ASSERT_TRUE(loop.run(next_request(pair.vault)));
    ASSERT_TRUE(loop.run(pair.vault->send_response("reply")));
    EXPECT_EQ(loop.finish(asked), "reply");
}

TEST(Connection, IsKeptAliveByItsClientsPings) {
    Loop loop;
    ConnectionLimits client;
    client.ping = 40ms;
    client.idle = 400ms;
    ConnectionLimits vault;
    vault.idle = 400ms;
    const Pair pair = connected(loop, client, vault);
    auto request = loop.start(next_request(pair.vault));
    const auto nothing = loop.run(pair.client->next_event(1500ms));
    ASSERT_TRUE(nothing);
    EXPECT_FALSE(*nothing);
    EXPECT_FALSE(request.done());
    EXPECT_FALSE(pair.vault->failure());
}

TEST(Connection, EndsWhereNothingArrives) {
    Loop loop;
    ConnectionLimits vault;
    vault.idle = 50ms;
    const Pair pair = connected(loop, {}, vault);
    const auto request = loop.run(next_request(pair.vault));
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().code, Errc::timeout);
    const auto event = loop.run(pair.client->next_event(10s));
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().code, Errc::interrupted);
}

// Sends what is no answer until the client has given up; false where the vault's own end fails first.
template <typename T>
bool keep_talking(Loop& loop, const Pair& pair, const Running<T>& waiting, const std::function<bool()>& say) {
    while (!waiting.done() && !pair.vault->failure()) {
        if (!say()) break;
        loop.for_a_while(5ms);
    }
    return loop.until([&] { return waiting.done(); });
}

TEST(Connection, WaitsForAnAnswerNoLongerForWhatElseComes) {
    Loop loop;
    ConnectionLimits client;
    client.idle = 200ms;
    client.ping = 50ms;
    for (const bool event : {false, true}) {
        const Pair pair = connected(loop, client);
        auto asked = loop.start(pair.client->request("question"));
        ASSERT_TRUE(loop.run(next_request(pair.vault)));
        ASSERT_TRUE(keep_talking(loop, pair, asked, [&] {
            if (event) return pair.vault->post_event("news");
            return loop.run(pair.vault->send_sign_of_life()).has_value();
        }));
        const auto answer = loop.finish(asked);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, Errc::timeout) << event;
    }
}

TEST(Connection, WaitsForAVaultAtWorkAsLongAsItGivesSignsOfLifeAndNoLongerThanThatMayLast) {
    Loop loop;
    ConnectionLimits client;
    client.idle = 1000ms;
    client.alive = 1000ms;
    const Pair pair = connected(loop, client);
    const auto begun = std::chrono::steady_clock::now();
    auto asked = loop.start(pair.client->request("question", 600ms));
    ASSERT_TRUE(loop.run(next_request(pair.vault)));
    ASSERT_TRUE(keep_talking(loop, pair, asked, [&] { return loop.run(pair.vault->send_sign_of_life()).has_value(); }));
    const auto answer = loop.finish(asked);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::timeout);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 1600ms) << "and not at the idle limit";
}

TEST(Connection, ClosesWithAWordThatTheOtherEndUnderstands) {
    Loop loop;
    {
        const Pair pair = connected(loop);
        loop.run(pair.client->close());
        const auto request = loop.run(next_request(pair.vault));
        ASSERT_TRUE(request);
        EXPECT_FALSE(*request);
    }
    {
        const Pair pair = connected(loop);
        auto closing = loop.start(pair.vault->close(Errc::going_away));
        const auto event = loop.run(pair.client->next_event(10s));
        ASSERT_FALSE(event);
        EXPECT_EQ(event.error().code, Errc::going_away);
        EXPECT_TRUE(loop.finish(closing));
        EXPECT_FALSE(pair.vault->post_event("too late"));
    }
    {
        const Pair pair = connected(loop);
        pair.vault->abort({Errc::cancelled, "no word", {}});
        const auto event = loop.run(pair.client->next_event(10s));
        ASSERT_FALSE(event);
        EXPECT_EQ(event.error().code, Errc::interrupted);
    }
}

TEST(Connection, IsToldToStopWhileIdleAndCanStillSayWhy) {
    Loop loop;
    const Pair pair = connected(loop);
    auto request = loop.start(next_request(pair.vault));
    loop.for_a_while(20ms);
    pair.vault->interrupt_idle();
    const auto stopped = loop.finish(request);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, Errc::cancelled);
    EXPECT_FALSE(pair.vault->failure());
    auto closing = loop.start(pair.vault->close(Errc::going_away));
    EXPECT_EQ(loop.run(pair.client->next_event(10s)).error().code, Errc::going_away);
    loop.finish(closing);
}

TEST(Connection, EndsAClientsOperationsWhenItsOwnTimeIsOver) {
    Loop loop;
    const Pair pair = connected(loop);
    pair.client->expire_at(std::chrono::steady_clock::now() + 30ms);
    const auto response = loop.run(pair.client->request("nobody answers"));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::timeout);
}

TEST(Connection, ChangesItsKeysAsOftenAsItMust) {
    Loop loop;
    ConnectionLimits limits;
    limits.epoch.records = 40;  // an update after eight records
    limits.ping = 3ms;
    const Pair pair = connected(loop, limits, limits);
    for (int i = 0; i < 100; ++i) {
        auto asked = loop.start(pair.client->request("q" + std::to_string(i)));
        EXPECT_EQ(loop.run(next_request(pair.vault)), "q" + std::to_string(i));
        ASSERT_TRUE(loop.run(pair.vault->send_response("r" + std::to_string(i))));
        EXPECT_EQ(loop.finish(asked), "r" + std::to_string(i));
    }
    const Bytes stream = pattern(70 * kDataBody + 1);
    Bytes received;
    auto receiving = loop.start(pair.client->receive_bulk(stream.size(), sink_into(received)));
    ASSERT_TRUE(loop.run(pair.vault->send_bulk(stream.size(), source_of(stream))));
    ASSERT_TRUE(loop.finish(receiving));
    EXPECT_EQ(received, stream);
}

TEST(Connection, RestsWhereNothingComesOrGoesAndGoesOnFromThere) {
    Loop loop;
    ConnectionLimits limits;
    limits.rest = 1ms;
    limits.epoch.records = kRekeyMargin + 3;  // soon a KEY_UPDATE is the first to go after a rest
    const Pair pair = connected(loop, limits, limits);
    const auto both_rest = [&] { return pair.client->rests() && pair.vault->rests(); };
    for (int i = 0; i < 8; ++i) {
        SCOPED_TRACE(i);
        ASSERT_TRUE(loop.until(both_rest));
        const std::string text = "q" + std::to_string(i);
        auto waiting = loop.start(pair.vault->await_request());
        auto response = loop.start(pair.client->request(text));
        loop.finish(waiting);
        EXPECT_EQ(loop.run(next_request(pair.vault)), text);
        ASSERT_TRUE(loop.until(both_rest)) << "while the vault is at work";
        EXPECT_TRUE(loop.run(pair.vault->send_response("r")));
        EXPECT_EQ(loop.finish(response), "r");
        ASSERT_TRUE(loop.until(both_rest));
        pair.vault->post_event("e");
        EXPECT_EQ(loop.run(pair.client->next_event(20s)).value(), "e");
    }
}

TEST(Connection, AVaultGoesBackToItsWaitAfterAPing) {
    Loop loop;
    ConnectionLimits limits;
    limits.rest = 1ms;
    HalfRaw pair = half_raw(loop, limits);
    ASSERT_TRUE(loop.until([&] { return pair.vault->rests(); }));
    auto waiting = loop.start(pair.vault->await_request());
    pair.client.send(pair.client.sealer->ping());
    loop.finish(waiting);
    const auto nothing = loop.run(pair.vault->receive_request());
    ASSERT_FALSE(nothing);
    EXPECT_EQ(nothing.error().code, Errc::still_pending);
    EXPECT_FALSE(pair.vault->failure());
    EXPECT_TRUE(pair.vault->rests());
    waiting = loop.start(pair.vault->await_request());
    pair.client.send(*pair.client.sealer->message(RecordType::request, as_bytes("{}")));
    loop.finish(waiting);
    EXPECT_EQ(loop.run(pair.vault->receive_request()), "{}");
}

TEST(Connection, PingsWithoutAPauseHaveNoKeysComputedAnew) {
    Loop loop;
    ConnectionLimits limits;
    limits.rest = 1h;  // since the handshake there has been no pause
    HalfRaw pair = half_raw(loop, limits);
    for (int i = 0; i < 3; ++i) {
        auto waiting = loop.start(pair.vault->await_request());
        pair.client.send(pair.client.sealer->ping());
        loop.finish(waiting);
        const auto nothing = loop.run(pair.vault->receive_request());
        ASSERT_FALSE(nothing);
        EXPECT_EQ(nothing.error().code, Errc::still_pending);
        EXPECT_FALSE(pair.vault->rests());
    }
}

TEST(Connection, RestsInTheMiddleOfAStreamWithoutHarm) {
    Loop loop;
    const Pair pair = connected(loop);
    const Bytes image(5 * kDataBody + 1, std::byte{7});
    auto source = [&](std::vector<MutableBytes> parts) -> asio::awaitable<Result<void>> {
        for (const MutableBytes part : parts) std::ranges::fill(part, std::byte{7});
        pair.client->rest();
        co_return Result<void>();
    };
    Bytes got;
    auto sink = [&](std::vector<MutableBytes> parts) -> asio::awaitable<Result<void>> {
        for (const MutableBytes part : parts) append(got, part);
        pair.vault->rest();
        co_return Result<void>();
    };
    auto answer = loop.start(pair.client->upload("upload.data", image.size(), source));
    ASSERT_TRUE(loop.run(next_request(pair.vault)));
    ASSERT_TRUE(loop.run(pair.vault->receive_bulk(image.size(), sink)));
    EXPECT_EQ(got, image);
    EXPECT_TRUE(loop.run(pair.vault->send_response("done")));
    EXPECT_EQ(loop.finish(answer), "done");
}

TEST(Connection, WaitsForARequestAsLongAsItMay) {
    Loop loop;
    ConnectionLimits limits;
    limits.idle = 50ms;
    {
        const Pair pair = connected(loop, {}, limits);
        loop.run(pair.vault->await_request());
        const auto request = loop.run(next_request(pair.vault));
        ASSERT_FALSE(request);
        EXPECT_EQ(request.error().code, Errc::timeout);
        loop.run(pair.vault->await_request());
    }
    {
        // Told to stop, before and meanwhile; it can still say why.
        const Pair pair = connected(loop);
        auto waiting = loop.start(pair.vault->await_request());
        loop.for_a_while(1ms);
        EXPECT_FALSE(waiting.done());
        pair.vault->interrupt_idle();
        loop.finish(waiting);
        loop.run(pair.vault->await_request());
        const auto request = loop.run(next_request(pair.vault));
        ASSERT_FALSE(request);
        EXPECT_EQ(request.error().code, Errc::cancelled);
        EXPECT_FALSE(pair.vault->failure());
    }
    {
        const Pair pair = connected(loop);
        auto waiting = loop.start(pair.vault->await_request());
        loop.run(pair.client->close());
        loop.finish(waiting);
        const auto request = loop.run(next_request(pair.vault));
        ASSERT_TRUE(request);
        EXPECT_FALSE(*request) << "a proper end";
    }
}

TEST(Records, OfARequestThatDripsAreCutOffOnceItBegan) {
    Loop loop;
    ConnectionLimits limits;
    limits.message = 50ms;
    HalfRaw pair = half_raw(loop, limits);
    auto waiting = loop.start(pair.vault->await_request());
    ASSERT_TRUE(pair.client.send(Bytes(1)));
    loop.finish(waiting);
    const auto request = loop.run(next_request(pair.vault));
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().code, Errc::timeout);
}

TEST(Connection, EndsAWatcherThatDoesNotReadItsEvents) {
    Loop loop;
    const Pair pair = connected(loop);
    const std::string large(kMaxMessage - 1000, 'e');  // so that they do not all fit the socket's buffers
    std::size_t taken = 0;
    while (pair.vault->post_event(large) && taken < 1000) ++taken;
    EXPECT_GE(taken, kMaxQueuedEvents);
    ASSERT_TRUE(pair.vault->failure());
    EXPECT_EQ(pair.vault->failure()->code, Errc::overloaded);
    loop.for_a_while(20ms);
}

// --- Bulk ---

class BulkSize : public testing::TestWithParam<std::uint64_t> {};

TEST_P(BulkSize, PassesWholeInBothDirections) {
    Loop loop;
    const Pair pair = connected(loop);
    const Bytes stream = pattern(GetParam());

    Bytes received;
    auto receiving = loop.start(pair.client->receive_bulk(stream.size(), sink_into(received)));
    ASSERT_TRUE(loop.run(pair.vault->send_bulk(stream.size(), source_of(stream))));
    auto got = loop.finish(receiving);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->total, stream.size());
    EXPECT_FALSE(got->refused);
    EXPECT_EQ(received, stream);

    received.clear();
    auto sending = loop.start(pair.client->upload("upload.data", stream.size(), source_of(stream)));
    EXPECT_EQ(loop.run(next_request(pair.vault)), "upload.data");
    got = loop.run(pair.vault->receive_bulk(stream.size(), sink_into(received)));
    ASSERT_TRUE(got);
    EXPECT_EQ(received, stream);
    ASSERT_TRUE(loop.run(pair.vault->send_response("stored")));
    EXPECT_EQ(loop.finish(sending), "stored");
}

INSTANTIATE_TEST_SUITE_P(Sizes, BulkSize,
                         testing::Values(0, 1, 16, kDataBody - 1, kDataBody, kDataBody + 1, 4 * kDataBody - 1,
                                         4 * kDataBody, 4 * kDataBody + 1, 8 * kDataBody, 8 * kDataBody + 1,
                                         30 * kDataBody + 7));

TEST(Bulk, LetsEventsPassBetweenItsRecords) {
    Loop loop;
    const Pair pair = connected(loop);
    const Bytes stream = pattern(100 * kDataBody);
    Bytes received;
    auto receiving = loop.start(pair.client->receive_bulk(stream.size(), sink_into(received)));
    auto sending = loop.start(pair.vault->send_bulk(stream.size(), source_of(stream)));
    ASSERT_TRUE(loop.until([&] { return !received.empty(); }));
    EXPECT_TRUE(pair.vault->post_event("meanwhile"));
    ASSERT_TRUE(loop.finish(sending));
    ASSERT_TRUE(loop.finish(receiving));
    EXPECT_EQ(received, stream);
    EXPECT_EQ(loop.run(pair.client->next_event(10s)), "meanwhile");
}

TEST(Bulk, WaitsForDataNoLongerForWhatElseComes) {
    Loop loop;
    ConnectionLimits client;
    client.idle = 200ms;
    const Pair pair = connected(loop, client);
    Bytes received;
    auto receiving = loop.start(pair.client->receive_bulk(5 * kDataBody, sink_into(received)));
    ASSERT_TRUE(
        keep_talking(loop, pair, receiving, [&] { return loop.run(pair.vault->send_sign_of_life()).has_value(); }));
    const auto got = loop.finish(receiving);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::timeout);
}

TEST(Bulk, ThatWasSentIsAnsweredInTimeWhateverElseComes) {
    Loop loop;
    ConnectionLimits client;
    client.idle = 200ms;
    client.alive = 400ms;
    const Pair pair = connected(loop, client);
    const Bytes stream = pattern(5 * kDataBody);
    Bytes received;
    auto sending = loop.start(pair.client->upload("upload.data", stream.size(), source_of(stream)));
    ASSERT_TRUE(loop.run(next_request(pair.vault)));
    ASSERT_TRUE(loop.run(pair.vault->receive_bulk(stream.size(), sink_into(received))));
    ASSERT_TRUE(
        keep_talking(loop, pair, sending, [&] { return loop.run(pair.vault->send_sign_of_life()).has_value(); }));
    const auto answer = loop.finish(sending);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::timeout);
}

TEST(Bulk, StopsWhereTheVaultAnswersEarlyAndTheConnectionGoesOn) {
    Loop loop;
    const Pair pair = connected(loop);
    const std::uint64_t length = std::uint64_t{4000} * kDataBody;  // 250 MiB, of which only the beginning travels
    std::uint64_t given = 0;
    BulkSource source = [&given](std::vector<MutableBytes> parts) -> asio::awaitable<Result<void>> {
        for (const MutableBytes part : parts) given += part.size();
        co_return Result<void>();
    };
    int taken = 0;
    BulkSink sink = [&taken](std::vector<MutableBytes>) -> asio::awaitable<Result<void>> {
        if (++taken == 3) co_return fail(Errc::storage_full, "no room");
        co_return Result<void>();
    };
    auto sending = loop.start(pair.client->upload("upload.data", length, source));
    ASSERT_TRUE(loop.run(next_request(pair.vault)));
    const auto got = loop.run(pair.vault->receive_bulk(length, sink));
    ASSERT_TRUE(got);
    ASSERT_TRUE(got->refused);
    EXPECT_EQ(got->refused->code, Errc::storage_full);
    ASSERT_TRUE(loop.run(pair.vault->send_response("refused")));
    ASSERT_TRUE(loop.run(pair.vault->discard_bulk()));
    EXPECT_EQ(loop.finish(sending), "refused");
    EXPECT_LT(given, length / 4);

    // Refused at once, whatever its length.
    sending = loop.start(pair.client->upload("upload.data", 10 * kDataBody + 3, source));
    ASSERT_TRUE(loop.run(next_request(pair.vault)));
    ASSERT_TRUE(loop.run(pair.vault->send_response("refused again")));
    ASSERT_TRUE(loop.run(pair.vault->discard_bulk()));
    EXPECT_EQ(loop.finish(sending), "refused again");

    auto asked = loop.start(pair.client->request("next"));
    EXPECT_EQ(loop.run(next_request(pair.vault)), "next");
    ASSERT_TRUE(loop.run(pair.vault->send_response("fine")));
    EXPECT_EQ(loop.finish(asked), "fine");
}

TEST(Bulk, RefusedByItsVeryLastBytesNeedsNothingDiscarded) {
    Loop loop;
    const Pair pair = connected(loop);
    const Bytes stream = pattern(kDataBody + 5);
    BulkSink sink = [](std::vector<MutableBytes>) -> asio::awaitable<Result<void>> {
        co_return fail(Errc::envelope_invalid, "no envelope");
    };
    auto sending = loop.start(pair.client->upload("upload.data", stream.size(), source_of(stream)));
    ASSERT_TRUE(loop.run(next_request(pair.vault)));
    const auto got = loop.run(pair.vault->receive_bulk(stream.size(), sink));
    ASSERT_TRUE(got && got->refused);
    EXPECT_EQ(got->refused->code, Errc::envelope_invalid);
    ASSERT_TRUE(loop.run(pair.vault->send_response("refused")));
    ASSERT_TRUE(loop.run(pair.vault->discard_bulk()));
    EXPECT_EQ(loop.finish(sending), "refused");
}

TEST(Bulk, EndsTheConnectionWhereItsSourceFails) {
    Loop loop;
    const Pair pair = connected(loop);
    int calls = 0;
    BulkSource source = [&calls](std::vector<MutableBytes>) -> asio::awaitable<Result<void>> {
        if (++calls == 2) co_return fail(Errc::input_unreadable, "the file changed");
        co_return Result<void>();
    };
    auto sending = loop.start(pair.client->upload("upload.data", 20 * kDataBody, source));
    ASSERT_TRUE(loop.run(next_request(pair.vault)));
    Bytes received;
    const auto got = loop.run(pair.vault->receive_bulk(20 * kDataBody, sink_into(received)));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::interrupted);
    const auto response = loop.finish(sending);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::input_unreadable);
}

TEST(Bulk, WaitsForItsWorkersWhenThePeerVanishes) {
    Loop loop;
    const Pair pair = connected(loop);
    const std::uint64_t length = std::uint64_t{4000} * kDataBody;  // far more than the sockets hold
    BulkSource source = [](std::vector<MutableBytes>) -> asio::awaitable<Result<void>> { co_return Result<void>(); };
    std::atomic<int> working = 0;
    BulkSink sink = [&](std::vector<MutableBytes> parts) -> asio::awaitable<Result<void>> {
        auto work = [&working, parts] {
            ++working;
            std::this_thread::sleep_for(5ms);
            for (const MutableBytes part : parts) std::ranges::fill(part, std::byte{1});
            --working;
        };
        co_await on_worker(loop.workers, work);
        if (working == 0) pair.client->abort({Errc::cancelled, "gone", {}});
        co_return Result<void>();
    };
    auto sending = loop.start(pair.client->upload("upload.data", length, source));
    ASSERT_TRUE(loop.run(next_request(pair.vault)));
    const auto got = loop.run(pair.vault->receive_bulk(length, sink));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::interrupted);
    EXPECT_EQ(working, 0);
    EXPECT_FALSE(loop.finish(sending));
}

TEST(Bulk, RefusesAStreamThatBreaksItsRules) {
    const struct {
        const char* what;
        std::vector<std::size_t> sizes;
        std::uint64_t total;
    } kCases[] = {
        {"a short piece in the middle", {100, kDataBody}, 100 + kDataBody},
        {"ends early", {kDataBody}, kDataBody},
        {"goes past its length", {kDataBody, kDataBody, 6}, 2 * kDataBody + 6},
        {"is miscounted", {kDataBody, kDataBody, 5}, 2 * kDataBody + 4},
    };
    for (const auto& bad : kCases) {
        Loop loop;
        HalfRaw pair = half_raw(loop);
        Bytes received;
        auto receiving = loop.start(pair.vault->receive_bulk(2 * kDataBody + 5, sink_into(received)));
        for (const std::size_t size : bad.sizes) {
            Bytes frame(size + kRecordOverhead);
            pair.client.sealer->data_in_place(frame);
            pair.client.send(frame);
        }
        pair.client.send(pair.client.sealer->data_end(bad.total));
        const auto got = loop.finish(receiving);
        ASSERT_FALSE(got) << bad.what;
        EXPECT_TRUE(got.error().code == Errc::malformed || got.error().code == Errc::unexpected) << bad.what;
        EXPECT_TRUE(pair.vault->failure());
    }
}

TEST(Bulk, IsPutTogetherFromPiecesOfAnySizeAndLeavesWhatComesBehindIt) {
    const Bytes stream = pattern(9 * kDataBody + 7);
    for (const std::size_t piece :
         {std::size_t{9'973}, kDataFrame - 1, kDataFrame + 1, 5 * kDataFrame, stream.size() * 2}) {
        Loop loop;
        HalfRaw pair = half_raw(loop);
        Bytes sent;
        // PINGs move the records away from where a batch expects them; a request follows without a pause.
        for (std::size_t at = 0; at < stream.size(); at += kDataBody) {
            for (std::size_t i = 0; i < at / kDataBody; ++i) append(sent, pair.client.sealer->ping());
            const ByteView body = ByteView(stream).subspan(at, std::min(kDataBody, stream.size() - at));
            Bytes frame(body.size() + kRecordOverhead);
            std::ranges::copy(body, frame.begin() + kRecordPrefix);
            pair.client.sealer->data_in_place(frame);
            append(sent, frame);
        }
        append(sent, pair.client.sealer->data_end(stream.size()));
        append(sent, *pair.client.sealer->message(RecordType::request, as_bytes("next")));

        Bytes received;
        auto receiving = loop.start(pair.vault->receive_bulk(stream.size(), sink_into(received)));
        for (ByteView rest = sent; !rest.empty(); rest = rest.subspan(std::min(piece, rest.size())))
            ASSERT_TRUE(pair.client.send(rest.first(std::min(piece, rest.size()))));
        const auto got = loop.finish(receiving);
        ASSERT_TRUE(got) << piece << ": " << got.error().message;
        EXPECT_FALSE(got->refused);
        EXPECT_EQ(received, stream) << piece;
        EXPECT_EQ(loop.run(next_request(pair.vault)), "next") << piece;
    }
}

TEST(Bulk, LetsOthersOnHoweverManyRecordsCarryNoData) {
    constexpr std::size_t kRecords = 300;
    Loop loop;
    HalfRaw pair = half_raw(loop);
    Bytes sent;
    for (std::size_t i = 0; i < kRecords; ++i) append(sent, pair.client.sealer->key_update(0));
    append(sent, pair.client.sealer->data_end(0));
    // All of it is there before the first byte is read: nothing has to be waited for.
    ASSERT_TRUE(pair.client.send(sent));
    Bytes received;
    auto receiving = loop.start(pair.vault->receive_bulk(0, sink_into(received)));
    std::size_t turns = 0;
    const auto others = [&]() -> asio::awaitable<void> {
        for (; !receiving.done(); ++turns) co_await asio::post(loop.context, asio::use_awaitable);
    };
    auto waiting = loop.start(others());
    const auto got = loop.finish(receiving);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(loop.finish(waiting));
    EXPECT_GE(turns, kRecords);
}

TEST(Bulk, ThatDripsIsCutOffInTheMiddleOfARecord) {
    Loop loop;
    ConnectionLimits limits;
    limits.message = 150ms;
    HalfRaw pair = half_raw(loop, limits);
    Bytes received;
    auto receiving = loop.start(pair.vault->receive_bulk(3 * kDataBody, sink_into(received)));
    Bytes frame(kDataFrame);
    pair.client.sealer->data_in_place(frame);
    pair.client.send(frame);
    pair.client.sealer->data_in_place(frame);
    for (std::size_t i = 0; i < frame.size() && !receiving.done(); ++i) {
        pair.client.send(ByteView(frame).subspan(i, 1));
        loop.for_a_while(10ms);
    }
    const auto got = loop.finish(receiving);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::timeout);
    EXPECT_EQ(received.size(), kDataBody) << "what came whole is handed over";
}

// --- Clients that keep to nothing ---

TEST(Records, ThatAreWrongEndTheConnectionWithoutAnAnswer) {
    const struct {
        const char* what;
        std::function<Bytes(RecordSealer&)> frame;
        Errc code;
    } kCases[] = {
        {"oversized", [](RecordSealer&) { return to_bytes(u32_bytes(kMaxRecordFrameBody + 1)); }, Errc::too_large},
        {"empty", [](RecordSealer&) { return Bytes(4); }, Errc::malformed},
        {"too short to be one", [](RecordSealer&) { return to_bytes(u32_bytes(19)); }, Errc::malformed},
        {"garbage",
         [](RecordSealer&) {
             return concat({u32_bytes(276), Bytes(276)});
         },
         Errc::malformed},
        {"flipped",
         [](RecordSealer& sealer) {
             Bytes frame = sealer.ping();
             frame[40] ^= std::byte{1};
             return frame;
         },
         Errc::malformed},
        {"replayed",
         [](RecordSealer& sealer) {
             const Bytes frame = sealer.ping();
             return concat({frame, frame});
         },
         Errc::malformed},
        {"reordered",
         [](RecordSealer& sealer) {
             const Bytes first = sealer.ping();
             const Bytes second = sealer.ping();
             return concat({second, first});
         },
         Errc::malformed},
        {"a vault's", [](RecordSealer& sealer) { return *sealer.message(RecordType::response, as_bytes("{}")); },
         Errc::unexpected},
        {"bulk out of place", [](RecordSealer& sealer) { return sealer.data_end(0); }, Errc::unexpected},
    };
    for (const auto& bad : kCases) {
        Loop loop;
        HalfRaw pair = half_raw(loop);
        auto request = loop.start(next_request(pair.vault));
        pair.client.send(bad.frame(*pair.client.sealer));
        const auto got = loop.finish(request);
        ASSERT_FALSE(got) << bad.what;
        EXPECT_EQ(got.error().code, bad.code) << bad.what;
        Bytes last;
        for (Bytes frame = pair.client.receive(); !frame.empty(); frame = pair.client.receive()) last = frame;
        // A PONG for the first, good PING at most.
        if (!last.empty()) {
            EXPECT_EQ(pair.client.opener->open(last)->type, RecordType::pong) << bad.what;
        }
    }
}

TEST(Records, ThatDripByteByByteAreCutOff) {
    Loop loop;
    ConnectionLimits limits;
    limits.message = 150ms;
    HalfRaw pair = half_raw(loop, limits);
    auto request = loop.start(next_request(pair.vault));
    const Bytes frame = *pair.client.sealer->message(RecordType::request, as_bytes("{}"));
    for (std::size_t i = 0; i < frame.size() && !request.done(); ++i) {
        pair.client.send(ByteView(frame).subspan(i, 1));
        loop.for_a_while(10ms);
    }
    ASSERT_TRUE(request.done());
    EXPECT_EQ((*request.value)->has_value(), false);
    EXPECT_EQ((*request.value)->error().code, Errc::timeout);
}

TEST(Records, ThatNobodyReadsEndTheConnection) {
    Loop loop;
    ConnectionLimits limits;
    limits.write = 100ms;
    HalfRaw pair = half_raw(loop, limits);
    const Bytes stream = pattern(1000 * kDataBody);
    const auto sent = loop.run(pair.vault->send_bulk(stream.size(), source_of(stream)));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, Errc::timeout);
}

TEST(Handshake, OfAClientThatSaysNothingIsCutOff) {
    Loop loop;
    ConnectionLimits limits;
    limits.hello = 50ms;
    auto sockets = connected_sockets(loop);
    const auto vault = Connection::create(std::move(sockets.vault), Side::vault, limits);
    RawEnd client(loop, std::move(sockets.client));
    auto accepted = loop.start(accept_and_tell(loop, vault));
    EXPECT_EQ(client.receive(), vault_party().identity_frame());
    EXPECT_NE(vault->awaited_since(), kNever);
    EXPECT_EQ(client.receive_alert(), Errc::timeout);
    client.socket().close();
    const auto got = loop.finish(accepted);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::timeout);
}

TEST(Handshake, ThatIsNotOverInItsTimeIsCutOffWithAWord) {
    Loop loop;
    ConnectionLimits limits;
    limits.handshake = 50ms;
    auto sockets = connected_sockets(loop);
    const auto vault = Connection::create(std::move(sockets.vault), Side::vault, limits);
    RawEnd client(loop, std::move(sockets.client));
    auto accepted = loop.start(accept_and_tell(loop, vault));
    EXPECT_EQ(client.receive(), vault_party().identity_frame());
    EXPECT_EQ(client.receive_alert(), Errc::timeout);
    client.socket().close();
    EXPECT_FALSE(loop.finish(accepted));
}

TEST(Handshake, OwesNothingWhileTheHelloIsWorkedOnAndFinishedAfterwards) {
    Loop loop;
    asio::thread_pool one(1);
    std::promise<void> go;
    asio::post(one, [&go] { go.get_future().wait(); });
    auto sockets = connected_sockets(loop);
    const auto vault = Connection::create(std::move(sockets.vault), Side::vault);
    RawEnd client(loop, std::move(sockets.client));
    bool answering = false;
    auto ext = [&answering] {
        answering = true;
        return test_hello();
    };
    auto work = [&]() -> asio::awaitable<Result<ClientIdentity>> {
        auto got = co_await vault->accept_handshake(vault_party(), ext, one);
        if (!got) co_await vault->close(alert_code(got.error().code));
        co_return got;
    };
    auto accepted = loop.start(work());
    ClientHandshake handshake(client_party(), {});
    ASSERT_TRUE(handshake.on_identity(client.receive()));
    ASSERT_TRUE(client.send(*handshake.hello()));
    ASSERT_TRUE(loop.until([&] { return answering; }));
    EXPECT_EQ(vault->awaited_since(), kNever);
    vault->evict(Errc::overloaded);  // no effect
    go.set_value();
    EXPECT_TRUE(handshake.on_server_hello(client.receive()));
    EXPECT_NE(vault->awaited_since(), kNever);
    vault->evict(Errc::overloaded);
    EXPECT_EQ(vault->awaited_since(), kNever);
    EXPECT_EQ(client.receive_alert(), Errc::overloaded);
    client.socket().close();
    const auto got = loop.finish(accepted);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::overloaded);
    one.join();
}

TEST(Handshake, OfAClientThatDoesNotReadIsGivenUpWithoutAWord) {
    Loop loop;
    auto sockets = connected_sockets(loop);
    sockets.vault.non_blocking(true);
    const Bytes filling(std::size_t{64} << 10);
    std::error_code full;
    while (!full) sockets.vault.write_some(asio::buffer(filling.data(), filling.size()), full);
    const auto vault = Connection::create(std::move(sockets.vault), Side::vault);
    auto accepted = loop.start(accept_and_tell(loop, vault));
    ASSERT_TRUE(loop.until([&] { return vault->awaited_since() != kNever; }));
    vault->evict(Errc::overloaded);
    const auto got = loop.finish(accepted);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::overloaded);
    EXPECT_TRUE(vault->failure());
}

// The vault's part by hand, up to where it would be established.
std::pair<std::shared_ptr<Connection>, RawEnd> finished_by_hand(Loop& loop, VaultHandshake& by_hand) {
    auto sockets = connected_sockets(loop);
    RawEnd vault(loop, std::move(sockets.vault));
    auto client = Connection::create(std::move(sockets.client), Side::client);
    EXPECT_TRUE(vault.send(vault_party().identity_frame()));
    EXPECT_TRUE(loop.run(client->receive_identity(client_party(), {})));
    auto finishing = loop.start(client->finish_handshake());
    const auto answer = by_hand.on_client_hello(vault.receive(), test_hello());
    EXPECT_TRUE(answer && vault.send(*answer));
    EXPECT_TRUE(loop.finish(finishing));
    EXPECT_TRUE(by_hand.on_client_finished(vault.receive()));
    return {std::move(client), std::move(vault)};
}

TEST(Handshake, ThatTheVaultGaveUpTellsTheClientByAnAlertInThePlaceOfTheFirstRecord) {
    Loop loop;
    for (const Errc why : {Errc::overloaded, Errc::timeout, Errc::handshake_failed}) {
        VaultHandshake by_hand(vault_party());
        auto [client, vault] = finished_by_hand(loop, by_hand);
        ASSERT_TRUE(vault.send(encode_alert(why)));
        const auto answer = loop.run(client->request("anything"));
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, why);
    }
    // Three bytes that are no ALERT, other lengths, and an ALERT that a record came before, are no word of a vault's.
    const std::vector<Bytes> wrong = {ByteWriter().u32(3).u8(2).u16(8).take(), ByteWriter().u32(2).u16(8).take(),
                                      ByteWriter().u32(4).u8(6).u16(8).u8(0).take()};
    for (const Bytes& frame : wrong) {
        VaultHandshake by_hand(vault_party());
        auto [client, vault] = finished_by_hand(loop, by_hand);
        ASSERT_TRUE(vault.send(frame));
        const auto answer = loop.run(client->request("anything"));
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, Errc::malformed);
    }
    VaultHandshake by_hand(vault_party());
    auto [client, vault] = finished_by_hand(loop, by_hand);
    auto session = by_hand.established();
    ASSERT_TRUE(session);
    RecordSealer sealer(std::move(session->send), 0);
    ASSERT_TRUE(vault.send(*sealer.message(RecordType::response, as_bytes("heard"))));
    EXPECT_EQ(loop.run(client->request("anything")), "heard");
    ASSERT_TRUE(vault.send(encode_alert(Errc::overloaded)));
    const auto answer = loop.run(client->request("anything"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::malformed);
}

TEST(Handshake, ThatDripsByteByByteIsCutOff) {
    Loop loop;
    ConnectionLimits limits;
    limits.hello = 100ms;
    auto sockets = connected_sockets(loop);
    const auto vault = Connection::create(std::move(sockets.vault), Side::vault, limits);
    RawEnd client(loop, std::move(sockets.client));
    auto accepted = loop.start(accept_and_tell(loop, vault));
    ClientHandshake handshake(client_party(), {});
    ASSERT_TRUE(handshake.on_identity(client.receive()));
    const Bytes hello = *handshake.hello();
    for (std::size_t i = 0; i < hello.size() && !vault->failure() && vault->awaited_since() != kNever; ++i) {
        client.send(ByteView(hello).subspan(i, 1));
        loop.for_a_while(5ms);
    }
    client.socket().close();
    const auto got = loop.finish(accepted);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::timeout);
}

TEST(Handshake, ThatIsWrongIsAnsweredByAnAlert) {
    const std::string http = "GET / HTTP/1.1\r\nHost: vault\r\n\r\n";  // "GET " announces a gigabyte
    const struct {
        const char* what;
        Bytes bytes;
        Errc code;
    } kCases[] = {
        {"another protocol", to_bytes(as_bytes(http)), Errc::too_large},
        {"oversized by one", to_bytes(u32_bytes(kMaxHandshakeBody + 1)), Errc::too_large},
        {"empty", Bytes(4), Errc::malformed},
        {"a message of the vault's", encode_frame(to_bytes("\x04garbage"), Phase::handshake), Errc::unexpected},
        {"no hello", encode_frame(to_bytes("\x03garbage"), Phase::handshake), Errc::malformed},
    };
    for (const auto& bad : kCases) {
        Loop loop;
        auto sockets = connected_sockets(loop);
        const auto vault = Connection::create(std::move(sockets.vault), Side::vault, {});
        RawEnd client(loop, std::move(sockets.client));
        auto accepted = loop.start(accept_and_tell(loop, vault));
        EXPECT_FALSE(client.receive().empty());
        client.send(bad.bytes);
        EXPECT_EQ(client.receive_alert(), bad.code) << bad.what;
        client.socket().close();
        const auto got = loop.finish(accepted);
        ASSERT_FALSE(got) << bad.what;
        EXPECT_EQ(got.error().code, bad.code) << bad.what;
    }
}

TEST(Handshake, TakesAHelloThatComesInPieces) {
    Loop loop;
    auto sockets = connected_sockets(loop);
    const auto vault = Connection::create(std::move(sockets.vault), Side::vault, {});
    RawEnd client(loop, std::move(sockets.client));
    auto accepted = loop.start(accept_and_tell(loop, vault));
    ClientHandshake handshake(client_party(), {});
    ASSERT_TRUE(handshake.on_identity(client.receive()));
    const Bytes hello = *handshake.hello();
    for (std::size_t i = 0; i < hello.size(); i += 97) {
        ASSERT_TRUE(client.send(ByteView(hello).subspan(i, std::min<std::size_t>(97, hello.size() - i))));
        loop.for_a_while(1ms);
    }
    ASSERT_TRUE(client.send(*handshake.on_server_hello(client.receive())));
    EXPECT_TRUE(loop.finish(accepted));
    EXPECT_TRUE(vault->established());
}

}  // namespace
}  // namespace sat
