// One timer for all waits of a context: each connection keeps its deadlines as plain time points, and the sweeper looks
// through them when the earliest is due.  An idle watcher costs no timer and no wake-up of its own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/execution_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <unordered_set>

namespace sat {

using SteadyTime = std::chrono::steady_clock::time_point;
inline constexpr SteadyTime kNever = SteadyTime::max();

// Whatever has deadlines.
class Timed {
public:
    virtual ~Timed() = default;
    // Deals with what is due at `now`; the next time it wants to be asked, kNever if not at all.
    virtual SteadyTime sweep(SteadyTime now) = 0;
};

// A service of the io_context.  One thread.  With nothing added it keeps no work open.
class DeadlineSweeper : public asio::execution_context::service {
public:
    using key_type = DeadlineSweeper;
    static asio::execution_context::id id;

    explicit DeadlineSweeper(asio::execution_context& context) : asio::execution_context::service(context) {}
    // The one of the executor's context.
    static DeadlineSweeper& of(const asio::any_io_executor& executor);

    void add(Timed& timed);
    void remove(Timed& timed) noexcept;
    // sweep() will be called at `when`, or before.
    void wake_at(SteadyTime when);

private:
    void shutdown() noexcept override;
    void arm(SteadyTime when);
    void fire();

    std::unordered_set<Timed*> members_;
    std::unique_ptr<asio::steady_timer> timer_;
    SteadyTime armed_ = kNever;
};

// Calls `ring` once at `when`, unless destroyed before.
class Alarm : private Timed {
public:
    Alarm(const asio::any_io_executor& executor, SteadyTime when, std::function<void()> ring);
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    ~Alarm() override;

    bool rang() const noexcept { return rang_; }

private:
    SteadyTime sweep(SteadyTime now) override;

    DeadlineSweeper& sweeper_;
    SteadyTime when_;
    std::function<void()> ring_;
    bool rang_ = false;
};

}  // namespace sat
