// Blobs as files.  docs/storage.md, "Blobs".
// SPDX-License-Identifier: Apache-2.0
#include "store/directory_blob_store.h"

#include <gmock/gmock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "unit/store/fixture.h"

namespace sat {
namespace {

// Asked at every fsync() of this program, with the path: 0, or the errno that it fails with.
std::function<int(const Path&)> on_sync;

}  // namespace
}  // namespace sat

// In place of the system's.
extern "C" int fsync(int fd) {
    // A copy: it may be replaced by what it does.
    if (const auto ask = sat::on_sync) {
        std::error_code error;
        const auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
        if (const int failure = ask(path); failure != 0) {
            errno = failure;
            return -1;
        }
    }
    return static_cast<int>(syscall(SYS_fsync, fd));
}

namespace sat {
namespace {

using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::Not;

class BlobStoreTest : public ::testing::Test {
protected:
    void SetUp() override { open(duplicate()); }

    void open(const std::optional<Path>& with_duplicate) {
        auto opened = DirectoryBlobStore::open(data(), with_duplicate);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        store = std::move(*opened);
    }

    Path data() const { return directory / "data"; }
    Path duplicate() const { return directory / "dup"; }
    Path in(const Path& root, const char* name) const { return root / name / id.view().substr(0, 2) / id.view(); }

    std::vector<Path> all_files() const {
        std::vector<Path> out;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory.path()))
            if (entry.is_regular_file()) out.push_back(entry.path());
        return out;
    }

    TemporaryDirectory directory;
    std::unique_ptr<DirectoryBlobStore> store;
    ArtworkId id = ArtworkId::generate();
};

TEST_F(BlobStoreTest, PublishesBlobAndMetadataTwice) {
    auto writer = store->create(id).value();
    ASSERT_TRUE(writer->append(as_bytes("first ")));
    ASSERT_TRUE(writer->append(as_bytes("second")));
    ASSERT_TRUE(writer->publish(as_bytes("metadata")));
    writer.reset();
    EXPECT_EQ(store->copies(), 2);
    for (const Path& path : {in(data(), "image_store"), in(duplicate(), "duplicate_store")})
        EXPECT_EQ(read_file(path, 100).value(), to_bytes("first second"));
    for (const Path& path : {in(data(), "metadata_store"), in(duplicate(), "duplicate_metadata_store")})
        EXPECT_EQ(read_file(path, 100).value(), to_bytes("metadata"));
    EXPECT_EQ(all_files().size(), 4U);
    for (const Path& path : all_files()) EXPECT_TRUE(require_private_file(path)) << path;

    const auto reader = store->open(id, 0).value();
    EXPECT_EQ(reader->size(), 12U);
    Bytes out(5);
    EXPECT_EQ(reader->read(6, out).value(), 5U);
    EXPECT_EQ(as_text(out), "secon");
    EXPECT_EQ(reader->read(10, out).value(), 2U);
    EXPECT_EQ(reader->read(12, out).value(), 0U);
    EXPECT_EQ(store->read_metadata(id, 0).value(), to_bytes("metadata"));

    ASSERT_TRUE(store->remove(id));
    EXPECT_TRUE(all_files().empty());
    ASSERT_TRUE(store->remove(id));
    EXPECT_FALSE(store->open(id, 0));
}

TEST_F(BlobStoreTest, KeepsOneCopyWithoutADuplicate) {
    open(std::nullopt);
    EXPECT_EQ(store->copies(), 1);
    auto writer = store->create(id).value();
    ASSERT_TRUE(writer->publish(as_bytes("m")));
    writer.reset();
    EXPECT_EQ(all_files().size(), 2U);
}

TEST_F(BlobStoreTest, LeavesNothingOfABlobThatWasDropped) {
    {
        auto writer = store->create(id).value();
        ASSERT_TRUE(writer->append(as_bytes("half")));
        EXPECT_EQ(all_files().size(), 2U);
    }
    EXPECT_TRUE(all_files().empty());
}

TEST_F(BlobStoreTest, NeverReplacesABlobAndLeavesNothingOfTheSecond) {
    auto writer = store->create(id).value();
    ASSERT_TRUE(writer->append(as_bytes("first")));
    ASSERT_TRUE(writer->publish(as_bytes("m")));
    writer = store->create(id).value();
    ASSERT_TRUE(writer->append(as_bytes("second")));
    EXPECT_FALSE(writer->publish(as_bytes("m2")));
    writer.reset();
    EXPECT_EQ(all_files().size(), 4U);
    EXPECT_EQ(read_file(in(data(), "image_store"), 100).value(), to_bytes("first"));
    EXPECT_EQ(store->read_metadata(id, 0).value(), to_bytes("m"));
}

