// Fuzz target: records: the inner structure, behind a tag that the target itself makes right.
// SPDX-License-Identifier: Apache-2.0
#include "base/codec.h"
#include "crypto/hash.h"
#include "fuzz/fuzz.h"
#include "wire/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < sat::kInnerHeaderSize || size > sat::kMaxInner) return 0;
    const sat::SecretBytes secret(std::size_t{32});
    sat::KeyAndNonce key(sat::hkdf_expand(secret.reveal(), sat::label("SAT/1 key"), 44));
    const auto length = sat::u32_bytes(static_cast<std::uint32_t>(size + sat::kRecordTagSize));
    sat::Bytes frame(sat::kFrameHeaderSize + size + sat::kRecordTagSize);
    std::copy(length.begin(), length.end(), frame.begin());
    key.key.seal(sat::nonce_at(key.base, 0), length, fuzz_view(data, size), sat::MutableBytes(frame).subspan(4));
    for (const auto side : {sat::Side::client, sat::Side::vault}) {
        auto copy = frame;
        sat::RecordOpener opener(sat::TrafficSecret(secret.copy()), side);
        sat::MessageAssembler assembler;
        if (const auto record = opener.open(copy)) (void)assembler.add(*record);
    }
    return 0;
}
