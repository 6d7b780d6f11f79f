// What the sources of VaultClient share; nobody else includes it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/thread_pool.hpp>
#include <deque>
#include <set>

#include "client/checkpoint_store.h"
#include "client/vault_client.h"
#include "net/dial.h"

namespace sat {

// What a listing may have over all its pages (about 400,000 works), for all of it is kept to be shown.
inline constexpr std::size_t kMaxListingBytes = std::size_t{512} << 20;

// What UploadStore has under `name`.
struct KeptCommit {
    Digest name;
    StatementId registration;
};

struct VaultClient::Impl {
    Impl(const KeyHome& home_in, IdentityCache& identities_in, KemPrivateKey kem, VaultClientOptions options_in)
        : home(home_in),
          identities(identities_in),
          known(home_in.directory()),
          checkpoints(home_in.directory()),
          party(home_in.chain(), std::move(kem)),
          options(std::move(options_in)) {}

    const KeyHome& home;
    IdentityCache& identities;
    KnownVaults known;
    CheckpointStore checkpoints;
    HandshakeParty party;
    VaultClientOptions options;

    asio::io_context context{1};
    asio::thread_pool worker{1};  // seals, opens, reads and writes files while the network goes on
    std::optional<asio::posix::stream_descriptor> stop;
    bool stopped = false;

    std::shared_ptr<Connection> connection;
    std::optional<IdentityChain> vault;
    ServerHelloExt hello;
    std::chrono::steady_clock::time_point met{};
    std::optional<VerifiedCheckpoint> ledger;  // the newest of this vault; there while connected
    std::optional<TreeHead> unfiled;           // what was on file when `ledger` got ahead of it
    std::vector<KeptCommit> committed;         // of uploads that are done, not forgotten yet
    std::set<LeafHash> included;               // leaves that a verified checkpoint covers
    std::deque<std::string> events;            // kept while a person was asked
    // The listing that list_works() is in the middle of.
    struct Listing {
        std::optional<std::string> next_cursor;
        std::size_t bytes = 0;  // of the pages so far
    };
    Listing listing;
    // Wallets whose chains were asked for in this process.
    std::vector<Wallet> asked;

    static Error stopped_error() { return {Errc::cancelled, "stopped by a signal", {}}; }

    void watch_stop_descriptor();
    DialOptions dial_options() const;
    asio::awaitable<Result<Session>> open(CheckVault check) const;
    UnixTime vault_now() const;

    // A statement of ours for this vault, with its common members.
    template <SignedByPerson T>
    T draft() const {
        T body = make_statement<T>(home.wallet(), vault->wallet(), now_unix());
        if (ledger) body.seen = ledger->head;
        return body;
    }

    // Runs `work` to its end.  A stop aborts the connection, so that it ends soon, or the context, where there is none.
    template <typename T>
    Result<T> run(asio::awaitable<Result<T>> work) {
        if (stopped) return fail(stopped_error());
        std::optional<Result<T>> result;
        asio::co_spawn(context, std::move(work), [&](const std::exception_ptr& failure, Result<T> value) {
            // Results carry failures; an exception is threads running out, and the process cannot go on.
            if (failure) std::rethrow_exception(failure);
            result.emplace(std::move(value));
        });
        context.restart();
        while (!result && context.run_one() != 0) {
        }
        if (!result) return fail(stopped_error());
        return std::move(*result);
    }
};

}  // namespace sat
