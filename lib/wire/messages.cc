// Requests, replies and events as JSON.  docs/protocol.md, "Requests".
// SPDX-License-Identifier: Apache-2.0
#include "wire/messages.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "envelope/envelope.h"
#include "ledger/leaf.h"
#include "ledger/note.h"

namespace sat {
namespace {

constexpr std::size_t kMaxMethodName = 64;
constexpr std::size_t kMaxAddress = 64;  // an IPv6 address with a zone has 55 characters at most

// --- Readers of one member each ---

ObjectReader request_reader(const Json& json) {
    ObjectReader in(json, Errc::bad_request);
    in.allow_absent();
    return in;
}

ObjectReader reply_reader(const Json& json) {
    ObjectReader in(json, Errc::malformed);
    in.ignore_unknown();
    return in;
}

std::string read_jws(ObjectReader& in, std::string_view name) { return in.text(name, kMaxJwsSize); }

std::optional<ArtworkId> read_artwork_or_null(ObjectReader& in, std::string_view name) {
    const auto text = in.text_or_null(name, ArtworkId::kSize);
    if (!text) return std::nullopt;
    const auto artwork = ArtworkId::from_canonical(*text);
    if (!artwork) in.refuse(name, "not an artwork's ID");
    return artwork.value_or(ArtworkId());
}

ArtworkId read_artwork(ObjectReader& in, std::string_view name) {
    const auto artwork = read_artwork_or_null(in, name);
    if (!artwork) in.refuse(name, "missing");
    return artwork.value_or(ArtworkId());
}

std::optional<std::string> read_cursor(ObjectReader& in, std::string_view name) {
    auto cursor = in.text_or_null(name, kMaxCursor);
    const auto is_ascii = [](char c) { return c >= 0x20 && c <= 0x7e; };
    if (cursor && !std::ranges::all_of(*cursor, is_ascii)) in.refuse(name, "not ASCII");
    return cursor;
}

std::uint64_t read_count(ObjectReader& in, std::string_view name, std::int64_t min = 0) {
    return static_cast<std::uint64_t>(in.integer(name, min, kJsonMaxInteger));
}

std::optional<SaltedText> read_note_or_null(ObjectReader& in, std::string_view name, Errc code) {
    const Json& json = in.value(name, false);
    if (json.is_null()) return std::nullopt;
    ObjectReader note(json, code);
    if (code == Errc::malformed) note.ignore_unknown();
    const Bytes salt = note.bytes("salt", kCommitSaltSize, kCommitSaltSize);
    const std::string text = note.text("text", kMaxNoteCodePoints);
    if (const auto read = note.finish(); !read) {
        in.refuse(name, read.error().message);
        return std::nullopt;
    }
    auto parts = SaltedText::from_parts(salt, text);
    if (!parts) {
        in.refuse(name, "not a note");
        return std::nullopt;
    }
    return std::move(*parts);
}

std::uint64_t read_size(ObjectReader& in, std::string_view name, std::int64_t min = 0) {
    return static_cast<std::uint64_t>(in.integer(name, min, std::int64_t{kMaxTreeSize}));
}

std::string read_signed_note(ObjectReader& in, std::string_view name) {
    std::string note = in.text(name, kMaxNote);
    if (note.size() > kMaxNote) in.refuse(name, "too long");
    return note;
}

MerkleProof read_proof(ObjectReader& in, std::string_view name) {
    MerkleProof proof;
    for (const Json& hash : in.array(name, kMaxProof)) {
        const auto digest = hash.is_string() ? Digest::from_hex(hash.get_ref<const std::string&>())
                                             : Result<Digest>(fail(Errc::bad_data, "not a string"));
        if (!digest) {
            in.refuse(name, "not hashes");
            break;
        }
        proof.push_back(*digest);
    }
    return proof;
}

// A page of leaf entries under `name`, and `next`.
template <typename Page>
Result<Page> read_entries(const Json& json, std::string_view name, std::vector<std::string> Page::*entries) {
    ObjectReader in = reply_reader(json);
    Page page;
    for (const Json& entry : in.array(name, kMaxPageItems)) {
        if (!entry.is_string() || entry.get_ref<const std::string&>().size() > kMaxLeafEntry) {
            in.refuse(name, "not leaf entries");
            break;
        }
        (page.*entries).push_back(entry.get<std::string>());
    }
    if (!in.value("next").is_null()) page.next = read_count(in, "next");
    if ((page.*entries).empty() && page.next) in.refuse("next", "goes on from an empty page");
    SAT_TRY(in.finish());
    return page;
}

// --- Writers ---

Json or_null(const std::optional<std::string>& value) { return value ? Json(*value) : Json(); }

Json note_json(const std::optional<SaltedText>& note) {
    if (!note) return {};
    Json json = Json::object();
    json["salt"] = to_base64url(note->salt);
    json["text"] = note->text;
    return json;
}

Json proof_json(const MerkleProof& proof) {
    Json json = Json::array();
    for (const Digest& hash : proof) json.push_back(hash.hex());
    return json;
}

template <typename Item>
Json items_json(const std::vector<Item>& items) {
    Json json = Json::array();
    for (const Item& item : items) json.push_back(item.to_json());
    return json;
}

// {"items": […], "next_cursor": …}, of works and of claims.
template <typename Page>
Json page_json(const Page& page) {
    Json json = Json::object();
    json["items"] = items_json(page.items);
    json["next_cursor"] = or_null(page.next_cursor);
    return json;
}

template <typename Page, typename Item>
Result<Page> read_page(const Json& json) {
    ObjectReader in = reply_reader(json);
    Page page;
    const Json& items = in.array("items", kMaxPageItems);
    page.next_cursor = read_cursor(in, "next_cursor");
    if (items.empty() && page.next_cursor) in.refuse("next_cursor", "goes on from an empty page");
    SAT_TRY(in.finish());
    for (const Json& item : items) {
        SAT_TRY_VALUE(Item read, Item::from_json(item));
        page.items.push_back(std::move(read));
    }
    return page;
}

// A request that has one JWS and nothing else, and the like.
Json one_member(std::string_view name, Json value) {
    Json json = Json::object();
    json[std::string(name)] = std::move(value);
    return json;
}

Json jws_and_note(std::string_view name, const std::string& jws, const std::optional<SaltedText>& text) {
    Json json = one_member(name, jws);
    if (text) json["text"] = note_json(text);
    return json;
}

Json origin_json(const Origin& origin) {
    Json json = one_member("sender_ip", origin.sender_ip);
    json["sender_port"] = origin.sender_port;
    return json;
}

Origin read_origin(ObjectReader& in, std::string_view name) {
    ObjectReader seen = reply_reader(in.value(name));
    Origin origin;
    origin.sender_ip = seen.text("sender_ip", kMaxAddress);
    origin.sender_port = static_cast<std::uint16_t>(seen.integer("sender_port", 0, 65535));
    if (const auto read = seen.finish(); !read) in.refuse(name, read.error().message);
    return origin;
}

}  // namespace

// --- Items ---

Json WorkItem::to_json() const {
    Json json = Json::object();
    json["registration"] = registration;
    json["origin"] = origin ? origin_json(*origin) : Json();
    json["owner"] = owner.hex();
    json["head"] = head.hex();
    json["seq"] = seq;
    json["registered_at"] = registered_at;
    json["held"] = held;
    return json;
}

Result<WorkItem> WorkItem::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    WorkItem item;
    item.registration = read_jws(in, "registration");
    if (!in.value("origin").is_null()) item.origin = read_origin(in, "origin");
    item.owner = in.digest("owner");
    item.head = in.digest("head");
    item.seq = read_count(in, "seq");
    item.registered_at = in.integer("registered_at", 0, kJsonMaxInteger);
    item.held = in.boolean("held");
    SAT_TRY(in.finish());
    return item;
}

