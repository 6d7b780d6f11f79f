// SPDX-License-Identifier: Apache-2.0
#include "support/peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/assert.h"
#include "client/key_home.h"
#include "ledger/note.h"
#include "wire/messages.h"

namespace sat::test {

Person load_person(const Path& home) {
    const auto keys = KeyHome::open(home);
    SAT_ASSERT(keys.has_value());
    auto sign = keys->unlock_sign(nullptr);
    auto kem = keys->unlock_kem(nullptr);
    SAT_ASSERT(sign.has_value() && kem.has_value());
    return {*sign, HandshakeParty(keys->chain(), *kem)};
}

Json Message::json() const {
    const auto json = parse_json(as_text(body));
    SAT_ASSERT(json.has_value());
    return *json;
}

Session::Session(Socket socket, TrafficSecret send, TrafficSecret receive, Side peer)
    : socket_(std::move(socket)), sealer_(std::move(send), now_unix()), opener_(std::move(receive), peer) {}

std::optional<Message> Session::receive(Duration patience) {
    const auto end = Clock::now() + patience;
    for (;;) {
        auto frame = socket_.receive_frame(end - Clock::now());
        if (!frame) return std::nullopt;
        const auto record = opener_.open(*frame);
        if (!record) return std::nullopt;
        auto message = assembler_.add(*record);
        if (!message) return std::nullopt;
        switch (record->type) {
            case RecordType::ping:
                if (!socket_.send(sealer_.pong())) return std::nullopt;
                break;
            case RecordType::pong:
                ++pongs_;
                break;
            case RecordType::key_update:
                break;
            case RecordType::request:
            case RecordType::response:
            case RecordType::event:
                if (*message) return Message{record->type, std::move(**message)};
                break;
            default:
                return Message{record->type, to_bytes(record->body)};
        }
    }
}

bool Session::send(RecordType type, std::string_view text) {
    const auto frames = sealer_.message(type, as_bytes(text));
    SAT_ASSERT(frames.has_value());
    return socket_.send(*frames);
}

bool Session::send_data(ByteView body) {
    Bytes frame(kRecordPrefix);
    append(frame, body);
    frame.resize(frame.size() + kRecordTagSize);
    sealer_.data_in_place(frame);
    return socket_.send(frame);
}

bool Session::send_bulk(ByteView stream) {
    const std::uint64_t total = stream.size();
    while (!stream.empty()) {
        const std::size_t size = std::min(stream.size(), kDataBody);
        if (!send_data(stream.first(size))) return false;
        stream = stream.subspan(size);
    }
    return socket_.send(sealer_.data_end(total));
}

Json Session::request(std::string_view method, const Json& parameters, Duration patience) {
    if (!send(RecordType::request, dump_json(Json{{"m", method}, {"p", parameters}}))) return nullptr;
    const auto end = Clock::now() + patience;
    for (;;) {
        const auto message = receive(end - Clock::now());
        if (!message || message->type == RecordType::close) return nullptr;
        if (message->type == RecordType::event) events_.push_back(message->json());
        if (message->type == RecordType::response) return message->json();
    }
}

std::optional<Json> Session::next_event(Duration patience) {
    const auto end = Clock::now() + patience;
    while (events_.empty()) {
        const auto message = receive(end - Clock::now());
        if (!message || message->type == RecordType::close) return std::nullopt;
        if (message->type == RecordType::event) events_.push_back(message->json());
    }
    Json event = std::move(events_.front());
    events_.pop_front();
    return event;
}

std::optional<Session> open_session(const Address& vault, const Person& person, const std::string& source,
                                    Duration patience) {
    Socket socket = Socket::connect(vault, source);
    if (!socket) return std::nullopt;
    ClientHandshake handshake(person.party, {});
    const auto identity = socket.receive_frame(patience);
    if (!identity || !handshake.on_identity(*identity)) return std::nullopt;
    const auto hello = handshake.hello();
    if (!hello || !socket.send(*hello)) return std::nullopt;
    const auto answer = socket.receive_frame(patience);
    if (!answer) return std::nullopt;
    const auto finished = handshake.on_server_hello(*answer);
    if (!finished || !socket.send(*finished)) return std::nullopt;
    auto established = handshake.established();
    if (!established) return std::nullopt;
    Session session(std::move(socket), std::move(established->send), std::move(established->receive), Side::vault);
    session.set_checkpoint(established->ext.checkpoint.value_or(""));
    return session;
}

int error_code(const Json& response) {
    if (!response.is_object() || !response.contains("e")) return 0;
    return response["e"]["code"].get<int>();
}

std::string ok_response(const Json& result) { return dump_json(Json{{"ok", true}, {"r", result}}); }

std::string error_response(int code, std::string_view name) {
    return dump_json(Json{{"ok", false}, {"e", {{"code", code}, {"name", name}}}});
}

RawUpload::Result RawUpload::send(Session& session, const Person& person, const IdentityChain& vault) const {
    Result result;
    result.response = session.request("upload.begin", Json{{"bytes", image.size()}, {"media_type", media_type}});
    if (!result.response.is_object() || error_code(result.response) != 0) return result;
    result.artwork = result.response["r"]["artwork"].get<std::string>();
    const auto artwork = ArtworkId::from_canonical(result.artwork);
    SAT_ASSERT(artwork.has_value());

    Sealer sealer = Sealer::create(*artwork, image.size(), vault.wallet(), vault.kem_key(), Purpose::transit);
    Bytes stream;
    SAT_ASSERT(sealer.seal(image, stream).has_value() && sealer.finish(stream).has_value());
    EnvelopeHeader header = sealer.header();
    if (edit_header) edit_header(header);
    if (edit_stream) edit_stream(stream);
    const Json begin{{"m", "upload.data"}, {"p", {{"header", to_base64url(header.encode())}}}};
    if (!session.send(RecordType::request, dump_json(begin))) return result;
    session.send_bulk(stream);
    result.response = nullptr;
    while (const auto message = session.receive()) {
        if (message->type != RecordType::response) continue;
        result.response = message->json();
        break;
    }
    if (!result.response.is_object() || error_code(result.response) != 0) return result;

    auto body = make_statement<Registration>(person.wallet(), vault.wallet(), now_unix());
    body.artwork = *artwork;
    body.title = title;
    body.description = description;
    body.artist = artist;
    body.file_path = file_path;
    body.media_type = media_type;
    body.bytes = static_cast<decltype(body.bytes)>(image.size());
    body.width = 24;
    body.height = 16;
    body.sha256 = sha256(image);
    if (edit_registration) edit_registration(body);
    result.registration = sign(body, person.sign);
    result.response = session.request("upload.commit", Json{{"registration", result.registration}});
    return result;
}

ScriptedVault::ScriptedVault(Script script)
    : script_(std::move(script)), thread_([this] {
          for (;;) {
              Socket socket = listener_.accept(seconds(3600));
              if (stopping_) return;
              if (!socket) continue;
              ++connections_;
              const std::lock_guard lock(mutex_);
              Served& served = served_.emplace_back();
              served.socket = std::move(socket);
              served.thread = std::thread([this, &served] {
                  script_(served.socket);
                  shutdown(served.socket.fd(), SHUT_RDWR);
              });
          }
      }) {}

ScriptedVault::~ScriptedVault() {
    stopping_ = true;
    listener_.stop();
    thread_.join();
    for (Served& served : served_) {
        shutdown(served.socket.fd(), SHUT_RDWR);
        served.thread.join();
    }
}

std::string empty_checkpoint(const VaultKeys& vault) {
    return sign_checkpoint(vault.chain.wallet(), {0, empty_root()}, vault.log);
}

std::optional<Session> accept_session(Socket& socket, const HandshakeParty& vault, const std::string& checkpoint,
                                      UnixTime now) {
    if (!socket.send(vault.identity_frame())) return std::nullopt;
    const auto hello = socket.receive_frame();
    if (!hello) return std::nullopt;
    VaultHandshake handshake(vault);
    ServerHelloExt ext;
    ext.time = now;
    ext.limits.artwork_bytes = std::uint64_t{4} << 30;
    if (!checkpoint.empty()) ext.checkpoint = checkpoint;
    const auto answer = handshake.on_client_hello(*hello, ext);
    if (!answer || !socket.send(*answer)) return std::nullopt;
    const auto finished = socket.receive_frame();
    if (!finished || !handshake.on_client_finished(*finished)) return std::nullopt;
    auto established = handshake.established();
    if (!established) return std::nullopt;
    // The script's owner closes the descriptor that it knows; the session works on one of its own.
    return Session(Socket(FileDescriptor(dup(socket.fd()))), std::move(established->send),
                   std::move(established->receive), Side::client);
}

void serve_requests(Socket& socket, const HandshakeParty& vault, const std::string& checkpoint, const Answer& answer) {
    auto session = accept_session(socket, vault, checkpoint);
    if (!session) return;
    for (;;) {
        const auto message = session->receive();
        if (!message || message->type == RecordType::close) return;
        if (message->type != RecordType::request) continue;
        const Json request = message->json();
        if (!answer(*session, request["m"].get<std::string>(), request["p"])) return;
    }
}

}  // namespace sat::test
