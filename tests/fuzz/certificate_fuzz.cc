// Fuzz target: certificates; what parses encodes to the same text, and verifying it takes no wrong step.
// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz.h"
#include "ledger/certificate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = sat::as_text(fuzz_view(data, size));
    const auto certificate = sat::Certificate::parse(text);
    if (!certificate) return 0;
    SAT_ASSERT(certificate->encode() == text);
    (void)sat::verify_certificate(*certificate);
    return 0;
}
