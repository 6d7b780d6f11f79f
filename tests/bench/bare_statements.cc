// The bound of an ownership transfer, measured: three statements, each opened, its signature verified, written to
// SQLite in what PostgreSQL is given for it (tests/bench/harness/jobs/ownership.py), synced, and answered; the third to
// the leaves as well, behind the database.  Who waits for one sync shares it.  No rules, no JSON, nothing of what the
// statements say; one connection where SAT's clients have two.
//
// That is what PostgreSQL does, and half of an ownership that can be proved.  `proved` does the other half too: each
// statement is sealed at rest and its hash kept, so that one that comes again is known; of a third one the leaf is
// hashed and sealed, two nodes of the tree are written behind it, a receipt is signed, and a checkpoint for all leaves
// that share a sync.
// docs/performance.md, "Method".
//
//     bench-bare-statements serve HOME DIRECTORY [proved]    prints its port, then serves until it is killed
//     bench-bare-statements run HOME PORT CLIENTS EACH       prints transfers and seconds
//
// HOME is of sat-artist: its key signs.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <iostream>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

#include "bench/bare.h"
#include "client/key_home.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "ledger/leaf.h"
#include "ledger/merkle.h"
#include "store/sqlite.h"

namespace sat::bare {

namespace {

constexpr std::size_t kStatement = 1100;
constexpr std::size_t kSignature = static_cast<std::size_t>(RsaBits::b3072) / 8;
constexpr std::size_t kRequest = 1 + kStatement + kSignature;
constexpr std::size_t kAnswer = 1100;
constexpr std::size_t kLeaf = 3300;
constexpr std::size_t kNodes = std::size_t{2} * Digest::kSize;
constexpr std::size_t kReceipt = 400;     // what is signed
constexpr std::size_t kCheckpoint = 150;  // the same
constexpr std::byte kLast{2};

// Records of one direction; the key is there already.
class Records {
public:
    Bytes seal(ByteView plain) {
        Bytes sealed(plain.size() + kAeadTagSize);
        key_.seal(nonce_at({}, number_++), {}, plain, sealed);
        return sealed;
    }
    Bytes receive(const Stream& stream, std::size_t size) {
        Bytes sealed(size + kAeadTagSize);
        if (!stream.receive(sealed)) return {};
        Bytes plain(size);
        require(key_.open(nonce_at({}, number_++), {}, sealed, plain), "a record is wrong");
        return plain;
    }

private:
    Aes256Gcm key_{SecretBytes(kAeadKeySize)};
    std::uint64_t number_ = 0;
};

// What is handed in is done by one of those who wait, for all of them, and followed by one sync.
template <typename Work>
class Group {
public:
    explicit Group(std::function<void(const std::vector<Work>&)> together) : together_(std::move(together)) {}

    // Returns when it is done, with what others handed in meanwhile.
    void run(Work work) {
        std::unique_lock lock(mutex_);
        waiting_.push_back(std::move(work));
        const std::uint64_t mine = next_;
        while (done_ < mine) {
            if (busy_) {
                changed_.wait(lock);
                continue;
            }
            busy_ = true;
            const std::vector<Work> batch = std::exchange(waiting_, {});
            const std::uint64_t number = next_++;
            lock.unlock();
            together_(batch);
            lock.lock();
            done_ = number;
            busy_ = false;
            changed_.notify_all();
        }
    }

private:
    std::function<void(const std::vector<Work>&)> together_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Work> waiting_;
    std::uint64_t next_ = 1;
    std::uint64_t done_ = 0;
    bool busy_ = false;
};

constexpr const char* kTables = R"sql(
CREATE TABLE transfer_works(id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, seq INTEGER NOT NULL);
CREATE TABLE claims(id INTEGER PRIMARY KEY, work INTEGER NOT NULL, state INTEGER NOT NULL, claim BLOB, answer BLOB,
                    accept BLOB);
CREATE INDEX claims_work ON claims(work);
CREATE TABLE ledger(id INTEGER PRIMARY KEY, work INTEGER NOT NULL, entry BLOB NOT NULL);
CREATE TABLE outcomes(statement BLOB PRIMARY KEY, claim INTEGER NOT NULL, receipt BLOB) WITHOUT ROWID;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
INSERT INTO transfer_works SELECT i, 0, 0 FROM n;
)sql";

// What a third statement leaves where it is to be proved.
struct Proof {
    Bytes leaf;  // sealed
    Bytes receipt;
};

struct Step {
    std::byte kind{};
    std::uint64_t claim = 0;  // its number, and the work's
    ByteView statement;
    std::optional<Digest> id;
    const Proof* proof = nullptr;
};

class Database {
public:
    explicit Database(const Path& path) : db_(must(SqliteConnection::open(path, SqliteConnection::Access::write))) {
        must(db_->execute(kTables));
    }

