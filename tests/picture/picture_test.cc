// sat-picture as a program: what it says about real, damaged and hostile files, and what it costs.
// The contract is at the top of apps/sat-picture/main.cc; the small files are tests/fixtures/README.md's.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vips/vips.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"

namespace sat {
namespace {

const Path kFixtures = Path(SAT_SOURCE_DIR) / "tests/fixtures";

struct Answer {
    std::string text;
    Json json;
    bool header_first = false;  // told before the preview was made
    long resident_kib = 0;      // the peak of the helper's processes
};

// The helper at work, and our line to it.
class Helper {
public:
    Helper() {
        std::array<int, 2> ends{};
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
        control_ = FileDescriptor(ends[0]);
        const FileDescriptor theirs(ends[1]);
        process_ = fork();
        if (process_ == 0) {
            dup2(theirs.get(), STDIN_FILENO);
            execl(SAT_PICTURE, SAT_PICTURE, nullptr);
            _exit(127);
        }
    }
    ~Helper() {
        if (process_ != 0) end();
    }
    Helper(const Helper&) = delete;
    Helper& operator=(const Helper&) = delete;

    pid_t process() const { return process_; }

    void send(const std::vector<int>& descriptors, std::string_view text = std::string_view("", 1)) {
        std::string copy(text);
        iovec part{copy.data(), copy.size()};
        const std::size_t size = descriptors.size() * sizeof(int);
        alignas(cmsghdr) std::array<char, CMSG_SPACE(4 * sizeof(int))> room{};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        if (!descriptors.empty()) {
            message.msg_control = room.data();
            message.msg_controllen = CMSG_SPACE(size);
            cmsghdr* const rights = CMSG_FIRSTHDR(&message);
            rights->cmsg_level = SOL_SOCKET;
            rights->cmsg_type = SCM_RIGHTS;
            rights->cmsg_len = CMSG_LEN(size);
            std::memcpy(CMSG_DATA(rights), descriptors.data(), size);
        }
        EXPECT_EQ(sendmsg(control_.get(), &message, MSG_NOSIGNAL), static_cast<ssize_t>(copy.size()));
    }

    // The reading end of what it will say of the picture.
    FileDescriptor ask(int picture, std::string_view text = std::string_view("", 1)) {
        std::array<int, 2> ends{};
        EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
        const FileDescriptor writing(ends[1]);
        send({picture, writing.get()}, text);
        return FileDescriptor(ends[0]);
    }

