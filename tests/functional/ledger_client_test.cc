// The ledger on the clients' side: two vaults that were one, a vault that forgets, proofs that do not hold, and who
// finds them out.  docs/protocol.md, "Checkpoints", "Following and witnessing".
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>

#include "crypto/hash.h"
#include "ledger/leaf.h"
#include "ledger/note.h"
#include "ledger/tiles.h"
#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;

// Nodes of a tree that is small enough to be computed each time.
class SmallTree : public MerkleNodes {
public:
    explicit SmallTree(std::vector<LeafHash> leaves) : leaves_(std::move(leaves)) {}
    Result<Digest> node(unsigned level, std::uint64_t number) override {
        if (level == 0) return leaves_[static_cast<std::size_t>(number)];
        return node_hash(*node(level - 1, 2 * number), *node(level - 1, 2 * number + 1));
    }
    TreeHead head() {
        MerkleBuilder tree;
        for (const LeafHash& leaf : leaves_) tree.append(leaf);
        return tree.head();
    }

private:
    std::vector<LeafHash> leaves_;
};

Json hashes(const MerkleProof& proof) {
    Json array = Json::array();
    for (const Digest& node : proof) array.push_back(node.hex());
    return array;
}

class LedgerClient : public ThreeComputers {
public:
    Path checkpoints(const Path& home) const { return home / "checkpoints" / vault_wallet().hex(); }
    Path evidence(const Path& home, const std::string& which) const {
        return checkpoints(home).string() + ".fork-" + which;
    }
    Wallet vault_wallet() const { return vault_keys().chain.wallet(); }
    TreeHead read_note(const Path& file) const {
        const VaultKeys keys = vault_keys();
        const auto head = open_checkpoint(read_text(file), keys.chain.wallet(), keys.log.public_key());
        EXPECT_TRUE(head) << file;
        return head.value_or(TreeHead{});
    }
    // Both notes are there, they are the vault's, and they do not go together.
    void expect_evidence(const Path& home) const {
        ASSERT_TRUE(fs::exists(evidence(home, "kept")));
        ASSERT_TRUE(fs::exists(evidence(home, "shown")));
        EXPECT_NE(read_note(evidence(home, "kept")).root, read_note(evidence(home, "shown")).root);
    }
    void expect_contradiction(const Done& done, const std::string& what = "") const {
        EXPECT_EQ(done.exit, exits::kLedger) << what << done.out << done.err;
        EXPECT_EQ(done.code(), "checkpoint_inconsistent") << what;
    }
    // The data as they lie, for a vault of its own; nobody serves them while they are copied.
    Path copy_data(const std::string& name) {
        const Path copy = dir() / name;
        fs::copy(data(), copy, fs::copy_options::recursive);
        return copy;
    }
};

// --- Two vaults that were one ---

// After one upload the vault is split: A goes on as the vault, B on a copy of its data; each has an upload more.
class SplitView : public LedgerClient {
public:
    void SetUp() override {
        LedgerClient::SetUp();
        id_ = upload("Common");
        stop_vault();
        const Path copy = copy_data("copy");
        start_vault();
        b_ = std::make_unique<VaultProcess>(VaultProcess::Options{.data = copy});
        upload("Only at A");
        const Done at_b = at_b_upload("Only at B");
        ASSERT_EQ(at_b.exit, 0) << at_b.out << at_b.err;
    }
    const std::string& id() const { return id_; }
    VaultProcess& b() { return *b_; }
    Done at_b_upload(const std::string& title) {
        return Command("sat-artist", {"upload", picture(), "--title", title})
            .home(second_home())
            .vault(b_->address())
            .pin(b_->fingerprint())
            .json()
            .run();
    }
    Done at_b(Words words) { return collector_command(std::move(words)).vault(b_->address()).run(); }

private:
    std::string id_;
    std::unique_ptr<VaultProcess> b_;
};

