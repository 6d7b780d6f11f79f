// The ledger on the vault's side, with the real programs: what it signs can be checked by anybody, and a vault that was
// started on an older copy of its data does not start or is found out.  docs/protocol.md, "The ledger".
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>

#include "ledger/leaf.h"
#include "ledger/note.h"
#include "ledger/vkey.h"
#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;

class VaultLedger : public ThreeComputers {
public:
    void SetUp() override {
        ThreeComputers::SetUp();
        copy_cached("stranger", dir() / "stranger");
        person_.emplace(load_person(dir() / "stranger"));
    }
    std::optional<Session> open() { return open_session(vault().socket_address(), *person_); }
    const Person& person() const { return *person_; }

    Json ask(Session& session, const char* method, const Json& parameters) {
        const Json response = session.request(method, parameters);
        EXPECT_TRUE(response.value("ok", false)) << method << response.dump();
        return response.value("r", Json());
    }
    TreeHead opened(const Json& note) const {
        const VaultKeys keys = vault_keys();
        const auto head = open_checkpoint(note.get<std::string>(), keys.wallet(), keys.log.public_key());
        EXPECT_TRUE(head.has_value());
        return head.value_or(TreeHead());
    }

    void copy(const Path& from, const Path& to) const {
        fs::remove_all(to);
        fs::copy(from, to, fs::copy_options::recursive);
    }
    // `run` on the data as they lie there, which is to be refused.
    Outcome refused_start(const Words& more = {}) {
        Words words = {program_path("sat-vaultd"), "run", "--data", data(), "--listen", "127.0.0.1:0", "--allow-root"};
        words.insert(words.end(), more.begin(), more.end());
        return test::run({.argv = words, .env = {{"HOME", "/nonexistent"}}});
    }

private:
    std::optional<Person> person_;
};

MerkleProof proof_of(const Json& reply) {
    MerkleProof proof;
    for (const Json& hash : reply["proof"]) proof.push_back(Digest::from_hex(hash.get<std::string>()).value());
    return proof;
}

TEST_F(VaultLedger, IsCheckedByAnybodyFromItsEntriesAndProofs) {
    const std::string id = upload();
    upload("Second");
    hand_over(id, kArtist, kCollector);
    auto session = open();
    ASSERT_TRUE(session.has_value());
    const TreeHead head = opened(ask(*session, "ledger.checkpoint", Json::object())["checkpoint"]);
    EXPECT_EQ(head.size, 3U);
    const Json page = ask(*session, "ledger.entries", {{"from", 0}});
    EXPECT_TRUE(page["next"].is_null());
    MerkleBuilder tree;
    for (const Json& entry : page["entries"]) tree.append(leaf_hash(entry.get<std::string>()));
    EXPECT_EQ(tree.head(), head);

    const LeafHash second = leaf_hash(page["entries"][1].get<std::string>());
    const Json included = ask(*session, "ledger.inclusion", {{"leaf", second.hex()}, {"size", 3}});
    EXPECT_EQ(included["index"], 1);
    EXPECT_TRUE(verify_inclusion(second, 1, 3, proof_of(included), head.root));
    const Json consistent = ask(*session, "ledger.consistency", {{"old", 1}, {"size", 3}});
    const TreeHead first{1, leaf_hash(page["entries"][0].get<std::string>())};
    EXPECT_TRUE(verify_consistency(first, head, proof_of(consistent)));

    const Json owned = ask(*session, "ledger.head", {{"artwork", id}});
    const auto now = parse_and_verify<Head>(owned["head"].get<std::string>(), vault_keys().chain);
    ASSERT_TRUE(now.has_value());
    EXPECT_EQ(now->body.owner, wallet(collector_home()));
    EXPECT_EQ(now->body.leaves, 2U);
    EXPECT_EQ(now->body.tree, head);
    EXPECT_EQ(opened(owned["checkpoint"]), head);
    const Json before = ask(*session, "ledger.head", {{"artwork", id}, {"size", 2}});
    const auto then = parse_and_verify<Head>(before["head"].get<std::string>(), vault_keys().chain);
    ASSERT_TRUE(then.has_value());
    EXPECT_EQ(then->body.owner, wallet(artist_home()));

    for (const auto& [method, parameters, code] :
         {std::tuple{"ledger.inclusion", Json{{"leaf", second.hex()}, {"size", 1}}, 101},
          std::tuple{"ledger.inclusion", Json{{"leaf", second.hex()}, {"size", 4}}, 100},
          std::tuple{"ledger.consistency", Json{{"old", 0}, {"size", 4}}, 100},
          std::tuple{"ledger.head", Json{{"artwork", id}, {"size", 0}}, 101},
          std::tuple{"ledger.report", Json{{"checkpoint", owned["checkpoint"]}}, 100}})
        EXPECT_EQ(error_code(session->request(method, parameters)), code) << method;

    const Json status = vaultd_command({"status"}).json().run().data();
    EXPECT_EQ(status["leaves"], head.size);
    EXPECT_EQ(status["root"], head.root.hex());
    EXPECT_EQ(status["serving"], true);
    const VaultKeys keys = vault_keys();
    EXPECT_EQ(vaultd_command({"fingerprint"}).json().run().data()["log"],
              encode_vkey(vault_note_name(keys.wallet()), keys.log.public_key()));
}

