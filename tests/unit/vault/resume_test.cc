// Uploads that are cut off and gone on with: what is kept, for whom and how long, and that no key and nonce ever seal
// two plaintexts.  docs/protocol.md, "Resuming"; docs/storage.md, "Uploads that were cut off".
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include "store/directory_blob_store.h"
#include "unit/vault/fixture.h"
#include "vault/kept_uploads.h"
#include "vault/upload.h"

namespace sat {
namespace {

using Next = VaultSession::Outcome::Next;

Digest name_of(std::string_view text) { return sha256(as_bytes(text)); }

class ResumeTest : public VaultTest {
protected:
    UploadBeginRequest begin_request(std::string_view name = "a file") const {
        return {image.size(), "image/png", name_of(name)};
    }

    Sealer new_sealer(const ArtworkId& artwork) const {
        return Sealer::create(artwork, image.size(), vault->keys().wallet(), vault->keys().kem.public_key(),
                              Purpose::transit);
    }

    // The stream from the sealer's chunk `first` on.
    Bytes seal_from(Sealer& sealer, std::uint64_t first) const {
        sealer.begin_at(first);
        Bytes stream;
        EXPECT_TRUE(sealer.seal(ByteView(image).subspan(first * kChunkPlaintext), stream));
        EXPECT_TRUE(sealer.finish(stream));
        note_chunks(sealer.header(), Purpose::transit, vault->keys().kem, first, stream);
        return stream;
    }

    // Chunks that are whole, and the last one, as (key, number) -> bytes; fails where one pair has two.
    void note_chunks(const EnvelopeHeader& header, Purpose purpose, const KemPrivateKey& key, std::uint64_t first,
                     ByteView chunks) const {
        const SecretBytes data_key = unwrap(header, purpose, key).value();
        for (std::size_t at = 0; at < chunks.size(); at += kChunkSealed, ++first) {
            const ByteView chunk = chunks.subspan(at, std::min(kChunkSealed, chunks.size() - at));
            if (chunk.size() < kChunkSealed && first < image.size() / kChunkPlaintext) return;  // torn
            const auto [place, is_new] = sealed.try_emplace({to_bytes(data_key.reveal()), first}, to_bytes(chunk));
            EXPECT_TRUE(place->second == to_bytes(chunk)) << "chunk " << first << " was sealed twice under one key";
        }
    }

    // Everything that lies in incoming/, of both copies.
    void note_disk() const {
        for (const char* place : {"data/incoming", "dup/incoming"})
            for (const Path& path : files_below(directory / place)) {
                const std::string name = path.filename().string();
                if (!name.ends_with(".image") && !name.ends_with(".anew")) continue;
                const Bytes file = read_file(path, 1 << 26).value();
                if (file.size() < kEnvelopePrefixSize) continue;
                const std::size_t size = EnvelopeHeader::size_from_prefix(file).value();
                const auto header = EnvelopeHeader::parse(ByteView(file).first(size)).value();
                note_chunks(header, Purpose::store, vault->keys().store, 0, ByteView(file).subspan(size));
            }
    }

    // Sends so many chunks of a new upload, and ends the connection.
    ArtworkId cut_after(std::size_t chunks, std::string_view name = "a file", const Party& who = party("ada")) {
        VaultSession connection = session(who);
        const auto begun = ask(connection, begin_request(name));
        EXPECT_TRUE(begun.has_value());
        EXPECT_EQ(begun->offset, 0U);
        Sealer sealer = new_sealer(begun->artwork);
        const Bytes stream = seal_from(sealer, 0);
        const auto outcome = connection.handle(UploadDataRequest{sealer.header().encode()});
        EXPECT_EQ(outcome.next, Next::receive);
        EXPECT_EQ(outcome.bulk_size, sealed_size(image.size()));
        EXPECT_TRUE(connection.receive(ByteView(stream).first(std::min(stream.size(), chunks * kChunkSealed))));
        return begun->artwork;
    }

