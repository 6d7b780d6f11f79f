// Many wallets for little: RSA-3072 keys whose primes are shared.  A thousand keys take 46 primes, a few seconds, where
// a thousand keys of their own take minutes.  Whoever has two such public keys can factor both: they are for a test.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "support/peer.h"

namespace sat::test {

// `count` people with wallets of their own; they share one `kem` key, which a wallet may.
std::vector<Person> many_people(std::size_t count);

}  // namespace sat::test
