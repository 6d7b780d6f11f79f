// Real pictures: one small one of each kind (24 x 16, made once with libvips), and TIFFs of any size.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/file.h"

namespace sat::test {

struct Sample {
    std::string_view name;  // "picture.jpg"
    std::string_view media_type;
    std::string_view base64;
};

inline constexpr int kSampleWidth = 24;
inline constexpr int kSampleHeight = 16;

// JPEG, PNG, TIFF, WebP, GIF, AVIF.
const std::array<Sample, 6>& samples();
Bytes sample_bytes(const Sample& sample);

// An uncompressed RGB TIFF of at least `bytes` bytes: noise from `seed`, so that no two chunks are alike.
Bytes make_tiff(std::size_t bytes, std::uint32_t seed = 1);

// A small PNG by hand with `text` in a tEXt chunk: metadata that a preview may not repeat.
Bytes make_png_with_text(std::string_view text);

}  // namespace sat::test
