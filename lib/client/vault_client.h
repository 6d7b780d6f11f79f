// A client's dealings with one vault: the session, trust in its key, and every method of docs/protocol.md, "Requests",
// with what a client has to verify ("Who verifies what") done before anything is returned.
//
// Every connection begins with the vault's checkpoint, which has to go on from the one kept in the home; what a call
// relies on or reports as done has been proved to be in the ledger under it (docs/protocol.md, "Checkpoints").  A
// checkpoint that was shown on a connection which ended before it was proved is proved on the next.
//
// Synchronous: each call runs the connection's io_context until it is done, the signal descriptor fires, or a limit
// passes.  One thread.  A person is asked with no connection open, except inside ask_beside().
//
// Errors of every call, unless it says more: the codes of a RESPONSE; interrupted, timeout (the connection ended or
// fell silent; trying again is safe); unreachable; cancelled (the signal descriptor); malformed, unexpected, too_large
// (the vault broke a rule); bad_signature, bad_statement, hash_mismatch, envelope_invalid (what it gave does not hold);
// checkpoint_inconsistent (its ledger contradicts what it showed before: the evidence is kept, and the connection
// over).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "client/identity_cache.h"
#include "client/key_home.h"
#include "client/known_vaults.h"
#include "client/work.h"
#include "crypto/hash.h"
#include "envelope/envelope.h"
#include "ledger/certificate.h"
#include "net/address.h"
#include "wire/messages.h"

namespace sat {

struct VerifiedCheckpoint;

// Bytes done, bytes in all.
using ProgressFunction = std::function<void(std::uint64_t done, std::uint64_t total)>;
// The next plaintext, after its chunk's tag was verified.  An error ends the transfer.
using PlaintextSink = std::function<Result<void>(ByteView plaintext)>;

struct VaultClientOptions {
    Address address;
    TrustPolicy trust;
    std::string agent;  // "sat-collector/1.0.0"
    // How long the vault may be silent, from the first packet on; nothing: the protocol's own limits.
    std::optional<std::chrono::seconds> timeout;
    // Becomes readable when the process shall stop; every call then fails with cancelled.  -1: none.
    int stop_fd = -1;
    // Asks a person whether to trust an unknown vault's key; called with no connection open.  Null: nobody to ask.
    std::function<Result<bool>(const Wallet& vault)> ask_trust;
};

// What a caller has of an image already.
struct FetchedBeginning {
    std::uint64_t bytes = 0;  // whole chunks: a multiple of 16,384, at most the image's size
    Sha256 hash;              // of them
};

// An image on its way in.
struct UploadSource {
    int fd = -1;  // a regular file, read from its beginning
    Path path;
    Registration draft;  // of which artwork, bytes and sha256 are filled in here
    // Asked once, after the image was sent, and may wait for it; its error ends the upload.  Empty: no preview.
    std::function<Result<std::optional<Bytes>>()> preview;
    struct stat seen {};  // the file as it was before `draft` and `preview` were made of it
};

// Told of an upload on its way; each may be empty.
struct UploadObserver {
    ProgressFunction progress;
    // Of so much the vault has the beginning already.
    ProgressFunction resuming;
    // For a person: what became of an earlier run.
    std::function<void(const std::string& text)> note;
};

struct UploadResult {
    Work work;
    std::string receipt;  // JWS
    std::int64_t copies = 1;
    bool found = false;  // an earlier run had stored it; nothing was sent
};

class VaultClient {
public:
    // `home` and `identities` outlive the client.
    VaultClient(const KeyHome& home, IdentityCache& identities, KemPrivateKey kem, VaultClientOptions options);
    ~VaultClient();
    VaultClient(VaultClient&&) noexcept;
    VaultClient& operator=(VaultClient&&) = delete;

    // --- The session ---

    // Dials, judges the vault's key, shakes hands, verifies its checkpoint, and files the key where it is new.
    // vault_key_changed; vault_key_unknown: nobody to ask, or they said no; malformed: no checkpoint.  An open
    // connection is closed first.
    Result<void> connect();
    bool connected() const noexcept;
    // Ends this connection at `when`, whatever is under way (timeout); the clock's latest time takes it back.  Of a
    // connection that comes after it nothing is said.
    void expire_at(std::chrono::steady_clock::time_point when);
    // With a word to the vault.
    void close();

    const IdentityChain& vault() const;
    const Wallet& vault_wallet() const { return vault().wallet(); }
    const Address& address() const noexcept;
    // The vault's clock, told at the handshake and run on since.
    UnixTime vault_now() const;
    std::uint64_t max_artwork_bytes() const;

    // --- Any method, nothing verified ---

