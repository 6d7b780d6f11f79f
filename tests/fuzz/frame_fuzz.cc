// Fuzz target: frames, cut from a stream of bytes in both phases.
// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz.h"
#include "wire/frame.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    for (const auto phase : {sat::Phase::handshake, sat::Phase::record}) {
        sat::FrameDecoder decoder(phase);
        sat::ByteView input = fuzz_view(data, size);
        while (!input.empty()) {
            const std::size_t taken = decoder.feed(input);
            input = input.subspan(taken);
            const auto frame = decoder.next();
            if (!frame) break;
            SAT_ASSERT(taken > 0 || frame->has_value());
            if (*frame && phase == sat::Phase::handshake && sat::frame_type(**frame)) (void)sat::parse_alert(**frame);
        }
    }
    return 0;
}
