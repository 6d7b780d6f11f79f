// A connection: see connection.h.
// SPDX-License-Identifier: Apache-2.0
#include "net/connection.h"

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <cstring>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "base/codec.h"
#include "net/address.h"
#include "wire/frame.h"

namespace sat {

namespace {

using namespace std::chrono_literals;

// The limit on waiting to write holds for each such piece, not for a whole page or batch.
constexpr std::size_t kWritePiece = kFrameHeaderSize + kMaxRecordFrameBody;
constexpr std::size_t kRecordSlot = kFrameHeaderSize + kMaxRecordFrameBody;
// A CLOSE that the peer does not take is not worth more.
constexpr auto kCloseWait = 1000ms;
constexpr auto kLongestWait = std::chrono::hours(24 * 365);
constexpr std::size_t kMaxBatch = 8;
static_assert(kMaxBatch + 2 < kRekeyMargin);
// Padded like every control record.
constexpr std::size_t kDataEndFrame = kFrameHeaderSize + kControlPadding + kRecordTagSize;

SteadyTime after(std::chrono::milliseconds wait) { return std::chrono::steady_clock::now() + wait; }

// The epochs' hour is counted on the steady clock.
UnixTime steady_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

asio::mutable_buffer buffer_of(MutableBytes bytes) { return {bytes.data(), bytes.size()}; }
asio::const_buffer buffer_of(ByteView bytes) { return {bytes.data(), bytes.size()}; }

Side other(Side side) { return side == Side::client ? Side::vault : Side::client; }

// Bytes that are sure to come of a bulk stream that `left` bytes are missing of: the frames of at most `records` DATA,
// and that of DATA_END if it is reached.  Other records may come between them, none is missing.
std::size_t certain_bytes(std::uint64_t left, std::size_t records) {
    std::size_t bytes = 0;
    for (; records > 0 && left > 0; --records) {
        const auto body = static_cast<std::size_t>(std::min<std::uint64_t>(left, kDataBody));
        bytes += kRecordOverhead + body;
        left -= body;
    }
    return records > 0 ? bytes + kDataEndFrame : bytes;
}

}  // namespace

// The right to write; given up when destroyed, to whoever asked first.
class Connection::Turn {
public:
    explicit Turn(Connection& connection) : connection_(&connection) {}
    Turn(Turn&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
        if (!connection_) return;
        ++connection_->served_ticket_;
        connection_->notify_turns();
    }

private:
    Connection* connection_;
};

// Records of a bulk stream that are filled, or emptied, together.
struct Connection::Batch {
    Bytes bytes;
    std::vector<MutableBytes> parts;
    std::size_t used = 0;  // bytes of whole frames
    std::size_t read = 0;  // bytes that came, of one that is received: the frames and what follows them