TEST_F(SplitView, IsFoundOutByAClientThatHasSeenBoth) {
    ASSERT_EQ(collector({"browse"}).exit, 0);
    const TreeHead seen = read_note(checkpoints(collector_home()));
    EXPECT_EQ(seen.size, 2U);
    expect_contradiction(at_b({"browse"}));
    expect_evidence(collector_home());
    EXPECT_EQ(read_note(evidence(collector_home(), "kept")), seen);
    EXPECT_EQ(read_note(checkpoints(collector_home())), seen) << "what was believed stays";

    // The vault that was shown its own note serves nobody any more, and the client uses neither until a person has said
    // so.
    const auto b_refuses = [&] { return second_command({"browse"}).vault(b().address()).run().exit != 0; };
    EXPECT_TRUE(eventually(b_refuses));
    for (const Words& words : {Words{"browse"}, Words{"show", id()}, Words{"claim", id(), "--wait", "0"}}) {
        const Done done = collector(words);
        expect_contradiction(done, words[0]);
        EXPECT_THAT(done.error()["hint"].get<std::string>(), HasSubstr(evidence(collector_home(), "kept").string()));
    }
    fs::remove(evidence(collector_home(), "kept"));
    expect_contradiction(collector({"browse"}), "half of the evidence");
    fs::remove(evidence(collector_home(), "shown"));
    EXPECT_EQ(collector({"browse"}).exit, 0);
}

TEST_F(SplitView, IsFoundOutByProofWhereOneSideHasGrown) {
    ASSERT_EQ(collector({"browse"}).exit, 0);
    const Done grown = at_b_upload("More at B");
    ASSERT_EQ(grown.exit, 0) << grown.out << grown.err;
    expect_contradiction(at_b({"show", id()}));
    expect_evidence(collector_home());
    EXPECT_EQ(read_note(evidence(collector_home(), "shown")).size, 3U);
}

TEST_F(SplitView, IsFoundOutByTheFollower) {
    const Done followed = collector({"ledger", "follow", "--once"});
    ASSERT_EQ(followed.exit, 0) << followed.out << followed.err;
    EXPECT_EQ(followed.data()["size"], 2);
    EXPECT_EQ(followed.data()["works"], 2);
    // Its copy of the ledger alone knows the one side, once its checkpoints are gone.
    fs::remove_all(collector_home() / "checkpoints");
    expect_contradiction(at_b({"ledger", "follow", "--once"}));
    expect_evidence(collector_home());
}

TEST_F(SplitView, IsNotCosignedByAWitness) {
    const Path note = dir() / "cosigned";
    const Words words = {"ledger", "witness", "--name", "witness.example", "-o", note, "--once"};
    const Done first = collector(words);
    ASSERT_EQ(first.exit, 0) << first.out << first.err;
    const std::string cosigned = read_text(note);
    const WitnessKey witness = WitnessKey::parse(first.data()["witness"].get<std::string>()).value();
    EXPECT_TRUE(verify_cosignature(SignedNote::parse(cosigned).value(), witness));
    EXPECT_EQ(collector(words).exit, 0) << "a newer one takes the place of an older one";
    const Path other = dir() / "a letter";
    write_text(other, "Dear collector");
    EXPECT_EQ(collector({"ledger", "witness", "--name", "witness.example", "-o", other, "--once"}).exit,
              exits::kExists);
    EXPECT_EQ(read_text(other), "Dear collector");
    // What it signed last is enough to know.
    fs::remove_all(collector_home() / "checkpoints");
    fs::remove_all(collector_home() / "ledgers");
    expect_contradiction(at_b(words));
    expect_evidence(collector_home());
    EXPECT_EQ(SignedNote::parse(read_text(note)).value().text, SignedNote::parse(cosigned).value().text);
}

// --- A vault that forgets ---

TEST_F(LedgerClient, AVaultOnOlderDataIsFoundOutAndServesNobody) {
    upload("First");
    stop_vault();
    const Path older = copy_data("older");
    start_vault();
    upload("Second");
    ASSERT_EQ(collector({"browse"}).exit, 0);
    stop_vault();
    start_vault({.data = older});
    // Somebody who was not there sees nothing wrong.
    ASSERT_EQ(second({"browse"}).exit, 0);
    expect_contradiction(collector({"browse"}));
    EXPECT_EQ(read_note(evidence(collector_home(), "kept")).size, 2U);
    EXPECT_EQ(read_note(evidence(collector_home(), "shown")).size, 1U);
    EXPECT_TRUE(eventually([&] { return second({"browse"}).exit != 0; }));
    no_vault();
}

// --- Who looks, and what they keep ---

