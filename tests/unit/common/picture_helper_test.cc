// The picture helper's answers, and helpers that do not behave.
// SPDX-License-Identifier: Apache-2.0
#include "common/picture_helper.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "support/temporary.h"

namespace sat {
namespace {

namespace fs = std::filesystem;

TEST(PictureReport, IsReadAsItIsPromised) {
    const auto picture = parse_picture_report(R"({"media_type":"image/png","width":3,"height":4,"preview":"_9j_"})"
                                              "\n",
                                              0);
    ASSERT_TRUE(picture) << picture.error().message;
    EXPECT_EQ(picture->media_type, "image/png");
    EXPECT_EQ(picture->width, 3);
    EXPECT_EQ(picture->height, 4);
    EXPECT_EQ(picture->preview->size(), 3U);
    EXPECT_FALSE(parse_picture_report(R"({"media_type":"image/png","width":3,"height":4,"preview":null})", 0)->preview);
}

TEST(PictureReport, OfAFailureIsBadData) {
    for (const char* word : {"not_an_image", "unsupported", "too_large", "failed"}) {
        const auto picture = parse_picture_report(std::string("{\"error\":\"") + word + "\"}\n", 1);
        EXPECT_EQ(picture.error().code, Errc::bad_data) << word;
    }
}

TEST(PictureReport, IsDoubtedLikeAnyPeers) {
    const std::vector<std::pair<std::string, int>> reports = {
        {"", 0},
        {"nonsense", 0},
        {R"({"media_type":"image/png","width":3,"height":4})", 0},
        {R"({"media_type":"text/html","width":3,"height":4,"preview":null})", 0},
        {R"({"media_type":"image/png","width":0,"height":4,"preview":null})", 0},
        {R"({"media_type":"image/png","width":3,"height":2147483648,"preview":null})", 0},
        {R"({"media_type":"image/png","width":3,"height":4,"preview":"!"})", 0},
        {R"({"media_type":"image/png","width":3,"height":4,"preview":null,"more":1})", 0},
        {R"({"media_type":"image/png","width":3,"height":4,"preview":null})", 1},
        {R"({"media_type":"image/png","width":3,"height":4,"preview":null})", 64},
        {R"({"error":"failed"})", 0},
        {R"({"error":"\u001b[31m"})", 1},
    };
    for (const auto& [text, exit] : reports)
        EXPECT_EQ(parse_picture_report(text, exit).error().code, Errc::io_error) << text;
}

class PictureHelperTest : public testing::Test {
public:
    PictureHelperTest() {
        EXPECT_TRUE(write_file_atomically(directory_ / "image", as_bytes("the image"), AtomicFile::Existing::refuse));
        image_ = open_regular(directory_ / "image").value();
    }
    Result<Picture> examine(const std::string& script, std::chrono::seconds patience = std::chrono::seconds(60)) {
        return examine_picture(write_helper(script), image_.get(), patience);
    }
    Result<PictureExam> begin(const std::string& script, std::chrono::seconds patience = std::chrono::seconds(60)) {
        return PictureExam::begin(write_helper(script), image_.get(), patience);
    }
    Path write_helper(const std::string& script) {
        Path helper = directory_ / "helper";
        EXPECT_TRUE(write_file_atomically(helper, as_bytes("#!/bin/sh\n" + script + "\n"),
                                          AtomicFile::Existing::replace, 0755));
        return helper;
    }

    TemporaryDirectory directory_;
    FileDescriptor image_;
};

constexpr const char* kAnswer = R"(printf '{"media_type":"image/png","width":3,"height":4,"preview":null}\n')";

TEST_F(PictureHelperTest, GetsTheImageOnDescriptorZeroAndNothingElse) {
    const FileDescriptor other(::dup(image_.get()));
    const auto picture = examine(std::string("test \"$(cat)\" = 'the image' || exit 9\n"
                                             "test -z \"$HOME\" || exit 9\n"
                                             "test ! -e /dev/fd/") +
                                 std::to_string(other.get()) + " || exit 9\n" + kAnswer);
    ASSERT_TRUE(picture) << picture.error().message;
    EXPECT_EQ(picture->width, 3);
}

TEST_F(PictureHelperTest, ThatIsKilledIsAnErrorAndNoPicture) {
    const auto picture = examine(std::string(kAnswer) + "\nkill -9 $$");
    ASSERT_FALSE(picture);
    EXPECT_EQ(picture.error().code, Errc::io_error);
    EXPECT_NE(picture.error().message.find("signal 9"), std::string::npos) << picture.error().message;
}

TEST_F(PictureHelperTest, ThatHangsIsEnded) {
    const auto begin = std::chrono::steady_clock::now();
    const auto picture = examine("exec sleep 60", std::chrono::seconds(1));
    EXPECT_EQ(picture.error().code, Errc::io_error);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

constexpr const char* kHeader = R"(printf '{"media_type":"image/png","width":3,"height":4}\n')";

TEST_F(PictureHelperTest, TellsTheHeaderWhileThePreviewIsMade) {
    // It goes on only when the test has the header: what is waited for cannot come earlier by luck.
    ASSERT_EQ(::mkfifo((directory_ / "go").c_str(), 0600), 0);
    auto exam = begin(std::string(kHeader) + "\nread word < '" + (directory_ / "go").string() + "'\n" + kAnswer);
    ASSERT_TRUE(exam);
    const auto header = exam->header();
    ASSERT_TRUE(header) << header.error().message;
    EXPECT_EQ(header->width, 3);
    EXPECT_FALSE(header->preview);
    std::ofstream(directory_ / "go") << "on\n";
    const auto whole = exam->finish();
    ASSERT_TRUE(whole) << whole.error().message;
    EXPECT_EQ(whole->height, 4);
}

TEST_F(PictureHelperTest, ThatGivesTwoAnswersIsAnError) {
    const auto picture = examine(std::string(kHeader) + "\n" +
                                 R"(printf '{"media_type":"image/png","width":3,"height":5,"preview":null}\n')");
    EXPECT_EQ(picture.error().code, Errc::io_error);
    EXPECT_EQ(examine(std::string(kHeader) + "\n" + kHeader).error().code, Errc::io_error);
}

TEST_F(PictureHelperTest, ThatDiesOverThePreviewIsAnErrorOfTheEndAlone) {
    auto exam = begin(std::string(kHeader) + "\nkill -9 $$");
    ASSERT_TRUE(exam);
    EXPECT_TRUE(exam->header());
    EXPECT_EQ(exam->finish().error().code, Errc::io_error);
}

TEST_F(PictureHelperTest, IsEndedWithWhoeverAskedForIt) {
    // The FIFO's other end is closed when the helper, which holds it open, is gone.
    ASSERT_EQ(::mkfifo((directory_ / "held").c_str(), 0600), 0);
    const FileDescriptor held(::open((directory_ / "held").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    {
        auto exam = begin("exec 3> '" + (directory_ / "held").string() + "'\n" + kHeader + "\nexec sleep 600");
        ASSERT_TRUE(exam);
        EXPECT_TRUE(exam->header());
    }
    char byte = 0;
    EXPECT_EQ(::read(held.get(), &byte, 1), 0);
}

TEST_F(PictureHelperTest, ThatSaysTooMuchIsEnded) { EXPECT_EQ(examine("exec yes").error().code, Errc::io_error); }

TEST_F(PictureHelperTest, ThatIsMissingIsAnError) {
    EXPECT_EQ(examine_picture(directory_ / "none", image_.get()).error().code, Errc::io_error);
}

}  // namespace
}  // namespace sat