    // Goes on, sends `more` chunks of what is missing, and ends the connection.
    void go_on_for(std::size_t more, std::uint64_t expected_offset) {
        VaultSession connection = session(party("ada"));
        const auto begun = ask(connection, begin_request()).value();
        ASSERT_EQ(begun.offset, expected_offset);
        Sealer sealer = new_sealer(begun.artwork);
        const auto resumed = ask(connection, UploadResumeRequest{sealer.header().encode()}).value();
        note_disk();
        const Bytes stream = seal_from(sealer, resumed.offset / kChunkPlaintext);
        ASSERT_EQ(connection.handle(UploadDataRequest{}).next, Next::receive);
        if (more > 0) {
            ASSERT_TRUE(connection.receive(ByteView(stream).first(more * kChunkSealed)));
        }
        note_disk();
    }

    // Goes on to the end and registers.
    Result<ArtworkId> finish(std::optional<std::uint64_t> expected_offset = std::nullopt) {
        VaultSession connection = session(party("ada"));
        SAT_TRY_VALUE(const auto begun, ask(connection, begin_request()));
        Sealer sealer = new_sealer(begun.artwork);
        SAT_TRY_VALUE(const auto resumed, ask(connection, UploadResumeRequest{sealer.header().encode()}));
        if (expected_offset) {
            EXPECT_EQ(resumed.offset, *expected_offset);
        }
        EXPECT_EQ(resumed.sha256, sha256(ByteView(image).first(static_cast<std::size_t>(resumed.offset))));
        note_disk();
        const std::uint64_t first = resumed.offset / kChunkPlaintext;
        const Bytes stream = seal_from(sealer, first);
        const auto outcome = connection.handle(UploadDataRequest{});
        EXPECT_EQ(outcome.next, Next::receive);
        EXPECT_EQ(outcome.bulk_size, stream.size());
        SAT_TRY(connection.receive(stream));
        SAT_TRY_VALUE(const auto sent,
                      parse_reply<UploadDataRequest>(encode_response(connection.end_receive(stream.size()))));
        EXPECT_EQ(sent.sha256, sha256(image));
        UploadPlan plan;
        plan.image = image;
        const Registration body = registration_of(party("ada"), begun.artwork, plan);
        SAT_TRY(ask(connection, UploadCommitRequest{sign(body, party("ada").sign), std::nullopt}));
        return begun.artwork;
    }

    std::uint64_t offered(const Party& who, const UploadBeginRequest& request) {
        return ask_as(who, request).value().offset;
    }

