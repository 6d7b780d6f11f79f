// Records: sealed, opened, refused, rekeyed; and the messages that they make up.
// SPDX-License-Identifier: Apache-2.0
#include "wire/record.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "unit/wire/wire_fixtures.h"
#include "wire/frame.h"

namespace sat {
namespace {

TrafficSecret secret(unsigned char seed = 7) {
    return TrafficSecret(SecretBytes(Bytes(32, static_cast<std::byte>(seed))));
}

RecordSealer sealer() { return RecordSealer(secret(), kTestTime); }
RecordOpener opener(Side sender = Side::vault) { return RecordOpener(secret(), sender); }

// A record with any inner part, its tag right.
Bytes seal_inner(ByteView inner, std::uint64_t sequence = 0, const TrafficSecret& under = secret()) {
    KeyAndNonce key(under.key_material());
    const auto length = u32_bytes(static_cast<std::uint32_t>(inner.size() + kRecordTagSize));
    Bytes frame = to_bytes(length);
    frame.resize(kFrameHeaderSize + inner.size() + kRecordTagSize);
    key.key.seal(nonce_at(key.base, sequence), length, inner, MutableBytes(frame).subspan(kFrameHeaderSize));
    return frame;
}

Bytes padded_inner(RecordType type, ByteView body, bool more) {
    ByteWriter out;
    const std::size_t padding = (256 - (4 + body.size()) % 256) % 256;
    out.u8(static_cast<std::uint8_t>(type)).u8(more ? 1 : 0).u16(static_cast<std::uint16_t>(padding));
    out.raw(body).raw(Bytes(padding));
    return out.take();
}

Bytes pattern(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i % 251);
    return bytes;
}

Bytes data_frame(RecordSealer& from, ByteView body) {
    Bytes frame(kRecordOverhead + body.size());
    std::copy(body.begin(), body.end(), frame.begin() + kRecordPrefix);
    from.data_in_place(frame);
    return frame;
}

// Several frames back to back, one by one.
std::vector<Bytes> split(ByteView frames) {
    FrameDecoder decoder(Phase::record);
    std::vector<Bytes> out;
    while (!frames.empty()) {
        frames = frames.subspan(decoder.feed(frames));
        auto frame = decoder.next();
        SAT_ASSERT(frame && *frame);
        out.push_back(std::move(**frame));
    }
    return out;
}

Errc code_of(const Result<Record>& result) {
    EXPECT_FALSE(result);
    return result ? Errc::internal : result.error().code;
}

template <typename T>
Errc code_of(const Result<std::optional<T>>& result) {
    EXPECT_FALSE(result);
    return result ? Errc::internal : result.error().code;
}

TEST(Record, OpensAsItWasSealed) {
    RecordSealer from = sealer();
    RecordOpener to = opener();
    Bytes frame = *from.message(RecordType::response, as_bytes("{}"));
    auto record = to.open(frame);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->type, RecordType::response);
    EXPECT_FALSE(record->more);
    EXPECT_EQ(as_text(record->body), "{}");

    frame = *from.message(RecordType::event, as_bytes("[]"));
    EXPECT_EQ(to.open(frame)->type, RecordType::event);
    frame = from.ping();
    EXPECT_EQ(to.open(frame)->type, RecordType::ping);
    frame = from.pong();
    EXPECT_EQ(to.open(frame)->type, RecordType::pong);
    frame = from.data_end(UINT64_MAX);
    EXPECT_EQ(to.open(frame)->total(), UINT64_MAX);
    frame = from.close(Errc::going_away);
    EXPECT_FALSE(to.closed());
    EXPECT_EQ(to.open(frame)->close_reason(), Errc::going_away);
    EXPECT_TRUE(to.closed());
}

TEST(Record, SaysDoneByACloseOfZero) {
    RecordSealer from = sealer();
    RecordOpener to = opener();
    Bytes frame = from.close();
    EXPECT_EQ(to.open(frame)->close_reason(), std::nullopt);
    for (const auto& [number, reason] : {std::pair{"0001", Errc::malformed},
                                         {"000a", Errc::going_away},
                                         {"000b", Errc::internal},
                                         {"0064", Errc::internal},
                                         {"0066", Errc::forbidden},
                                         {"ffff", Errc::internal}}) {
        RecordOpener fresh = opener();
        frame = seal_inner(padded_inner(RecordType::close, unhex(number), false));
        EXPECT_EQ(fresh.open(frame)->close_reason(), reason) << number;
    }
}

