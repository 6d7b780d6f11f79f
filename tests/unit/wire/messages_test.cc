// Requests, replies and events: exactly the documented members, in and out.
// SPDX-License-Identifier: Apache-2.0
#include "wire/messages.h"

#include <gtest/gtest.h>

#include <set>

#include "envelope/envelope.h"
#include "unit/wire/wire_fixtures.h"
#include "wire/record.h"

namespace sat {
namespace {

Digest digest_of(unsigned char byte) {
    Digest digest;
    digest.bytes.fill(static_cast<std::byte>(byte));
    return digest;
}

const std::string kHex1 = digest_of(0x11).hex();
const std::string kHex2 = digest_of(0x22).hex();
const std::string kSalt(43, 'A');  // 32 zero bytes
const std::string kNote = R"({"salt":")" + kSalt + R"(","text":"hello"})";

const std::string kSignedNote = "sat-vault/x\n7\nroot\n\n\xe2\x80\x94 sat-vault/x c2ln\n";
const std::string kSignedNoteJson = R"(sat-vault/x\n7\nroot\n\n)"
                                    "\xe2\x80\x94"
                                    R"( sat-vault/x c2ln\n)";

ArtworkId artwork() {
    static const ArtworkId id = ArtworkId::generate();
    return id;
}

SaltedText note(std::string text = "hello") {
    auto parts = SaltedText::from_parts(Bytes(32), text);
    SAT_ASSERT(parts);
    return std::move(*parts);
}

ClaimItem claim_item() {
    ClaimItem item;
    item.claim = "a.b.c";
    item.claim_text = note();
    item.state = ClaimState::confirmed;
    item.answer = "d.e.f";
    item.asked_at = 10;
    item.changed_at = 20;
    item.answer_by = 30;
    item.registration = "g.h.i";
    return item;
}

WorkItem work_item() {
    WorkItem item;
    item.registration = "a.b.c";
    item.origin = Origin{"2001:db8::1", 65535};
    item.owner = digest_of(0x11);
    item.head = digest_of(0x22);
    item.seq = 3;
    item.registered_at = kTestTime;
    item.held = true;
    return item;
}

const std::string kClaimJson = R"({"claim":"a.b.c","claim_text":)" + kNote +
                               R"(,"answer":"d.e.f","answer_text":null,"state":"confirmed","asked_at":10,)"
                               R"("changed_at":20,"answer_by":30,"registration":"g.h.i"})";
const std::string kWorkJson =
    R"({"registration":"a.b.c","origin":{"sender_ip":"2001:db8::1","sender_port":65535},"owner":")" + kHex1 +
    R"(","head":")" + kHex2 + R"(","seq":3,"registered_at":1790000000,"held":true})";

struct RequestCase {
    Request request;
    std::string parameters;  // as written by us
    std::vector<std::string> optional;
};

