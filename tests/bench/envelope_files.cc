// The envelope alone, file to file, beside programs that encrypt a file to a recipient: what `age` and `gpg` do, and
// what SAT does to an image before it is sent, without the hash for its registration.  A file of ours is the header and
// the chunks behind it.
//
//     bench-envelope seal|open HOME IN OUT
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>

#include <iostream>

#include "client/key_home.h"
#include "envelope/envelope.h"

namespace sat {

namespace {

constexpr std::size_t kBatch = 16;  // chunks

struct File {
    Path path;
    FileDescriptor fd;

    Result<void> read(MutableBytes into) const {
        SAT_TRY_VALUE(const std::size_t got, read_some(fd.get(), into, path));
        if (got < into.size()) return fail(Errc::input_unreadable, "the file ends too early");
        return {};
    }
    Result<void> write(ByteView bytes) const { return write_all(fd.get(), bytes, path); }
    std::uint64_t size() const {
        struct stat status {};
        return ::fstat(fd.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
    }
};

Result<void> seal_file(const KeyHome& home, const File& in, const File& out) {
    SAT_TRY_VALUE(const KemPrivateKey kem, home.unlock_kem(nullptr));
    Sealer sealer =
        Sealer::create(ArtworkId::generate(), in.size(), home.chain().wallet(), kem.public_key(), Purpose::transit);
    SAT_TRY(out.write(sealer.header().encode()));
    Bytes plain(kBatch * kChunkPlaintext);
    Bytes sealed(kBatch * kChunkSealed);
    while (sealer.remaining() >= plain.size()) {
        SAT_TRY(in.read(plain));
        SAT_TRY(sealer.seal_whole(plain, sealed));
        SAT_TRY(out.write(sealed));
    }
    plain.resize(static_cast<std::size_t>(sealer.remaining()));
    sealed.clear();
    SAT_TRY(in.read(plain));
    SAT_TRY(sealer.seal(plain, sealed));
    SAT_TRY(sealer.finish(sealed));
    return out.write(sealed);
}

Result<void> open_file(const KeyHome& home, const File& in, const File& out) {
    SAT_TRY_VALUE(const KemPrivateKey kem, home.unlock_kem(nullptr));
    Bytes head(kEnvelopePrefixSize);
    SAT_TRY(in.read(head));
    SAT_TRY_VALUE(const std::size_t head_size, EnvelopeHeader::size_from_prefix(head));
    head.resize(head_size);
    SAT_TRY(in.read(MutableBytes(head).subspan(kEnvelopePrefixSize)));
    SAT_TRY_VALUE(const EnvelopeHeader header, EnvelopeHeader::parse(head));
    SAT_TRY_VALUE(const SecretBytes key, unwrap(header, Purpose::transit, kem));
    SAT_TRY_VALUE(Opener opener, Opener::create(header, key));
    Bytes sealed(kBatch * kChunkSealed);
    Bytes plain(kBatch * kChunkPlaintext);
    while (opener.remaining() > sealed.size()) {
        SAT_TRY(in.read(sealed));
        SAT_TRY(opener.open_whole(sealed, plain));
        SAT_TRY(out.write(plain));
    }
    sealed.resize(static_cast<std::size_t>(opener.remaining()));
    plain.clear();
    SAT_TRY(in.read(sealed));
    SAT_TRY(opener.open(sealed, plain));
    SAT_TRY(opener.finish(plain));
    return out.write(plain);
}

Result<void> run(const std::string& what, const Path& home_path, const Path& from, const Path& to) {
    SAT_TRY_VALUE(const KeyHome home, KeyHome::open(home_path));
    File in{from, {}};
    SAT_TRY_VALUE(in.fd, open_regular(from));
    const File out{to, FileDescriptor(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600))};
    if (!out.fd) return fail(Errc::io_error, "cannot write the other file");
    return what == "seal" ? seal_file(home, in, out) : open_file(home, in, out);
}

}  // namespace

}  // namespace sat

int main(int argc, char** argv) {
    const std::string what = argc == 5 ? argv[1] : "";
    if (what != "seal" && what != "open") {
        std::cerr << "usage: bench-envelope seal|open HOME IN OUT\n";
        return 64;
    }
    const auto done = sat::run(what, argv[2], argv[3], argv[4]);
    if (!done) std::cerr << "bench-envelope: " << done.error().message << "\n";
    return done ? 0 : 1;
}
