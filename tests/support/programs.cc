// SPDX-License-Identifier: Apache-2.0
#include "support/programs.h"

#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>

#include "base/assert.h"
#include "client/key_home.h"
#include "ledger/rules.h"

namespace fs = std::filesystem;

namespace sat::test {

namespace {

const Json kNull = nullptr;

void make_party(const std::string& name, const Path& home) {
    Words argv;
    const auto add = [&argv](const Words& more) { argv.insert(argv.end(), more.begin(), more.end()); };
    const auto add_passphrase = [&] {
        const Path passphrase = home.string() + ".passphrase";
        write_text(passphrase, std::string(kLockedPassphrase) + "\n");
        fs::permissions(passphrase, fs::perms::owner_read | fs::perms::owner_write);
        add({"--passphrase-file", passphrase});
    };
    if (name.ends_with("vault")) {
        argv = {program_path("sat-vaultd"), "init", "--data", home};
        if (name == "large-vault") add({"--bits", "4096"});
        name == "locked-vault" ? add_passphrase() : add({"--no-passphrase"});
    } else {
        const bool artist = name == "artist";
        argv = {program_path(artist ? "sat-artist" : "sat-collector"), "init", "--home", home, "--no-input"};
        if (name == "large") add({"--bits", "4096"});
        if (artist) add({"--name", std::string(kArtistName), "--contact", "ada@example.org"});
        if (name == "collector") {
            add({"--name", std::string(kCollectorName), "--contact", std::string(kCollectorContact)});
        }
        if (name == "second") add({"--name", "Sam Second"});
        name == "locked" ? add_passphrase() : add({"--no-passphrase"});
    }
    const Outcome outcome = test::run({.argv = argv, .env = {{"HOME", home.parent_path()}}}, seconds(120));
    if (outcome.exit_code != 0) {
        std::cerr << "cannot make the cached home " << name << ": exit " << outcome.exit_code << "\n"
                  << outcome.out << outcome.err;
        std::abort();
    }
}

// One process makes a home, all others wait for it.
Path cached(const std::string& name) {
    const Path cache = Path(SAT_TEST_CACHE_DIR) / "homes";
    const Path home = cache / name;
    // As support/keys.h wants it, whichever test is the first.
    SAT_ASSERT(make_private_directory(SAT_TEST_CACHE_DIR).has_value());
    fs::create_directories(cache);
    const Path lock = cache / (name + ".lock");
    std::ofstream(lock, std::ios::app).flush();
    const FileDescriptor held(open(lock.c_str(), O_RDONLY | O_CLOEXEC));
    SAT_ASSERT(held.get() >= 0 && flock(held.get(), LOCK_EX) == 0);
    if (!fs::exists(home)) {
        const Path fresh = cache / (name + ".new");
        fs::remove_all(fresh);
        make_party(name, fresh);
        fs::rename(fresh, home);
    }
    return home;
}

}  // namespace

Path program_path(const std::string& name) {
    const char* other = std::getenv("SAT_TEST_PROGRAMS");
    return Path(other != nullptr ? other : SAT_PROGRAM_DIR) / name;
}

std::string read_text(const Path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return std::move(text).str();
}

void write_text(const Path& file, std::string_view text) {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    SAT_ASSERT(out.good());
}

void write_bytes(const Path& file, ByteView bytes) { write_text(file, as_text(bytes)); }

std::vector<Path> files_below(const Path& directory) {
    std::vector<Path> files;
    if (!fs::exists(directory)) return files;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
    }
    return files;
}

const Json& Done::data() const { return document.is_object() && document.contains("data") ? document["data"] : kNull; }
const Json& Done::error() const {
    return document.is_object() && document.contains("error") ? document["error"] : kNull;
}
std::string Done::code() const { return error().is_object() ? error().value("code", "") : ""; }

