// One authenticated client: reads a request, lets the vault answer it on a worker thread, moves bulk both ways.
// docs/protocol.md, "Requests", "Bulk streams".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "admission.h"
#include "net/connection.h"
#include "net/places.h"
#include "net/server.h"
#include "net/worker_pool.h"
#include "subscribers.h"
#include "vault/vault.h"

namespace sat {

class ClientSession;

// Every session that is served, so that all can be ended at once.  One thread, the network's.
class Sessions {
public:
    void add(ClientSession* session) { sessions_.insert(session); }
    void remove(ClientSession* session) { sessions_.erase(session); }
    // The vault has stopped serving: once, whoever notices it first.
    void halt(const Error& why);
    // Ends the sessions of the wallets that are not admitted; how many.
    std::size_t dismiss(const Admission& admission);
    // Ends those that came in with keys which the wallet has replaced by those of `newer`; how many.
    std::size_t supersede(const ClientSession& newer);

private:
    std::unordered_set<ClientSession*> sessions_;
    bool halted_ = false;
};

// Requests of one wallet, over all its connections.  What goes past the rate waits; what would wait longer than
// kLongestDelay is answered 103, and no sooner.  The network thread's.
struct RequestRates {
    TokenBuckets<Wallet> buckets;
    std::uint64_t delayed = 0;
    std::uint64_t refused = 0;
};
inline constexpr std::chrono::seconds kLongestDelay{5};
// Requests of one wallet that may wait for the disk at once: as many as it may have uploads.  Its further ones wait for
// these, and hold no thread that somebody else's could have.
inline constexpr std::size_t kWritesPerWallet = 4;
// Under which those share that come for the first time: nobody's wallet.
inline constexpr Wallet kNewcomers{};

// What sessions are served with; outlives every one of them.
struct SessionServices {
    Vault& vault;
    WorkerPool& workers;   // computes
    WorkerPool& requests;  // reads
    WorkerPool& writes;    // waits for the disk, for several requests together
    Places<Wallet>& writers;
    Server& server;  // for what is done before a wallet is known
    Subscribers& subscribers;
    Sessions& sessions;
    const Admission& admission;
    RequestRates& rates;
};

class ClientSession : public ServerSession {
public:
    ClientSession(const SessionServices& services, std::shared_ptr<Connection> connection, ClientIdentity client);
    ~ClientSession() override;

    asio::awaitable<bool> admit() override;
    asio::awaitable<void> serve() override;
    // Between an upload.begin and its upload.commit the client is served on; else an idle one is told to go.
    void stop() override;
    // The vault serves nobody any more: CLOSE internal, at once where nothing is under way.
    void halt();
    // The wallet is admitted no longer, or its keys are not: told so by CLOSE, or in the middle of a bulk stream ended
    // without a word.  It hears of no claim any more.
    void dismiss(Error why);
    const Wallet& wallet() const noexcept { return wallet_; }
    // How many its chain had when it came in.
    std::size_t documents() const noexcept { return documents_; }

private:
    struct Handled;
    Handled read(const std::string& text, bool in_turn);
    Handled handle(const Request& request);
    static Handled refuse_for_rate(const std::string& text);
    asio::awaitable<Handled> answer(std::string text, bool in_turn);
    asio::awaitable<Result<void>> learn_identity();
    asio::awaitable<bool> await_turn();
    asio::awaitable<Result<bool>> serve_request();
    void interrupt_if_told();
    asio::awaitable<void> wind_up(Result<void> served);
    asio::awaitable<Result<void>> carry_out(Handled handled);
    asio::awaitable<Result<void>> work_on(std::string method);
    asio::awaitable<Result<void>> receive_upload(std::uint64_t length);
    asio::awaitable<Result<void>> transmit(std::uint64_t size);
    void unsubscribe();
    void end_superseded() const;
    void log_refusal(const Error& refusal, std::string method) const;
    void log_end(const Result<void>& served) const;
    void compare_seen() const;

    const SessionServices& services_;
    std::shared_ptr<Connection> connection_;
    std::unique_ptr<const TreeHead> seen_;  // until it is admitted
    Wallet wallet_;
    std::size_t documents_;
    std::unique_ptr<VaultSession> session_;  // on the workers, one at a time
    bool uploading_ = false;
    bool stopping_ = false;
    bool halted_ = false;
    std::unique_ptr<const Error> dismissed_;  // why
    bool in_bulk_ = false;
    bool subscribed_ = false;
};

}  // namespace sat
