// The six kinds of image, there and back, byte for byte; with dimensions, type and preview from the picture helper.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "crypto/hash.h"
#include "ledger/statement.h"
#include "support/peer.h"
#include "support/programs.h"

namespace sat::test {
namespace {

class Formats : public ThreeComputers {};

TEST_F(Formats, EachKindArrivesByteForByteUnderTheNameOfItsContent) {
    int tried = 0;
    for (const Sample& sample : samples()) {
        // The name says nothing: the content decides.
        const Path file = dir() / ("image-" + std::to_string(tried));
        write_bytes(file, sample_bytes(sample));
        const Done uploaded = artist({"upload", file, "--title", "T"});
        ASSERT_EQ(uploaded.exit, 0) << sample.name << uploaded.out << uploaded.err;
        EXPECT_EQ(uploaded.data()["media_type"], sample.media_type);
        EXPECT_EQ(uploaded.data()["width"], kSampleWidth) << sample.name;
        EXPECT_EQ(uploaded.data()["height"], kSampleHeight) << sample.name;
        const std::string id = uploaded.data()["id"];
        const Done done = collector_command({"request", id}).in(dir()).run();
        ASSERT_EQ(done.exit, 0) << sample.name << done.out << done.err;
        std::string extension(sample.name.substr(sample.name.find('.')));
        EXPECT_EQ(read_text(dir() / (id + extension)), read_text(file)) << done.out;
        ++tried;
    }
    EXPECT_EQ(tried, 6);
}

TEST_F(Formats, ThePreviewCarriesNoneOfTheImagesOwnMetadata) {
    const Path file = dir() / "told.png";
    write_bytes(file, make_png_with_text("taken-at-home-by-me"));
    const Done uploaded = artist({"upload", file, "--title", "T", "--release", "preview"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.out << uploaded.err;
    const Done done = collector({"request", uploaded.data()["id"], "-o", dir() / "preview.jpg"});
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    const std::string preview = read_text(dir() / "preview.jpg");
    EXPECT_EQ(preview.find("taken-at-home"), std::string::npos);
    EXPECT_EQ(preview.find("Exif"), std::string::npos);
    EXPECT_LE(preview.size(), 65'536U);
}

TEST_F(Formats, WithoutAPreviewTheVaultHasNoneAndTheRestIsTheSame) {
    const Sample& sample = samples()[0];
    const Path file = dir() / sample.name;
    write_bytes(file, sample_bytes(sample));
    const Done with = artist({"upload", file, "--title", "T"});
    ASSERT_EQ(with.exit, 0) << with.out << with.err;
    write_bytes(dir() / "again", sample_bytes(sample));
    const Done without = artist({"upload", dir() / "again", "--title", "T", "--no-preview"});
    ASSERT_EQ(without.exit, 0) << without.out << without.err;
    for (const char* member : {"media_type", "width", "height", "bytes", "sha256"})
        EXPECT_EQ(without.data()[member], with.data()[member]);
    auto session = open_session(vault().socket_address(), load_person(collector_home()));
    ASSERT_TRUE(session.has_value());
    const auto preview_of = [&](const Done& done) {
        return session->request("artwork.preview", Json{{"artwork", done.data()["id"]}})["r"]["preview"];
    };
    EXPECT_TRUE(preview_of(with).is_string());
    EXPECT_TRUE(preview_of(without).is_null());
}

TEST_F(Formats, SizesAroundAChunkArriveWhole) {
    // A TIFF may be followed by anything: the file's length is what is tried.  16,384 is a chunk, 65,536 a record's
    // four.
    const Bytes image = sample_bytes(samples()[2]);
    for (const std::size_t size : {std::size_t{16'383}, std::size_t{16'384}, std::size_t{16'385}, std::size_t{65'535},
                                   std::size_t{65'536}, std::size_t{65'537}, std::size_t{131'072}}) {
        Bytes padded = image;
        padded.resize(size, std::byte{0x5A});
        const Path file = dir() / "padded.tif";
        write_bytes(file, padded);
        const Done uploaded = artist({"upload", file, "--title", std::to_string(size)});
        ASSERT_EQ(uploaded.exit, 0) << size << uploaded.out << uploaded.err;
        const Done done = collector({"request", uploaded.data()["id"], "-o", dir() / "back.tif", "--force"});
        ASSERT_EQ(done.exit, 0) << size << done.out << done.err;
        EXPECT_EQ(read_text(dir() / "back.tif"), to_string(padded)) << size;
    }
}

TEST_F(Formats, AnImageWhoseNameIsNotPlainIsTakenUnderIt) {
    for (const std::string name : {"with space.jpg",
                                   "\xC3\xBC"
                                   "ber.jpg",
                                   "-leading-dash.jpg", "a'quote\".jpg"}) {
        write_bytes(dir() / name, sample_bytes(samples()[0]));
        const Done done = artist({"upload", dir() / name, "--title", "T"});
        ASSERT_EQ(done.exit, 0) << name << done.out << done.err;
        EXPECT_EQ(done.data()["file_path"], name);
    }
}

}  // namespace
}  // namespace sat::test
