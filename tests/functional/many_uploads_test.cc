// Several images in one command: told in the order of the arguments, one that is bad takes no other with it, and the
// same command once more stores nothing twice.  docs/man/sat-artist.1, "upload".
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <set>
#include <sstream>
#include <thread>

#include "base/json.h"
#include "client/upload_store.h"
#include "client/vault_client.h"
#include "support/peer.h"
#include "support/pictures.h"
#include "support/programs.h"
#include "support/relay.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ManyUploads : public ThreeComputers {
public:
    // More than there are connections.
    Words images(std::size_t count, std::size_t bytes) {
        Words paths;
        for (std::size_t i = 0; i < count; ++i) {
            const Path path = dir() / ("work " + std::to_string(i) + ".tif");
            EXPECT_TRUE(write_file_atomically(path, make_tiff(bytes + i, static_cast<std::uint32_t>(i + 1)),
                                              AtomicFile::Existing::replace));
            paths.push_back(path);
        }
        return paths;
    }
    Command uploading(Words paths) {
        paths.insert(paths.begin(), "upload");
        return artist_command(std::move(paths)).json(false);
    }
    // With a picture helper that does what `script` says.
    Command uploading_with(const std::string& script, Words words) {
        const Path programs = dir() / "programs";
        fs::create_directory(programs);
        fs::copy_file(program_path("sat-artist"), programs / "sat-artist");
        fs::create_symlink(SAT_FAKE_PICTURE_HELPER, programs / "sat-picture");
        write_text(programs / "sat-picture.sh", script);
        words.insert(words.begin(), "upload");
        return Command(programs / "sat-artist", std::move(words))
            .home(artist_home())
            .vault(vault().address())
            .pin(vault().fingerprint());
    }
    static std::vector<std::string> lines(const std::string& text) {
        std::vector<std::string> out;
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);) out.push_back(line);
        return out;
    }
    std::size_t works() {
        const Done done = collector({"browse", "--all"});
        return done.exit == 0 ? done.data()["items"].size() : 0;
    }
    // Without what a kill in the middle of writing leaves.
    std::vector<Path> remembered() const {
        auto files = files_below(artist_home() / "uploads");
        std::erase_if(files, [](const Path& file) { return file.extension() == ".part"; });
        return files;
    }
};

TEST_F(ManyUploads, AreStoredUnderTheirNamesAndToldInTheirOrder) {
    const Words paths = images(9, 60'000);
    const Done done = uploading(paths).also({"-q"}).run();
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    const auto ids = lines(done.out);
    ASSERT_EQ(ids.size(), paths.size());
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), paths.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const Done shown = artist({"show", ids[i]});
        ASSERT_EQ(shown.exit, 0) << shown.out;
        EXPECT_EQ(shown.data()["title"], "work " + std::to_string(i));
        EXPECT_EQ(shown.data()["bytes"], fs::file_size(paths[i]));
    }
    EXPECT_THAT(remembered(), IsEmpty());
}

