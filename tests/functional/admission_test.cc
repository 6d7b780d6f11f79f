// Who may come in: open, listed and blocked; the lists read again while the vault serves; and the operator's own door,
// through which no work is given away.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;

std::size_t count_of(std::string_view text, std::string_view what) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++count;
    return count;
}

class Admission : public ThreeComputers {
public:
    Path wallets() const { return dir() / "wallets"; }
    Path blocked() const { return dir() / "blocked"; }
    std::string line(const Path& home, const std::string& name = {}) const {
        return wallet(home).hex() + (name.empty() ? "" : "  " + name) + "\n";
    }
    void start_with(const Words& more) { start_vault({.data = data(), .duplicate = duplicate(), .more = more}); }
    void start_listed(const std::string& list) {
        write_text(wallets(), list);
        start_with({"--admit", "listed", "--wallets", wallets()});
    }
    void start_blocked(const std::string& list) {
        write_text(blocked(), list);
        start_with({"--blocked", blocked()});
    }
    // SIGHUP, until the lists have been read, or refused.
    void read_again() {
        const auto said = [this] {
            const std::string log = vault().process().err();
            return count_of(log, "event=lists ") + count_of(log, "event=lists_kept ");
        };
        const std::size_t before = said();
        vault().process().signal(SIGHUP);
        EXPECT_TRUE(eventually([&] { return said() > before; })) << vault().process().err();
    }
    Json status() {
        const Done done = vaultd_command({"status"}).json().run();
        EXPECT_EQ(done.exit, 0) << done.out << done.err;
        return done.data();
    }
    void expect_refused(const Done& done) {
        EXPECT_EQ(done.exit, exits::kNotAllowed) << done.out << done.err;
        EXPECT_EQ(done.code(), "forbidden");
        EXPECT_THAT(done.error().value("message", ""), HasSubstr("this vault does not admit your wallet"));
        EXPECT_THAT(done.error().value("hint", ""), HasSubstr("operator"));
    }
};

TEST_F(Admission, AnOpenVaultAdmitsEverybodyButTheBlocked) {
    EXPECT_EQ(second({"browse"}).exit, 0);
    start_blocked("# after the complaint of May\n\n" + line(second_home(), "Sam Second"));
    expect_refused(second({"browse"}));
    EXPECT_EQ(artist({"list"}).exit, 0);
    EXPECT_EQ(collector({"browse"}).exit, 0);
    EXPECT_EQ(status()["admit"], "open");
    EXPECT_EQ(status()["blocked"], 1);
}

TEST_F(Admission, AListedVaultAdmitsTheListedAlone) {
    start_listed("# members\n" + line(artist_home(), "Ada Artist") + "\t" + line(second_home()));
    EXPECT_EQ(artist({"list"}).exit, 0);
    EXPECT_EQ(second({"browse"}).exit, 0);
    expect_refused(collector({"browse"}));
    EXPECT_EQ(status()["admit"], "listed");
    EXPECT_EQ(status()["wallets"], 2);
}

// A vault that serves can open no file beside its data and its lists: not even for its operator.
TEST_F(Admission, AListThatMovedToAnotherDirectoryIsOutOfReach) {
    fs::create_directory(dir() / "lists");
    fs::create_directory(dir() / "elsewhere");
    const Path list = dir() / "lists" / "wallets";
    write_text(dir() / "lists" / "real", line(artist_home()));
    fs::create_symlink("real", list);
    start_with({"--admit", "listed", "--wallets", list});
    write_text(dir() / "lists" / "real", line(artist_home()) + line(collector_home()));
    read_again();
    EXPECT_EQ(collector({"browse"}).exit, 0);
    if (vault().process().err().find("files_not_confined") != std::string::npos) {
        std::cout << "nothing confines files here\n";
        return;
    }
    write_text(dir() / "elsewhere" / "wallets", line(second_home()));
    fs::remove(list);
    fs::create_symlink(dir() / "elsewhere" / "wallets", list);
    read_again();
    EXPECT_THAT(vault().process().err(), HasSubstr("event=lists_kept"));
    expect_refused(second({"browse"}));
    EXPECT_EQ(collector({"browse"}).exit, 0);
}

