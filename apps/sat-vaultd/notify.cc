// sd_notify(3), "Description" and "Notes": the protocol is stable, and needs no library.
// SPDX-License-Identifier: Apache-2.0
#include "notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string>

namespace sat {

Result<ServiceManager> ServiceManager::find() {
    ServiceManager out;
    const char* variable = std::getenv("NOTIFY_SOCKET");
    const std::string name = variable != nullptr ? variable : "";
    if (name.empty()) return out;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // A path, or with @ in front a name in the abstract namespace, where a zero byte stands for it.
    const bool known = name[0] == '/' || name[0] == '@';
    if (!known || name.size() >= sizeof address.sun_path)
        return fail(Errc::config, "NOTIFY_SOCKET names no socket that this program knows how to reach");
    name.copy(static_cast<char*>(address.sun_path), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const std::size_t size = offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '/' ? 1 : 0);
    out.socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!out.socket_ ||
        ::connect(out.socket_.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)) != 0) {
        Error error = errno_error("reach", "NOTIFY_SOCKET", errno);
        error.code = Errc::config;
        return fail(std::move(error));
    }
    return out;
}

void ServiceManager::tell(std::string_view text) const noexcept {
    // A manager that does not take it in time is its own problem: the vault serves.
    if (socket_) (void)!::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void ServiceManager::getting_on() noexcept {
    const auto now = std::chrono::steady_clock::now();
    if (told_ && now < *told_ + std::chrono::minutes(1)) return;
    told_ = now;
    tell("EXTEND_TIMEOUT_USEC=600000000\nSTATUS=making its directories whole");
}

void ServiceManager::ready() const noexcept { tell("READY=1\nSTATUS=serving"); }

void ServiceManager::reloading() const noexcept {
    const auto now =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch());
    tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

void ServiceManager::stopping() const noexcept { tell("STOPPING=1\nSTATUS=finishing what is under way"); }

}  // namespace sat
