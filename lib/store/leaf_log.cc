// The leaves files.  docs/storage.md, "The leaves files".
// SPDX-License-Identifier: Apache-2.0
#include "store/leaf_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "base/codec.h"
#include "ledger/leaf.h"
#include "store/leaf_file.h"
#include "store/row_codec.h"

namespace sat {

namespace {

// Leaves are copied in steps of at most this many: about 8 MiB at the largest.
constexpr std::size_t kStep = 128;

Result<Bytes> read_at(int fd, std::uint64_t offset, std::uint64_t size, const Path& path) {
    if (lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) return fail(errno_error("read", path, errno));
    Bytes out(static_cast<std::size_t>(size));
    SAT_TRY_VALUE(const std::size_t got, read_some(fd, out, path));
    out.resize(got);
    return out;
}

Result<void> truncate(int fd, std::uint64_t size, const Path& path) {
    if (ftruncate(fd, static_cast<off_t>(size)) != 0) return fail(errno_error("write", path, errno));
    return {};
}

Result<void> write_at(int fd, std::uint64_t offset, ByteView bytes, const Path& path) {
    while (!bytes.empty()) {
        const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail(errno_error("write", path, errno));
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
    return {};
}

tl::unexpected<Error> contradiction(const Path& path, std::string_view how) {
    return fail(Errc::config, path.string() + " and the catalogue contradict each other: " + std::string(how),
                "an old or foreign catalogue was put beside it; put back the one that belongs to it, or look at all of "
                "it with `sat-vaultd check`");
}

tl::unexpected<Error> damaged_catalog(std::uint64_t leaf) {
    return fail(Errc::config,
                "the catalogue is damaged: leaf " + std::to_string(leaf) + " of the ledger is missing or misplaced",
                "run `sat-vaultd check --repair`");
}

}  // namespace

Result<LeafLog::File> LeafLog::open_file(const Path& path, const Wallet& vault, AtRestSealer& sealer,
                                         CatalogReader& reader) {
    File file;
    file.path = path;
    file.fd.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.fd) return fail(errno_error("open", path, errno));
    struct stat status {};
    if (fstat(file.fd.get(), &status) != 0) return fail(errno_error("read", path, errno));
    const auto size = static_cast<std::uint64_t>(status.st_size);

    const Bytes wanted = leaf_log_header(vault);
    SAT_TRY_VALUE(const Bytes found, read_at(file.fd.get(), 0, std::min(size, kLeafLogHeader), path));
    if (!std::equal(found.begin(), found.end(), wanted.begin()))
        return fail(Errc::config, path.string() + " is no leaves file of this vault");
    if (size < kLeafLogHeader) {
        SAT_TRY(truncate(file.fd.get(), 0, path));
        SAT_TRY(write_at(file.fd.get(), 0, wanted, path));
        SAT_TRY(sync_fd(file.fd.get(), path));
        SAT_TRY(sync_directory(path.parent_path()));
        file.end = kLeafLogHeader;
        return file;
    }

    // Where each record ends is known from the catalogue, so the last whole record tells whether the files belong
    // together; what lies before it is not read.  A power cut may have left the end of the last step unwritten: one
    // step back at most.
    SAT_TRY_VALUE(auto last, reader.sealed_leaf_ending_by(size));
    for (std::size_t back = 0; last; ++back) {
        const Bytes expected = leaf_record(last->sealed);
        if (last->log_end < kLeafLogHeader + expected.size()) return damaged_catalog(last->index);
        SAT_TRY_VALUE(const Bytes there,
                      read_at(file.fd.get(), last->log_end - expected.size(), expected.size(), path));
        if (there == expected) break;
        if (back == kStep) return contradiction(path, "leaf " + std::to_string(last->index) + " differs");
        if (last->index == 0) {
            last.reset();
        } else {
            SAT_TRY_VALUE(auto before, reader.sealed_leaves(last->index - 1, 1));
            if (before.size() != 1 || before[0].index != last->index - 1) return damaged_catalog(last->index - 1);
            last = std::move(before[0]);
        }
    }
    file.end = last ? last->log_end : kLeafLogHeader;
    file.leaves = last ? last->index + 1 : 0;
    // What is read back may never have reached the disk: a process that was killed before its sync wrote it.
    const auto synced = [&]() -> Result<void> {
        SAT_TRY(sync_fd(file.fd.get(), path));
        return sync_directory(path.parent_path());
    };
    if (size == file.end) {
        SAT_TRY(synced());
        return file;
    }

