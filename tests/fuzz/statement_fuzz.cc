// Fuzz target: statements of every type, identity documents and chains.
// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz.h"
#include "ledger/identity.h"
#include "ledger/statement.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz_view(data, size);
    const auto text = sat::as_text(input);
    (void)sat::parse_jws(text);
    (void)sat::parse_statement<sat::Registration>(text);
    (void)sat::parse_statement<sat::Claim>(text);
    (void)sat::parse_statement<sat::Answer>(text);
    (void)sat::parse_statement<sat::Accept>(text);
    (void)sat::parse_statement<sat::Withdraw>(text);
    (void)sat::parse_statement<sat::Hold>(text);
    (void)sat::parse_statement<sat::Release>(text);
    (void)sat::parse_statement<sat::Head>(text);
    (void)sat::parse_statement<sat::Receipt>(text);
    if (const auto chain = sat::IdentityChain::parse(input)) {
        const auto encoded = chain->encode();
        SAT_ASSERT(std::equal(encoded.begin(), encoded.end(), input.begin(), input.end()));
    }
    return 0;
}
