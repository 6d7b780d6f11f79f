// One TCP connection that carries wire/: the handshake of either end, messages, bulk streams, with a limit on every
// wait. docs/protocol.md, "Frames", "Records", "Bulk streams".
//
//     client   create -> receive_identity -> (compare vault() with the pin) -> finish_handshake -> request / upload / …
//     vault    create -> accept_handshake -> receive_request -> send_response / send_bulk / receive_bulk -> …
//
// Everything runs on the one thread of its io_context.  One operation reads and one writes at a time; post_event(),
// PING and PONG find their turn between the records of whatever else is being written.  The first failure of the
// connection ends it: every later operation fails with the same error.
//
// Errors of every operation, unless it says more:
//   interrupted   the stream ended in the middle; trying again is safe
//   timeout       one of the limits; unreachable instead, for a client, until its handshake is finished
//   cancelled     abort() or interrupt_idle()
//   malformed, too_large, unexpected    the peer broke a rule; the connection is closed without an answer
//   an ALERT's or CLOSE's own code, as alert_error() gives it
//
// An idle connection holds little: four bytes are read, then the frame's buffer is allocated, and freed when handled;
// and the ciphers' contexts are given up after some seconds, and computed again when a record comes or goes.
// Bulk streams are read and written a batch at a time, without a wait while the kernel has and takes what it is given;
// each batch waits for its sink or source, so that other connections of the context have their turn.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/thread_pool.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "ledger/identity.h"
#include "net/co.h"
#include "net/deadlines.h"
#include "wire/handshake.h"
#include "wire/limits.h"
#include "wire/record.h"
#include "wire/transfer.h"

namespace sat {

// The protocol's waits; tests inject short ones.
struct ConnectionLimits {
    using Milliseconds = std::chrono::milliseconds;
    Milliseconds identity = std::chrono::seconds(30);  // client: connected to IDENTITY; a busy vault makes us queue
    Milliseconds hello = std::chrono::seconds(kHelloSeconds);          // vault: IDENTITY sent to CLIENT_HELLO
    Milliseconds handshake = std::chrono::seconds(kHandshakeSeconds);  // IDENTITY to CLIENT_FINISHED
    Milliseconds idle = std::chrono::seconds(kIdleSeconds);            // nothing arrives
    Milliseconds ping = std::chrono::seconds(kPingSeconds);            // client: between its PINGs
    Milliseconds message = std::chrono::seconds(kMessageSeconds);      // first byte of a message to its last
    Milliseconds write = std::chrono::seconds(kWriteSeconds);          // one record, or one batch of DATA
    Milliseconds alive = std::chrono::hours(1);   // client: so long in all PONGs put off an answer, where they may
    Milliseconds rest = std::chrono::seconds(2);  // nothing comes or goes: its keys' contexts are given up
    EpochLimits epoch;
    std::size_t batch = 4;  // DATA records that go to a sink, or come from a source, at a time; two batches are held
};

// A watcher that is told more than this between two looks has fallen behind; the inbox keeps all.
inline constexpr std::size_t kMaxKeptEventBytes = std::size_t{8} << 20;
// What a kept event takes of that: its text, and what there is around it, which an empty one has too.
constexpr std::size_t kept_event_bytes(const std::string& text) noexcept { return text.size() + 128; }

struct Peer {
    std::string address;  // numeric, as the socket saw it
    std::uint16_t port = 0;
};

// Fills every part wholly, in order; called for one batch while the one before it is being written.  An error ends the
// connection (there is no way to take back a stream).
using BulkSource = std::function<asio::awaitable<Result<void>>(std::vector<MutableBytes> parts)>;
// Takes the parts of a batch, in order, while the next one is being read; they are valid until it returns, and are its
// to overwrite.  An error refuses the rest of the stream.
using BulkSink = std::function<asio::awaitable<Result<void>>(std::vector<MutableBytes> parts)>;

// What a bulk stream came to.
struct BulkReceived {
    std::uint64_t total = 0;       // as DATA_END said, equal to what came
    std::optional<Error> refused;  // the sink's error: send it as the response, then discard_bulk()
};

// Who turned out to be at the other end, for the vault.
struct ClientIdentity {
    IdentityChain chain;
    ClientHelloExt hello;
    ClientFinishedExt finished;
};

// Shared: a PONG or an event that is just being written may outlive the session by one aborted write.
class Connection : public std::enable_shared_from_this<Connection>, private Timed {
public:
    using Socket = asio::ip::tcp::socket;

    // `socket` is connected.
    static std::shared_ptr<Connection> create(Socket socket, Side me, ConnectionLimits limits = {});
    // With limits that many share.
    static std::shared_ptr<Connection> create_with(Socket socket, Side me,
                                                   std::shared_ptr<const ConnectionLimits> limits);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() override;

    const Peer& peer() const noexcept { return peer_; }
    asio::any_io_executor executor() { return socket_.get_executor(); }
    // The handshake is finished.
    bool established() const noexcept { return sealer_.has_value(); }
    // Why the connection is over, when it is; else null.
    const Error* failure() const noexcept { return failure_.get(); }
    // Gives up what the next record has computed again; happens by itself where nothing came or went for limits.rest,
    // up to twice that.
    void rest() noexcept;
    bool rests() const noexcept { return established() && sealer_->rests() && opener_->rests(); }

