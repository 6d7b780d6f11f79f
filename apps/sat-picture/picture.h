// Reading a picture with libvips: which of our six types it is, how large, and a small preview.
// All but load_decoders() runs in the helper's decoding children, and may end that process at any time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace sat {

enum class MediaType : std::uint32_t { none, jpeg, png, tiff, webp, gif, avif };

// "image/jpeg"; empty for none.
std::string_view media_type_name(MediaType type) noexcept;

struct PictureHeader {
    MediaType type = MediaType::none;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};

// The child's exit codes, and the words for them.
enum class PictureOutcome : int { done = 0, not_an_image = 1, unsupported = 2, too_large = 3, failed = 4 };

std::string_view picture_outcome_name(PictureOutcome outcome) noexcept;

inline constexpr int kPreviewSide = 512;
inline constexpr std::size_t kMaxPreview = std::size_t{64} * 1024;

// Loads libvips and everything that it needs to decode and to write previews, without a thread and without a byte of
// any picture: before fork().  Once.
[[nodiscard]] bool load_decoders();

// Decodes `input`, a seekable descriptor, and writes to `output` as far as it gets:
//   1. a PictureHeader as the file's first bytes promise it (PNG, GIF, WebP; else of type none), the best there is
//      should libvips run out of memory before 2.;
//   2. a PictureHeader as libvips read it;
//   3. where it is wanted, the preview, a JPEG, until the end: whole only if the outcome is done; nothing if there is
//      none.
// Enters the sandbox before it sees the first byte.  After load_decoders(), once in a process.
PictureOutcome decode_picture(int input, int output, bool preview);

}  // namespace sat
