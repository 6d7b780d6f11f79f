// Where the envelopes of the works lie, each with its metadata beside it and, if the operator wants, a duplicate of
// both elsewhere.  What it keeps is sealed before it comes here.  docs/storage.md, "Blobs".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "ledger/artwork_id.h"

namespace sat {

// A blob that is being received.  Destroyed before publish() succeeded, it leaves nothing behind, its note included,
// unless keep() was called.
class BlobWriter {
public:
    BlobWriter() = default;
    BlobWriter(const BlobWriter&) = delete;
    BlobWriter& operator=(const BlobWriter&) = delete;
    virtual ~BlobWriter() = default;

    // To every copy.  storage_full, io_error; the writer can only be destroyed then.
    virtual Result<void> append(ByteView bytes) = 0;
    // Nothing more will be appended: what was is on its way to the disk while the caller does other things.
    virtual void write_out() noexcept = 0;
    // Everything is on the disk and has its name when this succeeds.  `metadata` is the file beside the blob.  Once.
    virtual Result<void> publish(ByteView metadata) = 0;
    // Of BlobStore::rewrite(): what was appended so far takes the place of what was received before, copy by copy, and
    // the writer goes on as create()'s.  Until then it leaves what was there alone, whatever happens.  Once.
    virtual Result<void> replace() = 0;
    // What was appended, and its note, stay where they are, for open_incoming(), when the writer is destroyed.
    virtual void keep() noexcept = 0;
};

// A published blob, opened.
class BlobReader {
public:
    BlobReader() = default;
    BlobReader(const BlobReader&) = delete;
    BlobReader& operator=(const BlobReader&) = delete;
    virtual ~BlobReader() = default;

    virtual std::uint64_t size() const noexcept = 0;
    // As many bytes as `out` holds, or as there are from `offset`.
    virtual Result<std::size_t> read(std::uint64_t offset, MutableBytes out) = 0;
};

// Thread-safe.
class BlobStore {
public:
    BlobStore() = default;
    BlobStore(const BlobStore&) = delete;
    BlobStore& operator=(const BlobStore&) = delete;
    virtual ~BlobStore() = default;

    virtual Result<std::unique_ptr<BlobWriter>> create(const ArtworkId& artwork) = 0;

    // --- What was received of a blob that is not published ---

    // A second one beside it, to take its place.
    virtual Result<std::unique_ptr<BlobWriter>> rewrite(const ArtworkId& artwork) = 0;
    // A small file beside it, in the first copy alone, replaced whole.  Without it nothing survives the next start.
    virtual Result<void> write_note(const ArtworkId& artwork, ByteView note) = 0;
    virtual Result<Bytes> read_note(const ArtworkId& artwork) = 0;
    virtual Result<std::unique_ptr<BlobReader>> open_incoming(const ArtworkId& artwork, int copy) = 0;
    // Those that are there with their note.
    virtual Result<std::vector<ArtworkId>> incoming() const = 0;
    // Whatever is there of it, in every copy, its note included.  Nobody writes it.
    virtual Result<void> discard(const ArtworkId& artwork) = 0;

    // --- Published blobs ---

    // Copy number 0 up to copies() - 1; the first is the one to read.  io_error where there is none.
    virtual Result<std::unique_ptr<BlobReader>> open(const ArtworkId& artwork, int copy) = 0;
    virtual Result<Bytes> read_metadata(const ArtworkId& artwork, int copy) = 0;
    // Whatever is there of it, in every copy; nothing is no error.
    virtual Result<void> remove(const ArtworkId& artwork) = 0;

    // Makes up for what the duplicate lacks of a published work; on its disk when this succeeds.  Before anything is
    // copied `sound` is asked of the files to copy; nothing is where it says no.  Not while the work is being created
    // or removed.  config: what the duplicate has of it is something else; storage_full, io_error.
    using IsSound = std::function<Result<bool>(const ArtworkId& artwork, const Path& image, const Path& metadata)>;
    virtual Result<void> duplicate(const ArtworkId& artwork, const IsSound& sound) = 0;

    // 1, or 2 where there is a duplicate.
    virtual int copies() const noexcept = 0;
    // How large a blob there is room for, all copies of it considered.
    virtual Result<std::uint64_t> room() const = 0;
};

}  // namespace sat
