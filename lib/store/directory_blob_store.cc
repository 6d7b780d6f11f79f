// Blobs as files.  docs/storage.md, "Blobs".
// SPDX-License-Identifier: Apache-2.0
#include "store/directory_blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <system_error>
#include <unordered_map>
#include <unordered_set>

#include "base/assert.h"
#include "store/work_file.h"

namespace sat {

namespace {

using Place = DirectoryBlobStore::Place;

constexpr std::string_view kImageSuffix = ".image";
constexpr std::string_view kMetadataSuffix = ".metadata";
constexpr std::string_view kAnewSuffix = ".anew";  // an image that is to take the place of ID.image
constexpr std::string_view kNoteSuffix = ".note";
constexpr std::string_view kNewNoteSuffix = ".note.anew";
constexpr std::array<std::string_view, 5> kIncomingSuffixes = {kImageSuffix, kMetadataSuffix, kAnewSuffix, kNoteSuffix,
                                                               kNewNoteSuffix};
constexpr std::size_t kMaxNote = 4096;
constexpr std::size_t kCopyStep = std::size_t{1} << 20;
// What was received is written out in such steps while more comes, so that the sync at the end has little left to do.
constexpr std::uint64_t kWriteOutStep = std::uint64_t{8} << 20;

Path shelf(const Path& store, const ArtworkId& artwork) { return store / artwork.view().substr(0, 2); }
Path incoming_path(const Place& place, const ArtworkId& artwork, std::string_view suffix) {
    return place.incoming / (artwork.str() + std::string(suffix));
}

Result<FileDescriptor> create_file(const Path& path) {
    FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return fail(errno_error("write", path, errno));
    return fd;
}

// A name that is taken stays its holder's.
Result<void> rename_new(const Path& from, const Path& to) {
    if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno != EINVAL && errno != ENOSYS) return fail(errno_error("write", to, errno));
    // A file system without RENAME_NOREPLACE.
    if (link(from.c_str(), to.c_str()) != 0 || unlink(from.c_str()) != 0) return fail(errno_error("write", to, errno));
    return {};
}

Result<void> remove_file(const Path& path) {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return fail(errno_error("remove", path, errno));
    return {};
}

// Begins to write a file's bytes out, from `offset` to its end, and does not wait for it.  Promises nothing: the sync
// that follows has the less to wait for.
void start_writing_out(int fd, std::uint64_t offset) noexcept {
    (void)sync_file_range(fd, static_cast<off64_t>(offset), 0, SYNC_FILE_RANGE_WRITE);
}

// What create_file() made in incoming/: the ID and what follows it; nothing for files that are not ours.
struct IncomingFile {
    ArtworkId artwork;
    std::string suffix;
};

std::optional<IncomingFile> incoming_file(const Path& path) {
    const std::string name = path.filename().string();
    if (name.size() < ArtworkId::kSize) return std::nullopt;
    const auto artwork = ArtworkId::from_canonical(name.substr(0, ArtworkId::kSize));
    const std::string suffix = name.substr(ArtworkId::kSize);
    if (!artwork || std::ranges::find(kIncomingSuffixes, suffix) == kIncomingSuffixes.end()) return std::nullopt;
    return IncomingFile{*artwork, suffix};
}

Result<std::vector<IncomingFile>> list_incoming(const Path& directory) {
    std::vector<IncomingFile> files;
    std::error_code error;
    std::filesystem::directory_iterator at(directory, error);
    const std::filesystem::directory_iterator end;
    for (; !error && at != end; at.increment(error))
        if (auto file = incoming_file(at->path())) files.push_back(std::move(*file));
    if (error) return fail(errno_error("read", directory, error.value()));
    return files;
}

// Those with both an image and a note.
Result<std::unordered_set<ArtworkId>> list_noted(const Place& place) {
    SAT_TRY_VALUE(const auto files, list_incoming(place.incoming));
    std::unordered_map<ArtworkId, int> parts;
    for (const IncomingFile& file : files)
        if (file.suffix == kImageSuffix || file.suffix == kNoteSuffix) ++parts[file.artwork];
    std::unordered_set<ArtworkId> noted;
    for (const auto& [artwork, count] : parts)
        if (count == 2) noted.insert(artwork);
    return noted;
}

Result<void> clear_incoming(const Place& place, const std::unordered_set<ArtworkId>& noted) {
    SAT_TRY_VALUE(const auto files, list_incoming(place.incoming));
    for (const IncomingFile& file : files) {
        const bool stays = file.suffix == kImageSuffix || file.suffix == kNoteSuffix;
        if (stays && noted.contains(file.artwork)) continue;
        SAT_TRY(remove_file(incoming_path(place, file.artwork, file.suffix)));
    }
    return {};
}

// Copies `from` to `to` by way of `temporary`, unless it is there.
Result<void> copy_missing(const Path& from, const Path& temporary, const Path& to,
                          DirectoryBlobStore::Shelves& shelves) {
    const FileDescriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!source) return fail(errno_error("read", from, errno));
    struct stat wanted {};
    if (fstat(source.get(), &wanted) != 0) return fail(errno_error("examine", from, errno));
    struct stat there {};
    if (lstat(to.c_str(), &there) == 0) {
        // By a start that was ended, perhaps before it synced the name.
        if (S_ISREG(there.st_mode) && there.st_size == wanted.st_size) return sync_directory(to.parent_path());
        return fail(Errc::config, to.string() + " is not a copy of " + from.string(),
                    "move it away, and it is copied anew");
    }
    if (errno != ENOENT) return fail(errno_error("examine", to, errno));