Json check_document(const std::string& command, const Outcome& outcome) {
    const std::string& out = outcome.out;
    EXPECT_TRUE(out.ends_with('\n')) << "the document ends its line: " << out;
    std::string text = out;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    const auto parsed = parse_json(text);
    if (!parsed) {
        ADD_FAILURE() << "not one I-JSON document on standard output: " << out << "\nstderr: " << outcome.err;
        return nullptr;
    }
    const Json& document = *parsed;
    if (!document.is_object()) {
        ADD_FAILURE() << "not an object: " << out;
        return nullptr;
    }
    EXPECT_EQ(document.value("sat", 0), 1) << out;
    EXPECT_EQ(document.value("command", ""), command) << out;
    if (!document.contains("ok") || !document["ok"].is_boolean()) {
        ADD_FAILURE() << "no \"ok\": " << out;
    } else if (document["ok"].get<bool>()) {
        EXPECT_EQ(outcome.exit_code, 0) << out;
        EXPECT_TRUE(document.contains("data")) << out;
        EXPECT_FALSE(document.contains("error")) << out;
    } else if (!document.contains("error") || !document["error"].is_object()) {
        ADD_FAILURE() << "no \"error\": " << out;
    } else {
        const Json& error = document["error"];
        EXPECT_FALSE(document.contains("data")) << out;
        EXPECT_EQ(error.value("exit", -1), outcome.exit_code) << out;
        EXPECT_NE(outcome.exit_code, 0) << out;
        EXPECT_FALSE(error.value("code", "").empty()) << out;
        EXPECT_FALSE(error.value("message", "").empty()) << out;
        if (error.contains("hint") && !error["hint"].is_null()) {
            EXPECT_TRUE(error["hint"].is_string()) << out;
        }
    }
    return document;
}

namespace {

void check_members(const Json& object, std::initializer_list<const char*> names) {
    if (!object.is_object()) {
        ADD_FAILURE() << "not an object: " << object.dump();
        return;
    }
    for (const char* name : names) EXPECT_TRUE(object.contains(name)) << name << " is not in " << object.dump();
}

}  // namespace

void check_artwork(const Json& artwork) {
    check_members(
        artwork, {"id", "title", "description", "artist", "creation_date", "file_path", "wallet_address", "owner",
                  "media_type", "width", "height", "bytes", "sha256", "registered_at", "transfers", "held", "release"});
    if (testing::Test::HasFailure()) return;
    EXPECT_TRUE(std::regex_match(artwork["id"].get<std::string>(), std::regex("[0-9A-HJKMNP-TV-Z]{10}")));
    for (const char* name : {"wallet_address", "owner", "sha256"}) {
        EXPECT_TRUE(std::regex_match(artwork[name].get<std::string>(), std::regex("[0-9a-f]{64}"))) << name;
    }
    for (const char* name : {"width", "height", "bytes", "transfers"})
        EXPECT_TRUE(artwork[name].is_number_integer()) << name;
}

void check_claim(const Json& claim) {
    check_members(claim, {"claim", "artwork", "state", "from", "to", "asked_at", "answer_by", "reason"});
    if (testing::Test::HasFailure()) return;
    for (const char* name : {"claim", "from", "to"}) {
        EXPECT_TRUE(std::regex_match(claim[name].get<std::string>(), std::regex("[0-9a-f]{64}"))) << name;
    }
    EXPECT_TRUE(parse_claim_state(claim["state"].get<std::string>()).has_value());
}

Command& Command::home(const Path& directory) {
    home_ = directory;
    return *this;
}
Command& Command::vault(const std::string& address) {
    vault_ = address;
    return *this;
}
Command& Command::pin(const std::string& fingerprint) {
    pin_ = fingerprint;
    return *this;
}
Command& Command::json(bool wanted) {
    json_ = wanted;
    return *this;
}
Command& Command::also(Words words) {
    also_.insert(also_.end(), words.begin(), words.end());
    return *this;
}
Command& Command::terminal() {
    terminal_ = true;
    json_ = false;
    return *this;
}
Command& Command::env(const std::string& name, const std::string& value) {
    process_.env[name] = value;
    return *this;
}
Command& Command::env(const std::map<std::string, std::string>& more) {
    for (const auto& [name, value] : more) process_.env[name] = value;
    return *this;
}
Command& Command::in(const Path& directory) {
    process_.directory = directory;
    return *this;
}
Command& Command::input(const std::string& text) {
    process_.input = text;
    return *this;
}
Command& Command::without_capabilities() {
    process_.without_capabilities = true;
    return *this;
}
Command& Command::patience(Duration duration) {
    patience_ = duration;
    return *this;
}