    MutableBytes rest() { return MutableBytes(bytes).subspan(used, read - used); }
    // Begins anew with what another one, or itself, has behind its frames.
    void begin_with(MutableBytes rest) {
        std::memmove(bytes.data(), rest.data(), rest.size());
        parts.clear();
        used = 0;
        read = rest.size();
    }
};

std::shared_ptr<Connection> Connection::create(Socket socket, Side me, ConnectionLimits limits) {
    return create_with(std::move(socket), me, std::make_shared<const ConnectionLimits>(limits));
}

std::shared_ptr<Connection> Connection::create_with(Socket socket, Side me,
                                                    std::shared_ptr<const ConnectionLimits> limits) {
    return std::shared_ptr<Connection>(new Connection(std::move(socket), me, std::move(limits)));
}

Connection::Connection(Socket socket, Side me, std::shared_ptr<const ConnectionLimits> limits)
    : socket_(std::move(socket)),
      me_(me),
      limits_(std::move(limits)),
      sweeper_(DeadlineSweeper::of(socket_.get_executor())) {
    SAT_ASSERT(limits_->batch >= 1 && limits_->batch <= kMaxBatch && limits_->rest > 0ms);
    std::error_code ignored;
    // Small messages wait for an answer: Nagle's algorithm would hold them back.
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    // Bulk streams try before they wait.
    socket_.non_blocking(true, ignored);
    const auto endpoint = socket_.remote_endpoint(ignored);
    peer_ = Peer{address_text(endpoint.address()), endpoint.port()};
    sweeper_.add(*this);
}

Connection::~Connection() { sweeper_.remove(*this); }

const IdentityChain& Connection::vault() const {
    SAT_ASSERT(knows_vault_ && client_handshake_);
    return client_handshake_->vault();
}

// --- The end of it, and the waits ---

void Connection::end(Error why) {
    if (failure_) return;
    failure_ = std::make_unique<const Error>(std::move(why));
    std::error_code ignored;
    socket_.close(ignored);
    sweeper_.remove(*this);
    notify_turns();
    outgoing_.clear();
}

Error Connection::over() const {
    return failure_ ? *failure_ : Error{Errc::interrupted, "the connection is closed", {}};
}

tl::unexpected<Error> Connection::broken(Error why) {
    end(std::move(why));
    return fail(over());
}

Error Connection::failed_to(std::string_view doing, const std::error_code& error) const {
    if (me_ == Side::client && !knows_vault_)
        return {Errc::unreachable, "the vault closed the connection before it said who it is", {}};
    if (error == asio::error::eof || error == asio::error::connection_reset || error == asio::error::broken_pipe)
        return {Errc::interrupted, "the other end closed the connection in the middle", {}};
    return {Errc::interrupted, "the connection failed to " + std::string(doing) + ": " + error.message(), {}};
}

SteadyTime Connection::sweep(SteadyTime now) {
    if (now >= std::min(read_deadline_, handshake_deadline_)) evict(Errc::timeout);
    const SteadyTime limit = std::min({read_deadline_, write_deadline_, handshake_deadline_, expiry_});
    if (now >= limit) {
        const bool before_session = me_ == Side::client && !established();
        const char* what = now >= write_deadline_ ? "the other end takes nothing" : "the other end is silent";
        if (now >= expiry_) what = "the time for it is over";
        end({before_session ? Errc::unreachable : Errc::timeout, what, {}});
        return kNever;
    }
    if (now >= event_wait_) {
        event_wait_ = kNever;
        if (idling_) stop_waiting({Errc::still_pending, "nothing came", {}});
    }
    if (now >= next_ping_) {
        next_ping_ = now + limits_->ping;
        ping_due_ = true;
        start_flush();
    }
    if (now >= rest_at_) {
        rest_at_ = kNever;
        if (std::exchange(stirred_, false)) {
            stir();
            stirred_ = false;
        } else {
            rest();
        }
    }
    return std::min({limit, event_wait_, next_ping_, rest_at_});
}

// A record comes or goes.  All connections of a context look at the same moments whether they rest.
void Connection::stir() {
    stirred_ = true;
    if (rest_at_ != kNever) return;
    const auto grain = std::chrono::duration_cast<SteadyTime::duration>(limits_->rest);
    const auto next = std::chrono::steady_clock::now().time_since_epoch() / grain + 1;
    rest_at_ = SteadyTime(next * grain);
    sweeper_.wake_at(rest_at_);
}

void Connection::rest() noexcept {
    if (sealer_) sealer_->rest();
    if (opener_) opener_->rest();
    if (next_ticket_ == served_ticket_) turn_changed_.reset();
}

void Connection::set_deadline(SteadyTime& deadline, std::chrono::milliseconds wait) {
    deadline = after(wait);
    sweeper_.wake_at(deadline);
}

void Connection::expire_at(SteadyTime when) {
    expiry_ = when;
    if (!failure_ && when != kNever) sweeper_.wake_at(when);
}

void Connection::abort(Error why) { end(std::move(why)); }

// Client: from now on the vault owes an answer, or more of a stream.  What it sends instead, EVENTs say, could be
// without end; PONGs alone put the answer off, and no further than `in_all`.
void Connection::await_answer(std::chrono::milliseconds in_all) {
    if (me_ != Side::client) return;
    owed_by_ = after(limits_->idle);
    owed_at_last_ = std::max(owed_by_, after(in_all));
}

// Between two records.  A peer that sends without a pause is seen here alone: the sweeper finds it in the middle of a
// record each time.
Result<void> Connection::set_idle_deadline() {
    const auto now = std::chrono::steady_clock::now();
    if (now >= owed_by_) return broken({Errc::timeout, "the vault does not answer", {}});
    read_deadline_ = std::min(now + limits_->idle, owed_by_);
    sweeper_.wake_at(read_deadline_);
    return {};
}

void Connection::stop_waiting(Error why) {
    stop_ = std::make_unique<const Error>(std::move(why));
    waiting_.emit(asio::cancellation_type::total);
}

void Connection::interrupt_idle() {
    idle_stopped_ = true;
    if (idling_ && !failure_) stop_waiting({Errc::cancelled, "stopped while it was idle", {}});
}

void Connection::evict(Errc why) {
    if (awaited_since_ == kNever || failure_) return;
    awaited_since_ = kNever;
    read_deadline_ = kNever;
    handshake_deadline_ = kNever;
    const char* what = "its part of the handshake did not come in time";
    if (why == Errc::overloaded) what = "made room for another connection";
    if (why == Errc::going_away) what = "the vault stops";
    // Who does not even read is told nothing.
    if (write_deadline_ != kNever) return end({why, what, {}});
    evicted_ = true;
    stop_waiting({why, what, {}});
}

// --- Reading ---

// What was read ahead of its turn, at most as much as `into` holds.
std::size_t Connection::take_ahead(MutableBytes into) {
    const ByteView left = ByteView(ahead_).subspan(ahead_taken_);
    const std::size_t size = std::min(into.size(), left.size());
    std::copy_n(left.begin(), size, into.begin());
    ahead_taken_ += size;
    if (size == left.size()) {
        ahead_ = Bytes();
        ahead_taken_ = 0;
    }
    return size;
}

asio::awaitable<Result<std::size_t>> Connection::read_some(MutableBytes into) {
    if (failure_) co_return fail(*failure_);
    if (!ahead_.empty()) co_return take_ahead(into);
    std::error_code error;
    auto token = asio::redirect_error(asio::bind_cancellation_slot(waiting_.slot(), asio::use_awaitable), error);
    const std::size_t size = co_await socket_.async_read_some(buffer_of(into), token);
    co_return read_done(size, error);
}

// What a wait for bytes came to.
Result<std::size_t> Connection::read_done(std::size_t size, const std::error_code& error) {
    if (failure_) return fail(*failure_);
    // Its place has been given away, whatever had just been read.
    if (evicted_ && stop_) return fail(*std::exchange(stop_, nullptr));
    if (size > 0) {
        stop_.reset();  // the word to stop came too late
        return size;
    }
    // Told to stop, and nothing was read: the connection itself goes on.
    if (stop_ && error == asio::error::operation_aborted) return fail(*std::exchange(stop_, nullptr));
    return broken(failed_to("read", error));
}

// The first bytes of a header, or more of them.
void Connection::header_came(std::size_t size, Phase phase) {
    if (header_have_ == 0) {
        idling_ = false;
        // A message's time begins with its first byte; one of several records keeps the time that it has.
        if (phase == Phase::record && !assembler_.in_message()) set_deadline(read_deadline_, limits_->message);
    }
    header_have_ += size;
}

// The size of the next frame's body; header_ keeps what came of it, so that a wait that was stopped loses nothing.
asio::awaitable<Result<std::size_t>> Connection::read_header(Phase phase) {
    while (header_have_ < header_.size()) {
        const MutableBytes rest = MutableBytes(header_).subspan(header_have_);
        SAT_CO_TRY_VALUE(const std::size_t size, co_await read_some(rest));
        header_came(size, phase);
    }
    header_have_ = 0;
    auto size = frame_body_size(header_, phase);
    // In the handshake a vault still says what was wrong.
    if (!size && phase == Phase::handshake) co_return fail(std::move(size.error()));
    if (!size) co_return broken(co_await read_late_alert(std::move(size.error())));
    co_return std::size_t{*size};
}

// What a frame that is too short for a record is: in the place of the vault's first one an ALERT, of a vault that
// refused CLIENT_FINISHED or did not wait for it; else `otherwise`.
asio::awaitable<Error> Connection::read_late_alert(Error otherwise) {
    if (me_ != Side::client || heard_ || ByteReader(header_).u32() != kAlertBody) co_return otherwise;
    Bytes frame(kFrameHeaderSize + kAlertBody);
    const auto read = co_await read_body(frame);
    if (!read) co_return read.error();
    const auto alert = parse_alert(frame);
    co_return alert ? alert_error(*alert) : otherwise;
}

// `frame`: the header is put in front, the rest read.
asio::awaitable<Result<void>> Connection::read_body(MutableBytes frame) {
    std::ranges::copy(header_, frame.begin());
    MutableBytes rest = frame.subspan(kFrameHeaderSize);
    while (!rest.empty()) {
        SAT_CO_TRY_VALUE(const std::size_t size, co_await read_some(rest));
        rest = rest.subspan(size);
    }
    co_return Result<void>();
}

asio::awaitable<Result<Bytes>> Connection::read_clear_frame() {
    SAT_CO_TRY_VALUE(const std::size_t size, co_await read_header(Phase::handshake));
    Bytes frame(kFrameHeaderSize + size);
    SAT_CO_TRY(co_await read_body(frame));
    co_return frame;
}

// The next record that is not the connection's own business, and in message_ the message that it completes.  It lies
// in frame_.
asio::awaitable<Result<Record>> Connection::read_record(bool may_idle) {
    for (;;) {
        // await_request() may have read what began it.
        if (!assembler_.in_message() && header_have_ == 0) {
            SAT_CO_TRY(set_idle_deadline());
            if (may_idle && idle_stopped_) co_return fail(Errc::cancelled, "stopped while it was idle");
            idling_ = may_idle;
        }
        auto size = co_await read_header(Phase::record);
        idling_ = false;
        if (!size) co_return fail(std::move(size.error()));
        frame_.resize(kFrameHeaderSize + *size);
        SAT_CO_TRY(co_await read_body(frame_));
        const bool was_quiet = !stirred_;
        SAT_CO_TRY_VALUE(const std::optional<Record> record, co_await take_frame(frame_));
        if (record) co_return *record;
        frame_ = Bytes();
        // Whoever waits for a request does that in await_request().  Contexts that were kept for some seconds after a
        // PING would lie in the heap between what stays, and leave holes there; to a peer that sends one after the
        // other they are not given up and computed each time.
        if (me_ == Side::vault && may_idle && !in_record()) {
            if (was_quiet) rest();
            co_return fail(Errc::still_pending, "nothing but the connection's own business came");
        }
    }
}

// The record of a whole frame, opened in place, and in message_ the message that it completes; nothing where it is the
// connection's own business or a message goes on behind it.
asio::awaitable<Result<std::optional<Record>>> Connection::take_frame(MutableBytes frame) {
    message_.reset();
    stir();
    auto record = opener_->open(frame);
    if (!record) co_return broken(std::move(record.error()));
    heard_ = true;
    auto message = assembler_.add(*record);
    if (!message) co_return broken(std::move(message.error()));
    const RecordType type = record->type;
    if (type == RecordType::ping) {
        read_deadline_ = kNever;
        SAT_CO_TRY(co_await write_pong());
    }
    if (type == RecordType::pong && owed_by_ != kNever) owed_by_ = std::min(after(limits_->idle), owed_at_last_);
    const bool own_business = type == RecordType::ping || type == RecordType::pong || type == RecordType::key_update;
    const bool part = is_message_type(type) && !*message;
    if (part || own_business) co_return std::optional<Record>();
    read_deadline_ = kNever;
    message_ = std::move(*message);
    co_return std::optional<Record>(*record);
}

Result<void> Connection::keep_event() {
    std::string text = to_string(*message_);
    event_bytes_ += kept_event_bytes(text);
    if (event_bytes_ > kMaxKeptEventBytes)
        return broken({Errc::overloaded, "too many events wait to be looked at", {}});
    events_.push_back(std::move(text));
    return {};
}

asio::awaitable<Result<Connection::Message>> Connection::read_message(bool may_idle) {
    auto record = co_await read_record(may_idle);
    if (!record) co_return fail(std::move(record.error()));
    Message message;
    message.type = record->type;
    if (message_) message.text = to_string(*message_);
    if (message.type == RecordType::close) {
        if (const auto reason = record->close_reason()) co_return broken(alert_error(*reason));
    } else if (!is_message_type(message.type)) {
        co_return broken({Errc::unexpected, "bulk data came where a message belongs", {}});
    }
    frame_ = Bytes();
    if (message.type != RecordType::event) message_.reset();
    co_return message;
}

// What a record that came in a bulk stream is to it: nothing where it is kept for later.
Result<std::optional<Record>> Connection::sort_bulk_record(const Record& record) {
    switch (record.type) {
        case RecordType::data:
        case RecordType::data_end:
            return std::optional<Record>(record);
        case RecordType::event:
            SAT_TRY(keep_event());
            return std::optional<Record>();
        case RecordType::close: {
            const auto reason = record.close_reason();
            if (reason) return broken(alert_error(*reason));
            return broken({Errc::interrupted, "the other end closed the connection in the middle", {}});
        }
        default:
            return broken({Errc::unexpected, "a message came where bulk data belongs", {}});
    }
}

// One record at a time, into frame_.
asio::awaitable<Result<Record>> Connection::read_bulk_record() {
    for (;;) {
        auto record = co_await read_record(false);
        if (!record) co_return fail(std::move(record.error()));
        SAT_CO_TRY_VALUE(const std::optional<Record> sorted, sort_bulk_record(*record));
        if (sorted) co_return *sorted;
    }
}

// Whatever is there, without a way through the reactor; where nothing is, waits until read_deadline_.
asio::awaitable<Result<std::size_t>> Connection::read_ready(MutableBytes into) {
    if (!ahead_.empty()) co_return take_ahead(into);
    for (;;) {
        if (failure_) co_return fail(*failure_);
        std::error_code error;
        const std::size_t size = socket_.read_some(buffer_of(into), error);
        if (!error) co_return size;
        if (error != asio::error::would_block && error != asio::error::try_again)
            co_return broken(failed_to("read", error));
        error.clear();
        co_await socket_.async_wait(Socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
        if (failure_) co_return fail(*failure_);
        if (error) co_return broken(failed_to("read", error));
    }
}

// The next frame of a batch, in one go with as many bytes behind it as are `certain` to be this stream's, counted from
// the frame's own first.  Empty where it does not fit behind the others.
asio::awaitable<Result<MutableBytes>> Connection::read_bulk_frame(Batch& batch, std::size_t certain) {
    // A message's time goes on from its first record.
    bool timed = assembler_.in_message() && read_deadline_ != kNever;
    for (;;) {
        const MutableBytes have = batch.rest();
        std::size_t frame = kFrameHeaderSize;
        if (have.size() >= kFrameHeaderSize) {
            auto size = frame_body_size(ByteView(have).first<kFrameHeaderSize>(), Phase::record);
            if (!size) co_return broken(std::move(size.error()));
            frame += *size;
            if (have.size() >= frame) {
                batch.used += frame;
                co_return have.first(frame);
            }
        }
        const std::size_t room = batch.bytes.size() - batch.used;
        if (frame > room) {
            read_deadline_ = kNever;  // whatever is waited for next is not the peer
            co_return MutableBytes();
        }
        // As for every other record: idle until its first byte, then the time of a message until its last.
        if (have.empty() && !assembler_.in_message()) {
            SAT_CO_TRY(set_idle_deadline());
        } else if (!std::exchange(timed, true)) {
            set_deadline(read_deadline_, limits_->message);
        }
        const std::size_t wanted = std::min(std::max(frame, certain), room) - have.size();
        SAT_CO_TRY_VALUE(const std::size_t size,
                         co_await read_ready(MutableBytes(batch.bytes).subspan(batch.read, wanted)));
        batch.read += size;
    }
}

// --- Writing ---

asio::awaitable<Connection::Turn> Connection::take_turn() {
    const std::uint64_t ticket = next_ticket_++;
    while (served_ticket_ != ticket && !failure_) {
        if (!turn_changed_) turn_changed_ = std::make_unique<Signal>(executor());
        co_await turn_changed_->wait();
    }
    if (!failure_) stir();
    co_return Turn(*this);
}

void Connection::notify_turns() {
    if (turn_changed_) turn_changed_->notify();
}

// By whoever has the turn.  What the kernel takes at once goes without a way through the reactor.
asio::awaitable<Result<void>> Connection::write(ByteView bytes) {
    std::size_t piece = 0;  // what is left of the piece that the deadline holds for
    while (!bytes.empty()) {
        if (failure_) co_return fail(*failure_);
        std::error_code error;
        const std::size_t size = socket_.write_some(buffer_of(bytes), error);
        if (error == asio::error::would_block || error == asio::error::try_again) {
            if (piece == 0) {
                piece = kWritePiece;
                set_deadline(write_deadline_, limits_->write);
            }
            error.clear();
            co_await socket_.async_wait(Socket::wait_write, asio::redirect_error(asio::use_awaitable, error));
        }
        if (failure_) co_return fail(*failure_);
        if (error) {
            write_deadline_ = kNever;
            co_return broken(failed_to("write", error));
        }
        bytes = bytes.subspan(size);
        piece -= std::min(piece, size);
        if (piece == 0) write_deadline_ = kNever;
    }
    write_deadline_ = kNever;
    co_return Result<void>();
}

asio::awaitable<Result<void>> Connection::write_key_update_if_due() {
    if (failure_) co_return fail(*failure_);
    if (sealer_->needs_key_update(steady_seconds())) {
        const Bytes frame = sealer_->key_update(steady_seconds());
        SAT_CO_TRY(co_await write(frame));
    }
    co_return Result<void>();
}

asio::awaitable<Result<void>> Connection::write_message(RecordType type, std::string text) {
    const Turn turn = co_await take_turn();
    SAT_CO_TRY(co_await write_key_update_if_due());
    auto frames = sealer_->message(type, as_bytes(text));
    if (!frames) co_return broken({Errc::internal, "a message of ours is larger than the protocol allows", {}});
    text = std::string();
    co_return co_await write(*frames);
}

asio::awaitable<Result<void>> Connection::write_data_end(std::uint64_t total) {
    const Turn turn = co_await take_turn();
    SAT_CO_TRY(co_await write_key_update_if_due());
    const Bytes frame = sealer_->data_end(total);
    co_return co_await write(frame);
}

asio::awaitable<Result<void>> Connection::write_pong() {
    const Turn turn = co_await take_turn();
    SAT_CO_TRY(co_await write_key_update_if_due());
    const Bytes frame = sealer_->pong();
    co_return co_await write(frame);
}

// DATA frames that lie back to back, each whole but perhaps the last; sealed here, where they lie.
asio::awaitable<Result<void>> Connection::write_batch(MutableBytes frames, std::size_t records) {
    const Turn turn = co_await take_turn();
    SAT_CO_TRY(co_await write_key_update_if_due());
    for (std::size_t i = 0; i < records; ++i) {
        const MutableBytes rest = frames.subspan(i * kDataFrame);
        sealer_->data_in_place(rest.first(std::min(rest.size(), kDataFrame)));
    }
    co_return co_await write(frames);
}

void Connection::start_flush() {
    if (flushing_ || closing_ || failure_) return;
    flushing_ = true;
    asio::co_spawn(socket_.get_executor(), flush(shared_from_this()), [](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
    });
}

// What comes from nobody's operation: events and PINGs.
asio::awaitable<void> Connection::flush(std::shared_ptr<Connection> self) {
    while (!failure_ && !closing_ && (ping_due_ || !outgoing_.empty())) {
        if (std::exchange(ping_due_, false)) {
            const Turn turn = co_await take_turn();
            if (failure_) break;
            // A watcher may send nothing else for days, and its keys have an age too.
            const auto updated = co_await write_key_update_if_due();
            if (!updated) break;
            const Bytes frame = sealer_->ping();
            const auto written = co_await write(frame);
            if (!written) break;
        } else {
            std::string text = std::move(outgoing_.front());
            outgoing_.pop_front();
            const auto written = co_await write_message(RecordType::event, std::move(text));
            if (!written) break;
        }
    }
    self->flushing_ = false;
}

bool Connection::post_event(std::string text) {
    if (failure_ || closing_) return false;
    if (outgoing_.size() >= kMaxQueuedEvents) {
        end({Errc::overloaded, "it does not read its events", {}});
        return false;
    }
    outgoing_.push_back(std::move(text));
    start_flush();
    return true;
}

// --- The handshake ---

void Connection::establish(TrafficSecret send, TrafficSecret receive) {
    sealer_.emplace(std::move(send), steady_seconds(), limits_->epoch);
    opener_.emplace(std::move(receive), other(me_), limits_->epoch);
    stir();
    handshake_deadline_ = kNever;
    read_deadline_ = kNever;
    if (me_ == Side::client) set_deadline(next_ping_, limits_->ping);
}

asio::awaitable<Result<void>> Connection::receive_identity(const HandshakeParty& me, ClientHelloExt ext) {
    SAT_ASSERT(me_ == Side::client && !client_handshake_);
    set_deadline(read_deadline_, limits_->identity);
    auto frame = co_await read_clear_frame();
    if (!frame) co_return broken(std::move(frame.error()));
    set_deadline(handshake_deadline_, limits_->handshake);
    read_deadline_ = kNever;
    client_handshake_ = std::make_unique<ClientHandshake>(me, std::move(ext));
    auto checked = client_handshake_->on_identity(*frame);
    if (!checked) co_return broken(std::move(checked.error()));
    knows_vault_ = true;
    co_return Result<void>();
}

asio::awaitable<Result<ServerHelloExt>> Connection::finish_handshake(ClientFinishedExt ext) {
    SAT_ASSERT(knows_vault_ && !established());
    if (failure_) co_return fail(*failure_);
    auto hello = client_handshake_->hello();
    if (!hello) co_return broken(std::move(hello.error()));
    SAT_CO_TRY(co_await write(*hello));
    auto frame = co_await read_clear_frame();
    if (!frame) co_return broken(std::move(frame.error()));
    auto finished = client_handshake_->on_server_hello(*frame, ext);
    if (!finished) {
        if (!client_handshake_->peer_alerted()) {
            const Bytes alert = encode_alert(alert_code(finished.error().code));
            const auto told = co_await write(alert);
            if (!told) end(finished.error());
        }
        co_return broken(std::move(finished.error()));
    }
    SAT_CO_TRY(co_await write(*finished));
    auto session = client_handshake_->established();
    if (!session) co_return broken(std::move(session.error()));
    establish(std::move(session->send), std::move(session->receive));
    co_return std::move(session->ext);
}

// Vault: sends `frame`, and the client owes the frame that it returns.
asio::awaitable<Result<Bytes>> Connection::ask(ByteView frame) {
    awaited_since_ = std::chrono::steady_clock::now();
    SAT_CO_TRY(co_await write(frame));
    auto answer = co_await read_clear_frame();
    awaited_since_ = kNever;
    co_return answer;
}

asio::awaitable<Result<ClientIdentity>> Connection::accept_handshake(const HandshakeParty& me,
                                                                     std::function<ServerHelloExt()> ext,
                                                                     asio::thread_pool& workers) {
    SAT_ASSERT(me_ == Side::vault && !established());
    set_deadline(handshake_deadline_, limits_->handshake);
    set_deadline(read_deadline_, limits_->hello);
    auto hello = co_await ask(me.identity_frame());
    read_deadline_ = kNever;
    if (!hello) co_return fail(std::move(hello.error()));

    VaultHandshake handshake(me);
    const ServerHelloExt answer = ext();
    auto work = [&handshake, &hello, &answer] { return handshake.on_client_hello(*hello, answer); };
    auto server_hello = co_await on_worker(workers, work);
    if (!server_hello) {
        if (handshake.peer_alerted()) end(server_hello.error());
        co_return fail(std::move(server_hello.error()));
    }
    SAT_CO_TRY_VALUE(const Bytes finished, co_await ask(*server_hello));
    auto checked = handshake.on_client_finished(finished);
    if (!checked) {
        if (handshake.peer_alerted()) end(checked.error());
        co_return fail(std::move(checked.error()));
    }
    auto session = handshake.established();
    if (!session) co_return fail(std::move(session.error()));
    establish(std::move(session->send), std::move(session->receive));
    co_return ClientIdentity{std::move(session->client), std::move(session->hello), std::move(session->finished)};
}

// --- Messages ---

asio::awaitable<Result<void>> Connection::send_request(std::string text) {
    co_return co_await write_message(RecordType::request, std::move(text));
}

asio::awaitable<Result<void>> Connection::send_response(std::string text) {
    co_return co_await write_message(RecordType::response, std::move(text));
}

asio::awaitable<Result<std::string>> Connection::receive_response() {
    await_answer(0ms);
    co_return co_await read_response();
}

asio::awaitable<Result<std::string>> Connection::read_response() {
    for (;;) {
        auto message = co_await read_message(false);
        if (!message) co_return fail(std::move(message.error()));
        if (message->type == RecordType::response) {
            owed_by_ = kNever;
            co_return std::move(message->text);
        }
        if (message->type == RecordType::close)
            co_return broken({Errc::interrupted, "the vault closed the connection in the middle", {}});
        SAT_CO_TRY(keep_event());
    }
}

asio::awaitable<Result<std::string>> Connection::request(std::string text,
                                                         std::optional<std::chrono::milliseconds> working) {
    SAT_CO_TRY(co_await send_request(std::move(text)));
    await_answer(working ? *working + limits_->alive : 0ms);
    co_return co_await read_response();
}

asio::awaitable<Result<std::optional<std::string>>> Connection::next_event(std::chrono::milliseconds wait) {
    if (!events_.empty()) {
        std::string text = std::move(events_.front());
        events_.pop_front();
        event_bytes_ -= kept_event_bytes(text);
        co_return std::optional<std::string>(std::move(text));
    }
    if (failure_) co_return fail(*failure_);
    set_deadline(event_wait_, std::min<std::chrono::milliseconds>(wait, kLongestWait));
    auto message = co_await read_message(true);
    event_wait_ = kNever;
    if (!message) {
        if (message.error().code == Errc::still_pending) co_return std::optional<std::string>();
        co_return fail(std::move(message.error()));
    }
    if (message->type == RecordType::event) co_return std::optional<std::string>(std::move(message->text));
    if (message->type == RecordType::close)
        co_return broken({Errc::interrupted, "the vault closed the connection", {}});
    co_return broken({Errc::unexpected, "a response came that nobody asked for", {}});
}

bool Connection::in_record() const noexcept { return assembler_.in_message() || header_have_ > 0 || !ahead_.empty(); }

asio::awaitable<void> Connection::await_request() {
    if (failure_ || idle_stopped_ || in_record()) co_return;
    if (!set_idle_deadline()) co_return;
    idling_ = true;
    std::error_code error;
    auto token = asio::redirect_error(asio::bind_cancellation_slot(waiting_.slot(), asio::use_awaitable), error);
    const std::size_t size = co_await socket_.async_read_some(buffer_of(MutableBytes(header_)), token);
    // What is over, or was told to stop, says so again to whoever reads.
    const auto read = read_done(size, error);
    idling_ = false;
    if (read) header_came(*read, Phase::record);
}

asio::awaitable<Result<std::optional<std::string>>> Connection::receive_request() {
    auto message = co_await read_message(true);
    if (!message) co_return fail(std::move(message.error()));
    if (message->type == RecordType::close) co_return std::optional<std::string>();
    co_return std::optional<std::string>(std::move(message->text));
}

// --- Bulk ---

// Stops before a batch for which `go_on` says no; DATA_END follows in any case.
asio::awaitable<Result<void>> Connection::send_bulk_while(std::uint64_t length, BulkSource source,
                                                          std::function<bool()> go_on) {
    BulkSender plan(length);  // what was given to the source
    BulkSender sent(length);  // what went out
    auto lay_out = [&plan, this](Batch& batch) {
        batch.parts.clear();
        batch.used = 0;
        if (plan.next_size() == 0) return;
        batch.bytes.resize(limits_->batch * kDataFrame);  // the first time; the same size ever after
        while (batch.parts.size() < limits_->batch && plan.next_size() > 0) {
            const std::size_t size = plan.next_size();
            batch.parts.push_back(MutableBytes(batch.bytes).subspan(batch.used + kRecordPrefix, size));
            batch.used += size + kRecordOverhead;
            plan.sent();
        }
    };
    Batch current;
    Batch next;
    lay_out(current);
    if (!current.parts.empty()) {
        auto filled = co_await source(current.parts);
        if (!filled) co_return broken(std::move(filled.error()));
    }
    while (!current.parts.empty() && go_on()) {
        std::optional<Background<Result<void>>> filling;
        lay_out(next);
        if (!next.parts.empty()) filling.emplace(executor(), source(next.parts));
        const auto written =
            co_await write_batch(MutableBytes(current.bytes).first(current.used), current.parts.size());
        Result<void> filled;
        if (filling) filled = co_await filling->join();
        if (!written) co_return written;
        if (owed_by_ != kNever) await_answer(limits_->alive);
        if (!filled) co_return broken(std::move(filled.error()));
        for (std::size_t i = 0; i < current.parts.size(); ++i) sent.sent();
        std::swap(current, next);
    }
    co_return co_await write_data_end(sent.total());
}

asio::awaitable<Result<void>> Connection::send_bulk(std::uint64_t length, BulkSource source) {
    co_return co_await send_bulk_while(length, std::move(source), [] { return true; });
}

asio::awaitable<Result<std::string>> Connection::upload(std::string request, std::uint64_t length, BulkSource source) {
    SAT_CO_TRY(co_await send_request(std::move(request)));
    await_answer(limits_->alive);
    Background<Result<std::string>> answer(executor(), read_response());
    // How the sending ended does not matter: an answer that came before the stream broke is the answer, and without one
    // the reading has failed with the same error.
    [[maybe_unused]] const auto sent =
        co_await send_bulk_while(length, std::move(source), [&answer] { return !answer.done(); });
    co_return co_await answer.join();
}

asio::awaitable<Result<BulkReceived>> Connection::receive_bulk(std::uint64_t length, BulkSink sink) {
    BulkReceiver& rules = bulk_.emplace(length);
    const std::size_t capacity = std::max(limits_->batch * kDataFrame + kDataEndFrame, kRecordSlot);
    Batch current;
    Batch beside;
    std::optional<Background<Result<void>>> sinking;
    std::optional<Error> failure;
    BulkReceived out;
    current.bytes.resize(capacity);
    await_answer(0ms);
    // One step of the stream: whether the batch is to be handed over.
    const auto read_on = [&]() -> asio::awaitable<Result<bool>> {
        const std::size_t certain = certain_bytes(length - rules.received(), limits_->batch - current.parts.size());
        SAT_CO_TRY_VALUE(const MutableBytes frame, co_await read_bulk_frame(current, certain));
        if (frame.empty()) co_return true;
        SAT_CO_TRY_VALUE(const std::optional<Record> taken, co_await take_frame(frame));
        std::optional<Record> record;
        if (taken) {
            SAT_CO_TRY_VALUE(record, sort_bulk_record(*taken));
        }
        if (!record) {
            // Nothing of the stream, and nothing that is waited for: a peer that sends no end of these must not keep
            // the thread from everybody else.
            co_await asio::post(executor(), asio::use_awaitable);
            co_return false;
        }
        await_answer(0ms);
        const bool data = record->type == RecordType::data;
        const auto within = data ? rules.data(record->body.size()) : rules.end(record->total());
        if (!within) co_return broken(within.error());
        if (data) current.parts.push_back(frame.subspan(kRecordPrefix, record->body.size()));
        co_return !data || current.parts.size() == limits_->batch;
    };
    while (!rules.ended() && !failure && !out.refused) {
        auto full = co_await read_on();
        if (!full) failure = std::move(full.error());
        if (!full || !*full) continue;
        if (sinking) {
            auto taken = co_await sinking->join();
            sinking.reset();
            if (!taken) out.refused = std::move(taken.error());
            await_answer(0ms);  // we were not waiting for the vault
        }
        if (!out.refused && !current.parts.empty()) {
            std::swap(current, beside);
            if (current.bytes.empty()) current.bytes.resize(capacity);
            current.begin_with(beside.rest());
            sinking.emplace(executor(), sink(beside.parts));
        } else {
            current.begin_with(current.rest());
        }
    }
    owed_by_ = kNever;
    if (sinking) {
        auto taken = co_await sinking->join();
        if (!taken && !out.refused) out.refused = std::move(taken.error());
    }
    if (failure) {
        // What came before it is whole, and somebody may go on with it.
        if (!out.refused && !current.parts.empty()) (void)co_await sink(std::move(current.parts));
        co_return fail(std::move(*failure));
    }
    // Of a stream that was refused the next bytes may be here already.
    const MutableBytes rest = current.rest();
    ahead_.erase(ahead_.begin(), ahead_.begin() + static_cast<std::ptrdiff_t>(std::exchange(ahead_taken_, 0)));
    ahead_.insert(ahead_.begin(), rest.begin(), rest.end());
    out.total = rules.received();
    if (!out.refused) bulk_.reset();
    co_return out;
}

asio::awaitable<Result<void>> Connection::discard_bulk() {
    // Of a stream that was refused at once nobody knows the length.
    if (!bulk_) bulk_.emplace(std::numeric_limits<std::uint64_t>::max());
    bulk_->abandon();
    while (!bulk_->ended()) {
        auto record = co_await read_bulk_record();
        if (!record) co_return fail(std::move(record.error()));
        const bool data = record->type == RecordType::data;
        const auto within = data ? bulk_->data(record->body.size()) : bulk_->end(record->total());
        frame_ = Bytes();
        if (!within) co_return broken(within.error());
    }
    bulk_.reset();
    co_return Result<void>();
}

// --- The end ---

asio::awaitable<void> Connection::close(std::optional<Errc> why) {
    const auto self = shared_from_this();
    if (failure_ || closing_) co_return;
    closing_ = true;
    if (why) why = established() ? close_code(*why) : alert_code(*why);
    handshake_deadline_ = kNever;
    read_deadline_ = kNever;
    expire_at(std::min(expiry_, after(std::min<std::chrono::milliseconds>(kCloseWait, limits_->write))));
    {
        const Turn turn = co_await take_turn();
        if (failure_) co_return;
        Bytes frame;
        if (established()) {
            frame = sealer_->close(why);
        } else if (why) {
            frame = encode_alert(*why);
        }
        const auto written = co_await write(frame);
        if (!written) co_return;
    }
    std::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    // What the peer sent meanwhile is read and dropped: closing over it would reset the connection, and the reset may
    // overtake the word that says why.
    if (why && me_ == Side::vault) {
        std::array<std::byte, 1024> scratch{};
        while (!failure_) {
            const auto size = co_await read_some(scratch);
            if (!size) break;
        }
    }
    end({Errc::interrupted, "the connection is closed", {}});
}

}  // namespace sat