TEST_F(LedgerClient, EveryClientKeepsTheNewestCheckpointAndItsStatementsNameIt) {
    const std::string id = upload();
    EXPECT_EQ(read_note(checkpoints(artist_home())).size, 1U) << "its own registration is under it";
    hand_over(id, kArtist, kCollector);
    EXPECT_EQ(read_note(checkpoints(collector_home())).size, 2U);
    const Done shown = second({"history", id});
    ASSERT_EQ(shown.exit, 0) << shown.out;
    EXPECT_EQ(shown.data()["ledger"]["size"], 2);
    EXPECT_EQ(shown.data()["items"].size(), 2U);

    ASSERT_EQ(second({"ledger", "follow", "--once", "--tiles", dir() / "tiles"}).exit, 0);
    const auto entries = parse_bundle(read_file(dir() / "tiles" / bundle_path(0, 2), 1 << 20).value(), 2).value();
    const Leaf transfer = Leaf::parse(entries[1]).value();
    const TreeHead registered{1, leaf_hash(entries[0])};
    EXPECT_EQ(parse_statement<Claim>(transfer.statements[0])->body.seen, registered);
    EXPECT_EQ(parse_statement<sat::Answer>(transfer.statements[1])->body.seen, registered);
    EXPECT_EQ(parse_statement<Accept>(transfer.statements[2])->body.seen, registered);
    EXPECT_EQ(parse_statement<Registration>(Leaf::parse(entries[0])->statements[0])->body.seen,
              (TreeHead{0, empty_root()}));
}

TEST_F(LedgerClient, ClientsOfOneHomeMayRunAtOnce) {
    upload();
    std::vector<Process> running;
    for (int i = 0; i < 6; ++i) running.push_back(collector_command({"browse"}).begin());
    upload("Meanwhile");
    for (Process& process : running) EXPECT_EQ(process.wait().exit_code, 0) << process.err();
    EXPECT_EQ(collector({"browse"}).exit, 0);
    EXPECT_EQ(read_note(checkpoints(collector_home())).size, 2U);
}

TEST_F(LedgerClient, FollowsAsTheLedgerGrowsAndWritesTiles) {
    const Path tiles = dir() / "tiles";
    const auto follow = [&] { return second({"ledger", "follow", "--once", "--tiles", tiles}); };
    ASSERT_EQ(follow().data()["size"], 0);
    const std::string id = upload();
    hand_over(id, kArtist, kCollector);
    const Done done = follow();
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(done.data()["size"], 2);
    EXPECT_EQ(done.data()["transfers"], 1);
    EXPECT_EQ(read_note(tiles / "checkpoint").size, 2U);
    const Bytes hashes_of = read_file(tiles / tile_path(0, 0, 2), 1 << 20).value();
    const auto entries = parse_bundle(read_file(tiles / bundle_path(0, 2), 1 << 20).value(), 2).value();
    SmallTree tree({leaf_hash(entries[0]), leaf_hash(entries[1])});
    EXPECT_EQ(tree.head(), read_note(tiles / "checkpoint"));
    EXPECT_EQ(hashes_of, concat({leaf_hash(entries[0]).view(), leaf_hash(entries[1]).view()}));
    EXPECT_FALSE(fs::exists(tiles / tile_path(0, 0, 1)));

    // Its copy is believed no more than the vault.
    std::string bundle = read_text(tiles / bundle_path(0, 2));
    bundle[bundle.size() / 2] = static_cast<char>(bundle[bundle.size() / 2] ^ 1);
    write_text(tiles / bundle_path(0, 2), bundle);
    EXPECT_EQ(follow().exit, exits::kConfig);
    fs::remove_all(tiles);
    EXPECT_EQ(follow().exit, 0);
}

TEST_F(LedgerClient, StaysConnectedAndFollows) {
    Process follower = second_command({"ledger", "follow", "--every", "1"}).json(false).begin();
    ASSERT_TRUE(follower.wait_for_output("checkpoint 0: 0 works, 0 transfers"));
    upload();
    EXPECT_TRUE(follower.wait_for_output("checkpoint 1: 1 work, 0 transfers, every entry verified"));
    follower.signal(SIGTERM);
    const auto ended = follower.wait();
    EXPECT_EQ(ended.exit_code, 143);
    EXPECT_EQ(ended.err.find("error"), std::string::npos) << ended.err;
}