TEST_F(ManyUploads, ABadOneIsToldAndTheOthersAreStoredOnceHoweverOftenTheCommandIsRun) {
    Words paths = images(6, 60'000);
    const Path bad = paths[2];
    ASSERT_TRUE(write_file_atomically(bad, as_bytes("no image"), AtomicFile::Existing::replace));
    const Done first = uploading(paths).also({"--json"}).run();
    EXPECT_EQ(first.exit, exits::kBadData) << first.err;
    const auto documents = lines(first.out);
    ASSERT_EQ(documents.size(), paths.size());
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < documents.size(); ++i) {
        const Json document = Json::parse(documents[i]);
        EXPECT_EQ(document["ok"], i != 2);
        if (i == 2) {
            EXPECT_THAT(document["error"]["message"].get<std::string>(), HasSubstr("work 2.tif"));
        } else {
            ids.push_back(document["data"]["id"]);
        }
    }
    EXPECT_EQ(works(), 5U);

    ASSERT_TRUE(write_file_atomically(bad, make_tiff(70'000, 99), AtomicFile::Existing::replace));
    const Done second = uploading(paths).also({"-q"}).run();
    EXPECT_EQ(second.exit, 0) << second.err;
    auto found = lines(second.out);
    ASSERT_EQ(found.size(), paths.size());
    found.erase(found.begin() + 2);
    EXPECT_EQ(found, ids);
    EXPECT_EQ(works(), 6U);
    EXPECT_THAT(remembered(), IsEmpty());
}

TEST_F(ManyUploads, OneThatTheHelperFailsOverTakesNoOtherWithIt) {
    const Words paths = images(9, 60'000);
    // One dies before it has a header, one after it; it tells them by their size, in a descriptor of its own.
    for (const std::size_t number : {1U, 4U})
        write_bytes(paths[number], make_tiff(60'000 * (number + 1), static_cast<std::uint32_t>(number)));
    const auto size = [&](std::size_t number) { return std::to_string(fs::file_size(paths[number])); };
    const Done done = uploading_with(
                          "header='\"media_type\":\"image/tiff\",\"width\":3,\"height\":4'\n"
                          "case $(wc -c < /proc/self/fd/0) in " +
                              size(1) + ") kill -9 $$ ;; " + size(4) +
                              ") printf '{%s}\\n' \"$header\"; kill -9 $$ ;; esac\n"
                              "printf '{%s}\\n{%s,\"preview\":null}\\n' \"$header\" \"$header\"\n",
                          paths)
                          .also({"-q"})
                          .run();
    EXPECT_EQ(done.exit, exits::kIo) << done.out << done.err;
    EXPECT_THAT(done.err, testing::AllOf(HasSubstr("work 1.tif"), HasSubstr("work 4.tif")));
    EXPECT_EQ(lines(done.out).size(), 7U) << done.out << done.err;
    EXPECT_EQ(works(), 7U);
}

TEST_F(ManyUploads, OfAPreviewThatIsAllThatIsReleasedAndCouldNotBeMadeTheArtistIsWarned) {
    const Words paths = images(2, 1000);
    const std::string without = "printf '{%s}\\n{%s,\"preview\":null}\\n' \"$header\" \"$header\"\n";
    const Command command =
        uploading_with("header='\"media_type\":\"image/tiff\",\"width\":3,\"height\":4'\n" + without, paths)
            .also({"-q"});
    const Done done = Command(command).also({"--release", "preview"}).run();
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    const auto told = lines(done.err);
    const auto ids = lines(done.out);
    ASSERT_EQ(told.size(), 2U) << done.err;
    for (std::size_t number = 0; number < ids.size(); ++number)
        EXPECT_EQ(told[number], "sat-artist: warning: no preview of work " + std::to_string(number) +
                                    ".tif (the image is damaged, or takes too much memory or time): until they own " +
                                    ids[number] + ", collectors see nothing of it");
}

TEST_F(ManyUploads, OfAPictureThatIsCutShortAndSoHasNoPreviewTheArtistIsWarned) {
    const Path cut = dir() / "cut.png";
    const Bytes whole = make_png_with_text(std::string(5000, 'x'));
    ASSERT_TRUE(write_file_atomically(cut, ByteView(whole).first(whole.size() - 40), AtomicFile::Existing::replace));
    const auto upload = [&](const Words& more) {
        return artist_command({"upload", cut, "--title", "Cut"}).json(false).also({"-q"}).also(more).run();
    };
    const Done done = upload({});
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_THAT(done.err, HasSubstr("warning: no preview of cut.png (the image is damaged"));
    EXPECT_THAT(done.err, HasSubstr("is stored without one"));
    const Done none = upload({"--no-preview"});
    EXPECT_EQ(none.exit, 0) << none.out << none.err;
    EXPECT_EQ(none.err, "") << "none was wanted";
}

TEST_F(ManyUploads, KilledHalfWayTheSameCommandStoresEachOnce) {
    const Words paths = images(12, 900'000);
    Relay relay(vault().socket_address());
    // Each of four connections in the middle of its second image.
    relay.treat(Direction::to_vault, {.hold_after = 1'500'000});
    Process process = uploading(paths).also({"-q"}).vault(relay.address()).begin();
    ASSERT_TRUE(relay.wait_held(4));
    process.kill_hard();
    relay.cut();
    EXPECT_EQ(works(), 4U);
    const Done done = uploading(paths).also({"-q"}).run();
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    const auto ids = lines(done.out);
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), paths.size());
    EXPECT_EQ(works(), paths.size());
    EXPECT_THAT(remembered(), IsEmpty());
}

TEST_F(ManyUploads, GoOnAtTheRateThatTheVaultGivesTheirWallet) {
    // A hundred requests at once, then ten a second; an upload is three.
    start_vault({.data = data(), .duplicate = duplicate(), .more = {"--wallet-rate", "10"}});
    const Words paths = images(40, 2000);
    const auto begin = std::chrono::steady_clock::now();
    const Done done = uploading(paths).also({"-q"}).run();
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2)) << "nobody made it wait";
    EXPECT_EQ(lines(done.out).size(), paths.size());
    EXPECT_EQ(works(), paths.size());
}

TEST_F(ManyUploads, TakeNoTitleAndNoImageTwice) {
    Words paths = images(2, 1000);
    EXPECT_EQ(uploading(paths).also({"--title", "Both"}).run().exit, exits::kUsage);
    paths.push_back(paths[0]);
    const Done twice = uploading(paths).run();
    EXPECT_EQ(twice.exit, exits::kUsage);
    EXPECT_THAT(twice.err, HasSubstr("name each image once"));
    const Done untitled = uploading({paths[0]}).run();
    EXPECT_EQ(untitled.exit, exits::kUsage);
    EXPECT_THAT(untitled.err, HasSubstr("--title TITLE"));
    EXPECT_EQ(works(), 0U);
}

// The client itself, without a command around it: what happens on two connections of one home, step by step.
class TwoConnections : public ThreeComputers {
public:
    struct Client {
        KeyHome keys;
        IdentityCache identities;
        SigningKey sign;
        VaultClient vault;

        Client(KeyHome home, SigningKey key, KemPrivateKey kem, VaultClientOptions options)
            : keys(std::move(home)),
              identities(keys.directory()),
              sign(std::move(key)),
              vault(keys, identities, std::move(kem), std::move(options)) {}
    };
    std::unique_ptr<Client> connected(const std::string& address) {
        auto keys = KeyHome::open(artist_home()).value();
        auto sign = keys.unlock_sign(nullptr).value();
        auto kem = keys.unlock_kem(nullptr).value();
        VaultClientOptions options;
        options.address = parse_address(address).value();
        options.trust.pin = parse_fingerprint(vault().fingerprint()).value();
        options.agent = "test";
        auto client = std::make_unique<Client>(std::move(keys), std::move(sign), std::move(kem), std::move(options));
        const auto done = client->vault.connect();
        EXPECT_TRUE(done) << done.error().message;
        return client;
    }
    // As a command that is killed before it tells of it.
    static Result<UploadResult> store(Client& client, const Path& file, const std::string& title,
                                      const ProgressFunction& progress = nullptr,
                                      const std::function<void(const std::string& text)>& note = nullptr) {
        SAT_TRY_VALUE(const FileDescriptor open, open_regular(file));
        UploadSource source;
        source.fd = open.get();
        source.path = file;
        if (::fstat(open.get(), &source.seen) != 0) return fail(Errc::input_unreadable, "cannot stat");
        source.draft.title = title;
        source.draft.file_path = file.filename().string();
        source.draft.media_type = "image/tiff";
        source.draft.width = source.draft.height = 1;
        return client.vault.upload_of_many(source, client.sign, {progress, nullptr, note});
    }
    // So that the vault hears of an upload all the time, which goes on fast once `done`.
    static ProgressFunction until(const std::shared_future<void>& done) {
        return [done](std::uint64_t, std::uint64_t) { (void)done.wait_for(seconds(1)); };
    }
    std::size_t works() { return collector({"browse", "--all"}).data()["items"].size(); }
};

TEST_F(TwoConnections, WhatOneStoredStaysStoredWhenItIsCutBeforeItsCheckpointIsKept) {
    Relay relay(vault().socket_address());
    const auto cut = connected(relay.address());
    const auto other = connected(vault().address());
    ASSERT_TRUE(store(*cut, tiff(1000, 1), "Cut"));
    // Now the file is ahead, and only the vault can tell that the one goes on from the other.
    ASSERT_TRUE(store(*other, tiff(1000, 2), "Other"));
    ASSERT_TRUE(other->vault.keep_checkpoint());
    relay.cut();
    const auto kept = cut->vault.keep_checkpoint();
    EXPECT_TRUE(kept) << kept.error().message;
    EXPECT_TRUE(cut->vault.connected());
    EXPECT_EQ(relay.connections(), 2);
}

TEST_F(TwoConnections, WithoutAVaultACheckpointIsKeptWhereNobodyHasToBeAskedAndElseMissed) {
    Relay relay(vault().socket_address());
    const auto client = connected(relay.address());
    const auto other = connected(vault().address());
    ASSERT_TRUE(store(*client, tiff(1000, 1), "First"));
    const auto lose = [&] {
        relay.treat(Direction::to_vault, {.cut_after = 0});
        relay.cut();
        EXPECT_FALSE(client->vault.connect());
        return client->vault.keep_checkpoint();
    };
    EXPECT_TRUE(lose());
    relay.treat(Direction::to_vault, {});
    ASSERT_TRUE(client->vault.connect());
    ASSERT_TRUE(store(*client, tiff(1000, 2), "Second"));
    ASSERT_TRUE(store(*other, tiff(1000, 3), "Other"));
    ASSERT_TRUE(other->vault.keep_checkpoint());
    const auto missed = lose();
    ASSERT_FALSE(missed);
    EXPECT_EQ(missed.error().code, Errc::interrupted);
    relay.treat(Direction::to_vault, {});
    EXPECT_TRUE(client->vault.keep_checkpoint());
}

TEST_F(TwoConnections, OfOneFileAtOnceEachFindsItsOwnWorkAgain) {
    const Path file = tiff(12'000'000);
    std::promise<void> second_done;
    Result<UploadResult> first = fail(Errc::internal, "not done");
    std::promise<void> first_began;
    std::thread thread([&] {
        const auto client = connected(vault().address());
        const auto wait = until(second_done.get_future().share());
        first = store(*client, file, "First", [&, began = false](std::uint64_t done, std::uint64_t total) mutable {
            if (!std::exchange(began, true)) first_began.set_value();
            wait(done, total);
        });
        // Its own alone.
        EXPECT_TRUE(client->vault.forget_commits());
    });
    first_began.get_future().wait();
    const auto second = store(*connected(vault().address()), file, "Second");
    second_done.set_value();
    thread.join();
    ASSERT_TRUE(first) << first.error().message;
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(works(), 2U);

    const auto again = connected(vault().address());
    Words notes;
    const auto found = store(*again, file, "Second", nullptr, [&](const std::string& text) { notes.push_back(text); });
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE(found->found);
    EXPECT_EQ(found->work.id(), second->work.id());
    EXPECT_THAT(notes, ElementsAre("an earlier run has stored it already")) << "and its receipt had arrived";
    EXPECT_EQ(works(), 2U);
    EXPECT_TRUE(again->vault.forget_commits());
    EXPECT_THAT(files_below(artist_home() / "uploads"), IsEmpty());
}

// Under the other work's name this run would register its own a second time.
TEST_F(TwoConnections, OfTwoCommitsWithoutAnAnswerThatOfTheSameWorkIsGoneOnWith) {
    const Path file = tiff(1000);
    struct stat status {};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    const UploadStore kept(artist_home());
    const HandshakeParty party = vault_party();
    const Wallet vault_id = party.chain().wallet();
    const auto client_home = KeyHome::open(artist_home()).value();
    const auto sign_commit = [&](unsigned which, const std::string& title) {
        auto body = make_statement<Registration>(client_home.wallet(), vault_id, now_unix());
        body.artwork = ArtworkId::generate();
        body.title = title;
        body.file_path = file.filename().string();
        body.media_type = "image/tiff";
        body.bytes = static_cast<std::uint64_t>(status.st_size);
        body.width = body.height = 1;
        const UploadCommitRequest commit{sign(body, client_home.unlock_sign(nullptr).value()), std::nullopt};
        ASSERT_TRUE(kept.keep(upload_name(vault_id, status, which), commit));
    };
    sign_commit(0, "Another");
    sign_commit(2, "Mine");
    std::vector<std::string> asked;
    ScriptedVault forgetful([&](Socket& socket) {
        serve_requests(socket, party, empty_checkpoint(vault_keys()),
                       [&](Session& session, const std::string& method, const Json& parameters) {
                           const bool begins = method == UploadBeginRequest::kMethod;
                           if (begins) asked.push_back(parameters["resume"].get<std::string>());
                           const Errc code = begins ? Errc::quota : Errc::state;
                           return session.send(RecordType::response, error_response(static_cast<int>(code), "x"));
                       });
    });
    const auto refused = store(*connected(forgetful.address()), file, "Mine");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::quota) << refused.error().message;
    EXPECT_THAT(asked, ElementsAre(upload_name(vault_id, status, 2).hex()));
}

// Two runs at once are two works, unless the first has asked for its own already: that is what the second was to ask
// for.
TEST_F(TwoConnections, OfOneWorkWhoseCommitIsUnderWayASecondRunFindsIt) {
    const Path file = tiff(1000);
    Relay relay(vault().socket_address());
    const auto commit_is_kept = [this] {
        return std::ranges::any_of(files_below(artist_home() / "uploads"),
                                   [](const Path& path) { return path.extension() != ".part"; });
    };
    const auto first = connected(relay.address());
    fs::create_directories(artist_home() / "uploads");
    fs::permissions(artist_home() / "uploads", fs::perms::owner_all);
    relay.treat(Direction::to_client, {.edit = [&, kept = false](std::size_t, Bytes frame) mutable {
                    if (!kept) kept = commit_is_kept();
                    return kept ? std::vector<Bytes>{} : std::vector<Bytes>{std::move(frame)};
                }});
    Result<UploadResult> one = fail(Errc::internal, "not done");
    std::thread thread([&] { one = store(*first, file, "Same"); });
    EXPECT_TRUE(eventually([&] { return works() == 1; }));
    const auto other = store(*connected(vault().address()), file, "Same");
    relay.treat(Direction::to_client, {});
    relay.cut();
    thread.join();
    ASSERT_TRUE(other) << other.error().message;
    EXPECT_TRUE(other->found);
    ASSERT_TRUE(one) << one.error().message;
    EXPECT_EQ(one->work.id(), other->work.id());
    EXPECT_EQ(works(), 1U);
}

}  // namespace
}  // namespace sat::test
