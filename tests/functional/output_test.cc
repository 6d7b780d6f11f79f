// What the programs print: one JSON document on success and on failure, the result alone with -q, nothing animated away
// from a terminal, and no byte of a peer's that moves a cursor.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>

#include "support/programs.h"
#include "support/relay.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Output : public ThreeComputers {
public:
    Done quiet(const Command& command) { return Command(command).json(false).also({"-q"}).run(); }
};

TEST_F(Output, EveryCommandPrintsOneDocumentOnSuccess) {
    // collector() and its like check each document against the exit code and cli.md.
    const Path file = picture("picture.webp");
    const Done uploaded = artist({"upload", file, "--title", "A", "--artist", "B", "--created", "2026-01"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.out << uploaded.err;
    const std::string id = uploaded.data()["id"];
    EXPECT_TRUE(uploaded.data().contains("receipt"));
    for (const char* name : {"wallet", "key_id", "kem_id", "home", "name", "contact", "vaults"}) {
        EXPECT_TRUE(artist({"whoami"}).data().contains(name)) << name;
    }
    const Done list = artist({"list"});
    EXPECT_TRUE(list.data().contains("next_cursor"));
    check_artwork(list.data()["items"][0]);
    check_artwork(artist({"show", id}).data());
    check_artwork(collector({"browse"}).data()["items"][0]);
    const Done request = collector({"request", id, "-o", dir() / "w"});
    for (const char* name : {"artwork", "file", "bytes", "sha256", "kind", "verified"})
        EXPECT_TRUE(request.data().contains(name)) << name;
    claim(kCollector, id);
    check_claim(artist({"inbox"}).data()["items"][0]);
    check_claim(collector({"claims"}).data()["items"][0]);
    const Done declined = artist({"decline", id, "--reason", "no"});
    ASSERT_EQ(declined.exit, 0) << declined.out << declined.err;
    check_claim(declined.data());
    claim(kSecond, id);
    const Done withdrawn = second({"withdraw", id});
    ASSERT_EQ(withdrawn.exit, 0) << withdrawn.out << withdrawn.err;
    check_claim(withdrawn.data());
    claim(kCollector, id);
    const Done confirmed = artist({"confirm", id});
    check_claim(confirmed.data());
    const Done claimed = collector({"claim", id});
    ASSERT_EQ(claimed.exit, 0) << claimed.out << claimed.err;
    check_claim(claimed.data());
    const Done history = collector({"history", id});
    for (const Json& item : history.data()["items"]) {
        for (const char* name : {"seq", "owner", "from", "at", "verified"}) EXPECT_TRUE(item.contains(name)) << name;
    }
    const Done status = vaultd_command({"status"}).json().run();
    EXPECT_EQ(status.exit, 0) << status.out << status.err;
}

TEST_F(Output, EveryCommandPrintsOneDocumentOnFailure) {
    const std::string id = ArtworkId::generate().str();
    const std::string nowhere = deaf_address().str();
    const std::vector<Words> shared = {{"list"},        {"show", id},    {"request", id}, {"inbox"},
                                       {"confirm", id}, {"decline", id}, {"history", id}};
    std::vector<Words> collectors = shared;
    collectors.insert(collectors.end(), {{"browse"}, {"claim", id}, {"claims"}, {"withdraw", id}});
    std::vector<Words> artists = shared;
    artists.push_back({"upload", picture(), "--title", "T"});
    for (const Words& words : collectors) {
        const Done done = collector_command(words).vault(nowhere).run();
        EXPECT_EQ(done.exit, exits::kUnreachable) << words[0];
        EXPECT_THAT(done.error()["message"].get<std::string>(), Not(testing::EndsWith("."))) << words[0];
    }
    for (const Words& words : artists)
        EXPECT_EQ(artist_command(words).vault(nowhere).run().exit, exits::kUnreachable) << words[0];
    EXPECT_EQ(artist_command({"init", "--no-passphrase"}).run().exit, exits::kExists);
    EXPECT_EQ(artist_command({"whoami"}).home(dir() / "none").run().exit, exits::kConfig);
}

TEST_F(Output, QuietPrintsTheResultAlone) {
    const Done uploaded = quiet(artist_command({"upload", picture(), "--title", "Q"}));
    ASSERT_EQ(uploaded.exit, 0) << uploaded.err;
    ASSERT_EQ(uploaded.out.size(), 11U) << uploaded.out;
    const std::string id = uploaded.out.substr(0, 10);
    EXPECT_TRUE(ArtworkId::from_canonical(id).has_value()) << id;
    EXPECT_TRUE(uploaded.err.empty()) << uploaded.err;
    const Done requested = quiet(collector_command({"request", id, "-o", dir() / "q.jpg"}));
    EXPECT_EQ(requested.exit, 0);
    EXPECT_TRUE(requested.err.empty()) << requested.err;
    const Done wallet_line = quiet(collector_command({"whoami"}));
    EXPECT_EQ(wallet_line.out, wallet(collector_home()).hex() + "\n");
}

TEST_F(Output, DataIsOnStandardOutputAndMessagesOnStandardError) {
    const std::string id = upload("Plain");
    const Done shown = collector_command({"show", id}).json(false).run();
    EXPECT_EQ(shown.exit, 0);
    EXPECT_THAT(shown.out, HasSubstr("Plain"));
    EXPECT_TRUE(shown.err.empty()) << shown.err;
    const Done failed = collector_command({"show", ArtworkId::generate().str()}).json(false).run();
    EXPECT_EQ(failed.exit, exits::kNotThere);
    EXPECT_TRUE(failed.out.empty()) << failed.out;
    EXPECT_FALSE(failed.err.empty());
}

TEST_F(Output, WhatAPeerWroteIsEscapedOnATerminal) {
    // An artist whose program lets everything through.
    copy_cached("stranger", dir() / "stranger");
    const Person person = load_person(dir() / "stranger");
    RawUpload planted;
    planted.image = sample_bytes(samples()[1]);
    planted.title =
        "Red\x1B[31m and \xE2\x80\xAEreversed and zero\xE2\x80\x8Bwidth\x07\r\n\xC2\x9B"
        "5m";
    planted.artist = "Mallory\x1B]0;owned\x07";
    planted.description = "line one\nline two\x1B[2J";
    auto session = open_session(vault().socket_address(), person);
    ASSERT_TRUE(session.has_value());
    const auto result = planted.send(*session, person, vault_keys().chain);
    ASSERT_EQ(error_code(result.response), 0) << result.response.dump();

    for (const Words& words : {Words{"browse"}, Words{"show", result.artwork}}) {
        const Outcome outcome =
            collector_command(words).terminal().env("NO_COLOR", "1").env("TERM", "dumb").begin().wait();
        EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
        EXPECT_THAT(outcome.out, HasSubstr("Red")) << words[0];
        EXPECT_THAT(outcome.out, Not(HasSubstr("\x1B"))) << words[0] << outcome.out;
        EXPECT_THAT(outcome.out, Not(HasSubstr("\x07"))) << words[0];
        EXPECT_THAT(outcome.out, Not(HasSubstr("\xE2\x80\xAE"))) << words[0] << ": the bidi override";
        EXPECT_THAT(outcome.out, Not(HasSubstr("\xE2\x80\x8B"))) << words[0] << ": the zero-width space";
        EXPECT_THAT(outcome.out, Not(HasSubstr("\xC2\x9B"))) << words[0] << ": C1";
        const Outcome coloured = collector_command(words).terminal().begin().wait();
        for (const char* sequence : {"\x1B[31m", "\x1B]0", "\x1B[2J"})
            EXPECT_THAT(coloured.out, Not(HasSubstr(sequence))) << words[0];
    }
    // A script gets the text as it is, in JSON's own escapes.
    const Done shown = collector({"show", result.artwork});
    EXPECT_EQ(shown.data()["title"], planted.title);
    EXPECT_THAT(shown.out, Not(HasSubstr("\x1B")));

    // And messages beside a claim.
    const std::string id = upload();
    ASSERT_EQ(collector({"claim", id, "--wait", "0", "--message", "hello \x1B[31m\xE2\x80\xAEolleh"}).exit,
              exits::kPending);
    const Outcome inbox = artist_command({"inbox"}).terminal().env("NO_COLOR", "1").env("TERM", "dumb").begin().wait();
    EXPECT_THAT(inbox.out, HasSubstr(id));
    EXPECT_THAT(inbox.out, Not(HasSubstr("\x1B")));
    EXPECT_THAT(inbox.out, Not(HasSubstr("\xE2\x80\xAE")));
}

TEST_F(Output, ProgressIsShownOnATerminalAndNowhereElse) {
    const Path file = tiff(std::size_t{12} << 20);
    // Slow enough that there is something to see.
    Relay relay(vault().socket_address());
    relay.treat(Direction::to_vault, {.bytes_per_second = std::size_t{8} << 20});
    const Outcome shown =
        artist_command({"upload", file, "--title", "Bar"}).vault(relay.address()).terminal().begin().wait();
    ASSERT_EQ(shown.exit_code, 0) << shown.out;
    EXPECT_THAT(shown.out, HasSubstr("%")) << "a bar with how far it is";
    EXPECT_THAT(shown.out, HasSubstr("/s")) << "and the rate";
    EXPECT_THAT(shown.out, HasSubstr("left")) << "and how long it will take";
    const Done plain = artist_command({"upload", file, "--title", "Bar"}).json(false).run();
    ASSERT_EQ(plain.exit, 0) << plain.err;
    for (const std::string& text : {plain.out, plain.err}) {
        EXPECT_THAT(text, Not(HasSubstr("\r")));
        EXPECT_THAT(text, Not(HasSubstr("\x1B")));
        EXPECT_THAT(text, Not(HasSubstr("%")));
    }
    const Done list = artist({"list"});
    const std::string id = list.data()["items"][0]["id"];
    const Outcome fetched = collector_command({"request", id, "-o", dir() / "bar.tif"}).terminal().begin().wait();
    ASSERT_EQ(fetched.exit_code, 0) << fetched.out;
    EXPECT_THAT(fetched.out, HasSubstr("%"));
    const Outcome dumb = collector_command({"request", id, "-o", dir() / "dumb.tif"})
                             .terminal()
                             .env("TERM", "dumb")
                             .env("NO_COLOR", "1")
                             .begin()
                             .wait();
    EXPECT_THAT(dumb.out, Not(HasSubstr("\x1B"))) << dumb.out;
}

TEST_F(Output, ListsComeInPagesThatACursorJoins) {
    std::vector<std::string> ids;
    for (int i = 0; i < 7; ++i) ids.push_back(upload("Page " + std::to_string(i)));
    std::vector<std::string> seen;
    std::string cursor;
    int pages = 0;
    do {
        Words words = {"browse", "--limit", "3"};
        if (!cursor.empty()) words.insert(words.end(), {"--cursor", cursor});
        const Done page = collector(words);
        ASSERT_EQ(page.exit, 0) << page.out << page.err;
        for (const Json& item : page.data()["items"]) seen.push_back(item["id"]);
        cursor = page.data()["next_cursor"].is_null() ? "" : page.data()["next_cursor"].get<std::string>();
        ++pages;
    } while (!cursor.empty() && pages < 10);
    EXPECT_EQ(pages, 3);
    EXPECT_EQ(seen, std::vector<std::string>(ids.rbegin(), ids.rend()));
    EXPECT_EQ(collector({"browse", "--limit", "3", "--all"}).data()["items"].size(), 7U);
    EXPECT_NE(collector({"browse", "--cursor", "nonsense"}).exit, 0);
}

TEST_F(Output, SearchFindsWholeWordsInAnyCaseAndFiltersByArtistAndOwner) {
    const auto add = [&](const std::string& title, const std::string& name, const std::string& description) {
        const Done done =
            artist({"upload", picture(), "--title", title, "--artist", name, "--description", description});
        EXPECT_EQ(done.exit, 0) << done.out << done.err;
        return done.data()["id"].get<std::string>();
    };
    const std::string harbour = add("Harbour at Dawn", "J\xC3\xB6rg M\xC3\xBCller", "boats");
    const std::string boats = add("Boats", "Jane Doe", "harbour in the evening");
    const auto found = [&](const Words& more) {
        Words words = {"browse"};
        words.insert(words.end(), more.begin(), more.end());
        const Done done = collector(words);
        EXPECT_EQ(done.exit, 0) << done.out << done.err;
        std::vector<std::string> ids;
        for (const Json& item : done.data()["items"]) ids.push_back(item["id"]);
        return ids;
    };
    using Ids = std::vector<std::string>;
    EXPECT_EQ(found({"harbour"}), (Ids{boats, harbour}));
    EXPECT_EQ(found({"HARBOUR dawn"}), Ids{harbour});
    EXPECT_EQ(found({"harb"}), Ids{}) << "whole words";
    EXPECT_EQ(found({"doe"}), Ids{boats});
    EXPECT_EQ(found({"--artist", "j\xC3\xB6rg m\xC3\xBCller"}), Ids{harbour});
    EXPECT_EQ(found({"--artist", "J\xC3\x96RG M\xC3\x9CLLER"}), Ids{harbour});
    EXPECT_EQ(found({"--artist", "j\xC3\xB6rg"}), Ids{}) << "the whole name";
    EXPECT_EQ(found({"--owner", wallet(artist_home()).hex()}), (Ids{boats, harbour}));
    EXPECT_EQ(found({"--owner", wallet(collector_home()).hex()}), Ids{});
    hand_over(harbour, kArtist, kCollector);
    EXPECT_EQ(found({"--owner", wallet(collector_home()).hex()}), Ids{harbour});
    EXPECT_EQ(found({"harbour", "--artist", "Jane Doe"}), Ids{boats});
}

TEST_F(Output, SettingsComeFromTheEnvironmentToo) {
    upload();
    Command command("sat-collector", {"browse", "--accept-new"});
    const Done done = command.json().env("SAT_HOME", collector_home()).env("SAT_VAULT", vault().address()).run();
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(done.data()["items"].size(), 1U);
    // The home's default place.
    Command init("sat-collector", {"init", "--no-passphrase"});
    const Done made = init.json().env("XDG_DATA_HOME", dir() / "xdg").run();
    EXPECT_EQ(made.exit, 0) << made.out << made.err;
    EXPECT_EQ(made.data()["home"], (dir() / "xdg" / "sat" / "collector").string());
    Command by_home("sat-artist", {"init", "--no-passphrase"});
    EXPECT_EQ(by_home.json().env("HOME", dir() / "home").run().data()["home"],
              (dir() / "home" / ".local" / "share" / "sat" / "artist").string());
    // A file, and the command line above it.
    write_text(dir() / "config.toml", "vault = \"" + deaf_address().str() + "\"\n");
    EXPECT_EQ(Command("sat-collector", {"browse", "--config", dir() / "config.toml"})
                  .home(collector_home())
                  .json()
                  .run()
                  .exit,
              exits::kUnreachable);
    EXPECT_EQ(collector({"browse", "--config", dir() / "config.toml"}).exit, 0);
}

}  // namespace
}  // namespace sat::test
