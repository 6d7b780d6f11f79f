// Fuzz target: the lists of wallets that sat-vaultd admits or blocks.
// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz.h"
#include "sat-vaultd/admission.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)sat::parse_wallet_list(sat::as_text(fuzz_view(data, size)), "wallets");
    return 0;
}
