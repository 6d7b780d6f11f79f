// Views.
// SPDX-License-Identifier: Apache-2.0
#include "common/views.h"

#include "base/text.h"
#include "common/output.h"
#include "common/progress.h"

namespace sat {

namespace {

constexpr std::size_t kTitleColumns = 32;
constexpr std::size_t kArtistColumns = 22;

std::string or_null_text(const std::optional<UnixTime>& time) { return time ? format_utc(*time) : "-"; }

// At most `columns` code points, filled up with spaces: a table for eyes, not for parsers.
std::string cell(std::string_view peer_text, std::size_t columns) {
    const std::string text = printable(peer_text);
    std::string out;
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t next = at + 1;
        while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xC0U) == 0x80U) ++next;
        if (++count > columns) {
            out += "…";
            return out;
        }
        out.append(text, at, next - at);
        at = next;
    }
    out.append(columns + 1 - count, ' ');
    return out;
}

std::string who_briefly(const Wallet& wallet, const Wallet& me) {
    return wallet == me ? "me" : wallet.hex().substr(0, 12) + "…";
}

}  // namespace

std::string field(std::string_view name, const std::string& value) {
    std::string line = "  " + std::string(name);
    line.resize(std::max<std::size_t>(line.size() + 1, 16), ' ');
    return line + value + "\n";
}

std::string who(const Wallet& wallet, const Wallet& me) { return wallet == me ? wallet.hex() + " (me)" : wallet.hex(); }

Json registration_json(const Registration& r) {
    return Json{{"id", r.artwork.str()},
                {"title", r.title},
                {"description", r.description},
                {"artist", r.artist},
                {"creation_date", r.creation_date},
                {"file_path", r.file_path},
                {"wallet_address", r.iss.hex()},
                {"media_type", r.media_type},
                {"width", r.width},
                {"height", r.height},
                {"bytes", r.bytes},
                {"sha256", r.sha256.hex()},
                {"release", release_policy_name(r.release)}};
}

Json artwork_json(const Work& work) {
    const Registration& r = work.registration.body;
    Json json{{"id", r.artwork.str()},
              {"title", r.title},
              {"description", r.description},
              {"artist", r.artist},
              {"creation_date", r.creation_date},
              {"file_path", r.file_path},
              {"wallet_address", r.iss.hex()},
              {"owner", work.owner.hex()},
              {"media_type", r.media_type},
              {"width", r.width},
              {"height", r.height},
              {"bytes", r.bytes},
              {"sha256", r.sha256.hex()},
              {"registered_at", work.registered_at},
              {"transfers", work.seq},
              {"held", work.held},
              {"release", release_policy_name(r.release)}};
    if (work.origin) {
        json["sender_ip"] = json_text(work.origin->sender_ip);
        json["sender_port"] = work.origin->sender_port;
    }
    return json;
}

std::string artwork_text(const Work& work, const Wallet& me) {
    const Registration& r = work.registration.body;
    std::string text = printable(r.title) + "\n";
    text += field("id", r.artwork.str());
    if (!r.artist.empty()) text += field("artist", printable(r.artist));
    if (!r.creation_date.empty()) text += field("created", r.creation_date);
    if (!r.description.empty()) text += field("description", printable(r.description));
    text += field("image", r.media_type + ", " + std::to_string(r.width) + " x " + std::to_string(r.height) + ", " +
                               format_bytes(r.bytes));
    text += field("file", printable(r.file_path));
    text += field("sha256", r.sha256.hex());
    text += field("artist key", who(r.iss, me));
    text += field("owner", who(work.owner, me));
    text += field("transfers", std::to_string(work.seq));
    text += field("registered", format_utc(work.registered_at));
    text += field("release", std::string(release_policy_name(r.release)));
    if (work.origin)
        text +=
            field("sent from", printable(work.origin->sender_ip) + " port " + std::to_string(work.origin->sender_port));
    if (work.held) text += field("held", "by the vault's operator: not served, not transferred");
    return text;
}

std::string artwork_line(const Work& work, const Wallet& me) {
    const Registration& r = work.registration.body;
    return r.artwork.str() + "  " + cell(r.title, kTitleColumns) + " " + cell(r.artist, kArtistColumns) + " " +
           cell(r.creation_date, 10) + " owner " + who_briefly(work.owner, me) + (work.held ? "  held" : "") + "\n";
}