    // What follows is the torn beginning of leaves that the catalogue has, or else a ledger that it knows nothing of.
    SAT_TRY_VALUE(const auto more, reader.sealed_leaves(file.leaves, 1));
    if (more.empty()) return contradiction(path, "it has leaves that the catalogue does not have");
    SAT_TRY_VALUE(const Bytes torn,
                  read_at(file.fd.get(), file.end, std::min<std::uint64_t>(size - file.end, kMaxLeafRecord), path));
    ByteReader in(torn);
    const std::uint32_t length = in.u32();
    const ByteView sealed = in.raw(length);
    if (in.ok() && sealer.open(leaf_aad(file.leaves), sealed))
        return contradiction(path, "leaf " + std::to_string(file.leaves) + " differs");
    SAT_TRY(truncate(file.fd.get(), file.end, path));
    SAT_TRY(synced());
    return file;
}

Result<std::unique_ptr<LeafLog>> LeafLog::open(const std::vector<Path>& files, const Wallet& vault,
                                               const MasterKey& master, Catalog& catalog) {
    std::unique_ptr<LeafLog> log(new LeafLog());
    {
        AtRestSealer sealer(master.derive(AtRestKey::leaves));
        SAT_TRY_VALUE(const auto reader, catalog.read());
        for (const Path& path : files) {
            SAT_TRY_VALUE(File file, open_file(path, vault, sealer, *reader));
            log->files_.push_back(std::move(file));
        }
    }
    return log;
}

std::uint64_t LeafLog::leaves(std::size_t file) {
    const std::lock_guard lock(mutex_);
    return files_.at(file).leaves;
}

std::uint64_t LeafLog::fewest() const { return std::ranges::min_element(files_, {}, &File::leaves)->leaves; }

std::uint64_t LeafLog::leaves_in_all() {
    const std::lock_guard lock(mutex_);
    return fewest();
}

Result<void> LeafLog::catch_up(Catalog& catalog) {
    const std::uint64_t call = ++asked_;
    const std::lock_guard lock(mutex_);
    // Another call began after this one and before now, and copied all that was committed by then.
    if (caught_up_ >= call) return {};
    const std::uint64_t calls = asked_;
    for (;;) {
        const std::uint64_t from = fewest();
        std::vector<SealedLeaf> leaves;
        {
            SAT_TRY_VALUE(const auto reader, catalog.read());
            SAT_TRY_VALUE(leaves, reader->sealed_leaves(from, kStep));
        }
        for (File& file : files_) SAT_TRY(append(file, leaves));
        if (leaves.size() < kStep) break;
    }
    caught_up_ = calls;
    return {};
}

Result<void> LeafLog::append(File& file, const std::vector<SealedLeaf>& leaves) {
    Bytes records;
    std::uint64_t count = file.leaves;
    for (const SealedLeaf& leaf : leaves) {
        if (leaf.index < count) continue;  // the other file was further behind
        if (leaf.index != count || leaf.log_end != file.end + records.size() + leaf_record_size(leaf.sealed.size()))
            return damaged_catalog(count);
        sat::append(records, leaf_record(leaf.sealed));
        ++count;
    }
    if (records.empty()) return {};
    if (file.torn) SAT_TRY(truncate(file.fd.get(), file.end, file.path));
    file.torn = true;
    auto written = write_at(file.fd.get(), file.end, records, file.path);
    if (written) written = sync_fd(file.fd.get(), file.path);
    if (!written) {
        // The disk is full, or failing: the error of the write says more than one of cutting it off again, which the
        // next call makes up for.
        file.torn = !truncate(file.fd.get(), file.end, file.path);
        return written;
    }
    file.torn = false;
    file.end += records.size();
    file.leaves = count;
    return {};
}

}  // namespace sat