    // Its exit code; what it took.
    int end(rusage* usage = nullptr) {
        control_.reset();
        int status = 0;
        const pid_t process = std::exchange(process_, 0);
        EXPECT_EQ(wait4(process, &status, 0, usage), process);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    FileDescriptor control_;
    pid_t process_ = 0;
};

std::string read_all(int fd) {
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t count = 0; (count = read(fd, buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(count));
    return text;
}

std::string read_line(int fd) {
    std::string text;
    for (char letter = 0; read(fd, &letter, 1) == 1 && letter != '\n';) text += letter;
    return text;
}

// One or two lines, of which the first tells the same as the last, without the preview.
Answer answer_of(std::string text) {
    Answer answer;
    answer.text = std::move(text);
    EXPECT_TRUE(answer.text.ends_with('\n'));
    const std::size_t lines = static_cast<std::size_t>(std::ranges::count(answer.text, '\n'));
    EXPECT_LE(lines, 2U);
    const std::size_t last = lines == 2 ? answer.text.find('\n') + 1 : 0;
    auto json = parse_json(std::string_view(answer.text).substr(last));
    EXPECT_TRUE(json) << answer.text;
    if (json) answer.json = *json;
    if (last > 0) {
        const auto header = parse_json(std::string_view(answer.text).substr(0, last));
        EXPECT_TRUE(header) << answer.text;
        Json without = answer.json;
        without.erase("preview");
        if (header) {
            EXPECT_EQ(*header, without);
        }
        answer.header_first = true;
    }
    return answer;
}

// Asks a helper that is started for this one picture.
Answer examine_fd(int picture) {
    Helper helper;
    Answer answer = answer_of(read_all(helper.ask(picture).get()));
    rusage usage{};
    EXPECT_EQ(helper.end(&usage), 0);
    answer.resident_kib = usage.ru_maxrss;
    EXPECT_LE(answer.resident_kib, 512 * 1024);
    return answer;
}

Answer examine(const Path& path) {
    const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(fd) << path;
    return examine_fd(fd.get());
}

// A file of the test's own, gone with it.
class Scratch {
public:
    Scratch() {
        std::string name = (std::filesystem::temp_directory_path() / "sat-picture-XXXXXX").string();
        fd_ = FileDescriptor(mkstemp(name.data()));
        EXPECT_TRUE(fd_);
        unlink(name.c_str());
    }
    explicit Scratch(ByteView bytes) : Scratch() { EXPECT_TRUE(write_all(fd_.get(), bytes, "scratch")); }
    explicit Scratch(std::string_view text) : Scratch(as_bytes(text)) {}

    int fd() const { return fd_.get(); }

private:
    FileDescriptor fd_;
};

Bytes fixture(std::string_view name) {
    auto bytes = read_file(kFixtures / name, 1 << 20);
    EXPECT_TRUE(bytes) << name;
    return bytes ? *bytes : Bytes();
}

// A decoded picture: RGB, eight bits.
struct Pixels {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> values;

    std::array<int, 3> at(int x, int y) const {
        const std::size_t offset =
            3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x));
        return {values.at(offset), values.at(offset + 1), values.at(offset + 2)};
    }
};

Pixels decode(ByteView jpeg) {
    static const int started = vips_init("picture");
    EXPECT_EQ(started, 0);
    const std::unique_ptr<VipsImage, void (*)(gpointer)> image(
        vips_image_new_from_buffer(jpeg.data(), jpeg.size(), "", nullptr), g_object_unref);
    if (!image) {
        ADD_FAILURE() << vips_error_buffer();
        return {};
    }
    EXPECT_EQ(vips_image_get_bands(image.get()), 3);
    Pixels pixels{vips_image_get_width(image.get()), vips_image_get_height(image.get()), {}};
    std::size_t size = 0;
    void* memory = vips_image_write_to_memory(image.get(), &size);
    const auto* values = static_cast<const std::uint8_t*>(memory);
    pixels.values.assign(values, values + size);
    g_free(memory);
    return pixels;
}

// The preview, after holding it to everything that is asked of every preview.
Bytes preview_of(const Answer& answer) {
    if (!answer.json.contains("preview") || !answer.json["preview"].is_string()) {
        ADD_FAILURE() << "no preview: " << answer.text.substr(0, 200);
        return {};
    }
    auto preview = from_base64url(answer.json["preview"].get<std::string>());
    if (!preview) {
        ADD_FAILURE() << preview.error().message;
        return {};
    }
    EXPECT_LE(preview->size(), std::size_t{64} * 1024);
    EXPECT_EQ(to_hex(ByteView(*preview).first(2)), "ffd8");
    // Every marker up to the scan: no APPn but JFIF's APP0, and no comment.
    const ByteView bytes = *preview;
    std::size_t at = 2;
    while (at + 4 <= bytes.size()) {
        EXPECT_EQ(std::to_integer<int>(bytes[at]), 0xFF);
        const int marker = std::to_integer<int>(bytes[at + 1]);
        EXPECT_FALSE(marker > 0xE0 && marker <= 0xEF) << "APP" << marker - 0xE0;
        EXPECT_NE(marker, 0xFE) << "a comment";
        if (marker == 0xDA) break;
        at += 2 + std::to_integer<std::size_t>(bytes[at + 2]) * 256 + std::to_integer<std::size_t>(bytes[at + 3]);
    }
    return *preview;
}

void expect_picture(const Answer& answer, std::string_view type, int width, int height) {
    EXPECT_EQ(answer.json.value("media_type", ""), type);
    EXPECT_EQ(answer.json.value("width", 0), width);
    EXPECT_EQ(answer.json.value("height", 0), height);
    EXPECT_EQ(answer.json.size(), 4U);
}

void expect_no_preview(const Answer& answer) {
    ASSERT_TRUE(answer.json.contains("preview"));
    EXPECT_TRUE(answer.json["preview"].is_null());
}

void expect_error(const Answer& answer, std::string_view error) {
    EXPECT_EQ(answer.text, "{\"error\":\"" + std::string(error) + "\"}\n");
}

// --- Baseline TIFF, uncompressed RGB in strips of one row each: the one format a test can write at any size. ---

struct TiffEntry {
    std::uint16_t tag;
    std::uint16_t type;  // 3: u16, 4: u32
    std::uint32_t count;
    std::uint32_t value;
};

std::string le(std::uint32_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
    return out;
}

// The header and directory for pixels that start right behind what this returns.  From two rows on: an array of one
// would stand in the directory itself.
std::string tiff_head(std::uint32_t width, std::uint32_t height, std::uint32_t orientation = 1) {
    constexpr std::uint32_t kEntries = 10;
    const std::uint32_t arrays = 8 + 2 + kEntries * 12 + 4;
    const std::uint32_t offsets = arrays + 6;
    const std::uint32_t counts = offsets + 4 * height;
    const std::uint32_t pixels = counts + 4 * height;
    const std::array<TiffEntry, kEntries> entries{{{256, 4, 1, width},
                                                   {257, 4, 1, height},
                                                   {258, 3, 3, arrays},
                                                   {259, 3, 1, 1},
                                                   {262, 3, 1, 2},
                                                   {273, 4, height, offsets},
                                                   {274, 3, 1, orientation},
                                                   {277, 3, 1, 3},
                                                   {278, 4, 1, 1},
                                                   {279, 4, height, counts}}};
    std::string head = "II" + le(42, 2) + le(8, 4) + le(kEntries, 2);
    for (const TiffEntry& entry : entries) {
        head += le(entry.tag, 2) + le(entry.type, 2) + le(entry.count, 4) + le(entry.value, 4);
    }
    head += le(0, 4) + le(8, 2) + le(8, 2) + le(8, 2);
    for (std::uint32_t row = 0; row < height; ++row) head += le(pixels + row * width * 3, 4);
    for (std::uint32_t row = 0; row < height; ++row) head += le(width * 3, 4);
    return head;
}

TEST(Picture, KnowsEachOfTheSixTypesByContentAndPreviewsIt) {
    struct Case {
        std::string_view file, type;
        int width, height, preview_width, preview_height;
    };
    const std::array cases{
        Case{"phone.jpg", "image/jpeg", 320, 480, 480, 320}, Case{"cutout.png", "image/png", 160, 120, 160, 120},
        Case{"scan.tiff", "image/tiff", 240, 160, 240, 160}, Case{"poster.webp", "image/webp", 1200, 800, 512, 341},
        Case{"loop.gif", "image/gif", 96, 64, 96, 64},       Case{"print.avif", "image/avif", 900, 600, 512, 341},
    };
    for (const Case& each : cases) {
        SCOPED_TRACE(each.file);
        // From a file without a name.
        const Scratch file{ByteView(fixture(each.file))};
        const Answer answer = examine_fd(file.fd());
        EXPECT_TRUE(answer.header_first);
        expect_picture(answer, each.type, each.width, each.height);
        const Pixels pixels = decode(preview_of(answer));
        EXPECT_EQ(pixels.width, each.preview_width);
        EXPECT_EQ(pixels.height, each.preview_height);
    }
}

TEST(Picture, LeavesTheCallersOffsetAlone) {
    const Scratch file{ByteView(fixture("phone.jpg"))};
    ASSERT_EQ(lseek(file.fd(), 1234, SEEK_SET), 1234);
    expect_picture(examine_fd(file.fd()), "image/jpeg", 320, 480);
    EXPECT_EQ(lseek(file.fd(), 0, SEEK_CUR), 1234);
}

TEST(Picture, AppliesTheOrientationToThePreviewAndStripsEverythingElse) {
    const Bytes original = fixture("phone.jpg");
    for (const std::string_view planted : {"Planted Name", "Planted Camera Maker", "xpacket", "ICC_PROFILE", "Exif"}) {
        ASSERT_NE(as_text(original).find(planted), std::string_view::npos) << planted;
    }
    const Bytes preview = preview_of(examine(kFixtures / "phone.jpg"));
    for (const std::string_view planted : {"Planted", "xpacket", "ICC_PROFILE", "Exif", "adobe"}) {
        EXPECT_EQ(as_text(preview).find(planted), std::string_view::npos) << planted;
    }
    // Upright: the sun at the top right, the sea below.
    const Pixels pixels = decode(preview);
    ASSERT_EQ(pixels.width, 480);
    EXPECT_GT(pixels.at(336, 96)[0], 230);
    EXPECT_LT(pixels.at(240, 300)[0], 100);
    EXPECT_GT(pixels.at(240, 300)[2], 80);
}

TEST(Picture, FlattensTransparencyOnWhite) {
    const Pixels pixels = decode(preview_of(examine(kFixtures / "cutout.png")));
    ASSERT_EQ(pixels.width, 160);
    for (const int channel : pixels.at(20, 60)) EXPECT_GT(channel, 250);
    EXPECT_LT(pixels.at(140, 110)[0], 120);
}

TEST(Picture, LowersTheQualityUntilNoiseFits) {
    std::string tiff = tiff_head(512, 512);
    std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same noise each time
    for (int i = 0; i < 512 * 512 * 3; ++i) tiff += static_cast<char>(random());
    const Scratch file{std::string_view(tiff)};
    const Answer answer = examine_fd(file.fd());
    expect_picture(answer, "image/tiff", 512, 512);
    EXPECT_EQ(decode(preview_of(answer)).width, 512);
}

TEST(Picture, NeverEnlarges) {
    std::string tiff = tiff_head(1, 2) + std::string("\xff\x00\x00\xff\x00\x00", 6);
    const Scratch file{std::string_view(tiff)};
    const Answer answer = examine_fd(file.fd());
    expect_picture(answer, "image/tiff", 1, 2);
    const Pixels pixels = decode(preview_of(answer));
    EXPECT_EQ(pixels.width, 1);
    EXPECT_EQ(pixels.height, 2);
    EXPECT_GT(pixels.at(0, 0)[0], 240);
}

TEST(Picture, RefusesWhatIsNoImage) {
    expect_error(examine_fd(Scratch(std::string_view("hello, this is text\n")).fd()), "not_an_image");
    expect_error(examine_fd(Scratch(std::string_view()).fd()), "not_an_image");
    expect_error(examine_fd(Scratch(std::string_view("x")).fd()), "not_an_image");
    expect_error(examine_fd(Scratch(std::string_view("BMW: notes on a car\n")).fd()), "not_an_image");
    expect_error(examine_fd(Scratch(std::string(100'000, '\0')).fd()), "not_an_image");
    expect_error(examine(SAT_PICTURE), "not_an_image");
}

TEST(Picture, RefusesAnImageOfAnotherType) {
    expect_error(examine(kFixtures / "print.heic"), "unsupported");
    expect_error(examine_fd(Scratch(std::string_view(
                                        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"></svg>"))
                                .fd()),
                 "unsupported");
    using namespace std::string_view_literals;
    for (const std::string_view start :
         {"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"sv, "8BPS\0\1\0\0\0\0\0\0\0\3"sv,
          "BM\x1e\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0"sv, "\xff\x0a\x7a\x20\x12\x9f"sv,
          "\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14"sv, "\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14"sv})
        expect_error(examine_fd(Scratch(start).fd()), "unsupported");
}

// Debian's other modules are document readers, ImageMagick and what they load.
TEST(Picture, TheHelperLoadsTheModuleForAvifAlone) {
    Helper helper;
    const FileDescriptor fd(open((kFixtures / "print.heic").c_str(), O_RDONLY | O_CLOEXEC));
    (void)read_all(helper.ask(fd.get()).get());  // it has loaded what it will
    std::ifstream maps("/proc/" + std::to_string(helper.process()) + "/maps");
    std::set<std::string> modules;
    bool has_libvips = false;
    for (std::string line; std::getline(maps, line);) {
        has_libvips = has_libvips || line.find("/libvips.so") != std::string::npos;
        const std::size_t at = line.find("/vips-modules-");
        if (at != std::string::npos) modules.insert(line.substr(line.rfind('/') + 1));
    }
    EXPECT_TRUE(has_libvips) << "its memory's map could not be read";
    for (const std::string& module : modules) EXPECT_EQ(module, "vips-heif.so");
    EXPECT_EQ(helper.end(), 0);
}

TEST(Picture, RefusesWhatIsNoRegularFile) {
    expect_error(examine("/dev/null"), "failed");
    expect_error(examine("/dev/zero"), "failed");
    expect_error(examine(kFixtures), "failed");
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    const FileDescriptor reading(ends[0]);
    const FileDescriptor writing(ends[1]);
    expect_error(examine_fd(reading.get()), "failed");
}

TEST(Picture, KeepsTheSizeOfATruncatedPictureAndGivesNoPreview) {
    struct Case {
        std::string_view file, type;
        int width, height;
    };
    const std::array cases{Case{"phone.jpg", "image/jpeg", 320, 480}, Case{"cutout.png", "image/png", 160, 120},
                           Case{"bomb.png", "image/png", 12'000, 12'000}};
    for (const Case& each : cases) {
        SCOPED_TRACE(each.file);
        const Bytes whole = fixture(each.file);
        const Answer answer = examine_fd(Scratch(ByteView(whole).first(whole.size() * 3 / 4)).fd());
        expect_picture(answer, each.type, each.width, each.height);
        expect_no_preview(answer);
    }
}

// Whatever is cut off and wherever: an answer of the contract, never a crash.
TEST(Picture, AnswersForEveryPrefixOfASmallFile) {
    for (const std::string_view name :
         {"phone.jpg", "cutout.png", "scan.tiff", "poster.webp", "loop.gif", "print.avif"}) {
        const Bytes whole = fixture(name);
        for (const std::size_t size : {std::size_t{2}, std::size_t{11}, std::size_t{29}, std::size_t{30},
                                       std::size_t{200}, whole.size() / 2, whole.size() - 1}) {
            SCOPED_TRACE(std::string(name) + " cut at " + std::to_string(size));
            const Answer answer = examine_fd(Scratch(ByteView(whole).first(size)).fd());
            EXPECT_EQ(answer.json.size(), answer.json.contains("error") ? 1U : 4U);
        }
    }
}

TEST(Picture, PreviewsADecompressionBombWithinTheCap) {
    const Answer answer = examine(kFixtures / "bomb.png");
    expect_picture(answer, "image/png", 12'000, 12'000);
    EXPECT_EQ(decode(preview_of(answer)).width, 512);
}

TEST(Picture, KeepsTheSizeOfAPictureThatMemoryCannotHold) {
    // One frame of 65,535 by 65,535: libvips wants 17 GB for it before it even reports the size.
    const std::string gif("GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\2\2D\1\0;", 35);
    const Answer answer = examine_fd(Scratch(std::string_view(gif)).fd());
    expect_picture(answer, "image/gif", 65'535, 65'535);
    expect_no_preview(answer);
}

TEST(Picture, KeepsTheSizeOfAWebpThatMemoryCannotHold) {
    const Answer answer = examine(kFixtures / "vast.webp");
    expect_picture(answer, "image/webp", 16'383, 16'383);
    expect_no_preview(answer);
}

TEST(Picture, KeepsTheSizeOfAFileThatMemoryCannotMap) {
    const Bytes gif = fixture("loop.gif");
    const Scratch file{ByteView(gif)};
    ASSERT_EQ(ftruncate(file.fd(), off_t{3} << 30), 0);
    const Answer answer = examine_fd(file.fd());
    expect_picture(answer, "image/gif", 96, 64);
    expect_no_preview(answer);
}

TEST(Picture, RefusesSidesThatNoDecoderTakes) {
    // IHDR alone: 2^31-1 by 1.
    const std::string png("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\0\0\0\1\1\0\0\0\0\0\0\0\0", 33);
    expect_error(examine_fd(Scratch(std::string_view(png)).fd()), "too_large");
}

TEST(Picture, PreviewsATiffLargerThanItsMemoryCap) {
    // 900 MB of black, of which the disk holds the directory alone.
    const std::string head = tiff_head(20'000, 15'000);
    const Scratch file{std::string_view(head)};
    ASSERT_EQ(ftruncate(file.fd(), static_cast<off_t>(head.size()) + off_t{20'000} * 15'000 * 3), 0);
    const Answer answer = examine_fd(file.fd());
    expect_picture(answer, "image/tiff", 20'000, 15'000);
    const Pixels pixels = decode(preview_of(answer));
    EXPECT_EQ(pixels.width, 512);
    EXPECT_EQ(pixels.height, 384);
    EXPECT_LT(answer.resident_kib, 256 * 1024);
}

TEST(Picture, KeepsTheColoursOfAPictureWithoutAProfile) {
    const std::array<std::array<int, 3>, 6> colours{
        {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 255}, {128, 128, 128}, {20, 40, 200}}};
    for (const auto& colour : colours) {
        std::string tiff = tiff_head(600, 600);
        for (int i = 0; i < 600 * 600; ++i)
            for (const int value : colour) tiff += static_cast<char>(value);
        const Pixels pixels = decode(preview_of(examine_fd(Scratch(std::string_view(tiff)).fd())));
        ASSERT_EQ(pixels.width, 512);
        const auto seen = pixels.at(256, 256);
        // As near as JPEG comes.
        for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(seen.at(i), colour.at(i), 3) << i;
    }
}

// A grey picture so tall that its rows are averaged before libvips shrinks it: sixteen of them make one of the preview.
constexpr std::uint32_t kTallWidth = 608;
constexpr std::uint32_t kTallHeight = 8192;

std::string tall_tiff(const std::function<int(std::uint32_t, std::uint32_t)>& grey, std::uint32_t orientation = 1,
                      std::uint32_t height = kTallHeight) {
    std::string tiff = tiff_head(kTallWidth, height, orientation);
    tiff.reserve(tiff.size() + std::size_t{3} * kTallWidth * height);
    for (std::uint32_t y = 0; y < height; ++y)
        for (std::uint32_t x = 0; x < kTallWidth; ++x) tiff.append(3, static_cast<char>(grey(x, y)));
    return tiff;
}

Pixels tall_preview(const std::string& tiff) {
    const Answer answer = examine_fd(Scratch(std::string_view(tiff)).fd());
    expect_picture(answer, "image/tiff", kTallWidth, kTallHeight);
    return decode(preview_of(answer));
}

// What libvips makes of it, which averages all rows by itself.
Pixels thumbnail(const std::string& tiff) {
    static const int started = vips_init("picture");
    EXPECT_EQ(started, 0);
    VipsImage* shrunk = nullptr;
    std::string copy = tiff;
    if (vips_thumbnail_buffer(copy.data(), copy.size(), &shrunk, 512, "height", 512, nullptr) != 0) {
        ADD_FAILURE() << vips_error_buffer();
        return {};
    }
    const std::unique_ptr<VipsImage, void (*)(gpointer)> image(shrunk, g_object_unref);
    void* jpeg = nullptr;
    std::size_t size = 0;
    EXPECT_EQ(vips_jpegsave_buffer(image.get(), &jpeg, &size, "Q", 82, nullptr), 0);
    const std::unique_ptr<void, void (*)(gpointer)> owner(jpeg, g_free);
    return decode(ByteView(static_cast<const std::byte*>(jpeg), size));
}

TEST(Picture, ShrinksATallPictureAsLibvipsDoes) {
    struct Case {
        std::string_view name;
        std::function<int(std::uint32_t, std::uint32_t)> grey;
    };
    const std::array cases{
        Case{"gradient", [](auto, auto y) { return static_cast<int>(y * 255 / (kTallHeight - 1)); }},
        Case{"checker of one pixel", [](auto x, auto y) { return (x + y) % 2 == 0 ? 0 : 255; }},
        Case{"stripes of one row", [](auto, auto y) { return y % 2 == 0 ? 0 : 255; }},
        Case{"stripes of three rows of seven", [](auto, auto y) { return y % 7 < 3 ? 255 : 0; }},
        Case{"stripes of sixteen rows", [](auto, auto y) { return y / 16 % 2 == 0 ? 0 : 255; }},
        Case{"a black half and a white one", [](auto, auto y) { return y < kTallHeight / 2 ? 0 : 255; }},
        Case{"slanted stripes", [](auto x, auto y) { return (x + y) % 40 < 20 ? 0 : 255; }},
    };
    for (const Case& each : cases) {
        SCOPED_TRACE(each.name);
        const std::string tiff = tall_tiff(each.grey);
        const Pixels preview = tall_preview(tiff);
        const Pixels whole = thumbnail(tiff);
        ASSERT_EQ(preview.width, whole.width);
        ASSERT_EQ(preview.height, whole.height);
        ASSERT_EQ(preview.values.size(), whole.values.size());
        double sum = 0;
        for (std::size_t i = 0; i < whole.values.size(); ++i)
            sum += std::abs(static_cast<int>(preview.values.at(i)) - static_cast<int>(whole.values.at(i)));
        EXPECT_LT(sum / static_cast<double>(whole.values.size()), 3);
    }
}

TEST(Picture, AveragesTheRowsThatAreLeftAtTheEnd) {
    constexpr std::uint32_t kOdd = kTallHeight + 3;
    const std::string tiff = tall_tiff([](auto, auto y) { return static_cast<int>(y * 255 / (kOdd - 1)); }, 1, kOdd);
    const Pixels pixels = decode(preview_of(examine_fd(Scratch(std::string_view(tiff)).fd())));
    ASSERT_EQ(pixels.height, 512);
    for (int y = 0; y < 512; ++y) EXPECT_NEAR(pixels.at(18, y)[0], 255 * (y + 0.5) / 512, 3) << y;
}

TEST(Picture, TurnsATallPictureUpright) {
    // 6: the first row is the right side.
    const Pixels pixels = tall_preview(tall_tiff([](auto, auto y) { return y < kTallHeight / 2 ? 0 : 255; }, 6));
    EXPECT_EQ(pixels.width, 512);
    EXPECT_EQ(pixels.height, 38);
    EXPECT_GT(pixels.at(100, 18)[0], 250);
    EXPECT_LT(pixels.at(400, 18)[0], 5);
}

TEST(Picture, GivesNoPreviewOfATallPictureThatIsCutOff) {
    const std::string whole = tall_tiff([](auto, auto) { return 99; });
    const Answer answer = examine_fd(Scratch(std::string_view(whole).substr(0, whole.size() / 2)).fd());
    expect_picture(answer, "image/tiff", kTallWidth, kTallHeight);
    expect_no_preview(answer);
}

// --- One helper, many pictures. ---

// The children of `parent`, by /proc/PID/stat.
std::set<pid_t> children_of(pid_t parent) {
    std::set<pid_t> children;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        std::ifstream in(entry.path() / "stat");
        std::string text((std::istreambuf_iterator<char>(in)), {});
        const std::size_t behind = text.rfind(") ");
        if (behind == std::string::npos || text.at(behind + 2) == 'Z') continue;
        if (std::stol(text.substr(behind + 4)) == parent) children.insert(static_cast<pid_t>(std::stol(name)));
    }
    return children;
}

bool eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 3000; ++i) {
        if (holds()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

// A picture whose preview takes a good while: 900 MB of black, of which the disk holds the directory alone.
class LongPicture {
public:
    LongPicture() : file_(std::string_view(tiff_head(20'000, 15'000))) {
        EXPECT_EQ(ftruncate(file_.fd(), lseek(file_.fd(), 0, SEEK_END) + off_t{20'000} * 15'000 * 3), 0);
    }
    // Its header told, its decoder stopped over the preview: what is waited for then comes from nothing else.
    struct Held {
        FileDescriptor answer;
        pid_t examiner = 0;
        pid_t decoder = 0;
    };
    Held hold(Helper& helper) {
        const std::set<pid_t> before = children_of(helper.process());
        Held held{helper.ask(file_.fd())};
        EXPECT_EQ(read_line(held.answer.get()), R"({"media_type":"image/tiff","width":20000,"height":15000})");
        for (const pid_t child : children_of(helper.process()))
            if (!before.contains(child)) held.examiner = child;
        const std::set<pid_t> decoders = children_of(held.examiner);
        if (decoders.size() != 1 || held.examiner == 0) {
            ADD_FAILURE() << "no decoder";
            return held;
        }
        held.decoder = *decoders.begin();
        EXPECT_EQ(kill(held.decoder, SIGSTOP), 0);
        return held;
    }

private:
    Scratch file_;
};

TEST(OneHelper, GivesEachPictureTheAnswerThatItGetsAlone) {
    const std::array<std::string_view, 8> names{"phone.jpg", "vast.webp", "print.heic", "cutout.png",
                                                "loop.gif",  "bomb.png",  "scan.tiff",  "phone.jpg"};
    Helper helper;
    for (const std::string_view name : names) {
        SCOPED_TRACE(name);
        // Between any two: one that ends its decoder, one that is cut off, one that is nothing.
        const std::string gif("GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\2\2D\1\0;",
                              35);
        expect_no_preview(answer_of(read_all(helper.ask(Scratch(std::string_view(gif)).fd()).get())));
        const Bytes whole = fixture("phone.jpg");
        const Scratch cut(ByteView(whole).first(whole.size() / 2));
        expect_no_preview(answer_of(read_all(helper.ask(cut.fd()).get())));
        expect_error(answer_of(read_all(helper.ask(Scratch(std::string_view("none")).fd()).get())), "not_an_image");
        const FileDescriptor picture(open((kFixtures / name).c_str(), O_RDONLY | O_CLOEXEC));
        EXPECT_EQ(read_all(helper.ask(picture.get()).get()), examine(kFixtures / name).text);
    }
    EXPECT_EQ(helper.end(), 0);
}

TEST(OneHelper, GivesTheHeaderAloneWhereNoPreviewIsWanted) {
    Helper helper;
    for (const std::string_view name : {"phone.jpg", "vast.webp", "cutout.png", "loop.gif", "scan.tiff"}) {
        SCOPED_TRACE(name);
        const FileDescriptor picture(open((kFixtures / name).c_str(), O_RDONLY | O_CLOEXEC));
        const Answer without = answer_of(read_all(helper.ask(picture.get(), "\1").get()));
        expect_no_preview(without);
        Json with = examine(kFixtures / name).json;
        with["preview"] = nullptr;
        EXPECT_EQ(without.json, with);
    }
    EXPECT_EQ(helper.end(), 0);
}

// Which outlives an exec: the helper could not ask how its children ended.
TEST(OneHelper, IsTheSameWhereItsStarterIgnoresItsChildren) {
    const auto before = ::signal(SIGCHLD, SIG_IGN);
    Helper helper;
    ::signal(SIGCHLD, before);
    const auto begun = std::chrono::steady_clock::now();
    const Answer answer = answer_of(read_all(helper.ask(Scratch(std::string_view("no image at all")).fd()).get()));
    expect_error(answer, "not_an_image");
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10)) << "that long a child is waited for";
    EXPECT_EQ(helper.end(), 0);
}

TEST(OneHelper, AnswersSeveralAtOnce) {
    const std::string alone = examine(kFixtures / "phone.jpg").text;
    Helper helper;
    const FileDescriptor picture(open((kFixtures / "phone.jpg").c_str(), O_RDONLY | O_CLOEXEC));
    std::vector<FileDescriptor> answers;
    for (int i = 0; i < 8; ++i) answers.push_back(helper.ask(picture.get()));
    for (const FileDescriptor& answer : answers) EXPECT_EQ(read_all(answer.get()), alone);
}

TEST(OneHelper, ForksFromASingleThreadWithoutWritableSharedMemory) {
    Helper helper;
    (void)read_all(helper.ask(Scratch(std::string_view("none")).fd()).get());
    const Path proc = "/proc/" + std::to_string(helper.process());
    const std::filesystem::directory_iterator tasks(proc / "task");
    EXPECT_EQ(std::distance(begin(tasks), end(tasks)), 1);
    std::ifstream maps(proc / "maps");
    int lines = 0;
    for (std::string line; std::getline(maps, line); ++lines) {
        const std::string may = line.substr(line.find(' ') + 1, 4);
        EXPECT_FALSE(may[1] == 'w' && may[3] == 's') << line;
    }
    EXPECT_GT(lines, 0);
}

TEST(OneHelper, GivesADecoderItsPictureAndItsPipeAlone) {
    LongPicture picture;
    Helper helper;
    const auto first = picture.hold(helper);
    const auto second = picture.hold(helper);
    for (const auto* held : {&first, &second}) {
        const Path fds = "/proc/" + std::to_string(held->decoder) + "/fd";
        std::vector<std::string> leads;
        for (int fd = 0; fd < 5; ++fd) leads.push_back(std::filesystem::read_symlink(fds / std::to_string(fd)));
        for (int fd = 0; fd < 3; ++fd) EXPECT_EQ(leads.at(static_cast<std::size_t>(fd)), "/dev/null");
        EXPECT_NE(leads.at(3).find("sat-picture-"), std::string::npos) << leads.at(3);
        EXPECT_TRUE(leads.at(4).starts_with("pipe:")) << leads.at(4);
        // libvips holds a duplicate of the picture: whatever else is open leads there.
        for (const auto& entry : std::filesystem::directory_iterator(fds)) {
            if (std::stoi(entry.path().filename()) > 4) {
                EXPECT_EQ(std::filesystem::read_symlink(entry), leads.at(3));
            }
        }
    }
    const auto pipe_of = [](const LongPicture::Held& held) {
        return std::filesystem::read_symlink("/proc/" + std::to_string(held.decoder) + "/fd/4");
    };
    EXPECT_NE(pipe_of(first), pipe_of(second));
}

TEST(OneHelper, OutlivesADecoderThatIsKilledAndKeepsWhatItHadFound) {
    LongPicture picture;
    Helper helper;
    const auto held = picture.hold(helper);
    ASSERT_EQ(kill(held.decoder, SIGKILL), 0);
    const Answer answer = answer_of(read_all(held.answer.get()));
    expect_picture(answer, "image/tiff", 20'000, 15'000);
    expect_no_preview(answer);
    expect_picture(answer_of(read_all(helper.ask(Scratch(ByteView(fixture("phone.jpg"))).fd()).get())), "image/jpeg",
                   320, 480);
}

TEST(OneHelper, EndsTheWorkThatNobodyWaitsFor) {
    LongPicture picture;
    Helper helper;
    auto held = picture.hold(helper);
    held.answer.reset();
    EXPECT_TRUE(eventually([&] { return children_of(helper.process()).empty(); }));
    EXPECT_TRUE(eventually([&] { return kill(held.decoder, 0) != 0 || children_of(held.examiner).empty(); }));
    EXPECT_EQ(helper.end(), 0);
}

TEST(OneHelper, TakesItsChildrenWithIt) {
    LongPicture picture;
    Helper helper;
    const auto held = picture.hold(helper);
    ASSERT_EQ(kill(helper.process(), SIGKILL), 0);
    // Whoever reads the pipe sees it end, without an answer.
    EXPECT_EQ(read_all(held.answer.get()), "");
    EXPECT_TRUE(eventually([&] { return !children_of(held.examiner).contains(held.decoder); }));
    EXPECT_EQ(helper.end(), -1);
}

TEST(OneHelper, EndsOverWhatIsNoRequest) {
    const FileDescriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
    const int fd = null.get();
    const std::vector<std::pair<std::vector<int>, std::string>> requests = {{{}, std::string(1, '\0')},
                                                                            {{fd}, std::string(1, '\0')},
                                                                            {{fd, fd, fd}, std::string(1, '\0')},
                                                                            {{fd, fd}, std::string("\2", 1)},
                                                                            {{fd, fd}, std::string(2, '\0')}};
    for (const auto& [descriptors, text] : requests) {
        Helper helper;
        helper.send(descriptors, text);
        EXPECT_EQ(helper.end(), 1) << descriptors.size();
    }
    Helper unasked;
    EXPECT_EQ(unasked.end(), 0);
}

}  // namespace
}  // namespace sat
