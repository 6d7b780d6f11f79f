// Requests, their replies and the events: one struct each, and their JSON.  docs/protocol.md, "Requests",
// "Checkpoints". Statements travel as JWS strings and are not opened here; who may do what is the vault's to judge.  A
// *note* is a SaltedText.
//
// from_json() is strict: every member present and of its kind, sizes and ranges as documented.  Of a request it refuses
// members that are not documented, and takes `?` members that are absent or null; of a reply it ignores unknown ones.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/time.h"
#include "ledger/artwork_id.h"
#include "ledger/commitment.h"
#include "ledger/merkle.h"
#include "ledger/rules.h"
#include "ledger/statement.h"
#include "wire/limits.h"

namespace sat {

// What the vault's socket saw at an upload.
struct Origin {
    std::string sender_ip;  // numeric
    std::uint16_t sender_port = 0;
    bool operator==(const Origin&) const = default;
};

// *work*: an artwork as the vault lists it.
struct WorkItem {
    std::string registration;      // JWS
    std::optional<Origin> origin;  // for the present owner alone
    Wallet owner;
    LeafHash head;
    std::uint64_t seq = 0;
    UnixTime registered_at = 0;
    bool held = false;

    Json to_json() const;
    static Result<WorkItem> from_json(const Json& json);
    bool operator==(const WorkItem&) const = default;
};

// *claim*: a claim with all that belongs to it.
struct ClaimItem {
    std::string claim;  // JWS
    std::optional<SaltedText> claim_text;
    std::optional<std::string> answer;  // JWS
    std::optional<SaltedText> answer_text;
    ClaimState state = ClaimState::pending;
    UnixTime asked_at = 0;
    UnixTime changed_at = 0;
    std::optional<UnixTime> answer_by;  // the next deadline; nothing when it is over
    std::string registration;           // JWS

    Json to_json() const;
    static Result<ClaimItem> from_json(const Json& json);
    bool operator==(const ClaimItem&) const = default;
};

// --- Replies ---

struct IdentityGetReply {
    // In the order asked for; a chain is its documents' JWS, oldest first; nothing for an unknown wallet.
    std::vector<std::optional<std::vector<std::string>>> identities;

    Json to_json() const;
    static Result<IdentityGetReply> from_json(const Json& json);
    bool operator==(const IdentityGetReply&) const = default;
};

struct UploadBeginReply {
    ArtworkId artwork;
    std::uint64_t offset = 0;  // plaintext bytes that the vault kept of it; not 0: upload.resume comes next
    bool proves = false;       // upload.commit may ask for a proof; absent: it may not

    Json to_json() const;
    static Result<UploadBeginReply> from_json(const Json& json);
    bool operator==(const UploadBeginReply&) const = default;
};

struct UploadResumeReply {
    std::uint64_t offset = 0;  // where the data go on, a multiple of 16,384; at most what upload.begin said
    Digest sha256;             // of the plaintext before it

    Json to_json() const;
    static Result<UploadResumeReply> from_json(const Json& json);
    bool operator==(const UploadResumeReply&) const = default;
};

struct UploadDataReply {
    Digest sha256;  // of the plaintext

    Json to_json() const;
    static Result<UploadDataReply> from_json(const Json& json);
    bool operator==(const UploadDataReply&) const = default;
};

// What shows, without another request, that a work just registered stands in the ledger.
struct RegistrationProof {
    UnixTime registered_at = 0;  // with the registration, all of the leaf
    Origin origin;
    std::string checkpoint;   // a note
    std::uint64_t index = 0;  // of the leaf, in the checkpoint's tree
    MerkleProof inclusion;    // of the leaf
    MerkleProof consistency;  // of the tree that was asked from
    bool operator==(const RegistrationProof&) const = default;
};

struct UploadCommitReply {
    std::string receipt;  // JWS
    // Where the request asked for it, but for a repeat.
    std::optional<RegistrationProof> proof = std::nullopt;

