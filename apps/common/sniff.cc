// Magic numbers.
// SPDX-License-Identifier: Apache-2.0
#include "common/sniff.h"

namespace sat {

std::string_view image_extension(ByteView beginning) noexcept {
    using namespace std::string_view_literals;
    const std::string_view head = as_text(beginning.first(std::min<std::size_t>(beginning.size(), 12)));
    if (head.starts_with("\xFF\xD8\xFF"sv)) return ".jpg";
    if (head.starts_with("\x89PNG\r\n\x1A\n"sv)) return ".png";
    // Classic and BigTIFF, in both byte orders.
    for (const std::string_view tiff : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
        if (head.starts_with(tiff)) return ".tif";
    if (head.starts_with("GIF87a"sv) || head.starts_with("GIF89a"sv)) return ".gif";
    if (head.size() == 12 && head.starts_with("RIFF"sv) && head.substr(8) == "WEBP"sv) return ".webp";
    if (head.size() == 12 && (head.substr(4) == "ftypavif"sv || head.substr(4) == "ftypavis"sv)) return ".avif";
    return ".bin";
}

}  // namespace sat
