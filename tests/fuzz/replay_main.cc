// Runs a fuzz target over its committed corpus, and over every truncation and single-byte change of its small files:
// what libFuzzer found once stays found, in every build and under every sanitizer.
//     fuzz_NAME_replay DIRECTORY
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "fuzz/fuzz.h"

namespace {

constexpr std::size_t kMutateUpTo = 2048;  // bytes: larger files are replayed as they are
constexpr std::size_t kMutations = 256;    // of a file, spread over it

void run(const std::vector<std::uint8_t>& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

}  // namespace

int main(int argc, char** argv) {
    SAT_ASSERT(argc == 2);
    std::size_t files = 0;
    std::size_t inputs = 0;
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
        std::ifstream in(entry.path(), std::ios::binary);
        std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        run(bytes);
        ++files;
        ++inputs;
        if (bytes.size() > kMutateUpTo) continue;
        const std::size_t stride = bytes.size() / kMutations + 1;
        for (std::size_t at = 0; at < bytes.size(); at += stride) {
            run({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at)});
            auto changed = bytes;
            changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1U << (at % 8)));
            run(changed);
            inputs += 2;
        }
    }
    std::printf("%zu corpus files, %zu inputs\n", files, inputs);
    return files > 0 ? 0 : 1;
}