TEST_F(LedgerClient, AWitnessSignsWhatGoesOnFromWhatItSigned) {
    const auto witness = [&] { return second({"ledger", "witness", "--name", "w", "-o", dir() / "note", "--once"}); };
    const Done first = witness();
    ASSERT_EQ(first.exit, 0) << first.out << first.err;
    upload();
    const Done later = witness();
    ASSERT_EQ(later.exit, 0) << later.out << later.err;
    EXPECT_EQ(later.data()["witness"], first.data()["witness"]);
    EXPECT_EQ(read_note(dir() / "note").size, 1U);
    EXPECT_EQ(read_text(dir() / "note"), read_text(second_home() / "witness" / vault_wallet().hex()));
    // With a copy of its own that knows less, it is what was signed last that counts.
    upload("Second");
    ASSERT_EQ(second({"ledger", "witness", "--name", "w", "--once", "--tiles", dir() / "tiles"}).exit, 0);
    EXPECT_EQ(witness().data()["size"], 2);
    EXPECT_EQ(read_note(second_home() / "witness" / vault_wallet().hex()).size, 2U);
    EXPECT_EQ(second({"ledger", "witness", "--name", "two words", "--once"}).exit, exits::kBadData);
    EXPECT_EQ(second({"ledger", "witness", "--once"}).exit, exits::kUsage);
    EXPECT_EQ(second({"ledger"}).exit, exits::kUsage);
}

// --- A vault that lies about its ledger ---

class LyingLedger : public LedgerClient {
public:
    void SetUp() override {
        LedgerClient::SetUp();
        copy_cached("stranger", dir() / "stranger");
        inside_.emplace(load_person(dir() / "stranger"));
        party_.emplace(vault_party());
        keys_.emplace(vault_keys());
    }

    // What the lie is: alters a RESPONSE whole, SERVER_HELLO's note, or an answer in the vault's place.
    struct Lie {
        std::function<void(const std::string& method, const Json& parameters, Json& response)> answer = {};
        std::function<std::string(const std::string& note)> note = {};
    };
    ScriptedVault::Script liar(Lie lie, const Person* who = nullptr) {
        return [this, lie, who](Socket& socket) {
            auto upstream = open_session(vault().socket_address(), who != nullptr ? *who : *inside_);
            if (!upstream) return;
            const std::string note = lie.note ? lie.note(upstream->checkpoint()) : upstream->checkpoint();
            serve_requests(socket, *party_, note,
                           [&](Session& session, const std::string& method, const Json& parameters) {
                               // What it is told of its own lies it keeps to itself.
                               Json response = method == "ledger.report" ? Json{{"ok", true}, {"r", Json::object()}}
                                                                         : upstream->request(method, parameters);
                               if (!response.is_object()) return false;
                               if (lie.answer) lie.answer(method, parameters, response);
                               return session.send(RecordType::response, dump_json(response));
                           });
        };
    }
    Done at(const ScriptedVault& evil, Words words) {
        return collector_command(std::move(words)).vault(evil.address()).run();
    }
    std::string sign_note(const TreeHead& head) const {
        return sign_checkpoint(keys_->chain.wallet(), head, keys_->log);
    }
    const Person& inside() const { return *inside_; }

    static Json error_json(int code) { return Json{{"ok", false}, {"e", {{"code", code}, {"name", "x"}}}}; }

private:
    std::optional<Person> inside_;
    std::optional<HandshakeParty> party_;
    std::optional<VaultKeys> keys_;
};

TEST_F(LyingLedger, AVaultWithoutAGoodCheckpointIsLeft) {
    upload();
    const auto left = [&](const char* what, int expected, const std::string& note) {
        ScriptedVault evil(liar({.note = [&](const std::string&) { return note; }}));
        EXPECT_EQ(at(evil, {"browse"}).exit, expected) << what;
        EXPECT_FALSE(fs::exists(checkpoints(collector_home()))) << what;
    };
    const TreeHead head{1, sha256(as_bytes("x"))};
    left("none", exits::kProtocol, "");
    left("no note", exits::kBadProof, "nonsense");
    left("another key's", exits::kBadProof, sign_checkpoint(vault_wallet(), head, LogKey::generate()));
    left("another vault's", exits::kBadProof, sign_checkpoint(head.root, head, vault_keys().log));
    EXPECT_EQ(collector({"browse"}).exit, 0);
}

