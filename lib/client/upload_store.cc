// Uploads under way.
// SPDX-License-Identifier: Apache-2.0
#include "client/upload_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/assert.h"
#include "base/codec.h"
#include "base/json.h"
#include "crypto/hash.h"
#include "ledger/jws.h"

namespace sat {

namespace {

// A registration, a preview in base64url, and what stands around them.
constexpr std::size_t kMaxFile = std::size_t{256} * 1024;

}  // namespace

Digest upload_name(const Wallet& vault, const struct stat& file, unsigned which) {
    SAT_ASSERT(which < kUploadNames);
    ByteWriter version;
    version.u64(static_cast<std::uint64_t>(file.st_dev)).u64(static_cast<std::uint64_t>(file.st_ino));
    version.u64(static_cast<std::uint64_t>(file.st_size)).u64(static_cast<std::uint64_t>(file.st_mtim.tv_sec));
    version.u32(static_cast<std::uint32_t>(file.st_mtim.tv_nsec));
    if (which > 0) version.u8(static_cast<std::uint8_t>(which));
    return sha256(label("SAT/1 upload name", {vault.view(), version.bytes()}));
}

// A byte of one file for each name: a file for each would have to be removed while others open it.
NameHold UploadStore::hold(const Digest& name) const {
    NameHold hold;
    hold.lock = FileDescriptor(::open(locks_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (!hold.lock) return hold;
    struct flock byte {};
    byte.l_type = F_WRLCK;
    byte.l_whence = SEEK_SET;
    byte.l_start = static_cast<off_t>(ByteReader(name.view()).u64() >> 2U);
    byte.l_len = 1;
    // Not F_SETLK: threads of one process upload side by side, and closing any descriptor would give all locks up.
    if (::fcntl(hold.lock.get(), F_OFD_SETLK, &byte) == 0) {
        hold.by = NameHold::By::this_run;
    } else {
        if (errno == EAGAIN || errno == EACCES) hold.by = NameHold::By::another_run;
        hold.lock.reset();
    }
    return hold;
}

Result<void> UploadStore::keep(const Digest& name, const UploadCommitRequest& commit) const {
    SAT_TRY(make_private_directory(directory_));
    const std::string text = dump_json(Json{{"v", 1}, {"commit", commit.to_json()}}) + "\n";
    return write_file_atomically(file(name), as_bytes(text), AtomicFile::Existing::replace, 0600);
}

Result<std::optional<UploadCommitRequest>> UploadStore::find(const Digest& name) const {
    struct stat status {};
    if (::lstat(file(name).c_str(), &status) != 0 && errno == ENOENT) return std::optional<UploadCommitRequest>{};
    SAT_TRY(require_private_file(file(name)));
    const auto read = [&]() -> Result<UploadCommitRequest> {
        SAT_TRY_VALUE(const Bytes bytes, read_file(file(name), kMaxFile));
        SAT_TRY_VALUE(const Json json, parse_json(as_text(bytes)));
        ObjectReader in(json, Errc::config);
        in.integer("v", 1, 1);
        const Json& commit = in.value("commit");
        SAT_TRY(in.finish());
        return UploadCommitRequest::from_json(commit);
    };
    auto commit = read();
    if (!commit)
        return fail(Errc::config, file(name).string() + " is damaged: " + commit.error().message,
                    "see by `list` whether the work is there, and remove the file");
    return std::optional(std::move(*commit));
}

Result<void> UploadStore::remove(const Digest& name, const StatementId& registration) const {
    // Whoever replaces it has asked the vault about it, and sent an image, since it was read here.
    SAT_TRY_VALUE(const auto there, find(name));
    if (!there) return {};
    SAT_TRY_VALUE(const Jws jws, parse_jws(there->registration));
    if (jws.id != registration) return {};
    // Not synced: where a power cut brings it back, the next run of this file hears the receipt once more.
    if (::unlink(file(name).c_str()) != 0 && errno != ENOENT) return fail(errno_error("remove", file(name), errno));
    return {};
}

}  // namespace sat
