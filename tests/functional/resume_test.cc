// Uploads and requests that are cut off anywhere, at either end: the same command goes on where it stood, sends only
// what is missing, and ends with the right bytes under the same ID; a file that changed starts over.  A sample of the
// places by default; more with SAT_FULL=1.  docs/protocol.md, "Resuming".
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "client/upload_store.h"
#include "client/vault_client.h"
#include "support/faults.h"
#include "support/programs.h"
#include "support/relay.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kSize = 3'000'000;
constexpr std::uint64_t kChunk = kChunkSealed;
// Handshake, requests, the records' own bytes: what a connection costs beside the image.
constexpr std::uint64_t kBeside = 40'000;

class Resume : public ThreeComputers {
public:
    void SetUp() override {
        ThreeComputers::SetUp();
        relay_ = std::make_unique<Relay>(vault().socket_address());
    }
    Relay& relay() { return *relay_; }
    // The newest connection carried no more than what is missing of `file` behind `there` bytes of it, what sealing
    // adds, and what a connection costs.
    void expect_only_missing(Direction direction, const Path& file, std::uint64_t there) {
        const std::uint64_t missing = fs::file_size(file) - there;
        EXPECT_LT(relay().passed(direction), missing + missing / 100 + 5 * kChunk + kBeside);
    }

    // From the moment that the commit is written down nothing reaches the vault.
    Process upload_without_commit(const Path& file) {
        fs::create_directories(artist_home() / "uploads");
        fs::permissions(artist_home() / "uploads", fs::perms::owner_all);
        relay().treat(Direction::to_vault, {.edit = [this, committed = false](std::size_t, Bytes frame) mutable {
                          if (!committed) committed = commit_is_kept();
                          return committed ? std::vector<Bytes>{} : std::vector<Bytes>{std::move(frame)};
                      }});
        Process process = uploading(file).begin();
        EXPECT_TRUE(eventually([this] { return commit_is_kept(); }));
        return process;
    }

    // Restarted, the relay shows the same address as before.
    void restart() {
        start_vault({.data = data(), .duplicate = duplicate()});
        relay().set_vault(vault().socket_address());
    }
    Json works() {
        const Done done = collector({"browse", "--all"});
        EXPECT_EQ(done.exit, 0) << done.out << done.err;
        return done.data().is_object() ? done.data()["items"] : Json::array();
    }
    // Through the relay, for a person to read.
    Command uploading(const Path& file) {
        return artist_command({"upload", file, "--title", "Cut"}).vault(relay().address()).json(false);
    }
    Command requesting(const std::string& id, const Path& out) {
        return collector_command({"request", id}).in(out).vault(relay().address()).json(false);
    }
    // An upload that is cut after so many bytes to the vault.
    void cut_upload(const Path& file, std::uint64_t after) {
        relay().treat(Direction::to_vault, {.cut_after = after});
        const Done cut = uploading(file).run();
        EXPECT_EQ(cut.exit, exits::kInterrupted) << after << cut.out << cut.err;
        relay().treat(Direction::to_vault, {});
        settled();
    }
    // The vault has noticed that the connection is gone.
    void settled() {
        EXPECT_TRUE(eventually([this] {
            const Done done = vaultd_command({"status"}).json().run();
            return done.exit == 0 && done.data()["uploads"] == 0;
        }));
    }
    // The client has written its commit down; before that a file of another name grows beside.
    bool commit_is_kept() const {
        return std::ranges::any_of(files_below(artist_home() / "uploads"),
                                   [](const Path& path) { return path.extension() != ".part"; });
    }
    std::vector<Path> kept() const { return files_below(data() / "incoming"); }
    // The ID of what is kept.
    std::string kept_id() const {
        std::set<std::string> ids;
        for (const Path& path : kept()) ids.insert(path.filename().string().substr(0, 10));
        EXPECT_EQ(ids.size(), 1U);
        return ids.empty() ? "" : *ids.begin();
    }
    // One work, of this image, and a vault in which everything is as it should be.
    void expect_stored(const std::string& id, const Path& file) {
        const Json items = works();
        ASSERT_EQ(items.size(), 1U);
        EXPECT_EQ(items[0]["id"], id);
        const Done back = collector({"request", id, "-o", dir() / "back.tif", "--force"});
        EXPECT_EQ(back.exit, 0) << back.out << back.err;
        EXPECT_EQ(read_text(dir() / "back.tif"), read_text(file));
        EXPECT_TRUE(kept().empty());
        EXPECT_TRUE(files_below(duplicate() / "incoming").empty());
        EXPECT_FALSE(fs::exists(artist_home() / "uploads") && !fs::is_empty(artist_home() / "uploads"));
        stop_vault();
        const Done check = vaultd({"check", "--duplicate", duplicate()});
        EXPECT_EQ(check.exit, 0) << check.out << check.err;
        restart();
    }
    void clear_works() {
        stop_vault();
        for (const Path& directory : {data(), duplicate()})
            for (const auto& entry : fs::directory_iterator(directory))
                if (entry.path().filename() != "keys") fs::remove_all(entry.path());
        for (const Path& home : {artist_home(), collector_home()})
            for (const char* name : {"checkpoints", "uploads", "ledgers", "known_vaults.json"})
                fs::remove_all(home / name);
        restart();
    }

private:
    std::unique_ptr<Relay> relay_;
};

