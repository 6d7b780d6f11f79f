// Those who mean harm, each a thread or a few of their own until destroyed: connections that never say hello, hellos
// that cost a private RSA operation and come to nothing, bytes that drip, uploads that stop half way.  On the loopback
// alone; each connection may come from an address of its own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "ledger/identity.h"
#include "support/peer.h"

namespace sat::test {

// The loopback address that connection number n comes from.
using Source = std::function<std::string(std::uint32_t number)>;

struct FloodCounts {
    std::atomic<std::uint64_t> opened = 0;
    std::atomic<std::uint64_t> refused = 0;  // closed by the vault, with an ALERT or without
    std::atomic<std::uint64_t> sent = 0;     // hellos or bytes
    std::atomic<std::uint64_t> most_open = 0;
};

class Flood {
public:
    virtual ~Flood() = default;
    const FloodCounts& counts() const noexcept { return counts_; }

protected:
    FloodCounts counts_;
};

// `per_second` connections that say nothing and are held until the vault closes them.
class MuteFlood : public Flood {
public:
    MuteFlood(Address vault, double per_second, Source source);

private:
    std::jthread thread_;
};

// As many hellos as `threads` can bring: the right key's id, everything else random, so that the vault decapsulates
// before it can know.
class HelloFlood : public Flood {
public:
    HelloFlood(Address vault, KeyId vault_kem, std::size_t threads, Source source);

private:
    std::vector<std::jthread> threads_;
};

// `connections` at a time that send the bytes of `text` one by one, 20 a second, on sockets that `open` makes; one that
// the vault has closed is made anew.
class DripFlood : public Flood {
public:
    DripFlood(std::size_t connections, std::function<Socket(std::uint32_t number)> open, Bytes text);

private:
    std::jthread thread_;
};

}  // namespace sat::test