Json claim_json(const VerifiedClaim& claim) {
    return Json{{"claim", claim.id().hex()},
                {"artwork", claim.artwork().str()},
                {"state", claim_state_name(claim.state)},
                {"from", claim.collector().hex()},
                {"to", claim.owner().hex()},
                {"asked_at", claim.asked_at},
                {"answer_by", claim.answer_by ? Json(*claim.answer_by) : Json(nullptr)},
                {"reason", claim.reason ? Json(*claim.reason) : Json(nullptr)},
                {"message", claim.message ? Json(*claim.message) : Json(nullptr)}};
}

std::string claim_text(const VerifiedClaim& claim, const Wallet& me) {
    std::string text = claim.artwork().str() + "  " + printable(claim.registration.body.title) + "\n";
    text += field("claim", claim.id().hex());
    text += field("state", std::string(claim_state_name(claim.state)));
    text += field("from", who(claim.collector(), me));
    text += field("to", who(claim.owner(), me));
    if (claim.message) text += field("message", printable(*claim.message));
    if (claim.reason) text += field("reason", printable(*claim.reason));
    text += field("asked", format_utc(claim.asked_at));
    // Once the owner has said yes, it is the collector's deadline.
    const char* const until = claim.state == ClaimState::confirmed ? "take over by" : "answer by";
    if (claim.answer_by) text += field(until, format_utc(*claim.answer_by));
    return text;
}

Json history_json(const History& history) {
    Json items = Json::array();
    for (const OwnershipRecord& record : history.records)
        items.push_back(Json{{"seq", record.seq},
                             {"owner", record.owner.hex()},
                             {"from", record.from ? Json(record.from->hex()) : Json(nullptr)},
                             {"at", record.at},
                             {"verified", true}});
    Json holds = Json::array();
    for (const HeldSpan& span : history.holds)
        holds.push_back(Json{{"from", span.from},
                             {"until", span.until ? Json(*span.until) : Json(nullptr)},
                             {"reason", json_text(span.reason)}});
    return Json{{"items", std::move(items)}, {"holds", std::move(holds)}};
}

std::string history_text(const History& history, const Wallet& me) {
    std::string text = printable(history.registration.body.title) + "\n";
    for (const OwnershipRecord& record : history.records) {
        text += "  " + std::to_string(record.seq) + "  " + format_utc(record.at) + "  " + who(record.owner, me);
        text += record.from ? "  from " + who_briefly(*record.from, me) : "  registered it";
        text += "  verified\n";
    }
    for (const HeldSpan& span : history.holds)
        text += "  held  " + format_utc(span.from) + "  until " + or_null_text(span.until) + "  " +
                printable(span.reason) + "\n";
    return text;
}

Json page_json(Json items, const std::optional<std::string>& next_cursor) {
    return Json{{"items", std::move(items)}, {"next_cursor", next_cursor ? Json(*next_cursor) : Json(nullptr)}};
}

Json wallet_json(const KeyHome& home, const std::vector<KnownVault>& vaults) {
    Json list = Json::array();
    for (const KnownVault& vault : vaults)
        list.push_back(Json{{"address", vault.address}, {"key", fingerprint(vault.wallet)}});
    return Json{{"wallet", home.wallet().hex()},
                {"key_id", home.chain().sign_key().id().hex()},
                {"kem_id", home.chain().kem_key().id().hex()},
                {"home", json_text(home.directory().string())},
                {"name", home.profile().name},
                {"contact", home.profile().contact},
                {"vaults", std::move(list)}};
}

std::string wallet_text(const KeyHome& home, const std::vector<KnownVault>& vaults) {
    std::string text = field("wallet", home.wallet().hex());
    text += field("sign key", home.chain().sign_key().id().hex());
    text += field("kem key", home.chain().kem_key().id().hex());
    text += field("key file", printable(home.sign_file().string()));
    if (!home.profile().name.empty()) text += field("name", printable(home.profile().name));
    if (!home.profile().contact.empty()) text += field("contact", printable(home.profile().contact));
    for (const KnownVault& vault : vaults) text += field("vault", vault.address + "  " + fingerprint(vault.wallet));
    return text;
}

}  // namespace sat
