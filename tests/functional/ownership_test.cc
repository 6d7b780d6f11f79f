// Who may have a work and who may give it away: every way a claim can end, and every hand that is refused.
// docs/protocol.md, "The transfer's rules".
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>

#include "support/programs.h"
#include "support/relay.h"

namespace sat::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Ownership : public ThreeComputers {
public:
    Json claims_of(Who who) {
        const Done done = (this->*who)({"claims"}).run();
        EXPECT_EQ(done.exit, 0) << done.out << done.err;
        return done.data().is_object() ? done.data()["items"] : Json::array();
    }
    std::string state_of(Who who, const std::string& claim_id) {
        for (const Json& item : claims_of(who)) {
            if (item["claim"] == claim_id) return item["state"];
        }
        return "not there";
    }
    bool inbox_has(std::size_t count) {
        const Done done = artist({"inbox"});
        return done.data().is_object() && done.data()["items"].size() == count;
    }
    std::size_t owners(const std::string& id) {
        const Done done = second({"history", id});
        EXPECT_EQ(done.exit, 0) << done.out << done.err;
        return done.data().is_object() ? done.data()["items"].size() : 0;
    }
};

TEST_F(Ownership, ADeclinedClaimEndsTheWaitWithTheReason) {
    const std::string id = upload();
    const Command waiting = collector_command({"claim", id, "--wait", "60", "--message", "May I?"});
    Process process = waiting.begin();
    ASSERT_TRUE(eventually([&] { return inbox_has(1); }));
    const Done no = artist({"decline", id, "--reason", "It stays in the family"});
    EXPECT_EQ(no.exit, 0) << no.out << no.err;
    EXPECT_EQ(no.data()["state"], "declined");
    const Done done = waiting.finish(process);
    EXPECT_EQ(done.exit, exits::kDeclined) << done.out << done.err;
    EXPECT_EQ(done.code(), "declined");
    const Json claims = claims_of(kCollector);
    ASSERT_EQ(claims.size(), 1U);
    EXPECT_EQ(claims[0]["state"], "declined");
    EXPECT_EQ(claims[0]["reason"], "It stays in the family");
    EXPECT_EQ(owner_of(id), wallet(artist_home()).hex());
    EXPECT_TRUE(inbox_has(0));
    // A no is no ban: the next claim is a new one.
    EXPECT_EQ(collector({"claim", id, "--wait", "0"}).exit, exits::kPending);
}

TEST_F(Ownership, ANoThatCameWhileNobodyWaitedIsToldBeforeTheNextClaim) {
    const std::string id = upload();
    claim(kCollector, id);
    ASSERT_EQ(artist({"decline", id, "--reason", "not this year"}).exit, 0);
    const Done again = collector_command({"claim", id, "--wait", "0"}).json(false).run();
    EXPECT_EQ(again.exit, exits::kPending) << again.out;
    EXPECT_NE(again.err.find("not this year"), std::string::npos) << again.err;
}

TEST_F(Ownership, AClaimThatIsOpenKeepsItsMessageAndAnotherOneIsNotDroppedInSilence) {
    const std::string id = upload();
    const auto ask = [&](const Words& more) {
        Words words = {"claim", id, "--wait", "0"};
        words.insert(words.end(), more.begin(), more.end());
        const Done done = collector_command(words).json(false).run();
        EXPECT_EQ(done.exit, exits::kPending) << done.out << done.err;
        return done.err;
    };
    EXPECT_THAT(ask({"--message", "one", "--expires", "86400"}), Not(HasSubstr("open already")));
    EXPECT_THAT(ask({"--message", "one", "--expires", "86400"}), Not(HasSubstr("open already"))) << "the same again";
    EXPECT_THAT(ask({}), Not(HasSubstr("open already")));
    EXPECT_THAT(ask({"--message", "two"}), HasSubstr("the new message was not sent"));
    EXPECT_THAT(ask({"--expires", "3600"}), HasSubstr("it expires as it did"));
    EXPECT_EQ(artist({"inbox"}).data()["items"][0]["message"], "one");
}

TEST_F(Ownership, AWatchForOneClaimPrintsOneWhereSeveralWait) {
    const std::string id = upload();
    claim(kCollector, id);
    claim(kSecond, id);
    const Done watch = artist_command({"watch", "--once", "-q"}).json(false).run();
    EXPECT_EQ(watch.exit, 0) << watch.err;
    EXPECT_EQ(watch.out, "pending\n");
}

