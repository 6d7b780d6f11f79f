// Fuzz target: master.key files.
// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz.h"
#include "store/at_rest.h"
#include "support/project_vectors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto store = sat::vector_key<sat::KemPrivateKey>("vault-store");
    const auto input = fuzz_view(data, size);
    (void)sat::MasterKey::unwrap(input, sat::Wallet(), store);
    return 0;
}