// Shelves, and the power that may fail right after an upload was acknowledged.
class ShelfTest : public BlobStoreTest {
protected:
    void TearDown() override { on_sync = nullptr; }

    std::vector<Path> stores() const {
        return {data() / "image_store", data() / "metadata_store", duplicate() / "duplicate_store",
                duplicate() / "duplicate_metadata_store"};
    }
    // Another on the same shelf.
    ArtworkId neighbour() const {
        for (;;)
            if (const ArtworkId other = ArtworkId::generate(); other != id && other.view().substr(0, 2) == shelf())
                return other;
    }
    std::string_view shelf() const { return id.view().substr(0, 2); }

    // What is synced while it is published, successfully.
    std::vector<Path> synced_for(const ArtworkId& artwork) {
        std::vector<Path> synced;
        const auto before = std::exchange(on_sync, [&](const Path& path) {
            synced.push_back(path);
            return 0;
        });
        auto writer = store->create(artwork).value();
        const auto published = writer->publish(as_bytes("m"));
        EXPECT_TRUE(published.has_value()) << published.error().message;
        on_sync = before;
        return synced;
    }
};

TEST_F(ShelfTest, IsOnTheDiskBeforeAnUploadIsAcknowledgedThatFoundItMadeButNotSynced) {
    std::vector<Path> synced;
    on_sync = [&](const Path&) {
        // The first upload has made the shelves and waits for its image.
        on_sync = nullptr;
        for (const Path& at : stores()) EXPECT_TRUE(std::filesystem::exists(at / shelf()));
        synced = synced_for(neighbour());
        return 0;
    };
    ASSERT_TRUE(store->create(id).value()->publish(as_bytes("m")));
    EXPECT_THAT(synced, IsSupersetOf(stores()));
}

TEST_F(ShelfTest, IsOnTheDiskBeforeAnUploadIsAcknowledgedThatFoundItLeftByAFailure) {
    on_sync = [](const Path&) { return EIO; };
    ASSERT_FALSE(store->create(id).value()->publish(as_bytes("m")));
    // Neither is it believed where the store's own sync fails.
    on_sync = [&](const Path& path) { return path == stores().back() ? EIO : 0; };
    ASSERT_FALSE(store->create(id).value()->publish(as_bytes("m")));
    on_sync = nullptr;
    EXPECT_THAT(synced_for(neighbour()), IsSupersetOf(stores()));
    // From then on it is there.
    const auto synced = synced_for(neighbour());
    for (const Path& at : stores()) {
        EXPECT_THAT(synced, Contains(at / shelf()));
        EXPECT_THAT(synced, Not(Contains(at)));
    }
}

TEST_F(ShelfTest, IsOnTheDiskOnceAStoreWasOpenedThatAnotherProcessLeft) {
    on_sync = [](const Path&) { return EIO; };
    ASSERT_FALSE(store->create(id).value()->publish(as_bytes("m")));
    std::vector<Path> synced;
    on_sync = [&](const Path& path) {
        synced.push_back(path);
        return 0;
    };
    store.reset();
    open(duplicate());
    EXPECT_THAT(synced, IsSupersetOf(stores()));
    on_sync = nullptr;
    const auto later = synced_for(neighbour());
    for (const Path& at : stores()) EXPECT_THAT(later, Not(Contains(at)));
}

TEST_F(ShelfTest, OfADuplicateIsOnTheDiskBeforeACopyIsBelieved) {
    open(std::nullopt);
    synced_for(id);
    open(duplicate());
    const auto sound = [](const ArtworkId&, const Path&, const Path&) { return Result<bool>(true); };
    on_sync = [&](const Path& path) { return path == stores()[2] ? EIO : 0; };
    ASSERT_FALSE(store->duplicate(id, sound));
    std::vector<Path> synced;
    on_sync = [&](const Path& path) {
        synced.push_back(path);
        return 0;
    };
    ASSERT_TRUE(store->duplicate(id, sound));
    EXPECT_THAT(synced, Contains(stores()[2]));
    EXPECT_THAT(synced, Contains(stores()[3]));
    // Nor is one that was copied before, by whoever did not come to sync its name.
    synced.clear();
    ASSERT_TRUE(store->duplicate(id, sound));
    EXPECT_THAT(synced, Contains(stores()[2] / shelf()));
    EXPECT_THAT(synced, Contains(stores()[3] / shelf()));
}

