// A client and a vault made of wire/ and a plain socket: they keep the protocol as far as a test wants them to and then
// break it on purpose.  docs/protocol.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/json.h"
#include "envelope/envelope.h"
#include "ledger/statement.h"
#include "support/socket.h"
#include "vault/vault_keys.h"
#include "wire/handshake.h"
#include "wire/record.h"

namespace sat::test {

// Somebody with keys: a client of the raw kind.
struct Person {
    SigningKey sign;
    HandshakeParty party;

    const Wallet& wallet() const noexcept { return party.chain().wallet(); }
};

// The owner of a client's home whose keys are not encrypted.
Person load_person(const Path& home);

struct Message {
    RecordType type = RecordType::close;
    Bytes body;

    Json json() const;
};

// An authenticated connection, of either end.
class Session {
public:
    Session(Socket socket, TrafficSecret send, TrafficSecret receive, Side peer);

    // The next whole message or record that is none; PING is answered, PONG counted and KEY_UPDATE swallowed.  Nothing
    // at the end of the stream, where patience ends, or where a record does not open.
    std::optional<Message> receive(Duration patience = kPatience);
    bool send(RecordType type, std::string_view text);
    bool send_data(ByteView body);
    bool send_frame(ByteView frame) { return socket_.send(frame); }
    bool send_bulk(ByteView stream);

    // REQUEST and its RESPONSE, whole; null Json where there came none.  Events on the way are kept for next_event().
    Json request(std::string_view method, const Json& parameters, Duration patience = kPatience);
    std::optional<Json> next_event(Duration patience = kPatience);

    // SERVER_HELLO's note, of a session that a client opened.
    const std::string& checkpoint() const noexcept { return checkpoint_; }
    void set_checkpoint(std::string note) { checkpoint_ = std::move(note); }

    std::size_t pongs() const noexcept { return pongs_; }
    RecordSealer& sealer() noexcept { return sealer_; }
    Socket& socket() noexcept { return socket_; }

private:
    Socket socket_;
    RecordSealer sealer_;
    RecordOpener opener_;
    MessageAssembler assembler_;
    std::list<Json> events_;
    std::string checkpoint_;
    std::size_t pongs_ = 0;
};

// Dials and completes the handshake; nothing where the vault ends it.
std::optional<Session> open_session(const Address& vault, const Person& person, const std::string& source = {},
                                    Duration patience = kPatience);

// The members that an application error has: 0 where the answer is no error.
int error_code(const Json& response);

// Answers of a vault: {"ok":true,"r":…} and {"ok":false,"e":{…}}.
std::string ok_response(const Json& result);
std::string error_response(int code, std::string_view name);

// Everything that an upload takes, in its parts, so that a test can alter each.
struct RawUpload {
    Bytes image = {};
    std::string media_type = "image/png";
    std::string title = "raw";
    std::string artist = "Raw Artist";
    std::string description = {};
    std::string file_path = "raw.png";
    std::function<void(EnvelopeHeader&)> edit_header = {};
    std::function<void(Bytes&)> edit_stream = {};
    std::function<void(Registration&)> edit_registration = {};

    // The answer to the last request that was sent, the commit where all went well.
    struct Result {
        std::string artwork;  // empty where upload.begin was refused
        Json response;
        std::string registration;
    };
    Result send(Session& session, const Person& person, const IdentityChain& vault) const;
};

// A vault whose every connection is a function's to serve.
class ScriptedVault {
public:
    using Script = std::function<void(Socket&)>;

    explicit ScriptedVault(Script script);
    ~ScriptedVault();
    ScriptedVault(const ScriptedVault&) = delete;
    ScriptedVault& operator=(const ScriptedVault&) = delete;

    std::string address() const { return listener_.address().str(); }
    int connections() const noexcept { return connections_; }

private:
    struct Served {
        Socket socket;
        std::thread thread;
    };
    Script script_;
    Listener listener_;
    std::atomic<bool> stopping_ = false;
    std::atomic<int> connections_ = 0;
    std::mutex mutex_;
    std::list<Served> served_;
    std::thread thread_;
};

// Of a ledger without leaves: what a scripted vault may show to clients that never met it.
std::string empty_checkpoint(const VaultKeys& vault);

// The vault's handshake by its rules, with `checkpoint` in SERVER_HELLO (empty: none); nothing where the client ends
// it.
std::optional<Session> accept_session(Socket& socket, const HandshakeParty& vault, const std::string& checkpoint,
                                      UnixTime now = now_unix());

// Serves REQUESTs with `answer`, which sends what it wants on the session and returns false to end the connection.
using Answer = std::function<bool(Session& session, const std::string& method, const Json& parameters)>;
void serve_requests(Socket& socket, const HandshakeParty& vault, const std::string& checkpoint, const Answer& answer);

}  // namespace sat::test