TEST_F(LyingLedger, ALeafThatIsNotInTheLedgerIsNotBelieved) {
    const std::string id = upload();
    upload("Second");
    for (const Words& words : {Words{"show", id}, Words{"history", id}, Words{"claim", id, "--wait", "0"},
                               Words{"request", id, "-o", dir() / "x.jpg"}}) {
        ScriptedVault withheld(liar({.answer = [&](const std::string& method, const Json&, Json& response) {
            if (method == "ledger.inclusion") response = error_json(101);
        }}));
        const Done done = at(withheld, words);
        EXPECT_EQ(done.exit, exits::kBadProof) << words[0] << done.out << done.err;
    }
    EXPECT_FALSE(fs::exists(dir() / "x.jpg"));
    EXPECT_FALSE(fs::exists(evidence(collector_home(), "kept")));
    // A proof that is there and does not hold is the vault's contradiction.
    ScriptedVault wrong(liar({.answer = [&](const std::string& method, const Json&, Json& response) {
        if (method == "ledger.inclusion") response["r"]["proof"][0] = std::string(64, '0');
    }}));
    expect_contradiction(at(wrong, {"show", id}));
    EXPECT_TRUE(fs::exists(evidence(collector_home(), "kept")));
    expect_contradiction(collector({"show", id}), "until a person has looked");
}

TEST_F(LyingLedger, AnOwnersYesIsNotGivenToSomebodyWhoSawAnotherLedger) {
    const std::string id = upload();
    const std::string claim_id = claim(kCollector, id);
    const Person owner = load_person(artist_home());
    const Person claimer = load_person(collector_home());
    // The collector's own signature on the same claim, made where another ledger was shown.
    const auto attempt = [&](const TreeHead& seen) {
        ScriptedVault evil(liar({.answer =
                                     [&](const std::string& method, const Json&, Json& response) {
                                         if (!method.starts_with("claim.") || !response.value("ok", false)) return;
                                         const auto alter = [&](Json& item) {
                                             auto body = parse_statement<Claim>(item["claim"].get<std::string>())->body;
                                             body.seen = seen;
                                             item["claim"] = sign(body, claimer.sign);
                                         };
                                         if (response["r"].contains("items"))
                                             for (Json& item : response["r"]["items"]) alter(item);
                                     }},
                                &owner));
        const Done done = artist_command({"confirm", id}).vault(evil.address()).run();
        expect_contradiction(done, std::to_string(seen.size));
        EXPECT_TRUE(fs::exists(evidence(artist_home(), "shown")));
        fs::remove(evidence(artist_home(), "kept"));
        fs::remove(evidence(artist_home(), "shown"));
    };
    attempt({1, sha256(as_bytes("another root"))});
    attempt({2, sha256(as_bytes("a ledger that went on"))});
    const Done claims = collector({"claims"});
    EXPECT_EQ(claims.data()["items"][0]["state"], "pending");
    EXPECT_EQ(artist({"confirm", id, "--claim", claim_id}).exit, 0);
}

TEST_F(LyingLedger, AFollowersCopyIsNotBlamedForWhatTheVaultDoesNotTell) {
    upload();
    const Words follow = {"ledger", "follow", "--once"};
    ASSERT_EQ(collector(follow).exit, 0);
    const auto asked_for_identities = [&](const std::function<void(Json&)>& change) {
        fs::remove_all(collector_home() / "identities");
        ScriptedVault evil(liar({.answer = [&](const std::string& method, const Json&, Json& response) {
            if (method == "identity.get") change(response);
        }}));
        return at(evil, follow);
    };
    const Done foreign = asked_for_identities(
        [&](Json& response) { response["r"]["identities"][0] = inside().party.chain().to_json(); });
    EXPECT_EQ(foreign.exit, exits::kBadProof) << foreign.out << foreign.err;
    const Done withheld = asked_for_identities([](Json& response) { response["r"]["identities"][0] = nullptr; });
    EXPECT_EQ(withheld.exit, exits::kBadProof) << withheld.out << withheld.err;
    const Done refused = asked_for_identities([](Json& response) { response = error_json(101); });
    EXPECT_EQ(refused.code(), "not_found") << refused.out << refused.err;
    EXPECT_FALSE(fs::exists(evidence(collector_home(), "kept")));
    EXPECT_EQ(collector(follow).exit, 0) << "nothing was to be removed";
}

