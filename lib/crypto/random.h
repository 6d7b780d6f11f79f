// Randomness, from OpenSSL's generator alone.  A generator that fails ends the process: there is nothing safe to do.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "base/secret.h"

namespace sat {

void random_fill(MutableBytes out);
Bytes random_bytes(std::size_t size);
SecretBytes random_secret(std::size_t size);
// Uniform in [0, bound); asserts bound > 0.
std::uint64_t random_below(std::uint64_t bound);

}  // namespace sat
