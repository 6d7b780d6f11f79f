// The bound of a page of the catalogue, measured: fifty rows read as they lie in SQLite, a sealed column of each
// opened, one text made of them, sealed for the wire, sent and opened.  No JSON, no rules, no other thread.  A session
// is there already.  docs/performance.md, "Method".
//
//     bench-bare-pages serve HOME CATALOGUE              prints its port, then serves until it is killed
//     bench-bare-pages run HOME PORT COUNT BEFORE        pages of works below number BEFORE; prints count and seconds
//
// CATALOGUE is a vault's.  Its key is not known here: each column is sealed once more, which is as much work as opening
// it.  HOME is not used.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <iostream>

#include "bench/bare.h"
#include "crypto/aead.h"
#include "store/sqlite.h"
#include "wire/limits.h"

namespace sat::bare {

namespace {

constexpr int kRows = 50;
constexpr std::size_t kRecord = kMaxRecordBody;

Aes256Gcm some_key() { return Aes256Gcm(SecretBytes(kAeadKeySize)); }

// Of `size` bytes in records.
std::size_t sealed_size(std::size_t size) { return size + (size + kRecord - 1) / kRecord * kAeadTagSize; }

void append_number(Bytes& page, std::uint64_t number) { append(page, memory_of(number)); }

class Pages {
public:
    explicit Pages(const Path& catalogue)
        : db_(must(SqliteConnection::open(catalogue, SqliteConnection::Access::read))) {}

    // Into page_.
    void read(std::uint64_t before) {
        page_.clear();
        SqliteQuery rows = db_->query(
            "SELECT number, artwork, owner, head, seq, registered_at, held, bytes, sealed FROM works WHERE number < ?"
            " ORDER BY number DESC LIMIT ?");
        rows.bind(before).bind(kRows);
        while (must(rows.step())) {
            append(page_, as_bytes(rows.text(1)));
            for (const int column : {2, 3}) append(page_, rows.blob(column));
            for (const int column : {0, 4, 5, 6, 7}) append_number(page_, rows.natural(column));
            const ByteView sealed = rows.blob(8);
            opened_.resize(sealed.size() + kAeadTagSize);
            rows_.seal(nonce_at({}, number_++), rows.blob(2), sealed, opened_);
            append(page_, ByteView(opened_).first(sealed.size()));
        }
    }

    void serve(const Stream& stream) {
        std::uint64_t before = 0;
        Bytes out;
        while (stream.receive(memory_of(before))) {
            read(before);
            std::uint64_t size = page_.size();
            out.resize(sizeof size + sealed_size(page_.size()));
            std::ranges::copy(memory_of(size), out.begin());
            MutableBytes to = MutableBytes(out).subspan(sizeof size);
            for (ByteView rest = page_; !rest.empty();) {
                const std::size_t part = std::min(rest.size(), kRecord);
                wire_.seal(nonce_at({}, number_++), {}, rest.first(part), to.first(part + kAeadTagSize));
                rest = rest.subspan(part);
                to = to.subspan(part + kAeadTagSize);
            }
            stream.send(out);
        }
    }

private:
    std::unique_ptr<SqliteConnection> db_;
    Aes256Gcm rows_ = some_key();
    Aes256Gcm wire_ = some_key();
    std::uint64_t number_ = 0;
    Bytes page_;
    Bytes opened_;
};

int run_client(const std::string& port, std::uint64_t count, std::uint64_t before) {
    const Stream stream = connect_to(port);
    Aes256Gcm wire = some_key();
    Bytes sealed;
    Bytes page;
    const auto start = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < count; ++i) {
        stream.send(memory_of(before));
        std::uint64_t size = 0;
        require(stream.receive(memory_of(size)) && size > 0, "no page");
        sealed.resize(sealed_size(size));
        page.resize(size + kAeadTagSize);
        require(stream.receive(sealed), "no page");
        // Sealed once more, for the same reason: the numbers are the server's.
        for (ByteView rest = sealed; !rest.empty();
             rest = rest.subspan(std::min(rest.size(), kRecord + kAeadTagSize))) {
            const ByteView part = rest.first(std::min(rest.size(), kRecord + kAeadTagSize) - kAeadTagSize);
            wire.seal(nonce_at({}, i), {}, part, MutableBytes(page).first(part.size() + kAeadTagSize));
        }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::cout << count << " " << took.count() << "\n";
    return 0;
}

int run(const std::vector<std::string>& words) {
    if (words.size() == 5 && words[0] == "run")
        return run_client(words[2], std::stoull(words[3]), std::stoull(words[4]));
    if (words.size() != 3 || words[0] != "serve") {
        std::cerr << "usage: bench-bare-pages serve HOME CATALOGUE | run HOME PORT COUNT BEFORE\n";
        return 64;
    }
    const Path catalogue = words[2];
    serve([&catalogue](const Stream& stream) { Pages(catalogue).serve(stream); });
}

}  // namespace

}  // namespace sat::bare

int main(int argc, char** argv) {
    return sat::bare::main_of("bench-bare-pages", [&] { return sat::bare::run({argv + 1, argv + argc}); });
}
