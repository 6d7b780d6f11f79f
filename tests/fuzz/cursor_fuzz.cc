// Fuzz target: cursors, which a client gives back as it got them, or not; what decodes encodes to the same text.
// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz.h"
#include "vault/views.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(sat::as_text(fuzz_view(data, size)));
    for (const auto kind : {sat::CursorKind::works, sat::CursorKind::mine, sat::CursorKind::inbox}) {
        const auto number = sat::decode_cursor(kind, text);
        if (number) SAT_ASSERT(number->has_value() && sat::encode_cursor(kind, **number) == text);
    }
    return 0;
}
