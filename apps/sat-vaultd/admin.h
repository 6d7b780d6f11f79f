// The operator's door into a running vault: DATA/admin.sock, one line of JSON each way.  Mode 0600, and whoever
// connects must have our own user id or be root.
//
//     {"command":"status"}                            {"ok":true,"data":{…}}
//     {"command":"hold","artwork":ID,"reason":TEXT}   {"ok":false,"error":{"code":u16,"message":TEXT,"hint":TEXT}}
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <functional>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "base/result.h"

namespace sat {

// What a request comes to: `data` of the answer.
using AdminAnswer = std::function<asio::awaitable<Result<Json>>(Json request)>;

class AdminServer {
public:
    // `data` is the vault's directory, which this process has locked.
    AdminServer(asio::io_context& context, const Path& data, AdminAnswer answer);
    ~AdminServer();
    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;

    // io_error.  Takes the place of what an earlier process left.
    Result<void> listen();
    // One request after the other until stop().
    asio::awaitable<Result<void>> run();
    void stop();

private:
    using Socket = asio::local::stream_protocol::socket;
    asio::awaitable<void> serve(Socket socket);
    asio::awaitable<Result<Json>> answer_line(std::string line);

    Path path_;
    FileDescriptor directory_;
    AdminAnswer answer_;
    asio::local::stream_protocol::acceptor acceptor_;
    std::optional<Socket> serving_;
    bool listening_ = false;
    bool stopping_ = false;
};

// Asks the vault that runs on `data`; nothing where none does.  The vault's own error; io_error where it broke off.
Result<std::optional<Json>> ask_daemon(const Path& data, const Json& request);

}  // namespace sat
