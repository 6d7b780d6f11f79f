// Fuzz target: envelope headers and chunk streams; a header that parses encodes to the same bytes.
// SPDX-License-Identifier: Apache-2.0
#include "envelope/envelope.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz_view(data, size);
    if (const auto header = sat::EnvelopeHeader::parse(input)) {
        const auto encoded = header->encode();
        SAT_ASSERT(std::equal(encoded.begin(), encoded.end(), input.begin(), input.end()));
    }
    if (input.size() >= sat::kEnvelopePrefixSize) (void)sat::EnvelopeHeader::size_from_prefix(input);
    static const sat::SecretBytes key(std::size_t{32});
    sat::ChunkOpener opener(sat::Cobblestone::derive(key, {}, {}).value());
    sat::Bytes out;
    if (opener.open(input, out)) (void)opener.finish(out);
    return 0;
}
