// Signals between coroutines: see co.h.
// SPDX-License-Identifier: Apache-2.0
#include "net/co.h"

#include <asio/redirect_error.hpp>

namespace sat {

asio::awaitable<void> Signal::wait() {
    std::error_code woken;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

}  // namespace sat
