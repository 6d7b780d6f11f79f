// The bound of a transfer, measured: what either end computes, copies and syncs whatever the program, and nothing else.
// docs/performance.md, "Method".
//
// Each image: its key unwrapped (RSA-OAEP), every byte sealed or opened twice (the session's records, the envelope's
// chunks) and hashed, its digest signed and the signature verified; stored in one file or two, beside a small file of
// metadata, under names of their own; each of these synced, then a catalogue and a list that grow.  No handshake, no
// rules, no limits, no catalogue worth the name, nothing sent but these bytes, and not a thread more than connections.
// A session is there already: both ends know its key.
//
//     bench-bare-transfer serve HOME DIRECTORY COPIES         prints its port, then serves until it is killed
//     bench-bare-transfer put HOME PORT FILE...               over four connections at once
//     bench-bare-transfer get HOME PORT FILE                  the image that was stored last
//
// HOME is of sat-artist: its keys are those of both ends.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/uio.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <mutex>
#include <thread>

#include "bench/bare.h"
#include "client/key_home.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "wire/limits.h"

namespace sat::bare {

namespace {

constexpr std::size_t kConnections = 4;
constexpr std::size_t kRsaBlock = static_cast<std::size_t>(RsaBits::b3072) / 8;
constexpr std::size_t kBatch = 4;  // records
constexpr std::size_t kRecordPlain = 4 * kChunkPlaintext;
constexpr std::size_t kRecord = kDataBody + kRecordTagSize;
constexpr off_t kWriteOut = 8 << 20;
constexpr std::size_t kMetadataSize = 2048;
constexpr std::size_t kCatalogueEntry = 8192;
constexpr std::size_t kLeaf = 2048;
const Bytes kLabel;

// Of one image.
struct Begin {
    std::uint64_t size = 0;
    bool get = false;
    std::array<std::byte, kRsaBlock> wrapped{};
    Digest digest;
};

class Ciphers {
public:
    explicit Ciphers(const SecretBytes& data_key) : chunks_(data_key), records_(SecretBytes(kAeadKeySize)) {}

    static std::size_t sealed_size(std::size_t plain) {
        return plain + (plain + kChunkPlaintext - 1) / kChunkPlaintext * kAeadTagSize;
    }
    // Into the record's body; its size.
    std::size_t seal_chunks(ByteView plain, MutableBytes body) {
        std::size_t used = 0;
        for (; !plain.empty(); plain = plain.subspan(std::min(plain.size(), kChunkPlaintext))) {
            const ByteView chunk = plain.first(std::min(plain.size(), kChunkPlaintext));
            chunks_.seal(nonce_at({}, chunk_++), {}, chunk, body.subspan(used, chunk.size() + kAeadTagSize));
            used += chunk.size() + kAeadTagSize;
        }
        return used;
    }
    std::size_t open_chunks(ByteView body, MutableBytes plain) {
        std::size_t used = 0;
        for (; !body.empty(); body = body.subspan(std::min(body.size(), kChunkSealed))) {
            const ByteView chunk = body.first(std::min(body.size(), kChunkSealed));
            const std::size_t size = chunk.size() - kAeadTagSize;
            require(chunks_.open(nonce_at({}, chunk_++), {}, chunk, plain.subspan(used, size)), "a chunk is wrong");
            used += size;
        }
        return used;
    }
    void seal_record(MutableBytes record) {
        records_.seal(nonce_at({}, record_++), {}, ByteView(record).first(record.size() - kRecordTagSize), record);
    }
    void open_record(MutableBytes record) {
        const bool good =
            records_.open(nonce_at({}, record_++), {}, record, record.first(record.size() - kRecordTagSize));
        require(good, "a record is wrong");
    }

private:
    Aes256Gcm chunks_;
    Aes256Gcm records_;
    std::uint64_t chunk_ = 0;
    std::uint64_t record_ = 0;
};

// The records of one batch of an image of which `left` bytes are to come: their bodies, back to back with tags between.
std::vector<MutableBytes> lay_out(Bytes& batch, std::uint64_t left) {
    std::vector<MutableBytes> bodies;
    for (std::size_t at = 0; left > 0 && bodies.size() < kBatch; at += kRecord) {
        const auto plain = static_cast<std::size_t>(std::min<std::uint64_t>(left, kRecordPlain));
        bodies.push_back(MutableBytes(batch).subspan(at, Ciphers::sealed_size(plain)));
        left -= plain;
    }
    return bodies;
}
MutableBytes record_of(MutableBytes body) { return {body.data(), body.size() + kRecordTagSize}; }
MutableBytes all_of(const std::vector<MutableBytes>& bodies) {
    return {bodies.front().data(), record_of(bodies.back()).data() + record_of(bodies.back()).size()};
}

void write_bodies(int fd, const std::vector<MutableBytes>& bodies) {
    std::array<iovec, kBatch> parts{};
    std::size_t size = 0;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        parts[i] = {bodies[i].data(), bodies[i].size()};
        size += bodies[i].size();
    }
    const ssize_t written = writev(fd, parts.data(), static_cast<int>(bodies.size()));
    require(written >= 0 && static_cast<std::size_t>(written) == size, "cannot write");
}

void append_durably(const FileDescriptor& fd, std::size_t size) {
    must(write_all(fd.get(), Bytes(size), "a log"));
    sync(fd);
}

// --- The vault's end ---

class Server {
public:
    Server(const KeyHome& home, Path directory, int copies)
        : kem_(must(home.unlock_kem(nullptr))),
          sign_(must(home.unlock_sign(nullptr)).public_key()),
          directory_(std::move(directory)),
          copies_(copies) {
        std::filesystem::create_directories(directory_);
        catalogue_ = create(directory_ / "catalogue", O_APPEND);
        leaves_ = create(directory_ / "leaves", O_APPEND);
    }