    Json to_json() const;
    static Result<UploadCommitReply> from_json(const Json& json);
    bool operator==(const UploadCommitReply&) const = default;
};

struct WorkPage {
    std::vector<WorkItem> items;
    std::optional<std::string> next_cursor;

    Json to_json() const;
    static Result<WorkPage> from_json(const Json& json);
    bool operator==(const WorkPage&) const = default;
};

struct ArtworkPreviewReply {
    std::optional<Bytes> preview;  // JPEG; nothing where the registration has none

    Json to_json() const;
    static Result<ArtworkPreviewReply> from_json(const Json& json);
    bool operator==(const ArtworkPreviewReply&) const = default;
};

struct ArtworkHistoryReply {
    std::vector<std::string> leaves;    // entries, in order
    std::optional<std::uint64_t> next;  // `from` of the next page

    Json to_json() const;
    static Result<ArtworkHistoryReply> from_json(const Json& json);
    bool operator==(const ArtworkHistoryReply&) const = default;
};

struct ArtworkFetchReply {
    Bytes header;  // an envelope header made for the caller; DATA follows

    Json to_json() const;
    static Result<ArtworkFetchReply> from_json(const Json& json);
    bool operator==(const ArtworkFetchReply&) const = default;
};

struct ClaimPage {
    std::vector<ClaimItem> items;
    std::optional<std::string> next_cursor;

    Json to_json() const;
    static Result<ClaimPage> from_json(const Json& json);
    bool operator==(const ClaimPage&) const = default;
};

struct EmptyReply {
    Json to_json() const;
    static Result<EmptyReply> from_json(const Json& json);
    bool operator==(const EmptyReply&) const = default;
};

struct ClaimAcceptReply {
    std::string receipt;  // JWS
    ClaimItem claim;

    Json to_json() const;
    static Result<ClaimAcceptReply> from_json(const Json& json);
    bool operator==(const ClaimAcceptReply&) const = default;
};

// Notes are text of at most kMaxNote bytes, which nobody has opened yet.
struct LedgerCheckpointReply {
    std::string checkpoint;  // note

    Json to_json() const;
    static Result<LedgerCheckpointReply> from_json(const Json& json);
    bool operator==(const LedgerCheckpointReply&) const = default;
};

struct LedgerInclusionReply {
    std::uint64_t index = 0;
    MerkleProof proof;

    Json to_json() const;
    static Result<LedgerInclusionReply> from_json(const Json& json);
    bool operator==(const LedgerInclusionReply&) const = default;
};

struct LedgerConsistencyReply {
    MerkleProof proof;

    Json to_json() const;
    static Result<LedgerConsistencyReply> from_json(const Json& json);
    bool operator==(const LedgerConsistencyReply&) const = default;
};

struct LedgerEntriesReply {
    std::vector<std::string> entries;   // of leaves `from` and following
    std::optional<std::uint64_t> next;  // `from` of the next page

    Json to_json() const;
    static Result<LedgerEntriesReply> from_json(const Json& json);
    bool operator==(const LedgerEntriesReply&) const = default;
};

struct LedgerHeadReply {
    std::string head;        // JWS
    std::string checkpoint;  // note, of the same size

    Json to_json() const;
    static Result<LedgerHeadReply> from_json(const Json& json);
    bool operator==(const LedgerHeadReply&) const = default;
};

// --- Requests ---
// Each has kMethod and Reply.  from_json() fails with bad_request.

struct IdentityGetRequest {
    static constexpr std::string_view kMethod = "identity.get";
    using Reply = IdentityGetReply;
    std::vector<Wallet> wallets;  // 1 to 50

    Json to_json() const;
    static Result<IdentityGetRequest> from_json(const Json& json);
    bool operator==(const IdentityGetRequest&) const = default;
};

struct UploadBeginRequest {
    static constexpr std::string_view kMethod = "upload.begin";
    using Reply = UploadBeginReply;
    std::uint64_t bytes = 0;  // of plaintext, at least 1
    std::string media_type;   // one of is_media_type()
    // The client's name for this version of the file: what the vault kept of an upload by the same name goes on.
    std::optional<Digest> resume = std::nullopt;