    // --- Client ---

    // Waits for IDENTITY and verifies it.  `me` outlives the handshake.  unreachable: it did not come; ALERT's code.
    asio::awaitable<Result<void>> receive_identity(const HandshakeParty& me, ClientHelloExt ext);
    // The chain that IDENTITY proved.  Nothing has been sent yet.
    const IdentityChain& vault() const;
    // CLIENT_HELLO to CLIENT_FINISHED, which carries `ext`.
    asio::awaitable<Result<ServerHelloExt>> finish_handshake(ClientFinishedExt ext = {});

    // REQUEST, then its RESPONSE's text, which has to begin within the idle limit: nothing else that comes meanwhile
    // puts that off.  With `working`, for a request that the vault may work long on: each PONG does, for that long in
    // all and limits.alive.
    asio::awaitable<Result<std::string>> request(std::string text,
                                                 std::optional<std::chrono::milliseconds> working = std::nullopt);
    // The two halves, where a bulk stream follows the response: after receive_response() of an artwork.fetch that is
    // ok comes receive_bulk().
    asio::awaitable<Result<void>> send_request(std::string text);
    asio::awaitable<Result<std::string>> receive_response();
    // upload.data: REQUEST, `length` bytes of bulk from `source`, DATA_END, and the RESPONSE's text, for which it reads
    // all the while: where it comes early, the rest of the stream stays unsent.  PONGs say that the stream arrives;
    // when the last of it has been written they put the answer off for limits.alive in all.
    asio::awaitable<Result<std::string>> upload(std::string request, std::uint64_t length, BulkSource source);
    // The next EVENT's text; nothing when `wait` is over.  Events that come during other operations are kept for it, up
    // to kMaxKeptEventBytes (overloaded past that).  PINGs go out meanwhile.
    asio::awaitable<Result<std::optional<std::string>>> next_event(std::chrono::milliseconds wait);

    // --- Vault ---

    // IDENTITY to CLIENT_FINISHED.  `me` outlives the handshake; `ext` is asked when SERVER_HELLO is made; the RSA
    // operations run on `workers`.  After a failure the connection may still stand: close() with alert_code() of it
    // then tells the client.
    asio::awaitable<Result<ClientIdentity>> accept_handshake(const HandshakeParty& me,
                                                             std::function<ServerHelloExt()> ext,
                                                             asio::thread_pool& workers);
    // Since when the client owes CLIENT_HELLO or CLIENT_FINISHED; kNever while it owes nothing, as while its hello is
    // worked on.
    SteadyTime awaited_since() const noexcept { return awaited_since_; }

    // Until receive_request() has something to read, or would fail at once.  Costs less memory than to wait in there.
    asio::awaitable<void> await_request();
    // The next REQUEST's text; nothing where the client closed properly.  still_pending: a PING or a KEY_UPDATE came,
    // and no request yet.
    asio::awaitable<Result<std::optional<std::string>>> receive_request();
    asio::awaitable<Result<void>> send_response(std::string text);
    // A PONG that nobody asked for: the response takes long, and the client is not to take us for gone.
    asio::awaitable<Result<void>> send_sign_of_life() { return write_pong(); }
    // Queues an EVENT; returns at once.  False, and the connection is over, where 64 wait already.
    bool post_event(std::string text);

    // --- Both ---

    // `length` bytes of DATA from `source`, and DATA_END.
    asio::awaitable<Result<void>> send_bulk(std::uint64_t length, BulkSource source);
    // DATA up to DATA_END, `length` bytes by the rules of BulkReceiver, to `sink`.
    asio::awaitable<Result<BulkReceived>> receive_bulk(std::uint64_t length, BulkSink sink);
    // Drops DATA until DATA_END: of a stream that was refused, at once or in the middle.
    asio::awaitable<Result<void>> discard_bulk();

    // CLOSE (nothing: done), the end of our sending, and the socket is closed.  Never waits longer than a second for
    // a peer that does not read.  Fine to call at any time; without a handshake an ALERT goes out instead.
    asio::awaitable<void> close(std::optional<Errc> why = std::nullopt);
    // At once, without a word.  Whatever is under way fails with `why`.
    void abort(Error why);
    // Vault: gives up a client that owes a message of the handshake; accept_handshake() fails with `why`.  One that
    // owes nothing stays.
    void evict(Errc why);
    // If a receive_request() or next_event() waits between two messages, now or later, it fails with cancelled, and the
    // connection itself goes on (so that it can be closed with a word).
    void interrupt_idle();
    // No operation goes on past `when`: for --timeout.  kNever takes it back.
    void expire_at(SteadyTime when);

private:
    class Turn;
    struct Batch;
    struct Message {
        RecordType type = RecordType::close;  // close: the other end closed properly
        std::string text;
    };
    Connection(Socket socket, Side me, std::shared_ptr<const ConnectionLimits> limits);

