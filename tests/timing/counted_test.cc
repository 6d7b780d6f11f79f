// Whatever is inside a ciphertext, Decap and the vault's whole answer to a hello run the same instructions of ours:
// counted by callgrind, not timed.  docs/protocol.md, "Handshake".
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <set>

#include "support/process.h"
#include "support/temporary.h"
#include "timing/padding.h"

namespace sat::test {
namespace {

// Instructions, by whose they are.
struct Count {
    std::map<std::string, std::uint64_t> ours;  // by function
    std::uint64_t openssl = 0;
    std::uint64_t others = 0;  // libc and the C++ library, malloc() above all

    std::uint64_t ours_in_all() const {
        std::uint64_t sum = 0;
        for (const auto& [function, cost] : ours) sum += cost;
        return sum;
    }
};

// By the names of callgrind's parts; each is there kSamples times, in their order.
using Counts = std::multimap<std::string, Count>;
constexpr std::size_t kSamples = 2;

// The part of the valid ciphertext that went right before one of a class.
std::string before(Padding padding) { return "before " + std::string(padding_name(padding)); }

// callgrind's own format (valgrind's manual, "Callgrind Format Specification"), uncompressed.
Counts read_callgrind(const Path& file) {
    Counts counts;
    std::ifstream in(file);
    std::string object;
    std::string function;
    Count* count = nullptr;
    bool inclusive = false;  // the line after calls= has what the callee took
    const std::string trigger = "desc: Trigger: Client Request: ";
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("part: ")) count = nullptr;
        if (line.starts_with(trigger)) count = &counts.emplace(line.substr(trigger.size()), Count())->second;
        if (line.starts_with("ob=")) object = line.substr(3);
        if (line.starts_with("fn=")) function = line.substr(3);
        if (line.starts_with("calls=")) {
            inclusive = true;
            continue;
        }
        if (line.empty() || line.front() < '0' || line.front() > '9') continue;
        if (std::exchange(inclusive, false) || count == nullptr) continue;
        const std::size_t space = line.find(' ');
        std::uint64_t cost = 0;
        const char* const end = line.data() + line.size();
        if (space == std::string::npos || std::from_chars(line.data() + space + 1, end, cost).ptr != end) {
            ADD_FAILURE() << "a line of callgrind's that is not understood: " << line;
            continue;
        }
        const std::string name = Path(object).filename();
        if (name == "counted") {
            count->ours[function] += cost;
        } else {
            (name.starts_with("libcrypto") ? count->openssl : count->others) += cost;
        }
    }
    return counts;
}

Counts count_instructions(const std::string& what) {
    const TemporaryDirectory directory;
    const Path file = directory / "callgrind.out";
    const Outcome outcome =
        run({.argv = {SAT_VALGRIND, "--tool=callgrind", "--collect-atstart=no", "--instr-atstart=no",
                      "--combine-dumps=yes", "--compress-strings=no", "--compress-pos=no",
                      "--callgrind-out-file=" + file.string(), SAT_COUNTED, what}},
            seconds(240));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    Counts counts = read_callgrind(file);
    for (const Padding padding : kPaddings) {
        const std::string name(padding_name(padding));
        EXPECT_EQ(counts.count(name), kSamples);
        EXPECT_EQ(counts.count(before(padding)), kSamples);
        for (const std::string& part : {before(padding), name}) {
            const auto [begin, end] = counts.equal_range(part);
            for (auto it = begin; it != end; ++it)
                std::printf("%-39s ours %9lu   OpenSSL %9lu   others %7lu\n", part.c_str(), it->second.ours_in_all(),
                            it->second.openssl, it->second.others);
        }
    }
    return counts;
}

void expect_equal_over_classes(const Counts& counts) {
    const auto first = counts.find(std::string(padding_name(Padding::valid)));
    ASSERT_NE(first, counts.end());
    ASSERT_GT(first->second.ours_in_all(), 1000u) << "nothing was counted";
    // OpenSSL's arithmetic draws its blinding: some dozens of instructions in tens of millions.  A padding check that
    // left early would save thousands, every time; a step in OpenSSL's state falls between one pair at most.
    constexpr std::uint64_t kOpensslMayDiffer = 1000;
    for (const Padding padding : kPaddings) {
        const auto [begin, end] = counts.equal_range(std::string(padding_name(padding)));
        auto valid = counts.lower_bound(before(padding));
        std::uint64_t difference = UINT64_MAX;
        for (auto it = begin; it != end; ++it, ++valid) {
            EXPECT_EQ(it->second.ours, first->second.ours) << it->first;
            EXPECT_EQ(valid->second.ours, first->second.ours) << valid->first;
            const auto [less, more] = std::minmax(it->second.openssl, valid->second.openssl);
            difference = std::min(difference, more - less);
        }
        EXPECT_LT(difference, kOpensslMayDiffer) << padding_name(padding);
    }
}

TEST(Counted, DecapRunsTheSameInstructionsWhateverTheCiphertextHolds) {
    expect_equal_over_classes(count_instructions("decap"));
}

TEST(Counted, AVaultRunsTheSameInstructionsToItsAlertWhateverTheCiphertextHolds) {
    expect_equal_over_classes(count_instructions("hello"));
}

TEST(Counted, OneBranchOnThePaddingIsSeen) {
    const Counts counts = count_instructions("leaky");
    const auto instructions = [&](Padding padding) {
        std::set<std::uint64_t> found;
        const auto [begin, end] = counts.equal_range(std::string(padding_name(padding)));
        for (auto it = begin; it != end; ++it) found.insert(it->second.ours_in_all());
        return found;
    };
    const auto valid = instructions(Padding::valid);
    ASSERT_EQ(valid.size(), 1u);
    for (const Padding padding : {Padding::wrong_label, Padding::no_separator, Padding::random}) {
        const auto bad = instructions(padding);
        ASSERT_EQ(bad.size(), 1u) << padding_name(padding);
        EXPECT_LT(*bad.begin(), *valid.begin()) << padding_name(padding);
    }
}

}  // namespace
}  // namespace sat::test
