// Fuzz target: addresses; what parses prints and parses to the same one.
// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz.h"
#include "net/address.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = sat::as_text(fuzz_view(data, size));
    if (const auto address = sat::parse_address(text)) SAT_ASSERT(sat::parse_address(address->text()) == *address);
    if (const auto endpoint = sat::parse_listen_address(text))
        SAT_ASSERT(sat::parse_listen_address(sat::endpoint_text(*endpoint)) == *endpoint);
    return 0;
}