// One of each method, every member present.
std::vector<RequestCase> request_cases() {
    const std::string id = artwork().str();
    const Bytes header(kMinEnvelopeHeader, std::byte{1});
    SaltedMetadata metadata;
    metadata.metadata = R"({"name":"C"})";
    ArtworkListRequest list;
    list.text = "two boats";
    list.artist = "Ada";
    list.owner = digest_of(0x11);
    list.limit = 7;
    list.cursor = "c-1";
    return {
        {IdentityGetRequest{{digest_of(0x11), digest_of(0x22)}},
         R"({"wallets":[")" + kHex1 + R"(",")" + kHex2 + R"("]})",
         {}},
        {UploadBeginRequest{12345, "image/png"}, R"({"bytes":12345,"media_type":"image/png"})", {}},
        {UploadBeginRequest{12345, "image/png", digest_of(0x11)},
         R"({"bytes":12345,"media_type":"image/png","resume":")" + kHex1 + R"("})",
         {"resume"}},
        {UploadResumeRequest{header}, R"({"header":")" + to_base64url(header) + R"("})", {}},
        {UploadDataRequest{header}, R"({"header":")" + to_base64url(header) + R"("})", {"header"}},
        {UploadDataRequest{}, R"({})", {}},
        {UploadCommitRequest{"a.b.c", Bytes{std::byte{1}}}, R"({"registration":"a.b.c","preview":"AQ"})", {"preview"}},
        {UploadCommitRequest{"a.b.c", std::nullopt, 7}, R"({"registration":"a.b.c","prove":7})", {"prove"}},
        {list,
         R"({"text":"two boats","artist":"Ada","owner":")" + kHex1 + R"(","limit":7,"cursor":"c-1"})",
         {"text", "artist", "owner", "cursor"}},
        {ArtworkGetRequest{artwork()}, R"({"artwork":")" + id + R"("})", {}},
        {ArtworkPreviewRequest{artwork()}, R"({"artwork":")" + id + R"("})", {}},
        {ArtworkHistoryRequest{artwork(), 50}, R"({"artwork":")" + id + R"(","from":50})", {}},
        {ArtworkFetchRequest{artwork(), 16400}, R"({"artwork":")" + id + R"(","offset":16400})", {}},
        {ClaimOpenRequest{"a.b.c", note()}, R"({"claim":"a.b.c","text":)" + kNote + "}", {"text"}},
        {ClaimWithdrawRequest{"a.b.c"}, R"({"withdraw":"a.b.c"})", {}},
        {ClaimGetRequest{digest_of(0x11)}, R"({"claim":")" + kHex1 + R"("})", {}},
        {ClaimMineRequest{artwork(), "next"}, R"({"artwork":")" + id + R"(","cursor":"next"})", {"artwork", "cursor"}},
        {ClaimInboxRequest{"next"}, R"({"cursor":"next"})", {"cursor"}},
        {ClaimSubscribeRequest{}, "{}", {}},
        {ClaimAnswerRequest{"a.b.c", note()}, R"({"answer":"a.b.c","text":)" + kNote + "}", {"text"}},
        {ClaimAcceptRequest{"a.b.c", metadata},
         R"({"accept":"a.b.c","salt":")" + kSalt + R"(","metadata":"{\"name\":\"C\"}"})",
         {}},
        {LedgerCheckpointRequest{}, "{}", {}},
        {LedgerInclusionRequest{digest_of(0x11), 7}, R"({"leaf":")" + kHex1 + R"(","size":7})", {}},
        {LedgerConsistencyRequest{6, 7}, R"({"old":6,"size":7})", {}},
        {LedgerEntriesRequest{50}, R"({"from":50})", {}},
        {LedgerHeadRequest{artwork(), 7}, R"({"artwork":")" + id + R"(","size":7})", {"size"}},
        {LedgerReportRequest{kSignedNote}, R"({"checkpoint":")" + kSignedNoteJson + R"("})", {}},
    };
}

std::string request_text(std::string_view method, std::string_view parameters) {
    return R"({"m":")" + std::string(method) + R"(","p":)" + std::string(parameters) + "}";
}

void expect_bad_request(const std::string& text) {
    const auto request = parse_request(text);
    ASSERT_FALSE(request) << text;
    EXPECT_EQ(errc_name(request.error().code), "bad_request") << text;
}

TEST(Request, IsWrittenAndReadAsDocumented) {
    std::set<std::string_view> methods;
    for (const auto& [request, parameters, optional] : request_cases()) {
        const std::string text = request_text(method_name(request), parameters);
        EXPECT_EQ(encode_request(request), text);
        const auto parsed = parse_request(text);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
        EXPECT_EQ(*parsed, request) << text;
        methods.insert(method_name(request));
    }
    EXPECT_EQ(methods.size(), std::variant_size_v<Request>);
    EXPECT_EQ(methods.size(), 24U);
}

