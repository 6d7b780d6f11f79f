// The daemon: see daemon.h.
//
//     network thread     sockets, records, sessions' coroutines, timers, the admin socket
//     workers            what computes: AES and SHA-256 of uploads, the operator's questions
//     request workers    one request each: RSA, SQLite
//     write workers      one request each that writes, and waits for a sync that many share; few of each wallet's, and
//                        of newcomers; holds and deadlines
//     handshake workers  the server's own: RSA before anybody is authenticated
// SPDX-License-Identifier: Apache-2.0
#include "daemon.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <thread>

#include "admin.h"
#include "admission.h"
#include "base/file_reach.h"
#include "base/time.h"
#include "common/interrupt.h"
#include "common/options.h"
#include "confine.h"
#include "keys.h"
#include "log.h"
#include "net/address.h"
#include "net/deadlines.h"
#include "net/server.h"
#include "notify.h"
#include "session.h"
#include "subscribers.h"
#include "vault/key_life.h"
#include "wire/messages.h"

namespace sat {

namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;

// Descriptors besides the connections': the database, blobs of uploads and fetches, listeners, the log.
constexpr std::size_t kOtherFiles = 512;
// Deadlines come to be by requests that tell somebody; this is for those that do not.
constexpr UnixTime kLongestSleep = 60;
// Seconds' worth that may come at once: a page of pages, a ledger that is caught up with.
constexpr double kWalletBurst = 10;
constexpr double kAddressBurst = 20;
// Buckets of wallets that are kept, about 200 bytes each.
constexpr std::size_t kMaxWallets = 65'536;
// Connections that came to nothing are logged so often; of the others the number is.
constexpr Rate kRefusalLog{10, 100};
// A disk that fails, fails at every sweep: each failure is logged every ten minutes.
constexpr Rate kFailureLog{1.0 / 600, 1};
// Enough that some wait for the disk while others compute.
constexpr unsigned kFewestWorkers = 4;
constexpr unsigned kMostWorkers = 16;
// Statements that arrive together are committed together: so many may wait for one sync.  Each costs the stack that it
// has touched.
constexpr unsigned kWriteWorkers = 32;

// A thousand watchers and uploads beside them stay small: few arenas, and large buffers go back to the system.
void tame_malloc() {
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

bool have_ipv6() {
    asio::io_context context;
    std::error_code error;
    tcp::acceptor acceptor(context);
    acceptor.open(tcp::v6(), error);
    if (!error) acceptor.bind(tcp::endpoint(asio::ip::address_v6::any(), 0), error);
    return !error;
}

Result<std::vector<tcp::endpoint>> listen_addresses(const VaultdOptions& options) {
    std::vector<tcp::endpoint> out;
    for (const std::string& text : options.listen) {
        SAT_TRY_VALUE(tcp::endpoint endpoint, parse_listen_address(text));
        out.push_back(std::move(endpoint));
    }
    if (out.empty()) {
        out.emplace_back(asio::ip::address_v4::any(), kDefaultPort);
        if (have_ipv6()) out.emplace_back(asio::ip::address_v6::any(), kDefaultPort);
    }
    return out;
}

void log_lists(const Admission& admission) {
    log_event(LogLevel::info, "lists",
              {{"admit", admission.listed() ? "listed" : "open"},
               {"wallets", std::to_string(admission.wallets())},
               {"blocked", std::to_string(admission.blocked())}});
}

// Nothing that a client sends has been looked at yet.
Result<void> confine() {
    SAT_TRY_VALUE(const Filtered filtered, filter_system_calls());
    if (filtered != Filtered::yes)
        log_event(LogLevel::warn, "no_filter", {{"reason", filtered == Filtered::sanitized ? "sanitizer" : "kernel"}});
    return {};
}

// Keys that lie in swap outlive the process, and the passphrase protects none of them.
void keep_keys_in_memory() {
    if (lock_memory()) return;
    log_event(LogLevel::warn, "keys_may_be_swapped",
              {{"limit", std::to_string(memory_lock_limit())}, {"hint", "raise RLIMIT_MEMLOCK to unlimited"}});
}

// Before there are threads; every file that the vault opens from now on lies in one of these.
Result<void> confine_to_directories(const Path& data, const VaultdOptions& options) {
    FileReach reach;
    reach.own.push_back(data);
    if (options.duplicate) {
        SAT_TRY(make_private_directory(*options.duplicate));
        reach.own.emplace_back(*options.duplicate);
    }
    // SIGHUP reads a list again, which may be another file by then.
    for (const auto& list : {options.wallets, options.blocked}) {
        if (!list) continue;
        std::error_code error;
        const Path named = std::filesystem::absolute(*list, error);
        const Path meant = error ? Path() : std::filesystem::canonical(named, error);  // a link, perhaps
        if (error) return fail(errno_error("examine", *list, error.value()));
        reach.read.push_back(named.parent_path());
        reach.read.push_back(meant.parent_path());
    }
    SAT_TRY_VALUE(const Confined confined, confine_files(reach));
    if (confined != Confined::yes)
        log_event(LogLevel::warn, "files_not_confined",
                  {{"reason", confined == Confined::sanitized ? "sanitizer" : "kernel"}});
    return {};
}

class Daemon : public ServerHandler {
public:
    Daemon(std::unique_ptr<Vault> vault, const Path& data, const VaultdOptions& options, Admission admission,
           ServiceManager manager, ServerOptions server)
        : options_(options),
          manager_(std::move(manager)),
          vault_(std::move(vault)),
          admission_(std::move(admission)),
          party_(vault_->keys().chain, vault_->keys().kem),
          workers_(std::clamp(std::thread::hardware_concurrency(), kFewestWorkers, kMostWorkers)),
          requests_(std::clamp(std::thread::hardware_concurrency(), kFewestWorkers, kMostWorkers)),
          rates_{{{options.wallet_rate, std::max(1.0, options.wallet_rate * kWalletBurst)}, kMaxWallets}},
          server_(context_, *this, std::move(server)),
          services_{*vault_, workers_,     requests_, writes_,    writers_,
                    server_, subscribers_, sessions_, admission_, rates_},
          admin_(context_, data, [this](Json request) { return answer_operator(std::move(request)); }),
          signals_(context_),
          deadline_changed_(context_.get_executor()) {}
    ~Daemon() override {
        writes_.join();
        requests_.join();
        workers_.join();
        vault_->set_notify(nullptr);
    }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    Result<void> run();

    const HandshakeParty& party() const override { return party_; }
    ServerHelloExt hello_ext() override;
    std::shared_ptr<ServerSession> make_session(std::shared_ptr<Connection> connection, ClientIdentity client) override;
    void on_refused(const Peer& peer, const Error& error) override;
    void on_accept_failure(const std::error_code& error) override;

private:
    Result<void> announce(const std::vector<tcp::endpoint>& endpoints) const;
    asio::awaitable<void> serve();
    asio::awaitable<Result<void>> watch_deadlines();
    asio::awaitable<void> wait_for_signals();
    asio::awaitable<void> read_lists_again();
    asio::awaitable<Result<Json>> answer_operator(Json request);
    asio::awaitable<Result<Json>> answer_status();
    void tell(const Wallet& to, const Event& event);

    asio::io_context context_{1};
    const VaultdOptions& options_;
    ServiceManager manager_;
    std::unique_ptr<Vault> vault_;
    Admission admission_;  // the network thread's
    HandshakeParty party_;
    WorkerPool workers_;
    WorkerPool requests_;
    WorkerPool writes_{kWriteWorkers};
    Places<Wallet> writers_{context_.get_executor(), kWritesPerWallet};
    Subscribers subscribers_;
    Sessions sessions_;
    RequestRates rates_;
    Server server_;
    SessionServices services_;
    AdminServer admin_;
    asio::signal_set signals_;
    TokenBuckets<int> refusal_log_{kRefusalLog, 1};
    std::uint64_t unlogged_ = 0;
    TokenBuckets<std::string> failure_log_{kFailureLog, 16};
    bool stopping_ = false;

    // The earliest deadline that is known, and who waits for it.
    UnixTime next_deadline_ = 0;
    Signal deadline_changed_;
};

ServerHelloExt Daemon::hello_ext() {
    ServerHelloExt ext;
    ext.time = vault_->now();
    ext.limits.artwork_bytes = vault_->options().max_artwork_bytes;
    ext.checkpoint = vault_->checkpoint();
    return ext;
}

std::shared_ptr<ServerSession> Daemon::make_session(std::shared_ptr<Connection> connection, ClientIdentity client) {
    return std::make_shared<ClientSession>(services_, std::move(connection), std::move(client));
}

// A flood must not fill the disk with its own description.
void Daemon::on_refused(const Peer& peer, const Error& error) {
    if (!refusal_log_.take(0, std::chrono::steady_clock::now(), std::chrono::seconds(0))) {
        ++unlogged_;
        return;
    }
    if (unlogged_ > 0)
        log_event(LogLevel::info, "refused_connections", {{"unlogged", std::to_string(std::exchange(unlogged_, 0))}});
    log_failure(LogLevel::info, "refused_connection", error,
                {{"peer", endpoint_text({asio::ip::make_address(peer.address), peer.port})}});
}

void Daemon::on_accept_failure(const std::error_code& error) {
    log_event(LogLevel::warn, "accept_failure", {{"message", error.message()}});
}

// On a worker, in the order of the transactions.
void Daemon::tell(const Wallet& to, const Event& event) {
    asio::post(context_, [this, to, text = encode_event(event), due = event.claim.answer_by] {
        subscribers_.tell(to, text);
        if (!due || *due >= next_deadline_) return;
        next_deadline_ = *due;
        deadline_changed_.notify();
    });
}

// Claims expire when their time has come, not when somebody looks.
asio::awaitable<Result<void>> Daemon::watch_deadlines() {
    while (!stopping_) {
        next_deadline_ = vault_->now() + kLongestSleep;
        auto work = [this] { return vault_->expire_due(); };
        const Sweep sweep = co_await on_worker(writes_, work);
        if (sweep.next) next_deadline_ = std::min(next_deadline_, *sweep.next);
        for (const Error& failure : sweep.failures)
            if (failure_log_.take(failure.message, std::chrono::steady_clock::now(), std::chrono::seconds(0)))
                log_failure(LogLevel::warn, "sweep_failed", failure);
        // In whole seconds, and the second itself is still in time: one more.
        bool due = false;
        while (!due && !stopping_) {
            const UnixTime left = std::clamp<UnixTime>(next_deadline_ + 1 - vault_->now(), 1, kLongestSleep);
            const Alarm alarm(context_.get_executor(), std::chrono::steady_clock::now() + std::chrono::seconds(left),
                              [this, &due] {
                                  due = true;
                                  deadline_changed_.notify();
                              });
            co_await deadline_changed_.wait();
        }
    }
    co_return Result<void>();
}

asio::awaitable<Result<Json>> Daemon::answer_status() {
    auto work = [this] { return vault_->status(); };
    const VaultStatus status = co_await on_worker(workers_, work);
    Json out = status_json(status);
    out["running"] = true;
    out["serving"] = !vault_->contradicted();
    const ServerCounts counts = server_.counts();
    out["connections"] = counts.connections;
    out["unauthenticated"] = counts.unauthenticated;
    out["waiting"] = counts.parked;
    out["addresses"] = counts.addresses;
    out["authenticated"] = counts.authenticated;
    out["failed_handshakes"] = counts.failed;
    out["turned_away"] = counts.turned_away;
    out["requests_delayed"] = rates_.delayed;
    out["requests_refused"] = rates_.refused;
    out["watchers"] = subscribers_.size();
    out["admit"] = admission_.listed() ? "listed" : "open";
    if (admission_.listed()) out["wallets"] = admission_.wallets();
    out["blocked"] = admission_.blocked();
    co_return out;
}

asio::awaitable<Result<Json>> Daemon::answer_operator(Json request) {
    ObjectReader in(request, Errc::bad_request);
    in.allow_absent();
    const std::string command = in.text("command", 20);
    const std::optional<std::string> id = in.text_or_null("artwork", 20);
    const std::optional<std::string> reason = in.text_or_null("reason", kMaxReason);
    SAT_CO_TRY(in.finish());
    if (command == "status") co_return co_await answer_status();
    if ((command != "hold" && command != "release") || !id || !reason)
        co_return fail(Errc::bad_request, "not a request");
    SAT_CO_TRY_VALUE(const ArtworkId artwork, ArtworkId::parse(*id));
    auto work = [&] { return command == "hold" ? vault_->hold(artwork, *reason) : vault_->release(artwork, *reason); };
    const auto done = co_await on_worker(writes_, work);
    if (!done) co_return fail(done.error());
    log_event(LogLevel::info, command, {{"artwork", artwork.str()}});
    co_return Json{{"artwork", artwork.str()}, {"held", command == "hold"}};
}

// A list that cannot be read changes nothing: neither who is in, nor who may come.
asio::awaitable<void> Daemon::read_lists_again() {
    auto work = [this] { return Admission::read(options_); };
    auto admission = co_await on_worker(workers_, work);
    if (!admission) {
        log_failure(LogLevel::error, "lists_kept", admission.error());
        co_return;
    }
    admission_ = std::move(*admission);
    log_lists(admission_);
    const std::size_t dismissed = sessions_.dismiss(admission_);
    if (dismissed > 0) log_event(LogLevel::info, "dismissed", {{"connections", std::to_string(dismissed)}});
}

// SIGHUP reads the lists again.  Of the others the first one lets what is under way finish, the second does not.
asio::awaitable<void> Daemon::wait_for_signals() {
    for (bool first = true;;) {
        std::error_code error;
        const int number = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        // Whoever is still served while it stops is served to the end.
        if (number == SIGHUP && !first) continue;
        if (number == SIGHUP) {
            manager_.reloading();
            co_await read_lists_again();
            manager_.ready();
            // Whoever cancels the wait has done so already.
            if (stopping_) co_return;
            continue;
        }
        log_event(LogLevel::info, first ? "stopping" : "stopping_now", {{"signal", std::to_string(number)}});
        manager_.stopping();
        if (first) {
            server_.stop();
        } else {
            server_.abort();
        }
        first = false;
    }
}

asio::awaitable<void> Daemon::serve() {
    Background<Result<void>> deadlines(context_.get_executor(), watch_deadlines());
    Background<Result<void>> admin(context_.get_executor(), admin_.run());
    co_await server_.run();
    stopping_ = true;
    deadline_changed_.notify();
    admin_.stop();
    [[maybe_unused]] const auto watched = co_await deadlines.join();
    [[maybe_unused]] const auto answered = co_await admin.join();
    std::error_code ignored;
    signals_.cancel(ignored);
}

Result<void> Daemon::announce(const std::vector<tcp::endpoint>& endpoints) const {
    const std::string fingerprint = vault_->keys().chain.fingerprint();
    std::string text;
    for (const tcp::endpoint& endpoint : endpoints) {
        text += "listening " + endpoint_text(endpoint) + "\n";
        log_event(LogLevel::info, "listening", {{"address", endpoint_text(endpoint)}});
    }
    text += "fingerprint " + fingerprint + "\n";
    log_event(LogLevel::info, "fingerprint", {{"key", fingerprint}});
    return write_all(STDOUT_FILENO, as_bytes(text), "standard output");
}

Result<void> Daemon::run() {
    vault_->set_notify([this](const Wallet& to, const Event& event) { tell(to, event); });
    vault_->set_heal_report([](const HealEvent& event) {
        log_event(event.healed ? LogLevel::warn : LogLevel::error, event.healed ? "healed" : "damaged",
                  {{"artwork", event.artwork.str()}, {"part", event.part}, {"problem", event.problem}});
    });
    SAT_TRY_VALUE(const auto endpoints, server_.listen());
    SAT_TRY(admin_.listen());
    // From here on signals are the context's; one that came before has its own reader.
    std::error_code error;
    signals_.add(SIGINT, error);
    signals_.add(SIGTERM, error);
    signals_.add(SIGHUP, error);
    if (Interrupt::signal() != 0) return fail(Errc::cancelled, "stopped by a signal");
    SAT_TRY(confine());
    SAT_TRY(announce(endpoints));
    manager_.ready();
    const auto rethrow = [](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
    };
    asio::co_spawn(context_, wait_for_signals(), rethrow);
    asio::co_spawn(context_, serve(), rethrow);
    context_.run();
    log_event(LogLevel::info, "stopped");
    return {};
}

Result<VaultKeys> keys_for_run(const Path& data, const VaultdOptions& options) {
    SAT_TRY(finish_key_change(data));
    if (vault_keys_exist(key_directory(data))) return open_keys(data, options);
    SAT_TRY_VALUE(VaultKeys keys, make_keys(data, options));
    log_event(LogLevel::info, "keys_made", {{"wallet", short_wallet(keys.wallet())}});
    return keys;
}

}  // namespace

Json status_json(const VaultStatus& status) {
    return {{"works", status.works},
            {"bytes", status.bytes},
            {"open_claims", status.open_claims},
            {"leaves", status.ledger.size},
            {"root", status.ledger.root.hex()},
            {"uploads", status.uploads},
            {"copies", status.copies}};
}

Result<void> run_daemon(const VaultdOptions& options) {
    tame_malloc();
    start_log(options.log_level);
    SAT_TRY(require_ordinary_user(options.allow_root));
    forbid_new_privileges();
    keep_keys_in_memory();
    SAT_TRY_VALUE(const Path data, data_directory(options));
    SAT_TRY_VALUE(ServiceManager manager, ServiceManager::find());
    SAT_TRY_VALUE(Admission admission, Admission::read(options));
    ServerOptions server;
    SAT_TRY_VALUE(server.listen, listen_addresses(options));
    server.handshakes = {options.address_rate, std::max(1.0, options.address_rate * kAddressBurst)};
    const std::size_t files = raise_open_files(options.max_connections + kOtherFiles);
    server.max_connections = std::min(options.max_connections, files - std::min(files / 2, kOtherFiles));
    if (server.max_connections < options.max_connections)
        log_event(LogLevel::warn, "fewer_connections",
                  {{"connections", std::to_string(server.max_connections)}, {"descriptors", std::to_string(files)}});
    SAT_TRY_VALUE(VaultKeys keys, keys_for_run(data, options));
    SAT_TRY(confine_to_directories(data, options));
    VaultOptions how = vault_options(data, options);
    how.getting_on = [&manager] { manager.getting_on(); };
    SAT_TRY_VALUE(auto vault, Vault::open(std::move(how), std::move(keys), now_unix));
    log_event(LogLevel::info, "start", {{"version", kVersion}, {"copies", std::to_string(vault->status().copies)}});
    log_lists(admission);
    Daemon daemon(std::move(vault), data, options, std::move(admission), std::move(manager), std::move(server));
    return daemon.run();
}

}  // namespace sat