TEST_F(Admission, WhoIsListedAndBlockedIsBlocked) {
    write_text(wallets(), line(artist_home()) + line(second_home()));
    write_text(blocked(), line(second_home()));
    start_with({"--admit", "listed", "--wallets", wallets(), "--blocked", blocked()});
    EXPECT_EQ(artist({"list"}).exit, 0);
    expect_refused(second({"browse"}));
}

TEST_F(Admission, AnEmptyListAdmitsNobody) {
    start_listed("");
    expect_refused(artist({"list"}));
    expect_refused(collector({"browse"}));
}

TEST_F(Admission, EveryCommandOfAWalletThatIsNotAdmittedSaysSo) {
    start_listed(line(artist_home()));
    const std::string id = upload();
    const std::vector<Words> commands = {{"browse"},      {"show", id},   {"request", id, "-o", dir() / "out.jpg"},
                                         {"claim", id},   {"claims"},     {"inbox"},
                                         {"history", id}, {"confirm", id}};
    for (const Words& words : commands) {
        SCOPED_TRACE(words.front());
        expect_refused(collector(words));
    }
    EXPECT_FALSE(fs::exists(dir() / "out.jpg"));
    start_listed(line(collector_home()));
    expect_refused(artist({"upload", picture(), "--title", "Sunset"}));
    // It was never a stranger's business who is on the list, nor the log's who they are.
    EXPECT_THAT(vault().process().err(), HasSubstr("event=not_admitted"));
    EXPECT_THAT(vault().process().err(), Not(HasSubstr(wallet(artist_home()).hex())));
}

TEST_F(Admission, IsJudgedAfterClientFinishedAndNeverBefore) {
    start_listed(line(artist_home()));
    const Person person = load_person(second_home());
    // The handshake goes to its end for whoever asks: nobody learns from it who is on the list.
    auto session = open_session(vault().socket_address(), person);
    ASSERT_TRUE(session.has_value());
    const auto word = session->receive();
    ASSERT_TRUE(word.has_value());
    ASSERT_EQ(word->type, RecordType::close);
    EXPECT_EQ(to_hex(word->body), "0066");
    EXPECT_TRUE(session->socket().closes());
    // Nor does it become known to the vault.
    const Done own = artist({"list"});
    EXPECT_EQ(own.exit, 0);
    auto mine = open_session(vault().socket_address(), load_person(artist_home()));
    ASSERT_TRUE(mine.has_value());
    const Json answer = mine->request("identity.get", {{"wallets", Json::array({person.wallet().hex()})}});
    EXPECT_EQ(answer["r"]["identities"], Json::array({nullptr}));
}

TEST_F(Admission, OnSighupTheListsAreReadAgain) {
    start_listed(line(artist_home()) + line(collector_home()));
    expect_refused(second({"browse"}));
    Process watching = collector_command({"watch"}).json(false).begin();
    Process staying = artist_command({"watch"}).json(false).begin();
    ASSERT_TRUE(eventually([&] { return status()["watchers"] == 2; }));

    write_text(wallets(), line(artist_home()) + line(second_home()));
    read_again();
    const Outcome gone = watching.wait();
    EXPECT_EQ(gone.exit_code, exits::kNotAllowed) << gone.out << gone.err;
    EXPECT_THAT(gone.err, HasSubstr("this vault does not admit your wallet"));
    EXPECT_EQ(second({"browse"}).exit, 0);
    expect_refused(collector({"browse"}));
    EXPECT_TRUE(staying.running());
    EXPECT_EQ(status()["watchers"], 1);
    EXPECT_THAT(vault().process().err(), HasSubstr("event=dismissed connections=1"));
}