TEST(Request, HasItsMembersAndNoOthers) {
    for (const auto& [request, parameters, optional] : request_cases()) {
        const std::string_view method = method_name(request);
        const Json all = *parse_json(parameters);
        Json more = all;
        more["unknown"] = 1;
        expect_bad_request(request_text(method, more.dump()));
        for (const auto& [name, value] : all.items()) {
            const bool may_miss = std::ranges::find(optional, name) != optional.end();
            Json without = all;
            without.erase(name);
            Json null = all;
            null[name] = Json();
            for (const Json& variant : {without, null}) {
                const std::string text = request_text(method, variant.dump());
                if (may_miss) {
                    EXPECT_TRUE(parse_request(text)) << text;
                } else {
                    expect_bad_request(text);
                }
            }
            // Every other kind of value.
            for (const char* wrong : {"true", "-1", "1.5", "\"\\u00e9\"", "[]", "[1]", "{}"}) {
                if (name == "text" || name == "artist" || name == "metadata") continue;
                if ((name == "registration" || name == "claim" || name == "withdraw" || name == "answer" ||
                     name == "accept" || name == "checkpoint") &&
                    std::string(wrong).front() == '"')
                    continue;
                Json other = all;
                other[name] = Json::parse(wrong);
                if (std::string(wrong) == "1.5") {
                    EXPECT_FALSE(parse_request(request_text(method, other.dump())));
                } else {
                    expect_bad_request(request_text(method, other.dump()));
                }
            }
        }
        for (const char* wrong : {"[]", "null", "1", "\"\""}) {
            const auto refused = parse_request(request_text(method, wrong));
            EXPECT_FALSE(refused) << method << wrong;
        }
    }
}

TEST(Request, OfAnUnknownMethodIsAnswered) {
    for (const char* method : {"ledger.leaves", "ledger.report.", "identity.set", "", "IDENTITY.GET", "identity.get "})
        expect_bad_request(request_text(method, "{}"));
}

TEST(Request, ThatIsNoRequestEndsTheConnection) {
    for (const char* text :
         {"", "{", "[]", "null", "{}", R"({"m":"claim.subscribe"})", R"({"p":{}})", R"({"m":1,"p":{}})",
          R"({"m":"claim.subscribe","p":{},"x":1})", R"({"m":"claim.subscribe","m":"claim.get","p":{}})",
          R"({"m":"claim.subscribe","p":{}} )"
          "x",
          "\xef\xbb\xbf{}", R"({"m":"claim.get","p":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}})"}) {
        const auto request = parse_request(text);
        ASSERT_FALSE(request) << text;
        EXPECT_EQ(request.error().code, Errc::malformed) << text;
    }
}

