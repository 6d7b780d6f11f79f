// Frames: cut from a stream however it arrives, refused from their headers alone.
// SPDX-License-Identifier: Apache-2.0
#include "wire/frame.h"

#include <gtest/gtest.h>

#include "unit/wire/wire_fixtures.h"

namespace sat {
namespace {

Bytes header(std::uint32_t size) { return to_bytes(u32_bytes(size)); }

TEST(FrameDecoder, RefusesAnOversizedFrameFromItsHeaderAlone) {
    FrameDecoder decoder;
    decoder.feed(unhex("7fffffff"));  // no body follows
    const auto frame = decoder.next();
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().code, Errc::too_large);
}

TEST(FrameDecoder, TakesNothingMoreOnceItHasFailed) {
    FrameDecoder decoder;
    EXPECT_EQ(decoder.feed(unhex("00000000ffff")), 4U);
    EXPECT_EQ(decoder.feed(unhex("0000000101")), 0U);
    for (int i = 0; i < 2; ++i) {
        const auto frame = decoder.next();
        ASSERT_FALSE(frame);
        EXPECT_EQ(frame.error().code, Errc::malformed);
    }
}

TEST(FrameDecoder, TakesNotOneByteOfTheNextFrame) {
    FrameDecoder decoder;
    const Bytes two = concat({unhex("0000000206aa"), unhex("0000000105")});
    EXPECT_EQ(decoder.feed(two), 6U);
    EXPECT_EQ(decoder.feed(ByteView(two).subspan(6)), 0U);  // a frame waits
    const auto first = decoder.next();
    ASSERT_TRUE(first && *first);
    EXPECT_EQ(to_hex(**first), "0000000206aa");
    EXPECT_EQ(decoder.feed(ByteView(two).subspan(6)), 5U);
    const auto second = decoder.next();
    ASSERT_TRUE(second && *second);
    EXPECT_EQ(to_hex(**second), "0000000105");
    EXPECT_FALSE(decoder.in_frame());
}

TEST(FrameDecoder, GivesTheSameFramesHoweverTheBytesArrive) {
    Bytes stream;
    std::vector<Bytes> frames;
    for (const std::size_t size : {1U, 2U, 3U, 4U, 5U, 16383U, 16384U}) {
        frames.push_back(encode_frame(Bytes(size, static_cast<std::byte>(size & 0xff)), Phase::handshake));
        append(stream, frames.back());
    }
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, stream.size()}) {
        FrameDecoder decoder;
        std::vector<Bytes> got;
        for (std::size_t at = 0; at < stream.size(); at += step) {
            ByteView input = ByteView(stream).subspan(at, std::min(step, stream.size() - at));
            while (!input.empty()) {
                input = input.subspan(decoder.feed(input));
                auto frame = decoder.next();
                ASSERT_TRUE(frame);
                if (*frame) got.push_back(std::move(**frame));
            }
        }
        EXPECT_EQ(got, frames) << "in steps of " << step;
        EXPECT_FALSE(decoder.in_frame());
    }
}

TEST(FrameDecoder, KnowsATruncatedFrame) {
    FrameDecoder decoder;
    EXPECT_FALSE(decoder.in_frame());
    decoder.feed(unhex("00"));
    EXPECT_TRUE(decoder.in_frame());
    decoder.feed(unhex("00000306"));
    EXPECT_TRUE(decoder.in_frame());
    const auto frame = decoder.next();
    ASSERT_TRUE(frame);
    EXPECT_FALSE(*frame);
}

