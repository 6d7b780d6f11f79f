// Preloaded into a program under test (LD_PRELOAD): a name server that takes a minute to say that there is no such
// name.
// SPDX-License-Identifier: Apache-2.0
#include <netdb.h>
#include <unistd.h>

extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) {
    ::sleep(60);
    return EAI_AGAIN;
}