    Json to_json() const;
    static Result<UploadBeginRequest> from_json(const Json& json);
    bool operator==(const UploadBeginRequest&) const = default;
};

struct UploadResumeRequest {
    static constexpr std::string_view kMethod = "upload.resume";
    using Reply = UploadResumeReply;
    Bytes header;  // of a fresh envelope for the vault's `kem`: what was kept is sealed anew under its key

    Json to_json() const;
    static Result<UploadResumeRequest> from_json(const Json& json);
    bool operator==(const UploadResumeRequest&) const = default;
};

struct UploadDataRequest {
    static constexpr std::string_view kMethod = "upload.data";
    using Reply = UploadDataReply;
    // An envelope header for the vault's `kem`; nothing after upload.resume, which had it.  DATA follows.
    std::optional<Bytes> header;

    Json to_json() const;
    static Result<UploadDataRequest> from_json(const Json& json);
    bool operator==(const UploadDataRequest&) const = default;
};

struct UploadCommitRequest {
    static constexpr std::string_view kMethod = "upload.commit";
    using Reply = UploadCommitReply;
    std::string registration;      // JWS
    std::optional<Bytes> preview;  // 1 to 65,536 bytes
    // The size of a tree head: the answer is to have a proof that goes on from it.
    std::optional<std::uint64_t> prove = std::nullopt;

    Json to_json() const;
    static Result<UploadCommitRequest> from_json(const Json& json);
    bool operator==(const UploadCommitRequest&) const = default;
};

struct ArtworkListRequest {
    static constexpr std::string_view kMethod = "artwork.list";
    using Reply = WorkPage;
    std::optional<std::string> text;
    std::optional<std::string> artist;
    std::optional<Wallet> owner;
    int limit = static_cast<int>(kMaxPageItems);  // 1 to 50
    std::optional<std::string> cursor;

    Json to_json() const;
    static Result<ArtworkListRequest> from_json(const Json& json);
    bool operator==(const ArtworkListRequest&) const = default;
};

struct ArtworkGetRequest {
    static constexpr std::string_view kMethod = "artwork.get";
    using Reply = WorkItem;
    ArtworkId artwork;

    Json to_json() const;
    static Result<ArtworkGetRequest> from_json(const Json& json);
    bool operator==(const ArtworkGetRequest&) const = default;
};

struct ArtworkPreviewRequest {
    static constexpr std::string_view kMethod = "artwork.preview";
    using Reply = ArtworkPreviewReply;
    ArtworkId artwork;

    Json to_json() const;
    static Result<ArtworkPreviewRequest> from_json(const Json& json);
    bool operator==(const ArtworkPreviewRequest&) const = default;
};

struct ArtworkHistoryRequest {
    static constexpr std::string_view kMethod = "artwork.history";
    using Reply = ArtworkHistoryReply;
    ArtworkId artwork;
    std::uint64_t from = 0;  // index of a leaf of this work

    Json to_json() const;
    static Result<ArtworkHistoryRequest> from_json(const Json& json);
    bool operator==(const ArtworkHistoryRequest&) const = default;
};

struct ArtworkFetchRequest {
    static constexpr std::string_view kMethod = "artwork.fetch";
    using Reply = ArtworkFetchReply;
    ArtworkId artwork;
    std::uint64_t offset = 0;  // into the chunks; a multiple of 16,400 (check_offset() in wire/transfer.h)

    Json to_json() const;
    static Result<ArtworkFetchRequest> from_json(const Json& json);
    bool operator==(const ArtworkFetchRequest&) const = default;
};

struct ClaimOpenRequest {
    static constexpr std::string_view kMethod = "claim.open";
    using Reply = ClaimItem;
    std::string claim;  // JWS
    std::optional<SaltedText> text;

