// Three computers in one directory: an artist's home, a vault, collectors' homes, and the real programs between them.
// Keys are made once, by the programs' own `init`, into a cache that all tests copy from; everything else is each
// test's own: directories, ports, processes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "support/peer.h"
#include "support/pictures.h"
#include "support/process.h"

namespace sat::test {

using Words = std::vector<std::string>;

// The exit codes of the programs, by what they say to a script.
namespace exits {
inline constexpr int kDone = 0;
inline constexpr int kDeclined = 10;
inline constexpr int kPending = 11;
inline constexpr int kExpired = 12;
inline constexpr int kSuperseded = 13;
inline constexpr int kNotThere = 15;
inline constexpr int kHeld = 16;
inline constexpr int kChanged = 17;
inline constexpr int kBadProof = 20;
inline constexpr int kVaultKeyChanged = 21;
inline constexpr int kVaultKeyUnknown = 22;
inline constexpr int kKeyLocked = 23;
inline constexpr int kLedger = 24;
inline constexpr int kUsage = 64;
inline constexpr int kBadData = 65;
inline constexpr int kUnreadable = 66;
inline constexpr int kUnreachable = 69;
inline constexpr int kExists = 73;
inline constexpr int kIo = 74;
inline constexpr int kInterrupted = 75;
inline constexpr int kProtocol = 76;
inline constexpr int kNotAllowed = 77;
inline constexpr int kConfig = 78;
}  // namespace exits

// In the build's bin/, or in $SAT_TEST_PROGRAMS: those of another build, with sanitizers say.
Path program_path(const std::string& name);

std::string read_text(const Path& file);
void write_text(const Path& file, std::string_view text);
void write_bytes(const Path& file, ByteView bytes);
// Every regular file below `directory`.
std::vector<Path> files_below(const Path& directory);

// What a command came to.
struct Done {
    int exit = -1;
    std::string out;
    std::string err;
    Json document;  // of --json; null without

    // The members of the one document; null where it is of the other kind.
    const Json& data() const;
    const Json& error() const;
    std::string code() const;  // error.code
};

// Checks what cli.md promises of every --json document, against the exit code.  `command` is its own name.
Json check_document(const std::string& command, const Outcome& outcome);
// One by one, their members as cli.md lists them.
void check_artwork(const Json& artwork);
void check_claim(const Json& claim);

// A command line that grows: program, words, and what every command of a client takes.
class Command {
public:
    Command(std::string program, Words words) : program_(std::move(program)), words_(std::move(words)) {}

    Command& home(const Path& directory);
    Command& vault(const std::string& address);
    Command& pin(const std::string& fingerprint);
    Command& json(bool wanted = true);
    Command& also(Words words);
    // A person at a terminal, without --no-input and --json.
    Command& terminal();
    Command& env(const std::string& name, const std::string& value);
    Command& env(const std::map<std::string, std::string>& more);
    Command& in(const Path& directory);
    Command& input(const std::string& text);
    Command& without_capabilities();
    Command& patience(Duration duration);

    Process begin() const;
    // Runs to the end; with --json the document is checked.
    Done run() const;
    Done finish(Process& process) const;

private:
    ProcessOptions options() const;

    std::string program_;
    Words words_;
    Path home_;
    std::string vault_;
    std::string pin_;
    bool json_ = false;
    bool terminal_ = false;
    Words also_;
    ProcessOptions process_;
    Duration patience_ = kPatience;
};

// sat-vaultd run, started and listening.
class VaultProcess {
public:
    struct Options {
        Path data = {};
        std::optional<Path> duplicate = {};
        std::string listen = "127.0.0.1:0";
        Words more = {};
        std::map<std::string, std::string> env = {};
    };
    // Waits until it serves.  A failure of the test where it does not.
    explicit VaultProcess(const Options& options);

