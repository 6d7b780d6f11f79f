// What every fuzz target shares: the entry point's name and a view of the input.
// Built twice: with libFuzzer (clang, -DSAT_FUZZ=ON), and with replay_main.cc as an ordinary test that replays the
// corpus.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

inline sat::ByteView fuzz_view(const std::uint8_t* data, std::size_t size) {
    return sat::as_bytes(std::string_view(reinterpret_cast<const char*>(data), size));
}