TEST(Record, CarriesDataInPlaceWithoutACopy) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{252}, std::size_t{65'599}, std::size_t{65'600}}) {
        RecordSealer from = sealer();
        RecordOpener to = opener(Side::client);
        Bytes frame = data_frame(from, pattern(size));
        EXPECT_EQ(frame.size(), size + kRecordOverhead);
        const auto record = to.open(frame);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->type, RecordType::data);
        EXPECT_EQ(record->body.data(), frame.data() + kRecordPrefix);
        EXPECT_EQ(to_bytes(record->body), pattern(size));
    }
}

TEST(Record, HidesTheSizeOfEverythingButData) {
    for (const std::size_t size : {0U, 1U, 251U, 252U, 253U, 508U, 509U}) {
        RecordSealer from = sealer();
        const Bytes frame = *from.message(RecordType::request, pattern(size));
        EXPECT_EQ((frame.size() - kFrameHeaderSize - kRecordTagSize) % 256, 0U) << size;
        EXPECT_LT(frame.size(), kRecordOverhead + size + 256) << size;
    }
    RecordSealer from = sealer();
    EXPECT_EQ(from.ping().size(), from.data_end(1).size());
}

TEST(RecordOpener, RefusesEveryFlippedByte) {
    RecordSealer from = sealer();
    const Bytes frame = from.ping();
    for (std::size_t at = 0; at < frame.size(); ++at) {
        for (const unsigned bit : {0U, 7U}) {
            RecordOpener to = opener();
            Bytes wrong = flipped(frame, at, bit);
            const Errc code = code_of(to.open(wrong));
            EXPECT_TRUE(code == Errc::malformed || (at < kFrameHeaderSize && code == Errc::too_large)) << at;
        }
    }
}

TEST(RecordOpener, RefusesEveryTruncation) {
    RecordSealer from = sealer();
    const Bytes frame = from.ping();
    for (std::size_t size = 0; size < frame.size(); ++size) {
        RecordOpener to = opener();
        Bytes cut = to_bytes(ByteView(frame).first(size));
        EXPECT_EQ(code_of(to.open(cut)), Errc::malformed) << size;
        if (size < kFrameHeaderSize) continue;
        // The same with a length that fits.
        RecordOpener again = opener();
        Bytes relabelled = raw_frame(ByteView(cut).subspan(kFrameHeaderSize));
        EXPECT_EQ(code_of(again.open(relabelled)), Errc::malformed) << size;
    }
}

TEST(RecordOpener, RefusesReplayedReorderedDroppedAndReflectedRecords) {
    RecordSealer from = sealer();
    const Bytes first = from.ping();
    const Bytes second = from.pong();

    RecordOpener replayed = opener();
    Bytes frame = first;
    ASSERT_TRUE(replayed.open(frame));
    frame = first;
    EXPECT_EQ(code_of(replayed.open(frame)), Errc::malformed);

    RecordOpener dropped = opener();
    frame = second;
    EXPECT_EQ(code_of(dropped.open(frame)), Errc::malformed);

    // What we sent ourselves, sent back to us: the other direction has another secret.
    RecordOpener reflected(secret(8), Side::vault);
    frame = first;
    EXPECT_EQ(code_of(reflected.open(frame)), Errc::malformed);
}

TEST(RecordOpener, StaysRefusingAfterItsFirstFailure) {
    RecordSealer from = sealer();
    const Bytes good = from.ping();
    RecordOpener to = opener();
    Bytes frame = flipped(good, 10);
    EXPECT_EQ(code_of(to.open(frame)), Errc::malformed);
    frame = good;
    EXPECT_EQ(code_of(to.open(frame)), Errc::unexpected);
}

TEST(RecordOpener, TakesNothingAfterClose) {
    RecordSealer from = sealer();
    RecordOpener to = opener();
    Bytes frame = from.close();
    ASSERT_TRUE(to.open(frame));
    frame = seal_inner(padded_inner(RecordType::ping, {}, false), 1);
    EXPECT_EQ(code_of(to.open(frame)), Errc::unexpected);
    EXPECT_TRUE(to.closed());
}