    void serve(const Stream& stream) {
        for (Begin begin; stream.receive(memory_of(begin));) begin.get ? send(stream) : store(stream, begin);
    }

private:
    struct Stored {
        std::uint64_t number = 0;
        SecretBytes data_key;
        Begin begin;
    };

    Path path(std::uint64_t number, int copy, const char* what) const {
        return directory_ / (std::to_string(number) + "." + std::to_string(copy) + what);
    }

    void store(const Stream& stream, const Begin& begin) {
        const std::uint64_t number = next_++;
        SecretBytes data_key = must(kem_.unwrap(begin.wrapped, kLabel));
        Ciphers ciphers(data_key);
        std::vector<FileDescriptor> images;
        images.reserve(static_cast<std::size_t>(copies_));
        for (int copy = 0; copy < copies_; ++copy) images.push_back(create(path(number, copy, ".part"), O_TRUNC));
        Sha256 hash;
        Bytes batch(kBatch * kRecord);
        Bytes plain(kRecordPlain);
        off_t written = 0;
        off_t written_out = 0;
        for (std::uint64_t left = begin.size; left > 0;) {
            const std::vector<MutableBytes> bodies = lay_out(batch, left);
            require(stream.receive(all_of(bodies)), "the connection ended");
            for (const MutableBytes body : bodies) {
                ciphers.open_record(record_of(body));
                const std::size_t size = ciphers.open_chunks(body, plain);
                hash.update(ByteView(plain).first(size));
                left -= size;
                written += static_cast<off_t>(body.size());
            }
            for (const FileDescriptor& image : images) write_bodies(image.get(), bodies);
            if (written - written_out < kWriteOut) continue;
            for (const FileDescriptor& image : images)
                (void)sync_file_range(image.get(), written_out, written - written_out, SYNC_FILE_RANGE_WRITE);
            written_out = written;
        }
        const Digest digest = hash.finish();
        stream.send(digest.view());
        Bytes signature(kRsaBlock);
        require(stream.receive(signature), "no signature");
        require(sign_.verify(digest.view(), signature), "a wrong signature");
        publish(number, images);
        stream.send(digest.view().first(1));
        const std::lock_guard lock(mutex_);
        last_ = {number, std::move(data_key), begin};
        last_.begin.digest = digest;
    }

    // Files before their names, names before the catalogue, the catalogue before the leaves.
    void publish(std::uint64_t number, const std::vector<FileDescriptor>& images) {
        std::vector<FileDescriptor> metadata;
        for (int copy = 0; copy < copies_; ++copy) {
            metadata.push_back(create(path(number, copy, ".meta.part"), O_TRUNC));
            must(write_all(metadata.back().get(), Bytes(kMetadataSize), "metadata"));
        }
        for (const FileDescriptor& image : images) sync(image);
        for (const FileDescriptor& file : metadata) sync(file);
        for (int copy = 0; copy < copies_; ++copy) {
            std::filesystem::rename(path(number, copy, ".part"), path(number, copy, ""));
            std::filesystem::rename(path(number, copy, ".meta.part"), path(number, copy, ".meta"));
        }
        must(sync_directory(directory_));
        append_durably(catalogue_, kCatalogueEntry);
        append_durably(leaves_, kLeaf);
    }

    // As a vault does that trusts its disk: ours opens each chunk before it leaves.
    void send(const Stream& stream) {
        Stored stored;
        {
            const std::lock_guard lock(mutex_);
            stored = {last_.number, last_.data_key.copy(), last_.begin};
        }
        const Bytes wrapped = kem_.public_key().wrap(stored.data_key, kLabel);
        std::ranges::copy(wrapped, stored.begin.wrapped.begin());
        stream.send(memory_of(stored.begin));
        Ciphers ciphers(stored.data_key);
        const Path image = path(stored.number, 0, "");
        const FileDescriptor fd = must(open_regular(image));
        Bytes batch(kBatch * kRecord);
        for (std::uint64_t left = stored.begin.size; left > 0;) {
            const std::vector<MutableBytes> bodies = lay_out(batch, left);
            for (const MutableBytes body : bodies) {
                require(must(read_some(fd.get(), body, image)) == body.size(), "a short image");
                ciphers.seal_record(record_of(body));
                left -= body.size() - (body.size() + kChunkSealed - 1) / kChunkSealed * kAeadTagSize;
            }
            stream.send(all_of(bodies));
        }
    }

