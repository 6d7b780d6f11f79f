// A ledger as files that anybody can serve: c2sp.org/tlog-tiles.  Paths and the bundles of entries; no file is touched.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace sat {

inline constexpr std::size_t kTileWidth = 256;

// "tile/<level>/<index>", with ".p/<width>" where the tile is not full.  The index is split into threes: 1234067 is
// x001/x234/067.  Asserts 1 <= width <= kTileWidth.
std::string tile_path(unsigned level, std::uint64_t index, std::size_t width = kTileWidth);
// "tile/entries/<index>", likewise.
std::string bundle_path(std::uint64_t index, std::size_t width = kTileWidth);

// Each entry behind its u16 length; asserts that they fit.
Bytes encode_bundle(std::span<const std::string> entries);
// malformed unless it is exactly `width` entries.
Result<std::vector<std::string>> parse_bundle(ByteView bundle, std::size_t width);

}  // namespace sat