Json ClaimItem::to_json() const {
    Json json = Json::object();
    json["claim"] = claim;
    json["claim_text"] = note_json(claim_text);
    json["answer"] = or_null(answer);
    json["answer_text"] = note_json(answer_text);
    json["state"] = std::string(claim_state_name(state));
    json["asked_at"] = asked_at;
    json["changed_at"] = changed_at;
    json["answer_by"] = answer_by ? Json(*answer_by) : Json();
    json["registration"] = registration;
    return json;
}

Result<ClaimItem> ClaimItem::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    ClaimItem item;
    item.claim = read_jws(in, "claim");
    item.claim_text = read_note_or_null(in, "claim_text", Errc::malformed);
    item.answer = in.text_or_null("answer", kMaxJwsSize);
    item.answer_text = read_note_or_null(in, "answer_text", Errc::malformed);
    const auto state = parse_claim_state(in.text("state", 16));
    if (!state) in.refuse("state", "not a state");
    item.state = state.value_or(ClaimState::none);
    item.asked_at = in.integer("asked_at", 0, kJsonMaxInteger);
    item.changed_at = in.integer("changed_at", 0, kJsonMaxInteger);
    item.answer_by = in.integer_or_null("answer_by", 0, kJsonMaxInteger);
    item.registration = read_jws(in, "registration");
    SAT_TRY(in.finish());
    return item;
}

