// What survives: restarts, crashes, and a look at every byte on the disks.
// SPDX-License-Identifier: Apache-2.0
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/codec.h"
#include "unit/vault/fixture.h"

namespace sat {
namespace {

TEST_F(VaultTest, KeepsEverythingOverARestart) {
    UploadPlan plan;
    plan.preview = some_bytes(99);
    const ArtworkId artwork = upload(party("ada"), plan);
    const auto asked = claim(party("ben"), artwork);
    open();
    EXPECT_EQ(ask_as(party("ada"), ClaimInboxRequest{})->items.size(), 1U);
    const auto said = answer(party("ada"), asked);
    open();
    const WorkItem before = work(artwork);
    EXPECT_EQ(state_of(party("ben"), asked.id), ClaimState::confirmed);
    ASSERT_TRUE(accept(party("ben"), asked, said));
    open();
    EXPECT_EQ(work(artwork).owner, party("ben").wallet());
    EXPECT_EQ(work(artwork).registration, before.registration);
    EXPECT_EQ(fetch(party("cyd"), artwork).value(), plan.image);
    EXPECT_EQ(ask_as(party("cyd"), ArtworkPreviewRequest{artwork})->preview, plan.preview);
    EXPECT_TRUE(history(artwork));
    const VaultStatus status = vault->status();
    EXPECT_EQ(status.works, 1U);
    EXPECT_EQ(status.bytes, plan.image.size());
    EXPECT_EQ(status.ledger.size, 2U);
    EXPECT_EQ(status.copies, 2);
}

TEST_F(VaultTest, ASweepTellsOfALeavesFileThatCannotBeWrittenUntilItCan) {
    const ArtworkId artwork = upload(party("ada"));
    EXPECT_TRUE(vault->expire_due().failures.empty());
    // The vault's descriptor of it, for a while one that may only read.
    const Path file = directory / "dup/leaves";
    int fd = -1;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code ignored;
        if (std::filesystem::read_symlink(entry.path(), ignored) == file) fd = std::stoi(entry.path().filename());
    }
    ASSERT_GE(fd, 0);
    const FileDescriptor kept(::dup(fd));
    const auto reader = open_regular(file);
    ASSERT_TRUE(reader);
    ASSERT_EQ(::dup2(reader->get(), fd), fd);
    EXPECT_EQ(code_of(vault->hold(artwork, "a look")), Errc::io_error);
    for (int i = 0; i < 2; ++i) {
        const Sweep failed = vault->expire_due();
        ASSERT_EQ(failed.failures.size(), 1U);
        EXPECT_EQ(failed.failures[0].code, Errc::io_error);
        EXPECT_NE(failed.failures[0].message.find(file.string()), std::string::npos) << failed.failures[0].message;
    }
    ASSERT_EQ(::dup2(kept.get(), fd), fd);
    EXPECT_TRUE(vault->expire_due().failures.empty());
    EXPECT_EQ(read_file(file, 1 << 20).value(), read_file(directory / "data/leaves", 1 << 20).value());
}

TEST_F(VaultTest, RevealsNothingThatAPersonWrote) {
    UploadPlan plan;
    plan.preview = some_bytes(999, 7);
    plan.registration = [](Registration& body) {
        body.title = "Zanzibar";
        body.description = "Wunderkammer";
        body.artist = "Quixotica";
        body.file_path = "Xylophone.png";
    };
    ASSERT_TRUE(vault->admit(party("ada").caller()));
    const ArtworkId artwork = upload(party("ada"), plan);
    const auto message = SaltedText::draw("Vermilion").value();
    auto body = claim_body(party("ben"), artwork);
    body.text_commit = message.commit();
    const auto asked = signed_by(party("ben"), body);
    ASSERT_TRUE(ask_as(party("ben"), ClaimOpenRequest{asked.jws, message}));
    ASSERT_TRUE(accept(party("ben"), asked, answer(party("ada"), asked)));
    ASSERT_TRUE(vault->hold(artwork, "Tangerine"));

    const std::string jws = work(artwork).registration;
    const std::string image = to_string(ByteView(plan.image).subspan(1000, 32));
    const std::string preview = to_string(ByteView(*plan.preview).subspan(100, 32));
    const std::string spki = to_base64url(party("ada").sign.public_key().spki());
    bool saw_the_id = false;
    for (const Path& path : files_below(directory.path())) {
        const Bytes bytes = read_file(path, 1 << 26).value();
        const std::string_view text = as_text(bytes);
        saw_the_id = saw_the_id || text.find(artwork.view()) != std::string_view::npos;
        for (const std::string& secret :
             {std::string("Zanzibar"), std::string("zanzibar"), std::string("Wunderkammer"), std::string("Quixotica"),
              std::string("Xylophone"), std::string("Vermilion"), std::string("Tangerine"),
              std::string("ben@example.org"), std::string("192.0.2.7"), image, preview, jws.substr(150, 40),
              asked.jws.substr(150, 40), spki.substr(100, 40),
              // base64url of the title, at its three alignments
              std::string("emFuemliYX"), std::string("phbnppYmFy"), std::string("YW56aWJhc")})
            EXPECT_EQ(text.find(secret), std::string_view::npos) << path << " holds " << secret;
    }
    EXPECT_TRUE(saw_the_id);  // the test does read the right files
}

TEST_F(VaultTest, RemovesWhatACrashLeftBetweenRenameAndTransaction) {
    const ArtworkId kept = upload(party("ada"));
    ArtworkId given_out;
    {
        VaultSession connection = session(party("ada"));
        given_out = ask(connection, UploadBeginRequest{10, "image/png"})->artwork;
    }
    const ArtworkId unknown = ArtworkId::generate();
    vault.reset();
    const auto put = [&](const Path& path) {
        std::filesystem::create_directories(path.parent_path());
        ASSERT_TRUE(write_file_atomically(path, as_bytes("x"), AtomicFile::Existing::refuse, 0600));
    };
    for (const ArtworkId& id : {given_out, unknown})
        for (const char* store :
             {"data/image_store", "data/metadata_store", "dup/duplicate_store", "dup/duplicate_metadata_store"})
            put(in_shelf(directory / store, id));
    put(directory / "data/incoming" / (given_out.str() + ".image"));
    put(directory / "dup/incoming" / (given_out.str() + ".metadata"));
    EXPECT_EQ(stored_files(), 4U + 8 + 2);
    open();
    // The work's, and those that this catalogue knows nothing of.
    EXPECT_EQ(stored_files(), 4U + 4);
    EXPECT_TRUE(std::filesystem::exists(in_shelf(directory / "data/image_store", unknown)));
    EXPECT_FALSE(code_of(fetch(party("ben"), kept)));
}

TEST_F(VaultTest, WritesTheLeavesFilesTailsAtOpen) {
    upload(party("ada"));
    const ArtworkId artwork = upload(party("ada"));
    hand_over(party("ada"), party("ben"), artwork);
    ASSERT_TRUE(vault->hold(artwork, "why"));
    vault.reset();
    const Bytes whole = read_file(directory / "data/leaves", 1 << 20).value();
    EXPECT_EQ(read_file(directory / "dup/leaves", 1 << 20).value(), whole);
    std::filesystem::resize_file(directory / "data/leaves", whole.size() - 5);
    std::filesystem::remove(directory / "dup/leaves");
    open();
    EXPECT_EQ(read_file(directory / "data/leaves", 1 << 20).value(), whole);
    EXPECT_EQ(read_file(directory / "dup/leaves", 1 << 20).value(), whole);
}

TEST_F(VaultTest, RefusesAnOlderCatalogueBeforeItRemovesAnything) {
    vault.reset();
    std::filesystem::copy_file(directory / "data/catalog.sqlite", directory / "old.sqlite");
    open();
    upload(party("ada"));
    const std::size_t files = stored_files();
    vault.reset();
    std::filesystem::copy_file(directory / "old.sqlite", directory / "data/catalog.sqlite",
                               std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(code_of(try_open()), Errc::config);
    EXPECT_EQ(stored_files(), files);
}

TEST_F(VaultTest, RefusesDirectoriesThatAreInUseOrDoNotBelongTogether) {
    EXPECT_EQ(code_of(try_open()), Errc::busy);
    const auto open_with = [&](const Path& data, const std::optional<Path>& duplicate, const std::string& keys) {
        VaultOptions other;
        other.data = data;
        other.duplicate = duplicate;
        return code_of(Vault::open(other, test_vault_keys(keys), [] { return kStart; }));
    };
    const Path data = directory / "data";
    const Path dup = directory / "dup";
    vault.reset();
    EXPECT_FALSE(open_with(data, dup, "vault"));
    EXPECT_EQ(open_with(data, dup, "other"), Errc::config);
    EXPECT_EQ(open_with(data, data, "vault"), Errc::config);
    // An empty data directory beside a duplicate that holds works, and another vault's duplicate.
    EXPECT_EQ(open_with(directory / "new", dup, "vault"), Errc::config);
    EXPECT_FALSE(open_with(directory / "second", std::nullopt, "vault"));
    EXPECT_EQ(open_with(directory / "second", dup, "vault"), Errc::config);
    // The master key is in both, so that either directory can be read with the vault's keys alone.
    std::filesystem::remove(data / "master.key");
    EXPECT_EQ(open_with(data, dup, "vault"), Errc::config);
    std::filesystem::copy_file(dup / "master.key", data / "master.key");
    EXPECT_FALSE(open_with(data, dup, "vault"));
    EXPECT_FALSE(open_with(data, std::nullopt, "vault"));
    std::filesystem::permissions(data / "master.key", std::filesystem::perms(0644));
    EXPECT_EQ(open_with(data, std::nullopt, "vault"), Errc::config);
}

TEST_F(VaultTest, CopiesWhatADuplicateLacksBeforeItServes) {
    const auto both_alike = [&] {
        for (const auto& [one, other] : {std::pair("data/image_store", "dup/duplicate_store"),
                                         std::pair("data/metadata_store", "dup/duplicate_metadata_store")})
            for (const Path& path : files_below(directory / one)) {
                const Path copy = directory / other / std::filesystem::relative(path, directory / one);
                const auto bytes = read_file(copy, 1 << 24);
                EXPECT_TRUE(bytes && *bytes == read_file(path, 1 << 24).value()) << copy;
            }
        EXPECT_EQ(read_file(directory / "data/leaves", 1 << 24).value(),
                  read_file(directory / "dup/leaves", 1 << 24).value());
    };
    std::vector<ArtworkId> works{upload(party("ada"))};
    const auto duplicate = options.duplicate;
    // Without it in between, and a leaf of an old work among the new ones.
    options.duplicate.reset();
    open();
    for (int i = 0; i < 2; ++i) works.push_back(upload(party("ada")));
    hand_over(party("ada"), party("ben"), works[0]);
    works.push_back(upload(party("ada")));
    options.duplicate = duplicate;
    open();
    EXPECT_EQ(stored_files(), 16U);
    both_alike();

    // A new one; what an interrupted start copied stays, and what is somebody else's is not overwritten.
    vault.reset();
    std::filesystem::remove_all(directory / "dup");
    options.duplicate = duplicate;
    const Path foreign = in_shelf(directory / "dup/duplicate_store", works[2]);
    for (const Path& path : {directory / "dup", directory / "dup/duplicate_store", foreign.parent_path()})
        ASSERT_TRUE(make_private_directory(path));
    ASSERT_TRUE(write_file_atomically(foreign, as_bytes("x"), AtomicFile::Existing::refuse, 0600));
    EXPECT_EQ(code_of(try_open()), Errc::config);
    EXPECT_EQ(read_file(foreign, 10).value(), to_bytes("x"));
    EXPECT_EQ(read_file(directory / "dup/leaves", 1 << 20).value().size(), 40U);  // claims none of them yet
    std::filesystem::remove(foreign);
    open();
    both_alike();
    EXPECT_EQ(stored_files(), 16U);
}

TEST_F(VaultTest, DrawsNoNewMasterKeyWhereSomethingIsSealedUnderAnother) {
    upload(party("ada"));
    options.duplicate.reset();
    open();
    vault.reset();
    const Path data = directory / "data";
    std::filesystem::remove(data / "master.key");
    for (const char* name :
         {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm", "leaves", "image_store", "metadata_store"}) {
        EXPECT_EQ(code_of(try_open()), Errc::config) << name;
        EXPECT_FALSE(std::filesystem::exists(data / "master.key"));
        std::filesystem::remove_all(data / name);
    }
    EXPECT_FALSE(code_of(try_open()));
}

TEST_F(VaultTest, GivesNoIdOutTwiceOverRestarts) {
    std::vector<ArtworkId> ids;
    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 70; ++i) {
            VaultSession connection = session(party("ada"));
            ids.push_back(ask(connection, UploadBeginRequest{10, "image/png"})->artwork);
            // One that was not used would be given to the same wallet once more.
            UploadPlan plan;
            plan.image = some_bytes(10);
            ASSERT_TRUE(send_sealed(connection, ids.back(), plan).has_value());
        }
        open();
    }
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

// A child uploads and hands over until it is killed; whatever it told its parent is there whole, and nothing is there
// in parts.  Where the kill falls is left to the scheduler: what is asked afterwards holds at every point.
TEST_F(VaultTest, IsWholeAfterAKillAtAnyPoint) {
    party("ada"), party("ben");  // their keys are made before the clock matters
    vault.reset();
    std::vector<ArtworkId> acknowledged;
    std::vector<ArtworkId> moved;
    for (int round = 0; round < 12; ++round) {
        int ends[2];
        ASSERT_EQ(pipe(ends), 0);
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            close(ends[0]);
            open();
            if (vault == nullptr) _exit(1);
            const auto say = [&](char what, const ArtworkId& id) {
                const std::string line = what + id.str();
                if (write(ends[1], line.data(), line.size()) < 0) _exit(1);
            };
            for (;;) {
                const auto id = try_upload(party("ada"));
                if (!id) _exit(1);
                say('u', *id);
                const auto asked = claim(party("ben"), *id);
                if (!accept(party("ben"), asked, answer(party("ada"), asked))) _exit(1);
                say('m', *id);
            }
        }
        close(ends[1]);
        std::string heard(11, '\0');
        // The first word, so that it is at work; then a little longer each round.
        for (int words = 0; words <= round % 4; ++words) {
            ASSERT_EQ(::read(ends[0], heard.data(), heard.size()), 11);
            (heard[0] == 'u' ? acknowledged : moved).push_back(ArtworkId::from_canonical(heard.substr(1)).value());
        }
        usleep(static_cast<useconds_t>(round * 700));
        ASSERT_EQ(kill(child, SIGKILL), 0);
        while (::read(ends[0], heard.data(), heard.size()) == 11)
            (heard[0] == 'u' ? acknowledged : moved).push_back(ArtworkId::from_canonical(heard.substr(1)).value());
        close(ends[0]);
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself";

        open();
        const VaultStatus totals = vault->status();
        EXPECT_EQ(stored_files(), totals.works * 4);
        EXPECT_GE(totals.works, acknowledged.size());
        std::uint64_t leaves = 0;
        ArtworkListRequest request;
        for (;;) {
            const auto page = ask_as(party("ada"), request).value();
            for (const WorkItem& item : page.items) {
                const ArtworkId id = parse_statement<Registration>(item.registration)->body.artwork;
                const auto past = history(id);
                ASSERT_TRUE(past.has_value());
                EXPECT_EQ(past->owner(), item.owner);
                EXPECT_EQ(past->head(), item.head);
                leaves += past->records.size();
                EXPECT_FALSE(code_of(fetch(party("ben"), id)));
                std::erase(acknowledged, id);
                if (item.owner == party("ben").wallet()) std::erase(moved, id);
            }
            if (!page.next_cursor) break;
            request.cursor = page.next_cursor;
        }
        EXPECT_EQ(leaves, totals.ledger.size);
        EXPECT_TRUE(acknowledged.empty());
        EXPECT_TRUE(moved.empty());
        EXPECT_EQ(read_file(directory / "data/leaves", 1 << 24).value(),
                  read_file(directory / "dup/leaves", 1 << 24).value());
        vault.reset();
    }
}

}  // namespace
}  // namespace sat