TEST(Request, HoldsEveryMemberToItsLimit) {
    const auto wallets = [](std::size_t count) {
        Json names = Json::array();
        for (std::size_t i = 0; i < count; ++i) names.push_back(kHex1);
        return request_text("identity.get", R"({"wallets":)" + names.dump() + "}");
    };
    expect_bad_request(wallets(0));
    EXPECT_TRUE(parse_request(wallets(1)));
    EXPECT_TRUE(parse_request(wallets(50)));
    expect_bad_request(wallets(51));

    const auto begin = [](const std::string& bytes, const std::string& type) {
        return request_text("upload.begin", R"({"bytes":)" + bytes + R"(,"media_type":")" + type + R"("})");
    };
    expect_bad_request(begin("0", "image/png"));
    EXPECT_TRUE(parse_request(begin("1", "image/jpeg")));
    EXPECT_TRUE(parse_request(begin("9007199254740991", "image/avif")));
    EXPECT_FALSE(parse_request(begin("9007199254740992", "image/png")));
    expect_bad_request(begin("1", "image/svg+xml"));
    expect_bad_request(begin("1", ""));

    const auto header = [](std::size_t size) {
        return request_text("upload.data", R"({"header":")" + to_base64url(Bytes(size)) + R"("})");
    };
    expect_bad_request(header(kMinEnvelopeHeader - 1));
    EXPECT_TRUE(parse_request(header(kMinEnvelopeHeader)));
    EXPECT_TRUE(parse_request(header(kMaxEnvelopeHeader)));
    expect_bad_request(header(kMaxEnvelopeHeader + 1));

    const auto preview = [](std::size_t size) {
        return request_text("upload.commit",
                            R"({"registration":"a","preview":")" + to_base64url(Bytes(size)) + R"("})");
    };
    expect_bad_request(preview(0));
    EXPECT_TRUE(parse_request(preview(1)));
    EXPECT_TRUE(parse_request(preview(65'536)));
    expect_bad_request(preview(65'537));

    const auto list = [](const std::string& member) { return request_text("artwork.list", "{" + member + "}"); };
    for (const char* bad : {R"("limit":0)", R"("limit":51)", R"("limit":-1)"}) expect_bad_request(list(bad));
    for (const char* good : {R"("limit":1)", R"("limit":50)"}) EXPECT_TRUE(parse_request(list(good)));
    for (const char* name : {"text", "artist"}) {
        const std::string start = R"("limit":1,")" + std::string(name) + R"(":")";
        std::string most;
        for (int i = 0; i < 200; ++i) most += "\xc3\xa9";  // code points, not bytes
        EXPECT_TRUE(parse_request(list(start + most + "\"")));
        expect_bad_request(list(start + most + "x\""));
    }
    EXPECT_TRUE(parse_request(list(R"("limit":1,"cursor":")" + std::string(64, 'c') + "\"")));
    expect_bad_request(list(R"("limit":1,"cursor":")" + std::string(65, 'c') + "\""));
    expect_bad_request(list("\"limit\":1,\"cursor\":\"\xc3\xa9\""));

    const auto open = [](const std::string& text, const std::string& salt = kSalt) {
        return request_text("claim.open",
                            R"({"claim":"a","text":{"salt":")" + salt + R"(","text":")" + text + R"("}})");
    };
    expect_bad_request(open(""));
    EXPECT_TRUE(parse_request(open(std::string(280, 'x'))));
    expect_bad_request(open(std::string(281, 'x')));
    expect_bad_request(open("x", std::string(42, 'A')));
    expect_bad_request(open("x", std::string(43, 'A') + "="));
    expect_bad_request(
        request_text("claim.open", R"({"claim":"a","text":{"salt":")" + kSalt + R"(","text":"x","y":1}})"));

    const auto accept = [](std::size_t size, bool wide = false) {
        std::string metadata;
        while (metadata.size() < size) metadata += wide ? "\xc3\xa9" : "x";
        return request_text("claim.accept",
                            R"({"accept":"a","salt":")" + kSalt + R"(","metadata":")" + metadata + "\"}");
    };
    EXPECT_TRUE(parse_request(accept(4096)));
    expect_bad_request(accept(4097));
    EXPECT_TRUE(parse_request(accept(4096, true)));
    expect_bad_request(accept(4098, true));  // 2,049 code points, but the limit counts bytes

    const auto jws = [](std::size_t size) {
        return request_text("claim.withdraw", R"({"withdraw":")" + std::string(size, 'a') + "\"}");
    };
    EXPECT_TRUE(parse_request(jws(kMaxJwsSize)));
    expect_bad_request(jws(kMaxJwsSize + 1));

    std::string wrong_id = artwork().str();
    wrong_id[0] = wrong_id[0] == 'A' ? 'B' : 'A';
    expect_bad_request(request_text("artwork.get", R"({"artwork":")" + wrong_id + "\"}"));
    expect_bad_request(request_text("artwork.get", R"({"artwork":""})"));
    expect_bad_request(request_text("claim.mine", R"({"artwork":")" + wrong_id + "\"}"));
    expect_bad_request(request_text("claim.get", R"({"claim":")" + std::string(64, 'A') + "\"}"));

    const std::string most = std::to_string(kMaxTreeSize);
    const std::string beyond = std::to_string(kMaxTreeSize + 1);
    const auto inclusion = [](const std::string& size) {
        return request_text("ledger.inclusion", R"({"leaf":")" + kHex1 + R"(","size":)" + size + "}");
    };
    expect_bad_request(inclusion("0"));
    EXPECT_TRUE(parse_request(inclusion("1")));
    EXPECT_TRUE(parse_request(inclusion(most)));
    expect_bad_request(inclusion(beyond));
    const auto consistency = [](const std::string& old, const std::string& size) {
        return request_text("ledger.consistency", R"({"old":)" + old + R"(,"size":)" + size + "}");
    };
    EXPECT_TRUE(parse_request(consistency("0", "0")));
    EXPECT_TRUE(parse_request(consistency(most, most)));
    expect_bad_request(consistency("2", "1"));
    expect_bad_request(consistency("1", beyond));
    EXPECT_TRUE(parse_request(request_text("ledger.entries", R"({"from":)" + most + "}")));
    expect_bad_request(request_text("ledger.entries", R"({"from":)" + beyond + "}"));
    const auto head = [](const std::string& size) {
        return request_text("ledger.head", R"({"artwork":")" + artwork().str() + R"(","size":)" + size + "}");
    };
    EXPECT_TRUE(parse_request(head("0")));
    EXPECT_TRUE(parse_request(head(most)));
    expect_bad_request(head(beyond));
    const auto report = [](const std::string& note) {
        return request_text("ledger.report", R"({"checkpoint":")" + note + "\"}");
    };
    EXPECT_TRUE(parse_request(report(std::string(2560, 'a'))));
    expect_bad_request(report(std::string(2561, 'a')));
    expect_bad_request(report("\xc3\xa9" + std::string(2559, 'a')));  // 2,560 code points, but the limit counts bytes
}