TEST(RecordOpener, KnowsWhoMaySendWhat) {
    for (const auto type : {RecordType::request, RecordType::response, RecordType::event}) {
        const Side right = type == RecordType::request ? Side::client : Side::vault;
        const Side wrong = right == Side::client ? Side::vault : Side::client;
        RecordSealer from = sealer();
        const Bytes frame = *from.message(type, as_bytes("{}"));
        Bytes copy = frame;
        RecordOpener taking = opener(right);
        EXPECT_TRUE(taking.open(copy));
        copy = frame;
        RecordOpener refusing = opener(wrong);
        EXPECT_EQ(code_of(refusing.open(copy)), Errc::unexpected);
    }
}

TEST(RecordOpener, TakesNoTypeButTheNine) {
    std::size_t taken = 0;
    for (unsigned type = 0; type < 256; ++type) {
        for (const Side side : {Side::client, Side::vault}) {
            Bytes body;
            if (type == 0x13) continue;  // DATA is not padded
            if (type == 0x14) body = Bytes(8);
            if (type == 0x1f) body = Bytes(2);
            Bytes frame = seal_inner(padded_inner(static_cast<RecordType>(type), body, false));
            RecordOpener to = opener(side);
            const auto record = to.open(frame);
            if (record) {
                ++taken;
            } else {
                EXPECT_EQ(record.error().code, Errc::unexpected) << type;
            }
        }
    }
    EXPECT_EQ(taken, 3U + 2U * 5U);
}