    template <typename R>
    Result<typename R::Reply> call(const R& request) {
        SAT_TRY_VALUE(const std::string text, exchange(encode_request(request)));
        return parse_reply<R>(text);
    }
    // For what is signed and so idempotent: where the answer was lost, once more over a new connection.  Where that
    // fails too, the first failure.
    template <typename R>
    Result<typename R::Reply> call_surely(const R& request) {
        auto reply = call(request);
        if (reply || !is_lost(reply.error().code)) return reply;
        const auto again = reconnect();
        if (!again && again.error().code == Errc::checkpoint_inconsistent) return fail(again.error());
        if (!again) return reply;
        return call(request);
    }

    // --- The ledger ---

    // The newest checkpoint verified: of this connection, or of the last one.
    const TreeHead& tree_head() const;
    const std::string& checkpoint() const;
    // Asks for a newer one.
    Result<void> refresh_checkpoint();
    // The leaf stands under a verified checkpoint, a new one where it has to be.  bad_statement: the vault says that it
    // does not.
    Result<void> prove_included(const LeafHash& leaf);
    // The work's certificate, verified, at the newest checkpoint; or at `cosigned`, a checkpoint of this vault's with
    // cosignatures, of which those of `witnesses` are taken over.
    Result<Certificate> certify(const ArtworkId& artwork, const std::optional<std::string>& cosigned = {},
                                std::span<const WitnessKey> witnesses = {});
    // Entries of the ledger from `from` on, as many as the vault gives at a time, at least one.
    Result<std::vector<std::string>> get_entries(std::uint64_t from);
    // The newest checkpoint goes on from `note`, an earlier one of this vault's that somebody kept or was given.
    Result<void> require_continuation(const std::string& note);
    // Asks for the chains of those who signed the ledger's entries; `again` where one is at hand that may have grown.
    Result<void> learn_signers(std::span<const std::string> entries, bool again = false);
    // Keeps what somebody found the vault to contradict itself by, shows the vault `kept`, a note of its own, and ends
    // the connection.  The error to go on with; every later connect() gives it too.
    Error accuse(const std::string& kept, const std::string& shown) { return contradiction(kept, shown).value(); }
    // Null where it is not at hand.
    const IdentityChain* find_identity(const Wallet& wallet);

    // --- Works (steps 6 to 8) ---

    // A page.  bad_statement: a work of another owner than `query` asks for; malformed, too_large: pages that, one
    // asked for with the cursor of the other, do not go on or do not end.
    Result<VerifiedWorks> list_works(const ArtworkListRequest& query);
    Result<Work> get_work(const ArtworkId& artwork);
    // All leaves, verified from the registration on.  too_large: more than 100,000, or 64 MiB.
    Result<History> get_history(const ArtworkId& artwork);
    // The same, and every leaf of it in the ledger.
    Result<History> get_history_in_ledger(const ArtworkId& artwork);
    // Both, agreeing on registration, owner, head and seq, the owner's leaf in the ledger; asked for again where a
    // transfer came between.  bad_statement: they contradict each other.
    struct ProvedWork {
        Work work;
        History history;
    };
    Result<ProvedWork> get_proved_work(const ArtworkId& artwork);
    // The preview that the registration names; nothing where it names none.  hash_mismatch.
    Result<std::optional<Bytes>> get_preview(const Work& work);
    // The image, chunk by chunk, behind `have`; fails with hash_mismatch after the last where it is not what the artist
    // signed, so that what `sink` took may be kept only when this returns well.
    Result<void> fetch_image(const Work& work, FetchedBeginning have, const PlaintextSink& sink,
                             const ProgressFunction& progress);

    // --- Upload (steps 3 to 5) ---

    // Seals and sends in constant memory, signs the registration, verifies receipt and first leaf.  Goes on with what
    // the vault kept of an earlier run, and finds the work of one whose receipt was lost.  content_too_large;
    // input_unreadable: the file changed while it was read; config: the home does not take what has to be kept.
    Result<UploadResult> upload(const UploadSource& source, const SigningKey& key, const UploadObserver& observer);
    // The same, one of many, but for what is done once for several of them: keep_checkpoint() before anybody is told of
    // them, forget_commits() when all of them are done.
    Result<UploadResult> upload_of_many(const UploadSource& source, const SigningKey& key,
                                        const UploadObserver& observer);
    // Files the checkpoint that came with the last receipt, over a new connection where this one has ended.
    Result<void> keep_checkpoint();
    // Until then a later run finds what upload_of_many() stored, and stores it no second time.
    Result<void> forget_commits();

    // --- Claims (steps 8 to 11) ---

