// Where the envelopes of the works lie, each with its metadata beside it and, if the operator wants, a duplicate of
// both elsewhere.  What it keeps is sealed before it comes here.  docs/storage.md, "Blobs".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "ledger/artwork_id.h"

namespace sat {

// A blob that is being received.  Destroyed before publish() succeeded, it leaves nothing behind.
class BlobWriter {
public:
    BlobWriter() = default;
    BlobWriter(const BlobWriter&) = delete;
    BlobWriter& operator=(const BlobWriter&) = delete;
    virtual ~BlobWriter() = default;

    // To every copy.  storage_full, io_error; the writer can only be destroyed then.
    virtual Result<void> append(ByteView bytes) = 0;
    // Everything is on the disk and has its name when this succeeds.  `metadata` is the file beside the blob.  Once.
    virtual Result<void> publish(ByteView metadata) = 0;
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
    // Copy number 0 up to copies() - 1; the first is the one to read.  io_error where there is none.
    virtual Result<std::unique_ptr<BlobReader>> open(const ArtworkId& artwork, int copy) = 0;
    virtual Result<Bytes> read_metadata(const ArtworkId& artwork, int copy) = 0;
    // Whatever is there of it, in every copy; nothing is no error.
    virtual Result<void> remove(const ArtworkId& artwork) = 0;

    // Makes up for what the duplicate lacks of a published work; on its disk when this succeeds.  Not while the work is
    // being created or removed.  config: what the duplicate has of it is something else; storage_full, io_error.
    virtual Result<void> duplicate(const ArtworkId& artwork) = 0;

    // 1, or 2 where there is a duplicate.
    virtual int copies() const noexcept = 0;
    // How large a blob there is room for, all copies of it considered.
    virtual Result<std::uint64_t> room() const = 0;
};

}  // namespace sat
