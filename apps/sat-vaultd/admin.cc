// The admin socket: see admin.h.
// SPDX-License-Identifier: Apache-2.0
#include "admin.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "log.h"
#include "net/deadlines.h"

namespace sat {

namespace {

using namespace std::chrono_literals;

constexpr const char* kSocketName = "admin.sock";
constexpr std::size_t kMaxLine = 8192;
constexpr auto kPatience = 5s;        // for a request's line, and for taking its answer
constexpr int kAnswerPatience = 120;  // seconds: a hold waits for the disk

// A socket's path has 107 bytes, a data directory's any number: the directory is named by its descriptor.
std::string short_path(const FileDescriptor& directory) {
    return "/proc/self/fd/" + std::to_string(directory.get()) + "/" + kSocketName;
}

FileDescriptor open_directory(const Path& path) {
    return FileDescriptor(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

bool is_ours(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
    return peer.uid == ::geteuid() || peer.uid == 0;
}

Json error_json(const Error& error) {
    return {{"code", static_cast<std::uint16_t>(error.code)}, {"message", error.message}, {"hint", error.hint}};
}

// The codes of this very program come back as they were; any other number is a bug of somebody's.
Errc code_of(std::int64_t number) {
    if (number >= static_cast<int>(Errc::usage) && number <= static_cast<int>(Errc::cancelled))
        return static_cast<Errc>(number);
    return errc_from_wire(static_cast<std::uint16_t>(number)).value_or(Errc::internal);
}

}  // namespace

AdminServer::AdminServer(asio::io_context& context, const Path& data, AdminAnswer answer)
    : path_(data / kSocketName), directory_(open_directory(data)), answer_(std::move(answer)), acceptor_(context) {}

AdminServer::~AdminServer() {
    if (listening_) ::unlink(path_.c_str());
}

Result<void> AdminServer::listen() {
    if (!directory_) return fail(errno_error("open", path_.parent_path(), errno));
    // We hold the vault's lock: whoever bound this is gone.
    if (::unlink(path_.c_str()) != 0 && errno != ENOENT) return fail(errno_error("replace", path_, errno));
    std::error_code error;
    acceptor_.open(asio::local::stream_protocol(), error);
    // The mode is right from the first moment on: nobody connects in between.
    const mode_t before = ::umask(0177);
    if (!error) acceptor_.bind(asio::local::stream_protocol::endpoint(short_path(directory_)), error);
    ::umask(before);
    if (!error) listening_ = true;
    if (!error) acceptor_.listen(16, error);
    if (error) return fail(errno_error("listen on", path_, error.value()));
    return {};
}

void AdminServer::stop() {
    stopping_ = true;
    std::error_code ignored;
    acceptor_.close(ignored);
    if (serving_) serving_->cancel(ignored);
}

asio::awaitable<Result<void>> AdminServer::run() {
    while (!stopping_) {
        std::error_code error;
        Socket socket(acceptor_.get_executor());
        co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
        if (stopping_) break;
        if (error) {
            asio::steady_timer pause(acceptor_.get_executor(), 100ms);
            co_await pause.async_wait(asio::use_awaitable);
            continue;
        }
        if (!is_ours(socket.native_handle())) {
            log_event(LogLevel::warn, "admin_refused");
            continue;
        }
        co_await serve(std::move(socket));
    }
    co_return Result<void>();
}

asio::awaitable<void> AdminServer::serve(Socket socket) {
    serving_.emplace(std::move(socket));
    std::string line;
    std::error_code error;
    {
        const Alarm alarm(acceptor_.get_executor(), std::chrono::steady_clock::now() + kPatience, [this] {
            std::error_code ignored;
            serving_->close(ignored);
        });
        std::array<char, 1024> bytes{};
        while (!error && !stopping_ && line.find('\n') == std::string::npos && line.size() <= kMaxLine) {
            const std::size_t size = co_await serving_->async_read_some(
                asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
            line.append(bytes.data(), size);
        }
    }
    const auto end = line.find('\n');
    if (end != std::string::npos) {
        const auto data = co_await answer_line(line.substr(0, end));
        Json document{{"ok", data.has_value()}};
        if (data) {
            document["data"] = *data;
        } else {
            document["error"] = error_json(data.error());
        }
        const std::string text = dump_json(document) + "\n";
        const Alarm alarm(acceptor_.get_executor(), std::chrono::steady_clock::now() + kPatience, [this] {
            std::error_code ignored;
            serving_->close(ignored);
        });
        co_await asio::async_write(*serving_, asio::buffer(text), asio::redirect_error(asio::use_awaitable, error));
    }
    serving_.reset();
}

asio::awaitable<Result<Json>> AdminServer::answer_line(std::string line) {
    auto request = parse_json(line);
    if (!request || !request->is_object()) co_return fail(Errc::bad_request, "not a request");
    co_return co_await answer_(std::move(*request));
}

Result<std::optional<Json>> ask_daemon(const Path& data, const Json& request) {
    const FileDescriptor directory = open_directory(data);
    if (!directory) return std::optional<Json>();
    const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return fail(errno_error("reach", data / kSocketName, errno));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = short_path(directory);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        if (errno == ENOENT || errno == ECONNREFUSED) return std::optional<Json>();
        return fail(errno_error("reach", data / kSocketName, errno));
    }
    const timeval patience{kAnswerPatience, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    SAT_TRY(write_all(socket.get(), as_bytes(dump_json(request) + "\n"), data / kSocketName));
    std::string text;
    std::array<char, 4096> bytes{};
    while (text.find('\n') == std::string::npos) {
        const ssize_t size = ::read(socket.get(), bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return fail(Errc::interrupted, "the vault stopped before it answered");
        text.append(bytes.data(), static_cast<std::size_t>(size));
    }
    const auto document = parse_json(text.substr(0, text.find('\n')));
    if (!document) return fail(Errc::internal, "the vault's answer cannot be read");
    ObjectReader in(*document, Errc::internal);
    in.ignore_unknown();
    in.allow_absent();
    const bool ok = in.boolean("ok");
    if (ok) {
        const Json& answer = in.value("data");
        SAT_TRY(in.finish());
        return std::optional<Json>(answer);
    }
    ObjectReader error(in.value("error"), Errc::internal);
    const std::int64_t code = error.integer("code", 1, 0xffff);
    const std::string message = error.text("message", kMaxLine);
    const std::string hint = error.text("hint", kMaxLine);
    SAT_TRY(error.finish());
    return fail(code_of(code), message, hint);
}

}  // namespace sat