TEST_F(LyingLedger, EntriesThatDoNotAddUpToTheCheckpointAreEvidence) {
    upload();
    upload("Second");
    // The vault's own signature on another tree.
    const std::string note = sign_note({2, sha256(as_bytes("another root"))});
    ScriptedVault evil(liar({.note = [&](const std::string&) { return note; }}));
    const Done followed = collector_command({"ledger", "follow", "--once"}).vault(evil.address()).run();
    expect_contradiction(followed);
    EXPECT_THAT(followed.error()["message"].get<std::string>(), HasSubstr("do not add up"));
    EXPECT_EQ(read_text(evidence(collector_home(), "kept")), note);
    EXPECT_THAT(read_text(evidence(collector_home(), "shown")), testing::StartsWith("2 entries\nroot "));
    EXPECT_FALSE(fs::exists(collector_home() / "ledgers" / vault_wallet().hex() / "checkpoint"));
    expect_contradiction(collector({"browse"}), "until a person has looked");
}

// Neither a refusal nor silence takes back what the vault has signed.
TEST_F(LyingLedger, ANoteWhoseProofIsOwedIsNotForgotten) {
    upload();
    ASSERT_EQ(collector({"browse"}).exit, 0);
    const TreeHead seen = read_note(checkpoints(collector_home()));
    const Path unproved = checkpoints(collector_home()).string() + ".unproved";
    const TreeHead forked{7, sha256(as_bytes("another ledger"))};
    const auto show = [&](const TreeHead& head, int code) {
        ScriptedVault evil(liar({.answer =
                                     [&](const std::string& method, const Json&, Json& response) {
                                         if (method == "ledger.consistency") response = error_json(code);
                                     },
                                 .note = [&](const std::string&) { return sign_note(head); }}));
        return at(evil, {"browse"});
    };
    // A vault that fails, is too busy or has a full disk has not answered: what was shown waits, and what was believed
    // stays.
    for (const int code : {9, 103, 117, 120}) {
        const Done lost = show(forked, code);
        EXPECT_NE(lost.exit, 0);
        EXPECT_NE(lost.exit, exits::kLedger) << code << lost.out;
        EXPECT_THAT(read_text(unproved), HasSubstr(to_base64(forked.root.view())));
        EXPECT_EQ(read_note(checkpoints(collector_home())), seen);
    }
    // The true ledger cannot go on from it.
    expect_contradiction(collector({"browse"}));
    EXPECT_EQ(read_note(evidence(collector_home(), "kept")), forked);
    EXPECT_EQ(read_note(evidence(collector_home(), "shown")), seen);
    no_vault();
}

TEST_F(LyingLedger, AProofThatIsRefusedIsAContradiction) {
    upload();
    ASSERT_EQ(collector({"browse"}).exit, 0);
    upload("Second");
    ScriptedVault evil(liar({.answer = [&](const std::string& method, const Json&, Json& response) {
        if (method == "ledger.consistency") response = error_json(100);
    }}));
    expect_contradiction(at(evil, {"browse"}));
    expect_evidence(collector_home());
}

TEST_F(LyingLedger, AnHonestVaultProvesWhatAnEndedConnectionOwed) {
    upload();
    ASSERT_EQ(collector({"browse"}).exit, 0);
    upload("Second");
    const Path unproved = checkpoints(collector_home()).string() + ".unproved";
    ScriptedVault evil(liar({.answer = [&](const std::string& method, const Json&, Json& response) {
        if (method == "ledger.consistency") response = error_json(9);
    }}));
    EXPECT_NE(at(evil, {"browse"}).exit, 0);
    EXPECT_TRUE(fs::exists(unproved));
    upload("Third");
    const Done done = collector({"browse"});
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_FALSE(fs::exists(unproved));
    EXPECT_EQ(read_note(checkpoints(collector_home())).size, 3U);
}

