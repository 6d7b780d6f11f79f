// SPDX-License-Identifier: Apache-2.0
#include "faults/scene.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/assert.h"
#include "client/identity_cache.h"
#include "client/key_home.h"
#include "sat-vaultd/admin.h"

namespace fs = std::filesystem;

namespace sat::test {

namespace {

// Far beyond what a step takes: a vault that keeps somebody waiting so long hangs.
constexpr std::chrono::seconds kStepPatience{30};
constexpr int kTries = 3;

// One chunk and little; several chunks.
constexpr std::size_t kImageSizes[] = {1'000, 150'000, 70'000};

// What a failure of the vault may be told as: that it failed, nothing about the work or the person.
bool is_honest(Errc code) {
    switch (code) {
        case Errc::internal:
        case Errc::io_error:
        case Errc::storage_full:
        case Errc::interrupted:
        case Errc::unreachable:
        case Errc::overloaded:
        case Errc::busy:
        case Errc::going_away:
            return true;
        default:
            return false;
    }
}

void copy_tree(const Path& from, const Path& to) { fs::copy(from, to, fs::copy_options::recursive); }

}  // namespace

struct Scene::Person {
    KeyHome keys;
    IdentityCache identities;
    SigningKey sign;
    VaultClient client;

    static std::unique_ptr<Person> open(const Path& home, const std::string& vault, const Wallet& pin) {
        auto keys = KeyHome::open(home);
        SAT_ASSERT(keys.has_value());
        auto sign = keys->unlock_sign(nullptr);
        auto kem = keys->unlock_kem(nullptr);
        SAT_ASSERT(sign.has_value() && kem.has_value());
        VaultClientOptions options;
        options.address = *parse_address(vault);
        options.trust.pin = pin;
        options.agent = "scene";
        options.timeout = kStepPatience;
        return std::unique_ptr<Person>(new Person(std::move(*keys), std::move(*sign), std::move(*kem), options));
    }
    std::string wallet() const { return keys.wallet().hex(); }

private:
    Person(KeyHome home, SigningKey key, KemPrivateKey kem, const VaultClientOptions& options)
        : keys(std::move(home)),
          identities(keys.directory()),
          sign(std::move(key)),
          client(keys, identities, std::move(kem), options) {}
};

Scene::Scene(const Path& directory, bool fresh)
    : directory_(directory), prepared_(directory / "prepared"), run_(directory / "run") {
    // An address that no other test has: a vault that starts again is where it was.
    const auto pid = static_cast<unsigned>(getpid());
    address_ = "127." + std::to_string(64 + (pid >> 16U) % 64) + "." + std::to_string((pid >> 8U) % 256) + "." +
               std::to_string(pid % 254 + 1) + ":7420";
    std::uint32_t seed = 1;
    for (const std::size_t size : kImageSizes) {
        images_.push_back(make_tiff(size, seed++));
        write_bytes(directory_ / ("image-" + std::to_string(images_.size() - 1)), images_.back());
    }
    faults_ = std::make_unique<Faults>(directory_ / "faults");
    make_prepared(fresh);
}

Scene::~Scene() = default;

void Scene::make_prepared(bool fresh) {
    fs::create_directories(prepared_ / "homes");
    for (const char* name : {"artist", "collector", "second"}) copy_cached(name, prepared_ / "homes" / name);
    copy_cached("vault", prepared_ / "vault");
    const auto keys = KeyHome::open(prepared_ / "homes" / "artist");
    SAT_ASSERT(keys.has_value());
    vault_wallet_ = load_vault_keys(prepared_ / "vault" / "keys", nullptr)->wallet();
    if (fresh) return;
    reset();
    SAT_ASSERT(start());
    const auto uploaded = upload(0);
    SAT_ASSERT(uploaded.has_value());
    SAT_ASSERT(claim(*second_, 0, "old").has_value());
    prepared_known_ = known_;
    SAT_ASSERT(stop() == 0);
    fs::remove_all(prepared_);
    fs::rename(run_, prepared_);
}

void Scene::reset() {
    vault_.reset();
    fs::remove_all(run_);
    copy_tree(prepared_, run_);
    known_ = prepared_known_;
    pending_ = {};
    played_.clear();
    upload_tried_ = false;
    stray_uploads_ = 0;
    next_step_ = 0;
    open_people();
}

void Scene::open_people() {
    artist_ = Person::open(homes() / "artist", address_, vault_wallet_);
    collector_ = Person::open(homes() / "collector", address_, vault_wallet_);
    second_ = Person::open(homes() / "second", address_, vault_wallet_);
}

Pending Scene::pending_of(std::size_t steps) const { return steps < played_.size() ? played_[steps] : Pending(); }

void Scene::pretend(const Known& known, const Pending& pending, std::size_t steps) {
    known_ = known;
    next_step_ = steps;
    pending_ = pending;
    upload_tried_ = false;
    stray_uploads_ = pending.upload ? 1 : 0;
    open_people();
}

bool Scene::start(const Environment& environment) {
    ProcessOptions options;
    options.argv = {program_path("sat-vaultd"),
                    "run",
                    "--data",
                    data(),
                    "--duplicate",
                    duplicate(),
                    "--listen",
                    address_,
                    "--allow-root"};
    options.env = environment;
    options.env["HOME"] = "/nonexistent";
    // Nobody is on a connection to the one before.
    for (Person* person : {artist_.get(), collector_.get(), second_.get()}) person->client.close();
    vault_ = std::make_unique<Process>(std::move(options));
    if (vault_->wait_for_output("\nfingerprint ")) return true;
    // Its output ends a moment before it does.
    EXPECT_TRUE(eventually([this] { return !vault_->running(); })) << "the vault neither serves nor ends";
    return false;
}

int Scene::stop() {
    // A vault waits a second for those who are told that it goes.
    for (Person* person : {artist_.get(), collector_.get(), second_.get()}) person->client.close();
    vault_->signal(SIGTERM);
    const Outcome ended = vault_->wait();
    EXPECT_FALSE(ended.timed_out) << "the vault does not stop";
    return ended.exit_code;
}

void Scene::expect_clean(const std::string& when) {
    const Outcome checked =
        test::run({.argv = {program_path("sat-vaultd"), "check", "--data", data(), "--duplicate", duplicate()},
                   .env = {{"HOME", "/nonexistent"}}});
    EXPECT_EQ(checked.exit_code, 0) << when << ": check says\n" << checked.out << checked.err;
}

// --- Steps: each looks first whether it was done already, for it may be a repeat ---

Result<VaultClient*> Scene::client(Person& person) {
    if (!person.client.connected()) SAT_TRY(person.client.connect());
    return &person.client;
}

Result<void> Scene::upload(std::size_t image) {
    SAT_TRY_VALUE(VaultClient * vault, client(*artist_));
    const Path path = directory_ / ("image-" + std::to_string(image));
    const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    UploadSource source;
    source.fd = file.get();
    source.path = path;
    SAT_ASSERT(fstat(file.get(), &source.seen) == 0);
    source.draft.title = "Image " + std::to_string(image);
    source.draft.artist = "Ada Artist";
    source.draft.description = "one of a few";
    source.draft.file_path = path.filename().string();
    source.draft.media_type = "image/tiff";
    source.draft.width = 10;
    source.draft.height = 10;
    source.preview = []() -> Result<std::optional<Bytes>> { return std::optional(to_bytes("a preview")); };
    pending_.upload = true;
    upload_tried_ = true;
    SAT_TRY_VALUE(const UploadResult uploaded, vault->upload(source, artist_->sign, {}));
    upload_tried_ = false;
    const std::string id = uploaded.work.id().str();
    known_.uploads.push_back({id, uploaded.work.registration.jws, uploaded.receipt, image});
    known_.owners[id] = artist_->wallet();
    known_.held[id] = false;
    return {};
}

Result<void> Scene::claim(Person& by, std::size_t work, const std::string& name) {
    SAT_TRY_VALUE(VaultClient * vault, client(by));
    const auto id = ArtworkId::parse(known_.uploads.at(work).id);
    SAT_ASSERT(id.has_value());
    SAT_TRY_VALUE(const auto mine, vault->my_claims(*id));
    for (const VerifiedClaim& claim : mine) {
        if (known_.claims.contains(claim.id().hex()) || !is_open(claim.state)) continue;
        known_.claims[claim.id().hex()] = claim.state;
        known_.named[name] = claim.id().hex();
        return {};
    }
    SAT_TRY_VALUE(const auto proved, vault->get_proved_work(*id));
    pending_.claim = true;
    SAT_TRY_VALUE(const VerifiedClaim opened, vault->open_claim(proved, "may I", std::chrono::hours(24), by.sign));
    known_.claims[opened.id().hex()] = opened.state;
    known_.named[name] = opened.id().hex();
    return {};
}

Result<VerifiedClaim> Scene::look_up(Person& by, const std::string& name) {
    SAT_TRY_VALUE(VaultClient * vault, client(by));
    const auto id = StatementId::from_hex(known_.named.at(name));
    SAT_ASSERT(id.has_value());
    return vault->get_claim(*id);
}

Result<void> Scene::answer(Person& by, const std::string& name, bool yes) {
    const ClaimState target = yes ? ClaimState::confirmed : ClaimState::declined;
    SAT_TRY_VALUE(const VerifiedClaim asked, look_up(by, name));
    pending_.state = {asked.id().hex(), target};
    if (asked.state != target) SAT_TRY(by.client.answer_claim(asked, yes, "why not", by.sign));
    known_.claims[asked.id().hex()] = target;
    return {};
}

Result<void> Scene::accept(Person& by, const std::string& name) {
    SAT_TRY_VALUE(const VerifiedClaim confirmed, look_up(by, name));
    const std::string work = confirmed.artwork().str();
    pending_.state = {confirmed.id().hex(), ClaimState::completed};
    pending_.owner = {work, by.wallet()};
    if (confirmed.state == ClaimState::completed) {
        SAT_TRY(by.client.prove_completed(confirmed));
    } else {
        SAT_TRY(by.client.accept_claim(confirmed, by.sign));
    }
    known_.claims[confirmed.id().hex()] = ClaimState::completed;
    known_.owners[work] = by.wallet();
    return {};
}

Result<void> Scene::withdraw(Person& by, const std::string& name) {
    SAT_TRY_VALUE(const VerifiedClaim open, look_up(by, name));
    pending_.state = {open.id().hex(), ClaimState::withdrawn};
    if (open.state != ClaimState::withdrawn) SAT_TRY(by.client.withdraw_claim(open, by.sign));
    known_.claims[open.id().hex()] = ClaimState::withdrawn;
    return {};
}

Result<void> Scene::hold(std::size_t work, bool held) {
    const std::string id = known_.uploads.at(work).id;
    const bool repeated = pending_.held.has_value();
    pending_.held = {id, held};
    const auto told = ask_daemon(
        data(), Json{{"command", held ? "hold" : "release"}, {"artwork", id}, {"reason", "as the scene wants it"}});
    // Done already, by the request whose answer did not come.
    if (!told && !(repeated && told.error().code == Errc::state)) return fail(told.error());
    if (told && !*told) return fail(Errc::unreachable, "no vault runs");
    known_.held[id] = held;
    return {};
}

std::vector<Scene::Step> Scene::story() {
    Person& artist = *artist_;
    Person& collector = *collector_;
    Person& second = *second_;
    std::vector<Step> steps;
    const auto add = [&steps](std::string name, std::function<Result<void>()> act) {
        steps.push_back({std::move(name), std::move(act)});
    };
    if (known_.named.contains("old")) {
        add("no", [&] { return answer(artist, "old", false); });
    } else {
        add("first upload", [&] { return upload(0); });
    }
    add("claim", [&] { return claim(collector, 0, "first"); });
    add("yes", [&] { return answer(artist, "first", true); });
    add("acceptance", [&] { return accept(collector, "first"); });
    add("upload", [&] { return upload(1); });
    add("claim on the upload", [&] { return claim(second, 1, "withdrawn"); });
    add("withdrawal", [&] { return withdraw(second, "withdrawn"); });
    add("hold", [&] { return hold(1, true); });
    add("release", [&] { return hold(1, false); });
    add("claim from the collector", [&] { return claim(second, 0, "second"); });
    add("the collector's yes", [&] { return answer(collector, "second", true); });
    add("acceptance from the collector", [&] { return accept(second, "second"); });
    add("last upload", [&] { return upload(2); });
    return steps;
}

Scene::Ran Scene::play(const std::function<void()>& after) {
    Ran ran;
    const std::vector<Step> steps = story();
    for (; next_step_ < steps.size(); ++next_step_) {
        const Step& step = steps[next_step_];
        for (int tried = 0;; ++tried) {
            const auto done = step.act();
            if (done) break;
            const std::string said =
                step.name + ": " + std::string(errc_name(done.error().code)) + ", " + done.error().message;
            // On the way to its end it may still have a word for us.
            const bool lost = done.error().code == Errc::interrupted || done.error().code == Errc::unreachable ||
                              done.error().code == Errc::going_away;
            if (!is_honest(done.error().code)) ran.dishonest.push_back(said);
            if (lost && eventually([this] { return !running(); }, milliseconds(200))) return ran;
            ++ran.refused;
            if (tried + 1 < kTries) continue;
            ran.dishonest.push_back("still, without a fault: " + said);
            return ran;
        }
        ++ran.steps;
        played_.push_back(std::exchange(pending_, {}));
        if (after) after();
    }
    ran.to_the_end = true;
    return ran;
}

Scene::Ran Scene::play_while_refused() {
    Ran ran;
    const std::vector<Step> steps = story();
    for (; next_step_ < steps.size(); ++next_step_) {
        pending_ = {};
        const auto done = steps[next_step_].act();
        if (done) {
            ++ran.steps;
            pending_ = {};
            continue;
        }
        ++ran.refused;
        if (!is_honest(done.error().code))
            ran.dishonest.push_back(steps[next_step_].name + ": " + std::string(errc_name(done.error().code)) + ", " +
                                    done.error().message);
        return ran;
    }
    ran.to_the_end = true;
    return ran;
}

void Scene::repeat(const std::string& when) {
    const std::vector<Step> steps = story();
    if (next_step_ >= steps.size()) return;
    const auto done = steps[next_step_].act();
    EXPECT_TRUE(done.has_value()) << when << ": " << steps[next_step_].name << " again: " << done.error().message;
    if (!done) return;
    pending_ = {};
    ++next_step_;
}

void Scene::verify_works(const std::string& when) {
    const auto vault = client(*collector_);
    ASSERT_TRUE(vault.has_value()) << when << ": " << vault.error().message;
    std::map<std::string, Work> works;
    ArtworkListRequest query;
    do {
        const auto page = (*vault)->list_works(query);
        ASSERT_TRUE(page.has_value()) << when << ": " << page.error().message;
        for (const Work& work : page->items) works.emplace(work.id().str(), work);
        query.cursor = page->next_cursor;
    } while (query.cursor);
    const std::size_t at_most = known_.uploads.size() + stray_uploads_ + (upload_tried_ ? 1 : 0);
    EXPECT_LE(works.size(), at_most) << when << ": a work that nobody uploaded, or one twice";

    std::map<std::string, std::size_t> images;
    for (const Known::Upload& upload : known_.uploads) {
        images[upload.id] = upload.image;
        EXPECT_TRUE(works.contains(upload.id)) << when << ": an acknowledged work is not there";
        const auto artist = client(*artist_);
        ASSERT_TRUE(artist.has_value()) << when << ": " << artist.error().message;
        const auto again = (*artist)->call(UploadCommitRequest{upload.registration, std::nullopt});
        ASSERT_TRUE(again.has_value()) << when << ": no receipt by its statement: " << again.error().message;
        EXPECT_EQ(again->receipt, upload.receipt) << when;
    }
    for (const auto& [id, work] : works) {
        const auto proved = (*vault)->get_proved_work(work.id());
        ASSERT_TRUE(proved.has_value()) << when << ": " << proved.error().message;
        const std::string owner = proved->work.owner.hex();
        const auto known_owner = known_.owners.find(id);
        const std::string expected = known_owner == known_.owners.end() ? artist_->wallet() : known_owner->second;
        const bool may_have_moved = pending_.owner && *pending_.owner == std::pair(id, owner);
        EXPECT_TRUE(owner == expected || may_have_moved) << when << ": another owner";
        const auto known_held = known_.held.find(id);
        const bool expected_held = known_held != known_.held.end() && known_held->second;
        const bool may_be_held = pending_.held && *pending_.held == std::pair(id, proved->work.held);
        EXPECT_TRUE(proved->work.held == expected_held || may_be_held) << when << ": held or not";
        const auto history = (*vault)->get_history_in_ledger(work.id());
        ASSERT_TRUE(history.has_value()) << when << ": " << history.error().message;
        if (proved->work.held) continue;
        Bytes image;
        const auto take = [&image](ByteView bytes) -> Result<void> {
            append(image, bytes);
            return {};
        };
        const auto fetched = (*vault)->fetch_image(proved->work, {}, take, nullptr);
        ASSERT_TRUE(fetched.has_value()) << when << ": " << fetched.error().message;
        const bool same = images.contains(id) ? image == images_[images[id]]
                                              : std::find(images_.begin(), images_.end(), image) != images_.end();
        EXPECT_TRUE(same) << when << ": another image";
    }
}

void Scene::verify_claims(const std::string& when, Person& of) {
    const auto vault = client(of);
    ASSERT_TRUE(vault.has_value()) << when << ": " << vault.error().message;
    const auto mine = (*vault)->my_claims({});
    ASSERT_TRUE(mine.has_value()) << when << ": " << mine.error().message;
    std::size_t unknown = 0;
    for (const VerifiedClaim& claim : *mine) {
        const std::string id = claim.id().hex();
        const auto known = known_.claims.find(id);
        if (known == known_.claims.end()) {
            ++unknown;
            EXPECT_EQ(claim.state, ClaimState::pending) << when;
            continue;
        }
        const bool may_have_changed = pending_.state && *pending_.state == std::pair(id, claim.state);
        EXPECT_TRUE(claim.state == known->second || may_have_changed)
            << when << ": a claim is " << claim_state_name(claim.state) << ", not " << claim_state_name(known->second);
        if (claim.state == ClaimState::completed) {
            const auto proved = (*vault)->prove_completed(claim);
            EXPECT_TRUE(proved.has_value()) << when << ": " << proved.error().message;
        }
    }
    EXPECT_LE(unknown, pending_.claim ? 1U : 0U) << when << ": a claim that nobody made";
}

void Scene::verify(const std::string& when) {
    verify_works(when);
    if (testing::Test::HasFatalFailure()) return;
    verify_claims(when, *collector_);
    verify_claims(when, *second_);
    // Every acknowledged claim is somebody's.
    for (const auto& [id, state] : known_.claims) {
        const auto statement = StatementId::from_hex(id);
        SAT_ASSERT(statement.has_value());
        auto found = collector_->client.get_claim(*statement);
        if (!found) found = second_->client.get_claim(*statement);
        EXPECT_TRUE(found.has_value()) << when << ": an acknowledged claim is not there";
    }
}

SceneDirectory::SceneDirectory() {
    const char* tmp = std::getenv("TMPDIR");
    std::string pattern = std::string(tmp != nullptr ? tmp : "/tmp") + "/sat-faults-XXXXXX";
    SAT_ASSERT(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
}

SceneDirectory::~SceneDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::vector<std::uint64_t> points(std::uint64_t count, std::uint64_t sample, std::uint64_t most) {
    std::vector<std::uint64_t> out;
    if (const char* wanted = std::getenv("SAT_POINT")) {
        char* end = nullptr;
        const std::uint64_t first = std::max<std::uint64_t>(1, std::strtoull(wanted, &end, 10));
        const std::uint64_t last = *end == '-' ? std::strtoull(end + 1, nullptr, 10) : first;
        for (std::uint64_t at = first; at <= std::min(last, count); ++at) out.push_back(at);
        return out;
    }
    const std::uint64_t number = std::min(count, run_in_full() ? most : sample);
    if (number == 0) return out;
    for (std::uint64_t i = 0; i < number; ++i) out.push_back(number == 1 ? 1 : 1 + i * (count - 1) / (number - 1));
    return out;
}

}  // namespace sat::test