ProcessOptions Command::options() const {
    ProcessOptions options = process_;
    options.argv = {program_path(program_)};
    const auto add = [&options](const Words& words) {
        options.argv.insert(options.argv.end(), words.begin(), words.end());
    };
    add(words_);
    const bool client = program_ != "sat-vaultd";
    // The tests may be root's; whether a vault runs as root is a test of its own.
    if (!client && !words_.empty() && words_.front() == "run") add({"--allow-root"});
    if (!home_.empty()) add({client ? "--home" : "--data", home_});
    if (!vault_.empty()) add({"--vault", vault_});
    if (!pin_.empty()) add({"--vault-key", pin_});
    if (client && !terminal_) add({"--no-input"});
    if (json_) add({"--json"});
    add(also_);
    options.terminal = terminal_;
    // Neither this machine's homes nor the caller's environment have a part in any test.
    if (!options.env.contains("HOME")) options.env["HOME"] = "/nonexistent";
    if (terminal_ && !options.env.contains("TERM")) options.env["TERM"] = "xterm-256color";
    return options;
}

Process Command::begin() const { return Process(options()); }

Done Command::finish(Process& process) const {
    const Outcome outcome = process.wait(patience_);
    Done done{outcome.exit_code, outcome.out, outcome.err, nullptr};
    if (outcome.timed_out) {
        ADD_FAILURE() << program_ << " " << (words_.empty() ? "" : words_.front()) << " did not end in time\n"
                      << outcome.out << outcome.err;
    } else if (json_) {
        done.document = check_document(words_.empty() ? "" : words_.front(), outcome);
    }
    return done;
}

Done Command::run() const {
    Process process = begin();
    return finish(process);
}

VaultProcess::VaultProcess(const Options& options) : options_(options) {
    ProcessOptions process;
    process.argv = {
        program_path("sat-vaultd"), "run", "--data", options.data, "--listen", options.listen, "--allow-root",
        // All clients of a test come from one address; a test of rates says its own, which comes later and counts.
        "--address-rate", "1000"};
    if (options.duplicate) process.argv.insert(process.argv.end(), {"--duplicate", *options.duplicate});
    process.argv.insert(process.argv.end(), options.more.begin(), options.more.end());
    process.env = options.env;
    process.env["HOME"] = "/nonexistent";
    process_ = std::make_unique<Process>(std::move(process));
    const auto value = [this](const std::string& word) -> std::string {
        if (!process_->wait_for_output("\n" + word, milliseconds(0)) && !process_->out().starts_with(word)) return "";
        std::smatch match;
        const std::string out = process_->out();
        return std::regex_search(out, match, std::regex(word + " ([^\\s]+)\n")) ? match[1].str() : "";
    };
    const bool serves = eventually([&] {
        address_ = value("listening");
        fingerprint_ = value("fingerprint");
        return (!address_.empty() && !fingerprint_.empty()) || !process_->running();
    });
    if (!serves || address_.empty() || fingerprint_.empty()) {
        ADD_FAILURE() << "the vault does not serve\n" << process_->out() << process_->err();
        address_ = "127.0.0.1:1";
    }
}

int VaultProcess::terminate() {
    process_->signal(SIGTERM);
    const Outcome outcome = process_->wait();
    return outcome.timed_out ? -1 : outcome.exit_code;
}

ThreeComputers::ThreeComputers() {
    // Short: the vault's admin socket lies below it, and a socket's path has 107 bytes.
    const char* tmp = std::getenv("TMPDIR");
    std::string pattern = std::string(tmp != nullptr && std::strlen(tmp) < 40 ? tmp : "/tmp") + "/sat-test-XXXXXX";
    SAT_ASSERT(mkdtemp(pattern.data()) != nullptr);
    dir_ = pattern;
}

ThreeComputers::~ThreeComputers() {
    vault_.reset();
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
}

void ThreeComputers::SetUp() {
    copy_cached("artist", artist_home());
    copy_cached("collector", collector_home());
    copy_cached("second", second_home());
    copy_cached("vault", data());
    start_vault({.data = data(), .duplicate = duplicate()});
}

void ThreeComputers::TearDown() {
    if (!vault_) return;
    const int exit_code = vault_->terminate();
    EXPECT_EQ(exit_code, 0) << "the vault did not end well";
    if (HasFailure()) std::cerr << "--- the vault said:\n" << vault_->process().out() << vault_->process().err();
}

