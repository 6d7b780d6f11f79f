// Blobs as files in a directory, with an optional duplicate in another:
//
//     DATA/image_store/XX/ID         DATA/metadata_store/XX/ID         DATA/incoming/ID.image, .metadata, .anew, .note
//     DUP/duplicate_store/XX/ID      DUP/duplicate_metadata_store/XX/ID      DUP/incoming/…
//
// XX are the ID's first two characters.  A blob is written under incoming/, all its copies as the data arrives;
// publishing is: sync all, rename all, sync the directories.  docs/storage.md, "Blobs".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "base/file.h"
#include "store/blob_store.h"

namespace sat {

class DirectoryBlobStore final : public BlobStore {
public:
    // Makes the directories, and removes what an earlier process left in incoming/ but for images with their notes. The
    // caller holds the directories' lock.  config: wrong modes, or one directory given twice; io_error.
    static Result<std::unique_ptr<DirectoryBlobStore>> open(const Path& data, const std::optional<Path>& duplicate);

    Result<std::unique_ptr<BlobWriter>> create(const ArtworkId& artwork) override;
    Result<std::unique_ptr<BlobWriter>> rewrite(const ArtworkId& artwork) override;
    Result<void> write_note(const ArtworkId& artwork, ByteView note) override;
    Result<Bytes> read_note(const ArtworkId& artwork) override;
    Result<std::unique_ptr<BlobReader>> open_incoming(const ArtworkId& artwork, int copy) override;
    Result<std::vector<ArtworkId>> incoming() const override;
    Result<void> discard(const ArtworkId& artwork) override;
    Result<std::unique_ptr<BlobReader>> open(const ArtworkId& artwork, int copy) override;
    Result<Bytes> read_metadata(const ArtworkId& artwork, int copy) override;
    Result<void> remove(const ArtworkId& artwork) override;
    Result<void> duplicate(const ArtworkId& artwork, const IsSound& sound) override;
    int copies() const noexcept override { return static_cast<int>(places_.size()); }
    Result<std::uint64_t> room() const override;

    // One copy's directories.
    struct Place {
        Path root;
        Path images;
        Path metadata;
        Path incoming;

        static Place of_data(const Path& data);
        static Place of_duplicate(const Path& duplicate);
        Path image(const ArtworkId& artwork) const;
        Path metadata_file(const ArtworkId& artwork) const;
    };

    // The shelves whose own names are on the disk: whose store was synced by this process while they were there.
    // Whoever made a shelf may not have come to that, or may have failed.  Thread-safe.
    class Shelves {
    public:
        // mkdir; the store that has to be synced before anything on the shelf is acknowledged, nothing where it was.
        Result<std::optional<Path>> make(const Path& shelf);
        // Their stores were synced after make().
        void synced(const std::vector<Path>& shelves);
        // Those that lie in the store now; syncs it.
        Result<void> load(const Path& store);

    private:
        std::mutex mutex_;
        std::set<Path> synced_;
    };

private:
    DirectoryBlobStore() = default;

    const Place& place(int copy) const { return places_.at(static_cast<std::size_t>(copy)); }

    std::vector<Place> places_;  // the first is the one that is read
    Shelves shelves_;
    bool one_device_ = false;  // both copies share their free space
};

}  // namespace sat
