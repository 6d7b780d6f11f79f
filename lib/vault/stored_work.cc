// A work's files, checked.  docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#include "vault/stored_work.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "crypto/hash.h"
#include "envelope/envelope.h"

namespace sat {

namespace {

constexpr std::size_t kChunksAtOnce = 64;

tl::unexpected<Error> damaged(std::string what) { return fail(Errc::io_error, std::move(what)); }

Result<FileDescriptor> open_stored(const Path& file) {
    FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && errno == ENOENT) return damaged("it is missing");
    if (!fd) return fail(errno_error("read", file, errno));
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) return fail(errno_error("read", file, errno));
    if (!S_ISREG(status.st_mode)) return damaged("it is no regular file");
    return fd;
}

Result<void> check_chunks(int fd, const Path& file, const EnvelopeHeader& header, const VaultKeys& keys,
                          const StoredWork& work) {
    const auto data_key = unwrap(header, Purpose::store, keys.store);
    auto opener = data_key ? Opener::create(header, *data_key) : Result<Opener>(fail(data_key.error()));
    if (!opener) return damaged("its header does not open: the key is not the one that it commits to");
    Sha256 hash;
    Bytes sealed(kChunksAtOnce * kChunkSealed);
    Bytes plaintext;
    for (std::uint64_t at = 0; opener->remaining() > 0;) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(sealed.size(), opener->remaining()));
        SAT_TRY_VALUE(const std::size_t got, read_some(fd, MutableBytes(sealed).first(wanted), file));
        if (got != wanted) return damaged("it is cut short");
        plaintext.clear();
        const auto opened = opener->open(ByteView(sealed).first(got), plaintext);
        if (!opened)
            return damaged("chunk " + std::to_string(at + plaintext.size() / kChunkPlaintext) +
                           " does not authenticate");
        hash.update(plaintext);
        at += plaintext.size() / kChunkPlaintext;
    }
    plaintext.clear();
    if (!opener->finish(plaintext)) return damaged("its last chunk does not authenticate");
    hash.update(plaintext);
    wipe(plaintext.data(), plaintext.size());
    if (hash.finish() != work.sha256) return damaged("the image is not the one that was registered");
    return {};
}

}  // namespace

StoredWork StoredWork::of(const Signed<Registration>& registration, UnixTime at, const LeafHash& leaf) {
    const Registration& body = registration.body;
    return {body.artwork, registration.id, sat::sha256(as_bytes(registration.jws)), at, leaf, body.bytes,
            body.sha256,  body.preview};
}

Result<void> check_image_file(const Path& file, const StoredWork& work, const VaultKeys& keys) {
    SAT_TRY_VALUE(const FileDescriptor fd, open_stored(file));
    Bytes prefix(kEnvelopePrefixSize);
    SAT_TRY_VALUE(const std::size_t got, read_some(fd.get(), prefix, file));
    if (got < prefix.size()) return damaged("it is cut short");
    const auto header_size = EnvelopeHeader::size_from_prefix(prefix);
    if (!header_size) return damaged("it does not begin with an envelope's header");
    Bytes rest(*header_size - prefix.size());
    SAT_TRY_VALUE(const std::size_t more, read_some(fd.get(), rest, file));
    if (more < rest.size()) return damaged("it is cut short");
    const auto header = EnvelopeHeader::parse(concat({prefix, rest}));
    if (!header) return damaged("it does not begin with an envelope's header");
    if (header->artwork != work.artwork) return damaged("it is another work's");
    if (header->recipient != keys.wallet()) return damaged("it is another vault's");
    if (header->plaintext_length != work.bytes) return damaged("its length is not the one that was registered");
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) return fail(errno_error("read", file, errno));
    const std::uint64_t size = *header_size + sealed_size(work.bytes);
    if (static_cast<std::uint64_t>(status.st_size) < size) return damaged("it is cut short");
    if (static_cast<std::uint64_t>(status.st_size) > size) return damaged("something follows its end");
    return check_chunks(fd.get(), file, *header, keys, work);
}

bool is_proved_work(const Path& file, const ArtworkId& artwork, const VaultKeys& keys, AtRestSealer& sealer) {
    const auto fd = open_stored(file);
    if (!fd) return false;
    Bytes bytes(kMaxWorkFile + 1);
    const auto size = read_some(fd->get(), bytes, file);
    if (!size) return false;
    bytes.resize(*size);
    const auto opened = open_work_file(bytes, artwork, sealer);
    if (!opened) return false;
    const auto registration = parse_statement<Registration>(opened->registration);
    const auto receipt = parse_and_verify<Receipt>(opened->receipt, keys.chain);
    return registration && receipt && registration->body.artwork == artwork && receipt->body.of == registration->id;
}

bool is_envelope(const Path& file) {
    const auto fd = open_stored(file);
    Bytes prefix(kEnvelopePrefixSize);
    if (!fd || read_some(fd->get(), prefix, file).value_or(0) < prefix.size()) return false;
    const auto header_size = EnvelopeHeader::size_from_prefix(prefix);
    if (!header_size) return false;
    Bytes rest(*header_size - prefix.size());
    if (read_some(fd->get(), rest, file).value_or(0) < rest.size()) return false;
    return EnvelopeHeader::parse(concat({prefix, rest})).has_value();
}

Result<WorkFile> check_work_file(const Path& file, const StoredWork& work, const VaultKeys& keys,
                                 AtRestSealer& sealer) {
    SAT_TRY_VALUE(const FileDescriptor fd, open_stored(file));
    Bytes bytes(kMaxWorkFile + 1);
    SAT_TRY_VALUE(const std::size_t size, read_some(fd.get(), bytes, file));
    bytes.resize(size);
    auto opened = open_work_file(bytes, work.artwork, sealer);
    if (!opened) return damaged(opened.error().message);
    if (sha256(as_bytes(opened->registration)) != work.registration_jws || opened->registered_at != work.registered_at)
        return damaged("its registration is not the ledger's");
    const auto receipt = parse_and_verify<Receipt>(opened->receipt, keys.chain);
    if (!receipt || receipt->body.of != work.registration || receipt->body.leaf != work.leaf)
        return damaged("its receipt is not of its registration");
    if (opened->preview.has_value() != work.preview.has_value() ||
        (work.preview && sha256(*opened->preview) != work.preview->sha256))
        return damaged("its preview is not the one that was registered");
    return opened;
}

}  // namespace sat
