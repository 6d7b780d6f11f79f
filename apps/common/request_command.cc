// request: the image, or where the artist keeps it for owners its preview, verified before it gets its name.  Step 8.
// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.h"
#include "common/interrupt.h"
#include "common/owner_commands.h"
#include "common/progress.h"
#include "common/sniff.h"

namespace sat {

namespace {

namespace fs = std::filesystem;

// Where the image goes: a file that comes into being whole, or standard output.
class Destination {
public:
    static Result<Destination> from(const Options& options, const ArtworkId& id) {
        Destination to;
        to.existing_ = options.force ? AtomicFile::Existing::replace : AtomicFile::Existing::refuse;
        std::error_code ignored;
        if (options.output == "-") {
            if (options.json) return fail(Errc::usage, "-o - and --json both want standard output");
            to.to_stdout_ = true;
        } else if (!options.output || fs::is_directory(*options.output, ignored)) {
            to.path_ = Path(options.output.value_or("")) / id.str();
            to.named_by_content_ = true;
        } else {
            if (options.output->empty()) return fail(Errc::usage, "-o names no file");
            to.path_ = *options.output;
            if (!options.force && fs::exists(fs::symlink_status(to.path_, ignored)))
                return fail(Errc::output_exists, printable(to.path_.string()) + " is there already",
                            "give another name, or --force to replace it");
        }
        return to;
    }

    Result<void> write(ByteView bytes) {
        if (to_stdout_) return write_to_stdout(bytes);
        if (!file_) {
            if (named_by_content_) path_ += image_extension(bytes);
            SAT_TRY_VALUE(file_, AtomicFile::create(path_, existing_));
        }
        return file_->write(bytes);
    }
    Result<void> commit() { return file_ ? file_->commit() : Result<void>(); }

    bool is_stdout() const noexcept { return to_stdout_; }
    const Path& path() const noexcept { return path_; }

private:
    // In small pieces, each of which a pipe takes at once when it is ready: a signal never waits for a reader.
    static Result<void> write_to_stdout(ByteView bytes) {
        constexpr std::size_t kPiece = 4096;  // PIPE_BUF
        while (!bytes.empty()) {
            std::array<pollfd, 2> waiting{pollfd{STDOUT_FILENO, POLLOUT, 0}, pollfd{Interrupt::fd(), POLLIN, 0}};
            if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
                return fail(errno_error("write", "standard output", errno));
            if (Interrupt::signal() != 0) return fail(Errc::cancelled, "stopped by a signal");
            if (waiting[0].revents == 0) continue;
            const ByteView piece = bytes.first(std::min(bytes.size(), kPiece));
            SAT_TRY(write_all(STDOUT_FILENO, piece, "standard output"));
            bytes = bytes.subspan(piece.size());
        }
        return {};
    }

    bool to_stdout_ = false;
    bool named_by_content_ = false;
    Path path_;
    AtomicFile::Existing existing_ = AtomicFile::Existing::refuse;
    std::optional<AtomicFile> file_;
};

}  // namespace

Result<Report> run_request(ClientApp& app) {
    const Options& options = app.options();
    SAT_TRY_VALUE(const ArtworkId id, ArtworkId::parse(options.id));
    SAT_TRY_VALUE(Destination to, Destination::from(options, id));
    SAT_TRY_VALUE(VaultClient * vault, app.connect());
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    // With its history: any wallet can sign a registration under this ID, and the first leaf alone says whose it is.
    SAT_TRY_VALUE(const auto proved, vault->get_proved_work(id));
    const Work& work = proved.work;
    const Registration& r = work.registration.body;

    const bool preview = r.release == ReleasePolicy::preview && work.owner != home->wallet();
    std::uint64_t bytes = r.bytes;
    Digest hash = r.sha256;
    if (preview) {
        SAT_TRY_VALUE(const auto image, vault->get_preview(work));
        if (!image)
            return fail(Errc::forbidden, "the artist keeps this image for its owners, and there is no preview",
                        "claim the work to own it");
        SAT_TRY(to.write(*image));
        bytes = r.preview->bytes;
        hash = r.preview->sha256;
    } else {
        Progress progress("receiving", app.may_animate());
        SAT_TRY(vault->fetch_image(
            work, [&](ByteView plaintext) { return to.write(plaintext); },
            [&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); }));
    }
    SAT_TRY(to.commit());
    const char* kind = preview ? "preview" : "original";
    const std::string file = to.is_stdout() ? "-" : to.path().string();
    Report answer;
    answer.data = Json{{"artwork", id.str()}, {"file", json_text(file)}, {"bytes", bytes}, {"sha256", hash.hex()},
                       {"kind", kind},        {"verified", true}};
    answer.text = printable(file) + "  " + format_bytes(bytes) + ", " + kind +
                  ", verified against the artist's signature\n" + "  artist key    " + r.iss.hex() + "\n";
    answer.brief = printable(file) + "\n";
    answer.shown = to.is_stdout();
    return answer;
}

}  // namespace sat