    SAT_TRY_VALUE(const std::optional<Path> store, shelves.make(to.parent_path()));
    if (store) SAT_TRY(sync_directory(*store));
    shelves.synced({to.parent_path()});
    SAT_TRY(remove_file(temporary));
    SAT_TRY_VALUE(const FileDescriptor copy, create_file(temporary));
    const auto fill = [&]() -> Result<void> {
        Bytes buffer(kCopyStep);
        for (;;) {
            SAT_TRY_VALUE(const std::size_t got, read_some(source.get(), buffer, from));
            if (got == 0) break;
            SAT_TRY(write_all(copy.get(), ByteView(buffer).first(got), to));
        }
        SAT_TRY(sync_fd(copy.get(), to));
        return rename_new(temporary, to);
    };
    if (auto filled = fill(); !filled) {
        (void)remove_file(temporary);
        return filled;
    }
    return sync_directory(to.parent_path());
}

class DirectoryBlobWriter final : public BlobWriter {
public:
    DirectoryBlobWriter(const ArtworkId& artwork, const std::vector<Place>& places,
                        DirectoryBlobStore::Shelves& shelves)
        : artwork_(artwork), places_(places), shelves_(shelves) {}

    ~DirectoryBlobWriter() override {
        images_.clear();
        if (kept_) return;
        for (const Path& path : temporary_) unlink(path.c_str());
        if (suffix_ == kImageSuffix) unlink(incoming_path(places_.front(), artwork_, kNoteSuffix).c_str());
        if (published_) return;
        for (const Path& path : named_) unlink(path.c_str());
    }

    // `suffix` is that of the images' names for now.
    Result<void> open(std::string_view suffix) {
        suffix_ = suffix;
        for (const Place& place : places_) {
            SAT_TRY_VALUE(FileDescriptor fd, create_temporary(place, suffix));
            images_.push_back(std::move(fd));
        }
        return {};
    }

    Result<void> append(ByteView bytes) override {
        for (std::size_t i = 0; i < images_.size(); ++i) SAT_TRY(write_all(images_[i].get(), bytes, places_[i].images));
        size_ += bytes.size();
        if (size_ - writing_out_ >= kWriteOutStep) write_out();
        return {};
    }

    void write_out() noexcept override {
        for (const FileDescriptor& image : images_) start_writing_out(image.get(), writing_out_);
        writing_out_ = size_;
    }

