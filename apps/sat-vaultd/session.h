// One authenticated client: reads a request, lets the vault answer it on a worker thread, moves bulk both ways.
// docs/protocol.md, "Requests", "Bulk streams".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/awaitable.hpp>
#include <asio/thread_pool.hpp>
#include <memory>
#include <optional>
#include <string>

#include "net/connection.h"
#include "net/server.h"
#include "subscribers.h"
#include "vault/vault.h"

namespace sat {

class ClientSession : public ServerSession {
public:
    // The three services outlive every session.
    ClientSession(Vault& vault, asio::thread_pool& workers, Subscribers& subscribers,
                  std::shared_ptr<Connection> connection, ClientIdentity client);
    ~ClientSession() override;

    asio::awaitable<void> serve() override;
    // Between an upload.begin and its upload.commit the client is served on; else an idle one is told to go.
    void stop() override;

private:
    struct Handled;
    Handled handle(const std::string& text);
    asio::awaitable<Result<void>> serve_requests();
    asio::awaitable<Result<void>> carry_out(Handled handled);
    asio::awaitable<Result<void>> receive_upload(std::uint64_t length);
    asio::awaitable<Result<void>> transmit(std::uint64_t size);
    void unsubscribe();
    void log_end(const Result<void>& served) const;

    Vault& vault_;
    asio::thread_pool& workers_;
    Subscribers& subscribers_;
    std::shared_ptr<Connection> connection_;
    Wallet wallet_;
    std::unique_ptr<VaultSession> session_;  // on the workers, one at a time
    bool uploading_ = false;
    bool stopping_ = false;
    bool subscribed_ = false;
};

}  // namespace sat
