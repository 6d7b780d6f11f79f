// File endings by content.
// SPDX-License-Identifier: Apache-2.0
#include "common/sniff.h"

#include <gtest/gtest.h>

namespace sat {
namespace {

using namespace std::string_view_literals;

TEST(ImageExtension, GoesByTheFirstBytes) {
    const std::vector<std::pair<std::string_view, std::string_view>> cases = {
        {"\xFF\xD8\xFF\xE0....JFIF"sv, ".jpg"},
        {"\x89PNG\r\n\x1A\n....."sv, ".png"},
        {"II*\0........"sv, ".tif"},
        {"MM\0*........"sv, ".tif"},
        {"II+\0........"sv, ".tif"},
        {"GIF89a......"sv, ".gif"},
        {"GIF87a......"sv, ".gif"},
        {"RIFF....WEBPVP8"sv, ".webp"},
        {"\0\0\0\x20"
         "ftypavif...."sv,
         ".avif"},
        {"\0\0\0\x20"
         "ftypavis"sv,
         ".avif"},
        {"RIFF....WAVE"sv, ".bin"},
        {"#!/bin/sh"sv, ".bin"},
        {""sv, ".bin"},
        {"RIFF....WEB"sv, ".bin"},
    };
    for (const auto& [content, extension] : cases) EXPECT_EQ(image_extension(as_bytes(content)), extension) << content;
}

}  // namespace
}  // namespace sat