    // From the last copy to the first, which is the one that counts: a failure on the way leaves there what was.
    Result<void> replace() override {
        SAT_ASSERT(suffix_ == kAnewSuffix);
        // NOLINTNEXTLINE(modernize-loop-convert): clang 14 does not compile the views of libstdc++ 12
        for (auto place = places_.rbegin(); place != places_.rend(); ++place) {
            const Path from = incoming_path(*place, artwork_, kAnewSuffix);
            const Path to = incoming_path(*place, artwork_, kImageSuffix);
            if (::rename(from.c_str(), to.c_str()) != 0) return fail(errno_error("write", to, errno));
            std::erase(temporary_, from);
        }
        for (const Place& place : places_) temporary_.push_back(incoming_path(place, artwork_, kImageSuffix));
        suffix_ = kImageSuffix;
        return {};
    }

    void keep() noexcept override { kept_ = suffix_ == kImageSuffix; }

    // All files are on their way to the disk before the first is waited for, and all names given before the first
    // directory is: of what is synced together a journalling file system waits for one commit.
    Result<void> publish(ByteView metadata) override {
        SAT_ASSERT(images_.size() == places_.size() && suffix_ == kImageSuffix);
        std::vector<FileDescriptor> files;
        std::vector<Path> shelves;
        std::set<Path> directories;
        write_out();
        for (const Place& place : places_) {
            SAT_TRY_VALUE(FileDescriptor fd, create_temporary(place, kMetadataSuffix));
            SAT_TRY(write_all(fd.get(), metadata, place.metadata));
            start_writing_out(fd.get(), 0);
            files.push_back(std::move(fd));
            for (const Path& store : {place.images, place.metadata}) {
                shelves.push_back(shelf(store, artwork_));
                SAT_TRY_VALUE(const std::optional<Path> unsynced, shelves_.make(shelves.back()));
                if (unsynced) directories.insert(*unsynced);
            }
        }
        for (std::size_t i = 0; i < places_.size(); ++i) {
            SAT_TRY(sync_fd(images_[i].get(), places_[i].images));
            SAT_TRY(sync_fd(files[i].get(), places_[i].metadata));
        }
        images_.clear();
        for (const Place& place : places_) {
            SAT_TRY(give_name(place, kImageSuffix, shelf(place.images, artwork_)));
            SAT_TRY(give_name(place, kMetadataSuffix, shelf(place.metadata, artwork_)));
        }
        directories.insert(shelves.begin(), shelves.end());
        for (const Path& directory : directories) SAT_TRY(sync_directory(directory));
        shelves_.synced(shelves);
        published_ = true;
        return {};
    }

private:
    Result<FileDescriptor> create_temporary(const Place& place, std::string_view suffix) {
        const Path path = incoming_path(place, artwork_, suffix);
        SAT_TRY_VALUE(FileDescriptor fd, create_file(path));
        temporary_.push_back(path);
        return fd;
    }

    Result<void> give_name(const Place& place, std::string_view suffix, const Path& directory) {
        const Path from = incoming_path(place, artwork_, suffix);
        const Path to = directory / artwork_.view();
        SAT_TRY(rename_new(from, to));
        std::erase(temporary_, from);
        named_.push_back(to);
        return {};
    }

    ArtworkId artwork_;
    const std::vector<Place>& places_;
    DirectoryBlobStore::Shelves& shelves_;
    std::vector<FileDescriptor> images_;  // one for each place
    std::vector<Path> temporary_;         // to be removed
    std::vector<Path> named_;             // to be removed unless all were
    std::string_view suffix_;
    std::uint64_t size_ = 0;         // of each image, as far as it was appended
    std::uint64_t writing_out_ = 0;  // of which so much is being written out
    bool published_ = false;
    bool kept_ = false;
};

class DirectoryBlobReader final : public BlobReader {
public:
    DirectoryBlobReader(Path path, FileDescriptor fd, std::uint64_t size)
        : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}

    std::uint64_t size() const noexcept override { return size_; }

    Result<std::size_t> read(std::uint64_t offset, MutableBytes out) override {
        std::size_t size = 0;
        while (size < out.size()) {
            const ssize_t got =
                pread(fd_.get(), out.data() + size, out.size() - size, static_cast<off_t>(offset + size));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return fail(errno_error("read", path_, errno));
            if (got == 0) break;
            size += static_cast<std::size_t>(got);
        }
        return size;
    }

