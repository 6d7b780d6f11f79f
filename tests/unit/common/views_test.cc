// Works, claims and histories: the members that scripts read, and text that no peer can make dangerous.
// SPDX-License-Identifier: Apache-2.0
#include "common/views.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "unit/client/claim_scene.h"

namespace sat {
namespace {

std::vector<std::string> names(const Json& object) {
    std::vector<std::string> out;
    for (const auto& [name, value] : object.items()) out.push_back(name);
    return out;
}

Work told(const WorkScene& scene) {
    const IdentityLookup people = scene_people();
    return verify_work(scene.item(), {vault_party().chain, people}).value();
}

// Escape sequence, bidi override, zero-width space, a line of its own, DEL.
constexpr const char* kHostile =
    "a\x1b[31mb\xE2\x80\xAE"
    "c\xE2\x80\x8B"
    "d\ne\x7f";

bool is_harmless(std::string_view text) {
    return text.find('\x1b') == std::string_view::npos && text.find("\xE2\x80\xAE") == std::string_view::npos &&
           text.find("\xE2\x80\x8B") == std::string_view::npos && text.find('\x7f') == std::string_view::npos;
}

TEST(ArtworkView, HasTheContractsMembers) {
    const Work work = told(WorkScene());
    const std::vector<std::string> expected = {
        "id",        "title",      "description", "artist", "creation_date", "file_path", "wallet_address",
        "owner",     "media_type", "width",       "height", "bytes",         "sha256",    "registered_at",
        "transfers", "held",       "release"};
    EXPECT_EQ(names(artwork_json(work)), expected);
    EXPECT_EQ(artwork_json(work)["wallet_address"], person("alice").wallet().hex());
    EXPECT_EQ(artwork_json(work)["release"], "original");
}

TEST(ArtworkView, TellsTheOwnerWhereItWasSentFrom) {
    Work work = told(WorkScene());
    work.origin = Origin{"192.0.2.7", 40000};
    EXPECT_EQ(artwork_json(work)["sender_ip"], "192.0.2.7");
    EXPECT_EQ(artwork_json(work)["sender_port"], 40000);
    EXPECT_NE(artwork_text(work, work.owner).find("192.0.2.7 port 40000"), std::string::npos);
}

TEST(ArtworkView, EscapesWhatPeersWrote) {
    WorkScene scene;
    scene.registration.title = kHostile;
    scene.registration.artist = kHostile;
    scene.registration.description = kHostile;
    const Work work = told(scene);
    EXPECT_TRUE(is_harmless(artwork_text(work, work.owner)));
    const std::string line = artwork_line(work, work.owner);
    EXPECT_TRUE(is_harmless(line));
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    EXPECT_EQ(artwork_json(work)["title"], kHostile) << "a script gets the text itself";
}

TEST(ArtworkView, CutsALongTitleBetweenCharacters) {
    WorkScene scene;
    scene.registration.title.clear();
    for (int i = 0; i < 100; ++i) scene.registration.title += "é";
    const Work work = told(scene);
    EXPECT_TRUE(is_utf8(artwork_line(work, work.owner)));
}

TEST(ClaimView, HasTheContractsMembersAndAMessage) {
    ClaimScene scene;
    const Json json = claim_json(scene.verified());
    const std::vector<std::string> expected = {"claim",    "artwork",   "state",  "from",   "to",
                                               "asked_at", "answer_by", "reason", "message"};
    EXPECT_EQ(names(json), expected);
    EXPECT_EQ(json["state"], "pending");
    EXPECT_EQ(json["from"], person("bob").wallet().hex()) << "who asks";
    EXPECT_EQ(json["to"], person("alice").wallet().hex()) << "who is asked";
    EXPECT_TRUE(json["reason"].is_null());
    EXPECT_EQ(json["message"], "May I have it?");
}

TEST(ClaimView, EscapesWhatPeersWrote) {
    ClaimScene scene;
    scene.message = SaltedText::draw(kHostile).value();
    scene.reason = scene.message;
    scene.claim.text_commit = scene.message.commit();
    EXPECT_TRUE(is_harmless(claim_text(scene.say(false).verified(), person("alice").wallet())));
}

TEST(HistoryView, HasARecordForEachOwner) {
    const Work work = told(WorkScene());
    const History history{work.registration,
                          {{0, person("alice").wallet(), std::nullopt, 10, work.head, work.registration.id},
                           {1, person("bob").wallet(), person("alice").wallet(), 20, named("x"), named("y")}},
                          {{12, 15, "a dispute"}, {21, std::nullopt, "another"}}};
    const Json json = history_json(history);
    EXPECT_EQ(json["holds"][0], (Json{{"from", 12}, {"until", 15}, {"reason", "a dispute"}}));
    EXPECT_TRUE(json["holds"][1]["until"].is_null());
    ASSERT_EQ(json["items"].size(), 2U);
    EXPECT_EQ(names(json["items"][0]), (std::vector<std::string>{"seq", "owner", "from", "at", "verified"}));
    EXPECT_TRUE(json["items"][0]["from"].is_null());
    EXPECT_EQ(json["items"][1]["from"], person("alice").wallet().hex());
    EXPECT_EQ(json["items"][1]["verified"], true);
}

TEST(PageView, NamesTheNextCursorOrNull) {
    EXPECT_EQ(dump_json(page_json(Json::array(), std::nullopt)), R"({"items":[],"next_cursor":null})");
    EXPECT_EQ(dump_json(page_json(Json::array(), "c")), R"({"items":[],"next_cursor":"c"})");
}

}  // namespace
}  // namespace sat