TEST_F(Ownership, AWatchThatMaySayYesNeedsNoTerminal) {
    const std::string id = upload();
    const std::string claim_id = claim(kCollector, id);
    const Done watch = artist({"watch", "--once", "-y"});
    ASSERT_EQ(watch.exit, 0) << watch.out << watch.err;
    EXPECT_EQ(state_of(kCollector, claim_id), "confirmed");
}

TEST_F(Ownership, AConfirmedClaimMayStillBeDeclined) {
    const std::string id = upload();
    claim(kCollector, id);
    EXPECT_EQ(artist({"confirm", id}).exit, 0);
    EXPECT_EQ(artist({"decline", id, "--reason", "I changed my mind"}).exit, 0);
    EXPECT_EQ(collector({"claims"}).data()["items"][0]["state"], "declined");
    EXPECT_EQ(owner_of(id), wallet(artist_home()).hex());
}

TEST_F(Ownership, AWithdrawnClaimIsGoneAndAnAnswerToItIsRefused) {
    const std::string id = upload();
    const std::string claim_id = claim(kCollector, id);
    const Done done = collector({"withdraw", id});
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(done.data()["state"], "withdrawn");
    EXPECT_TRUE(inbox_has(0));
    const Done late = artist({"confirm", id, "--claim", claim_id});
    EXPECT_EQ(late.exit, exits::kChanged) << late.out << late.err;
    EXPECT_EQ(artist({"confirm", id}).exit, exits::kNotThere) << "no claim waits";
    EXPECT_EQ(collector({"withdraw", id}).exit, exits::kNotThere) << "there is none left to withdraw";
    EXPECT_EQ(owner_of(id), wallet(artist_home()).hex());
}

TEST_F(Ownership, AConfirmedClaimMayStillBeWithdrawn) {
    const std::string id = upload();
    const std::string claim_id = claim(kCollector, id);
    EXPECT_EQ(artist({"confirm", id}).exit, 0);
    EXPECT_EQ(collector({"withdraw", id}).exit, 0);
    EXPECT_EQ(state_of(kCollector, claim_id), "withdrawn");
    EXPECT_EQ(owner_of(id), wallet(artist_home()).hex());
}

TEST_F(Ownership, SilenceExpiresAndNeverApproves) {
    const std::string id = upload();
    const Done done = collector({"claim", id, "--expires", "2", "--wait", "60"});
    EXPECT_EQ(done.exit, exits::kExpired) << done.out << done.err;
    EXPECT_EQ(done.code(), "expired");
    const Json claims = claims_of(kCollector);
    ASSERT_EQ(claims.size(), 1U);
    EXPECT_EQ(claims[0]["state"], "expired");
    EXPECT_TRUE(inbox_has(0));
    const Done late = artist({"confirm", id, "--claim", claims[0]["claim"]});
    EXPECT_NE(late.exit, 0);
    EXPECT_EQ(late.exit, exits::kExpired) << late.out << late.err;
    EXPECT_EQ(owner_of(id), wallet(artist_home()).hex());
}

TEST_F(Ownership, AYesThatIsNotAcceptedInTimeExpiresToo) {
    const std::string id = upload();
    // A machine so busy that the yes itself comes too late is given more time.
    Done yes;
    std::string claim_id;
    for (const int life : {3, 12, 48}) {
        const Done pending = collector({"claim", id, "--expires", std::to_string(life), "--wait", "0"});
        EXPECT_EQ(pending.exit, exits::kPending) << pending.out << pending.err;
        claim_id = claims_of(kCollector)[0]["claim"];
        yes = artist({"confirm", id, "--claim", claim_id});
        if (yes.exit != exits::kExpired) break;
    }
    EXPECT_EQ(yes.exit, 0) << yes.out << yes.err;
    ASSERT_TRUE(eventually([&] { return state_of(kCollector, claim_id) == "expired"; }));
    EXPECT_EQ(owner_of(id), wallet(artist_home()).hex());
    // The command begins anew.
    EXPECT_EQ(collector({"claim", id, "--wait", "0"}).exit, exits::kPending);
}

TEST_F(Ownership, ATransferSupersedesTheClaimsBesideIt) {
    const std::string id = upload();
    const std::string first = claim(kCollector, id);
    const Command losing = second_command({"claim", id, "--wait", "60"});
    Process process = losing.begin();
    ASSERT_TRUE(eventually([&] { return inbox_has(2); }));
    EXPECT_EQ(artist({"confirm", id}).exit, exits::kUsage) << "with two waiting, --claim has to say which";
    EXPECT_EQ(artist({"confirm", id, "--claim", first}).exit, 0);
    EXPECT_EQ(collector({"claim", id}).exit, 0);
    const Done lost = losing.finish(process);
    EXPECT_EQ(lost.exit, exits::kSuperseded) << lost.out << lost.err;
    EXPECT_EQ(lost.code(), "superseded");
    EXPECT_EQ(claims_of(kSecond)[0]["state"], "superseded");
    EXPECT_EQ(owner_of(id), wallet(collector_home()).hex());
    EXPECT_EQ(owners(id), 2U);
}