private:
    Path path_;
    FileDescriptor fd_;
    std::uint64_t size_;
};

}  // namespace

DirectoryBlobStore::Place DirectoryBlobStore::Place::of_data(const Path& data) {
    return {data, data / "image_store", data / "metadata_store", data / "incoming"};
}

DirectoryBlobStore::Place DirectoryBlobStore::Place::of_duplicate(const Path& duplicate) {
    return {duplicate, duplicate / "duplicate_store", duplicate / "duplicate_metadata_store", duplicate / "incoming"};
}

Path DirectoryBlobStore::Place::image(const ArtworkId& artwork) const {
    return shelf(images, artwork) / artwork.view();
}
Path DirectoryBlobStore::Place::metadata_file(const ArtworkId& artwork) const {
    return shelf(metadata, artwork) / artwork.view();
}

Result<std::optional<Path>> DirectoryBlobStore::Shelves::make(const Path& shelf) {
    const bool made = mkdir(shelf.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) return fail(errno_error("create", shelf, errno));
    const std::lock_guard lock(mutex_);
    if (made) synced_.erase(shelf);
    return synced_.contains(shelf) ? std::nullopt : std::optional(shelf.parent_path());
}

void DirectoryBlobStore::Shelves::synced(const std::vector<Path>& shelves) {
    const std::lock_guard lock(mutex_);
    synced_.insert(shelves.begin(), shelves.end());
}

Result<void> DirectoryBlobStore::Shelves::load(const Path& store) {
    std::vector<Path> there;
    std::error_code error;
    std::filesystem::directory_iterator at(store, error);
    for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) there.push_back(at->path());
    if (error) return fail(errno_error("read", store, error.value()));
    SAT_TRY(sync_directory(store));
    synced(there);
    return {};
}

Result<std::unique_ptr<DirectoryBlobStore>> DirectoryBlobStore::open(const Path& data,
                                                                     const std::optional<Path>& duplicate) {
    std::unique_ptr<DirectoryBlobStore> store(new DirectoryBlobStore());
    store->places_.push_back(Place::of_data(data));
    if (duplicate) store->places_.push_back(Place::of_duplicate(*duplicate));
    std::vector<struct stat> roots;
    for (const Place& place : store->places_) {
        SAT_TRY(make_private_directory(place.root));
        SAT_TRY(make_private_directory(place.images));
        SAT_TRY(make_private_directory(place.metadata));
        SAT_TRY(make_private_directory(place.incoming));
        SAT_TRY(sync_directory(place.root));
        SAT_TRY(store->shelves_.load(place.images));
        SAT_TRY(store->shelves_.load(place.metadata));
        struct stat status {};
        if (stat(place.root.c_str(), &status) != 0) return fail(errno_error("examine", place.root, errno));
        roots.push_back(status);
    }
    if (roots.size() == 2) {
        store->one_device_ = roots[0].st_dev == roots[1].st_dev;
        if (store->one_device_ && roots[0].st_ino == roots[1].st_ino)
            return fail(Errc::config, "the duplicate directory is the data directory",
                        "name a directory on another disk");
    }
    SAT_TRY_VALUE(const auto noted, list_noted(store->places_.front()));
    for (const Place& place : store->places_) SAT_TRY(clear_incoming(place, noted));
    return store;
}

Result<std::unique_ptr<BlobWriter>> DirectoryBlobStore::create(const ArtworkId& artwork) {
    auto writer = std::make_unique<DirectoryBlobWriter>(artwork, places_, shelves_);
    SAT_TRY(writer->open(kImageSuffix));
    return std::unique_ptr<BlobWriter>(std::move(writer));
}

Result<std::unique_ptr<BlobWriter>> DirectoryBlobStore::rewrite(const ArtworkId& artwork) {
    auto writer = std::make_unique<DirectoryBlobWriter>(artwork, places_, shelves_);
    SAT_TRY(writer->open(kAnewSuffix));
    return std::unique_ptr<BlobWriter>(std::move(writer));
}

