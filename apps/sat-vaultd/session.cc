// Sessions: see session.h.
// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <algorithm>
#include <array>
#include <asio/redirect_error.hpp>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/json.h"
#include "log.h"
#include "net/address.h"
#include "wire/messages.h"

namespace sat {

namespace {

Caller caller_of(const Connection& connection, IdentityChain chain) {
    const Wallet wallet = chain.wallet();
    return {wallet, std::make_shared<const IdentityChain>(std::move(chain)), connection.peer().address,
            connection.peer().port};
}

std::string peer_text(const Connection& connection) {
    return endpoint_text({asio::ip::make_address(connection.peer().address), connection.peer().port});
}

// Whether DATA follows a request that could not be read: its parameters were wrong, its method was not.
bool announces_data(std::string_view text) {
    const auto json = parse_json(text);
    if (!json || !json->is_object()) return false;
    const auto method = json->find("m");
    return method != json->end() && method->is_string() && method->get<std::string>() == UploadDataRequest::kMethod;
}

bool waits_for_the_disk(const Request& request) {
    return std::visit(
        [](const auto& r) {
            using R = std::decay_t<decltype(r)>;
            // Of the newest checkpoint: for that the leaves files have to be up to date.
            if constexpr (std::is_same_v<R, LedgerHeadRequest>) return !r.size;
            return std::is_same_v<R, UploadBeginRequest> || std::is_same_v<R, UploadResumeRequest> ||
                   std::is_same_v<R, UploadDataRequest> || std::is_same_v<R, UploadCommitRequest> ||
                   std::is_same_v<R, ClaimOpenRequest> || std::is_same_v<R, ClaimWithdrawRequest> ||
                   std::is_same_v<R, ClaimAnswerRequest> || std::is_same_v<R, ClaimAcceptRequest> ||
                   std::is_same_v<R, LedgerCheckpointRequest> || std::is_same_v<R, LedgerReportRequest>;
        },
        request);
}

// The method of a request as our programs write one, told without reading it; empty of any other.
std::string_view written_method(std::string_view text) {
    constexpr std::string_view kBefore = "{\"m\":\"";
    if (!text.starts_with(kBefore)) return {};
    text.remove_prefix(kBefore.size());
    return text.substr(0, std::min(text.find('"'), text.size()));
}

// A guess: such a request waits for the disk in the end, so it is read there as well, and one thread is woken for it
// instead of two.  A wrong guess takes one of its wallet's own places for as long as reading lasts.
bool looks_like_waiting_for_the_disk(std::string_view text) {
    constexpr std::array<std::string_view, 9> kMethods{
        UploadBeginRequest::kMethod,  UploadResumeRequest::kMethod, UploadDataRequest::kMethod,
        UploadCommitRequest::kMethod, ClaimOpenRequest::kMethod,    ClaimWithdrawRequest::kMethod,
        ClaimAnswerRequest::kMethod,  ClaimAcceptRequest::kMethod,  LedgerCheckpointRequest::kMethod,
    };
    return std::ranges::find(kMethods, written_method(text)) != kMethods.end();
}

// A disk that fails is the operator's to know of; a request that is refused is everyday life.
LogLevel level_of(const Error& error) {
    const bool ours = error.code == Errc::internal || error.code == Errc::io_error || error.code == Errc::storage_full;
    return ours ? LogLevel::warn : LogLevel::debug;
}

}  // namespace

// What a worker made of a request's text.
struct ClientSession::Handled {
    std::optional<Request> to_write;  // read, and not handled yet
    std::optional<Error> broken;      // not a request at all: the connection ends
    VaultSession::Outcome::Next next = VaultSession::Outcome::Next::respond;
    std::string method = "?";
    std::optional<Error> refusal;  // for the log
    std::string text;              // the RESPONSE
    std::uint64_t bulk_size = 0;   // of the stream that comes or goes
};

void Sessions::halt(const Error& why) {
    if (std::exchange(halted_, true)) return;
    log_failure(LogLevel::error, "contradiction", why);
    for (ClientSession* session : sessions_) session->halt();
}

std::size_t Sessions::dismiss(const Admission& admission) {
    std::size_t dismissed = 0;
    for (ClientSession* session : sessions_) {
        if (admission.admits(session->wallet())) continue;
        session->dismiss({Errc::forbidden, "the wallet is no longer admitted", {}});
        ++dismissed;
    }
    return dismissed;
}

std::size_t Sessions::supersede(const ClientSession& newer) {
    std::size_t superseded = 0;
    for (ClientSession* session : sessions_) {
        if (session->wallet() != newer.wallet() || session->documents() >= newer.documents()) continue;
        session->dismiss({Errc::handshake_failed, "the wallet has newer keys than this connection's", {}});
        ++superseded;
    }
    return superseded;
}

ClientSession::ClientSession(const SessionServices& services, std::shared_ptr<Connection> connection,
                             ClientIdentity client)
    : services_(services),
      connection_(std::move(connection)),
      seen_(client.finished.seen ? std::make_unique<const TreeHead>(*client.finished.seen) : nullptr),
      wallet_(client.chain.wallet()),
      documents_(client.chain.documents().size()),
      session_(std::make_unique<VaultSession>(services.vault, caller_of(*connection_, std::move(client.chain)))) {
    services_.sessions.add(this);
}

ClientSession::~ClientSession() {
    unsubscribe();
    services_.sessions.remove(this);
}

void ClientSession::unsubscribe() {
    if (std::exchange(subscribed_, false)) services_.subscribers.remove(wallet_, connection_.get());
}

void ClientSession::stop() {
    stopping_ = true;
    if (!uploading_) connection_->interrupt_idle();
}

void ClientSession::halt() {
    halted_ = true;
    connection_->interrupt_idle();
}

void ClientSession::dismiss(Error why) {
    if (!dismissed_) dismissed_ = std::make_unique<const Error>(std::move(why));
    unsubscribe();
    connection_->interrupt_idle();
    // A stream may last for hours, and nothing but its own records may stand in it.
    if (in_bulk_) connection_->abort(*dismissed_);
}

// On a worker.  A client that has seen another ledger says so itself, with the note that proves it; this is for the
// log.
void ClientSession::compare_seen() const {
    if (!seen_) return;
    const auto agrees = services_.vault.agrees(*seen_);
    if (!agrees || *agrees) return;
    log_event(
        LogLevel::warn, "seen_contradicts",
        {{"peer", peer_text(*connection_)}, {"wallet", short_wallet(wallet_)}, {"size", std::to_string(seen_->size)}});
}

// A new wallet's keys are checked in full, and anybody can make one: between the handshakes, and not before the
// requests of those who are known.  It is set down among those who write: newcomers together have as many threads of
// theirs as any one wallet, and none of the handshakes' that those who are known come in by.
asio::awaitable<Result<void>> ClientSession::learn_identity() {
    bool known = false;
    auto look = [this, &known]() -> Result<std::vector<KeyCheck>> {
        SAT_TRY_VALUE(auto checks, services_.vault.key_checks(session_->caller()));
        SAT_TRY_VALUE(known, services_.vault.remembers(session_->caller()));
        return checks;
    };
    SAT_CO_TRY_VALUE(std::vector<KeyCheck> checks, co_await on_worker(services_.server.handshake_workers(), look));
    if (!checks.empty())
        SAT_CO_TRY(co_await services_.server.work_for_stranger(connection_->peer(), std::move(checks)));
    bool newer = false;
    auto admit = [this, &newer]() -> Result<void> {
        SAT_TRY_VALUE(newer, services_.vault.admit(session_->caller()));
        compare_seen();
        session_->leave_chain();
        return {};
    };
    Result<void> learnt;
    if (known) {
        learnt = co_await on_worker(services_.server.handshake_workers(), admit);
    } else {
        const auto place = co_await services_.writers.take(kNewcomers);
        learnt = co_await on_worker(services_.writes, admit);
    }
    if (newer) end_superseded();
    co_return learnt;
}

asio::awaitable<bool> ClientSession::admit() {
    // Before its keys are looked at: a stranger makes no work and leaves no trace in the catalogue.
    if (!services_.admission.admits(wallet_)) {
        log_event(LogLevel::info, "not_admitted",
                  {{"peer", peer_text(*connection_)}, {"wallet", short_wallet(wallet_)}});
        co_await connection_->close(Errc::forbidden);
        co_return false;
    }
    const auto learnt = co_await learn_identity();
    seen_.reset();
    if (learnt) co_return true;
    const Error& why = learnt.error();
    if (services_.vault.contradicted()) {
        co_await connection_->close(Errc::internal);
    } else if (why.code == Errc::overloaded || why.code == Errc::going_away) {
        log_failure(LogLevel::info, "not_admitted", why,
                    {{"peer", peer_text(*connection_)}, {"wallet", short_wallet(wallet_)}});
        co_await connection_->close(why.code);
    } else {
        // A catalogue that cannot be read is not the client's fault, and must not be told as if it were.
        const bool ours = level_of(why) == LogLevel::warn || why.code == Errc::busy;
        log_failure(ours ? LogLevel::warn : LogLevel::info, ours ? "admission_failed" : "identity_refused", why,
                    {{"peer", peer_text(*connection_)}, {"wallet", short_wallet(wallet_)}});
        co_await connection_->close(ours ? Errc::internal : Errc::handshake_failed);
    }
    co_return false;
}

asio::awaitable<void> ClientSession::serve() {
    log_event(LogLevel::debug, "session", {{"peer", peer_text(*connection_)}, {"wallet", short_wallet(wallet_)}});
    // Most sessions wait, and there may be very many of them: nothing else is held meanwhile.
    Result<bool> more = true;
    while (more && *more) {
        interrupt_if_told();
        co_await connection_->await_request();
        more = co_await serve_request();
    }
    Result<void> served;
    if (!more) served = fail(std::move(more.error()));
    co_await wind_up(std::move(served));
}

void ClientSession::interrupt_if_told() {
    if (halted_ || dismissed_ || (stopping_ && !uploading_)) connection_->interrupt_idle();
}

asio::awaitable<void> ClientSession::wind_up(Result<void> served) {
    unsubscribe();
    log_end(served);
    if (halted_) {
        co_await connection_->close(Errc::internal);
    } else if (dismissed_) {
        co_await connection_->close(dismissed_->code);
    } else if (!served && served.error().code == Errc::cancelled) {
        co_await connection_->close(Errc::going_away);
    }
    // An upload that was not finished is removed from the disk.
    auto drop = [this] { session_.reset(); };
    co_await on_worker(services_.workers, drop);
}

// Whoever came in with the older keys may ask for nothing more, and would go on hearing of claims.
void ClientSession::end_superseded() const {
    const std::size_t ended = services_.sessions.supersede(*this);
    if (ended == 0) return;
    log_event(LogLevel::info, "superseded",
              {{"wallet", short_wallet(wallet_)}, {"connections", std::to_string(ended)}});
}

void ClientSession::log_refusal(const Error& refusal, std::string method) const {
    // The vault's own word for what is done, and could not be told because the disk failed: a client that goes away in
    // the middle of a request is no refusal.
    const bool unanswered = refusal.code == Errc::interrupted;
    log_failure(unanswered ? LogLevel::warn : level_of(refusal), unanswered ? "unanswered" : "refused", refusal,
                {{"peer", peer_text(*connection_)}, {"wallet", short_wallet(wallet_)}, {"method", std::move(method)}});
}

void ClientSession::log_end(const Result<void>& served) const {
    const LogFields who = {{"peer", peer_text(*connection_)}, {"wallet", short_wallet(wallet_)}};
    if (served || served.error().code == Errc::cancelled) {
        log_event(LogLevel::debug, "session_end", who);
    } else {
        const LogLevel level = level_of(served.error()) == LogLevel::warn ? LogLevel::warn : LogLevel::info;
        log_failure(level, "session_end", served.error(), who);
    }
}

// False where the client is done.
asio::awaitable<Result<bool>> ClientSession::serve_request() {
    auto text = co_await connection_->receive_request();
    if (!text && text.error().code == Errc::still_pending) co_return true;
    if (!text) co_return fail(std::move(text.error()));
    if (!*text) co_return false;
    const bool in_turn = co_await await_turn();
    Handled handled = co_await answer(**text, in_turn);
    if (handled.broken) {
        connection_->abort(*handled.broken);
        co_return fail(std::move(*handled.broken));
    }
    using Next = VaultSession::Outcome::Next;
    in_bulk_ = handled.next == Next::receive || handled.next == Next::discard || handled.next == Next::transmit;
    if (dismissed_ && in_bulk_) dismiss(*dismissed_);
    SAT_CO_TRY(co_await carry_out(std::move(handled)));
    in_bulk_ = false;
    co_return true;
}

// Until the wallet's rate has room for one more request; false, after as long, where it has none.  A session that is to
// end is not kept.
asio::awaitable<bool> ClientSession::await_turn() {
    const auto wait = services_.rates.buckets.take(wallet_, std::chrono::steady_clock::now(), kLongestDelay);
    if (wait && *wait <= std::chrono::steady_clock::duration::zero()) co_return true;
    ++(wait ? services_.rates.delayed : services_.rates.refused);
    asio::steady_timer timer(connection_->executor(), wait.value_or(kLongestDelay));
    std::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return wait.has_value();
}

// On a worker.
ClientSession::Handled ClientSession::refuse_for_rate(const std::string& text) {
    Handled handled;
    if (announces_data(text)) handled.next = VaultSession::Outcome::Next::discard;
    handled.refusal = Error{Errc::rate_limited, "its wallet asks too often", {}};
    handled.text = encode_response(fail(*handled.refusal));
    return handled;
}

// What a request that writes has to wait for is the disk; nobody who only reads waits behind it.
asio::awaitable<ClientSession::Handled> ClientSession::answer(std::string text, bool in_turn) {
    auto look = [this, &text, in_turn] { return read(text, in_turn); };
    if (in_turn && looks_like_waiting_for_the_disk(text)) {
        const auto place = co_await services_.writers.take(wallet_);
        auto all = [this, &look] {
            Handled seen = look();
            return seen.to_write ? handle(*seen.to_write) : std::move(seen);
        };
        co_return co_await on_worker(services_.writes, all);
    }
    Handled handled = co_await on_worker(services_.requests, look);
    if (!handled.to_write) co_return handled;
    const auto place = co_await services_.writers.take(wallet_);
    auto work = [this, &handled] { return handle(*handled.to_write); };
    co_return co_await on_worker(services_.writes, work);
}

// On a worker.
ClientSession::Handled ClientSession::read(const std::string& text, bool in_turn) {
    using Next = VaultSession::Outcome::Next;
    if (!in_turn) return refuse_for_rate(text);
    Handled handled;
    auto request = parse_request(text);
    if (!request) {
        if (request.error().code != Errc::bad_request) {
            handled.broken = std::move(request.error());
            return handled;
        }
        if (announces_data(text)) handled.next = Next::discard;
        handled.refusal = request.error();
        handled.text = encode_response(fail(std::move(request.error())));
        return handled;
    }
    if (!waits_for_the_disk(*request)) return handle(*request);
    handled.to_write = std::move(*request);
    return handled;
}

// On a worker.
ClientSession::Handled ClientSession::handle(const Request& request) {
    using Next = VaultSession::Outcome::Next;
    Handled handled;
    handled.method = method_name(request);
    auto outcome = session_->handle(request);
    handled.next = outcome.next;
    handled.bulk_size = outcome.bulk_size;
    if (!outcome.response) handled.refusal = outcome.response.error();
    const bool answered = outcome.next == Next::respond || outcome.next == Next::subscribe ||
                          outcome.next == Next::discard || outcome.next == Next::transmit;
    if (answered) handled.text = encode_response(outcome.response);
    return handled;
}

asio::awaitable<Result<void>> ClientSession::carry_out(Handled handled) {
    using Next = VaultSession::Outcome::Next;
    if (handled.refusal) {
        log_refusal(*handled.refusal, handled.method);
    } else {
        log_event(LogLevel::debug, "request",
                  {{"peer", peer_text(*connection_)}, {"wallet", short_wallet(wallet_)}, {"method", handled.method}});
    }
    if (handled.method == UploadBeginRequest::kMethod || handled.method == UploadResumeRequest::kMethod)
        uploading_ = !handled.refusal;
    // A commit that was refused may be sent again, corrected, but nobody waits for that.
    if (handled.method == UploadCommitRequest::kMethod) uploading_ = false;
    switch (handled.next) {
        case Next::respond:
            break;
        case Next::subscribe:
            if (dismissed_) break;
            // Before the response: nothing may fall between it and the first event.
            services_.subscribers.add(wallet_, connection_);
            subscribed_ = true;
            break;
        case Next::work:
            co_return co_await work_on(handled.method);
        case Next::receive:
            co_return co_await receive_upload(handled.bulk_size);
        case Next::discard:
            uploading_ = false;
            SAT_CO_TRY(co_await connection_->send_response(std::move(handled.text)));
            co_return co_await connection_->discard_bulk();
        case Next::hang_up:
            connection_->abort(*handled.refusal);
            co_return fail(std::move(*handled.refusal));
        case Next::halt:
            services_.sessions.halt(*handled.refusal);
            co_return fail(Errc::cancelled, "the vault has stopped serving");
        case Next::transmit:
            SAT_CO_TRY(co_await connection_->send_response(std::move(handled.text)));
            co_return co_await transmit(handled.bulk_size);
    }
    co_return co_await connection_->send_response(std::move(handled.text));
}

// Piece by piece, so that others' requests find their turn on the workers between two of them.
asio::awaitable<Result<void>> ClientSession::work_on(std::string method) {
    std::optional<Response> response;
    while (!response) {
        if (halted_ || dismissed_) co_return fail(Errc::cancelled, "the session was told to end");
        auto work = [this] { return session_->go_on(); };
        response = co_await on_worker(services_.workers, work);
        // It may last longer than the client would wait without a word.
        if (!response) SAT_CO_TRY(co_await connection_->send_sign_of_life());
    }
    if (!*response) {
        uploading_ = false;
        log_refusal(response->error(), std::move(method));
    }
    co_return co_await connection_->send_response(encode_response(*response));
}

asio::awaitable<Result<void>> ClientSession::receive_upload(std::uint64_t length) {
    BulkSink sink = [this](std::vector<MutableBytes> parts) -> asio::awaitable<Result<void>> {
        auto work = [this, &parts]() -> Result<void> {
            for (const MutableBytes part : parts) SAT_TRY(session_->receive(part));
            return {};
        };
        co_return co_await on_worker(services_.workers, work);
    };
    SAT_CO_TRY_VALUE(BulkReceived received, co_await connection_->receive_bulk(length, std::move(sink)));
    Response response = EmptyReply{};
    if (received.refused) {
        response = fail(*received.refused);
    } else {
        auto work = [this, &received] { return session_->end_receive(received.total); };
        response = co_await on_worker(services_.workers, work);
    }
    if (!response) {
        uploading_ = false;
        log_refusal(response.error(), std::string(UploadDataRequest::kMethod));
    }
    SAT_CO_TRY(co_await connection_->send_response(encode_response(response)));
    if (received.refused) co_return co_await connection_->discard_bulk();
    co_return Result<void>();
}

asio::awaitable<Result<void>> ClientSession::transmit(std::uint64_t size) {
    BulkSource source = [this](std::vector<MutableBytes> parts) -> asio::awaitable<Result<void>> {
        auto work = [this, &parts]() -> Result<void> {
            for (MutableBytes part : parts) {
                while (!part.empty()) {
                    SAT_TRY_VALUE(const std::size_t got, session_->read(part));
                    if (got == 0) return fail(Errc::io_error, "a stored image is shorter than it should be");
                    part = part.subspan(got);
                }
            }
            return {};
        };
        co_return co_await on_worker(services_.workers, work);
    };
    co_return co_await connection_->send_bulk(size, std::move(source));
}

}  // namespace sat
