// Fuzz target: strict JSON; what it accepts prints and parses to the same value.
// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto value = sat::parse_json(sat::as_text(fuzz_view(data, size)));
    if (!value) return 0;
    const auto again = sat::parse_json(sat::dump_json(*value));
    SAT_ASSERT(again && *again == *value);
    return 0;
}
