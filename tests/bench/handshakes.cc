// Full mutual handshakes, one after the other, each proved by one small request and its answer.
//
//     bench-handshakes HOME HOST:PORT COUNT
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <iostream>

#include "support/peer.h"

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: bench-handshakes HOME HOST:PORT COUNT\n";
        return 64;
    }
    const sat::test::Person person = sat::test::load_person(argv[1]);
    const auto vault = sat::test::Address::parse(argv[2]);
    for (long left = std::strtol(argv[3], nullptr, 10); left > 0; --left) {
        auto session = sat::test::open_session(vault, person);
        if (!session || !session->request("ledger.checkpoint", sat::Json::object()).value("ok", false)) {
            std::cerr << "bench-handshakes: a handshake failed\n";
            return 1;
        }
    }
    return 0;
}
