// A wire between a client and a vault, with hands of its own: it holds, cuts, slows, alters, repeats and swaps what
// passes, without knowing a key.  Waiting for "held" instead of sleeping makes every interruption happen where it
// should.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "support/socket.h"

namespace sat::test {

enum class Direction { to_vault, to_client };

// What happens to one direction of each connection that begins after it was set.
struct Treatment {
    static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

    // Gets each whole frame (its length bytes included) with its number from 0, gives what to send instead of it.
    std::function<std::vector<Bytes>(std::size_t number, Bytes frame)> edit = {};
    std::uint64_t hold_after = kNever;  // bytes; then nothing passes until release()
    std::uint64_t cut_after = kNever;   // bytes; then both ends are closed
    std::size_t bytes_per_second = 0;   // 0: as fast as it goes
};

class Relay {
public:
    explicit Relay(Address vault);
    ~Relay();
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    std::string address() const { return listener_.address().str(); }
    // Where the connections that begin from now on go.
    void set_vault(Address vault);
    void treat(Direction direction, Treatment treatment);
    // Until so many connections are held; false where they are not in time.
    bool wait_held(std::size_t count = 1, Duration patience = kPatience);
    void release();
    // Closes every connection, held or not.
    void cut();
    // Of the newest connection, bytes that were passed on in this direction.
    std::uint64_t passed(Direction direction) const;
    int connections() const noexcept { return connections_; }

private:
    struct Link;
    void serve();
    void pump(Link& link, Direction direction);

    Listener listener_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Address vault_;
    Treatment to_vault_;
    Treatment to_client_;
    std::list<std::unique_ptr<Link>> links_;
    bool stopping_ = false;
    std::uint64_t released_ = 0;  // counts release()
    std::atomic<int> connections_ = 0;
    std::thread thread_;
};

}  // namespace sat::test