TEST(RecordOpener, RefusesWhatItsOwnTagDoesNotSave) {
    // 20 bytes are the smallest record: an inner header and nothing else, never right.
    RecordOpener to = opener();
    Bytes frame = seal_inner(unhex("18000000"));
    EXPECT_EQ(code_of(to.open(frame)), Errc::malformed);
    // The largest inner part holds a control record, and one byte more of DATA than the protocol gives it is refused.
    RecordOpener largest = opener();
    frame = seal_inner(padded_inner(RecordType::event, pattern(kMaxRecordBody), false));
    EXPECT_EQ(frame.size(), kFrameHeaderSize + kMaxRecordFrameBody);
    EXPECT_TRUE(largest.open(frame));
    for (const std::size_t size : {std::size_t{65'601}, kMaxRecordBody}) {
        RecordOpener data = opener();
        frame = seal_inner(concat({unhex("13000000"), pattern(size)}));
        EXPECT_EQ(code_of(data.open(frame)), Errc::malformed) << size;
    }
}

TEST(Rekeying, IsDueByCountAndByTime) {
    RecordSealer from(secret(), kTestTime, {64, 3600});
    EXPECT_FALSE(from.needs_key_update(kTestTime + 3599));
    EXPECT_TRUE(from.needs_key_update(kTestTime + 3600));
    for (int i = 0; i < 31; ++i) from.ping();
    EXPECT_FALSE(from.needs_key_update(kTestTime));
    from.ping();
    EXPECT_TRUE(from.needs_key_update(kTestTime));
    from.key_update(kTestTime + 100);
    EXPECT_FALSE(from.needs_key_update(kTestTime + 3699));
    EXPECT_TRUE(from.needs_key_update(kTestTime + 3700));
    EXPECT_EQ(from.sequence(), 0U);
}

TEST(Rekeying, ChangesBothEndsOverAtTheSameRecord) {
    RecordSealer from = sealer();
    RecordOpener to = opener();
    TrafficSecret expected = secret();
    for (int epoch = 0; epoch < 5; ++epoch) {
        Bytes frame = from.ping();
        EXPECT_EQ(frame, seal_inner(padded_inner(RecordType::ping, {}, false), 0, expected));
        ASSERT_TRUE(to.open(frame));
        frame = from.key_update(kTestTime);
        EXPECT_EQ(to.open(frame)->type, RecordType::key_update);
        EXPECT_EQ(to.sequence(), 0U);
        expected.update();
    }
}

// One end rests between any two records, the other never: the bytes and the numbers are the same.
TEST(Rest, ChangesNothingThatIsSealedOrOpened) {
    for (const bool sealer_rests : {false, true}) {
        for (const bool opener_rests : {false, true}) {
            RecordSealer steady = sealer();
            RecordSealer from = sealer();
            RecordOpener to = opener();
            const auto pass = [&](const Bytes& expected, Bytes frame) {
                EXPECT_EQ(frame, expected);
                const auto record = to.open(frame);
                EXPECT_TRUE(record) << record.error().message;
                EXPECT_EQ(from.sequence(), to.sequence());
                if (sealer_rests) from.rest();
                if (opener_rests) to.rest();
                EXPECT_TRUE(from.rests() || !sealer_rests);
                EXPECT_TRUE(to.rests() || !opener_rests);
            };
            for (int epoch = 0; epoch < 3; ++epoch) {
                pass(steady.ping(), from.ping());
                const Bytes text = pattern(300);
                pass(steady.message(RecordType::event, text).value(), from.message(RecordType::event, text).value());
                pass(data_frame(steady, text), data_frame(from, text));
                pass(steady.key_update(kTestTime), from.key_update(kTestTime));
            }
            pass(steady.close(), from.close());
        }
    }
}

TEST(Rest, OpensNothingThatWasOpenedBefore) {
    RecordSealer from = sealer();
    RecordOpener to = opener();
    const Bytes first = from.ping();
    Bytes once = first;
    ASSERT_TRUE(to.open(once));
    to.rest();
    Bytes again = first;
    EXPECT_EQ(to.open(again).error().code, Errc::malformed);
}

TEST(Rekeying, MakesRecordsOfTheOldEpochUseless) {
    RecordSealer from = sealer();
    RecordOpener to = opener();
    Bytes frame = from.key_update(kTestTime);
    ASSERT_TRUE(to.open(frame));
    frame = seal_inner(padded_inner(RecordType::ping, {}, false), 1);  // on under the old key
    EXPECT_EQ(code_of(to.open(frame)), Errc::malformed);
}

TEST(Rekeying, EndsAnEpochThatIsUsedTooLong) {
    constexpr EpochLimits kShort{40, 3600};
    // Its KEY_UPDATE is counted: as the last of them it is in time, after them it is not.
    for (const auto type : {RecordType::ping, RecordType::key_update}) {
        for (const std::uint64_t before : {kShort.records - 1, kShort.records}) {
            RecordOpener to(secret(), Side::vault, kShort);
            Bytes frame;
            for (std::uint64_t i = 0; i < before; ++i) {
                frame = seal_inner(padded_inner(RecordType::ping, {}, false), i);
                ASSERT_TRUE(to.open(frame)) << i;
            }
            frame = seal_inner(padded_inner(type, {}, false), before);
            if (before < kShort.records) {
                EXPECT_TRUE(to.open(frame));
            } else {
                EXPECT_EQ(code_of(to.open(frame)), Errc::unexpected);
            }
        }
    }
}

TEST(Rekeying, IsAskedForWhileAnyMessageStillFits) {
    constexpr EpochLimits kShort{40, 3600};
    RecordSealer from(secret(), kTestTime, kShort);
    RecordOpener to(secret(), Side::vault, kShort);
    Bytes frame;
    while (!from.needs_key_update(kTestTime)) {
        frame = from.ping();
        ASSERT_TRUE(to.open(frame));
    }
    const auto message = from.message(RecordType::response, pattern(kMaxMessage));
    ASSERT_TRUE(message);
    for (Bytes& part : split(*message)) ASSERT_TRUE(to.open(part));
    frame = from.key_update(kTestTime);
    EXPECT_TRUE(to.open(frame));
    EXPECT_EQ(to.sequence(), 0U);
}

TEST(RekeyingDeathTest, IsAssertedByTheSealerItself) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            RecordSealer from(secret(), kTestTime, {40, 3600});
            for (int i = 0; i < 40; ++i) from.ping();
        },
        "");
    EXPECT_DEATH(
        {
            RecordSealer from = sealer();
            from.close();
            from.ping();
        },
        "");
}

