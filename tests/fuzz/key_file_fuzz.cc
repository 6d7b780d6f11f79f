// Fuzz target: private key files, as a user may have broken them.
// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)sat::private_key_is_encrypted(fuzz_view(data, size));
    const auto key = sat::decode_private_key(fuzz_view(data, size), nullptr);
    if (key) {
        (void)sat::SigningKey::from_handle(*key);
        (void)sat::KemPrivateKey::from_handle(*key);
        (void)sat::LogKey::from_handle(*key);
    }
    (void)sat::VerifyKey::from_spki(fuzz_view(data, size));
    return 0;
}
