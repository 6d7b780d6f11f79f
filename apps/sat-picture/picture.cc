// libvips is called in this file alone, by its C API.
// SPDX-License-Identifier: Apache-2.0
#include "picture.h"

#include <dlfcn.h>
#include <gmodule.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vips/vips.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "sandbox.h"

namespace sat {

using namespace std::string_view_literals;

namespace {

// libvips maps a GIF or a WebP whole and takes four bytes for each of its pixels before it reports the size.  Where
// both come to more than this, a file that does not open is taken for one that memory cannot hold, not for a damaged
// one.
constexpr std::uint64_t kHeavy = std::uint64_t{128} << 20;
// Threads of decoders: their stacks count as address space.
constexpr std::size_t kThreadStack = std::size_t{1} << 20;
// Tried in turn until the preview fits.
constexpr std::array kQualities{82, 70, 55, 40, 25, 10};

struct Unref {
    void operator()(gpointer object) const noexcept { g_object_unref(object); }
};
using ImagePtr = std::unique_ptr<VipsImage, Unref>;
using SourcePtr = std::unique_ptr<VipsSource, Unref>;

struct Loader {
    const char* operation;
    const char* type_name;
    MediaType type;
};
constexpr std::array kLoaders{
    Loader{"jpegload_source", "VipsForeignLoadJpegSource", MediaType::jpeg},
    Loader{"pngload_source", "VipsForeignLoadPngSource", MediaType::png},
    Loader{"tiffload_source", "VipsForeignLoadTiffSource", MediaType::tiff},
    Loader{"webpload_source", "VipsForeignLoadWebpSource", MediaType::webp},
    Loader{"gifload_source", "VipsForeignLoadNsgifSource", MediaType::gif},
    Loader{"heifload_source", "VipsForeignLoadHeifSource", MediaType::avif},
};

// What nearly every preview takes.
constexpr std::array kOperations{"thumbnail_source", "sequential", "resize",  "shrinkv",         "shrinkh",
                                 "reducev",          "reduceh",    "autorot", "jpegsave_buffer", "copy"};

// Images, or as good as, that we do not take, and that libvips may know or not, by what it was built with and what of
// it is loaded here.
constexpr std::array kOthers{
    "%PDF-"sv,
    "8BPS"sv,                      // Photoshop
    "\xff\x0a"sv,                  // JPEG XL, a bare codestream
    "\0\0\0\x0cJXL \r\n\x87\n"sv,  // JPEG XL in its container
    "\0\0\0\x0cjP  \r\n\x87\n"sv,  // JPEG 2000
};

std::uint32_t big_endian(std::span<const unsigned char> bytes) noexcept {
    std::uint32_t value = 0;
    for (const unsigned char byte : bytes) value = value << 8U | byte;
    return value;
}

std::uint32_t little_endian(std::span<const unsigned char> bytes) noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8U | bytes[i];
    return value;
}

// Type and size by the first 30 bytes, where the format has them there: PNG (IHDR), GIF (logical screen), WebP
// (RFC 9649).  Type none for everything else.
PictureHeader promised_header(int input) noexcept {
    std::array<unsigned char, 30> start{};
    const std::span<const unsigned char> bytes = start;
    if (pread(input, start.data(), start.size(), 0) != static_cast<ssize_t>(start.size())) return {};
    const auto has = [&](std::size_t at, std::string_view text) {
        return std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
    };
    if (has(0, "\x89PNG\r\n\x1a\n") && has(12, "IHDR")) {
        return {MediaType::png, big_endian(bytes.subspan(16, 4)), big_endian(bytes.subspan(20, 4))};
    }
    if (has(0, "GIF87a") || has(0, "GIF89a")) {
        return {MediaType::gif, little_endian(bytes.subspan(6, 2)), little_endian(bytes.subspan(8, 2))};
    }
    if (has(0, "RIFF") && has(8, "WEBPVP8X")) {
        return {MediaType::webp, little_endian(bytes.subspan(24, 3)) + 1, little_endian(bytes.subspan(27, 3)) + 1};
    }
    if (has(0, "RIFF") && has(8, "WEBPVP8L") && bytes[20] == 0x2F) {
        const std::uint32_t sizes = little_endian(bytes.subspan(21, 4));
        return {MediaType::webp, (sizes & 0x3FFFU) + 1, (sizes >> 14U & 0x3FFFU) + 1};
    }
    if (has(0, "RIFF") && has(8, "WEBPVP8 ")) {
        return {MediaType::webp, little_endian(bytes.subspan(26, 2)) & 0x3FFFU,
                little_endian(bytes.subspan(28, 2)) & 0x3FFFU};
    }
    return {};
}

bool is_other_image(int input) noexcept {
    std::array<char, 16> start{};
    const ssize_t got = pread(input, start.data(), start.size(), 0);
    if (got < 0) return false;
    const std::string_view bytes(start.data(), static_cast<std::size_t>(got));
    const bool bitmap = bytes.starts_with("BM") && bytes.size() >= 10 && bytes.substr(6, 4) == "\0\0\0\0"sv;
    return bitmap || std::ranges::any_of(kOthers, [&](std::string_view other) { return bytes.starts_with(other); });
}

bool send(int output, ByteView bytes) { return write_all(output, bytes, "pipe").has_value(); }

bool send(int output, const PictureHeader& header) { return send(output, std::as_bytes(std::span(&header, 1))); }

void be_silent(const gchar* /*domain*/, GLogLevelFlags /*level*/, const gchar* /*text*/, gpointer /*data*/) {}

// AVIF alone is in a module where the distribution has split libvips into them (Debian).  libvips loads whatever it
// finds: some twenty more files, of document readers and ImageMagick, for types that we do not take.
void load_avif_module() {
    Dl_info library{};
    if (dladdr(reinterpret_cast<const void*>(&vips_init), &library) == 0 || library.dli_fname == nullptr) return;
    const std::filesystem::path module =
        std::filesystem::path(library.dli_fname).parent_path() /
        ("vips-modules-" + std::to_string(vips_version(0)) + "." + std::to_string(vips_version(1))) / "vips-heif.so";
    // Registers its loaders, bound at once, or each decoder would look the symbols up anew.  Where there is none,
    // libvips has them itself, or there is no AVIF.
    GModule* const loaded = g_module_open(module.c_str(), G_MODULE_BIND_LOCAL);
    if (loaded != nullptr) g_module_make_resident(loaded);
}

// The AV1 decoder starts as many threads as there are cores; on one core it is the same on every machine.
void keep_to_one_core() noexcept {
    const int core = sched_getcpu();
    if (core < 0) return;
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(static_cast<std::size_t>(core), &cores);
    sched_setaffinity(0, sizeof cores, &cores);
}

MediaType find_type(VipsSource* source) {
    for (const Loader& loader : kLoaders) {
        if (vips_foreign_is_a_source(loader.operation, source) != 0) return loader.type;
    }
    return MediaType::none;
}

// HEIF's brand says AVIF; the codec is what counts.
bool is_av1(VipsImage* image) {
    const char* codec = nullptr;
    return vips_image_get_typeof(image, "heif-compression") != 0 &&
           vips_image_get_string(image, "heif-compression", &codec) == 0 && std::string_view(codec) == "av1";
}

// What a libvips call of the shape int(VipsImage** out) made; null if it failed.
template <typename Call>
ImagePtr made(Call call) {
    VipsImage* out = nullptr;
    const int status = call(&out);
    ImagePtr image(out);
    return status == 0 ? std::move(image) : nullptr;
}

// How libvips averages rows, by `rows` of them, takes half of what a preview of a large TIFF costs: a byte at a time.
// This does it sixteen at a time.  For eight bits a band; at most kMostRows rows, whose sum a sixteen-bit number holds.
constexpr int kMostRows = 257;

// What VIPS_REGION_ADDR gives, for eight bits a band.
VipsPel* row_at(const VipsRegion* region, int left, int y) {
    const auto down = static_cast<std::size_t>(y - region->valid.top) * static_cast<std::size_t>(region->bpl);
    const auto right =
        static_cast<std::size_t>(left - region->valid.left) * static_cast<std::size_t>(region->im->Bands);
    return region->data + down + right;
}

int average_rows(VipsRegion* out, void* sequence, void* /*in*/, void* rows, gboolean* /*stop*/) {
    auto* const in = static_cast<VipsRegion*>(sequence);
    const int most = GPOINTER_TO_INT(rows);
    const VipsRect area = out->valid;
    std::vector<std::uint16_t> sums(static_cast<std::size_t>(VIPS_REGION_N_ELEMENTS(out)));
    std::uint16_t* const sum = sums.data();
    const std::size_t size = sums.size();
    for (int y = area.top; y < VIPS_RECT_BOTTOM(&area); ++y) {
        const int top = y * most;
        const VipsRect wanted{area.left, top, area.width, std::min(most, in->im->Ysize - top)};
        if (vips_region_prepare(in, &wanted) != 0) return -1;
        std::ranges::fill(sums, std::uint16_t{0});
        for (int row = 0; row < wanted.height; ++row) {
            const VipsPel* const pixels = row_at(in, area.left, top + row);
            for (std::size_t i = 0; i < size; ++i) sum[i] = static_cast<std::uint16_t>(sum[i] + pixels[i]);
        }
        VipsPel* const pixels = row_at(out, area.left, y);
        const float part = 1.0F / static_cast<float>(wanted.height);
        for (std::size_t i = 0; i < size; ++i)
            // lround() takes no vectors; a mean of bytes is far from where the two differ.
            // NOLINTNEXTLINE(bugprone-incorrect-roundings)
            pixels[i] = static_cast<VipsPel>(static_cast<float>(sum[i]) * part + 0.5F);
    }
    return 0;
}

// Lazily, as all that libvips does: `owned` lives as long as what is made of it.
ImagePtr with_rows_averaged(ImagePtr owned, int rows) {
    ImagePtr out(vips_image_new());
    VipsImage* const image = owned.get();
    vips_object_local(out.get(), owned.release());
    if (vips_image_pipelinev(out.get(), VIPS_DEMAND_STYLE_THINSTRIP, image, nullptr) != 0) return nullptr;
    out->Ysize = (image->Ysize + rows - 1) / rows;
    if (vips_image_generate(out.get(), vips_start_one, average_rows, vips_stop_one, image, GINT_TO_POINTER(rows)) != 0)
        return nullptr;
    return out;
}

// How many rows of `image` may be averaged before all else: those of a quarter of a preview's row, so that libvips
// still shrinks both ways by a proper filter.  1 where that is not for us: fewer than two; more than eight bits; alpha,
// which weighs; a smaller picture in the same file, or a decoder that shrinks.
int rows_to_average(const PictureHeader& header, VipsImage* image) {
    const bool decodes_all = header.type == MediaType::tiff || header.type == MediaType::png;
    const bool plain = vips_image_get_format(image) == VIPS_FORMAT_UCHAR &&
                       vips_image_get_coding(image) == VIPS_CODING_NONE &&
                       (vips_image_get_interpretation(image) == VIPS_INTERPRETATION_sRGB ||
                        vips_image_get_interpretation(image) == VIPS_INTERPRETATION_B_W) &&
                       vips_image_hasalpha(image) == 0;
    const bool alone = vips_image_get_n_pages(image) == 1 && vips_image_get_n_subifds(image) == 0;
    if (!decodes_all || !plain || !alone) return 1;
    const auto rows = std::max(header.width, header.height) / (4U * kPreviewSide);
    return std::clamp(static_cast<int>(rows), 1, kMostRows);
}

// What a picture's header says of how its preview is made.
struct Wanted {
    int rows = 1;          // to average
    bool profile = false;  // the colours are to be translated by one
};

// Upright, at most kPreviewSide a side, in whatever colours.
// libvips 8.14 hands thumbnail's own fail_on to no source loader, but its option string it does.
// Asked for a profile where there is none, libvips would translate sRGB too, by way of another white point, and pure
// blue would come out as (85, 15, 253).
ImagePtr shrink(VipsSource* source, const PictureHeader& header, const Wanted& wanted) {
    // The pair of the profile comes last: without it, its place ends the list.
    const char* const profile = wanted.profile ? "export_profile" : nullptr;
    if (wanted.rows == 1) {
        return made([&](VipsImage** out) {
            return vips_thumbnail_source(source, out, kPreviewSide, "height", kPreviewSide, "size", VIPS_SIZE_DOWN,
                                         "option_string", "fail_on=truncated", profile, "srgb", nullptr);
        });
    }
    ImagePtr image(vips_image_new_from_source(source, "", "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                              VIPS_FAIL_ON_TRUNCATED, nullptr));
    if (!image) return nullptr;
    const bool lies = vips_image_get_orientation_swap(image.get()) != 0;
    const ImagePtr averaged = with_rows_averaged(std::move(image), wanted.rows);
    if (!averaged) return nullptr;
    const double factor = std::max(header.width, header.height) / static_cast<double>(kPreviewSide);
    const auto side = [&](std::uint32_t pixels) { return std::max(1, static_cast<int>(std::lround(pixels / factor))); };
    return made([&](VipsImage** out) {
        return vips_thumbnail_image(averaged.get(), out, side(lies ? header.height : header.width), "height",
                                    side(lies ? header.width : header.height), "size", VIPS_SIZE_FORCE, profile, "srgb",
                                    nullptr);
    });
}

// As shrink(), sRGB in three bands of eight bits, alpha flattened on white, all in memory.  Null if any of it fails, a
// truncated body included.
ImagePtr make_thumbnail(VipsSource* source, const PictureHeader& header, const Wanted& wanted) {
    ImagePtr image = shrink(source, header, wanted);
    if (image && image->Type != VIPS_INTERPRETATION_sRGB) {
        image = made(
            [&](VipsImage** out) { return vips_colourspace(image.get(), out, VIPS_INTERPRETATION_sRGB, nullptr); });
    }
    if (image && vips_image_hasalpha(image.get()) != 0) {
        std::array<double, 3> white{255, 255, 255};
        const std::unique_ptr<VipsArrayDouble, void (*)(VipsArrayDouble*)> background(
            vips_array_double_new(white.data(), static_cast<int>(white.size())),
            [](VipsArrayDouble* array) { vips_area_unref(VIPS_AREA(array)); });
        image = made(
            [&](VipsImage** out) { return vips_flatten(image.get(), out, "background", background.get(), nullptr); });
    }
    if (image) image = made([&](VipsImage** out) { return vips_cast_uchar(image.get(), out, nullptr); });
    if (image) image.reset(vips_image_copy_memory(image.get()));
    return image;
}

// The best quality that fits; empty if none does.
Bytes encode_preview(VipsImage* image) {
    for (const int quality : kQualities) {
        void* data = nullptr;
        std::size_t size = 0;
        if (vips_jpegsave_buffer(image, &data, &size, "Q", quality, "strip", TRUE, "optimize_coding", TRUE, nullptr) !=
            0) {
            return {};
        }
        const std::unique_ptr<void, void (*)(gpointer)> owner(data, g_free);
        if (size <= kMaxPreview) return to_bytes(ByteView(static_cast<const std::byte*>(data), size));
    }
    return {};
}

SourcePtr open_source(int input) {
    if (lseek(input, 0, SEEK_SET) != 0) return nullptr;
    return SourcePtr(vips_source_new_from_descriptor(input));
}

}  // namespace

std::string_view media_type_name(MediaType type) noexcept {
    switch (type) {
        case MediaType::none:
            return "";
        case MediaType::jpeg:
            return "image/jpeg";
        case MediaType::png:
            return "image/png";
        case MediaType::tiff:
            return "image/tiff";
        case MediaType::webp:
            return "image/webp";
        case MediaType::gif:
            return "image/gif";
        case MediaType::avif:
            return "image/avif";
    }
    return "";
}

std::string_view picture_outcome_name(PictureOutcome outcome) noexcept {
    switch (outcome) {
        case PictureOutcome::done:
            return "done";
        case PictureOutcome::not_an_image:
            return "not_an_image";
        case PictureOutcome::unsupported:
            return "unsupported";
        case PictureOutcome::too_large:
            return "too_large";
        case PictureOutcome::failed:
            return "failed";
    }
    return "failed";
}

bool load_decoders() {
    // One arena: every other one reserves 64 MiB of address space.
    mallopt(M_ARENA_MAX, 1);
    pthread_attr_t attributes{};
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kThreadStack);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
    g_log_set_default_handler(be_silent, nullptr);
    // Where it looks for modules: there are none.
    setenv("VIPSHOME", "/nonexistent", 1);
    if (vips_init("sat-picture") != 0) return false;
    load_avif_module();
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    // What libvips itself calls untrusted, and every other loader that is not one of our six.
    vips_block_untrusted_set(TRUE);
    vips_operation_block_set("VipsForeignLoad", TRUE);
    for (const Loader& loader : kLoaders) vips_operation_block_set(loader.type_name, FALSE);
    // Each makes its class, which every child would do again.
    for (const char* const name : kOperations) {
        const std::unique_ptr<VipsOperation, Unref> once(vips_operation_new(name));
        if (!once) return false;
    }
    return true;
}

PictureOutcome decode_picture(int input, int output, bool preview) {
    struct stat status {};
    if (fstat(input, &status) != 0) return PictureOutcome::failed;
    keep_to_one_core();
    if (!enter_sandbox()) return PictureOutcome::failed;

    const PictureHeader promised = promised_header(input);
    if (promised.width > VIPS_MAX_COORD || promised.height > VIPS_MAX_COORD) return PictureOutcome::too_large;
    if (!send(output, promised)) return PictureOutcome::failed;
    const bool held_whole = promised.type == MediaType::gif || promised.type == MediaType::webp;
    const std::uint64_t needed =
        static_cast<std::uint64_t>(status.st_size) + std::uint64_t{4} * promised.width * promised.height;

    PictureHeader header;
    Wanted wanted;
    {
        const SourcePtr source = open_source(input);
        if (!source) return PictureOutcome::failed;
        header.type = find_type(source.get());
        if (header.type == MediaType::none) {
            // Not one of ours: is it known at all?
            const bool known = is_other_image(input) || vips_foreign_find_load_source(source.get()) != nullptr;
            return known ? PictureOutcome::unsupported : PictureOutcome::not_an_image;
        }
        const ImagePtr image(vips_image_new_from_source(source.get(), "", "access", VIPS_ACCESS_SEQUENTIAL, nullptr));
        if (!image && held_whole && needed > kHeavy) {
            return send(output, promised) ? PictureOutcome::done : PictureOutcome::failed;
        }
        if (!image) return PictureOutcome::failed;
        if (header.type == MediaType::avif && !is_av1(image.get())) return PictureOutcome::unsupported;
        wanted.profile = vips_image_get_typeof(image.get(), VIPS_META_ICC_NAME) != 0 ||
                         vips_image_get_interpretation(image.get()) == VIPS_INTERPRETATION_CMYK;
        header.width = static_cast<std::uint32_t>(vips_image_get_width(image.get()));
        header.height = static_cast<std::uint32_t>(vips_image_get_height(image.get()));
        wanted.rows = rows_to_average(header, image.get());
    }
    if (!send(output, header)) return PictureOutcome::failed;
    if (!preview) return PictureOutcome::done;

    const SourcePtr source = open_source(input);
    if (!source) return PictureOutcome::failed;
    const ImagePtr thumbnail = make_thumbnail(source.get(), header, wanted);
    if (!thumbnail) return PictureOutcome::failed;
    const Bytes jpeg = encode_preview(thumbnail.get());
    return !jpeg.empty() && send(output, jpeg) ? PictureOutcome::done : PictureOutcome::failed;
}

}  // namespace sat