TEST_F(Ownership, ASecondYesBesideAConfirmedClaimIsRefused) {
    const std::string id = upload();
    const std::string first = claim(kCollector, id);
    const std::string other = claim(kSecond, id);
    EXPECT_EQ(artist({"confirm", id, "--claim", first}).exit, 0);
    const Done refused = artist({"confirm", id, "--claim", other});
    EXPECT_EQ(refused.exit, exits::kChanged) << refused.out << refused.err;
    // Until the first is answered otherwise.
    EXPECT_EQ(artist({"decline", id, "--claim", first}).exit, 0);
    EXPECT_EQ(artist({"confirm", id, "--claim", other}).exit, 0);
    EXPECT_EQ(second({"claim", id}).exit, 0);
    EXPECT_EQ(owner_of(id), wallet(second_home()).hex());
}

TEST_F(Ownership, OfTwoRacingClaimsExactlyOneWins) {
    const std::string id = upload();
    const Command one = collector_command({"claim", id, "--wait", "60"});
    const Command other = second_command({"claim", id, "--wait", "60"});
    Process first = one.begin();
    Process last = other.begin();
    ASSERT_TRUE(eventually([&] { return inbox_has(2); }));
    const Json inbox = artist({"inbox"}).data()["items"];
    // Both are said yes to at the same time, by two processes of the owner.
    const Command yes_one = artist_command({"confirm", id, "--claim", inbox[0]["claim"]});
    const Command yes_other = artist_command({"confirm", id, "--claim", inbox[1]["claim"]});
    Process a = yes_one.begin();
    Process b = yes_other.begin();
    const int exit_a = yes_one.finish(a).exit;
    const int exit_b = yes_other.finish(b).exit;
    EXPECT_TRUE((exit_a == 0) != (exit_b == 0)) << exit_a << " and " << exit_b;
    const int refused = exit_a == 0 ? exit_b : exit_a;
    EXPECT_TRUE(refused == exits::kChanged || refused == exits::kSuperseded || refused == exits::kNotAllowed)
        << refused;
    const int exit_one = one.finish(first).exit;
    const int exit_other = other.finish(last).exit;
    EXPECT_TRUE((exit_one == 0 && exit_other == exits::kSuperseded) ||
                (exit_one == exits::kSuperseded && exit_other == 0))
        << exit_one << " and " << exit_other;
    EXPECT_EQ(owner_of(id), wallet(exit_one == 0 ? collector_home() : second_home()).hex());
    EXPECT_EQ(owners(id), 2U);
}

TEST_F(Ownership, NobodyClaimsTheirOwnWork) {
    const std::string id = upload();
    const Done own = Command("sat-collector", {"claim", id, "--wait", "0"})
                         .home(artist_home())
                         .vault(vault().address())
                         .pin(vault().fingerprint())
                         .json()
                         .run();
    EXPECT_EQ(own.exit, exits::kNotAllowed) << own.out << own.err;
    hand_over(id, kArtist, kCollector);
    // The one who owns it now has a completed claim; that one is told of, none is opened.
    EXPECT_EQ(collector({"claim", id, "--wait", "0"}).exit, 0);
    EXPECT_EQ(owners(id), 2U);
}

TEST_F(Ownership, AStrangersAnswerIsRefused) {
    const std::string id = upload();
    const std::string claim_id = claim(kCollector, id);
    for (const std::string answer : {"confirm", "decline"}) {
        const Done stranger = second({answer, id, "--claim", claim_id});
        EXPECT_EQ(stranger.exit, exits::kNotAllowed) << answer << stranger.out << stranger.err;
        const Done claimant = collector({answer, id, "--claim", claim_id});
        EXPECT_EQ(claimant.exit, exits::kNotAllowed) << answer << claimant.out << claimant.err;
        EXPECT_EQ(second({answer, id}).exit, exits::kNotAllowed) << answer;
    }
    EXPECT_EQ(state_of(kCollector, claim_id), "pending");
    EXPECT_EQ(owner_of(id), wallet(artist_home()).hex());
}