// `optional`: a member that need not be there.
template <typename R>
void expect_round_trip(const typename R::Reply& reply, const std::string& json, const std::string& optional = {}) {
    const std::string text = encode_response(Response(Reply(reply)));
    EXPECT_EQ(text, R"({"ok":true,"r":)" + json + "}") << R::kMethod;
    const auto parsed = parse_reply<R>(text);
    ASSERT_TRUE(parsed) << R::kMethod << ": " << parsed.error().message;
    EXPECT_EQ(*parsed, reply) << R::kMethod;

    const Json members = *parse_json(json);
    Json more = members;
    more["later"] = 1;
    EXPECT_TRUE(parse_reply<R>(R"({"ok":true,"r":)" + more.dump() + R"(,"later":1})")) << R::kMethod;
    for (const auto& [name, value] : members.items()) {
        Json without = members;
        without.erase(name);
        Json wrong = members;
        wrong[name] = value.is_boolean() ? Json(1) : Json(true);
        for (const Json& variant : {without, wrong}) {
            const auto refused = parse_reply<R>(R"({"ok":true,"r":)" + variant.dump() + "}");
            if (name == optional && variant == without) {
                ASSERT_TRUE(refused) << R::kMethod << " " << name;
                EXPECT_EQ(encode_response(Response(Reply(*refused))), R"({"ok":true,"r":)" + variant.dump() + "}");
                continue;
            }
            ASSERT_FALSE(refused) << R::kMethod << " " << name;
            EXPECT_EQ(refused.error().code, Errc::malformed) << R::kMethod << " " << name;
        }
    }
}

