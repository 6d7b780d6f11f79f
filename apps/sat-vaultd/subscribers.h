// Who is told of what: connections by the wallet that subscribed on them.  docs/protocol.md, "claim.subscribe".
// One thread, the network's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "base/bytes.h"
#include "net/connection.h"

namespace sat {

class Subscribers {
public:
    // Any number of times for one connection.
    void add(const Wallet& wallet, const std::shared_ptr<Connection>& connection);
    void remove(const Wallet& wallet, const Connection* connection);
    // To every connection of `wallet`; one that is too far behind ends.
    void tell(const Wallet& wallet, const std::string& event);
    std::size_t size() const noexcept { return size_; }

private:
    // Shared with the sessions, which remove theirs when they end.
    using Connections = std::unordered_map<const Connection*, std::shared_ptr<Connection>>;
    std::unordered_map<Wallet, Connections> wallets_;
    std::size_t size_ = 0;
};

}  // namespace sat
