// Blobs as files.  docs/storage.md, "Blobs".
// SPDX-License-Identifier: Apache-2.0
#include "store/directory_blob_store.h"
#include "unit/store/fixture.h"

namespace sat {
namespace {

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
