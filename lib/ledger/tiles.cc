// SPDX-License-Identifier: Apache-2.0
#include "ledger/tiles.h"

#include "base/assert.h"
#include "base/codec.h"

namespace sat {

namespace {

std::string three_digits(std::uint64_t number) {
    std::string text = std::to_string(number);
    return std::string(3 - text.size(), '0') + text;
}

std::string path(const std::string& kind, std::uint64_t index, std::size_t width) {
    SAT_ASSERT(width >= 1 && width <= kTileWidth);
    std::string text = three_digits(index % 1000);
    for (index /= 1000; index > 0; index /= 1000) {
        text.insert(0, "/");
        text.insert(0, three_digits(index % 1000));
        text.insert(0, "x");
    }
    text.insert(0, "tile/" + kind + "/");
    if (width < kTileWidth) text += ".p/" + std::to_string(width);
    return text;
}

}  // namespace

std::string tile_path(unsigned level, std::uint64_t index, std::size_t width) {
    return path(std::to_string(level), index, width);
}

std::string bundle_path(std::uint64_t index, std::size_t width) { return path("entries", index, width); }

Bytes encode_bundle(std::span<const std::string> entries) {
    ByteWriter out;
    for (const std::string& entry : entries) out.vec16(as_bytes(entry));
    return out.take();
}

Result<std::vector<std::string>> parse_bundle(ByteView bundle, std::size_t width) {
    ByteReader in(bundle);
    std::vector<std::string> entries;
    for (std::size_t i = 0; i < width && in.ok(); ++i) entries.push_back(to_string(in.vec16(0, UINT16_MAX)));
    SAT_TRY(in.finish());
    return entries;
}

}  // namespace sat