    KemPrivateKey kem_;
    VerifyKey sign_;
    Path directory_;
    int copies_;
    FileDescriptor catalogue_;
    FileDescriptor leaves_;
    std::atomic<std::uint64_t> next_ = 1;
    std::mutex mutex_;
    Stored last_;
};

// --- The clients' end ---

void put_one(const Stream& stream, const KemPrivateKey& kem, const SigningKey& sign, const Path& path) {
    const FileDescriptor file = must(open_regular(path));
    Begin begin;
    begin.size = std::filesystem::file_size(path);
    const SecretBytes data_key = random_secret(kDataKeySize);
    std::ranges::copy(kem.public_key().wrap(data_key, kLabel), begin.wrapped.begin());
    stream.send(memory_of(begin));
    Ciphers ciphers(data_key);
    Sha256 hash;
    Bytes batch(kBatch * kRecord);
    Bytes plain(kBatch * kRecordPlain);
    for (std::uint64_t left = begin.size; left > 0;) {
        const std::vector<MutableBytes> bodies = lay_out(batch, left);
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, plain.size()));
        require(must(read_some(file.get(), MutableBytes(plain).first(wanted), path)) == wanted, "a short file");
        ByteView rest = ByteView(plain).first(wanted);
        for (const MutableBytes body : bodies) {
            const ByteView part = rest.first(std::min(rest.size(), kRecordPlain));
            hash.update(part);
            ciphers.seal_chunks(part, body);
            ciphers.seal_record(record_of(body));
            rest = rest.subspan(part.size());
        }
        stream.send(all_of(bodies));
        left -= wanted;
    }
    Digest digest;
    require(stream.receive(digest.bytes), "no answer");
    require(digest == hash.finish(), "another hash");
    stream.send(sign.sign(digest.view()));
    std::byte done{};
    require(stream.receive({&done, 1}), "no receipt");
}

int put(const KeyHome& home, const std::string& port, const std::vector<Path>& files) {
    const KemPrivateKey kem = must(home.unlock_kem(nullptr));
    const SigningKey sign = must(home.unlock_sign(nullptr));
    std::atomic<std::size_t> next = 0;
    std::atomic<bool> failed = false;
    const auto work = [&] {
        try {
            const Stream stream = connect_to(port);
            for (std::size_t i = next++; i < files.size(); i = next++) put_one(stream, kem, sign, files[i]);
        } catch (const std::exception& error) {
            std::cerr << "bench-bare-transfer: " << error.what() << "\n";
            failed = true;
        }
    };
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < std::min(kConnections, files.size()); ++i) threads.emplace_back(work);
    for (std::thread& thread : threads) thread.join();
    return failed ? 1 : 0;
}

int get(const KeyHome& home, const std::string& port, const Path& path) {
    const KemPrivateKey kem = must(home.unlock_kem(nullptr));
    const Stream stream = connect_to(port);
    Begin begin;
    begin.get = true;
    stream.send(memory_of(begin));
    require(stream.receive(memory_of(begin)), "no answer");
    Ciphers ciphers(must(kem.unwrap(begin.wrapped, kLabel)));
    const FileDescriptor out = create(path, O_TRUNC);
    Sha256 hash;
    Bytes batch(kBatch * kRecord);
    Bytes plain(kBatch * kRecordPlain);
    for (std::uint64_t left = begin.size; left > 0;) {
        const std::vector<MutableBytes> bodies = lay_out(batch, left);
        require(stream.receive(all_of(bodies)), "the connection ended");
        std::size_t size = 0;
        for (const MutableBytes body : bodies) {
            ciphers.open_record(record_of(body));
            size += ciphers.open_chunks(body, MutableBytes(plain).subspan(size));
        }
        hash.update(ByteView(plain).first(size));
        must(write_all(out.get(), ByteView(plain).first(size), path));
        left -= size;
    }
    require(hash.finish() == begin.digest, "another hash");
    return 0;
}

int run(const std::vector<std::string>& words) {
    const std::string command = words.size() >= 4 ? words[0] : "";
    if (command != "serve" && command != "put" && command != "get") {
        std::cerr << "usage: bench-bare-transfer serve HOME DIR COPIES | put HOME PORT FILE... | get HOME PORT FILE\n";
        return 64;
    }
    const KeyHome home = must(KeyHome::open(words[1]));
    if (command == "serve") {
        Server server(home, words[2], std::stoi(words[3]));
        serve([&server](const Stream& stream) { server.serve(stream); });
    }
    if (command == "get") return get(home, words[2], words[3]);
    return put(home, words[2], {words.begin() + 3, words.end()});
}

}  // namespace

}  // namespace sat::bare

int main(int argc, char** argv) {
    return sat::bare::main_of("bench-bare-transfer", [&] { return sat::bare::run({argv + 1, argv + argc}); });
}