    // All of both; too_large: more than 512 MiB.  malformed: pages that do not go on.
    Result<std::vector<VerifiedClaim>> my_claims(const std::optional<ArtworkId>& artwork);
    Result<std::vector<VerifiedClaim>> inbox();
    Result<VerifiedClaim> get_claim(const StatementId& id);
    // Of the work's present owner, for `life` from the vault's now.
    Result<VerifiedClaim> open_claim(const ProvedWork& work, const std::optional<std::string>& message,
                                     std::chrono::seconds life, const SigningKey& key);
    Result<VerifiedClaim> withdraw_claim(const VerifiedClaim& claim, const SigningKey& key);
    // A yes is given only to a claim that the work's verified history bears out (head_moved), on the work that the
    // claim was shown with (bad_statement), by a collector who was shown the same ledger.
    Result<VerifiedClaim> answer_claim(const VerifiedClaim& claim, bool yes, const std::optional<std::string>& reason,
                                       const SigningKey& key);
    // Step 11: accepts a confirmed claim of ours with our metadata, from an owner who was shown the same ledger;
    // verifies receipt and new leaf.
    Result<VerifiedClaim> accept_claim(const VerifiedClaim& claim, const SigningKey& key);
    // For a claim that the vault calls completed: the work's verified history, and the ledger, hold its transfer.
    // bad_statement.
    Result<void> prove_completed(const VerifiedClaim& claim);

    // --- Waiting (steps 9 and 10) ---

    // From now on this connection gets events.  Read inbox() or my_claims() after it: nothing falls between.
    Result<void> subscribe();
    // The next claim that changed; nothing when `wait` is over.
    Result<std::optional<VerifiedClaim>> next_change(std::chrono::milliseconds wait);
    // Runs `question` on a thread of its own while the connection is kept alive, events kept for next_change(), up
    // to 8 MiB: past that the connection ends (overloaded).  It may have ended when this returns.
    void ask_beside(const std::function<void()>& question);

    // Verifies what came from elsewhere than the calls above.
    Result<VerifiedClaim> verify(const ClaimItem& item);

private:
    struct Impl;

    static bool is_lost(Errc code) noexcept;
    Result<void> reconnect();
    // `working` as in Connection::request().
    Result<std::string> exchange(const std::string& request,
                                 std::optional<std::chrono::milliseconds> working = std::nullopt);
    Result<void> take_checkpoint(const std::string& note);
    Result<void> join(const VerifiedCheckpoint& fresh, const MerkleProof* given);
    Result<void> file_checkpoint(const VerifiedCheckpoint& fresh, std::optional<TreeHead> joined);
    Result<void> take_proved_checkpoint(const std::string& note, const MerkleProof& proof);
    Result<void> take_inclusion(const LeafHash& leaf, const LedgerInclusionReply& reply);
    Result<void> prove_unproved();
    // Another process of this home may have found some since this one connected.
    Result<void> require_no_evidence() const;
    Result<bool> is_continued(const TreeHead& older, const TreeHead& newer, const MerkleProof* given = nullptr);
    Result<void> compare(const VerifiedCheckpoint& older, const VerifiedCheckpoint& newer,
                         const MerkleProof* given = nullptr);
    Result<void> check_seen(const std::optional<TreeHead>& seen, const std::string& statement);
    tl::unexpected<Error> contradiction(const std::string& kept, const std::string& shown);
    struct WorkLeaves {
        std::vector<std::string> entries;
        History history;
    };
    Result<WorkLeaves> read_history(const ArtworkId& artwork);
    Result<void> learn(std::vector<Wallet> wallets, bool again = false);
    Result<std::vector<VerifiedClaim>> verify_all(const std::vector<ClaimItem>& items);
    Result<UploadResult> upload_once(const UploadSource& source, const SigningKey& key, const UploadObserver& observer);
    class UploadNames;
    struct BegunUpload;
    Result<std::variant<BegunUpload, UploadResult>> begin_or_resume(const UploadSource& source,
                                                                    const Registration& registration,
                                                                    UploadNames& names, const UploadObserver& observer);
    Result<Digest> send_data(const UploadSource& source, std::uint64_t size, BegunUpload begun,
                             const UploadObserver& observer);
    Result<UploadResult> commit_upload(UploadCommitRequest commit, bool proves, const UploadNames& names);
    Result<UploadBeginReply> begin_upload(const Registration& registration, const Digest& name,
                                          std::chrono::seconds patience);
    Result<bool> resume_upload(const UploadSource& source, std::uint64_t offered, Sealer& sealer, Sha256& hash);
    Result<std::optional<UploadResult>> settle_commit(const UploadCommitRequest& commit);
    Result<UploadResult> prove_registered(const Signed<Registration>& mine, const UploadCommitReply& reply,
                                          bool proves);
    Result<Receipt> check_receipt(const std::string& jws, const StatementId& of, ReceiptStatus status) const;

    std::unique_ptr<Impl> impl_;
};

}  // namespace sat