TEST_F(BlobStoreTest, ClearsIncomingOfItsOwnFilesAlone) {
    const auto touch = [](const Path& path) {
        ASSERT_TRUE(write_file_atomically(path, {}, AtomicFile::Existing::refuse, 0600));
    };
    touch(data() / "incoming" / (id.str() + ".image"));
    touch(duplicate() / "incoming" / (id.str() + ".metadata"));
    touch(data() / "incoming" / "README");
    touch(data() / "incoming" / (id.str() + ".other"));
    store.reset();
    open(duplicate());
    std::vector<std::string> names;
    for (const Path& path : all_files()) names.push_back(path.filename().string());
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names.size(), 2U);
    EXPECT_EQ(std::count(names.begin(), names.end(), "README"), 1);
}

TEST_F(BlobStoreTest, KeepsWhatWasReceivedOnlyWithItsNote) {
    const auto receive = [&](bool with_note) {
        if (with_note) {
            ASSERT_TRUE(store->write_note(id, as_bytes("a note")));
        }
        auto writer = store->create(id).value();
        ASSERT_TRUE(writer->append(as_bytes("received")));
        writer->keep();
    };
    receive(true);
    EXPECT_EQ(all_files().size(), 3U);
    open(duplicate());
    EXPECT_EQ(store->incoming().value(), std::vector<ArtworkId>{id});
    EXPECT_EQ(store->read_note(id).value(), to_bytes("a note"));
    for (const int copy : {0, 1}) {
        Bytes out(8);
        EXPECT_EQ(store->open_incoming(id, copy).value()->read(0, out).value(), 8U);
        EXPECT_EQ(as_text(out), "received");
    }
    ASSERT_TRUE(store->discard(id));
    EXPECT_TRUE(all_files().empty());
    receive(false);
    EXPECT_EQ(all_files().size(), 2U);
    open(duplicate());
    EXPECT_TRUE(all_files().empty());
    // A note that is replaced whole, and what was cut off before it was.
    receive(true);
    ASSERT_TRUE(store->write_note(id, as_bytes("another")));
    ASSERT_TRUE(
        write_file_atomically(data() / "incoming" / (id.str() + ".note.anew"), {}, AtomicFile::Existing::refuse, 0600));
    open(duplicate());
    EXPECT_EQ(store->read_note(id).value(), to_bytes("another"));
    EXPECT_EQ(all_files().size(), 3U);
}

TEST_F(BlobStoreTest, PutsASecondVersionInThePlaceOfWhatWasReceived) {
    const auto received = [&] {
        Bytes out(20);
        out.resize(store->open_incoming(id, 0).value()->read(0, out).value());
        return std::string(as_text(out));
    };
    ASSERT_TRUE(store->write_note(id, as_bytes("a note")));
    {
        auto writer = store->create(id).value();
        ASSERT_TRUE(writer->append(as_bytes("first")));
        writer->keep();
    }
    {
        auto writer = store->rewrite(id).value();
        ASSERT_TRUE(writer->append(as_bytes("second")));
        EXPECT_EQ(all_files().size(), 5U);
        writer->keep();  // it has not taken the place: nothing of it is kept
    }
    EXPECT_EQ(received(), "first");
    // A kill in the middle.
    std::filesystem::copy(data() / "incoming" / (id.str() + ".image"), data() / "incoming" / (id.str() + ".anew"));
    open(duplicate());
    EXPECT_EQ(all_files().size(), 3U);
    {
        auto writer = store->rewrite(id).value();
        ASSERT_TRUE(writer->append(as_bytes("second")));
        ASSERT_TRUE(writer->replace());
        EXPECT_EQ(received(), "second");
        ASSERT_TRUE(writer->append(as_bytes(" and more")));
        writer->keep();
    }
    EXPECT_EQ(received(), "second and more");
    auto writer = store->rewrite(id).value();
    ASSERT_TRUE(writer->append(as_bytes("third")));
    ASSERT_TRUE(writer->replace());
    ASSERT_TRUE(writer->publish(as_bytes("m")));
    writer.reset();
    EXPECT_EQ(all_files().size(), 4U) << "the note is gone";
    EXPECT_EQ(read_file(in(data(), "image_store"), 100).value(), to_bytes("third"));
}

TEST_F(BlobStoreTest, RefusesOneDirectoryForBothCopiesAndAnOpenOne) {
    store.reset();
    EXPECT_EQ(code_of(DirectoryBlobStore::open(data(), data())), Errc::config);
    std::filesystem::permissions(data(), std::filesystem::perms(0755));
    EXPECT_EQ(code_of(DirectoryBlobStore::open(data(), std::nullopt)), Errc::config);
}

TEST_F(BlobStoreTest, HalvesItsRoomWhereBothCopiesShareADisk) {
    const std::uint64_t both = store->room().value();
    open(std::nullopt);
    const std::uint64_t one = store->room().value();
    EXPECT_LT(both, one / 10 * 6);
    EXPECT_GT(both, one / 10 * 4);
}

}  // namespace
}  // namespace sat