// --- Replies ---

Json EmptyReply::to_json() const { return Json::object(); }

Result<EmptyReply> EmptyReply::from_json(const Json& json) {
    SAT_TRY(reply_reader(json).finish());
    return EmptyReply();
}

Json IdentityGetReply::to_json() const {
    Json chains = Json::array();
    for (const auto& chain : identities) {
        Json documents;
        if (chain) {
            documents = Json::array();
            for (const std::string& document : *chain) documents.push_back(document);
        }
        chains.push_back(std::move(documents));
    }
    return one_member("identities", std::move(chains));
}

Result<IdentityGetReply> IdentityGetReply::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    IdentityGetReply reply;
    for (const Json& chain : in.array("identities", kMaxIdentityWallets)) {
        auto& documents = reply.identities.emplace_back();
        if (chain.is_null()) continue;
        documents.emplace();
        if (!chain.is_array() || chain.empty() || chain.size() > kMaxChainDocuments) {
            in.refuse("identities", "not chains");
            break;
        }
        for (const Json& document : chain) {
            if (!document.is_string() || document.get_ref<const std::string&>().size() > kMaxIdentityDocument) {
                in.refuse("identities", "not chains");
                break;
            }
            documents->push_back(document.get<std::string>());
        }
    }
    SAT_TRY(in.finish());
    return reply;
}

namespace {

// Of plaintext: where a whole chunk begins.
std::uint64_t read_offset(ObjectReader& in) {
    const std::uint64_t offset = read_count(in, "offset");
    if (offset % kChunkPlaintext != 0) in.refuse("offset", "not where a chunk begins");
    return offset;
}

}  // namespace

Json UploadBeginReply::to_json() const {
    Json json = one_member("artwork", artwork.str());
    json["offset"] = offset;
    if (proves) json["proves"] = true;
    return json;
}

Result<UploadBeginReply> UploadBeginReply::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    UploadBeginReply reply;
    reply.artwork = read_artwork(in, "artwork");
    reply.offset = read_offset(in);
    in.allow_absent();
    if (!in.value("proves", false).is_null()) reply.proves = in.boolean("proves");
    SAT_TRY(in.finish());
    return reply;
}

Json UploadResumeReply::to_json() const {
    Json json = one_member("offset", offset);
    json["sha256"] = sha256.hex();
    return json;
}

Result<UploadResumeReply> UploadResumeReply::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    UploadResumeReply reply;
    reply.offset = read_offset(in);
    reply.sha256 = in.digest("sha256");
    SAT_TRY(in.finish());
    return reply;
}

Json UploadDataReply::to_json() const { return one_member("sha256", sha256.hex()); }

Result<UploadDataReply> UploadDataReply::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    UploadDataReply reply{in.digest("sha256")};
    SAT_TRY(in.finish());
    return reply;
}

namespace {

Json registration_proof_json(const RegistrationProof& proof) {
    Json json = one_member("registered_at", proof.registered_at);
    json["origin"] = origin_json(proof.origin);
    json["checkpoint"] = proof.checkpoint;
    json["index"] = proof.index;
    json["inclusion"] = proof_json(proof.inclusion);
    json["consistency"] = proof_json(proof.consistency);
    return json;
}

Result<RegistrationProof> read_registration_proof(const Json& json) {
    ObjectReader in = reply_reader(json);
    RegistrationProof proof;
    proof.registered_at = in.integer("registered_at", 0, kJsonMaxInteger);
    proof.origin = read_origin(in, "origin");
    proof.checkpoint = read_signed_note(in, "checkpoint");
    proof.index = read_size(in, "index");
    proof.inclusion = read_proof(in, "inclusion");
    proof.consistency = read_proof(in, "consistency");
    SAT_TRY(in.finish());
    return proof;
}

}  // namespace

