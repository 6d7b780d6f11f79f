// The bound of an ownership transfer, measured: three statements, each opened, its signature verified, written to a log
// that is synced, and answered; the third to the leaves as well, behind the log.  Who waits for one sync shares it.  No
// rules, no database, no JSON, nothing of what the statements say; one connection where SAT's clients have two.
// docs/performance.md, "Method".
//
//     bench-bare-statements serve HOME DIRECTORY             prints its port, then serves until it is killed
//     bench-bare-statements run HOME PORT CLIENTS EACH       prints transfers and seconds
//
// HOME is of sat-artist: its key signs.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <thread>

#include "bench/bare.h"
#include "client/key_home.h"
#include "crypto/aead.h"

namespace sat::bare {

namespace {

constexpr std::size_t kStatement = 1100;
constexpr std::size_t kSignature = static_cast<std::size_t>(RsaBits::b3072) / 8;
constexpr std::size_t kRequest = 1 + kStatement + kSignature;
constexpr std::size_t kAnswer = 1100;
constexpr std::size_t kLogged = 8192;  // two pages of a database, as far as it can do with two
constexpr std::size_t kLeaf = 3300;
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

class Log {
public:
    explicit Log(const Path& path) : path_(path), fd_(create(path, O_TRUNC)) {}

    // Returns when it is synced, with what others appended meanwhile.
    void append(std::size_t size) {
        std::unique_lock lock(mutex_);
        pending_.resize(pending_.size() + size);
        const std::uint64_t mine = next_;
        while (synced_ < mine) {
            if (syncing_) {
                changed_.wait(lock);
                continue;
            }
            syncing_ = true;
            const Bytes batch = std::move(pending_);
            pending_.clear();
            const std::uint64_t done = next_++;
            lock.unlock();
            must(write_all(fd_.get(), batch, path_));
            sync(fd_);
            lock.lock();
            synced_ = done;
            syncing_ = false;
            changed_.notify_all();
        }
    }

private:
    Path path_;
    FileDescriptor fd_;
    std::mutex mutex_;
    std::condition_variable changed_;
    Bytes pending_;
    std::uint64_t next_ = 1;
    std::uint64_t synced_ = 0;
    bool syncing_ = false;
};

class Server {
public:
    Server(const KeyHome& home, const Path& directory)
        : key_(must(home.unlock_sign(nullptr)).public_key()), log_(directory / "log"), leaves_(directory / "leaves") {}

    void serve(const Stream& stream) {
        Records in;
        Records out;
        for (Bytes request; !(request = in.receive(stream, kRequest)).empty();) {
            const ByteView statement = ByteView(request).subspan(1, kStatement);
            require(key_.verify(statement, ByteView(request).last(kSignature)), "a wrong signature");
            log_.append(kLogged);
            if (request[0] == kLast) leaves_.append(kLeaf);
            stream.send(out.seal(Bytes(kAnswer)));
        }
    }

private:
    VerifyKey key_;
    Log log_;
    Log leaves_;
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
    for (const Stream& stream : streams) threads.emplace_back([&work, &stream] { work(stream); });
    for (std::thread& thread : threads) thread.join();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    require(!failed, "the connection ended");
    std::cout << clients * each << " " << took.count() << "\n";
    return 0;
}

int run(const std::vector<std::string>& words) {
    const bool serves = words.size() == 3 && words[0] == "serve";
    if (!serves && !(words.size() == 5 && words[0] == "run")) {
        std::cerr << "usage: bench-bare-statements serve HOME DIR | run HOME PORT CLIENTS EACH\n";
        return 64;
    }
    const KeyHome home = must(KeyHome::open(words[1]));
    if (!serves) return run_clients(home, words[2], std::stoul(words[3]), std::stoul(words[4]));
    std::filesystem::create_directories(words[2]);
    Server server(home, words[2]);
    serve([&server](const Stream& stream) { server.serve(stream); });
}

}  // namespace

}  // namespace sat::bare

int main(int argc, char** argv) {
    return sat::bare::main_of("bench-bare-statements", [&] { return sat::bare::run({argv + 1, argv + argc}); });
}
