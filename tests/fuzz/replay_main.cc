// Runs a fuzz target over its committed corpus, over truncations and single-bit changes of its small files, and over a
// number of mutations of all of them, the same in every run: what libFuzzer found once stays found, in every build.
//     fuzz_NAME DIRECTORY MUTATIONS         SAT_FULL=1: fifty times the mutations
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"

namespace {

using Input = std::vector<std::uint8_t>;

constexpr std::size_t kChangeUpTo = 2048;  // bytes: larger files are not truncated and flipped everywhere
constexpr std::size_t kChanges = 256;      // of a file, spread over it
constexpr std::size_t kFull = 50;

void run(const Input& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

// In a fixed order: mutations are drawn from the whole.
std::vector<Input> corpus_of(const std::filesystem::path& directory) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    std::vector<Input> corpus;
    for (const auto& path : paths) {
        std::ifstream in(path, std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return corpus;
}

std::size_t replay(const std::vector<Input>& corpus) {
    std::size_t inputs = 0;
    for (const Input& bytes : corpus) {
        run(bytes);
        ++inputs;
        if (bytes.size() > kChangeUpTo) continue;
        const std::size_t stride = bytes.size() / kChanges + 1;
        for (std::size_t at = 0; at < bytes.size(); at += stride) {
            run({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at)});
            auto changed = bytes;
            changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1U << (at % 8)));
            run(changed);
            inputs += 2;
        }
    }
    return inputs;
}

// A mersenne twister alone, without the library's distributions: those differ between standard libraries.
class Mutator {
public:
    explicit Mutator(const std::vector<Input>& corpus) : corpus_(corpus) {}

    Input draw() {
        Input out = any_file();
        for (std::size_t steps = 1 + below(4); steps > 0; --steps) change(out);
        return out;
    }

private:
    std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_()) % end; }
    const Input& any_file() { return corpus_[below(corpus_.size())]; }
    static auto at(Input& bytes, std::size_t index) { return bytes.begin() + static_cast<std::ptrdiff_t>(index); }

    // A piece of `from`, of up to 64 bytes.
    Input piece(const Input& from) {
        if (from.empty()) return {};
        const std::size_t start = below(from.size());
        const std::size_t size = 1 + below(std::min<std::size_t>(64, from.size() - start));
        return {from.begin() + static_cast<std::ptrdiff_t>(start),
                from.begin() + static_cast<std::ptrdiff_t>(start + size)};
    }
    void insert(Input& out, const Input& bytes) {
        out.insert(at(out, below(out.size() + 1)), bytes.begin(), bytes.end());
    }

    void change(Input& out) {
        static constexpr std::uint8_t kTelling[] = {0x00, 0x01, 0x0a, 0x20, 0x22, 0x7f, 0x80, 0xff};
        const std::uint8_t telling = kTelling[below(std::size(kTelling))];
        if (out.empty()) return insert(out, {telling});
        const std::size_t place = below(out.size());
        switch (below(7)) {
            case 0:
                out[place] = static_cast<std::uint8_t>(out[place] ^ (1U << below(8)));
                break;
            case 1:
                out[place] = telling;
                break;
            case 2:
                out[place] = static_cast<std::uint8_t>(random_());
                break;
            case 3:
                out.erase(at(out, place), at(out, std::min(out.size(), place + 1 + below(64))));
                break;
            case 4:
                insert(out, Input(1 + below(8), telling));
                break;
            case 5:
                insert(out, piece(out));
                break;
            default:
                insert(out, piece(any_file()));
        }
    }

    const std::vector<Input>& corpus_;
    std::mt19937_64 random_;  // its default seed
};

}  // namespace

int main(int argc, char** argv) {
    SAT_ASSERT(argc == 3);
    const auto corpus = corpus_of(argv[1]);
    SAT_ASSERT(!corpus.empty());
    const char* full = std::getenv("SAT_FULL");
    const std::size_t mutations =
        std::stoul(argv[2]) * (full != nullptr && std::string(full) == "1" ? kFull : std::size_t{1});
    const std::size_t inputs = replay(corpus);
    Mutator mutator(corpus);
    for (std::size_t i = 0; i < mutations; ++i) run(mutator.draw());
    std::printf("%zu corpus files, %zu inputs\n", corpus.size(), inputs + mutations);
    return 0;
}