    Json to_json() const;
    static Result<ClaimOpenRequest> from_json(const Json& json);
    bool operator==(const ClaimOpenRequest&) const = default;
};

struct ClaimWithdrawRequest {
    static constexpr std::string_view kMethod = "claim.withdraw";
    using Reply = ClaimItem;
    std::string withdraw;  // JWS

    Json to_json() const;
    static Result<ClaimWithdrawRequest> from_json(const Json& json);
    bool operator==(const ClaimWithdrawRequest&) const = default;
};

struct ClaimGetRequest {
    static constexpr std::string_view kMethod = "claim.get";
    using Reply = ClaimItem;
    StatementId claim;

    Json to_json() const;
    static Result<ClaimGetRequest> from_json(const Json& json);
    bool operator==(const ClaimGetRequest&) const = default;
};

struct ClaimMineRequest {
    static constexpr std::string_view kMethod = "claim.mine";
    using Reply = ClaimPage;
    std::optional<ArtworkId> artwork;
    std::optional<std::string> cursor;

    Json to_json() const;
    static Result<ClaimMineRequest> from_json(const Json& json);
    bool operator==(const ClaimMineRequest&) const = default;
};

struct ClaimInboxRequest {
    static constexpr std::string_view kMethod = "claim.inbox";
    using Reply = ClaimPage;
    std::optional<std::string> cursor;

    Json to_json() const;
    static Result<ClaimInboxRequest> from_json(const Json& json);
    bool operator==(const ClaimInboxRequest&) const = default;
};

struct ClaimSubscribeRequest {
    static constexpr std::string_view kMethod = "claim.subscribe";
    using Reply = EmptyReply;

    Json to_json() const;
    static Result<ClaimSubscribeRequest> from_json(const Json& json);
    bool operator==(const ClaimSubscribeRequest&) const = default;
};

struct ClaimAnswerRequest {
    static constexpr std::string_view kMethod = "claim.answer";
    using Reply = ClaimItem;
    std::string answer;  // JWS
    std::optional<SaltedText> text;

    Json to_json() const;
    static Result<ClaimAnswerRequest> from_json(const Json& json);
    bool operator==(const ClaimAnswerRequest&) const = default;
};

struct ClaimAcceptRequest {
    static constexpr std::string_view kMethod = "claim.accept";
    using Reply = ClaimAcceptReply;
    std::string accept;       // JWS
    SaltedMetadata metadata;  // step 11's, exactly as committed to; "salt" and "metadata" on the wire

    Json to_json() const;
    static Result<ClaimAcceptRequest> from_json(const Json& json);
    bool operator==(const ClaimAcceptRequest&) const = default;
};

struct LedgerCheckpointRequest {
    static constexpr std::string_view kMethod = "ledger.checkpoint";
    using Reply = LedgerCheckpointReply;

    Json to_json() const;
    static Result<LedgerCheckpointRequest> from_json(const Json& json);
    bool operator==(const LedgerCheckpointRequest&) const = default;
};

struct LedgerInclusionRequest {
    static constexpr std::string_view kMethod = "ledger.inclusion";
    using Reply = LedgerInclusionReply;
    LeafHash leaf;
    std::uint64_t size = 0;  // 1 to kMaxTreeSize

    Json to_json() const;
    static Result<LedgerInclusionRequest> from_json(const Json& json);
    bool operator==(const LedgerInclusionRequest&) const = default;
};

struct LedgerConsistencyRequest {
    static constexpr std::string_view kMethod = "ledger.consistency";
    using Reply = LedgerConsistencyReply;
    std::uint64_t old = 0;   // at most `size`
    std::uint64_t size = 0;  // at most kMaxTreeSize

    Json to_json() const;
    static Result<LedgerConsistencyRequest> from_json(const Json& json);
    bool operator==(const LedgerConsistencyRequest&) const = default;
};

struct LedgerEntriesRequest {
    static constexpr std::string_view kMethod = "ledger.entries";
    using Reply = LedgerEntriesReply;
    std::uint64_t from = 0;  // index of a leaf; at most kMaxTreeSize

