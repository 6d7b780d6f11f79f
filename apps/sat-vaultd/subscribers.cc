// Subscriptions.
// SPDX-License-Identifier: Apache-2.0
#include "subscribers.h"

namespace sat {

void Subscribers::add(const Wallet& wallet, const std::shared_ptr<Connection>& connection) {
    if (wallets_[wallet].emplace(connection.get(), connection).second) ++size_;
}

void Subscribers::remove(const Wallet& wallet, const Connection* connection) {
    const auto mine = wallets_.find(wallet);
    if (mine == wallets_.end() || mine->second.erase(connection) == 0) return;
    --size_;
    if (mine->second.empty()) wallets_.erase(mine);
}

void Subscribers::tell(const Wallet& wallet, const std::string& event) {
    const auto mine = wallets_.find(wallet);
    if (mine == wallets_.end()) return;
    // What is told may end a connection, whose session then removes it, but not before this thread is free again.
    for (const auto& [key, connection] : mine->second) (void)connection->post_event(event);
}

}  // namespace sat
