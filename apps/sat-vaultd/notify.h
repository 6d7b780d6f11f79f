// How the vault is, told to the service manager that started it: sd_notify(3)'s datagrams to $NOTIFY_SOCKET.  Without
// that variable nothing is told.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

#include "base/file.h"
#include "base/result.h"

namespace sat {

class ServiceManager {
public:
    // Connects: before the system call filter.  config: the variable names no socket that can be reached.
    static Result<ServiceManager> find();

    // The start goes on, and is not to be given up for the next ten minutes.  Any number of times: told once a minute.
    void getting_on() noexcept;
    void ready() const noexcept;
    // Until the next ready().
    void reloading() const noexcept;
    void stopping() const noexcept;

private:
    void tell(std::string_view text) const noexcept;

    FileDescriptor socket_;  // none: nobody wants to know
    std::optional<std::chrono::steady_clock::time_point> told_;
};

}  // namespace sat
