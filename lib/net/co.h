// Small help for coroutines: errors returned by co_return, blocking work on a worker, one coroutine beside another.
// docs/architecture.md: one network thread; whatever blocks (SQLite, fsync, RSA) runs on a pool.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/assert.h"
#include "base/result.h"

// SAT_TRY and SAT_TRY_VALUE of base/result.h, for coroutines.  The expression may hold one co_await.
// NOLINTBEGIN(cppcoreguidelines-macro-usage)
#define SAT_CO_TRY(expression)                                                         \
    do {                                                                               \
        auto sat_try_result = (expression);                                            \
        if (!sat_try_result) co_return ::sat::fail(std::move(sat_try_result.error())); \
    } while (false)

#define SAT_CO_TRY_VALUE_(temporary, declaration, ...)                   \
    auto temporary = (__VA_ARGS__);                                      \
    if (!temporary) co_return ::sat::fail(std::move(temporary.error())); \
    declaration = std::move(*temporary)
#define SAT_CO_TRY_VALUE(declaration, ...) SAT_CO_TRY_VALUE_(SAT_TRY_JOIN(sat_try_, __LINE__), declaration, __VA_ARGS__)
// NOLINTEND(cppcoreguidelines-macro-usage)

namespace sat {

template <typename F>
void post_to(asio::thread_pool& pool, F work) {
    asio::post(pool, std::move(work));
}

// Runs `work` on a thread of `pool`, asio's or a WorkerPool; the caller goes on, on its own executor, with what it
// returned (void: nothing).  `pool` outlives the call: whoever owns both joins the pool before the coroutine's context
// goes.
template <typename Pool, typename F>
asio::awaitable<std::invoke_result_t<F>> on_worker(Pool& pool, F work) {
    using R = std::invoke_result_t<F>;
    struct Slot {
        std::conditional_t<std::is_void_v<R>, std::optional<bool>, std::optional<R>> value;
        std::exception_ptr exception;
    } slot;
    auto start = [&pool, &work, &slot](auto handler) {
        auto executor = asio::get_associated_executor(handler);
        auto guard = asio::make_work_guard(executor);
        post_to(pool, [&work, &slot, executor, guard = std::move(guard), handler = std::move(handler)]() mutable {
            try {
                if constexpr (std::is_void_v<R>) {
                    work();
                } else {
                    slot.value.emplace(work());
                }
            } catch (...) {
                slot.exception = std::current_exception();
            }
            asio::post(executor, std::move(handler));
        });
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(start, asio::use_awaitable);
    if (slot.exception) std::rethrow_exception(slot.exception);
    if constexpr (!std::is_void_v<R>) co_return std::move(*slot.value);
}

// What coroutines of one thread wait on until another says that something changed; spurious wake-ups included.
class Signal {
public:
    explicit Signal(const asio::any_io_executor& executor) : timer_(executor, asio::steady_timer::time_point::max()) {}

    asio::awaitable<void> wait();
    void notify() { timer_.cancel(); }

private:
    asio::steady_timer timer_;
};

// One coroutine that runs beside its parent on the parent's executor.  What it refers to must live until join() has
// returned, so the parent joins it on every path.
template <typename T>
class Background {
public:
    Background(const asio::any_io_executor& executor, asio::awaitable<T> work)
        : state_(std::make_shared<State>(executor)) {
        asio::co_spawn(executor, run(std::move(work), state_), [](const std::exception_ptr& failure) {
            // Results carry failures; an exception is threads running out, and the process cannot go on.
            if (failure) std::rethrow_exception(failure);
        });
    }

    bool done() const noexcept { return state_->value.has_value(); }

    // Once.
    asio::awaitable<T> join() {
        const auto state = state_;
        while (!state->value) co_await state->changed.wait();
        co_return std::move(*state->value);
    }

private:
    // Shared by this object and the coroutine: a context that is destroyed drops both in any order.
    struct State {
        explicit State(const asio::any_io_executor& executor) : changed(executor) {}
        std::optional<T> value;
        Signal changed;
    };
    static asio::awaitable<void> run(asio::awaitable<T> work, std::shared_ptr<State> state) {
        state->value.emplace(co_await std::move(work));
        state->changed.notify();
    }

    std::shared_ptr<State> state_;
};

}  // namespace sat
