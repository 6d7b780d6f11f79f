// What a run of these tests came to, in numbers: printed, and where $SAT_FIGURES names a file, added to it.
// tests/faults/run puts them together.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

namespace sat::test {

inline void report_figure(const std::string& what, std::uint64_t number) {
    std::cout << "figure: " << what << ": " << number << "\n";
    if (const char* file = std::getenv("SAT_FIGURES"))
        std::ofstream(file, std::ios::app) << what << "\t" << number << "\n";
}

}  // namespace sat::test
