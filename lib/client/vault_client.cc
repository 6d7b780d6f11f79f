// The session, identities and receipts.
// SPDX-License-Identifier: Apache-2.0
#include "client/vault_client.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/assert.h"
#include "client/vault_client_impl.h"
#include "crypto/random.h"

namespace sat {

namespace {

// A busy vault is asked again, as after ALERT overloaded: three times in all, after random pauses.
std::chrono::milliseconds random_pause(int attempt) {
    const std::uint64_t mean = 500U << static_cast<unsigned>(attempt);
    return std::chrono::milliseconds(mean / 2 + random_below(mean));
}

}  // namespace

void VaultClient::Impl::watch_stop_descriptor() {
    const int fd = ::dup(options.stop_fd);
    if (fd < 0) return;
    stop.emplace(context, fd);
    stop->async_wait(asio::posix::stream_descriptor::wait_read, [this](const std::error_code& error) {
        if (error) return;
        stopped = true;
        if (connection) {
            connection->abort(stopped_error());
        } else {
            context.stop();
        }
    });
}

DialOptions VaultClient::Impl::dial_options() const {
    DialOptions dial;
    dial.agent = options.agent;
    if (options.timeout) {
        const std::chrono::milliseconds silence = *options.timeout;
        dial.connect = silence;
        dial.limits.identity = silence;
        dial.limits.idle = silence;
        dial.limits.handshake = std::min(dial.limits.handshake, silence);
        dial.limits.message = std::min(dial.limits.message, silence);
        dial.limits.write = std::min(dial.limits.write, silence);
        // An idle connection lives by its PINGs.
        dial.limits.ping = std::min(dial.limits.ping, silence / 2);
    }
    return dial;
}

asio::awaitable<Result<Session>> VaultClient::Impl::open(CheckVault check) const {
    return open_session(options.address, party, std::move(check), dial_options());
}

UnixTime VaultClient::Impl::vault_now() const {
    const auto since = std::chrono::steady_clock::now() - met;
    return hello.time + std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

VaultClient::VaultClient(const KeyHome& home, IdentityCache& identities, KemPrivateKey kem, VaultClientOptions options)
    : impl_(std::make_unique<Impl>(home, identities, std::move(kem), std::move(options))) {
    if (impl_->options.stop_fd >= 0) impl_->watch_stop_descriptor();
}

VaultClient::~VaultClient() {
    if (impl_) close();
}

VaultClient::VaultClient(VaultClient&&) noexcept = default;

Result<void> VaultClient::connect() {
    close();
    SAT_TRY_VALUE(auto known, impl_->known.find(impl_->options.address));
    const std::string address = impl_->options.address.text();
    TrustPolicy policy = impl_->options.trust;
    for (bool asked = false;; asked = true) {
        Trust trust = Trust::known;
        std::optional<Wallet> unknown;
        std::optional<IdentityChain> shown;
        std::optional<VerifiedCheckpoint> kept;
        auto session = impl_->run(impl_->open([&](const IdentityChain& vault) -> Result<ClientFinishedExt> {
            SAT_TRY_VALUE(trust, judge_vault(known ? &*known : nullptr, vault, policy, address));
            SAT_TRY(impl_->known.require_no_newer(vault));
            // Once for each identity that is to be filed, before anything is wrapped to a key of it.
            if (trust == Trust::record) SAT_TRY(vault.check_keys());
            shown = vault;
            if (trust != Trust::ask) {
                SAT_TRY(impl_->checkpoints.require_no_evidence(vault.wallet()));
                SAT_TRY_VALUE(kept, impl_->checkpoints.find(vault));
                return ClientFinishedExt{kept ? std::optional(kept->head) : std::nullopt};
            }
            unknown = vault.wallet();
            return fail(Errc::vault_key_unknown,
                        "the vault at " + address + " is unknown; its key is " + fingerprint(*unknown),
                        "compare the key with the one that its operator publishes, then give --vault-key, or "
                        "--accept-new to trust it unseen");
        }));
        if (!session && unknown && !asked && impl_->options.ask_trust) {
            SAT_TRY_VALUE(const bool yes, impl_->options.ask_trust(*unknown));
            if (!yes) return fail(Errc::vault_key_unknown, "the vault's key was not trusted");
            policy.pin = unknown;
            continue;
        }
        if (!session) return fail(std::move(session.error()));
        impl_->connection = std::move(session->connection);
        impl_->hello = std::move(session->hello);
        impl_->met = std::chrono::steady_clock::now();
        // What came with receipts and is not on file yet is remembered all the same.
        const bool ahead = impl_->unfiled && impl_->vault && impl_->vault->wallet() == shown->wallet();
        if (!ahead) {
            impl_->ledger = std::move(kept);
            impl_->unfiled.reset();
        }
        impl_->vault = std::move(shown);
        impl_->events.clear();
        auto taken = impl_->hello.checkpoint
                         ? take_checkpoint(*impl_->hello.checkpoint)
                         : Result<void>(fail(Errc::malformed, "the vault showed no checkpoint of its ledger"));
        if (taken) taken = prove_unproved();
        if (!taken) {
            close();
            return taken;
        }
        if (trust != Trust::record) return {};
        return impl_->known.record(impl_->options.address, impl_->vault->wallet(), &*impl_->vault, now_unix());
    }
}

bool VaultClient::connected() const noexcept { return impl_->connection && !impl_->connection->failure(); }

void VaultClient::expire_at(std::chrono::steady_clock::time_point when) {
    if (connected()) impl_->connection->expire_at(when);
}

void VaultClient::close() {
    if (!impl_->connection) return;
    if (!impl_->connection->failure()) {
        (void)impl_->run([](std::shared_ptr<Connection> connection) -> asio::awaitable<Result<void>> {
            co_await connection->close();
            co_return Result<void>();
        }(impl_->connection));
    }
    impl_->connection.reset();
}

const IdentityChain& VaultClient::vault() const {
    SAT_ASSERT(impl_->vault);
    return *impl_->vault;
}

const Address& VaultClient::address() const noexcept { return impl_->options.address; }
UnixTime VaultClient::vault_now() const { return impl_->vault_now(); }
std::uint64_t VaultClient::max_artwork_bytes() const { return impl_->hello.limits.artwork_bytes; }

bool VaultClient::is_lost(Errc code) noexcept {
    return code == Errc::interrupted || code == Errc::timeout || code == Errc::going_away;
}

Result<void> VaultClient::reconnect() {
    // The vault is the one of before, whoever trusted it how.
    const TrustPolicy before = impl_->options.trust;
    impl_->options.trust = {impl_->vault->wallet(), false};
    auto connected = connect();
    impl_->options.trust = before;
    return connected;
}

Result<std::string> VaultClient::exchange(const std::string& request,
                                          std::optional<std::chrono::milliseconds> working) {
    // A new connection that was asked for did not come about.
    if (!impl_->connection) return fail(Errc::interrupted, "the connection to the vault has ended");
    for (int attempt = 0;; ++attempt) {
        SAT_TRY_VALUE(std::string text, impl_->run(impl_->connection->request(request, working)));
        const auto reply = parse_response(text);
        const bool busy = !reply && (reply.error().code == Errc::rate_limited || reply.error().code == Errc::busy);
        if (!busy || attempt + 1 >= kMaxTries) return text;
        std::this_thread::sleep_for(random_pause(attempt));
    }
}

const IdentityChain* VaultClient::find_identity(const Wallet& wallet) {
    if (wallet == impl_->home.wallet()) return &impl_->home.chain();
    return impl_->vault ? impl_->identities.find(vault_wallet(), wallet) : nullptr;
}

Result<void> VaultClient::learn(std::vector<Wallet> wallets, bool again) {
    std::sort(wallets.begin(), wallets.end());
    wallets.erase(std::unique(wallets.begin(), wallets.end()), wallets.end());
    std::erase_if(wallets,
                  [&](const Wallet& w) { return again ? w == impl_->home.wallet() : find_identity(w) != nullptr; });
    for (std::size_t from = 0; from < wallets.size(); from += kMaxIdentityWallets) {
        IdentityGetRequest request;
        const std::size_t to = std::min(wallets.size(), from + kMaxIdentityWallets);
        request.wallets.assign(wallets.begin() + static_cast<std::ptrdiff_t>(from),
                               wallets.begin() + static_cast<std::ptrdiff_t>(to));
        SAT_TRY_VALUE(const IdentityGetReply reply, call(request));
        if (reply.identities.size() != request.wallets.size())
            return fail(Errc::malformed, "the vault gave another number of identities than it was asked for");
        for (std::size_t i = 0; i < request.wallets.size(); ++i) {
            if (!reply.identities[i]) continue;
            SAT_TRY_VALUE(auto chain, IdentityChain::from_documents(*reply.identities[i]));
            SAT_TRY(impl_->identities.add(vault_wallet(), request.wallets[i], std::move(chain)));
        }
    }
    return {};
}

Result<Receipt> VaultClient::check_receipt(const std::string& jws, const StatementId& of, ReceiptStatus status) const {
    SAT_TRY_VALUE(auto receipt, parse_and_verify<Receipt>(jws, vault()));
    if (receipt.body.vault != vault_wallet() || receipt.body.of != of || receipt.body.status != status)
        return fail(Errc::bad_statement, "the vault's receipt is for something else");
    return std::move(receipt.body);
}

}  // namespace sat
