// Fuzz target: the plaintext of sealed columns; what decodes encodes to the same bytes.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "fuzz/fuzz.h"
#include "store/row_codec.h"

namespace {

void expect_equal(sat::ByteView a, sat::ByteView b) { SAT_ASSERT(std::ranges::equal(a, b)); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz_view(data, size);
    sat::WorkRow work;
    if (sat::decode_work_row(input, work)) expect_equal(sat::encode_work_row(work), input);

    // The clear columns say what the sealed one says; the older format does not repeat them.
    sat::ByteReader in(input);
    const std::uint8_t format = in.u8();
    in.u8();
    sat::ClaimRow claim;
    claim.state = sat::claim_state_from_number(in.u8()).value_or(sat::ClaimState::pending);
    claim.asked_at = static_cast<sat::UnixTime>(in.u64());
    claim.changed_at = static_cast<sat::UnixTime>(in.u64());
    if (!sat::decode_claim_row(input, claim)) return 0;
    const sat::Bytes encoded = sat::encode_claim_row(claim);
    if (format == 2) {
        expect_equal(encoded, input);
        return 0;
    }
    sat::ClaimRow again;
    again.state = claim.state;
    again.asked_at = claim.asked_at;
    again.changed_at = claim.changed_at;
    SAT_ASSERT(sat::decode_claim_row(encoded, again).has_value());
    expect_equal(sat::encode_claim_row(again), encoded);
    return 0;
}
