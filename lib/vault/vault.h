// What a vault does, for one connection or for the operator, without a socket: sat-vaultd drives it from worker
// threads, the unit tests directly.  Steps 5 to 11 of the eleven happen behind this header.
// docs/protocol.md, "Requests" and "The transfer's rules"; docs/storage.md for what lies on the disk.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/time.h"
#include "ledger/artwork_id.h"
#include "ledger/identity.h"
#include "vault/vault_keys.h"
#include "wire/messages.h"

namespace sat {

// What expire_due() came to.
struct Sweep {
    std::optional<UnixTime> next;  // deadline
    std::vector<Error> failures;   // nobody else hears of them
};

// What one wallet may have.  Judged where it grows, so a smaller one takes nothing away.  docs/protocol.md, "Limits".
struct Quotas {
    std::uint64_t works = 10'000;                    // that it registered, whoever owns them now
    std::uint64_t bytes = std::uint64_t{256} << 30;  // of plaintext, likewise
    std::uint64_t claims = 500;                      // open ones of its own, on all works together
    // IDs in a day (of UTC) that became no works: each leaves a row behind for ever.
    std::uint64_t ids_a_day = 1000;
};

struct VaultOptions {
    Path data;  // the vault's directory: keys/, catalogue, image_store/, metadata_store/, leaves
    std::optional<Path>
        duplicate;  // a second directory, on another disk: duplicate_store/, duplicate_metadata_store/, leaves
    std::uint64_t max_artwork_bytes = std::uint64_t{4} << 30;  // largest plaintext taken
    std::uint64_t reserve_bytes = std::uint64_t{64} << 20;     // free space never touched by uploads
    Quotas quotas;
    // Called before each piece of work that open() may have to do, of minutes at most: a start that takes long gets on.
    std::function<void()> getting_on = [] {};
};

// Who is at the other end of a connection, after CLIENT_FINISHED.
struct Caller {
    Wallet wallet;
    std::shared_ptr<const IdentityChain> chain;
    std::string address;  // numeric, as the socket saw it
    std::uint16_t port = 0;
};

// A key of a newcomer's in full: 11 ms of a processor (3072 bits) to 21 ms (4096).  key_policy.
using KeyCheck = std::function<Result<void>()>;

struct VaultStatus {
    std::uint64_t works = 0;
    std::uint64_t bytes = 0;  // sum of plaintext sizes
    std::uint64_t open_claims = 0;
    TreeHead ledger;
    std::uint64_t uploads = 0;  // under way
    int copies = 1;
};

// A file that a request found bad.
struct HealEvent {
    ArtworkId artwork;
    std::string part;     // "image", "metadata"
    std::string problem;  // names no title and no person
    bool healed = false;  // from the other copy; else it is lost, or could not be written
};

class Vault;

// One authenticated connection's dealings.  One thread at a time; the Vault outlives it.  Destroyed with an upload
// under way, it frees its room; what was received is kept where the client named it, else dropped.
class VaultSession {
public:
    VaultSession(Vault& vault, Caller caller);
    ~VaultSession();
    VaultSession(VaultSession&&) noexcept;
    VaultSession& operator=(VaultSession&&) = delete;

    // After Vault::admit(): the chain is the catalogue's to keep, and read again for each request that needs keys.
    // Between requests caller() has none.
    void leave_chain();

    // What a request leads to.
    struct Outcome {
        enum class Next {
            respond,    // send `response`
            receive,    // upload.data was taken: feed receive() until DATA_END, then send what end_receive() gives
            work,       // upload.resume was taken: call go_on() until it gives a response, and send that
            discard,    // upload.data was refused: send `response`, drop DATA until DATA_END
            transmit,   // send `response`, then bulk from read(), then DATA_END
            subscribe,  // send `response`; from now on events for caller().wallet go to this connection
            // End the connection without a word; `response` says why, for the log.  interrupted: what was asked for is
            // done, and the disk failed before it could be told.
            hang_up,
            halt,  // contradicted(): close this connection and all others with `internal`; `response` likewise
        };
        Next next = Next::respond;
        Response response;
        std::uint64_t bulk_size = 0;  // bytes of the stream that comes (receive), or that read() will give (transmit)
    };

    // Blocks on disk and RSA: call it on a worker thread.  Never throws; every failure is a response.
    Outcome handle(const Request& request);

    // The next piece of a long work, on a worker, some milliseconds; nothing while there is more.
    std::optional<Response> go_on();

    // DATA of an upload.  An error is the response to upload.data: send it and discard until DATA_END.
    Result<void> receive(ByteView data);
    Response end_receive(std::uint64_t total);

    // The next bytes of a transmission, as many as `out` holds or as are left.  An error (the disk failed; held) ends
    // the connection.
    Result<std::size_t> read(MutableBytes out);

    const Caller& caller() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Thread-safe.
class Vault {
public:
    using Clock = std::function<UnixTime()>;
    // Called from worker threads, after the transaction that made it true was committed; must not block or call back.
    using Notify = std::function<void(const Wallet& to, const Event& event)>;

    // Opens or creates what lies in the directories, finishes or removes what a crash left, writes the leaves files'
    // tails. busy: another process has it; config: keys and data do not belong together, an unknown format, or data
    // that a checkpoint or a leaves file contradicts; io_error.
    static Result<std::unique_ptr<Vault>> open(VaultOptions options, VaultKeys keys, Clock clock);
    ~Vault();

    const VaultKeys& keys() const noexcept;
    const VaultOptions& options() const noexcept;
    UnixTime now() const;
    void set_notify(Notify notify);
    // Called from a thread of the vault's own; must not call back.
    using HealReport = std::function<void(const HealEvent& event)>;
    void set_heal_report(HealReport report);

    // After CLIENT_FINISHED: what has to succeed before admit(), none for an identity that is known; they refer to
    // `caller`.  A rolled-back or contradicting chain of a known wallet is key_policy; contradicted(): internal;
    // storage_full: the disk is down to its reserve, and nobody new comes in.
    Result<std::vector<KeyCheck>> key_checks(const Caller& caller);
    // Whether admit() has nothing to write, and so waits for nobody.  io_error.
    Result<bool> remembers(const Caller& caller);
    // Remembers a new identity; true where the chain goes on from the known one: whoever came in with that one is to be
    // sent away.  As key_checks().
    Result<bool> admit(const Caller& caller);

    // The newest note, for SERVER_HELLO; never waits for the disk.
    std::string checkpoint() const;
    // Whether the ledger is, or begins with, the tree that a client has seen (CLIENT_FINISHED).
    Result<bool> agrees(const TreeHead& seen) const;
    // Somebody has shown a checkpoint of the vault's own that its ledger contradicts: it serves nobody any more.
    bool contradicted() const noexcept;

    // Expires claims whose deadline has passed, telling both sides, and uploads that do not get on, and tries again
    // what a full disk kept from the leaves files, or of a contradiction.  Called by the daemon's timer; every use case
    // judges deadlines by itself as well.
    Sweep expire_due();

    // The operator's.  hold and release append a leaf signed by the `log` key; idempotent (held already: state).
    Result<void> hold(const ArtworkId& artwork, const std::string& reason);
    Result<void> release(const ArtworkId& artwork, const std::string& reason);
    VaultStatus status() const;

private:
    friend class VaultSession;
    struct Impl;
    explicit Vault(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace sat