Json UploadCommitReply::to_json() const {
    Json json = one_member("receipt", receipt);
    if (proof) json["proof"] = registration_proof_json(*proof);
    return json;
}

Result<UploadCommitReply> UploadCommitReply::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    in.allow_absent();
    UploadCommitReply reply{read_jws(in, "receipt")};
    const Json& proof = in.value("proof", false);
    SAT_TRY(in.finish());
    if (!proof.is_null()) {
        SAT_TRY_VALUE(reply.proof, read_registration_proof(proof));
    }
    return reply;
}

Json WorkPage::to_json() const { return page_json(*this); }

Result<WorkPage> WorkPage::from_json(const Json& json) { return read_page<WorkPage, WorkItem>(json); }

Json ArtworkPreviewReply::to_json() const {
    return one_member("preview", preview ? Json(to_base64url(*preview)) : Json());
}

Result<ArtworkPreviewReply> ArtworkPreviewReply::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    ArtworkPreviewReply reply{in.bytes_or_null("preview", 1, kMaxPreviewSize)};
    SAT_TRY(in.finish());
    return reply;
}

Json ArtworkHistoryReply::to_json() const {
    Json json = Json::object();
    json["leaves"] = leaves;
    json["next"] = next ? Json(*next) : Json();
    return json;
}

Result<ArtworkHistoryReply> ArtworkHistoryReply::from_json(const Json& json) {
    return read_entries(json, "leaves", &ArtworkHistoryReply::leaves);
}

Json ArtworkFetchReply::to_json() const { return one_member("header", to_base64url(header)); }

Result<ArtworkFetchReply> ArtworkFetchReply::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    ArtworkFetchReply reply{in.bytes("header", kMinEnvelopeHeader, kMaxEnvelopeHeader)};
    SAT_TRY(in.finish());
    return reply;
}

Json ClaimPage::to_json() const { return page_json(*this); }

Result<ClaimPage> ClaimPage::from_json(const Json& json) { return read_page<ClaimPage, ClaimItem>(json); }

Json ClaimAcceptReply::to_json() const {
    Json json = one_member("receipt", receipt);
    json["claim"] = claim.to_json();
    return json;
}

Result<ClaimAcceptReply> ClaimAcceptReply::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    ClaimAcceptReply reply;
    reply.receipt = read_jws(in, "receipt");
    const Json& item = in.value("claim");
    SAT_TRY(in.finish());
    SAT_TRY_VALUE(reply.claim, ClaimItem::from_json(item));
    return reply;
}

Json LedgerCheckpointReply::to_json() const { return one_member("checkpoint", checkpoint); }

Result<LedgerCheckpointReply> LedgerCheckpointReply::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    LedgerCheckpointReply reply{read_signed_note(in, "checkpoint")};
    SAT_TRY(in.finish());
    return reply;
}

Json LedgerInclusionReply::to_json() const {
    Json json = one_member("index", index);
    json["proof"] = proof_json(proof);
    return json;
}

Result<LedgerInclusionReply> LedgerInclusionReply::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    LedgerInclusionReply reply;
    reply.index = read_size(in, "index");
    reply.proof = read_proof(in, "proof");
    SAT_TRY(in.finish());
    return reply;
}

Json LedgerConsistencyReply::to_json() const { return one_member("proof", proof_json(proof)); }

Result<LedgerConsistencyReply> LedgerConsistencyReply::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    LedgerConsistencyReply reply{read_proof(in, "proof")};
    SAT_TRY(in.finish());
    return reply;
}

Json LedgerEntriesReply::to_json() const {
    Json json = one_member("entries", entries);
    json["next"] = next ? Json(*next) : Json();
    return json;
}

Result<LedgerEntriesReply> LedgerEntriesReply::from_json(const Json& json) {
    return read_entries(json, "entries", &LedgerEntriesReply::entries);
}

Json LedgerHeadReply::to_json() const {
    Json json = one_member("head", head);
    json["checkpoint"] = checkpoint;
    return json;
}

Result<LedgerHeadReply> LedgerHeadReply::from_json(const Json& json) {
    ObjectReader in = reply_reader(json);
    LedgerHeadReply reply;
    reply.head = read_jws(in, "head");
    reply.checkpoint = read_signed_note(in, "checkpoint");
    SAT_TRY(in.finish());
    return reply;
}

// --- Requests ---

