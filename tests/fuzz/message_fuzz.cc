// Fuzz target: requests, responses and events, as a peer's records carry them.
// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz.h"
#include "wire/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = sat::as_text(fuzz_view(data, size));
    if (const auto request = sat::parse_request(text)) {
        const auto again = sat::parse_request(sat::encode_request(*request));
        SAT_ASSERT(again && *again == *request);
    }
    (void)sat::parse_response(text);
    (void)sat::parse_reply<sat::ArtworkListRequest>(text);
    (void)sat::parse_reply<sat::ClaimInboxRequest>(text);
    (void)sat::parse_reply<sat::LedgerInclusionRequest>(text);
    (void)sat::parse_reply<sat::LedgerEntriesRequest>(text);
    (void)sat::parse_reply<sat::LedgerHeadRequest>(text);
    (void)sat::parse_event(text);
    return 0;
}