TEST_F(Ownership, NobodyWithdrawsAnothersClaim) {
    const std::string id = upload();
    const std::string claim_id = claim(kCollector, id);
    EXPECT_EQ(second({"withdraw", id}).exit, exits::kNotThere);
    EXPECT_EQ(state_of(kCollector, claim_id), "pending");
}

TEST_F(Ownership, AClaimIsRunAgainWhereItStands) {
    const std::string id = upload();
    const std::string claim_id = claim(kCollector, id);
    EXPECT_EQ(collector({"claim", id, "--wait", "0"}).exit, exits::kPending);
    EXPECT_EQ(claims_of(kCollector).size(), 1U) << "no second claim was opened";
    EXPECT_EQ(artist({"confirm", id}).exit, 0);
    EXPECT_EQ(artist({"confirm", id, "--claim", claim_id}).exit, 0) << "a yes may be repeated";
    const Done done = collector({"claim", id});
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(done.data()["claim"], claim_id);
    EXPECT_EQ(collector({"claim", id}).exit, 0);
    EXPECT_EQ(owners(id), 2U);
}

TEST_F(Ownership, AnOwnerWhoWasAwayFindsTheClaimAfterTheVaultWasRestarted) {
    const std::string id = upload();
    const std::string claim_id = claim(kCollector, id);
    stop_vault();
    start_vault();
    const Done inbox = artist({"inbox"});
    ASSERT_EQ(inbox.exit, 0) << inbox.out << inbox.err;
    ASSERT_EQ(inbox.data()["items"].size(), 1U) << inbox.out;
    EXPECT_EQ(inbox.data()["items"][0]["claim"], claim_id);
    // watch begins with what waits.
    const Done watch = artist_command({"watch", "--once"}).run();
    EXPECT_EQ(watch.exit, 0) << watch.err;
    EXPECT_EQ(watch.data()["claim"], claim_id);

    EXPECT_EQ(artist({"confirm", id}).exit, 0);
    stop_vault();
    start_vault();
    // The collector comes back after both restarts and finishes.
    EXPECT_EQ(collector({"claim", id}).exit, 0);
    EXPECT_EQ(owner_of(id), wallet(collector_home()).hex());
    EXPECT_EQ(owners(id), 2U);
}

TEST_F(Ownership, WatchReconnectsByItselfWhenTheVaultComesBack) {
    const std::string first = upload("Before");
    const std::string id = upload("After");
    Relay relay(vault().socket_address());
    Process watch = artist_command({"watch"}).vault(relay.address()).begin();
    const std::string claim_before = claim(kCollector, first);
    ASSERT_TRUE(watch.wait_for_output(claim_before)) << watch.out() << watch.err();
    for (const bool politely : {true, false}) {
        const int connections = relay.connections();
        if (politely)
            stop_vault();
        else
            vault().kill_hard();
        start_vault();
        relay.set_vault(vault().socket_address());
        EXPECT_TRUE(eventually([&] { return relay.connections() > connections; }));
    }
    const std::string claim_after = claim(kCollector, id);
    EXPECT_TRUE(watch.wait_for_output(claim_after)) << watch.out() << watch.err();
    EXPECT_TRUE(watch.running());
    watch.signal(SIGTERM);
    EXPECT_EQ(watch.wait().exit_code, 143);
}

TEST_F(Ownership, WatchShowsEachClaimAsALineAsItComes) {
    const std::string first = upload("One");
    const std::string other = upload("Two");
    Process watch = artist_command({"watch"}).begin();
    const std::string claim_one = claim(kCollector, first);
    ASSERT_TRUE(watch.wait_for_output(claim_one)) << watch.out() << watch.err();
    const std::string claim_two = claim(kSecond, other);
    ASSERT_TRUE(watch.wait_for_output(claim_two)) << watch.out() << watch.err();
    watch.signal(SIGINT);
    const Outcome outcome = watch.wait();
    EXPECT_EQ(outcome.exit_code, 130) << outcome.err;
    EXPECT_EQ(outcome.err.find("error"), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.out.find("\"ok\":false"), std::string::npos) << "a signal is how a watch ends";
    std::istringstream lines(outcome.out);
    int shown = 0;
    for (std::string line; std::getline(lines, line);) {
        const auto document = parse_json(line);
        ASSERT_TRUE(document.has_value()) << line;
        EXPECT_EQ((*document)["command"], "watch");
        if ((*document)["ok"].get<bool>()) {
            check_claim((*document)["data"]);
            ++shown;
        }
    }
    EXPECT_GE(shown, 2) << outcome.out;
}

