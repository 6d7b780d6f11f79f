// The picture helper's answers, and helpers that do not behave.
// SPDX-License-Identifier: Apache-2.0
#include "common/picture_helper.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "support/temporary.h"

namespace sat {
namespace {

namespace fs = std::filesystem;

TEST(PictureReport, IsReadAsItIsPromised) {
    const auto picture = parse_picture_report(R"({"media_type":"image/png","width":3,"height":4,"preview":"_9j_"})"
                                              "\n");
    ASSERT_TRUE(picture) << picture.error().message;
    EXPECT_EQ(picture->media_type, "image/png");
    EXPECT_EQ(picture->width, 3);
    EXPECT_EQ(picture->height, 4);
    EXPECT_EQ(picture->preview->size(), 3U);
    EXPECT_FALSE(parse_picture_report(R"({"media_type":"image/png","width":3,"height":4,"preview":null})")->preview);
}

TEST(PictureReport, OfAFailureIsBadData) {
    for (const char* word : {"not_an_image", "unsupported", "too_large", "failed"}) {
        const auto picture = parse_picture_report(std::string("{\"error\":\"") + word + "\"}\n");
        EXPECT_EQ(picture.error().code, Errc::bad_data) << word;
    }
}

TEST(PictureReport, IsDoubtedLikeAnyPeers) {
    const std::vector<std::string> reports = {
        "",
        "nonsense",
        "[]",
        R"({"media_type":"image/png","width":3,"height":4})",
        R"({"media_type":"text/html","width":3,"height":4,"preview":null})",
        R"({"media_type":"image/png","width":0,"height":4,"preview":null})",
        R"({"media_type":"image/png","width":3,"height":2147483648,"preview":null})",
        R"({"media_type":"image/png","width":3,"height":4,"preview":"!"})",
        R"({"media_type":"image/png","width":3,"height":4,"preview":null,"more":1})",
        R"({"media_type":"image/png","width":3,"height":4,"preview":null,"error":"failed"})",
        R"({"error":"failed","more":1})",
        R"({"error":"\u001b[31m"})",
    };
    for (const auto& text : reports) EXPECT_EQ(parse_picture_report(text).error().code, Errc::io_error) << text;
}

class PictureHelperTest : public testing::Test {
public:
    PictureHelperTest() {
        EXPECT_TRUE(write_file_atomically(directory_ / "image", as_bytes("the image"), AtomicFile::Existing::refuse));
        image_ = open_regular(directory_ / "image").value();
        fs::create_symlink(SAT_FAKE_PICTURE_HELPER, directory_ / "helper");
    }
    // What `script` answers from now on.
    void answer_with(const std::string& script) {
        EXPECT_TRUE(
            write_file_atomically(directory_ / "helper.sh", as_bytes(script + "\n"), AtomicFile::Existing::replace));
    }
    Result<PictureExam> begin(const std::string& script, std::chrono::seconds patience = std::chrono::seconds(60)) {
        answer_with(script);
        return helper_.examine(image_.get(), patience);
    }
    Result<Picture> examine(const std::string& script, std::chrono::seconds patience = std::chrono::seconds(60)) {
        SAT_TRY_VALUE(PictureExam exam, begin(script, patience));
        SAT_TRY(exam.header());
        return exam.finish();
    }
    std::uintmax_t starts() { return fs::file_size(directory_ / "helper.starts"); }

    TemporaryDirectory directory_;
    FileDescriptor image_;
    PictureHelper helper_{directory_ / "helper"};
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
    for (const char* before : {"", "printf '{\"error\":\"failed\"}'\n"}) {
        const auto picture = examine(std::string(before) + "kill -9 $$");
        ASSERT_FALSE(picture);
        EXPECT_EQ(picture.error().code, Errc::io_error);
        EXPECT_NE(picture.error().message.find("ended before"), std::string::npos) << picture.error().message;
    }
}

TEST_F(PictureHelperTest, IsStartedOnceForTwoHundredPictures) {
    ASSERT_TRUE(helper_.start());
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(examine(kAnswer)) << i;
    EXPECT_EQ(starts(), 1U);
}

TEST_F(PictureHelperTest, ServesSeveralThreads) {
    answer_with(kAnswer);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([this] {
            for (int n = 0; n < 10; ++n) {
                auto exam = helper_.examine(image_.get());
                ASSERT_TRUE(exam);
                EXPECT_TRUE(exam->finish());
            }
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(starts(), 1U);
}

TEST_F(PictureHelperTest, ThatWasKilledBetweenTwoPicturesIsStartedAnew) {
    ASSERT_TRUE(examine(kAnswer));
    EXPECT_EQ(examine("kill -9 $PPID").error().code, Errc::io_error);
    // What is asked in the moment in which it dies goes with it.
    int tries = 0;
    while (!examine(kAnswer) && tries < 1000) ++tries;
    EXPECT_LT(tries, 1000);
    EXPECT_EQ(starts(), 2U);
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

TEST_F(PictureHelperTest, ThatTakesTooLongOverThePreviewLeavesTheHeader) {
    auto slow = begin(std::string(kHeader) + "\nexec sleep 600", std::chrono::seconds(5));
    ASSERT_TRUE(slow);
    ASSERT_TRUE(slow->header());
    auto silent = begin("exec sleep 600", std::chrono::seconds(1));
    ASSERT_TRUE(silent);
    EXPECT_EQ(silent->header().error().code, Errc::io_error);
    EXPECT_TRUE(silent->failed());
    const auto picture = slow->finish();
    ASSERT_TRUE(picture) << picture.error().message;
    EXPECT_EQ(picture->width, 3);
    EXPECT_FALSE(picture->preview);
    EXPECT_FALSE(slow->failed());
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
    EXPECT_FALSE(exam->failed());
    EXPECT_EQ(exam->finish().error().code, Errc::io_error);
    EXPECT_TRUE(exam->failed());
}

// Whether nobody writes to the FIFO `held` any more, in the end.
bool is_let_go(int held) {
    pollfd waiting{held, POLLIN, 0};
    char byte = 0;
    return ::poll(&waiting, 1, 30'000) == 1 && ::read(held, &byte, 1) == 0;
}

TEST_F(PictureHelperTest, IsEndedWithWhoeverAskedForIt) {
    // The FIFO's other end is closed when what holds it open is gone.
    ASSERT_EQ(::mkfifo((directory_ / "held").c_str(), 0600), 0);
    const FileDescriptor held(::open((directory_ / "held").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    {
        PictureHelper helper(directory_ / "helper");
        answer_with("exec 3> '" + (directory_ / "held").string() + "'\n" + kHeader + "\nexec sleep 600");
        auto exam = helper.examine(image_.get());
        ASSERT_TRUE(exam);
        EXPECT_TRUE(exam->header());
    }
    EXPECT_TRUE(is_let_go(held.get()));
}

TEST_F(PictureHelperTest, LearnsThatNobodyWaitsAnyMore) {
    // A writer to a pipe without a reader ends by a signal, and its FIFO with it.
    ASSERT_EQ(::mkfifo((directory_ / "held").c_str(), 0600), 0);
    const FileDescriptor held(::open((directory_ / "held").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    {
        auto exam = begin("exec 3> '" + (directory_ / "held").string() + "'\n" + kHeader + "\nexec yes");
        ASSERT_TRUE(exam);
        EXPECT_TRUE(exam->header());
    }
    EXPECT_TRUE(is_let_go(held.get()));
}

TEST_F(PictureHelperTest, ThatSaysTooMuchIsEnded) { EXPECT_EQ(examine("exec yes").error().code, Errc::io_error); }

TEST_F(PictureHelperTest, ThatIsMissingIsAnError) {
    PictureHelper none(directory_ / "none");
    EXPECT_EQ(none.start().error().code, Errc::io_error);
    EXPECT_FALSE(none.examine(image_.get()));
}

TEST_F(PictureHelperTest, ThatEndsAtOnceIsAnError) {
    PictureHelper helper("/bin/true");
    auto exam = helper.examine(image_.get());
    // It was gone already when it was asked, or went then.
    EXPECT_EQ((exam ? exam->finish().error() : exam.error()).code, Errc::io_error);
}

}  // namespace
}  // namespace sat
