// Fuzz target: requests, responses and events, as a peer's records carry them; what parses prints and parses to the
// same value.
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "fuzz/fuzz.h"
#include "wire/messages.h"

namespace {

template <typename R>
void try_reply(const sat::Json& json) {
    const auto reply = R::from_json(json);
    if (!reply) return;
    const auto again = sat::parse_response(sat::encode_response(sat::Response(sat::Reply(*reply))));
    SAT_ASSERT(again && R::from_json(*again) == *reply);
}

template <std::size_t... I>
void try_every_reply(const sat::Json& json, std::index_sequence<I...>) {
    (try_reply<std::variant_alternative_t<I, sat::Reply>>(json), ...);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = sat::as_text(fuzz_view(data, size));
    if (const auto request = sat::parse_request(text)) {
        const auto again = sat::parse_request(sat::encode_request(*request));
        SAT_ASSERT(again && *again == *request);
    }
    if (const auto json = sat::parse_response(text))
        try_every_reply(*json, std::make_index_sequence<std::variant_size_v<sat::Reply>>());
    if (const auto event = sat::parse_event(text)) {
        const auto again = sat::parse_event(sat::encode_event(*event));
        SAT_ASSERT(again && *again == *event);
    }
    return 0;
}
