// One timer for all waits of a context: each connection keeps its deadlines as plain time points, and the sweeper looks
// through them when the earliest is due.  An idle watcher costs no timer and no wake-up of its own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/execution_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <unordered_set>

namespace sat {

using SteadyTime = std::chrono::steady_clock::time_point;
inline constexpr SteadyTime kNever = SteadyTime::max();

// Whatever has deadlines.
class Timed {
public:
    virtual ~Timed() = default;
    // Deals with what is due at `now`; the next time it wants to be asked, kNever if not at all.  May not add or remove
    // anything but itself.
    virtual SteadyTime sweep(SteadyTime now) = 0;
};

// A service of the io_context: DeadlineSweeper::of(executor).  One thread.  With nothing added it keeps no work open.
class DeadlineSweeper : public asio::execution_context::service {
public:
    using key_type = DeadlineSweeper;
    static asio::execution_context::id id;

    explicit DeadlineSweeper(asio::execution_context& context);
    static DeadlineSweeper& of(asio::execution_context& context) { return asio::use_service<DeadlineSweeper>(context); }

    void add(Timed& timed);
    void remove(Timed& timed) noexcept;
    // sweep() will be called at `when`, or before.
    void wake_at(SteadyTime when);

private:
    void shutdown() override;
    void arm(SteadyTime when);
    void fire();

    std::unordered_set<Timed*> members_;
    std::unique_ptr<asio::steady_timer> timer_;
    SteadyTime armed_ = kNever;
    bool sweeping_ = false;
};

}  // namespace sat