// A ledger that the vault made up: the genuine registration, and a second one of the same work by a wallet of its own.
TEST_F(LyingLedger, AHistoryForgedWholeIsFoundOutByWhoeverFollows) {
    const std::string id = upload("Genuine");
    ASSERT_EQ(collector({"show", id}).exit, 0);
    std::vector<std::string> entries;
    {
        auto session = open_session(vault().socket_address(), inside());
        const Json page = session->request("ledger.entries", Json{{"from", 0}})["r"];
        entries.push_back(page["entries"][0].get<std::string>());
    }
    Registration body = parse_statement<Registration>(Leaf::parse(entries[0])->statements[0])->body;
    body.iss = inside().wallet();
    body.title = "Forgery";
    body.seen.reset();
    const std::string registration = sign(body, inside().sign);
    entries.push_back(Leaf{LeafType::registration, now_unix(), {registration}}.encode());
    SmallTree tree({leaf_hash(entries[0]), leaf_hash(entries[1])});
    const std::string note = sign_note(tree.head());

    ScriptedVault evil(liar(
        {.answer =
             [&](const std::string& method, const Json& parameters, Json& response) {
                 Json result;
                 if (method == "artwork.get") {
                     result = response["r"];
                     result["registration"] = registration;
                     result["owner"] = inside().wallet().hex();
                     result["head"] = leaf_hash(entries[1]).hex();
                 } else if (method == "artwork.history") {
                     result = Json{{"leaves", Json::array({entries[1]})}, {"next", nullptr}};
                 } else if (method == "identity.get") {
                     Json chains = Json::array();
                     for (std::size_t i = 0; i < parameters["wallets"].size(); ++i) {
                         const bool forger = parameters["wallets"][i] == inside().wallet().hex();
                         chains.push_back(forger ? inside().party.chain().to_json() : response["r"]["identities"][i]);
                     }
                     result = Json{{"identities", chains}};
                 } else if (method == "ledger.checkpoint") {
                     result = Json{{"checkpoint", note}};
                 } else if (method == "ledger.consistency") {
                     const auto old = parameters["old"].get<std::uint64_t>();
                     const auto size = parameters["size"].get<std::uint64_t>();
                     result = Json{{"proof", hashes(consistency_proof(tree, old, size).value())}};
                 } else if (method == "ledger.inclusion") {
                     const std::uint64_t index = parameters["leaf"] == leaf_hash(entries[1]).hex() ? 1 : 0;
                     result = Json{{"index", index}, {"proof", hashes(inclusion_proof(tree, index, 2).value())}};
                 } else if (method == "ledger.entries") {
                     result = Json{{"entries", Json::array({entries[0], entries[1]})}, {"next", nullptr}};
                     if (parameters["from"] == 1) result["entries"].erase(0);
                 } else {
                     return;
                 }
                 response = Json{{"ok", true}, {"r", result}};
             },
         .note = [&](const std::string&) { return note; }}));
    // The tree has grown well: a client that looks at the work alone cannot tell, whether it is new or not.
    EXPECT_EQ(second_command({"show", id}).vault(evil.address()).run().exit, 0);
    // The vault has signed it into a ledger for all to see: a follower names the entry.
    const Done followed = second_command({"ledger", "follow", "--once"}).vault(evil.address()).run();
    expect_contradiction(followed);
    EXPECT_THAT(followed.error()["message"].get<std::string>(),
                testing::AllOf(HasSubstr("entry 1 of the ledger"), HasSubstr("registered twice")));
    EXPECT_EQ(read_text(evidence(second_home(), "kept")), note);
    EXPECT_EQ(read_text(evidence(second_home(), "shown")), "entry 1\n" + entries[1]);
    EXPECT_FALSE(fs::exists(second_home() / "ledgers" / vault_wallet().hex() / "checkpoint"));
    expect_contradiction(second({"show", id}), "until a person has looked");
    fs::remove(evidence(second_home(), "kept"));
    fs::remove(evidence(second_home(), "shown"));
    // A witness finds the same, and signs nothing.
    const Done witness = second_command({"ledger", "witness", "--name", "w", "--once", "-o", dir() / "note"})
                             .vault(evil.address())
                             .run();
    expect_contradiction(witness);
    EXPECT_FALSE(fs::exists(dir() / "note"));
    // And whoever is then shown the true ledger again knows that there are two.
    expect_contradiction(second({"show", id}));
}

}  // namespace
}  // namespace sat::test
