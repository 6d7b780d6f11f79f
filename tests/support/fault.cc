// Preloaded into a program under test (LD_PRELOAD): at the n-th call that changes the disk the process is killed, or
// the disk is full; the n-th call of the input and output, or of SQLite, fails; a sync takes until the test lets it go;
// a file cannot be read; or everything that reaches the disk is written down.  So "at any point" is every point, one
// after the other, and none depends on a clock.
// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <dlfcn.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string_view>
#include <utility>

#include "support/fault_journal.h"
#include "support/fault_plan.h"

struct sqlite3;
struct sqlite3_stmt;

namespace {

using sat::test::FaultKind;
using sat::test::FaultPlan;
using sat::test::JournalHeader;
using sat::test::JournalOp;

FaultPlan* plan = nullptr;
std::string_view root;
int journal = -1;

template <typename F>
F next(const char* name) {
    return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

__attribute__((constructor)) void map_plan() {
    FaultPlan* mapped = sat::test::map_fault_plan();
    if (mapped == nullptr) return;
    if (const char* path = getenv(sat::test::kFaultRootVariable)) root = path;
    if (const char* path = getenv(sat::test::kFaultJournalVariable))
        journal = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    plan = mapped;
}

bool is_below_root(const char* path) { return path[0] != '/' || std::string_view(path).starts_with(root); }

bool is_regular(int fd) {
    struct stat status {};
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// A call of one of the kinds: 0, or the errno that it has to fail with.
int asked(bool changes, bool takes_room) {
    if (plan == nullptr) return 0;
    const FaultKind kind = plan->kind;
    if (kind != FaultKind::io && !(kind == FaultKind::change && changes)) return 0;
    const std::uint64_t number = ++plan->calls;
    if (number == plan->kill_at) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    if (number == plan->fail_at) {
        ++plan->faults;
        return static_cast<int>(plan->error);
    }
    if (takes_room && plan->full_at != 0 && number >= plan->full_at) {
        ++plan->faults;
        return ENOSPC;
    }
    return 0;
}

// The same, for the wrappers: true where the call fails, errno set.
bool fails(bool changes, bool takes_room) {
    const int error = asked(changes, takes_room);
    if (error != 0) errno = error;
    return error != 0;
}
bool fails(int fd, bool changes, bool takes_room) {
    return plan != nullptr && plan->kind != FaultKind::none && is_regular(fd) && fails(changes, takes_room);
}

// A write that a filling disk may do by half.
bool write_fails(int fd, std::size_t& size) {
    if (plan == nullptr || plan->kind == FaultKind::none || !is_regular(fd)) return false;
    const int error = asked(true, true);
    if (error == 0) return false;
    if (error == ENOSPC && size > 1 && plan->partial.exchange(0) != 0) {
        size /= 2;
        return false;
    }
    errno = error;
    return true;
}

// What an open file or directory is called; empty where it has no name.
std::string_view path_of(int fd, char (&path)[4096]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t size = readlinkat(AT_FDCWD, link, path, sizeof path);
    return {path, size <= 0 ? 0 : static_cast<std::size_t>(size)};
}

// Where a disk takes as long as the test wants.
void wait_at_gate(int fd) {
    if (plan == nullptr || plan->gate == 0) return;
    char path[4096];
    const std::string_view name = path_of(fd, path);
    if (!name.starts_with(root) || name.find(plan->gate_name.data()) == std::string_view::npos) return;
    ++plan->at_gate;
    while (plan->gate != 0) usleep(1000);
}

// A read of what a bad sector of the disk holds.
bool is_unreadable(int fd) {
    if (plan == nullptr || plan->unreadable == 0) return false;
    char path[4096];
    const std::string_view name = path_of(fd, path);
    if (!name.starts_with(root) || name.find(plan->unreadable_name.data()) == std::string_view::npos) return false;
    ++plan->faults;
    errno = static_cast<int>(plan->unreadable.load());
    return true;
}

bool read_fails(int fd) { return is_unreadable(fd) || fails(fd, false, false); }

bool list_fails(DIR* directory) {
    if (plan == nullptr) return false;
    const int fd = dirfd(directory);
    if (is_unreadable(fd)) return true;
    if (plan->kind != FaultKind::io) return false;
    char path[4096];
    return path_of(fd, path).starts_with(root) && fails(false, false);
}

// --- The journal ---

std::mutex journal_mutex;

// Held from before a call to after its record, so that the order is the disk's.
class Journaled {
public:
    Journaled() {
        if (journal >= 0) journal_mutex.lock();
    }
    ~Journaled() {
        if (journal >= 0) journal_mutex.unlock();
    }
    Journaled(const Journaled&) = delete;
    Journaled& operator=(const Journaled&) = delete;

    void record(JournalOp op, std::string_view path, std::string_view other, std::uint64_t inode = 0,
                std::uint64_t offset = 0, std::string_view data = {}) const {
        if (journal < 0) return;
        static const auto real = next<ssize_t (*)(int, const iovec*, int)>("writev");
        const int error = errno;
        JournalHeader header{op,
                             static_cast<std::uint32_t>(path.size()),
                             static_cast<std::uint32_t>(other.size()),
                             0,
                             inode,
                             offset,
                             data.size()};
        const auto part = [](const void* at, std::size_t size) { return iovec{const_cast<void*>(at), size}; };
        const iovec parts[] = {part(&header, sizeof header), part(path.data(), path.size()),
                               part(other.data(), other.size()), part(data.data(), data.size())};
        if (real(journal, parts, 4) < 0) abort();
        ++plan->records;
        errno = error;
    }
    // On a descriptor; nothing where it is no regular file.
    void record_on(int fd, JournalOp op, std::uint64_t offset, std::string_view data = {}) const {
        if (journal < 0) return;
        const int error = errno;
        struct stat status {};
        if (fstat(fd, &status) == 0) {
            if (S_ISREG(status.st_mode)) record(op, {}, {}, status.st_ino, offset, data);
            if (S_ISDIR(status.st_mode) && op == JournalOp::sync) {
                char path[4096];
                const std::string_view name = path_of(fd, path);
                if (!name.empty()) record(JournalOp::sync_directory, name, {});
            }
        }
        errno = error;
    }
};

std::string_view text(const void* data, ssize_t size) {
    return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

using OpenAt = int (*)(int, const char*, int, ...);

int opened(int at, const char* path, int flags, mode_t mode) {
    static const auto real = next<OpenAt>("openat");
    if (plan == nullptr || !is_below_root(path)) return real(at, path, flags, mode);
    const Journaled journaled;
    const bool is_new = (flags & O_CREAT) != 0 && faccessat(at, path, F_OK, 0) != 0;
    if (fails((flags & (O_ACCMODE | O_CREAT)) != O_RDONLY, is_new)) return -1;
    const int fd = real(at, path, flags, mode);
    struct stat status {};
    if (fd >= 0 && is_new && fstat(fd, &status) == 0) journaled.record(JournalOp::create, path, {}, status.st_ino);
    return fd;
}

thread_local bool in_sqlite = false;

// SQLite's own code that a step has to fail with; 0: none.
int step_fails() {
    if (plan == nullptr || plan->kind != FaultKind::step || in_sqlite) return 0;
    if (++plan->calls != plan->fail_at) return 0;
    ++plan->faults;
    return static_cast<int>(plan->error);
}

struct InSqlite {
    bool before = std::exchange(in_sqlite, true);
    InSqlite() = default;
    ~InSqlite() { in_sqlite = before; }
    InSqlite(const InSqlite&) = delete;
    InSqlite& operator=(const InSqlite&) = delete;
};

}  // namespace

#define SAT_EXPORT extern "C" __attribute__((visibility("default")))

// The system's own names and types; each asks the plan and then does what it is named after.
// NOLINTBEGIN(cppcoreguidelines-macro-usage)
#define SAT_OPEN(name)                                                                  \
    SAT_EXPORT int name(const char* path, int flags, ...) {                             \
        va_list more;                                                                   \
        va_start(more, flags);                                                          \
        const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, unsigned) : mode_t{}; \
        va_end(more);                                                                   \
        return opened(AT_FDCWD, path, flags, mode);                                     \
    }
#define SAT_OPENAT(name)                                                                \
    SAT_EXPORT int name(int at, const char* path, int flags, ...) {                     \
        va_list more;                                                                   \
        va_start(more, flags);                                                          \
        const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, unsigned) : mode_t{}; \
        va_end(more);                                                                   \
        return opened(at, path, flags, mode);                                           \
    }
#define SAT_WRAP(result, name, parameters, arguments, refused, done) \
    SAT_EXPORT result name parameters {                              \
        static const auto real = next<result(*) parameters>(#name);  \
        const Journaled journaled;                                   \
        if (refused) return -1;                                      \
        const result got = real arguments;                           \
        if (got >= 0) done;                                          \
        return got;                                                  \
    }
// NOLINTEND(cppcoreguidelines-macro-usage)

SAT_OPEN(open)
SAT_OPEN(open64)
SAT_OPENAT(openat)
SAT_OPENAT(openat64)

SAT_EXPORT ssize_t read(int fd, void* data, size_t size) {
    static const auto real = next<ssize_t (*)(int, void*, size_t)>("read");
    return read_fails(fd) ? -1 : real(fd, data, size);
}
SAT_EXPORT ssize_t pread(int fd, void* data, size_t size, off_t at) {
    static const auto real = next<ssize_t (*)(int, void*, size_t, off_t)>("pread");
    return read_fails(fd) ? -1 : real(fd, data, size, at);
}
SAT_EXPORT ssize_t pread64(int fd, void* data, size_t size, off64_t at) {
    static const auto real = next<ssize_t (*)(int, void*, size_t, off64_t)>("pread64");
    return read_fails(fd) ? -1 : real(fd, data, size, at);
}
SAT_EXPORT dirent* readdir(DIR* directory) {
    static const auto real = next<dirent* (*)(DIR*)>("readdir");
    return list_fails(directory) ? nullptr : real(directory);
}
SAT_EXPORT dirent64* readdir64(DIR* directory) {
    static const auto real = next<dirent64* (*)(DIR*)>("readdir64");
    return list_fails(directory) ? nullptr : real(directory);
}

SAT_EXPORT ssize_t write(int fd, const void* data, size_t size) {
    static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
    if (plan == nullptr || !is_regular(fd)) return real(fd, data, size);
    const Journaled journaled;
    const off_t at = lseek(fd, 0, SEEK_CUR);
    if (write_fails(fd, size)) return -1;
    const ssize_t got = real(fd, data, size);
    if (got >= 0) journaled.record_on(fd, JournalOp::write, static_cast<std::uint64_t>(at), text(data, got));
    return got;
}
SAT_WRAP(ssize_t, pwrite, (int fd, const void* data, size_t size, off_t at), (fd, data, size, at),
         write_fails(fd, size),
         journaled.record_on(fd, JournalOp::write, static_cast<std::uint64_t>(at), text(data, got)))
SAT_WRAP(ssize_t, pwrite64, (int fd, const void* data, size_t size, off64_t at), (fd, data, size, at),
         write_fails(fd, size),
         journaled.record_on(fd, JournalOp::write, static_cast<std::uint64_t>(at), text(data, got)))
// Not in a journal: no program of ours writes a file by these.
SAT_EXPORT ssize_t writev(int fd, const iovec* parts, int count) {
    static const auto real = next<ssize_t (*)(int, const iovec*, int)>("writev");
    if (journal >= 0 && is_regular(fd)) abort();
    return fails(fd, true, true) ? -1 : real(fd, parts, count);
}
SAT_EXPORT ssize_t copy_file_range(int in, off64_t* from, int out, off64_t* to, size_t size, unsigned flags) {
    static const auto real = next<ssize_t (*)(int, off64_t*, int, off64_t*, size_t, unsigned)>("copy_file_range");
    if (journal >= 0) abort();
    return fails(out, true, true) ? -1 : real(in, from, out, to, size, flags);
}
SAT_EXPORT ssize_t sendfile(int out, int in, off_t* from, size_t size) {
    static const auto real = next<ssize_t (*)(int, int, off_t*, size_t)>("sendfile");
    if (journal >= 0 && is_regular(out)) abort();
    return fails(out, true, true) ? -1 : real(out, in, from, size);
}
SAT_WRAP(int, fallocate, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size), fails(fd, true, true), void())

SAT_WRAP(int, fsync, (int fd), (fd), (wait_at_gate(fd), fails(true, false)),
         journaled.record_on(fd, JournalOp::sync, 0))
SAT_WRAP(int, fdatasync, (int fd), (fd), (wait_at_gate(fd), fails(true, false)),
         journaled.record_on(fd, JournalOp::sync, 0))
SAT_WRAP(int, ftruncate, (int fd, off_t size), (fd, size), fails(fd, true, false),
         journaled.record_on(fd, JournalOp::truncate, static_cast<std::uint64_t>(size)))
SAT_WRAP(int, ftruncate64, (int fd, off64_t size), (fd, size), fails(fd, true, false),
         journaled.record_on(fd, JournalOp::truncate, static_cast<std::uint64_t>(size)))
SAT_WRAP(int, rename, (const char* from, const char* to), (from, to), fails(true, false),
         journaled.record(JournalOp::rename, from, to))
SAT_WRAP(int, renameat, (int a, const char* from, int b, const char* to), (a, from, b, to), fails(true, false),
         journaled.record(JournalOp::rename, from, to))
SAT_WRAP(int, renameat2, (int a, const char* from, int b, const char* to, unsigned flags), (a, from, b, to, flags),
         fails(true, false), journaled.record(JournalOp::rename, from, to))
SAT_WRAP(int, link, (const char* from, const char* to), (from, to), fails(true, true),
         journaled.record(JournalOp::link, from, to))
SAT_WRAP(int, linkat, (int a, const char* from, int b, const char* to, int flags), (a, from, b, to, flags),
         fails(true, true), journaled.record(JournalOp::link, from, to))
SAT_WRAP(int, unlink, (const char* path), (path), fails(true, false), journaled.record(JournalOp::unlink, path, {}))
SAT_WRAP(int, unlinkat, (int at, const char* path, int flags), (at, path, flags), fails(true, false),
         journaled.record(JournalOp::unlink, path, {}))
SAT_WRAP(int, mkdir, (const char* path, mode_t mode), (path, mode), fails(true, true),
         journaled.record(JournalOp::make_directory, path, {}))
SAT_WRAP(int, mkdirat, (int at, const char* path, mode_t mode), (at, path, mode), fails(true, true),
         journaled.record(JournalOp::make_directory, path, {}))

SAT_EXPORT int sqlite3_step(sqlite3_stmt* statement) {
    static const auto real = next<int (*)(sqlite3_stmt*)>("sqlite3_step");
    const int code = step_fails();
    const InSqlite guard;
    return code != 0 ? code : real(statement);
}
SAT_EXPORT int sqlite3_exec(sqlite3* connection, const char* sql, int (*row)(void*, int, char**, char**), void* data,
                            char** message) {
    using Row = int (*)(void*, int, char**, char**);
    static const auto real = next<int (*)(sqlite3*, const char*, Row, void*, char**)>("sqlite3_exec");
    const int code = step_fails();
    const InSqlite guard;
    return code != 0 ? code : real(connection, sql, row, data, message);
}