    Json to_json() const;
    static Result<LedgerEntriesRequest> from_json(const Json& json);
    bool operator==(const LedgerEntriesRequest&) const = default;
};

struct LedgerHeadRequest {
    static constexpr std::string_view kMethod = "ledger.head";
    using Reply = LedgerHeadReply;
    ArtworkId artwork;
    std::optional<std::uint64_t> size;  // of the tree; the newest where there is none

    Json to_json() const;
    static Result<LedgerHeadRequest> from_json(const Json& json);
    bool operator==(const LedgerHeadRequest&) const = default;
};

struct LedgerReportRequest {
    static constexpr std::string_view kMethod = "ledger.report";
    using Reply = EmptyReply;
    std::string checkpoint;  // note

    Json to_json() const;
    static Result<LedgerReportRequest> from_json(const Json& json);
    bool operator==(const LedgerReportRequest&) const = default;
};

// The one table of methods.
using Request = std::variant<IdentityGetRequest, UploadBeginRequest, UploadResumeRequest, UploadDataRequest,
                             UploadCommitRequest, ArtworkListRequest, ArtworkGetRequest, ArtworkPreviewRequest,
                             ArtworkHistoryRequest, ArtworkFetchRequest, ClaimOpenRequest, ClaimWithdrawRequest,
                             ClaimGetRequest, ClaimMineRequest, ClaimInboxRequest, ClaimSubscribeRequest,
                             ClaimAnswerRequest, ClaimAcceptRequest, LedgerCheckpointRequest, LedgerInclusionRequest,
                             LedgerConsistencyRequest, LedgerEntriesRequest, LedgerHeadRequest, LedgerReportRequest>;

std::string_view method_name(const Request& request) noexcept;

// The REQUEST record's text.  Every string in it must be UTF-8 (asserted).
std::string encode_request(const Request& request);
// malformed: not I-JSON, or not an object of exactly `m` and `p`; the connection ends then.
// bad_request: a method that version 1 does not have, or parameters that are not its own; answered.
Result<Request> parse_request(std::string_view text);

// What a request comes to.  In memory an error carries its message, for the log; the peer is told the code alone.
using Reply = std::variant<EmptyReply, IdentityGetReply, UploadBeginReply, UploadResumeReply, UploadDataReply,
                           UploadCommitReply, WorkPage, WorkItem, ArtworkPreviewReply, ArtworkHistoryReply,
                           ArtworkFetchReply, ClaimPage, ClaimItem, ClaimAcceptReply, LedgerCheckpointReply,
                           LedgerInclusionReply, LedgerConsistencyReply, LedgerEntriesReply, LedgerHeadReply>;
using Response = tl::expected<Reply, Error>;

// The code that a RESPONSE may carry for a local failure: application codes as they are, everything else internal.
Errc response_code(Errc local) noexcept;
// The RESPONSE record's text.
std::string encode_response(const Response& response);
// `r` of a RESPONSE that is ok.  An error of the peer's becomes an Error with its code (internal for a number that
// version 1 does not have) and a message of ours.  malformed: not I-JSON or not a RESPONSE.
Result<Json> parse_response(std::string_view text);

// The reply to a request of type R, from the RESPONSE record's text.  malformed where it is not such a reply.
template <typename R>
Result<typename R::Reply> parse_reply(std::string_view text) {
    SAT_TRY_VALUE(const Json reply, parse_response(text));
    return R::Reply::from_json(reply);
}

enum class EventKind {
    claim_opened,   // to the owner
    claim_changed,  // to owner and collector
};

struct Event {
    EventKind kind = EventKind::claim_opened;
    ClaimItem claim;
    bool operator==(const Event&) const = default;
};

// The EVENT record's text.
std::string encode_event(const Event& event);
// malformed for anything that is not one of the two events.
Result<Event> parse_event(std::string_view text);

}  // namespace sat
