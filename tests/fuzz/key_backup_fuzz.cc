// Fuzz target: key backups, the file and what is sealed in it; what parses encodes to the same bytes.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "crypto/key_backup.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz_view(data, size);
    const sat::SecretBytes passphrase(sat::as_bytes("p"));
    // The sum at the end keeps all but a few inputs from costing half a second.
    (void)sat::open_key_backup(bytes, sat::KeyBackupKind::wallet, passphrase);
    const auto files = sat::parse_backup_files(bytes);
    if (!files) return 0;
    const sat::SecretBytes again = sat::encode_backup_files(*files);
    SAT_ASSERT(std::equal(again.reveal().begin(), again.reveal().end(), bytes.begin(), bytes.end()));
    return 0;
}