TEST(Rekeying, ComesAfterTwoToTheTwentyRecords) {
    if (!run_in_full()) {
        std::cout << "a million records are sealed with SAT_FULL=1 only\n";
        return;
    }
    RecordSealer from = sealer();
    RecordOpener to = opener();
    std::uint64_t records = 0;
    Bytes frame;
    while (!from.needs_key_update(kTestTime)) {
        frame = from.ping();
        ASSERT_TRUE(to.open(frame));
        ++records;
    }
    EXPECT_EQ(records, kRecordsPerEpoch - kRekeyMargin);
    frame = from.key_update(kTestTime);
    EXPECT_TRUE(to.open(frame));
}

TEST(Message, ComesThroughAtEverySizeAroundTheLimits) {
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{2}, kMaxRecordBody - 1, kMaxRecordBody, kMaxRecordBody + 1, 2 * kMaxRecordBody,
          2 * kMaxRecordBody + 1, kMaxMessage - 1, kMaxMessage}) {
        RecordSealer from = sealer();
        RecordOpener to = opener();
        MessageAssembler assembler;
        const Bytes message = pattern(size);
        std::vector<Bytes> frames = split(*from.message(RecordType::response, message));
        EXPECT_EQ(frames.size(), std::max<std::size_t>(1, (size + kMaxRecordBody - 1) / kMaxRecordBody));
        for (std::size_t i = 0; i < frames.size(); ++i) {
            const auto record = to.open(frames[i]);
            ASSERT_TRUE(record);
            const auto whole = assembler.add(*record);
            ASSERT_TRUE(whole);
            EXPECT_EQ(whole->has_value(), i + 1 == frames.size());
            EXPECT_EQ(assembler.in_message(), i + 1 != frames.size());
            EXPECT_EQ(whole->value_or(message), message) << size;
        }
    }
}

TEST(Message, IsNotSentPastItsLimit) {
    RecordSealer from = sealer();
    const auto frames = from.message(RecordType::response, pattern(kMaxMessage + 1));
    ASSERT_FALSE(frames);
    EXPECT_EQ(frames.error().code, Errc::too_large);
    EXPECT_EQ(from.sequence(), 0U);
}

TEST(MessageAssembler, RefusesAMessageThatGrowsPastItsLimit) {
    for (const std::size_t last : {std::size_t{0}, std::size_t{1}}) {
        MessageAssembler assembler;
        const Bytes half = pattern(kMaxMessage / 2);
        ASSERT_TRUE(assembler.add({RecordType::request, true, half}));
        ASSERT_TRUE(assembler.add({RecordType::request, true, half}));
        const Bytes rest = pattern(last);
        const auto whole = assembler.add({RecordType::request, false, rest});
        if (last == 0) {
            ASSERT_TRUE(whole && *whole);
            EXPECT_EQ((*whole)->size(), kMaxMessage);
        } else {
            EXPECT_EQ(code_of(whole), Errc::too_large);
        }
    }
}

TEST(MessageAssembler, LetsNothingInterruptAMessage) {
    const Bytes part = pattern(10);
    for (const auto type : {RecordType::request, RecordType::event, RecordType::data, RecordType::data_end,
                            RecordType::key_update, RecordType::ping, RecordType::pong, RecordType::close}) {
        MessageAssembler assembler;
        ASSERT_TRUE(assembler.add({RecordType::response, true, part}));
        EXPECT_EQ(code_of(assembler.add({type, false, part})), Errc::unexpected);
        EXPECT_EQ(code_of(assembler.add({RecordType::response, false, part})), Errc::unexpected);
    }
}

TEST(MessageAssembler, RefusesAnEmptyMessage) {
    for (const auto type : {RecordType::request, RecordType::response, RecordType::event}) {
        MessageAssembler assembler;
        EXPECT_EQ(code_of(assembler.add({type, false, {}})), Errc::malformed);
        EXPECT_EQ(code_of(assembler.add({type, false, pattern(1)})), Errc::unexpected) << "every failure is final";
    }
}

TEST(MessageAssembler, RefusesAnEmptyPart) {
    MessageAssembler first;
    EXPECT_EQ(code_of(first.add({RecordType::request, true, {}})), Errc::malformed);
    MessageAssembler later;
    const Bytes part = pattern(1);
    ASSERT_TRUE(later.add({RecordType::request, true, part}));
    EXPECT_EQ(code_of(later.add({RecordType::request, true, {}})), Errc::malformed);
}

