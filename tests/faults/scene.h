// A vault with two directories, an artist, two collectors, and a small story between them: uploads, claims, a no,
// yeses, acceptances, a withdrawal, a hold.  The vault is the real program, to be killed or made faulty at any of its
// calls; the people are the client library inside the test, which verifies what it is told, so that one run of the
// story takes tenths of a second.  What the vault acknowledged is remembered, and after a failure looked for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/vault_client.h"
#include "support/faults.h"
#include "support/process.h"
#include "support/programs.h"

namespace sat::test {

// What the vault acknowledged.  IDs are text.
struct Known {
    struct Upload {
        std::string id;
        std::string registration;  // JWS
        std::string receipt;       // JWS
        std::size_t image = 0;     // which of the scene's
    };
    std::vector<Upload> uploads;
    std::map<std::string, ClaimState> claims;
    std::map<std::string, std::string> owners;  // by work
    std::map<std::string, bool> held;           // by work
    std::map<std::string, std::string> named;   // claims by the story's names for them
};

// What the step under way may have done already, although nobody was told.
struct Pending {
    bool upload = false;
    bool claim = false;
    std::optional<std::pair<std::string, ClaimState>> state;
    std::optional<std::pair<std::string, std::string>> owner;
    std::optional<std::pair<std::string, bool>> held;
};

class Scene {
public:
    // Below `directory`, which is empty.  `fresh`: the vault has never run; else it has a work and its owner's claim.
    explicit Scene(const Path& directory, bool fresh = false);
    ~Scene();
    Scene(const Scene&) = delete;
    Scene& operator=(const Scene&) = delete;

    Faults& faults() noexcept { return *faults_; }
    Path data() const { return run_ / "vault"; }
    Path duplicate() const { return run_ / "duplicate"; }
    Path homes() const { return run_ / "homes"; }

    // Everything as it was prepared, and nothing runs.
    void reset();

    // --- The vault ---

    using Environment = std::map<std::string, std::string>;
    // Whether it serves; if not it has ended.  A vault that does neither is a failure of the test.
    bool start(const Environment& environment = {});
    bool running() { return vault_ && vault_->running(); }
    // SIGTERM; its exit code.
    int stop();
    // Of one that has ended.
    Outcome outcome() { return vault_->wait(); }
    // `sat-vaultd check` of both directories.
    void expect_clean(const std::string& when);

    // --- The story ---

    // How a run of it came out.
    struct Ran {
        bool to_the_end = false;
        std::size_t steps = 0;               // that were done
        std::vector<std::string> dishonest;  // errors that say something else than that it failed
        std::size_t refused = 0;             // steps that failed, and then did not
    };
    // Until its end, or until the vault is gone.  A step that fails while the vault lives is tried again, without any
    // fault, and has to succeed.  `after` is called after each step that succeeded.
    Ran play(const std::function<void()>& after = nullptr);
    // Until the first step that fails, which is counted as refused, and left; the vault has to live.
    Ran play_while_refused();
    const Known& known() const noexcept { return known_; }
    // What the step after `steps` of them may have done before it was acknowledged; of a run to the end.
    Pending pending_of(std::size_t steps) const;
    // The vault's directories and the homes are of an earlier moment, when `steps` were done.
    void pretend(const Known& known, const Pending& pending, std::size_t steps);
    // What was acknowledged is there whole; what was not is there whole or not at all; each work has one owner, under a
    // ledger that goes on from what everybody has seen.
    void verify(const std::string& when);
    // The step that did not succeed, again, on the vault that serves now.
    void repeat(const std::string& when);

private:
    struct Person;
    struct Step {
        std::string name;
        std::function<Result<void>()> act;
    };
    void make_prepared(bool fresh);
    void open_people();
    std::vector<Step> story();
    Result<VaultClient*> client(Person& person);
    Result<void> upload(std::size_t image);
    Result<void> claim(Person& by, std::size_t work, const std::string& name);
    Result<void> answer(Person& by, const std::string& name, bool yes);
    Result<void> accept(Person& by, const std::string& name);
    Result<void> withdraw(Person& by, const std::string& name);
    Result<void> hold(std::size_t work, bool held);
    Result<VerifiedClaim> look_up(Person& by, const std::string& name);
    void verify_works(const std::string& when);
    void verify_claims(const std::string& when, Person& of);

    Path directory_;
    Path prepared_;
    Path run_;
    std::unique_ptr<Faults> faults_;
    std::string address_;
    Wallet vault_wallet_;
    std::vector<Bytes> images_;
    std::unique_ptr<Process> vault_;
    std::unique_ptr<Person> artist_;
    std::unique_ptr<Person> collector_;
    std::unique_ptr<Person> second_;

    Known known_;
    Known prepared_known_;
    Pending pending_;
    std::vector<Pending> played_;
    bool upload_tried_ = false;      // an upload's outcome was not told; the same file again finds it
    std::size_t stray_uploads_ = 0;  // that may be stored, and that the homes, being older, know nothing of
    std::size_t next_step_ = 0;
};

// The directory of a test, removed with it.
class SceneDirectory {
public:
    SceneDirectory();
    ~SceneDirectory();
    SceneDirectory(const SceneDirectory&) = delete;
    SceneDirectory& operator=(const SceneDirectory&) = delete;
    const Path& path() const noexcept { return path_; }

private:
    Path path_;
};

// Of `count` points: all in full, or as many as `most`; else `sample`.  Spread evenly, the first and the last among
// them.  SAT_POINT=N or N-M in the environment: these alone.
std::vector<std::uint64_t> points(std::uint64_t count, std::uint64_t sample, std::uint64_t most = UINT64_MAX);

}  // namespace sat::test
