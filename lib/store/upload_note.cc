// Notes of uploads.  docs/storage.md, "Uploads that were cut off".
// SPDX-License-Identifier: Apache-2.0
#include "store/upload_note.h"

#include "base/codec.h"
#include "crypto/hash.h"
#include "store/row_codec.h"

namespace sat {

namespace {

constexpr std::string_view kMagic = "SATU";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMaxMediaType = 32;

// The clear beginning of the file; the rest is bound to it.
Bytes header(const ArtworkId& artwork) {
    return ByteWriter().raw(as_bytes(kMagic)).u8(kVersion).u8(0).u16(0).raw(artwork.bytes()).take();
}

}  // namespace

Bytes seal_upload_note(const UploadNote& note, AtRestSealer& sealer) {
    ByteWriter out;
    out.raw(note.wallet.view()).raw(note.resume.view()).u64(note.bytes);
    out.u64(static_cast<std::uint64_t>(note.kept_at)).u64(note.resealed);
    put_text(out, note.media_type);
    Bytes bytes = header(note.artwork);
    append(bytes, sealer.seal(label("SAT/1 upload note", bytes), out.bytes()));
    return bytes;
}

Result<UploadNote> open_upload_note(ByteView bytes, const ArtworkId& artwork, AtRestSealer& sealer) {
    const Bytes clear = header(artwork);
    if (bytes.size() < clear.size() || !std::equal(clear.begin(), clear.end(), bytes.begin()))
        return fail(Errc::io_error, "a note is not that of its upload");
    SAT_TRY_VALUE(const Bytes opened, sealer.open(label("SAT/1 upload note", clear), bytes.subspan(clear.size())));
    ByteReader in(opened);
    UploadNote note;
    note.artwork = artwork;
    note.wallet = in.digest();
    note.resume = in.digest();
    note.bytes = in.u64();
    note.kept_at = static_cast<UnixTime>(in.u64());
    note.resealed = in.u64();
    note.media_type = get_text(in, kMaxMediaType);
    if (!in.finish()) return fail(Errc::io_error, "a note has a format that this version does not know");
    return note;
}

}  // namespace sat
