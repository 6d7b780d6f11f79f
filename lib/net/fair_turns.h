// One at a time, and the groups in turn: whoever sends many waits behind whoever sends one.  For what strangers may
// make a vault do; docs/decisions/0012.  One thread, the network's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "net/co.h"
#include "net/deadlines.h"

namespace sat {

// Outlives its turns and those who wait for one.
class FairTurns {
public:
    // Given back when it is destroyed.
    class Turn {
    public:
        explicit Turn(FairTurns& turns) noexcept : turns_(&turns) {}
        Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        Turn& operator=(Turn&&) = delete;
        ~Turn() {
            if (turns_ != nullptr) turns_->give_on();
        }

    private:
        FairTurns* turns_;  // null once moved from
    };

    explicit FairTurns(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    FairTurns(const FairTurns&) = delete;
    FairTurns& operator=(const FairTurns&) = delete;

    // Nothing where the turn does not come until then, or stop() was called.
    asio::awaitable<std::optional<Turn>> take(std::string group, SteadyTime until);
    // Nobody waits any longer, nor will.
    void stop();
    std::size_t waiting() const noexcept { return waiting_; }

private:
    enum class State { waits, has_it, in_vain };
    struct Waiter {
        explicit Waiter(const asio::any_io_executor& executor) : changed(executor) {}
        State state = State::waits;
        Signal changed;
    };
    struct Group {
        std::string name;
        std::list<Waiter*> waiters;  // oldest first; never empty
    };

    void give_on();

    asio::any_io_executor executor_;
    bool taken_ = false;
    bool stopped_ = false;
    std::size_t waiting_ = 0;
    std::list<Group> groups_;  // the next one in front
    std::unordered_map<std::string, std::list<Group>::iterator> by_name_;
};

}  // namespace sat