    void stir();
    void notify_turns();
    SteadyTime sweep(SteadyTime now) override;
    void end(Error why);
    Error failed_to(std::string_view doing, const std::error_code& error) const;
    tl::unexpected<Error> broken(Error why);
    Error over() const;
    void set_deadline(SteadyTime& deadline, std::chrono::milliseconds wait);
    void stop_waiting(Error why);
    void await_answer(std::chrono::milliseconds in_all);
    Result<void> set_idle_deadline();
    void establish(TrafficSecret send, TrafficSecret receive);

    bool in_record() const noexcept;
    std::size_t take_ahead(MutableBytes into);
    Result<std::size_t> read_done(std::size_t size, const std::error_code& error);
    void header_came(std::size_t size, Phase phase);
    asio::awaitable<Result<std::size_t>> read_some(MutableBytes into);
    asio::awaitable<Result<std::size_t>> read_header(Phase phase);
    asio::awaitable<Result<void>> read_body(MutableBytes frame);
    asio::awaitable<Result<Bytes>> read_clear_frame();
    asio::awaitable<Error> read_late_alert(Error otherwise);
    asio::awaitable<Result<Bytes>> ask(ByteView frame);
    asio::awaitable<Result<Record>> read_record(bool may_idle);
    asio::awaitable<Result<std::optional<Record>>> take_frame(MutableBytes frame);
    asio::awaitable<Result<Message>> read_message(bool may_idle);
    asio::awaitable<Result<std::string>> read_response();
    Result<void> keep_event();
    Result<std::optional<Record>> sort_bulk_record(const Record& record);
    asio::awaitable<Result<Record>> read_bulk_record();
    asio::awaitable<Result<std::size_t>> read_ready(MutableBytes into);
    asio::awaitable<Result<MutableBytes>> read_bulk_frame(Batch& batch, std::size_t certain);

    asio::awaitable<Turn> take_turn();
    asio::awaitable<Result<void>> write(ByteView bytes);
    asio::awaitable<Result<void>> write_key_update_if_due();
    asio::awaitable<Result<void>> write_message(RecordType type, std::string text);
    asio::awaitable<Result<void>> write_data_end(std::uint64_t total);
    asio::awaitable<Result<void>> write_pong();
    asio::awaitable<Result<void>> write_batch(MutableBytes frames, std::size_t records);
    asio::awaitable<Result<void>> send_bulk_while(std::uint64_t length, BulkSource source, std::function<bool()> go_on);
    asio::awaitable<void> flush(std::shared_ptr<Connection> self);
    void start_flush();

    Socket socket_;
    Side me_;
    bool knows_vault_ = false;
    std::shared_ptr<const ConnectionLimits> limits_;
    Peer peer_;
    DeadlineSweeper& sweeper_;
    std::unique_ptr<const Error> failure_;

    std::unique_ptr<ClientHandshake> client_handshake_;
    std::optional<RecordSealer> sealer_;
    std::optional<RecordOpener> opener_;
    MessageAssembler assembler_;

    // Reading.
    std::array<std::byte, kFrameHeaderSize> header_{};
    std::size_t header_have_ = 0;
    Bytes frame_;                   // the frame that the last record lies in; empty while idle
    std::optional<Bytes> message_;  // the message that the last record completed
    Bytes ahead_;                   // read with a bulk stream that was refused; empty otherwise
    std::size_t ahead_taken_ = 0;   // of it; less than all
    asio::cancellation_signal waiting_;
    bool idling_ = false;                // waits between two messages, and may be told to stop
    SteadyTime awaited_since_ = kNever;  // vault: awaited_since()
    bool evicted_ = false;               // vault: evict()
    bool heard_ = false;                 // a record was opened
    std::unique_ptr<const Error> stop_;  // why the wait was told to stop
    bool idle_stopped_ = false;          // interrupt_idle()
    std::optional<BulkReceiver> bulk_;
    // Lists: a deque takes half a kilobyte while it is empty.
    std::list<std::string> events_;  // client: kept for next_event()
    std::size_t event_bytes_ = 0;    // as kept_event_bytes() counts them

    // Writing: first come, first served.
    std::unique_ptr<Signal> turn_changed_;  // once somebody had to wait for a turn
    std::uint64_t next_ticket_ = 0;
    std::uint64_t served_ticket_ = 0;
    bool flushing_ = false;
    bool closing_ = false;
    bool ping_due_ = false;
    std::list<std::string> outgoing_;  // vault: events

    bool stirred_ = false;  // a record came or went since sweep() looked
    SteadyTime rest_at_ = kNever;
    SteadyTime read_deadline_ = kNever;
    SteadyTime write_deadline_ = kNever;
    SteadyTime handshake_deadline_ = kNever;
    SteadyTime expiry_ = kNever;
    SteadyTime owed_by_ = kNever;       // client: when what the vault owes, a RESPONSE or DATA, must begin to come
    SteadyTime owed_at_last_ = kNever;  // how far a PONG may put that off
    SteadyTime event_wait_ = kNever;    // next_event()'s own end, which ends nothing else
    SteadyTime next_ping_ = kNever;
};

}  // namespace sat