TEST_F(VaultLedger, RefusesAStatementWhoseSignerSawAnother) {
    upload();
    auto session = open();
    ASSERT_TRUE(session.has_value());
    const TreeHead head = opened(ask(*session, "ledger.checkpoint", Json::object())["checkpoint"]);
    const auto answered = [&](const TreeHead& seen) {
        const RawUpload raw{.image = Bytes(100),
                            .edit_registration = [&](Registration& registration) { registration.seen = seen; }};
        return error_code(raw.send(*session, person(), vault_keys().chain).response);
    };
    EXPECT_EQ(answered({head.size, Digest()}), 116);
    EXPECT_EQ(answered({head.size + 1, head.root}), 116);
    EXPECT_EQ(answered(head), 0);
}

TEST_F(VaultLedger, AnOlderCopyOfTheDataDoesNotStartBesideItsDuplicate) {
    upload();
    stop_vault();
    copy(data(), dir() / "older");
    start_vault();
    const std::string id = upload("Second");
    stop_vault();
    no_vault();
    copy(data(), dir() / "newest");
    copy(dir() / "older", data());
    const std::string leaves = read_text(duplicate() / "leaves");

    const Outcome refused = refused_start({"--duplicate", duplicate()});
    EXPECT_NE(refused.exit_code, 0);
    EXPECT_THAT(refused.err, HasSubstr("it has leaves that the catalogue does not have"));
    EXPECT_THAT(refused.err, HasSubstr("hint: an old or foreign catalogue"));
    EXPECT_EQ(read_text(duplicate() / "leaves"), leaves) << "nothing is changed";

    copy(dir() / "newest", data());
    start_vault();
    EXPECT_EQ(collector({"show", id}).exit, 0);
}

TEST_F(VaultLedger, AnOlderCopyOfTheDataIsFoundOutByAClientAndNeverServesAgain) {
    const auto start_alone = [this] { start_vault({.data = data()}); };
    stop_vault();
    start_alone();
    const std::string id = upload();
    stop_vault();
    copy(data(), dir() / "older");
    start_alone();
    hand_over(id, kArtist, kCollector);
    stop_vault();
    copy(data(), dir() / "newest");

    copy(dir() / "older", data());
    start_alone();
    auto watcher = open();
    ASSERT_TRUE(watcher.has_value());
    ASSERT_TRUE(watcher->request("claim.subscribe", Json::object()).value("ok", false))
        << "without a duplicate nothing in the data shows their age";
    EXPECT_EQ(collector({"show", id}).exit, 24);
    const auto closed = [](Session& session) {
        const auto last = session.receive();
        return last && last->type == RecordType::close && last->body == Bytes{std::byte{0}, std::byte{9}};
    };
    EXPECT_TRUE(closed(*watcher)) << "CLOSE 9 to those who are there";
    auto newcomer = open();
    EXPECT_TRUE(newcomer && closed(*newcomer)) << "and to those who come";
    EXPECT_TRUE(vault().process().wait_for_error("event=contradiction"));
    EXPECT_THAT(vault().process().err(), HasSubstr("event=seen_contradicts"));
    EXPECT_EQ(vaultd_command({"status"}).json().run().data()["serving"], false);
    stop_vault();
    no_vault();

    const Outcome refused = refused_start();
    EXPECT_NE(refused.exit_code, 0);
    EXPECT_THAT(refused.err, HasSubstr("contradiction is a checkpoint of 2 leaves that this vault signed"));
    EXPECT_THAT(refused.err, HasSubstr("hint: put back the newest copy"));

    copy(dir() / "newest", data());
    start_alone();
    EXPECT_EQ(collector({"show", id}).exit, 24) << "until a person has looked at what was kept";
    EXPECT_EQ(second({"show", id}).data()["owner"], wallet(collector_home()).hex());
}

}  // namespace
}  // namespace sat::test
