// SAT-KEM/1: the handshake, as two state machines without a socket.  Frames go in and out whole, as bytes.
// docs/protocol.md, "Handshake".
//
//     client                                             vault
//     on_identity        <------ IDENTITY -------------  party.identity_frame(), the same for every connection
//     (compare vault().wallet with the pin)
//     hello              ------- CLIENT_HELLO -------->  on_client_hello        RSA: on a worker thread
//     on_server_hello    <------ SERVER_HELLO ---------
//                        ------- CLIENT_FINISHED ----->  on_client_finished
//     established                                        established
//
// A step out of its order is unexpected.  Every failure is final: after it each step is unexpected.  Where the other
// end sent ALERT instead, the step fails with alert_error() and peer_alerted() is true; else the caller may send
// encode_alert(alert_code(error.code)) before it closes.
// From Decap on, whatever is wrong is the one error handshake_failed with the one text, at both ends.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "ledger/identity.h"
#include "ledger/statement.h"
#include "wire/frame.h"
#include "wire/key_schedule.h"
#include "wire/limits.h"

namespace sat {

// The exts.  Members that version 1 does not know are ignored when read; more than 4,096 bytes, another kind of value
// or a missing member is a failure.
struct ClientHelloExt {
    std::optional<std::string> agent;  // at most 64 ASCII characters: "sat-collector/1.0.0"
    bool operator==(const ClientHelloExt&) const = default;
};

struct ServerLimits {
    std::uint64_t artwork_bytes = 0;  // the largest plaintext that the vault takes
    std::uint64_t preview_bytes = kMaxPreviewSize;
    bool operator==(const ServerLimits&) const = default;
};

struct ServerHelloExt {
    UnixTime time = 0;  // the vault's clock, by which deadlines are judged
    ServerLimits limits;
    std::optional<std::string> checkpoint;  // a C2SP signed note, not verified here
    bool operator==(const ServerHelloExt&) const = default;
};

struct ClientFinishedExt {
    std::optional<TreeHead> seen;  // the newest checkpoint that the client has verified
    bool operator==(const ClientFinishedExt&) const = default;
};

// What one end brings to every handshake.  Immutable; shared by connections and threads; outlives their handshakes.
class HandshakeParty {
public:
    // Asserts that `kem` is the newest `kem` of the chain.
    HandshakeParty(IdentityChain chain, KemPrivateKey kem);

    const IdentityChain& chain() const noexcept { return chain_; }
    const KemPrivateKey& kem() const noexcept { return kem_; }
    // A vault's IDENTITY, sent to whoever connects.
    const Bytes& identity_frame() const noexcept { return identity_frame_; }

private:
    IdentityChain chain_;
    KemPrivateKey kem_;
    Bytes identity_frame_;
};

// What a handshake draws, given instead: for vectors.  The ciphertext is given too, because OAEP draws its seed inside
// OpenSSL; it must be OAEP(key, m, label) for the other end to agree.
struct FixedRandomnessForTests {
    SecretBytes ephemeral;  // X25519 private key
    SecretBytes m;          // 32 bytes
    Bytes ciphertext;
};

// What the client has when it is done.
struct ClientEstablished {
    IdentityChain vault;
    ServerHelloExt ext;
    TrafficSecret send;
    TrafficSecret receive;
};

class ClientHandshake {
public:
    // Asserts that the agent has at most 64 printable ASCII characters.
    ClientHandshake(const HandshakeParty& me, ClientHelloExt ext);
    ClientHandshake(const HandshakeParty& me, ClientHelloExt ext, FixedRandomnessForTests fixed);
    ClientHandshake(ClientHandshake&&) noexcept;
    ~ClientHandshake();

    // Verifies IDENTITY: a chain that proves its wallet, of kind vault, that is not our own.  Whether it is the vault
    // that was meant is for the caller to decide, before hello().
    // malformed; the chain's own failures as IdentityChain gives them; handshake_failed where it is our own wallet.
    Result<void> on_identity(ByteView frame);
    // The chain that on_identity() verified; asserts that it did.
    const IdentityChain& vault() const;
    // CLIENT_HELLO: one RSA public operation.
    Result<Bytes> hello();
    // Verifies SERVER_HELLO, server_finished above all, and gives CLIENT_FINISHED.  One RSA private operation.
    Result<Bytes> on_server_hello(ByteView frame, const ClientFinishedExt& ext = {});
    // Once, after on_server_hello().
    Result<ClientEstablished> established();

    bool peer_alerted() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// What the vault has when it is done.  Whether the wallet is admitted, and the full check of a new identity's keys,
// is the caller's to judge now, not before.
struct VaultEstablished {
    IdentityChain client;
    ClientHelloExt hello;
    ClientFinishedExt finished;
    TrafficSecret send;
    TrafficSecret receive;
};

class VaultHandshake {
public:
    explicit VaultHandshake(const HandshakeParty& me);
    VaultHandshake(const HandshakeParty& me, FixedRandomnessForTests fixed);
    VaultHandshake(VaultHandshake&&) noexcept;
    ~VaultHandshake();

    // CLIENT_HELLO to SERVER_HELLO: one RSA private and one public operation and the chain's signatures, several ms.
    // malformed, unexpected, version, unknown_vault_key before Decap; handshake_failed for everything from there on.
    Result<Bytes> on_client_hello(ByteView frame, const ServerHelloExt& ext);
    // malformed, unexpected; handshake_failed.  Cheap.
    Result<void> on_client_finished(ByteView frame);
    // Once, after on_client_finished().
    Result<VaultEstablished> established();

    bool peer_alerted() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sat
