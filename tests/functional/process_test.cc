// The vault as a process: not root's, its keys out of core dumps and swap, no system call that it has no use for, its
// service manager told how it is, and a log that tells nobody's secrets.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <regex>
#include <thread>

#include "base/file_reach.h"
#include "base/syscall_filter.h"
#include "sat-vaultd/confine.h"
#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// The value of a line of /proc/…/status.
std::string field(const Path& status, const std::string& name) {
    const std::string text = read_text(status);
    std::smatch match;
    return std::regex_search(text, match, std::regex("(^|\n)" + name + ":\\s*([^\n]*)")) ? match[2].str() : "";
}

// Datagrams to a service manager.
class ManagerSocket {
public:
    explicit ManagerSocket(const std::string& name) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name.copy(address.sun_path, sizeof address.sun_path - 1);
        if (name[0] == '@') address.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0) << name;
        const timeval patience{60, 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    // The next one; empty where none comes.
    std::string next() {
        char bytes[1024];
        const ssize_t size = ::recv(fd_.get(), bytes, sizeof bytes, 0);
        return size < 0 ? "" : std::string(bytes, static_cast<std::size_t>(size));
    }

private:
    FileDescriptor fd_;
};

class VaultAsAProcess : public ThreeComputers {
public:
    Path proc() { return Path("/proc") / std::to_string(vault().process().pid()); }
    bool filtered() { return vault().process().err().find("event=no_filter") == std::string::npos; }
    // `run` on the vault's data, with nothing added.
    ProcessOptions plain(const Words& more) {
        ProcessOptions options;
        options.argv = {program_path("sat-vaultd"), "run", "--data", data(), "--listen", "127.0.0.1:0"};
        options.argv.insert(options.argv.end(), more.begin(), more.end());
        options.env = {{"HOME", "/nonexistent"}};
        return options;
    }
};

TEST_F(VaultAsAProcess, DoesNotRunAsRootUnlessToldTo) {
    stop_vault();
    no_vault();
    if (geteuid() != 0) {
        Process process(plain({}));
        EXPECT_TRUE(process.wait_for_output("fingerprint ")) << "no option is needed: " << process.err();
        return;
    }
    const Outcome refused = test::run(plain({}));
    EXPECT_EQ(refused.exit_code, exits::kConfig) << refused.err;
    EXPECT_EQ(refused.out, "");
    EXPECT_THAT(refused.err, HasSubstr("a vault does not run as root"));
    EXPECT_THAT(refused.err, HasSubstr("--allow-root"));
    EXPECT_EQ(test::run(plain({"--data", dir() / "fresh", "--no-passphrase"})).exit_code, exits::kConfig);
    EXPECT_FALSE(fs::exists(dir() / "fresh")) << "nothing was made on the way";
    write_text(dir() / "vault.toml", "allow-root = true\n");
    Process process(plain({"--config", dir() / "vault.toml"}));
    EXPECT_TRUE(process.wait_for_output("fingerprint ")) << process.err();
}

