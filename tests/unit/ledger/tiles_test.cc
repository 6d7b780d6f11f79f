// SPDX-License-Identifier: Apache-2.0
#include "ledger/tiles.h"

#include <gtest/gtest.h>

namespace sat {
namespace {

TEST(Tiles, LieWhereTheSpecificationHasThem) {
    // The examples of c2sp.org/tlog-tiles, and the numbers around a thousand.
    EXPECT_EQ(tile_path(0, 1234067), "tile/0/x001/x234/067");
    EXPECT_EQ(tile_path(0, 0), "tile/0/000");
    EXPECT_EQ(tile_path(3, 999), "tile/3/999");
    EXPECT_EQ(tile_path(3, 1000), "tile/3/x001/000");
    EXPECT_EQ(tile_path(1, 273, 17), "tile/1/273.p/17");
    EXPECT_EQ(tile_path(1, 273, 256), "tile/1/273");
    EXPECT_EQ(bundle_path(1000000, 255), "tile/entries/x001/x000/000.p/255");
}

TEST(Tiles, BundlesRoundTrip) {
    for (const std::size_t count : {std::size_t{1}, std::size_t{2}, kTileWidth}) {
        std::vector<std::string> entries;
        for (std::size_t i = 0; i < count; ++i) entries.push_back(std::string(i, 'x'));
        entries.back() = std::string(65535, 'y');
        const Bytes bundle = encode_bundle(entries);
        EXPECT_EQ(parse_bundle(bundle, count).value(), entries);
        EXPECT_FALSE(parse_bundle(bundle, count + 1));
        EXPECT_FALSE(parse_bundle(bundle, count - 1));
        EXPECT_FALSE(parse_bundle(ByteView(bundle).first(bundle.size() - 1), count));
    }
    EXPECT_TRUE(parse_bundle({}, 0));
    EXPECT_FALSE(parse_bundle({}, 1));
}

}  // namespace
}  // namespace sat
