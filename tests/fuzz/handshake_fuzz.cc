// Fuzz target: the handshake's frames, at both ends, as anybody can send them.  handshake_part_fuzz.cc goes deeper.
// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz.h"
#include "fuzz/parties.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz_view(data, size);
    sat::ClientHandshake fresh(sat::fuzz_client(), {});
    (void)fresh.on_identity(input);
    sat::ClientHandshake greeted(sat::fuzz_client(), {});
    SAT_ASSERT(greeted.on_identity(sat::fuzz_vault().identity_frame()).has_value());
    SAT_ASSERT(greeted.hello().has_value());
    SAT_ASSERT(!greeted.on_server_hello(input));
    sat::VaultHandshake vault(sat::fuzz_vault());
    (void)vault.on_client_hello(input, {});
    return 0;
}