TEST_F(VaultAsAProcess, RunsAsAnOrdinaryUser) {
    if (geteuid() != 0) return;  // it does in every other test
    stop_vault();
    no_vault();
    constexpr uid_t kNobody = 65534;
    fs::permissions(dir(), fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
    ASSERT_EQ(chown(data().c_str(), kNobody, kNobody), 0);
    for (const auto& entry : fs::recursive_directory_iterator(data()))
        ASSERT_EQ(lchown(entry.path().c_str(), kNobody, kNobody), 0);
    ProcessOptions options = plain({});
    options.argv.insert(options.argv.begin(), {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
    Process process(options);
    ASSERT_TRUE(process.wait_for_output("fingerprint ")) << process.err();
    // Root may ask it, and it ends well.
    const Done status = vaultd_command({"status"}).json().run();
    EXPECT_EQ(status.data()["running"], true) << status.out << status.err;
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait().exit_code, 0) << process.err();
}

TEST_F(VaultAsAProcess, GivesUpWhatItDoesNotNeed) {
    upload();
    ASSERT_EQ(collector({"browse"}).exit, 0);
    EXPECT_THAT(read_text(proc() / "limits"), testing::ContainsRegex("Max core file size +0 +0 "));
    std::size_t threads = 0;
    for (const auto& task : fs::directory_iterator(proc() / "task")) {
        EXPECT_EQ(field(task.path() / "status", "NoNewPrivs"), "1");
        EXPECT_EQ(field(task.path() / "status", "Seccomp"), filtered() ? "2" : "0") << "2: a filter";
        ++threads;
    }
    EXPECT_GT(threads, 4U) << "the network's, the workers, those of the handshakes";
}

TEST_F(VaultAsAProcess, ItsClientsLockTheirPrivateKeysWhereTheyMay) {
    if (!filtered()) return;  // a sanitizer locks nothing
    const auto locked_while_watching = [this](const std::string& kibibytes) {
        ProcessOptions options;
        options.argv = {"/bin/sh",
                        "-c",
                        "ulimit -l " + kibibytes + " && exec \"$0\" \"$@\"",
                        program_path("sat-collector"),
                        "--home",
                        collector_home(),
                        "--vault",
                        vault().address(),
                        "--vault-key",
                        vault().fingerprint(),
                        "--no-input",
                        "--verbose",
                        "watch"};
        options.without_capabilities = true;
        Process watching(options);
        EXPECT_TRUE(watching.wait_for_error("connected to")) << watching.err();
        return std::stoull("0" + field(Path("/proc") / std::to_string(watching.pid()) / "status", "VmLck"));
    };
    EXPECT_GE(locked_while_watching("2048"), 1024U);
    EXPECT_EQ(locked_while_watching("0"), 0U) << "and it works all the same";
}

TEST_F(VaultAsAProcess, LocksItsMemoryOrSaysThatItCannot) {
    if (!filtered()) return;  // a sanitizer locks nothing
    const auto locked = [](Process& process) {
        return std::stoull("0" + field(Path("/proc") / std::to_string(process.pid()) / "status", "VmLck"));
    };
    // Here nobody knows what this machine allows; but it is one or the other.
    const bool warned = vault().process().err().find("may_be_swapped") != std::string::npos;
    EXPECT_EQ(locked(vault().process()) > 16 * 1024, !warned) << vault().process().err();
    stop_vault();
    no_vault();
    const auto limited = [this](const std::string& kibibytes) {
        ProcessOptions options = plain({"--allow-root"});
        options.argv.insert(options.argv.begin(),
                            {"/bin/sh", "-c", "ulimit -l " + kibibytes + " && exec \"$0\" \"$@\""});
        options.without_capabilities = true;
        return options;
    };
    {
        Process process(limited("4096"));
        ASSERT_TRUE(process.wait_for_output("fingerprint ")) << process.err();
        EXPECT_THAT(process.err(), HasSubstr("level=warning event=keys_may_be_swapped limit=4194304"));
        EXPECT_GE(locked(process), 1024U) << "the vault's own keys are locked";
        process.signal(SIGTERM);
        EXPECT_EQ(process.wait().exit_code, 0);
    }
    Process process(limited("0"));
    ASSERT_TRUE(process.wait_for_output("fingerprint ")) << process.err();
    EXPECT_THAT(process.err(), HasSubstr("level=warning event=keys_may_be_swapped limit=0"));
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait().exit_code, 0);
}

// What a child under the vault's filter may and may not do; 0, or the line that was not so.
int try_under_filter(const Path& directory) {
#define REQUIRE(condition)                 \
    do {                                   \
        if (!(condition)) return __LINE__; \
    } while (false)
    const auto refused = [](long result) { return result == -1 && errno == EPERM; };
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    // As the vault has them when it serves: somebody to listen to, and a socket that is not connected.
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(listener, any, size) == 0 && ::listen(listener, 4) == 0);
    REQUIRE(::getsockname(listener, any, &size) == 0);
    const int caller = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(caller, any, size) == 0);
    const int loose = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int datagrams = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    REQUIRE(listener >= 0 && caller >= 0 && loose >= 0 && datagrams >= 0);
    std::atomic<bool> go = false;
    std::atomic<bool> earlier_thread_refused = false;
    std::thread earlier([&] {
        go.wait(false);
        earlier_thread_refused = refused(::socket(AF_INET, SOCK_STREAM, 0));
    });

    const auto filtered = filter_system_calls();
    go = true;
    go.notify_all();
    earlier.join();
    REQUIRE(filtered && *filtered == Filtered::yes);
    REQUIRE(earlier_thread_refused);

    // Nobody is called up.
    REQUIRE(refused(::socket(AF_INET, SOCK_STREAM, 0)) && refused(::socket(AF_INET6, SOCK_DGRAM, 0)));
    REQUIRE(refused(::socket(AF_UNIX, SOCK_STREAM, 0)));
    REQUIRE(refused(::connect(loose, any, size)));
    REQUIRE(refused(::connect(datagrams, any, size)));
    REQUIRE(refused(::sendto(loose, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, any, size)));
    iovec part{any, 1};
    msghdr message{any, size, &part, 1, nullptr, 0, 0};
    REQUIRE(refused(::sendmsg(loose, &message, MSG_FASTOPEN | MSG_NOSIGNAL)));
    mmsghdr messages{message, 0};
    REQUIRE(refused(::sendmmsg(datagrams, &messages, 1, 0)));
    REQUIRE(refused(::bind(loose, any, size)) && refused(::listen(loose, 1)));
    REQUIRE(refused(syscall(SYS_io_uring_setup, 1, nullptr)));

    REQUIRE(refused(::sendto(datagrams, "x", 1, MSG_NOSIGNAL, any, size)));

    // Nobody else is signalled through a descriptor, or limited.
    REQUIRE(::fcntl(loose, F_SETOWN, getppid()) == -1 && errno == EINVAL);
    REQUIRE(::fcntl(loose, F_SETSIG, SIGKILL) == -1 && errno == EINVAL);
    const rlimit none{};
    REQUIRE(refused(::prlimit(getppid(), RLIMIT_CPU, &none, nullptr)));
    rlimit own{};
    REQUIRE(::prlimit(0, RLIMIT_NOFILE, nullptr, &own) == 0);
    REQUIRE(::fcntl(loose, F_SETFL, O_NONBLOCK) == 0 && ::fcntl(loose, F_GETFD) == FD_CLOEXEC);

    // No program, no process, nobody else's memory, nothing new to execute.
    char word[] = "/bin/true";
    char* argv[] = {word, nullptr};
    REQUIRE(refused(::execve(word, argv, nullptr)));
    REQUIRE(refused(::fork()) && refused(syscall(SYS_vfork)));
    REQUIRE(syscall(SYS_clone3, nullptr, 0) == -1 && errno == ENOSYS);
    REQUIRE(refused(::ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr)));
    REQUIRE(refused(syscall(SYS_process_vm_readv, getppid(), nullptr, 0, nullptr, 0, 0)));
    REQUIRE(refused(::kill(getppid(), 0)) && refused(::kill(1, 0)) && refused(::kill(-1, 0)));
    REQUIRE(refused(syscall(SYS_tgkill, getppid(), getppid(), 0)));
    REQUIRE(::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    REQUIRE(errno == EPERM);
    void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(page != MAP_FAILED);
    REQUIRE(refused(::mprotect(page, 4096, PROT_READ | PROT_EXEC)));
    REQUIRE(refused(syscall(SYS_memfd_create, "x", 0)));
    REQUIRE(refused(syscall(SYS_mount, nullptr, nullptr, nullptr, 0, nullptr)));
    REQUIRE(refused(syscall(SYS_setuid, 0)));
    // What nobody thought of is as if it were not there.
    REQUIRE(syscall(SYS_acct, nullptr) == -1 && errno == ENOSYS);
    REQUIRE(syscall(1'000'000) == -1 && errno == ENOSYS);
    REQUIRE(syscall(0x40000000 + SYS_getpid) == -1 && errno == EPERM);

    // And what it lives by goes on.
    const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    REQUIRE(accepted >= 0 && ::send(accepted, "x", 1, MSG_NOSIGNAL) == 1);
    const Path file = directory / "file";
    REQUIRE(write_file_atomically(file, as_bytes("text"), AtomicFile::Existing::refuse));
    REQUIRE(read_file(file, 10) && free_space(directory) && fs::remove(file));
    bool ran = false;
    std::thread([&ran] { ran = true; }).join();
    REQUIRE(ran && ::kill(getpid(), 0) == 0);
    return 0;
#undef REQUIRE
}