TEST_F(Resume, AnUploadCutAnywhereGoesOnAndSendsOnlyWhatIsMissing) {
    const Path file = tiff(kSize);
    std::vector<std::uint64_t> cuts = {70'000, 1'500'000, 2'995'000};
    if (run_in_full())
        for (std::uint64_t at = 100'000; at < kSize; at += 10 * kChunk) cuts.push_back(at);
    for (const std::uint64_t at : cuts) {
        cut_upload(file, at);
        const std::string id = kept_id();
        const std::uint64_t there = fs::file_size(data() / "incoming" / (id + ".image"));
        const Done done = uploading(file).run();
        EXPECT_EQ(done.exit, 0) << at << done.out << done.err;
        const std::uint64_t offset = (there - kMinEnvelopeHeader) / kChunk * kChunkPlaintext;
        EXPECT_THAT(done.err, HasSubstr("resuming at " + std::to_string(offset * 100 / fs::file_size(file)))) << at;
        EXPECT_THAT(done.out, HasSubstr(id)) << at;
        expect_only_missing(Direction::to_vault, file, offset);
        expect_stored(id, file);
        clear_works();
    }
}

TEST_F(Resume, AnUploadGoesOnAfterEitherEndWasKilled) {
    const Path file = tiff(kSize);
    const auto kill = [&](std::uint64_t after, bool the_vault) {
        relay().treat(Direction::to_vault, {.hold_after = after});
        const Command command = uploading(file);
        Process process = command.begin();
        ASSERT_TRUE(relay().wait_held());
        // What the vault has taken of it lies in its file.
        EXPECT_TRUE(eventually([&] {
            for (const Path& path : kept())
                if (path.extension() == ".image" && fs::file_size(path) + 140'000 > after / 2) return true;
            return false;
        }));
        if (the_vault) {
            vault().kill_hard();
            relay().cut();
            EXPECT_EQ(command.finish(process).exit, exits::kInterrupted);
            restart();
        } else {
            process.kill_hard();
            relay().cut();
            settled();
        }
        relay().treat(Direction::to_vault, {});
    };
    kill(1'000'000, false);
    const std::string id = kept_id();
    kill(1'000'000, true);
    EXPECT_EQ(kept_id(), id);
    const std::uint64_t there = fs::file_size(data() / "incoming" / (id + ".image"));
    const std::uint64_t offset = (there - kMinEnvelopeHeader) / kChunk * kChunkPlaintext;
    EXPECT_GT(offset, 400'000U);
    const Done done = uploading(file).run();
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    expect_only_missing(Direction::to_vault, file, offset);
    EXPECT_THAT(done.out, HasSubstr(id));
    expect_stored(id, file);
}

TEST_F(Resume, AnUploadWhoseReceiptWasLostIsNotMadeTwice) {
    const Path file = tiff(300'000);
    const Done first = uploading(file).run();
    ASSERT_EQ(first.exit, 0) << first.out << first.err;
    const auto lose_receipt = [&](const Words& more, const std::string& title) {
        fs::last_write_time(file, fs::file_time_type::clock::now());
        const std::size_t before = works().size();
        // The connection is held while the vault commits, and then cut at both ends.
        relay().treat(Direction::to_client, {.edit = [&, committed = false](std::size_t, Bytes frame) mutable {
                          if (!committed) committed = commit_is_kept();
                          return committed ? std::vector<Bytes>{} : std::vector<Bytes>{std::move(frame)};
                      }});
        const Command command =
            artist_command({"upload", file, "--title", title}).vault(relay().address()).json(false).also(more);
        Process process = command.begin();
        EXPECT_TRUE(eventually([&] { return works().size() == before + 1; }));
        process.kill_hard();
        relay().cut();
        relay().treat(Direction::to_client, {});
        EXPECT_EQ(files_below(artist_home() / "uploads").size(), 1U);
        for (const Path& path : files_below(artist_home() / "uploads")) {
            struct stat status {};
            EXPECT_EQ(::stat(path.c_str(), &status), 0);
            EXPECT_EQ(status.st_mode & 0777U, 0600U);
        }
    };
    fs::create_directories(artist_home() / "uploads");
    fs::permissions(artist_home() / "uploads", fs::perms::owner_all);
    lose_receipt({}, "Lost");
    const std::string id = works()[0]["id"];
    const Done again = artist_command({"upload", file, "--title", "Lost"}).vault(relay().address()).run();
    EXPECT_EQ(again.exit, 0) << again.out << again.err;
    EXPECT_EQ(again.data()["id"], id);
    EXPECT_EQ(again.data()["found"], true);
    EXPECT_LT(relay().passed(Direction::to_vault), kBeside) << "the image was not sent again";
    EXPECT_EQ(works().size(), 2U);
    EXPECT_TRUE(fs::is_empty(artist_home() / "uploads"));

    // With other metadata the earlier one is told of, and this is a work of its own.
    lose_receipt({}, "First title");
    const Done other = artist_command({"upload", file, "--title", "Second title"}).json(false).run();
    EXPECT_EQ(other.exit, 0) << other.out << other.err;
    EXPECT_THAT(other.err, HasSubstr("is stored as"));
    EXPECT_EQ(works().size(), 4U);
}

TEST_F(Resume, ACommitThatNeverArrivedIsMadeAgain) {
    const Path file = tiff(300'000);
    Process process = upload_without_commit(file);
    process.kill_hard();
    relay().cut();
    settled();
    relay().treat(Direction::to_vault, {});
    const std::string id = kept_id();
    const Done done = uploading(file).run();
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_THAT(done.err, HasSubstr("resuming at 9"));
    EXPECT_THAT(done.out, HasSubstr(id));
    expect_stored(id, file);
}

// It may be on its way still: the vault's word that it knows no such work is not final.
TEST_F(Resume, ACommitThatTheVaultDoesNotKnowStaysWrittenDown) {
    const Path file = tiff(300'000);
    Process process = upload_without_commit(file);
    relay().treat(Direction::to_vault, {});
    relay().cut();
    EXPECT_EQ(process.wait().exit_code, exits::kInterrupted);
    EXPECT_TRUE(commit_is_kept());
    settled();
    const std::string id = kept_id();
    const Done done = uploading(file).run();
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    expect_stored(id, file);
}

// Between the data and the commit a client may be silent for long: its picture's preview is being made.
TEST_F(Resume, ASecondRunOfAFileWhoseFirstWaitsForItsPreviewLeavesThatAlone) {
    const Path file = tiff(300'000);
    const auto home = KeyHome::open(artist_home());
    ASSERT_TRUE(home);
    const auto sign = home->unlock_sign(nullptr);
    auto kem = home->unlock_kem(nullptr);
    ASSERT_TRUE(sign && kem);
    IdentityCache identities(home->directory());
    VaultClientOptions options;
    options.address = *parse_address(vault().address());
    options.trust.accept_new = true;
    VaultClient client(*home, identities, std::move(*kem), std::move(options));
    ASSERT_TRUE(client.connect());
    const FileDescriptor opened(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    UploadSource source;
    source.fd = opened.get();
    source.path = file;
    ASSERT_EQ(fstat(opened.get(), &source.seen), 0);
    source.draft.title = "First";
    source.draft.artist = "Ada Artist";
    source.draft.file_path = file.filename().string();
    source.draft.media_type = "image/tiff";
    source.draft.width = 10;
    source.draft.height = 10;
    Done second;
    source.preview = [&]() -> Result<std::optional<Bytes>> {
        second = artist({"upload", file, "--title", "Second"});
        return std::optional<Bytes>();
    };
    const auto first = client.upload(source, *sign, {});
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(second.exit, 0) << second.out << second.err;
    EXPECT_NE(second.data()["id"], first->work.id().str());
    EXPECT_EQ(works().size(), 2U) << "two runs at the same time are two works";
    EXPECT_TRUE(fs::is_empty(artist_home() / "uploads")) << "both know that theirs is stored";
}

// Cut without a word, and the vault believes that connection alive for 100 s: no run of the home has the name any more.
TEST_F(Resume, AnUploadWhoseRunDiedBeforeItsCommitIsWaitedForAndNotSentAnew) {
    const Path file = tiff(kSize);
    struct stat status {};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    const auto size = static_cast<std::uint64_t>(status.st_size);
    auto dead = open_session(vault().socket_address(), load_person(artist_home()));
    ASSERT_TRUE(dead);
    const Digest name = upload_name(vault_keys().wallet(), status, 0);
    const Json begun =
        dead->request("upload.begin", {{"bytes", size}, {"media_type", "image/tiff"}, {"resume", name.hex()}});
    const std::string id = begun["r"]["artwork"];
    Sealer sealer = Sealer::create(*ArtworkId::from_canonical(id), size, vault_keys().wallet(),
                                   vault_keys().chain.kem_key(), Purpose::transit);
    Bytes stream;
    ASSERT_TRUE(sealer.seal(as_bytes(read_text(file)), stream).has_value() && sealer.finish(stream).has_value());
    const Json data{{"m", "upload.data"}, {"p", {{"header", to_base64url(sealer.header().encode())}}}};
    ASSERT_TRUE(dead->send(RecordType::request, dump_json(data)));
    ASSERT_TRUE(dead->send_bulk(stream));
    ASSERT_EQ(dead->receive()->type, RecordType::response);

    const Command command = uploading(file);
    Process process = command.begin();
    EXPECT_TRUE(process.wait_for_error("waiting for that to end"));
    dead.reset();
    const Done done = command.finish(process);
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_THAT(done.err, HasSubstr("resuming at"));
    EXPECT_THAT(done.out, HasSubstr(id));
    expect_only_missing(Direction::to_vault, file, size / kChunkPlaintext * kChunkPlaintext);
    expect_stored(id, file);
}

TEST_F(Resume, ANameThatAnotherRunHoldsIsLeftAlone) {
    const Path file = tiff(kSize);
    struct stat status {};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    const UploadStore store(artist_home());
    const auto kept_under = [&](unsigned which) {
        auto session = open_session(vault().socket_address(), load_person(artist_home()));
        const Json begun =
            session->request("upload.begin", {{"bytes", fs::file_size(file)},
                                              {"media_type", "image/tiff"},
                                              {"resume", upload_name(vault_keys().wallet(), status, which).hex()}});
        return begun["r"]["offset"].get<std::uint64_t>();
    };
    {
        const NameHold first = store.hold(upload_name(vault_keys().wallet(), status, 0));
        ASSERT_EQ(first.by, NameHold::By::this_run);
        cut_upload(file, 1'500'000);
        EXPECT_EQ(kept_under(0), 0U);
        EXPECT_GT(kept_under(1), 0U);
        settled();
        std::vector<NameHold> others;
        for (unsigned which = 1; which < kUploadNames; ++which)
            others.push_back(store.hold(upload_name(vault_keys().wallet(), status, which)));
        const Done none = uploading(file).run();
        EXPECT_EQ(none.exit, exits::kUnreachable) << none.out << none.err;
    }
    EXPECT_EQ(uploading(file).run().exit, 0);
    EXPECT_EQ(works().size(), 1U);
}

// However long that takes: a client that hears nothing takes the vault for gone.
TEST_F(Resume, AVaultThatSealsAnewGivesSignsOfLife) {
    constexpr std::size_t kMebibytes = 3;
    const Bytes image(kMebibytes << 20);
    const Person person = load_person(artist_home());
    const Json begin{
        {"bytes", image.size()}, {"media_type", "image/tiff"}, {"resume", sha256(as_bytes("a name")).hex()}};
    const auto sealer_for = [&](const Json& begun) {
        const auto artwork = ArtworkId::from_canonical(begun["r"]["artwork"].get<std::string>());
        return Sealer::create(*artwork, image.size(), vault_keys().wallet(), vault_keys().chain.kem_key(),
                              Purpose::transit);
    };
    {
        auto session = open_session(vault().socket_address(), person);
        ASSERT_TRUE(session);
        Sealer sealer = sealer_for(session->request("upload.begin", begin));
        Bytes stream;
        ASSERT_TRUE(sealer.seal(image, stream).has_value() && sealer.finish(stream).has_value());
        const Json data{{"m", "upload.data"}, {"p", {{"header", to_base64url(sealer.header().encode())}}}};
        ASSERT_TRUE(session->send(RecordType::request, dump_json(data)));
        ASSERT_TRUE(session->send_bulk(stream));
        EXPECT_EQ(session->receive()->type, RecordType::response);
    }
    settled();
    auto session = open_session(vault().socket_address(), person);
    ASSERT_TRUE(session);
    const Json begun = session->request("upload.begin", begin);
    ASSERT_EQ(begun["r"]["offset"], image.size());
    const Json resume{{"m", "upload.resume"}, {"p", {{"header", to_base64url(sealer_for(begun).header().encode())}}}};
    ASSERT_TRUE(session->send(RecordType::request, dump_json(resume)));
    const auto message = session->receive();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->type, RecordType::response);
    EXPECT_EQ(message->json()["r"]["offset"], image.size());
    EXPECT_EQ(session->pongs(), kMebibytes - 1) << "one after each mebibyte but the last";
}

TEST_F(Resume, AFileThatChangedStartsOverWithANewIdAndKey) {
    const Path file = tiff(kSize);
    cut_upload(file, 1'500'000);
    const std::string id = kept_id();
    const std::string image = read_text(data() / "incoming" / (id + ".image"));
    write_bytes(file, make_tiff(kSize, 2));
    const Done done = uploading(file).run();
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_THAT(done.err, Not(HasSubstr("resuming")));
    const std::string fresh = works()[0]["id"];
    EXPECT_NE(fresh, id);
    const std::string stored = read_text(data() / "image_store" / fresh.substr(0, 2) / fresh);
    EXPECT_NE(stored.substr(0, 700), image.substr(0, 700)) << "another header, so another key";
    EXPECT_EQ(kept_id(), id) << "the earlier one stays for its day";
}

TEST_F(Resume, AFileThatChangedWithItsTimesPutBackStartsOver) {
    const Path file = tiff(kSize);
    cut_upload(file, 1'500'000);
    const std::string id = kept_id();
    struct stat before {};
    ASSERT_EQ(::stat(file.c_str(), &before), 0);
    const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_EQ(::pwrite(fd, "x", 1, 700'000), 1);
    const std::array<timespec, 2> times{before.st_atim, before.st_mtim};
    ASSERT_EQ(::futimens(fd, times.data()), 0);
    ::close(fd);
    const Done done = uploading(file).run();
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_THAT(done.err, HasSubstr("the upload starts over"));
    ASSERT_EQ(works().size(), 1U);
    const std::string fresh = works()[0]["id"];
    EXPECT_NE(fresh, id);
    EXPECT_EQ(collector({"request", fresh, "-o", dir() / "back.tif"}).exit, 0);
    EXPECT_EQ(read_text(dir() / "back.tif"), read_text(file));
}

TEST_F(Resume, ADiskThatFillsUpWhileWhatWasKeptIsSealedAnewLosesNothing) {
    const Path file = tiff(kSize);
    Faults faults(dir() / "faults");
    stop_vault();
    start_vault({.data = data(), .duplicate = duplicate(), .env = faults.env()});
    relay().set_vault(vault().socket_address());
    cut_upload(file, 1'500'000);
    const std::string id = kept_id();
    faults.count();
    for (const std::uint64_t call : {1U, 2U, 3U, 4U}) {
        faults.full_at(call);
        const Done done = uploading(file).run();
        faults.disarm();
        EXPECT_NE(done.exit, 0) << call << done.out << done.err;
        settled();
        EXPECT_EQ(kept_id(), id) << call;
        EXPECT_EQ(kept().size(), 2U) << call;
    }
    const Done done = uploading(file).run();
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_THAT(done.err, HasSubstr("resuming at"));
    expect_stored(id, file);
}

TEST_F(Resume, TwoProgramsThatUploadOneFileAtOnceEachGetAWork) {
    const Path file = tiff(kSize);
    // The first is slow, and heard of all the time.
    relay().treat(Direction::to_vault, {.bytes_per_second = 400'000});
    const Command slow = uploading(file);
    Process process = slow.begin();
    ASSERT_TRUE(eventually([&] { return !kept().empty(); }));
    const Done fast = artist({"upload", file, "--title", "Second"});
    EXPECT_EQ(fast.exit, 0) << fast.out << fast.err;
    EXPECT_EQ(slow.finish(process).exit, 0);
    EXPECT_EQ(works().size(), 2U);
    EXPECT_TRUE(eventually([&] { return kept().empty(); }));
}

TEST_F(Resume, ARequestCutAnywhereGoesOnAndFetchesOnlyWhatIsMissing) {
    const Path file = tiff(kSize);
    const Done uploaded = artist({"upload", file, "--title", "Cut"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.out << uploaded.err;
    const std::string id = uploaded.data()["id"];
    std::vector<std::uint64_t> cuts = {100'000, 1'500'000, 2'990'000};
    if (run_in_full())
        for (std::uint64_t at = 100'000; at < kSize; at += 10 * kChunk) cuts.push_back(at);
    for (const std::uint64_t at : cuts) {
        const Path out = dir() / "out";
        fs::remove_all(out);
        fs::create_directory(out);
        relay().treat(Direction::to_client, {.cut_after = at});
        const Done cut = requesting(id, out).run();
        EXPECT_EQ(cut.exit, exits::kInterrupted) << at << cut.out << cut.err;
        EXPECT_THAT(cut.err, HasSubstr("it goes on where it stood")) << at;
        const std::vector<Path> left = files_below(out);
        ASSERT_EQ(left.size(), 1U) << at;
        EXPECT_EQ(left[0].extension(), ".part");
        const std::uint64_t there = fs::file_size(left[0]);
        struct stat status {};
        ASSERT_EQ(::stat(left[0].c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777U, 0600U);
        relay().treat(Direction::to_client, {});
        const Done done = requesting(id, out).run();
        EXPECT_EQ(done.exit, 0) << at << done.out << done.err;
        EXPECT_THAT(done.err, HasSubstr("resuming at")) << at;
        expect_only_missing(Direction::to_client, file, there);
        EXPECT_EQ(read_text(out / (id + ".tif")), read_text(file)) << at;
        EXPECT_EQ(files_below(out).size(), 1U) << at;
    }
}

TEST_F(Resume, ARequestGoesOnAfterEitherEndWasKilledOrCtrlC) {
    const Path file = tiff(kSize);
    const Done uploaded = artist({"upload", file, "--title", "Cut"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.out << uploaded.err;
    const std::string id = uploaded.data()["id"];
    const Path out = dir() / "out";
    fs::create_directory(out);
    enum class Way { client, vault, ctrl_c };
    std::uint64_t before = 0;
    for (const Way way : {Way::client, Way::vault, Way::ctrl_c}) {
        relay().treat(Direction::to_client, {.hold_after = 800'000});
        const Command command = requesting(id, out);
        Process process = command.begin();
        ASSERT_TRUE(relay().wait_held());
        ASSERT_TRUE(eventually([&] {
            const auto left = files_below(out);
            return left.size() == 1 && fs::file_size(left[0]) > before + 300'000;
        }));
        if (way == Way::client) process.kill_hard();
        if (way == Way::ctrl_c) process.signal(SIGINT);
        if (way == Way::vault) vault().kill_hard();
        if (way != Way::ctrl_c) relay().cut();
        const int exit = command.finish(process).exit;
        if (way == Way::vault) {
            EXPECT_EQ(exit, exits::kInterrupted);
            restart();
        }
        if (way == Way::ctrl_c) {
            EXPECT_EQ(exit, 130);
            relay().cut();
        }
        const auto left = files_below(out);
        ASSERT_EQ(left.size(), 1U);
        before = fs::file_size(left[0]);
        EXPECT_FALSE(fs::exists(out / (id + ".tif")));
    }
    relay().treat(Direction::to_client, {});
    EXPECT_EQ(requesting(id, out).run().exit, 0);
    expect_only_missing(Direction::to_client, file, before);
    EXPECT_EQ(read_text(out / (id + ".tif")), read_text(file));
}

TEST_F(Resume, ARequestKilledInItsLastSyncIsGoneOnWith) {
    const Path file = tiff(kSize);
    const Done uploaded = artist({"upload", file, "--title", "Cut"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.out << uploaded.err;
    const std::string id = uploaded.data()["id"];
    const Path out = dir() / "out";
    fs::create_directory(out);
    Faults faults(dir() / "plan");
    // In the home, other files are synced.
    faults.close_gate(id + "-");
    Process process = requesting(id, out).env(faults.env("sat-collector")).begin();
    ASSERT_TRUE(eventually([&] { return faults.at_gate() > 0; }));
    process.kill_hard();
    faults.open_gate();
    const auto left = files_below(out);
    ASSERT_EQ(left.size(), 1U);
    const std::uint64_t before = fs::file_size(left[0]);
    EXPECT_EQ(before, fs::file_size(file)) << "all of it is there";
    EXPECT_EQ(requesting(id, out).run().exit, 0);
    expect_only_missing(Direction::to_client, file, before);
    EXPECT_EQ(read_text(out / (id + ".tif")), read_text(file));
    EXPECT_EQ(files_below(out).size(), 1U);
}

TEST_F(Resume, APartialFileThatIsNotWhatItWasIsNotTrusted) {
    const Path file = tiff(kSize);
    const Done uploaded = artist({"upload", file, "--title", "Cut"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.out << uploaded.err;
    const std::string id = uploaded.data()["id"];
    const std::string sha256 = uploaded.data()["sha256"];
    const Path out = dir() / "out";
    fs::create_directory(out);
    const Path part = out / (id + "-" + sha256.substr(0, 16) + ".part");
    const Path image = out / (id + ".tif");
    const auto make_part = [&](std::size_t size, mode_t mode) {
        write_bytes(part, Bytes(size, std::byte{7}));
        ASSERT_EQ(::chmod(part.c_str(), mode), 0);
    };
    // Damaged: found by the hash, and fetched anew.
    make_part(500'000, 0600);
    Done done = requesting(id, out).run();
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_THAT(done.err, HasSubstr("fetched anew"));
    EXPECT_EQ(read_text(image), read_text(file));
    EXPECT_EQ(files_below(out).size(), 1U);
    // Longer than the image.
    fs::remove(image);
    make_part(kSize + 100'000, 0600);
    EXPECT_EQ(requesting(id, out).run().exit, 0);
    EXPECT_EQ(read_text(image), read_text(file));
    // One that others can read is ours all the same: a commit that was cut short leaves it so.
    fs::remove(image);
    make_part(500'000, 0644);
    EXPECT_EQ(requesting(id, out).run().exit, 0);
    EXPECT_EQ(read_text(image), read_text(file));
    EXPECT_EQ(files_below(out).size(), 1U);
    // One that others can write, or a link: left alone.
    fs::remove(image);
    make_part(500'000, 0620);
    EXPECT_EQ(requesting(id, out).run().exit, 0);
    EXPECT_EQ(read_text(image), read_text(file));
    EXPECT_EQ(fs::file_size(part), 500'000U);
    fs::remove(image);
    fs::remove(part);
    write_text(dir() / "elsewhere", "untouched");
    fs::create_symlink(dir() / "elsewhere", part);
    EXPECT_EQ(requesting(id, out).run().exit, 0);
    EXPECT_EQ(read_text(image), read_text(file));
    EXPECT_EQ(read_text(dir() / "elsewhere"), "untouched");
    EXPECT_TRUE(fs::is_symlink(part));
    // A name that is taken is found out before everything is fetched, and nothing stays.
    fs::remove(part);
    EXPECT_EQ(requesting(id, out).run().exit, exits::kExists);
    EXPECT_EQ(files_below(out).size(), 1U);
}

}  // namespace
}  // namespace sat::test