TEST_F(Ownership, WatchOnATerminalAsksAndAYesThereIsAYes) {
    const std::string id = upload();
    Process watch = artist_command({"watch", "--once"}).terminal().begin();
    const std::string claim_id = claim(kCollector, id);
    ASSERT_TRUE(watch.wait_for_output(id)) << watch.out();
    ASSERT_TRUE(watch.wait_for_output("?")) << watch.out();
    watch.write("y\n");
    const Outcome outcome = watch.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
    EXPECT_EQ(state_of(kCollector, claim_id), "confirmed");
    EXPECT_EQ(collector({"claim", id}).exit, 0);
}

TEST_F(Ownership, WatchOnATerminalAsksAndANoThereIsANo) {
    const std::string id = upload();
    Process watch = artist_command({"watch", "--once"}).terminal().begin();
    const std::string claim_id = claim(kCollector, id);
    ASSERT_TRUE(watch.wait_for_output(id)) << watch.out();
    ASSERT_TRUE(watch.wait_for_output("?")) << watch.out();
    watch.write("n\n");
    // A reason may be asked for; none is given.
    ASSERT_TRUE(eventually([&] {
        if (state_of(kCollector, claim_id) == "declined") return true;
        watch.write("\n");
        return false;
    })) << watch.out();
    EXPECT_EQ(owner_of(id), wallet(artist_home()).hex());
}

TEST_F(Ownership, AClaimThatIsNotAddressedToTheOwnerIsNotAnswered) {
    const std::string id = upload();
    const std::string mine = claim(kCollector, id);
    ASSERT_EQ(artist({"confirm", id}).exit, 0);
    ASSERT_EQ(collector({"claim", id}).exit, 0);
    for (const char* command : {"confirm", "decline"}) {
        const Done done = collector({command, id, "--claim", mine});
        EXPECT_EQ(done.exit, exits::kNotThere) << command << done.out << done.err;
    }
}

TEST_F(Ownership, ConfirmOnATerminalAsksUnlessToldNotTo) {
    const std::string id = upload();
    const std::string claim_id = claim(kCollector, id);
    Process doubtful = artist_command({"confirm", id}).terminal().begin();
    ASSERT_TRUE(doubtful.wait_for_output("?")) << doubtful.out();
    doubtful.write("no\n");
    EXPECT_EQ(doubtful.wait().exit_code, exits::kPending) << doubtful.out();
    EXPECT_EQ(state_of(kCollector, claim_id), "pending") << "nothing was said to anybody";
    Process sure = artist_command({"confirm", id, "-y"}).terminal().begin();
    EXPECT_EQ(sure.wait().exit_code, 0) << sure.out();
    EXPECT_EQ(state_of(kCollector, claim_id), "confirmed");
}

TEST_F(Ownership, ThePreviewPolicyKeepsTheImageForTheOwner) {
    const Done done = artist({"upload", picture("picture.png"), "--title", "For owners", "--release", "preview"});
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    const std::string id = done.data()["id"];
    const Done seen = collector({"request", id, "-o", dir() / "seen"});
    ASSERT_EQ(seen.exit, 0) << seen.out << seen.err;
    EXPECT_EQ(seen.data()["kind"], "preview");
    EXPECT_NE(read_text(dir() / "seen"), read_text(picture("picture.png")));
    EXPECT_EQ(read_text(dir() / "seen").substr(0, 2), "\xFF\xD8") << "a JPEG";
    hand_over(id, kArtist, kCollector);
    const Done owned = collector({"request", id, "-o", dir() / "owned"});
    ASSERT_EQ(owned.exit, 0) << owned.out << owned.err;
    EXPECT_EQ(owned.data()["kind"], "original");
    EXPECT_EQ(read_text(dir() / "owned"), read_text(picture("picture.png")));
}

TEST_F(Ownership, WhatIsNotThereHasACodeOfItsOwn) {
    const std::string other = upload();
    // Another ID with a check character that fits.
    const std::string missing = ArtworkId::generate().str();
    for (const Words& words : {Words{"show", missing}, Words{"request", missing},
                               Words{"claim", missing, "--wait", "0"}, Words{"history", missing},
                               Words{"confirm", missing}, Words{"decline", missing}, Words{"withdraw", missing}}) {
        const Done done = collector_command(words).in(dir()).run();
        EXPECT_EQ(done.exit, exits::kNotThere) << words[0] << done.out << done.err;
    }
    EXPECT_EQ(artist({"confirm", other}).exit, exits::kNotThere) << "nobody asked";
}

}  // namespace
}  // namespace sat::test
