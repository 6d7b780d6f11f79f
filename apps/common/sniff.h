// A file name's ending by what the file begins with, for images that were received: never by what anybody said.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace sat {

// ".jpg", ".png", ".tif", ".webp", ".gif", ".avif"; ".bin" for anything else.  The first 12 bytes decide.
std::string_view image_extension(ByteView beginning) noexcept;

}  // namespace sat