Json IdentityGetRequest::to_json() const {
    Json names = Json::array();
    for (const Wallet& wallet : wallets) names.push_back(wallet.hex());
    return one_member("wallets", std::move(names));
}

Result<IdentityGetRequest> IdentityGetRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    IdentityGetRequest request;
    for (const Json& name : in.array("wallets", kMaxIdentityWallets)) {
        const auto wallet = name.is_string() ? Wallet::from_hex(name.get_ref<const std::string&>())
                                             : Result<Wallet>(fail(Errc::bad_data, "not a string"));
        if (!wallet) {
            in.refuse("wallets", "not wallets");
            break;
        }
        request.wallets.push_back(*wallet);
    }
    if (request.wallets.empty()) in.refuse("wallets", "empty");
    SAT_TRY(in.finish());
    return request;
}

Json UploadBeginRequest::to_json() const {
    Json json = one_member("bytes", bytes);
    json["media_type"] = media_type;
    if (resume) json["resume"] = resume->hex();
    return json;
}

Result<UploadBeginRequest> UploadBeginRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    UploadBeginRequest request;
    request.bytes = read_count(in, "bytes", 1);
    request.media_type = in.text("media_type", 32);
    if (!is_media_type(request.media_type)) in.refuse("media_type", "not one that is taken");
    request.resume = in.digest_or_null("resume");
    SAT_TRY(in.finish());
    return request;
}

Json UploadResumeRequest::to_json() const { return one_member("header", to_base64url(header)); }

Result<UploadResumeRequest> UploadResumeRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    UploadResumeRequest request{in.bytes("header", kMinEnvelopeHeader, kMaxEnvelopeHeader)};
    SAT_TRY(in.finish());
    return request;
}

Json UploadDataRequest::to_json() const {
    return header ? one_member("header", to_base64url(*header)) : Json(Json::object());
}

Result<UploadDataRequest> UploadDataRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    UploadDataRequest request{in.bytes_or_null("header", kMinEnvelopeHeader, kMaxEnvelopeHeader)};
    SAT_TRY(in.finish());
    return request;
}

Json UploadCommitRequest::to_json() const {
    Json json = one_member("registration", registration);
    if (preview) json["preview"] = to_base64url(*preview);
    if (prove) json["prove"] = *prove;
    return json;
}

Result<UploadCommitRequest> UploadCommitRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    UploadCommitRequest request;
    request.registration = read_jws(in, "registration");
    request.preview = in.bytes_or_null("preview", 1, kMaxPreviewSize);
    if (!in.value("prove", false).is_null()) request.prove = read_size(in, "prove");
    SAT_TRY(in.finish());
    return request;
}

Json ArtworkListRequest::to_json() const {
    Json json = Json::object();
    if (text) json["text"] = *text;
    if (artist) json["artist"] = *artist;
    if (owner) json["owner"] = owner->hex();
    json["limit"] = limit;
    if (cursor) json["cursor"] = *cursor;
    return json;
}

Result<ArtworkListRequest> ArtworkListRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    ArtworkListRequest request;
    request.text = in.text_or_null("text", kMaxSearchText);
    request.artist = in.text_or_null("artist", kMaxSearchText);
    request.owner = in.digest_or_null("owner");
    request.limit = static_cast<int>(in.integer("limit", 1, kMaxPageItems));
    request.cursor = read_cursor(in, "cursor");
    SAT_TRY(in.finish());
    return request;
}

Json ArtworkGetRequest::to_json() const { return one_member("artwork", artwork.str()); }

Result<ArtworkGetRequest> ArtworkGetRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    ArtworkGetRequest request{read_artwork(in, "artwork")};
    SAT_TRY(in.finish());
    return request;
}

Json ArtworkPreviewRequest::to_json() const { return one_member("artwork", artwork.str()); }

Result<ArtworkPreviewRequest> ArtworkPreviewRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    ArtworkPreviewRequest request{read_artwork(in, "artwork")};
    SAT_TRY(in.finish());
    return request;
}

Json ArtworkHistoryRequest::to_json() const {
    Json json = one_member("artwork", artwork.str());
    json["from"] = from;
    return json;
}

Result<ArtworkHistoryRequest> ArtworkHistoryRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    ArtworkHistoryRequest request;
    request.artwork = read_artwork(in, "artwork");
    request.from = read_count(in, "from");
    SAT_TRY(in.finish());
    return request;
}

