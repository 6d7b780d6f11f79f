// Subscriptions.
// SPDX-License-Identifier: Apache-2.0
#include "subscribers.h"

namespace sat {

void Subscribers::add(const Wallet& wallet, const std::shared_ptr<Connection>& connection) {
    const auto [begin, end] = connections_.equal_range(wallet);
    for (auto entry = begin; entry != end; ++entry) {
        if (entry->second == connection) return;
    }
    connections_.emplace(wallet, connection);
}

void Subscribers::remove(const Wallet& wallet, const Connection* connection) {
    const auto [begin, end] = connections_.equal_range(wallet);
    for (auto entry = begin; entry != end; ++entry) {
        if (entry->second.get() != connection) continue;
        connections_.erase(entry);
        return;
    }
}

void Subscribers::tell(const Wallet& wallet, const std::string& event) {
    const auto [begin, end] = connections_.equal_range(wallet);
    // What is told may end a connection, whose session then removes it, but not before this thread is free again.
    for (auto entry = begin; entry != end; ++entry) (void)entry->second->post_event(event);
}

}  // namespace sat