TEST(FrameDecoder, ChangesItsLimitsBetweenTwoFrames) {
    FrameDecoder decoder;
    decoder.feed(unhex("0000000105"));
    ASSERT_TRUE(decoder.next()->has_value());
    decoder.set_phase(Phase::record);
    decoder.feed(header(20'000));
    EXPECT_TRUE(decoder.next());
    decoder.feed(Bytes(20'000));
    ASSERT_TRUE(decoder.next()->has_value());
    decoder.feed(header(1));
    EXPECT_FALSE(decoder.next());
}

TEST(FrameBodySize, HoldsToTheLimitsOfItsPhase) {
    const auto code = [](std::uint32_t size, Phase phase) {
        const auto result = frame_body_size(u32_bytes(size), phase);
        EXPECT_EQ(result.value_or(size), size);
        return result ? std::optional<Errc>() : result.error().code;
    };
    EXPECT_EQ(code(0, Phase::handshake), Errc::malformed);
    EXPECT_EQ(code(1, Phase::handshake), std::nullopt);
    EXPECT_EQ(code(16'384, Phase::handshake), std::nullopt);
    EXPECT_EQ(code(16'385, Phase::handshake), Errc::too_large);
    EXPECT_EQ(code(UINT32_MAX, Phase::handshake), Errc::too_large);
    EXPECT_EQ(code(0, Phase::record), Errc::malformed);
    EXPECT_EQ(code(19, Phase::record), Errc::malformed);
    EXPECT_EQ(code(20, Phase::record), std::nullopt);
    EXPECT_EQ(code(66'576, Phase::record), std::nullopt);
    EXPECT_EQ(code(66'577, Phase::record), Errc::too_large);
    EXPECT_EQ(code(UINT32_MAX, Phase::record), Errc::too_large);
}

TEST(FrameType, IsReadOnlyFromAWholeFrame) {
    EXPECT_EQ(*frame_type(unhex("0000000102")), FrameType::identity);
    for (const char* wrong : {"", "00", "00000000", "00000001", "0000000206", "000000010303", "0000400102"}) {
        const auto type = frame_type(unhex(wrong));
        ASSERT_FALSE(type) << wrong;
        EXPECT_NE(type.error().code, Errc::unexpected) << wrong;
    }
    for (const unsigned type : {0x00U, 0x01U, 0x07U, 0x10U, 0x1fU, 0xffU}) {
        const Bytes frame = raw_frame(Bytes{static_cast<std::byte>(type)});
        ASSERT_FALSE(frame_type(frame));
        EXPECT_EQ(frame_type(frame).error().code, Errc::unexpected);
    }
}

TEST(Alert, CarriesEveryTransportCode) {
    for (std::uint16_t number = 1; number <= 10; ++number) {
        const auto code = static_cast<Errc>(number);
        EXPECT_EQ(parse_alert(encode_alert(code)), code);
        EXPECT_EQ(alert_error(code).code, code);
        EXPECT_FALSE(alert_error(code).message.empty());
    }
}

TEST(Alert, IsReadAsInternalWhereVersionOneHasNoSuchCode) {
    for (const char* frame : {"00000003060000", "0000000306000b", "00000003060064", "0000000306ffff"})
        EXPECT_EQ(parse_alert(unhex(frame)), Errc::internal) << frame;
}

TEST(Alert, HasExactlyThreeBytes) {
    for (const char* frame : {"0000000106", "000000020600", "0000000406000600", "00000003050006"}) {
        const auto code = parse_alert(unhex(frame));
        ASSERT_FALSE(code) << frame;
        EXPECT_EQ(code.error().code, Errc::malformed);
    }
}

TEST(Alert, TellsAPeerNoLocalCode) {
    EXPECT_EQ(alert_code(Errc::handshake_failed), Errc::handshake_failed);
    EXPECT_EQ(alert_code(Errc::going_away), Errc::going_away);
    for (const Errc local :
         {Errc::bad_request, Errc::bad_signature, Errc::key_policy, Errc::storage_full, Errc::usage, Errc::cancelled})
        EXPECT_EQ(alert_code(local), Errc::internal);
}

TEST(Close, MaySayMoreThanAnAlert) {
    EXPECT_EQ(close_code(Errc::going_away), Errc::going_away);
    EXPECT_EQ(close_code(Errc::forbidden), Errc::forbidden);
    EXPECT_EQ(alert_code(Errc::forbidden), Errc::internal);
    for (const Errc local : {Errc::bad_request, Errc::not_found, Errc::rate_limited, Errc::key_policy, Errc::usage})
        EXPECT_EQ(close_code(local), Errc::internal);
    EXPECT_EQ(alert_error(Errc::forbidden).code, Errc::forbidden);
}

TEST(FrameVectors, AreDecidedAsWritten) {
    const auto vectors = own_vectors("frames.json");
    std::size_t count = 0;
    for (const auto& vector : vectors.at("cases")) {
        const std::string name = vector.at("name").get<std::string>() + ", " + vector.at("phase").get<std::string>();
        const auto phase = vector.at("phase") == "record" ? Phase::record : Phase::handshake;
        const Bytes input = unhex(vector.at("bytes"));
        for (const std::size_t step : {std::size_t{1}, std::max<std::size_t>(input.size(), 1)}) {
            FrameDecoder decoder(phase);
            for (std::size_t at = 0; at < input.size(); at += step)
                decoder.feed(ByteView(input).subspan(at, std::min(step, input.size() - at)));
            const auto frame = decoder.next();
            const std::string expected = vector.at("result");
            const std::string got = !frame ? std::string(errc_name(frame.error().code)) : *frame ? "ok" : "incomplete";
            EXPECT_EQ(got, expected) << name;
            if (frame && *frame) {
                EXPECT_EQ(**frame, input) << name;
                EXPECT_EQ(encode_frame(ByteView(input).subspan(4), phase), input) << name;
            }
        }
        ++count;
    }
    for (const auto& vector : vectors.at("alerts")) {
        EXPECT_EQ(to_hex(encode_alert(static_cast<Errc>(vector.at("code").get<int>()))), vector.at("frame"));
        ++count;
    }
    EXPECT_GE(count, 28U);
}

}  // namespace
}  // namespace sat
