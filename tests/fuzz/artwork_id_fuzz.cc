// Fuzz target: names of works, as people and peers write them; what parses is the canonical text of itself.
// SPDX-License-Identifier: Apache-2.0
#include "envelope/artwork_id.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = sat::as_text(fuzz_view(data, size));
    if (const auto typed = sat::ArtworkId::parse(text))
        SAT_ASSERT(sat::ArtworkId::from_canonical(typed->view()) == *typed);
    if (const auto canonical = sat::ArtworkId::from_canonical(text)) SAT_ASSERT(canonical->view() == text);
    return 0;
}
