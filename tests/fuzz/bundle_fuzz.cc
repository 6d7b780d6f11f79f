// Fuzz target: bundles of ledger entries; what parses encodes to the same bytes.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "fuzz/fuzz.h"
#include "ledger/tiles.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bundle = fuzz_view(data, size);
    for (const std::size_t width : {std::size_t{1}, std::size_t{3}, sat::kTileWidth}) {
        const auto entries = sat::parse_bundle(bundle, width);
        if (!entries) continue;
        SAT_ASSERT(entries->size() == width);
        const auto encoded = sat::encode_bundle(*entries);
        SAT_ASSERT(std::equal(encoded.begin(), encoded.end(), bundle.begin(), bundle.end()));
    }
    return 0;
}