    void write(const std::vector<Step>& steps) {
        must(db_->query("BEGIN IMMEDIATE").run());
        for (const Step& step : steps) write_one(step);
        must(db_->query("COMMIT").run());
    }

private:
    void write_one(const Step& step) {
        if (step.kind == std::byte{0}) {
            must(db_->query("INSERT INTO claims(id, work, state, claim) VALUES(?, ?, 1, ?)")
                     .bind(step.claim)
                     .bind(step.claim)
                     .bind(step.statement)
                     .run());
        } else if (step.kind != kLast) {
            must(db_->query("UPDATE claims SET state = 2, answer = ? WHERE id = ?")
                     .bind(step.statement)
                     .bind(step.claim)
                     .run());
        } else {
            must(db_->query("UPDATE claims SET state = 3, accept = ? WHERE id = ?")
                     .bind(step.statement)
                     .bind(step.claim)
                     .run());
            must(db_->query("UPDATE transfer_works SET owner = owner + 1, seq = seq + 1 WHERE id = ?")
                     .bind(step.claim % 100'000 + 1)
                     .run());
            must(db_->query("INSERT INTO ledger(work, entry) VALUES(?, ?)")
                     .bind(step.claim)
                     .bind(step.proof != nullptr ? step.proof->leaf : Bytes(kLeaf))
                     .run());
        }
        if (step.id) write_outcome(step);
    }

    void write_outcome(const Step& step) {
        auto row = db_->query("INSERT INTO outcomes(statement, claim, receipt) VALUES(?, ?, ?)");
        row.bind(*step.id).bind(step.claim);
        if (step.proof != nullptr) {
            must(row.bind(step.proof->receipt).run());
        } else {
            must(row.bind(std::nullopt).run());
        }
    }

    std::unique_ptr<SqliteConnection> db_;
};

class Leaves {
public:
    explicit Leaves(const Path& path) : path_(path), fd_(create(path, O_TRUNC)) {}

    void append(std::size_t count, std::size_t of_each) {
        must(write_all(fd_.get(), Bytes(count * of_each), path_));
        sync(fd_);
    }

private:
    Path path_;
    FileDescriptor fd_;
};

class Server {
public:
    Server(const KeyHome& home, const Path& directory, bool proved)
        : key_(must(home.unlock_sign(nullptr)).public_key()),
          database_(directory / "database"),
          leaves_(directory / "leaves"),
          writes_([this](const std::vector<Step>& steps) { database_.write(steps); }),
          appends_([this](const std::vector<bool>& leaves) {
              leaves_.append(leaves.size(), log_ ? kLeaf + kNodes : kLeaf);
              if (log_) (void)log_->sign(Bytes(kCheckpoint));
          }) {
        if (proved) log_ = LogKey::generate();
    }

    void serve(const Stream& stream) {
        Records in;
        Records out;
        Records at_rest;
        std::uint64_t claim = 0;
        for (Bytes request; !(request = in.receive(stream, kRequest)).empty();) {
            const ByteView statement = ByteView(request).subspan(1, kStatement);
            require(key_.verify(statement, ByteView(request).last(kSignature)), "a wrong signature");
            if (request[0] == std::byte{0}) claim = next_++;
            if (log_) {
                write_proved(at_rest, request[0], claim, statement);
            } else {
                writes_.run({request[0], claim, statement, std::nullopt, nullptr});
            }
            if (request[0] == kLast) appends_.run(true);
            stream.send(out.seal(Bytes(kAnswer)));
        }
    }

private:
    void write_proved(Records& at_rest, std::byte kind, std::uint64_t claim, ByteView statement) {
        const Bytes sealed = at_rest.seal(statement);
        // All of them are the same one here.
        Bytes named(statement.begin(), statement.end());
        named.push_back(kind);
        append(named, std::as_bytes(std::span(&claim, 1)));
        Step step{kind, claim, sealed, sha256(named), nullptr};
        Proof proof;
        if (kind == kLast) {
            const std::string leaf(kLeaf, 'l');
            proof.leaf = at_rest.seal(as_bytes(leaf));
            proof.receipt = at_rest.seal(log_->sign(Bytes(kReceipt)));
            // Its own hash, and in the mean one above it.
            const LeafHash hash = leaf_hash(leaf);
            (void)node_hash(hash, hash);
            step.proof = &proof;
        }
        writes_.run(step);
    }

    VerifyKey key_;
    std::optional<LogKey> log_;
    Database database_;
    Leaves leaves_;
    Group<Step> writes_;
    Group<bool> appends_;
    std::atomic<std::uint64_t> next_ = 1;
};

int run_clients(const KeyHome& home, const std::string& port, std::size_t clients, std::size_t each) {
    Bytes request(1 + kStatement);
    append(request, must(home.unlock_sign(nullptr)).sign(ByteView(request).subspan(1)));
    std::vector<Stream> streams;
    for (std::size_t i = 0; i < clients; ++i) streams.push_back(connect_to(port));
    std::atomic<bool> failed = false;
    const auto work = [&](const Stream& stream) {
        Records in;
        Records out;
        Bytes mine = request;
        for (std::size_t i = 0; i < 3 * each && !failed; ++i) {
            mine[0] = static_cast<std::byte>(i % 3);
            stream.send(out.seal(mine));
            if (in.receive(stream, kAnswer).empty()) failed = true;
        }
    };
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    threads.reserve(streams.size());
    for (const Stream& stream : streams) threads.emplace_back([&work, &stream] { work(stream); });
    for (std::thread& thread : threads) thread.join();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    require(!failed, "the connection ended");
    std::cout << clients * each << " " << took.count() << "\n";
    return 0;
}

int run(const std::vector<std::string>& words) {
    const bool proved = words.size() == 4 && words[3] == "proved";
    const bool serves = (words.size() == 3 || proved) && words[0] == "serve";
    if (!serves && !(words.size() == 5 && words[0] == "run")) {
        std::cerr << "usage: bench-bare-statements serve HOME DIR [proved] | run HOME PORT CLIENTS EACH\n";
        return 64;
    }
    const KeyHome home = must(KeyHome::open(words[1]));
    if (!serves) return run_clients(home, words[2], std::stoul(words[3]), std::stoul(words[4]));
    std::filesystem::remove_all(words[2]);
    std::filesystem::create_directories(words[2]);
    Server server(home, words[2], proved);
    serve([&server](const Stream& stream) { server.serve(stream); });
}

}  // namespace

}  // namespace sat::bare

int main(int argc, char** argv) {
    return sat::bare::main_of("bench-bare-statements", [&] { return sat::bare::run({argv + 1, argv + argc}); });
}
