// Shell completions: what the shells offer is what the programs take.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <sstream>

#include "support/process.h"
#include "support/programs.h"

namespace sat::test {
namespace {

std::string script(const std::string& program, const std::string& shell) {
    const Done done = Command(program, {"completion", shell}).run();
    EXPECT_EQ(done.exit, 0) << done.err;
    EXPECT_EQ(done.err, "");
    return done.out;
}

// What bash offers for the last of `words`, the program's name being the first.
std::vector<std::string> bash_offers(const std::vector<std::string>& words) {
    std::string program;
    for (const char c : words.front()) program += c == '-' ? '_' : c;
    std::string line = script(words.front(), "bash") + "COMP_WORDS=(";
    for (const std::string& word : words) line += " '" + word + "'";
    line +=
        "); COMP_CWORD=" + std::to_string(words.size() - 1) + "; _" + program + R"(; printf '%s\n' "${COMPREPLY[@]}")";
    ProcessOptions options;
    options.argv = {"/bin/bash", "--norc", "-c", line};
    Process process(options);
    const Outcome outcome = process.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    std::istringstream lines(outcome.out);
    std::vector<std::string> offers;
    for (std::string offer; std::getline(lines, offer);)
        if (!offer.empty()) offers.push_back(offer);
    return offers;
}

using Offers = std::vector<std::string>;

TEST(Completion, BashOffersCommandsThatBeginSo) {
    EXPECT_EQ(bash_offers({"sat-collector", "cla"}), (Offers{"claim", "claims"}));
    EXPECT_EQ(bash_offers({"sat-artist", "upl"}), (Offers{"upload"}));
    EXPECT_EQ(bash_offers({"sat-collector", "--json", "bro"}), (Offers{"browse"}));
    EXPECT_EQ(bash_offers({"sat-artist", "bro"}), Offers{}) << "the artist's program has none";
}

TEST(Completion, BashOffersTheOptionsOfTheCommandAndTheGlobalOnes) {
    EXPECT_EQ(bash_offers({"sat-artist", "upload", "--ti"}), (Offers{"--title", "--timeout"}));
    EXPECT_EQ(bash_offers({"sat-collector", "claim", "--me"}), (Offers{"--message"}));
    EXPECT_EQ(bash_offers({"sat-collector", "show", "--me"}), Offers{});
}

TEST(Completion, BashGoesOneCommandDeeper) {
    EXPECT_EQ(bash_offers({"sat-collector", "ledger", "w"}), (Offers{"witness"}));
    EXPECT_EQ(bash_offers({"sat-collector", "ledger", "follow", "--on"}), (Offers{"--once"}));
}

TEST(Completion, WhatAnOptionTakesIsLeftToTheShell) {
    EXPECT_EQ(bash_offers({"sat-artist", "upload", "--title", "--ti"}), Offers{});
}

TEST(Completion, EveryShellIsToldEveryCommand) {
    for (const std::string shell : {"bash", "zsh", "fish"}) {
        const std::string text = script("sat-collector", shell);
        for (const std::string command : {"browse", "claim", "certificate", "verify", "witness"})
            EXPECT_NE(text.find(command), std::string::npos) << shell << " " << command;
    }
}

TEST(Completion, AnUnknownShellIsRefused) {
    EXPECT_EQ(Command("sat-artist", {"completion", "tcsh"}).run().exit, exits::kUsage);
}

}  // namespace
}  // namespace sat::test