    Bytes image = some_bytes(10 * kChunkPlaintext + 500);
    mutable std::map<std::pair<Bytes, std::uint64_t>, Bytes> sealed;
};

TEST_F(ResumeTest, GoesOnWhereItStoodWithTheSameIdAndTheRightBytes) {
    for (const std::size_t size :
         {kChunkPlaintext, kChunkPlaintext + 1, 10 * kChunkPlaintext - 1, 10 * kChunkPlaintext, image.size()}) {
        image = some_bytes(size, size);
        const std::size_t whole = size / kChunkPlaintext;
        for (const std::size_t chunks : {std::size_t{1}, whole / 2, whole, whole + 1}) {
            if (chunks == 0) continue;
            const ArtworkId id = cut_after(chunks);
            EXPECT_EQ(vault->status().uploads, 0U);
            EXPECT_EQ(stored_files() % 4, 3U) << "two images and a note";
            const auto done = finish(std::min(chunks, whole) * kChunkPlaintext);
            ASSERT_TRUE(done.has_value()) << done.error().message;
            EXPECT_EQ(*done, id);
            EXPECT_EQ(fetch(party("ben"), id).value(), image);
            EXPECT_EQ(stored_files() % 4, 0U);
        }
    }
}

TEST_F(ResumeTest, KeepsNothingWithoutAWholeChunkOrAName) {
    cut_after(0);
    EXPECT_EQ(stored_files(), 0U);
    VaultSession connection = session(party("ada"));
    const auto begun = ask(connection, UploadBeginRequest{image.size(), "image/png"}).value();
    Sealer sealer = new_sealer(begun.artwork);
    const Bytes stream = seal_from(sealer, 0);
    ASSERT_EQ(connection.handle(UploadDataRequest{sealer.header().encode()}).next, Next::receive);
    ASSERT_TRUE(connection.receive(ByteView(stream).first(2 * kChunkSealed)));
    EXPECT_EQ(stored_files(), 2U) << "no note";
    ask(connection, UploadBeginRequest{image.size(), "image/png"}).value();
    EXPECT_EQ(stored_files(), 0U);
}

// However often it is cut, and wherever: before and after the sealing anew, with the file changed in between.
TEST_F(ResumeTest, NeverSealsTwoPlaintextsUnderOneKeyAndNonce) {
    cut_after(3);
    go_on_for(0, 3 * kChunkPlaintext);
    go_on_for(2, 3 * kChunkPlaintext);
    const Bytes before = image;
    // The file changes behind what was kept, without the client noticing: other plaintext at the same numbers.
    image = some_bytes(image.size(), 99);
    std::copy_n(before.begin(), 5 * kChunkPlaintext, image.begin());
    go_on_for(4, 5 * kChunkPlaintext);
    open();
    go_on_for(1, 9 * kChunkPlaintext);
    const auto done = finish(10 * kChunkPlaintext);
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(fetch(party("ben"), *done).value(), image);
    std::map<Bytes, std::size_t> keys;
    for (const auto& [place, chunk] : sealed) ++keys[place.first];
    EXPECT_EQ(keys.size(), 6U) << "a key for each connection";
}

TEST_F(ResumeTest, OffersItToTheSameWalletAndTheSameFileAlone) {
    cut_after(4);
    EXPECT_EQ(offered(party("ben"), begin_request()), 0U);
    EXPECT_EQ(offered(party("ada"), begin_request("another file")), 0U);
    EXPECT_EQ(offered(party("ada"), {image.size() + 1, "image/png", name_of("a file")}), 0U);
    EXPECT_EQ(offered(party("ada"), {image.size(), "image/gif", name_of("a file")}), 0U);
    EXPECT_EQ(offered(party("ada"), {image.size(), "image/png"}), 0U);
    EXPECT_EQ(offered(party("ada"), begin_request()), 4 * kChunkPlaintext);
    EXPECT_EQ(offered(party("ada"), begin_request()), 4 * kChunkPlaintext) << "and again";
}

TEST_F(ResumeTest, RefusesStepsOutOfTheirOrder) {
    const ArtworkId id = cut_after(4);
    const auto resume = [&](VaultSession& connection, const ArtworkId& artwork) {
        return code_of(ask(connection, UploadResumeRequest{new_sealer(artwork).header().encode()}));
    };
    VaultSession connection = session(party("ada"));
    EXPECT_EQ(resume(connection, id), Errc::state);
    ask(connection, begin_request()).value();
    EXPECT_EQ(connection.handle(UploadDataRequest{new_sealer(id).header().encode()}).next, Next::discard);
    ask(connection, begin_request()).value();
    EXPECT_EQ(connection.handle(UploadDataRequest{}).next, Next::discard);
    ask(connection, begin_request()).value();
    EXPECT_EQ(resume(connection, ArtworkId::generate()), Errc::envelope_invalid);
    EXPECT_EQ(resume(connection, id), Errc::state) << "a refusal ends it";
    ask(connection, begin_request()).value();
    EXPECT_EQ(resume(connection, id), std::nullopt);
    EXPECT_EQ(resume(connection, id), Errc::state);
    const auto fresh = ask(connection, UploadBeginRequest{image.size(), "image/png"}).value();
    EXPECT_EQ(resume(connection, fresh.artwork), Errc::state);
    EXPECT_EQ(finish().value(), id) << "and nothing of it was lost";
}

TEST_F(ResumeTest, SurvivesARestartAndAKillWithTheConnectionOpen) {
    const ArtworkId id = cut_after(6);
    open();
    EXPECT_EQ(stored_files(), 3U);
    go_on_for(1, 6 * kChunkPlaintext);
    // As a kill would leave it: the files as they are under way, beside what was to take their place.
    const auto copy = directory / "copy";
    {
        VaultSession connection = session(party("ada"));
        const auto begun = ask(connection, begin_request()).value();
        Sealer sealer = new_sealer(begun.artwork);
        ASSERT_EQ(connection.handle(UploadResumeRequest{sealer.header().encode()}).next, Next::work);
        EXPECT_EQ(stored_files(), 5U);
        std::filesystem::copy(directory / "data/incoming", copy);
    }
    vault.reset();
    for (const auto& entry : std::filesystem::directory_iterator(copy))
        std::filesystem::copy(entry.path(), directory / "data/incoming",
                              std::filesystem::copy_options::overwrite_existing);
    now += kKeepTime - 1;
    open();
    EXPECT_EQ(stored_files(), 3U);
    EXPECT_EQ(finish(7 * kChunkPlaintext).value(), id);
}

TEST_F(ResumeTest, CutsOffATornOrRottenEnd) {
    const auto damage = [&](const char* place, std::size_t chunk, std::size_t byte) {
        for (const Path& path : files_below(directory / place)) {
            if (path.extension() != ".image") continue;
            const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
            const std::size_t header = vault->keys().store.public_key().block_size() == 384 ? 538 : 666;
            EXPECT_EQ(::pwrite(fd, "x", 1, static_cast<off_t>(header + chunk * kChunkSealed + byte)), 1);
            ::close(fd);
        }
    };
    const ArtworkId id = cut_after(8);
    damage("data/incoming", 5, 100);
    damage("dup/incoming", 0, 0);
    EXPECT_EQ(finish(5 * kChunkPlaintext).value(), id);
    EXPECT_EQ(fetch(party("ben"), id).value(), image);

    // The middle of a chunk, at a restart.
    cut_after(8);
    for (const Path& path : files_below(directory / "data/incoming"))
        if (path.extension() == ".image") std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
    open();
    EXPECT_TRUE(finish(7 * kChunkPlaintext));

    // All of one copy; the other is good.
    cut_after(8);
    for (const Path& path : files_below(directory / "data/incoming"))
        if (path.extension() == ".image") {
            const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
            EXPECT_EQ(::pwrite(fd, "xxxx", 4, 200), 4);
            ::close(fd);
        }
    EXPECT_TRUE(finish(8 * kChunkPlaintext));
}

TEST_F(ResumeTest, ClearsAwayHalvesAtTheStart) {
    cut_after(4);
    vault.reset();
    for (const Path& path : files_below(directory / "data/incoming"))
        if (path.extension() == ".note") std::filesystem::remove(path);
    open();
    EXPECT_EQ(stored_files(), 0U);
    cut_after(4);
    vault.reset();
    for (const Path& path : files_below(directory / "data/incoming"))
        if (path.extension() == ".image") std::filesystem::remove(path);
    open();
    EXPECT_EQ(stored_files(), 0U);
    // A note that was damaged, or that belongs to another upload.
    cut_after(4);
    vault.reset();
    for (const Path& path : files_below(directory / "data/incoming"))
        if (path.extension() == ".note") std::filesystem::resize_file(path, 40);
    open();
    EXPECT_EQ(stored_files(), 0U);
}

TEST_F(ResumeTest, CollectsItADayAfterItsLastByte) {
    cut_after(4);
    now += kKeepTime;
    EXPECT_EQ(vault->expire_due().next, now.load());
    EXPECT_EQ(stored_files(), 3U);
    // An attempt that brings nothing does not prolong it.
    EXPECT_EQ(offered(party("ada"), begin_request()), 4 * kChunkPlaintext);
    now += 1;
    EXPECT_EQ(vault->expire_due().next, std::nullopt);
    EXPECT_EQ(stored_files(), 0U);
    EXPECT_EQ(offered(party("ada"), begin_request()), 0U);

    cut_after(4);
    now += kKeepTime;
    go_on_for(1, 4 * kChunkPlaintext);
    now += kKeepTime;
    open();
    EXPECT_EQ(offered(party("ada"), begin_request()), 5 * kChunkPlaintext);
    now += 1;
    open();
    (void)vault->expire_due();
    EXPECT_EQ(stored_files(), 0U);
}

TEST_F(ResumeTest, KeepsSoManyOfAWalletAndItsOldestGoesFirst) {
    for (int i = 0; i < 6; ++i) {
        cut_after(2, std::to_string(i));
        ++now;
    }
    cut_after(2, "0", party("ben"));
    EXPECT_EQ(stored_files(), (kMaxKeptPerWallet + 1) * 3);
    EXPECT_EQ(offered(party("ada"), begin_request("0")), 0U);
    EXPECT_EQ(offered(party("ada"), begin_request("1")), 0U);
    EXPECT_EQ(offered(party("ada"), begin_request("2")), 2 * kChunkPlaintext);
    EXPECT_EQ(offered(party("ben"), begin_request("0")), 2 * kChunkPlaintext);
}

TEST_F(ResumeTest, LetsAnUploadBeTakenOverWhenItsConnectionIsSilent) {
    VaultSession older = session(party("ada"));
    const auto begun = ask(older, begin_request()).value();
    Sealer sealer = new_sealer(begun.artwork);
    const Bytes stream = seal_from(sealer, 0);
    ASSERT_EQ(older.handle(UploadDataRequest{sealer.header().encode()}).next, Next::receive);
    ASSERT_TRUE(older.receive(ByteView(stream).first(4 * kChunkSealed)));
    now += kUploadSilence - 1;
    EXPECT_EQ(code_of(ask_as(party("ada"), begin_request())), Errc::busy);
    EXPECT_EQ(offered(party("ben"), begin_request()), 0U) << "a name is its wallet's";
    now += 1;
    EXPECT_EQ(finish(4 * kChunkPlaintext).value(), begun.artwork);
    EXPECT_EQ(code_of(older.receive(ByteView(stream).subspan(4 * kChunkSealed, kChunkSealed))), Errc::state);
}

TEST_F(ResumeTest, LeavesAClientTheTimeToMakeItsPreview) {
    VaultSession older = session(party("ada"));
    const auto begun = ask(older, begin_request()).value();
    Sealer sealer = new_sealer(begun.artwork);
    const Bytes stream = seal_from(sealer, 0);
    ASSERT_EQ(older.handle(UploadDataRequest{sealer.header().encode()}).next, Next::receive);
    ASSERT_TRUE(older.receive(stream));
    ASSERT_TRUE(older.end_receive(stream.size()));
    for (const UnixTime silence : {kUploadSilence, kUploadCommitSilence - kUploadSilence - 1}) {
        now += silence;
        EXPECT_EQ(code_of(ask_as(party("ada"), begin_request())), Errc::busy);
    }
    UploadPlan plan;
    plan.image = image;
    const Registration body = registration_of(party("ada"), begun.artwork, plan);
    EXPECT_TRUE(ask(older, UploadCommitRequest{sign(body, party("ada").sign), std::nullopt}));
    EXPECT_EQ(offered(party("ada"), begin_request()), 0U) << "the name is free";
}

TEST_F(ResumeTest, TakesOverWhatWasReceivedAndNotCommittedForLong) {
    VaultSession older = session(party("ada"));
    const auto begun = ask(older, begin_request()).value();
    Sealer sealer = new_sealer(begun.artwork);
    const Bytes stream = seal_from(sealer, 0);
    ASSERT_EQ(older.handle(UploadDataRequest{sealer.header().encode()}).next, Next::receive);
    ASSERT_TRUE(older.receive(stream));
    ASSERT_TRUE(older.end_receive(stream.size()));
    now += kUploadCommitSilence;
    EXPECT_EQ(finish(10 * kChunkPlaintext).value(), begun.artwork);
    UploadPlan plan;
    plan.image = image;
    const Registration body = registration_of(party("ada"), begun.artwork, plan);
    EXPECT_EQ(code_of(ask(older, UploadCommitRequest{sign(body, party("ada").sign), std::nullopt})), Errc::state);
}

TEST_F(ResumeTest, BoundsTheWorkOfSealingAnew) {
    cut_after(4);
    std::size_t times = 0;
    for (; times < 2 * kMaxResealing; ++times) {
        VaultSession connection = session(party("ada"));
        const auto begun = ask(connection, begin_request()).value();
        if (begun.offset == 0) break;
        ASSERT_TRUE(ask(connection, UploadResumeRequest{new_sealer(begun.artwork).header().encode()}));
    }
    EXPECT_EQ(times, kMaxResealing);
    EXPECT_EQ(stored_files(), 0U);
}

TEST_F(ResumeTest, DropsTheOldestFirstWhereRoomIsShort) {
    cut_after(4, "older");
    ++now;
    cut_after(4);
    vault.reset();
    auto blobs = DirectoryBlobStore::open(directory / "data", directory / "dup").value();
    const MasterKey master = MasterKey::unwrap(read_file(directory / "data/master.key", kMaxMasterKeyFile).value(),
                                               test_vault_keys().wallet(), test_vault_keys().store)
                                 .value();
    KeptUploads kept(*blobs, AtRestSealer(master.derive(AtRestKey::files)));
    const auto ids = blobs->incoming().value();
    ASSERT_TRUE(kept.load(ids, now));
    EXPECT_EQ(kept.bytes_on_disk(), 8 * kChunkSealed);
    EXPECT_TRUE(kept.drop_oldest());
    EXPECT_FALSE(kept.take(party("ada").wallet(), begin_request("older")));
    EXPECT_TRUE(kept.take(party("ada").wallet(), begin_request()));
    EXPECT_FALSE(kept.drop_oldest()) << "one that is gone on with stays";
    EXPECT_EQ(stored_files(), 3U);
}

TEST_F(ResumeTest, LeavesWhatIsKeptAloneWhereTheRoomIsPromisedToOthers) {
    cut_after(4);
    options.max_artwork_bytes = kMaxPlaintextLength;
    options.quotas.bytes = kMaxPlaintextLength;
    options.reserve_bytes = 0;
    open();
    // Each of two would fit, with or without what is kept; both together do not.
    const std::uint64_t room = std::filesystem::space(directory / "data").available / 2;  // for two copies on one disk
    const std::uint64_t most = room / 4 * 3;
    VaultSession first = session(party("ben"));
    ASSERT_FALSE(code_of(ask(first, UploadBeginRequest{most, "image/png"})));
    EXPECT_EQ(code_of(ask_as(party("cyd"), UploadBeginRequest{most, "image/png"})), Errc::storage_full);
    const auto begun = ask_as(party("ada"), begin_request());
    ASSERT_TRUE(begun.has_value());
    EXPECT_EQ(begun->offset, 4 * kChunkPlaintext);
}

TEST_F(ResumeTest, LeavesWhatIsKeptAloneWhereDroppingItWouldNotMakeEnoughRoom) {
    cut_after(4);
    options.reserve_bytes = std::uint64_t{1} << 60;
    open();
    EXPECT_EQ(code_of(ask_as(party("ben"), UploadBeginRequest{1, "image/png"})), Errc::storage_full);
    EXPECT_EQ(stored_files(), 3U);
}

TEST_F(ResumeTest, KeepsNothingOfARefusedCommit) {
    VaultSession connection = session(party("ada"));
    const auto begun = ask(connection, begin_request()).value();
    Sealer sealer = new_sealer(begun.artwork);
    ASSERT_TRUE(send(connection, sealer.header(), seal_from(sealer, 0)));
    EXPECT_EQ(stored_files(), 3U);
    UploadPlan plan;
    plan.image = some_bytes(image.size(), 5);
    const Registration body = registration_of(party("ada"), begun.artwork, plan);
    EXPECT_EQ(code_of(ask(connection, UploadCommitRequest{sign(body, party("ada").sign), std::nullopt})),
              Errc::hash_mismatch);
    EXPECT_EQ(stored_files(), 0U);
}

}  // namespace
}  // namespace sat
