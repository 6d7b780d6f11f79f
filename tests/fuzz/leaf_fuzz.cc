// Fuzz target: leaf entries; what parses encodes to the same text.
// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz.h"
#include "ledger/leaf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = sat::as_text(fuzz_view(data, size));
    if (const auto leaf = sat::Leaf::parse(text)) SAT_ASSERT(leaf->encode() == text);
    return 0;
}