Json ArtworkFetchRequest::to_json() const {
    Json json = one_member("artwork", artwork.str());
    json["offset"] = offset;
    return json;
}

Result<ArtworkFetchRequest> ArtworkFetchRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    ArtworkFetchRequest request;
    request.artwork = read_artwork(in, "artwork");
    request.offset = read_count(in, "offset");
    SAT_TRY(in.finish());
    return request;
}

Json ClaimOpenRequest::to_json() const { return jws_and_note("claim", claim, text); }

Result<ClaimOpenRequest> ClaimOpenRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    ClaimOpenRequest request;
    request.claim = read_jws(in, "claim");
    request.text = read_note_or_null(in, "text", Errc::bad_request);
    SAT_TRY(in.finish());
    return request;
}

Json ClaimWithdrawRequest::to_json() const { return one_member("withdraw", withdraw); }

Result<ClaimWithdrawRequest> ClaimWithdrawRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    ClaimWithdrawRequest request{read_jws(in, "withdraw")};
    SAT_TRY(in.finish());
    return request;
}

Json ClaimGetRequest::to_json() const { return one_member("claim", claim.hex()); }

Result<ClaimGetRequest> ClaimGetRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    ClaimGetRequest request{in.digest("claim")};
    SAT_TRY(in.finish());
    return request;
}

Json ClaimMineRequest::to_json() const {
    Json json = Json::object();
    if (artwork) json["artwork"] = artwork->str();
    if (cursor) json["cursor"] = *cursor;
    return json;
}

Result<ClaimMineRequest> ClaimMineRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    ClaimMineRequest request;
    request.artwork = read_artwork_or_null(in, "artwork");
    request.cursor = read_cursor(in, "cursor");
    SAT_TRY(in.finish());
    return request;
}

Json ClaimInboxRequest::to_json() const {
    Json json = Json::object();
    if (cursor) json["cursor"] = *cursor;
    return json;
}

Result<ClaimInboxRequest> ClaimInboxRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    ClaimInboxRequest request{read_cursor(in, "cursor")};
    SAT_TRY(in.finish());
    return request;
}

Json ClaimSubscribeRequest::to_json() const { return Json::object(); }

Result<ClaimSubscribeRequest> ClaimSubscribeRequest::from_json(const Json& json) {
    SAT_TRY(request_reader(json).finish());
    return ClaimSubscribeRequest();
}

Json ClaimAnswerRequest::to_json() const { return jws_and_note("answer", answer, text); }

Result<ClaimAnswerRequest> ClaimAnswerRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    ClaimAnswerRequest request;
    request.answer = read_jws(in, "answer");
    request.text = read_note_or_null(in, "text", Errc::bad_request);
    SAT_TRY(in.finish());
    return request;
}

Json ClaimAcceptRequest::to_json() const {
    Json json = one_member("accept", accept);
    json["salt"] = to_base64url(metadata.salt);
    json["metadata"] = metadata.metadata;
    return json;
}

Result<ClaimAcceptRequest> ClaimAcceptRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    ClaimAcceptRequest request;
    request.accept = read_jws(in, "accept");
    const Bytes salt = in.bytes("salt", kCommitSaltSize, kCommitSaltSize);
    const std::string metadata = in.text("metadata", kMaxMetadataSize);
    SAT_TRY(in.finish());
    auto parts = SaltedMetadata::from_parts(salt, metadata);  // its limit counts bytes
    if (!parts) return fail(Errc::bad_request, "metadata: too long");
    request.metadata = std::move(*parts);
    return request;
}

Json LedgerCheckpointRequest::to_json() const { return Json::object(); }

Result<LedgerCheckpointRequest> LedgerCheckpointRequest::from_json(const Json& json) {
    SAT_TRY(request_reader(json).finish());
    return LedgerCheckpointRequest();
}

Json LedgerInclusionRequest::to_json() const {
    Json json = one_member("leaf", leaf.hex());
    json["size"] = size;
    return json;
}

Result<LedgerInclusionRequest> LedgerInclusionRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    LedgerInclusionRequest request;
    request.leaf = in.digest("leaf");
    request.size = read_size(in, "size", 1);
    SAT_TRY(in.finish());
    return request;
}

Json LedgerConsistencyRequest::to_json() const {
    Json json = one_member("old", old);
    json["size"] = size;
    return json;
}

