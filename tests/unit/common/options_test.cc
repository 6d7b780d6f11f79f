// Command lines: what is taken, where, and what is a usage error.
// SPDX-License-Identifier: Apache-2.0
#include "common/options.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "support/temporary.h"

namespace sat {
namespace {

using Words = std::vector<std::string>;

class OptionsTest : public testing::Test {
public:
    OptionsTest() {
        ::unsetenv("SAT_HOME");
        ::unsetenv("SAT_VAULT");
    }
    static Options take(const Words& words, Program program = Program::collector) {
        const Parsed parsed = parse_options(program, words);
        EXPECT_TRUE(parsed.options) << (parsed.error ? parsed.error->message : parsed.text);
        return parsed.options.value_or(Options{});
    }
    static Errc refuse(const Words& words, Program program = Program::collector) {
        const Parsed parsed = parse_options(program, words);
        EXPECT_FALSE(parsed.options);
        EXPECT_TRUE(parsed.error) << parsed.text;
        return parsed.error ? parsed.error->code : Errc::internal;
    }
};

TEST_F(OptionsTest, AnOptionsValueIsNotTakenForTheCommandThatIsMissing) {
    const Parsed parsed = parse_options(Program::artist, {"--home", "pc1", "brows"});
    ASSERT_TRUE(parsed.error);
    EXPECT_EQ(parsed.error->message, "there is no command brows");
}

TEST_F(OptionsTest, GlobalFlagsStandBeforeOrAfterTheCommand) {
    const Words global = {
        "--home", "/h",     "--vault", "v:1", "--vault-key", "SHA256:x", "--accept-new", "--passphrase-file",
        "p",      "--json", "-q",      "-v",  "--no-input",  "-y",       "--timeout",    "7"};
    Words before = global;
    before.insert(before.end(), {"show", "ID"});
    Words after = {"show", "ID"};
    after.insert(after.end(), global.begin(), global.end());
    Words around = {"--home", "/h", "--json", "show", "--vault", "v:1", "ID"};
    around.insert(around.end(), global.begin() + 4, global.end());
    for (const Words& words : {before, after, around}) {
        const Options options = take(words);
        EXPECT_EQ(options.command, "show");
        EXPECT_EQ(options.id, "ID");
        EXPECT_EQ(options.home, "/h");
        EXPECT_EQ(options.vault, "v:1");
        EXPECT_EQ(options.vault_key, "SHA256:x");
        EXPECT_TRUE(options.accept_new);
        EXPECT_EQ(options.passphrase_file, "p");
        EXPECT_TRUE(options.json && options.quiet && options.verbose && options.no_input && options.yes);
        EXPECT_EQ(options.timeout, 7);
    }
}

TEST_F(OptionsTest, EachProgramHasItsCommandsAndTheOwners) {
    for (const Program program : {Program::artist, Program::collector}) {
        for (const Words& words : {Words{"init"},
                                   {"whoami"},
                                   {"list"},
                                   {"show", "I"},
                                   {"request", "I"},
                                   {"inbox"},
                                   {"watch"},
                                   {"confirm", "I"},
                                   {"decline", "I"},
                                   {"history", "I"},
                                   {"certificate", "I", "-o", "f"},
                                   {"verify", "f"}})
            EXPECT_EQ(take(words, program).command, words.front());
    }
    const std::vector<std::string> images{"x.jpg", "y.tif"};
    EXPECT_EQ(take({"upload", "x.jpg", "y.tif"}, Program::artist).images, images);
    for (const Words& words : {Words{"browse"}, {"claim", "I"}, {"claims"}, {"withdraw", "I"}, {"ledger", "follow"}}) {
        EXPECT_EQ(take(words).command, words.front());
        EXPECT_EQ(refuse(words, Program::artist), Errc::usage) << words.front();
    }
    EXPECT_EQ(refuse({"upload", "x.jpg", "--title", "T"}), Errc::usage);
}

TEST_F(OptionsTest, TheLedgerIsFollowedOrWitnessed) {
    const Options follow = take({"ledger", "follow", "--tiles", "d", "--once", "--every", "5"});
    EXPECT_EQ(follow.action, "follow");
    EXPECT_EQ(follow.tiles, "d");
    EXPECT_TRUE(follow.once);
    EXPECT_EQ(follow.every, 5);
    const Options witness = take({"--json", "ledger", "witness", "--name", "w", "-o", "f", "--home", "/h"});
    EXPECT_EQ(witness.action, "witness");
    EXPECT_EQ(witness.name, "w");
    EXPECT_EQ(witness.output, "f");
    EXPECT_EQ(witness.home, "/h");
    EXPECT_TRUE(witness.json);
    EXPECT_EQ(refuse({"ledger"}), Errc::usage);
    EXPECT_EQ(refuse({"ledger", "read"}), Errc::usage);
    EXPECT_EQ(refuse({"ledger", "witness"}), Errc::usage);
}

TEST_F(OptionsTest, WitnessesMayBeSeveral) {
    const Options verify = take({"verify", "f", "--witness", "a", "--image", "i", "--witness", "b"});
    EXPECT_EQ(verify.file, "f");
    EXPECT_EQ(verify.image, "i");
    EXPECT_EQ(verify.witnesses, (Words{"a", "b"}));
    EXPECT_EQ(refuse({"certificate", "I"}), Errc::usage);
}

TEST_F(OptionsTest, DefaultsAreTheContracts) {
    EXPECT_EQ(take({"claim", "I"}).wait, 60);
    EXPECT_FALSE(take({"claim", "I"}).expires);
    EXPECT_EQ(take({"browse"}).limit, 20);
    EXPECT_EQ(take({"init"}).bits, 3072);
    EXPECT_EQ(take({"upload", "x", "--title", "T"}, Program::artist).release, "original");
}

TEST_F(OptionsTest, AWordThatNamesACommandMayBeSearchedFor) {
    const Options options = take({"browse", "claim"});
    EXPECT_EQ(options.command, "browse");
    EXPECT_EQ(options.text, "claim");
}

TEST_F(OptionsTest, ADashIsAFileAndValuesMayLookLikeAnything) {
    EXPECT_EQ(take({"request", "I", "-o", "-"}).output, "-");
    EXPECT_EQ(take({"claim", "I", "--message", "two words"}).message, "two words");
    EXPECT_EQ(take({"claim", "I", "--message=--json"}).message, "--json");
    EXPECT_EQ(take({"show", "--", "I"}).id, "I");
}

TEST_F(OptionsTest, WhatIsWrongIsAUsageError) {
    for (const Words& words : {Words{"dance"},
                               {"show"},
                               {"show", "A", "B"},
                               {"list", "--timeout", "soon"},
                               {"list", "--timeout", "0"},
                               {"list", "--no-such-flag"},
                               {"init", "--bits", "2048"},
                               {"browse", "--limit", "0"},
                               {"browse", "--limit", "51"},
                               {"claim", "I", "--wait", "-1"},
                               {"claim", "I", "--expires", "0"},
                               {"claim", "I", "--expires", "2592001"},
                               {"list", "--passphrase-fd", "x"},
                               {"list", "--passphrase-file", "f", "--passphrase-fd", "3"},
                               {"list", "--vault"}})
        EXPECT_EQ(refuse(words), Errc::usage) << words.back();
    EXPECT_EQ(refuse({"upload", "x", "--title", "T", "--release", "all"}, Program::artist), Errc::usage);
}

TEST_F(OptionsTest, AUsageErrorKnowsWhetherADocumentIsWantedAndForWhichCommand) {
    const Parsed parsed = parse_options(Program::collector, {"claim", "--json", "--no-such"});
    EXPECT_TRUE(parsed.json);
    EXPECT_EQ(parsed.command, "claim");
    ASSERT_TRUE(parsed.error);
    EXPECT_FALSE(parse_options(Program::collector, {"claim", "--no-such"}).json);
    EXPECT_FALSE(parse_options(Program::collector, {"claim", "--no-such", "--", "--json"}).json);
}

TEST_F(OptionsTest, AUsageErrorEscapesWhatWasTyped) {
    const Parsed parsed = parse_options(Program::collector, {"list", "--\x1b[31m"});
    ASSERT_TRUE(parsed.error);
    EXPECT_EQ(parsed.error->message.find('\x1b'), std::string::npos) << parsed.error->message;
}

TEST_F(OptionsTest, WithoutACommandItSaysWhatThereIs) {
    const Parsed parsed = parse_options(Program::artist, {});
    ASSERT_TRUE(parsed.error);
    EXPECT_EQ(parsed.error->code, Errc::usage);
    EXPECT_NE(parsed.usage.find("upload"), std::string::npos);
}

TEST_F(OptionsTest, HelpAndVersionAreNoErrorsAndTakeNoPrecedenceFromMistakes) {
    for (const Words& words : {Words{"--help"}, {"-h"}, {"show", "--help"}}) {
        const Parsed parsed = parse_options(Program::collector, words);
        EXPECT_FALSE(parsed.error);
        EXPECT_FALSE(parsed.options);
        EXPECT_NE(parsed.text.find("sat-collector"), std::string::npos) << parsed.text;
    }
    for (const Words& words : {Words{"--version"}, {"list", "--version"}})
        EXPECT_EQ(parse_options(Program::artist, words).text, "sat-artist 1.0.0\n");
}

TEST_F(OptionsTest, TheEnvironmentNamesHomeAndVaultAndTheCommandLineComesFirst) {
    ::setenv("SAT_HOME", "/from-env", 1);
    ::setenv("SAT_VAULT", "env:1", 1);
    EXPECT_EQ(take({"list"}).home, "/from-env");
    EXPECT_EQ(take({"list"}).vault, "env:1");
    EXPECT_EQ(take({"list", "--home", "/said"}).home, "/said");
    ::setenv("SAT_VAULT", "", 1);
    EXPECT_EQ(take({"list"}).vault, "");
}

TEST_F(OptionsTest, AConfigurationFileIsReadBetweenTheTwo) {
    const TemporaryDirectory directory;
    const Path file = directory / "sat.toml";
    ASSERT_TRUE(write_file_atomically(file, as_bytes("vault = \"config:1\"\naccept-new = true\ntimeout = 9\n"),
                                      AtomicFile::Existing::replace));
    for (const Words& words : {Words{"--config", file, "list"}, Words{"list", "--config", file}}) {
        const Options options = take(words);
        EXPECT_EQ(options.vault, "config:1");
        EXPECT_TRUE(options.accept_new);
        EXPECT_EQ(options.timeout, 9);
    }
    EXPECT_EQ(take({"list", "--config", file, "--vault", "said:1"}).vault, "said:1");
    EXPECT_EQ(refuse({"list", "--config", directory / "none"}), Errc::config);
    ASSERT_TRUE(write_file_atomically(file, as_bytes("vualt = \"config:1\"\n"), AtomicFile::Existing::replace));
    const Parsed unknown = parse_options(Program::collector, {"list", "--config", file});
    ASSERT_TRUE(unknown.error);
    EXPECT_EQ(unknown.error->code, Errc::config);
    EXPECT_EQ(unknown.error->message, file.string() + ": there is no option vualt");
}

TEST_F(OptionsTest, AWrongValueIsTheConfigurationFilesOnlyWhereItCameFromThere) {
    const TemporaryDirectory directory;
    const Path file = directory / "sat.toml";
    const auto write = [&](std::string_view text) {
        ASSERT_TRUE(write_file_atomically(file, as_bytes(text), AtomicFile::Existing::replace));
    };
    write("timeout = \"soon\"\n");
    EXPECT_EQ(refuse({"list", "--config", file}), Errc::config);
    EXPECT_EQ(take({"list", "--config", file, "--timeout", "5"}).timeout, 5);
    write("timeout = 0\n");
    EXPECT_EQ(refuse({"list", "--config", file}), Errc::config);
    write("[claim]\nwait = -1\n");
    EXPECT_EQ(refuse({"claim", "I", "--config", file}), Errc::config);
    write("vault = \"v:1\ntimeout = 9\n");
    EXPECT_EQ(refuse({"list", "--config", file, "--timeout", "0"}), Errc::usage);
    const Options options = take({"list", "--config", file, "--timeout", "5"});
    EXPECT_EQ(options.from_file, std::set<std::string>{"vault"});
    EXPECT_EQ(options.config, file);
    EXPECT_TRUE(take({"list", "--config", file, "--vault", "v:1", "--timeout", "5"}).from_file.empty());
}

TEST_F(OptionsTest, AUsageErrorNamesTheHelpThatListsTheCommandsOptions) {
    const auto hint = [](const Words& words) { return parse_options(Program::artist, words).error.value().hint; };
    EXPECT_EQ(hint({"upload", "x", "--titel", "T"}), "see sat-artist upload --help");
    EXPECT_EQ(hint({"upload", "x", "--release", "prevew"}), "see sat-artist upload --help");
    EXPECT_EQ(hint({"certificate", "I"}), "see sat-artist certificate --help");
    EXPECT_EQ(hint({"keys"}), "see sat-artist keys --help");
    EXPECT_EQ(hint({"keys", "export"}), "see sat-artist keys export --help");
    EXPECT_EQ(hint({"dance"}), "see sat-artist --help");
    EXPECT_EQ(hint({}), "see sat-artist --help");
}

}  // namespace
}  // namespace sat