TEST_F(Admission, ABlockedWalletsConnectionsEndInTheMiddleOfAStreamToo) {
    start_blocked("");
    // More than the sockets between the two ends hold: the stream stands still until somebody reads.
    const Done done = artist({"upload", tiff(std::size_t{48} << 20), "--title", "Large"});
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    const Person person = load_person(second_home());
    auto fetching = open_session(vault().socket_address(), person);
    auto idle = open_session(vault().socket_address(), person);
    ASSERT_TRUE(fetching && idle);
    const std::string id = done.data()["id"].get<std::string>();
    const Json begun = fetching->request("artwork.fetch", {{"artwork", id}, {"offset", 0}});
    ASSERT_TRUE(begun.value("ok", false)) << begun.dump();

    write_text(blocked(), line(second_home()));
    read_again();
    const auto word = idle->receive();
    ASSERT_TRUE(word.has_value());
    EXPECT_EQ(word->type, RecordType::close);
    std::size_t records = 0;
    for (auto record = fetching->receive(); record; record = fetching->receive()) {
        EXPECT_EQ(record->type, RecordType::data);
        ++records;
    }
    EXPECT_LT(records, (std::size_t{48} << 20) / 65'600) << "it was cut off";
    ASSERT_TRUE(eventually([&] { return status()["connections"] == 0; }));
}

TEST_F(Admission, AListThatCannotBeReadChangesNothing) {
    start_listed(line(artist_home()));
    Process staying = artist_command({"watch"}).json(false).begin();
    ASSERT_TRUE(eventually([&] { return status()["watchers"] == 1; }));
    const auto expect_kept = [&](const std::string& why) {
        read_again();
        EXPECT_THAT(vault().process().err(), HasSubstr(why));
        EXPECT_EQ(artist({"list"}).exit, 0);
        expect_refused(collector({"browse"}));
        EXPECT_TRUE(staying.running());
    };
    write_text(wallets(), line(collector_home()) + "\n# and then\n" + "Ada Artist\n");
    expect_kept(wallets().string() + ":4: not a wallet of 64 lower-case hex digits");
    write_text(wallets(), line(collector_home()));
    fs::permissions(wallets(), fs::perms::group_write, fs::perm_options::add);
    expect_kept("may be written by other users");
    fs::remove(wallets());
    expect_kept("cannot read " + wallets().string());
    // And when it is mended, it counts.
    write_text(wallets(), line(collector_home()));
    read_again();
    EXPECT_EQ(collector({"browse"}).exit, 0);
    EXPECT_EQ(staying.wait().exit_code, exits::kNotAllowed);
}

TEST_F(Admission, AVaultDoesNotStartOnAListThatItCannotRead) {
    stop_vault();
    no_vault();
    const std::string good = line(artist_home());
    const std::string hex = wallet(artist_home()).hex();
    std::string upper = hex;
    std::ranges::transform(upper, upper.begin(), [](char c) { return c >= 'a' && c <= 'f' ? char(c - 32) : c; });
    const auto start = [&](const Words& more) {
        return Command("sat-vaultd", {"run", "--listen", "127.0.0.1:0"}).home(data()).also(more).run();
    };
    const Words listed = {"--admit", "listed", "--wallets", wallets()};
    const std::vector<std::pair<std::string, int>> broken = {
        {hex.substr(1) + "\n", 1},           {good + hex + "0\n", 2},        {good + "\n# names\n" + upper + "\n", 4},
        {good + "SHA256:" + hex + "\n", 2},  {good + hex + ",Ada\n", 2},     {good + "Ada " + hex + "\n", 2},
        {good + "\n" + hex + " Ada\r\n", 3}, {good + hex + " \x1b[2J\n", 2}, {good + hex + " \xff\n", 2},
        {good + "g" + hex.substr(1), 2},     {good + "// " + hex + "\n", 2},
    };
    for (const auto& [text, number] : broken) {
        SCOPED_TRACE(testing::PrintToString(text));
        write_text(wallets(), text);
        for (const Words& more : {listed, Words{"--blocked", wallets()}}) {
            const Done done = start(more);
            EXPECT_EQ(done.exit, exits::kConfig) << done.err;
            EXPECT_THAT(done.err, HasSubstr(wallets().string() + ":" + std::to_string(number) + ": not a "));
        }
    }
    write_text(wallets(), good);
    fs::permissions(wallets(), fs::perms::others_write, fs::perm_options::add);
    EXPECT_EQ(start(listed).exit, exits::kConfig);
    fs::permissions(wallets(), fs::perms::others_write, fs::perm_options::remove);
    if (geteuid() == 0) {
        ASSERT_EQ(chown(wallets().c_str(), 65534, 65534), 0);
        EXPECT_EQ(start(listed).exit, exits::kConfig) << "somebody else's file";
        ASSERT_EQ(chown(wallets().c_str(), 0, 0), 0);
    }
    fs::create_directory(dir() / "directory");
    EXPECT_EQ(start({"--blocked", dir() / "directory"}).exit, exits::kUnreadable);
    EXPECT_EQ(start({"--blocked", dir() / "nothing"}).exit, exits::kUnreadable);
    write_text(dir() / "huge", std::string((std::size_t{8} << 20) + 1, '#'));
    EXPECT_EQ(start({"--blocked", dir() / "huge"}).exit, exits::kConfig);
    EXPECT_EQ(start({"--admit", "listed"}).exit, exits::kUsage) << "no list";
    EXPECT_EQ(start({"--wallets", wallets()}).exit, exits::kUsage) << "a list that would not count";
    EXPECT_EQ(start({"--admit", "some"}).exit, exits::kUsage);
}

TEST_F(Admission, ComesFromTheConfigurationFileToo) {
    write_text(wallets(), line(artist_home()));
    write_text(dir() / "vault.toml", "admit = \"listed\"\nwallets = \"" + wallets().string() + "\"\n");
    start_with({"--config", dir() / "vault.toml"});
    EXPECT_EQ(artist({"list"}).exit, 0);
    expect_refused(second({"browse"}));
}

TEST_F(Admission, ABlockedOwnerKeepsTheirWorks) {
    start_blocked("");
    const std::string id = upload();
    const std::string asked = claim(kCollector, id);
    write_text(blocked(), line(artist_home()));
    read_again();
    expect_refused(artist({"confirm", id, "--claim", asked}));
    EXPECT_EQ(owner_of(id), wallet(artist_home()).hex());
    // Silence never approves: who asks goes on waiting.
    EXPECT_EQ(collector({"claim", id, "--wait", "0"}).exit, exits::kPending);
    EXPECT_EQ(collector({"request", id, "-o", dir() / "still.jpg"}).exit, 0) << "the work stays where it is";
    write_text(blocked(), "");
    read_again();
    EXPECT_EQ(artist({"confirm", id, "--claim", asked}).exit, 0);
    EXPECT_EQ(collector({"claim", id}).exit, 0);
    EXPECT_EQ(owner_of(id), wallet(collector_home()).hex());
}

// One line to the admin socket, and what comes back until it is closed; nothing where it cannot be reached.
std::optional<std::string> ask_socket(const Path& socket, const std::string& text) {
    const FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = socket.string();
    if (path.size() >= sizeof address.sun_path) return std::nullopt;
    path.copy(address.sun_path, path.size());
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return std::nullopt;
    // Whoever is refused may find the other end gone already.
    (void)!::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    std::string out;
    char bytes[1024];
    for (ssize_t got = 0; (got = ::read(fd.get(), bytes, sizeof bytes)) > 0;)
        out.append(bytes, static_cast<std::size_t>(got));
    return out;
}

enum Answered { kAnswered = 0, kSilence = 1, kNotReached = 2, kCannotBeThem = 3 };

// The same as somebody else: root alone can become them.
int ask_as(uid_t user, const Path& socket, const std::string& text) {
    const pid_t child = fork();
    if (child == 0) {
        if (setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0) _exit(kCannotBeThem);
        const auto answer = ask_socket(socket, text);
        _exit(!answer ? kNotReached : answer->empty() ? kSilence : kAnswered);
    }
    int how = 0;
    EXPECT_EQ(waitpid(child, &how, 0), child);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

TEST_F(Admission, TheAdminSocketAnswersItsOwnUserAndRootAlone) {
    const Path socket = data() / "admin.sock";
    const std::string request = "{\"command\":\"status\"}\n";
    EXPECT_THAT(ask_socket(socket, request).value_or(""), HasSubstr("\"ok\":true"));
    if (geteuid() != 0) return;  // the modes are Admin's to check; another user is root's to be
    constexpr uid_t kNobody = 65534;
    EXPECT_EQ(ask_as(kNobody, socket, request), kNotReached) << "the directory's mode";
    // With every mode wide open, the credentials of whoever connects still count.
    for (const Path& path : {dir(), data(), socket}) fs::permissions(path, fs::perms::all);
    EXPECT_EQ(ask_as(kNobody, socket, request), kSilence);
    EXPECT_EQ(ask_as(0, socket, request), kAnswered);
    EXPECT_TRUE(vault().process().wait_for_error("event=admin_refused"));
    fs::permissions(data(), fs::perms::owner_all);
}

// Every way that an operator has, running or stopped, and every word that they might try.
TEST_F(Admission, NoCommandOfTheOperatorGivesAWorkAway) {
    const std::string id = upload();
    const std::string asked = claim(kCollector, id);
    const std::string owner = wallet(artist_home()).hex();
    const std::string to = wallet(collector_home()).hex();
    const std::vector<Words> commands = {
        {"transfer", id, to},
        {"give", id, to},
        {"owner", id, to},
        {"set-owner", id, to},
        {"confirm", id},
        {"confirm", id, "--claim", asked},
        {"answer", id, "yes"},
        {"accept", id},
        {"claim", id},
        {"upload", picture(), "--title", "T"},
        {"run", id, to},
        {"status", id, to},
        {"fingerprint", id},
        {"init", "--owner", to},
        {"hold", id, "--owner", to},
        {"hold", id, "--reason", "r", "--to", to},
        {"release", id, "--to", to},
        {"release", id, to},
        {"status", "--owner", to},
        {"hold", id, "--reason", "r", to},
    };
    const auto try_all = [&] {
        for (const Words& words : commands) {
            const Done done = vaultd(words);
            EXPECT_EQ(done.exit, exits::kUsage) << testing::PrintToString(words) << done.out << done.err;
        }
    };
    try_all();

    const auto quoted = [](const std::string& text) { return "\"" + text + "\""; };
    const std::string work = "\"artwork\":" + quoted(id);
    std::vector<std::string> lines;
    for (const std::string command : {"transfer", "give", "owner", "set_owner", "confirm", "answer", "accept", "claim",
                                      "commit", "register", "claim.answer", "claim.accept", "sql", "import", ""}) {
        lines.push_back("{\"command\":" + quoted(command) + "," + work + ",\"reason\":\"r\"}");
        lines.push_back("{\"command\":" + quoted(command) + "," + work + ",\"to\":" + quoted(to) + "}");
    }
    for (const std::string command : {"hold", "release", "status"})
        lines.push_back("{\"command\":" + quoted(command) + "," + work + ",\"reason\":\"r\",\"owner\":" + quoted(to) +
                        "}");
    lines.push_back("{\"m\":\"claim.answer\",\"p\":{}}");
    lines.emplace_back("[]");
    lines.emplace_back("nonsense");
    for (const std::string& line : lines) {
        const auto answer = ask_socket(data() / "admin.sock", line + "\n");
        ASSERT_TRUE(answer.has_value()) << line;
        EXPECT_THAT(*answer, HasSubstr("\"ok\":false")) << line;
    }

    // What they can do, hold and release, leaves the owner the owner and the claim open.
    ASSERT_EQ(vaultd({"hold", id, "--reason", "a dispute"}).exit, 0);
    ASSERT_EQ(vaultd({"release", id}).exit, 0);
    stop_vault();
    try_all();
    ASSERT_EQ(vaultd({"hold", id, "--reason", "a dispute"}).exit, 0);
    ASSERT_EQ(vaultd({"release", id}).exit, 0);
    start_vault();
    EXPECT_EQ(owner_of(id), owner);
    EXPECT_EQ(collector({"claim", id, "--wait", "0"}).exit, exits::kPending);
    const Done history = collector({"history", id});
    EXPECT_EQ(history.exit, 0) << history.out << history.err;
    EXPECT_EQ(history.data()["items"].size(), 1U) << "nobody but the artist ever owned it";
    EXPECT_EQ(artist({"confirm", id, "--claim", asked}).exit, 0) << "it is theirs to give";
}

}  // namespace
}  // namespace sat::test