TEST_F(VaultAsAProcess, TheFilterLeavesOnlyWhatTheVaultLivesBy) {
    if (kSanitized) {
        EXPECT_EQ(filter_system_calls().value(), Filtered::sanitized);
        return;
    }
    const pid_t child = fork();
    if (child == 0) {
        const int line = try_under_filter(dir());
        if (line != 0) dprintf(2, "under the filter: line %d: errno %d\n", line, errno);
        _exit(line == 0 ? 0 : 1);
    }
    int how = 0;
    ASSERT_EQ(waitpid(child, &how, 0), child);
    EXPECT_TRUE(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

// What a child that may reach `own` and read `shown` may and may not do; 0, or the line that was not so.
int try_to_reach(const Path& own, const Path& shown, const Path& other) {
#define REQUIRE(condition)                 \
    do {                                   \
        if (!(condition)) return __LINE__; \
    } while (false)
    const auto denied = [](int fd) { return fd == -1 && errno == EACCES; };
    const auto confined = confine_files({{own}, {shown}});
    if (!confined) return __LINE__;
    if (*confined == Confined::unsupported) return 0;
    // A program of the same user, the vault's operator perhaps, has its memory there.
    REQUIRE(denied(::open(("/proc/" + std::to_string(getppid()) + "/mem").c_str(), O_RDWR | O_CLOEXEC)));
    REQUIRE(denied(::open((other / "file").c_str(), O_RDONLY | O_CLOEXEC)));
    REQUIRE(denied(::open((other / "new").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
    REQUIRE(denied(::open((shown / "file").c_str(), O_WRONLY | O_CLOEXEC)));
    REQUIRE(::rename((other / "file").c_str(), (own / "stolen").c_str()) != 0);
    REQUIRE(::symlink("/", (own / "link").c_str()) != 0);
    REQUIRE(read_file(shown / "file", 10));
    REQUIRE(write_file_atomically(own / "file", as_bytes("text"), AtomicFile::Existing::refuse));
    REQUIRE(fs::create_directory(own / "below"));
    REQUIRE(::rename((own / "file").c_str(), (own / "below" / "file").c_str()) == 0);
    REQUIRE(::truncate((own / "below" / "file").c_str(), 1) == 0);
    bool thread_denied = false;
    std::thread([&] { thread_denied = denied(::open("/etc/passwd", O_RDONLY | O_CLOEXEC)); }).join();
    REQUIRE(thread_denied && fs::remove_all(own / "below") == 2);
    return 0;
#undef REQUIRE
}

TEST_F(VaultAsAProcess, ReachesNoFilesButItsOwn) {
    for (const char* name : {"own", "shown", "other"}) {
        fs::create_directory(dir() / name);
        write_text(dir() / name / "file", "text");
    }
    fs::remove(dir() / "own" / "file");
    if (kSanitized) {
        EXPECT_EQ(confine_files({{dir()}, {}}).value(), Confined::sanitized);
        return;
    }
    const pid_t child = fork();
    if (child == 0) {
        const int line = try_to_reach(dir() / "own", dir() / "shown", dir() / "other");
        if (line != 0) dprintf(2, "out of reach: line %d: errno %d\n", line, errno);
        _exit(line == 0 ? 0 : 1);
    }
    int how = 0;
    ASSERT_EQ(waitpid(child, &how, 0), child);
    EXPECT_TRUE(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    EXPECT_FALSE(confine_files({{dir() / "nowhere"}, {}}));
}

TEST_F(VaultAsAProcess, TellsItsServiceManagerHowItIs) {
    for (const std::string& name : {(dir() / "notify").string(), "@sat-test-" + dir().filename().string()}) {
        SCOPED_TRACE(name);
        ManagerSocket manager(name);
        start_vault({.data = data(), .duplicate = duplicate(), .env = {{"NOTIFY_SOCKET", name}}});
        // Its directories may take longer than it would be waited for.
        EXPECT_THAT(manager.next(), HasSubstr("EXTEND_TIMEOUT_USEC=600000000"));
        EXPECT_EQ(manager.next(), "READY=1\nSTATUS=serving");
        vault().process().signal(SIGHUP);
        EXPECT_THAT(manager.next(), testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
        EXPECT_EQ(manager.next(), "READY=1\nSTATUS=serving");
        EXPECT_EQ(artist({"list"}).exit, 0);
        EXPECT_EQ(vault().terminate(), 0);
        EXPECT_THAT(manager.next(), HasSubstr("STOPPING=1"));
    }
    no_vault();
    for (const std::string& name : {std::string("relative"), (dir() / "nobody").string(), std::string(200, '/')}) {
        ProcessOptions options = plain({"--allow-root"});
        options.env["NOTIFY_SOCKET"] = name;
        EXPECT_EQ(test::run(options).exit_code, exits::kConfig) << name;
    }
}

TEST_F(VaultAsAProcess, ItsUnitFileIsTightAndNamesTheProgram) {
    const Path prefix = dir() / "prefix";
    const Outcome done = test::run({.argv = {SAT_CMAKE, "--install", SAT_BUILD_DIR, "--prefix", prefix}}, seconds(120));
    ASSERT_EQ(done.exit_code, 0) << done.out << done.err;
    const Path unit = prefix / "lib/systemd/system/sat-vaultd.service";
    const std::string text = read_text(unit);
    EXPECT_THAT(text, HasSubstr("\nExecStart=" + (prefix / "bin/sat-vaultd").string() + " run "));
    EXPECT_THAT(text, Not(HasSubstr("@SAT")));
    EXPECT_THAT(read_text(prefix / "lib/sysusers.d/sat-vaultd.conf"), HasSubstr("\nu sat "));
    const Path analyze = "/usr/bin/systemd-analyze";
    if (!fs::exists(analyze)) {
        std::cout << "no systemd here: how exposed the unit is was not measured\n";
        return;
    }
    const Outcome judged = test::run({.argv = {analyze, "security", "--offline=true", "--no-pager", unit}});
    EXPECT_EQ(judged.exit_code, 0) << judged.out << judged.err;
    std::smatch match;
    const std::regex verdict("Overall exposure level for sat-vaultd.service: ([0-9.]+) ");
    ASSERT_TRUE(std::regex_search(judged.out, match, verdict)) << judged.out << judged.err;
    EXPECT_LE(std::stod(match[1]), 1.5) << judged.out;
}

// Each text that a person gives away somewhere on the way, and each secret; then everything that the vault's program
// said is searched for them.
TEST_F(VaultAsAProcess, NothingThatAPersonSaidIsInTheLogOrInWhatTheOperatorSees) {
    stop_vault();
    const Path home = dir() / "locked-vault";
    copy_cached("locked-vault", home);
    const Path passphrase = dir() / "passphrase";
    write_text(passphrase, std::string(kLockedPassphrase) + "\n");
    fs::permissions(passphrase, fs::perms::owner_read | fs::perms::owner_write);
    start_vault({.data = home,
                 .duplicate = dir() / "locked-duplicate",
                 .more = {"--passphrase-file", passphrase, "--log-level", "debug"}});
    std::string said;
    const auto operate = [&](Words words) {
        for (const bool json : {false, true}) {
            Command command("sat-vaultd", words);
            const Done done = command.home(home).json(json).run();
            said += done.out + done.err;
        }
    };

    fs::rename(picture(), dir() / "CanaryFile.jpg");
    const Done uploaded =
        artist({"upload", dir() / "CanaryFile.jpg", "--title", "CanaryTitle one", "--artist", "CanaryArtist two",
                "--description", "CanaryDescription three", "--created", "1987-06-05"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.out << uploaded.err;
    const std::string id = uploaded.data()["id"].get<std::string>();
    const std::string receipt = uploaded.data()["receipt"].get<std::string>();
    EXPECT_EQ(second({"browse", "CanarySearch"}).exit, 0);
    EXPECT_EQ(second({"claim", id, "--message", "CanaryMessage four", "--wait", "0"}).exit, exits::kPending);
    EXPECT_EQ(artist({"decline", id, "--reason", "CanaryReason five"}).exit, 0);
    EXPECT_EQ(collector({"claim", id, "--message", "CanaryMessage six", "--wait", "0"}).exit, exits::kPending);
    operate({"hold", id, "--reason", "CanaryHold seven"});
    EXPECT_EQ(collector({"request", id, "-o", dir() / "out.jpg"}).exit, exits::kHeld) << "refusals are logged too";
    operate({"release", id, "--reason", "CanaryRelease eight"});
    EXPECT_EQ(artist({"confirm", id}).exit, 0);
    EXPECT_EQ(collector({"claim", id}).exit, 0) << "with the collector's name and contact";
    EXPECT_EQ(artist({"confirm", id}).exit, exits::kNotAllowed);
    auto stranger = open_session(vault().socket_address(), load_person(second_home()));
    ASSERT_TRUE(stranger.has_value());
    stranger->request("artwork.list", {{"text", "CanaryBad"}, {"limit", 1}, {"more", "CanaryMember"}});
    stranger->request("CanaryMethod", Json::object());
    stranger->send(RecordType::request, "CanaryNonsense");
    EXPECT_FALSE(stranger->receive().has_value());
    operate({"status"});
    operate({"fingerprint"});
    vault().process().signal(SIGHUP);
    EXPECT_EQ(vault().terminate(), 0);
    said += vault().process().out() + vault().process().err();
    no_vault();

    EXPECT_THAT(said, HasSubstr("level=debug event=request")) << "all levels were on";
    EXPECT_THAT(said, HasSubstr(id)) << "and all was kept";
    Words secrets = {"Canary",
                     "1987-06-05",
                     std::string(kLockedPassphrase),
                     "correct horse",
                     std::string(kArtistName),
                     std::string(kCollectorName),
                     std::string(kCollectorContact),
                     "ada@example.org",
                     receipt,
                     receipt.substr(receipt.rfind('.') + 1)};
    for (const Path& party : {artist_home(), collector_home(), second_home()}) secrets.push_back(wallet(party).hex());
    // Every line of every key file, but for its first and last.
    for (const Path& directory : {home / "keys", artist_home(), collector_home()}) {
        for (const Path& file : files_below(directory)) {
            if (file.extension() != ".pem" || file.filename() == "sign.pub.pem") continue;
            std::istringstream lines(read_text(file));
            for (std::string line; std::getline(lines, line);) {
                if (line.size() >= 40 && !line.starts_with("-----")) secrets.push_back(line);
            }
        }
    }
    EXPECT_GT(secrets.size(), 100U);
    for (const std::string& secret : secrets) EXPECT_EQ(said.find(secret), std::string::npos) << secret;
}

}  // namespace
}  // namespace sat::test