// Not synced: what a power cut leaves of it does not open, and the upload begins anew.
Result<void> DirectoryBlobStore::write_note(const ArtworkId& artwork, ByteView note) {
    SAT_ASSERT(note.size() <= kMaxNote);
    const Path path = incoming_path(places_.front(), artwork, kNoteSuffix);
    const Path anew = incoming_path(places_.front(), artwork, kNewNoteSuffix);
    SAT_TRY(remove_file(anew));
    SAT_TRY_VALUE(const FileDescriptor fd, create_file(anew));
    auto written = write_all(fd.get(), note, path);
    if (written && ::rename(anew.c_str(), path.c_str()) != 0) written = fail(errno_error("write", path, errno));
    if (!written) (void)remove_file(anew);
    return written;
}

Result<Bytes> DirectoryBlobStore::read_note(const ArtworkId& artwork) {
    return read_file(incoming_path(places_.front(), artwork, kNoteSuffix), kMaxNote);
}

Result<std::vector<ArtworkId>> DirectoryBlobStore::incoming() const {
    SAT_TRY_VALUE(const auto noted, list_noted(places_.front()));
    return std::vector<ArtworkId>(noted.begin(), noted.end());
}

Result<void> DirectoryBlobStore::discard(const ArtworkId& artwork) {
    // The first copy's image before its note: what is cut short here is finished by the next start.
    for (const Place& place : places_)
        for (const std::string_view suffix : kIncomingSuffixes)
            SAT_TRY(remove_file(incoming_path(place, artwork, suffix)));
    return {};
}

namespace {

Result<std::unique_ptr<BlobReader>> open_blob(Path path) {
    FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return fail(errno_error("read", path, errno));
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) return fail(errno_error("read", path, errno));
    return std::make_unique<DirectoryBlobReader>(std::move(path), std::move(fd),
                                                 static_cast<std::uint64_t>(status.st_size));
}

}  // namespace

Result<std::unique_ptr<BlobReader>> DirectoryBlobStore::open_incoming(const ArtworkId& artwork, int copy) {
    return open_blob(incoming_path(place(copy), artwork, kImageSuffix));
}

Result<std::unique_ptr<BlobReader>> DirectoryBlobStore::open(const ArtworkId& artwork, int copy) {
    return open_blob(place(copy).image(artwork));
}

Result<Bytes> DirectoryBlobStore::read_metadata(const ArtworkId& artwork, int copy) {
    return read_file(place(copy).metadata_file(artwork), kMaxWorkFile);
}

Result<void> DirectoryBlobStore::remove(const ArtworkId& artwork) {
    for (const Place& place : places_) {
        SAT_TRY(remove_file(shelf(place.images, artwork) / artwork.view()));
        SAT_TRY(remove_file(shelf(place.metadata, artwork) / artwork.view()));
    }
    return {};
}

Result<void> DirectoryBlobStore::duplicate(const ArtworkId& artwork, const IsSound& sound) {
    const Place& mine = places_.front();
    for (std::size_t i = 1; i < places_.size(); ++i) {
        const Place& other = places_[i];
        std::error_code ignored;
        if (!std::filesystem::exists(other.image(artwork), ignored) ||
            !std::filesystem::exists(other.metadata_file(artwork), ignored)) {
            SAT_TRY_VALUE(const bool good, sound(artwork, mine.image(artwork), mine.metadata_file(artwork)));
            if (!good) continue;
        }
        SAT_TRY(copy_missing(shelf(mine.images, artwork) / artwork.view(), incoming_path(other, artwork, kImageSuffix),
                             shelf(other.images, artwork) / artwork.view(), shelves_));
        SAT_TRY(copy_missing(shelf(mine.metadata, artwork) / artwork.view(),
                             incoming_path(other, artwork, kMetadataSuffix),
                             shelf(other.metadata, artwork) / artwork.view(), shelves_));
    }
    return {};
}

Result<std::uint64_t> DirectoryBlobStore::room() const {
    std::uint64_t room = UINT64_MAX;
    for (const Place& place : places_) {
        SAT_TRY_VALUE(const std::uint64_t free, free_space(place.root));
        room = std::min(room, free);
    }
    return one_device_ ? room / 2 : room;
}

}  // namespace sat
