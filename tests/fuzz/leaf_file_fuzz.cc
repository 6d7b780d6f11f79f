// Fuzz target: leaves files, read record by record as the check does, and from places where no record begins.
// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz.h"
#include "fuzz/scratch_file.h"
#include "store/leaf_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const sat::TemporaryDirectory directory;
    static const sat::Path path = directory / "leaves";
    sat::write_scratch(path, fuzz_view(data, size));
    const auto opened = sat::LeafFile::open(path);
    SAT_ASSERT(opened && *opened);
    const sat::LeafFile& file = **opened;
    SAT_ASSERT(file.size() == size && file.header_for(sat::Wallet()).has_value());
    for (const std::uint64_t start : {std::uint64_t{0}, sat::kLeafLogHeader}) {
        for (std::uint64_t at = start;;) {
            const auto record = file.record_at(at);
            SAT_ASSERT(record);
            if (!*record) break;
            SAT_ASSERT((*record)->size() >= sat::kAtRestOverhead);
            at += sat::leaf_record_size((*record)->size());
            SAT_ASSERT(at <= size);
        }
    }
    return 0;
}
