// A vault whose disk takes as long as the test wants: who waits for it waits for nobody's thread, and nobody waits for
// them.  docs/decisions/0012.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <thread>

#include "support/faults.h"
#include "support/programs.h"

namespace sat::test {
namespace {

class SlowDisk : public ThreeComputers {
public:
    void SetUp() override {
        ThreeComputers::SetUp();
        faults_ = std::make_unique<Faults>(dir() / "faults");
        stop_vault();
        start_vault({.data = data(), .duplicate = duplicate(), .env = faults_->env("sat-vaultd")});
        // From here on the artist and the collector are known.
        work_ = upload();
        expect_served();
    }
    void TearDown() override {
        faults_->open_gate();
        ThreeComputers::TearDown();
    }
    Faults& faults() { return *faults_; }
    const std::string& work() const { return work_; }

    Person person(const std::string& name) const {
        copy_cached(name, dir() / name);
        return load_person(dir() / name);
    }
    bool somebody_waits() {
        return eventually([this] { return faults_->at_gate() > 0; });
    }
    // Comes in, and is answered.
    void expect_served() {
        const Done done = collector({"show", work_});
        EXPECT_EQ(done.exit, 0) << done.out << done.err;
    }

private:
    std::unique_ptr<Faults> faults_;
    std::string work_;
};

TEST_F(SlowDisk, AKnownWalletComesInWhileNewcomersAreSetDown) {
    const Person newcomers[] = {person("stranger"), person("large"), load_person(second_home())};
    faults().close_gate("catalog.sqlite");
    std::vector<Session> sessions;
    for (const Person& newcomer : newcomers) {
        auto session = open_session(vault().socket_address(), newcomer);
        ASSERT_TRUE(session.has_value()) << "a handshake waits for the disk";
        sessions.push_back(std::move(*session));
        if (sessions.size() == 1) {
            ASSERT_TRUE(somebody_waits());
        }
    }
    expect_served();
    faults().open_gate();
    for (Session& session : sessions)
        EXPECT_TRUE(session.request("artwork.get", {{"artwork", work()}}).value("ok", false));
}

TEST_F(SlowDisk, WhoAsksForANewestHeadKeepsNobodyFromReading) {
    const Person asker = load_person(collector_home());
    // As many as there are threads that read, and then some.
    std::vector<Session> sessions;
    const std::size_t readers = std::max(4U, std::thread::hardware_concurrency());
    while (sessions.size() <= readers) {
        auto session = open_session(vault().socket_address(), asker);
        ASSERT_TRUE(session.has_value());
        EXPECT_TRUE(session->request("artwork.get", {{"artwork", work()}}).value("ok", false));
        sessions.push_back(std::move(*session));
    }
    faults().close_gate("/leaves");
    Process holding = vaultd_command({"hold", work(), "--reason", "why"}).begin();
    ASSERT_TRUE(somebody_waits());
    // As programs write requests, and as nobody does.
    const std::string requests[] = {
        dump_json(Json{{"m", "ledger.head"}, {"p", {{"artwork", work()}}}}),
        R"({"m":"ledger.checkpoint","p":{}})",
        R"({"p":{},"m":"ledger.checkpoint"})",
    };
    for (std::size_t i = 0; i < sessions.size(); ++i)
        ASSERT_TRUE(sessions[i].send(RecordType::request, requests[i % std::size(requests)]));
    expect_served();
    expect_served();
    faults().open_gate();
    for (Session& session : sessions) {
        const auto answer = session.receive();
        EXPECT_TRUE(answer && answer->json().value("ok", false));
    }
    EXPECT_EQ(holding.wait().exit_code, 0) << holding.err();
}

TEST_F(SlowDisk, OthersWriteWhileAnIdentityIsKept) {
    const std::string claimed = claim(kCollector, work());
    ASSERT_EQ(artist({"confirm", work(), "--claim", claimed}).exit, 0);
    faults().close_gate("/identities");
    Command accepting = collector_command({"claim", work()});
    Process accepted = accepting.begin();
    ASSERT_TRUE(somebody_waits());
    upload("Meanwhile");
    faults().open_gate();
    const Done done = accepting.finish(accepted);
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(owner_of(work()), wallet(collector_home()).hex());
}

}  // namespace
}  // namespace sat::test
