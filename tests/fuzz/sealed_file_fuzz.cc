// Fuzz target: metadata files and identity files, once as they lie and once as what their seal holds.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/codec.h"
#include "crypto/hash.h"
#include "fuzz/fuzz.h"
#include "store/identity_files.h"
#include "store/work_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz_view(data, size);
    static sat::AtRestSealer sealer{sat::SecretBytes(std::size_t{32})};
    static const sat::ArtworkId artwork;
    static const sat::Wallet wallet;
    (void)sat::open_work_file(input, artwork, sealer);
    (void)sat::open_identity_file(input, wallet, sealer);
    if (size > sat::kMaxWorkFile - 64) return 0;  // 46 of them for header and seal

    sat::Bytes file = sat::ByteWriter().raw(sat::as_bytes("SATM")).u8(1).u8(0).u16(0).raw(artwork.bytes()).take();
    sat::append(file, sealer.seal(sat::label("SAT/1 work file", file), input));
    if (const auto work = sat::open_work_file(file, artwork, sealer)) {
        const auto again = sat::open_work_file(sat::seal_work_file(*work, sealer), artwork, sealer);
        SAT_ASSERT(again && *again == *work);
    }
    const auto identity = sat::open_identity_file(sat::seal_identity_file(wallet, input, sealer), wallet, sealer);
    SAT_ASSERT(identity && std::ranges::equal(*identity, input));
    return 0;
}