TEST(MessageAssembler, GivesNothingForWhatIsNoMessage) {
    MessageAssembler assembler;
    const Bytes part = pattern(8);
    for (const auto type : {RecordType::data, RecordType::data_end, RecordType::key_update, RecordType::ping,
                            RecordType::pong, RecordType::close}) {
        const auto whole = assembler.add({type, false, part});
        ASSERT_TRUE(whole);
        EXPECT_FALSE(*whole);
    }
    const auto one = assembler.add({RecordType::event, false, part});
    ASSERT_TRUE(one && *one);
    EXPECT_EQ(**one, part);
    const auto two = assembler.add({RecordType::event, false, part});
    ASSERT_TRUE(two && *two);
    EXPECT_EQ(**two, part);
}

TEST(RecordVectors, OpenAndSealByteForByte) {
    const auto vectors = own_vectors("records.json");
    const auto& epochs = vectors.at("epochs");
    TrafficSecret expected(unhex_secret(epochs.at(0).at("secret")));
    for (const auto& epoch : epochs) {
        EXPECT_EQ(to_hex(expected.reveal().reveal()), epoch.at("secret"));
        EXPECT_EQ(to_hex(expected.key_material().reveal()), epoch.at("key_and_iv"));
        expected.update();
    }
    RecordSealer from(TrafficSecret(unhex_secret(epochs.at(0).at("secret"))), kTestTime);
    RecordOpener to(TrafficSecret(unhex_secret(epochs.at(0).at("secret"))), Side::vault);
    std::size_t count = 0;
    std::vector<Bytes> waiting;  // the rest of a message of two records
    for (const auto& vector : vectors.at("opened")) {
        const auto type = static_cast<RecordType>(vector.at("type").get<int>());
        const bool more = vector.at("more");
        const bool long_body = vector.contains("pattern");
        const Bytes body = long_body ? pattern(vector.at("pattern").get<std::size_t>()) : unhex(vector.at("body"));
        EXPECT_EQ(from.sequence() - waiting.size(), vector.at("sequence")) << count;
        Bytes frame;
        if (!waiting.empty()) {
            frame = waiting.front();
            waiting.clear();
        } else if (more) {
            std::vector<Bytes> both = split(*from.message(type, concat({body, as_bytes("the rest")})));
            ASSERT_EQ(both.size(), 2U);
            frame = both[0];
            waiting = {both[1]};
        } else {
            switch (type) {
                case RecordType::data:
                    frame = data_frame(from, body);
                    break;
                case RecordType::data_end:
                    frame = from.data_end(ByteReader(body).u64());
                    break;
                case RecordType::key_update:
                    frame = from.key_update(kTestTime);
                    break;
                case RecordType::ping:
                    frame = from.ping();
                    break;
                case RecordType::pong:
                    frame = from.pong();
                    break;
                case RecordType::close:
                    frame = from.close();
                    break;
                default:
                    frame = *from.message(type, body);
            }
        }
        if (long_body) {
            EXPECT_EQ(frame.size(), vector.at("frame_size"));
            EXPECT_EQ(sha256(frame).hex(), vector.at("frame_sha256"));
        } else {
            EXPECT_EQ(to_hex(frame), vector.at("frame"));
        }
        const auto record = to.open(frame);
        ASSERT_TRUE(record) << count;
        EXPECT_EQ(record->type, type);
        EXPECT_EQ(record->more, more);
        EXPECT_EQ(to_bytes(record->body), body);
        ++count;
    }
    EXPECT_EQ(count, 16U);
}

TEST(RecordVectors, AreRefusedForTheReasonWritten) {
    const auto vectors = own_vectors("records.json");
    std::size_t count = 0;
    for (const auto& vector : vectors.at("refused")) {
        RecordOpener to(TrafficSecret(unhex_secret(vectors.at("epochs").at(0).at("secret"))), Side::vault);
        Bytes frame = unhex(vector.at("frame"));
        EXPECT_EQ(errc_name(code_of(to.open(frame))), vector.at("error").get<std::string>()) << vector.at("name");
        ++count;
    }
    EXPECT_EQ(count, 28U);
}

}  // namespace
}  // namespace sat
