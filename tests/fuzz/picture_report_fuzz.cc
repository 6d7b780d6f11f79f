// Fuzz target: what the picture helper answers, which a hostile picture may have made it say; and the first bytes of
// images.
// SPDX-License-Identifier: Apache-2.0
#include "common/picture_helper.h"
#include "common/sniff.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz_view(data, size);
    (void)sat::parse_picture_report(sat::as_text(input));
    (void)sat::parse_picture_header(sat::as_text(input));
    SAT_ASSERT(sat::image_extension(input).starts_with("."));
    return 0;
}
