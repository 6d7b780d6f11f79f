// Metadata files.  docs/storage.md, "Metadata files".
// SPDX-License-Identifier: Apache-2.0
#include "store/work_file.h"

#include "base/assert.h"
#include "base/codec.h"
#include "crypto/hash.h"
#include "store/row_codec.h"

namespace sat {

namespace {

constexpr std::string_view kMagic = "SATM";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMaxAddress = 64;

// The clear beginning of the file; the rest is bound to it.
Bytes header(const ArtworkId& artwork) {
    return ByteWriter().raw(as_bytes(kMagic)).u8(kVersion).u8(0).u16(0).raw(artwork.bytes()).take();
}

}  // namespace

Bytes seal_work_file(const WorkFile& file, AtRestSealer& sealer) {
    ByteWriter out;
    out.u64(static_cast<std::uint64_t>(file.registered_at));
    put_text(out, file.registration);
    put_text(out, file.receipt);
    put_text(out, file.origin.sender_ip);
    out.u16(file.origin.sender_port).u8(file.preview ? 1 : 0);
    if (file.preview) put_text(out, as_text(*file.preview));

    Bytes bytes = header(file.artwork);
    append(bytes, sealer.seal(label("SAT/1 work file", bytes), out.bytes()));
    SAT_ASSERT(bytes.size() <= kMaxWorkFile);
    return bytes;
}

Result<WorkFile> open_work_file(ByteView bytes, const ArtworkId& artwork, AtRestSealer& sealer) {
    const Bytes clear = header(artwork);
    if (bytes.size() < clear.size() || !std::equal(clear.begin(), clear.end(), bytes.begin()))
        return fail(Errc::io_error, "a metadata file is not that of its work");
    SAT_TRY_VALUE(const Bytes opened, sealer.open(label("SAT/1 work file", clear), bytes.subspan(clear.size())));
    ByteReader in(opened);
    WorkFile file;
    file.artwork = artwork;
    file.registered_at = static_cast<UnixTime>(in.u64());
    file.registration = get_text(in, kMaxJwsSize);
    file.receipt = get_text(in, kMaxShortJws);
    file.origin.sender_ip = get_text(in, kMaxAddress);
    file.origin.sender_port = in.u16();
    if (in.u8() != 0) file.preview = to_bytes(as_bytes(get_text(in, kMaxPreviewSize)));
    if (!in.finish()) return fail(Errc::io_error, "a metadata file has a format that this version does not know");
    return file;
}

}  // namespace sat
