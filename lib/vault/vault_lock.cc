// Locks on a vault's directories.
// SPDX-License-Identifier: Apache-2.0
#include "vault/vault_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace sat {

namespace {

Result<FileDescriptor> lock_or(const Path& path, const Error& busy) {
    auto lock = lock_file(path);
    if (!lock && lock.error().code == Errc::busy) return fail(busy);
    return lock;
}

}  // namespace

Result<FileDescriptor> lock_vault(const Path& root) {
    return lock_or(root / "lock",
                   {Errc::busy, "a vault runs on " + root.string(),
                    "stop it, then run the same command again; another command that works there ends by itself"});
}

Result<FileDescriptor> lock_for_repair(const Path& data) {
    return lock_or(data / kRepairLock,
                   {Errc::busy, "a backup of " + data.string() + " is being made", "try again when it is done"});
}

Result<FileDescriptor> keep_from_repair(const Path& data) {
    const Path path = data / kRepairLock;
    FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) return fail(errno_error("open", path, errno));
    if (::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return fd;
    if (errno != EWOULDBLOCK) return fail(errno_error("lock", path, errno));
    return fail(Errc::busy, data.string() + " is being repaired, or its keys are being changed",
                "try again when that is done");
}

}  // namespace sat
