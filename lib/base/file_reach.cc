// Landlock: see file_reach.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/file_reach.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/syscall_filter.h"

namespace sat {

namespace {

// Version 1 lets nothing be renamed from one directory to another, which is how a work comes to its place.
constexpr long kOldestVersion = 2;
constexpr long kTruncateVersion = 3;
constexpr std::uint64_t kTruncate = 1ULL << 14;  // LANDLOCK_ACCESS_FS_TRUNCATE of newer headers

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kOwn = kRead | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                               LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                               LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REFER;
// Nobody's, anywhere.
constexpr std::uint64_t kNever = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                 LANDLOCK_ACCESS_FS_MAKE_SYM;

Result<void> allow_below(int rules, const Path& directory, std::uint64_t access) {
    const FileDescriptor fd(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return fail(errno_error("reach", directory, errno));
    const landlock_path_beneath_attr rule{access, fd.get()};
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        return fail(errno_error("keep within reach", directory, errno));
    return {};
}

}  // namespace

Result<Confined> confine_files(const FileReach& reach) {
    if (kSanitized) return Confined::sanitized;
    const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < kOldestVersion) return Confined::unsupported;
    const std::uint64_t own = kOwn | (version >= kTruncateVersion ? kTruncate : 0);
    landlock_ruleset_attr handled{};
    handled.handled_access_fs = own | kNever;
    const FileDescriptor rules(static_cast<int>(syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0)));
    if (!rules) return fail(errno_error("confine", "the process", errno));
    for (const Path& directory : reach.own) SAT_TRY(allow_below(rules.get(), directory, own));
    for (const Path& directory : reach.read) SAT_TRY(allow_below(rules.get(), directory, kRead));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0)
        return fail(errno_error("confine", "the process", errno));
    return Confined::yes;
}

}  // namespace sat