    const Options& options() const noexcept { return options_; }
    const std::string& address() const noexcept { return address_; }
    Address socket_address() const { return Address::parse(address_); }
    const std::string& fingerprint() const noexcept { return fingerprint_; }
    Process& process() noexcept { return *process_; }
    bool running() { return process_->running(); }
    void kill_hard() { process_->kill_hard(); }
    // SIGTERM; its exit code.
    int terminate();

private:
    Options options_;
    std::unique_ptr<Process> process_;
    std::string address_;
    std::string fingerprint_;
};

// Its helpers are public, so that kArtist, kCollector and kSecond can name them.
class ThreeComputers : public testing::Test {
public:
    ThreeComputers();
    ~ThreeComputers() override;
    // With a duplicate directory beside the data directory.
    void SetUp() override;
    // The vault must still be there, and end well when asked to.
    void TearDown() override;

    const Path& dir() const noexcept { return dir_; }
    Path artist_home() const { return dir_ / "artist"; }
    Path collector_home() const { return dir_ / "collector"; }
    Path second_home() const { return dir_ / "second"; }
    Path data() const { return dir_ / "vault"; }
    Path duplicate() const { return dir_ / "duplicate"; }
    Wallet wallet(const Path& home) const;

    VaultProcess& vault() { return *vault_; }
    // In place of the one that runs, or ran, over the same directories.
    void start_vault(VaultProcess::Options options);
    void start_vault();
    void stop_vault();
    // A test that ends its vault itself says so.
    void no_vault() { vault_.reset(); }
    // The vault's own keys, for scripts that are to pass for it.
    HandshakeParty vault_party() const;
    VaultKeys vault_keys() const;

    // With their home, the vault's address and its key pinned, --json and --no-input.
    Command artist_command(Words words);
    Command collector_command(Words words);
    Command second_command(Words words);
    Done artist(Words words) { return artist_command(std::move(words)).run(); }
    Done collector(Words words) { return collector_command(std::move(words)).run(); }
    Done second(Words words) { return second_command(std::move(words)).run(); }
    // The operator's, on this vault's data directory.
    Command vaultd_command(Words words);
    Done vaultd(Words words) { return vaultd_command(std::move(words)).run(); }

    // A picture in the test's directory.
    Path picture(std::string_view name = "picture.jpg");
    Path tiff(std::size_t bytes, std::uint32_t seed = 1);
    // Uploads a picture, expects that to work, gives its ID.
    std::string upload(const std::string& title = "Sunrise");
    // An open claim of `who` on `id`; its claim id.
    using Who = Command (ThreeComputers::*)(Words);
    std::string claim(Who who, const std::string& id);
    // Claim by `to`, yes by `from`, acceptance: `to` owns `id` afterwards.
    void hand_over(const std::string& id, Who from, Who to);
    // As the vault tells it to anybody who asks.
    std::string owner_of(const std::string& id);

private:
    Path dir_;
    std::unique_ptr<VaultProcess> vault_;
};

// Who acts, in the helpers of ThreeComputers.
inline constexpr Command (ThreeComputers::*kArtist)(Words) = &ThreeComputers::artist_command;
inline constexpr Command (ThreeComputers::*kCollector)(Words) = &ThreeComputers::collector_command;
inline constexpr Command (ThreeComputers::*kSecond)(Words) = &ThreeComputers::second_command;

// A copy of a cached home: artist, collector, second, stranger, large (4096 bits), locked (kLockedPassphrase), and of
// vaults: vault, other-vault, large-vault, locked-vault.
void copy_cached(const std::string& name, const Path& to);
inline constexpr std::string_view kLockedPassphrase = "correct horse battery staple";
inline constexpr std::string_view kArtistName = "Ada Artist";
inline constexpr std::string_view kCollectorName = "Cleo Collector";
inline constexpr std::string_view kCollectorContact = "cleo@example.org";

// Whether SAT_FULL=1: what is a sample by default runs in full.
bool run_in_full();

}  // namespace sat::test