TEST(Reply, IsWrittenAndReadAsDocumented) {
    const Bytes header(kMaxEnvelopeHeader, std::byte{1});
    const std::string id = artwork().str();
    expect_round_trip<IdentityGetRequest>({{std::vector<std::string>{"a", "b"}, std::nullopt}},
                                          R"({"identities":[["a","b"],null]})");
    expect_round_trip<UploadBeginRequest>({artwork(), 0}, R"({"artwork":")" + id + R"(","offset":0})");
    expect_round_trip<UploadBeginRequest>({artwork(), 32768}, R"({"artwork":")" + id + R"(","offset":32768})");
    expect_round_trip<UploadResumeRequest>({16384, digest_of(0x11)}, R"({"offset":16384,"sha256":")" + kHex1 + R"("})");
    expect_round_trip<UploadDataRequest>({digest_of(0x11)}, R"({"sha256":")" + kHex1 + R"("})");
    expect_round_trip<UploadBeginRequest>({artwork(), 0, true},
                                          R"({"artwork":")" + id + R"(","offset":0,"proves":true})", "proves");
    expect_round_trip<UploadCommitRequest>({"a.b.c"}, R"({"receipt":"a.b.c"})");
    expect_round_trip<UploadCommitRequest>(
        {"a.b.c", RegistrationProof{9, {"192.0.2.7", 4711}, "note", 3, {digest_of(0x11)}, {digest_of(0x22)}}},
        R"({"receipt":"a.b.c","proof":{"registered_at":9,"origin":{"sender_ip":"192.0.2.7","sender_port":4711},)"
        R"("checkpoint":"note","index":3,"inclusion":[")" +
            kHex1 + R"("],"consistency":[")" + kHex2 + R"("]}})",
        "proof");
    expect_round_trip<ArtworkListRequest>({{work_item()}, "c"},
                                          R"({"items":[)" + kWorkJson + R"(],"next_cursor":"c"})");
    WorkItem others = work_item();
    others.origin.reset();
    others.held = false;
    expect_round_trip<ArtworkListRequest>({{others, work_item()}, std::nullopt},
                                          R"({"items":[{"registration":"a.b.c","origin":null,"owner":")" + kHex1 +
                                              R"(","head":")" + kHex2 + R"(","seq":3,"registered_at":)" +
                                              std::to_string(kTestTime) + R"(,"held":false},)" + kWorkJson +
                                              R"(],"next_cursor":null})");
    expect_round_trip<ArtworkListRequest>({{}, std::nullopt}, R"({"items":[],"next_cursor":null})");
    expect_round_trip<ArtworkGetRequest>(work_item(), kWorkJson);
    expect_round_trip<ArtworkPreviewRequest>({Bytes{std::byte{1}}}, R"({"preview":"AQ"})");
    expect_round_trip<ArtworkPreviewRequest>({std::nullopt}, R"({"preview":null})");
    expect_round_trip<ArtworkHistoryRequest>({{"sat-leaf/1\nregister\n1\na\n"}, 2},
                                             R"({"leaves":["sat-leaf/1\nregister\n1\na\n"],"next":2})");
    expect_round_trip<ArtworkHistoryRequest>({{}, std::nullopt}, R"({"leaves":[],"next":null})");
    expect_round_trip<ArtworkFetchRequest>({header}, R"({"header":")" + to_base64url(header) + R"("})");
    expect_round_trip<ClaimOpenRequest>(claim_item(), kClaimJson);
    expect_round_trip<ClaimMineRequest>({{claim_item()}, "c"},
                                        R"({"items":[)" + kClaimJson + R"(],"next_cursor":"c"})");
    expect_round_trip<ClaimInboxRequest>({{}, std::nullopt}, R"({"items":[],"next_cursor":null})");
    expect_round_trip<ClaimSubscribeRequest>({}, "{}");
    expect_round_trip<ClaimAcceptRequest>({"a.b.c", claim_item()}, R"({"receipt":"a.b.c","claim":)" + kClaimJson + "}");
    expect_round_trip<LedgerCheckpointRequest>({kSignedNote}, R"({"checkpoint":")" + kSignedNoteJson + R"("})");
    const MerkleProof proof = {digest_of(0x11), digest_of(0x22)};
    const std::string proof_json = R"([")" + kHex1 + R"(",")" + kHex2 + R"("])";
    expect_round_trip<LedgerInclusionRequest>({5, proof}, R"({"index":5,"proof":)" + proof_json + "}");
    expect_round_trip<LedgerInclusionRequest>({0, {}}, R"({"index":0,"proof":[]})");
    expect_round_trip<LedgerConsistencyRequest>({proof}, R"({"proof":)" + proof_json + "}");
    expect_round_trip<LedgerEntriesRequest>({{"sat-leaf/1\nregister\n1\na\n"}, 51},
                                            R"({"entries":["sat-leaf/1\nregister\n1\na\n"],"next":51})");
    expect_round_trip<LedgerEntriesRequest>({{}, std::nullopt}, R"({"entries":[],"next":null})");
    expect_round_trip<LedgerHeadRequest>({"a.b.c", kSignedNote},
                                         R"({"head":"a.b.c","checkpoint":")" + kSignedNoteJson + R"("})");
    expect_round_trip<LedgerReportRequest>({}, "{}");
}