Result<LedgerConsistencyRequest> LedgerConsistencyRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    LedgerConsistencyRequest request;
    request.old = read_size(in, "old");
    request.size = read_size(in, "size");
    if (request.old > request.size) in.refuse("old", "larger than the size");
    SAT_TRY(in.finish());
    return request;
}

Json LedgerEntriesRequest::to_json() const { return one_member("from", from); }

Result<LedgerEntriesRequest> LedgerEntriesRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    LedgerEntriesRequest request{read_size(in, "from")};
    SAT_TRY(in.finish());
    return request;
}

Json LedgerHeadRequest::to_json() const {
    Json json = one_member("artwork", artwork.str());
    if (size) json["size"] = *size;
    return json;
}

Result<LedgerHeadRequest> LedgerHeadRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    LedgerHeadRequest request;
    request.artwork = read_artwork(in, "artwork");
    if (const auto size = in.integer_or_null("size", 0, std::int64_t{kMaxTreeSize}))
        request.size = static_cast<std::uint64_t>(*size);
    SAT_TRY(in.finish());
    return request;
}

Json LedgerReportRequest::to_json() const { return one_member("checkpoint", checkpoint); }

Result<LedgerReportRequest> LedgerReportRequest::from_json(const Json& json) {
    ObjectReader in = request_reader(json);
    LedgerReportRequest request{read_signed_note(in, "checkpoint")};
    SAT_TRY(in.finish());
    return request;
}

// --- Envelopes of the three kinds of message ---

namespace {

template <typename R>
bool parse_if_named(std::string_view method, const Json& parameters, Result<Request>& out) {
    if (method != R::kMethod) return false;
    if (auto request = R::from_json(parameters)) {
        out = Request(std::move(*request));
    } else {
        out = fail(std::move(request.error()));
    }
    return true;
}

template <typename... Rs>
Result<Request> parse_named(std::string_view method, const Json& parameters, const std::variant<Rs...>*) {
    Result<Request> request = fail(Errc::bad_request, "a method that this version does not have");
    static_cast<void>((parse_if_named<Rs>(method, parameters, request) || ...));
    return request;
}

constexpr std::string_view event_name(EventKind kind) noexcept {
    return kind == EventKind::claim_opened ? "claim.opened" : "claim.changed";
}

// What a refusal by the vault says here.
Error refusal(Errc code) {
    switch (code) {
        case Errc::bad_request:
            return {code, "the vault did not take the request", "use programs of one version"};
        case Errc::not_found:
            return {code, "the vault does not have it", {}};
        case Errc::forbidden:
            return {code, "the vault does not allow it", {}};
        case Errc::rate_limited:
            return {code, "the vault got too many requests from us", "try again in a while"};
        case Errc::content_too_large:
            return {code, "it is larger than the vault takes", {}};
        case Errc::head_moved:
            return {code, "the work has another owner by now", "look at the work again"};
        case Errc::expired:
            return {code, "the deadline has passed", {}};
        case Errc::bad_signature:
            return {code, "the vault found a signature wrong", {}};
        case Errc::bad_statement:
            return {code, "the vault found a statement wrong", {}};
        case Errc::held:
            return {code, "the operator holds the work", "ask the vault's operator"};
        case Errc::key_policy:
            return {code, "the vault does not take the key", {}};
        case Errc::envelope_invalid:
            return {code, "the vault could not open the envelope", "upload again"};
        case Errc::hash_mismatch:
            return {code, "the vault received other bytes than were signed", "upload again"};
        case Errc::state:
            return {code, "it is not in a state that allows this", {}};
        case Errc::not_owner:
            return {code, "only the work's owner may do this", {}};
        case Errc::superseded:
            return {code, "the work went to somebody else", {}};
        case Errc::checkpoint_inconsistent:
            return {code, "the vault's ledger is not the one that was seen before", {}};
        case Errc::busy:
            return {code, "the vault is busy", "try again in a while"};
        case Errc::quota:
            return {code, "that is more than the vault lets one wallet have",
                    "ask the vault's operator; of open claims one can be withdrawn"};
        case Errc::storage_full:
            return {code, "the vault has no room left", "ask the vault's operator"};
        default:
            return {Errc::internal, "the vault failed", "try again in a while"};
    }
}

// As dump_json() of the same response: a page is the longest answer that there is, and asked for most.
std::string encode_page(const WorkPage& page) {
    constexpr std::size_t kFrame = 512;  // of an item, but its registration
    std::size_t size = kFrame;
    for (const WorkItem& item : page.items) size += kFrame + item.registration.size();
    std::string out;
    out.reserve(size);
    out += R"({"ok":true,"r":{"items":[)";
    for (const WorkItem& item : page.items) {
        if (&item != page.items.data()) out.push_back(',');
        out += R"({"registration":)";
        append_json(out, item.registration);
        out += R"(,"origin":)";
        if (item.origin) {
            out += R"({"sender_ip":)";
            append_json(out, item.origin->sender_ip);
            out += R"(,"sender_port":)" + std::to_string(item.origin->sender_port) + "}";
        } else {
            out += "null";
        }
        out += R"(,"owner":")" + item.owner.hex() + R"(","head":")" + item.head.hex() + R"(","seq":)" +
               std::to_string(item.seq) + R"(,"registered_at":)" + std::to_string(item.registered_at) +
               (item.held ? R"(,"held":true})" : R"(,"held":false})");
    }
    out += R"(],"next_cursor":)";
    if (page.next_cursor) {
        append_json(out, *page.next_cursor);
    } else {
        out += "null";
    }
    out += "}}";
    return out;
}

}  // namespace