Wallet ThreeComputers::wallet(const Path& home) const {
    const auto keys = KeyHome::open(home);
    SAT_ASSERT(keys.has_value());
    return keys->wallet();
}

void ThreeComputers::start_vault(VaultProcess::Options options) {
    vault_.reset();
    vault_ = std::make_unique<VaultProcess>(options);
}

void ThreeComputers::start_vault() { start_vault({.data = data(), .duplicate = duplicate()}); }

void ThreeComputers::stop_vault() { EXPECT_EQ(vault_->terminate(), 0); }

VaultKeys ThreeComputers::vault_keys() const {
    auto keys = load_vault_keys(data() / "keys", nullptr);
    SAT_ASSERT(keys.has_value());
    return std::move(*keys);
}

HandshakeParty ThreeComputers::vault_party() const {
    const VaultKeys keys = vault_keys();
    return HandshakeParty(keys.chain, keys.kem);
}

Command ThreeComputers::artist_command(Words words) {
    Command command("sat-artist", std::move(words));
    command.home(artist_home()).json();
    if (vault_) command.vault(vault_->address()).pin(vault_->fingerprint());
    return command;
}

Command ThreeComputers::collector_command(Words words) {
    Command command("sat-collector", std::move(words));
    command.home(collector_home()).json();
    if (vault_) command.vault(vault_->address()).pin(vault_->fingerprint());
    return command;
}

Command ThreeComputers::second_command(Words words) {
    Command command("sat-collector", std::move(words));
    command.home(second_home()).json();
    if (vault_) command.vault(vault_->address()).pin(vault_->fingerprint());
    return command;
}

Command ThreeComputers::vaultd_command(Words words) {
    Command command("sat-vaultd", std::move(words));
    command.home(data());
    return command;
}

Path ThreeComputers::picture(std::string_view name) {
    for (const Sample& sample : samples()) {
        if (sample.name != name) continue;
        const Path file = dir_ / name;
        write_bytes(file, sample_bytes(sample));
        return file;
    }
    SAT_ASSERT(false);
}

Path ThreeComputers::tiff(std::size_t bytes, std::uint32_t seed) {
    const Path file = dir_ / ("big-" + std::to_string(seed) + ".tif");
    write_bytes(file, make_tiff(bytes, seed));
    return file;
}

std::string ThreeComputers::upload(const std::string& title) {
    const Done done = artist({"upload", picture(), "--title", title, "--artist", std::string(kArtistName)});
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    return done.data().is_object() ? done.data().value("id", "") : "";
}

std::string ThreeComputers::claim(Who who, const std::string& id) {
    const Done done = (this->*who)({"claim", id, "--wait", "0"}).run();
    EXPECT_EQ(done.exit, exits::kPending) << done.out << done.err;
    const Done claims = (this->*who)({"claims"}).run();
    EXPECT_EQ(claims.exit, 0) << claims.out << claims.err;
    if (!claims.data().is_object()) return "";
    for (const Json& item : claims.data()["items"]) {
        check_claim(item);
        if (item["artwork"] == id && item["state"] == "pending") return item["claim"].get<std::string>();
    }
    ADD_FAILURE() << "the claim is not among the claims: " << claims.out;
    return "";
}

void ThreeComputers::hand_over(const std::string& id, Who from, Who to) {
    const std::string claim_id = claim(to, id);
    const Done yes = (this->*from)({"confirm", id, "--claim", claim_id}).run();
    EXPECT_EQ(yes.exit, 0) << yes.out << yes.err;
    const Done done = (this->*to)({"claim", id}).run();
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
}

std::string ThreeComputers::owner_of(const std::string& id) {
    const Done done = collector({"show", id});
    EXPECT_EQ(done.exit, 0) << done.out << done.err;
    return done.data().is_object() ? done.data().value("owner", "") : "";
}

void copy_cached(const std::string& name, const Path& to) { fs::copy(cached(name), to, fs::copy_options::recursive); }

bool run_in_full() {
    const char* value = std::getenv("SAT_FULL");
    return value != nullptr && std::string_view(value) == "1";
}

}  // namespace sat::test