TEST(Reply, HasAProofOfHashesAndNoLongerThanThereCanBe) {
    LedgerConsistencyReply reply{MerkleProof(kMaxProof, digest_of(0x11))};
    EXPECT_TRUE(LedgerConsistencyReply::from_json(reply.to_json()));
    reply.proof.push_back(digest_of(0x11));
    EXPECT_FALSE(LedgerConsistencyReply::from_json(reply.to_json()));
    for (const char* wrong : {"[1]", "[null]", R"([""])", R"(["AA"])", "{}"})
        EXPECT_FALSE(LedgerConsistencyReply::from_json(*parse_json(R"({"proof":)" + std::string(wrong) + "}")))
            << wrong;
}

TEST(Reply, HasEntriesOfALeafsSize) {
    LedgerEntriesReply reply{{std::string(65'535, 'a')}, std::nullopt};
    EXPECT_TRUE(LedgerEntriesReply::from_json(reply.to_json()));
    reply.entries[0] += 'a';
    EXPECT_FALSE(LedgerEntriesReply::from_json(reply.to_json()));
    reply.entries.assign(50, "a leaf");
    EXPECT_TRUE(LedgerEntriesReply::from_json(reply.to_json()));
    reply.entries.emplace_back("a leaf");
    EXPECT_FALSE(LedgerEntriesReply::from_json(reply.to_json()));
}

TEST(Reply, SaysEveryClaimState) {
    for (const auto state : {ClaimState::pending, ClaimState::confirmed, ClaimState::completed, ClaimState::declined,
                             ClaimState::withdrawn, ClaimState::expired, ClaimState::superseded}) {
        ClaimItem item = claim_item();
        item.state = state;
        item.claim_text.reset();
        item.answer.reset();
        item.answer_by.reset();
        const auto parsed = ClaimItem::from_json(item.to_json());
        ASSERT_TRUE(parsed);
        EXPECT_EQ(*parsed, item);
    }
    Json json = claim_item().to_json();
    for (const char* wrong : {"none", "", "Pending", "gone"}) {
        json["state"] = wrong;
        EXPECT_FALSE(ClaimItem::from_json(json)) << wrong;
    }
}

TEST(Reply, DoesNotGoOnFromAnEmptyPage) {
    EXPECT_FALSE(WorkPage::from_json(WorkPage{{}, "c"}.to_json()));
    EXPECT_FALSE(ClaimPage::from_json(ClaimPage{{}, "c"}.to_json()));
    EXPECT_FALSE(ArtworkHistoryReply::from_json(ArtworkHistoryReply{{}, 0}.to_json()));
    EXPECT_FALSE(LedgerEntriesReply::from_json(LedgerEntriesReply{{}, 0}.to_json()));
    EXPECT_TRUE(WorkPage::from_json(WorkPage{{work_item()}, "c"}.to_json()));
    EXPECT_TRUE(ClaimPage::from_json(ClaimPage{{claim_item()}, "c"}.to_json()));
    EXPECT_TRUE(ArtworkHistoryReply::from_json(ArtworkHistoryReply{{"a leaf"}, 1}.to_json()));
}

TEST(Reply, HoldsNoMoreThanAPage) {
    WorkPage page;
    page.items.assign(50, work_item());
    EXPECT_TRUE(WorkPage::from_json(page.to_json()));
    page.items.push_back(work_item());
    EXPECT_FALSE(WorkPage::from_json(page.to_json()));

    IdentityGetReply identities;
    identities.identities.push_back(std::vector<std::string>(4, "a"));
    EXPECT_TRUE(IdentityGetReply::from_json(identities.to_json()));
    identities.identities[0]->push_back("a");
    EXPECT_FALSE(IdentityGetReply::from_json(identities.to_json()));
    identities.identities[0]->clear();
    EXPECT_FALSE(IdentityGetReply::from_json(identities.to_json()));
    EXPECT_FALSE(IdentityGetReply::from_json(*parse_json(R"({"identities":[[1]]})")));
    EXPECT_FALSE(IdentityGetReply::from_json(*parse_json(R"({"identities":["a"]})")));
}

TEST(Reply, OfAnOriginHasARealPort) {
    Json json = work_item().to_json();
    for (const int port : {-1, 65536}) {
        json["origin"]["sender_port"] = port;
        EXPECT_FALSE(WorkItem::from_json(json)) << port;
    }
    json["origin"] = Json();
    const auto stranger = WorkItem::from_json(json);
    ASSERT_TRUE(stranger);
    EXPECT_FALSE(stranger->origin);
}

TEST(Response, TellsThePeerTheCodeAndNothingElse) {
    const Response refused = fail(Errc::storage_full, "no room in /var/lib/secret-place", "a hint");
    EXPECT_EQ(encode_response(refused), R"({"ok":false,"e":{"code":120,"name":"storage_full"}})");
    EXPECT_EQ(encode_response(fail(Errc::content_too_large, "x")),
              R"({"ok":false,"e":{"code":104,"name":"too_large"}})");
    for (const Errc local : {Errc::io_error, Errc::malformed, Errc::config, Errc::internal, Errc::handshake_failed})
        EXPECT_EQ(encode_response(fail(local, "x")), R"({"ok":false,"e":{"code":9,"name":"internal"}})");
}

TEST(Response, CarriesEveryApplicationCode) {
    std::size_t count = 0;
    for (std::uint16_t number = 100; number <= 120; ++number) {
        const auto code = errc_from_wire(number);
        if (!code) continue;
        const auto parsed = parse_response(encode_response(fail(*code, "x")));
        ASSERT_FALSE(parsed);
        EXPECT_EQ(parsed.error().code, *code);
        EXPECT_FALSE(parsed.error().message.empty());
        EXPECT_NE(parsed.error().message, "x");
        ++count;
    }
    EXPECT_EQ(count, 20U);
    for (const char* number : {"0", "6", "9", "119", "999", "65535"}) {
        const auto parsed = parse_response(R"({"ok":false,"e":{"code":)" + std::string(number) + R"(,"name":"x"}})");
        ASSERT_FALSE(parsed);
        EXPECT_EQ(parsed.error().code, Errc::internal) << number;
    }
}

TEST(Response, ThatIsNoResponseIsMalformed) {
    for (const char* text : {"", "[]", "{}", R"({"ok":true})", R"({"ok":false})", R"({"ok":1,"r":{}})",
                             R"({"ok":false,"r":{}})", R"({"ok":true,"e":{"code":1,"name":"x"}})",
                             R"({"ok":false,"e":{"name":"x"}})", R"({"ok":false,"e":{"code":65536,"name":"x"}})",
                             R"({"ok":false,"e":101})", R"({"ok":true,"ok":true,"r":{}})"}) {
        const auto parsed = parse_response(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, Errc::malformed) << text;
    }
}

TEST(Event, IsWrittenAndReadAsDocumented) {
    for (const auto& [kind, name] :
         {std::pair{EventKind::claim_opened, "claim.opened"}, std::pair{EventKind::claim_changed, "claim.changed"}}) {
        const Event event{kind, claim_item()};
        const std::string text = R"({"e":")" + std::string(name) + R"(","p":)" + kClaimJson + "}";
        EXPECT_EQ(encode_event(event), text);
        const auto parsed = parse_event(text);
        ASSERT_TRUE(parsed);
        EXPECT_EQ(*parsed, event);
    }
    for (const std::string& wrong :
         {std::string("{}"), R"({"e":"claim.closed","p":)" + kClaimJson + "}", std::string(R"({"e":"claim.opened"})"),
          std::string(R"({"e":"claim.opened","p":{}})"), std::string("x")}) {
        const auto parsed = parse_event(wrong);
        ASSERT_FALSE(parsed) << wrong;
        EXPECT_EQ(parsed.error().code, Errc::malformed) << wrong;
    }
}

TEST(Request, AtItsLargestFitsAMessage) {
    RecordSealer sealer(TrafficSecret(SecretBytes(32)), kTestTime);
    const UploadCommitRequest largest{std::string(kMaxJwsSize, 'a'), Bytes(kMaxPreviewSize)};
    EXPECT_TRUE(sealer.message(RecordType::request, as_bytes(encode_request(largest))));
}

}  // namespace
}  // namespace sat