std::string_view method_name(const Request& request) noexcept {
    return std::visit([]<typename R>(const R&) { return R::kMethod; }, request);
}

std::string encode_request(const Request& request) {
    Json json = Json::object();
    json["m"] = std::string(method_name(request));
    json["p"] = std::visit([](const auto& alternative) { return alternative.to_json(); }, request);
    return dump_json(json);
}

Result<Request> parse_request(std::string_view text) {
    SAT_TRY_VALUE(const Json json, parse_json(text));
    ObjectReader in(json, Errc::malformed);
    const std::string method = in.text("m", kMaxMethodName);
    const Json& parameters = in.value("p");
    SAT_TRY(in.finish());
    return parse_named(method, parameters, static_cast<const Request*>(nullptr));
}

Errc response_code(Errc local) noexcept {
    return local >= Errc::bad_request && local < Errc::usage ? local : Errc::internal;
}

std::string encode_response(const Response& response) {
    if (response) {
        if (const auto* page = std::get_if<WorkPage>(&*response)) return encode_page(*page);
    }
    Json json = Json::object();
    json["ok"] = response.has_value();
    if (response) {
        json["r"] = std::visit([](const auto& alternative) { return alternative.to_json(); }, *response);
    } else {
        const Errc code = response_code(response.error().code);
        Json error = Json::object();
        error["code"] = static_cast<std::uint16_t>(code);
        error["name"] = std::string(errc_name(code));
        json["e"] = std::move(error);
    }
    return dump_json(json);
}

Result<Json> parse_response(std::string_view text) {
    SAT_TRY_VALUE(Json json, parse_json(text));
    ObjectReader in = reply_reader(json);
    const bool ok = in.boolean("ok");
    SAT_TRY(in.finish());
    const Json& content = in.value(ok ? "r" : "e");
    SAT_TRY(in.finish());
    if (ok) return content;
    ObjectReader error = reply_reader(content);
    const auto number = static_cast<std::uint16_t>(error.integer("code", 0, 65535));
    SAT_TRY(error.finish());
    return fail(refusal(response_code(errc_from_wire(number).value_or(Errc::internal))));
}

std::string encode_event(const Event& event) {
    Json json = Json::object();
    json["e"] = std::string(event_name(event.kind));
    json["p"] = event.claim.to_json();
    return dump_json(json);
}

Result<Event> parse_event(std::string_view text) {
    SAT_TRY_VALUE(const Json json, parse_json(text));
    ObjectReader in = reply_reader(json);
    const std::string name = in.text("e", kMaxMethodName);
    const Json& item = in.value("p");
    if (name != event_name(EventKind::claim_opened) && name != event_name(EventKind::claim_changed))
        in.refuse("e", "not an event");
    SAT_TRY(in.finish());
    SAT_TRY_VALUE(ClaimItem claim, ClaimItem::from_json(item));
    const bool opened = name == event_name(EventKind::claim_opened);
    return Event{opened ? EventKind::claim_opened : EventKind::claim_changed, std::move(claim)};
}

}  // namespace sat
