// request: the image, or where the artist keeps it for owners its preview, verified before it gets its name.  Step 8.
// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "common/interrupt.h"
#include "common/owner_commands.h"
#include "common/partial_file.h"
#include "common/progress.h"
#include "common/retry.h"
#include "common/sniff.h"

namespace sat {

namespace {

namespace fs = std::filesystem;

// In small pieces, each of which a pipe takes at once when it is ready: a signal never waits for a reader.
Result<void> write_to_stdout(ByteView bytes) {
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
            if (!options.force && fs::exists(fs::symlink_status(to.path_, ignored))) return taken(to.path_);
        }
        // Else the name that is complained of is that of the part beside it.
        if (!to.to_stdout_ && !to.directory().empty() && !fs::is_directory(to.directory(), ignored))
            return fail(Errc::io_error, "the directory " + printable(to.directory().string()) + " is not there",
                        "make it, or name another file with -o");
        return to;
    }

    // In one go, or where nothing can be kept of it: beside its name until commit().
    Result<void> write(ByteView bytes) {
        if (to_stdout_) return write_to_stdout(bytes);
        if (!file_) {
            path_ = named_by(bytes);
            SAT_TRY_VALUE(file_, AtomicFile::create(path_, existing_));
        }
        return file_->write(bytes);
    }
    Result<void> commit() { return file_ ? file_->commit() : Result<void>(); }
    // Where `partial` has its first bytes: output_exists before all the others come.
    Result<void> require_free(const PartialFile& partial) const {
        SAT_TRY_VALUE(const Bytes beginning, partial.beginning(kSniffed));
        const Path path = named_by(beginning);
        std::error_code ignored;
        if (existing_ == AtomicFile::Existing::refuse && fs::exists(fs::symlink_status(path, ignored)))
            return taken(path);
        return {};
    }
    // The file that `partial` has become.
    Result<void> commit(PartialFile& partial) {
        SAT_TRY_VALUE(const Bytes beginning, partial.beginning(kSniffed));
        path_ = named_by(beginning);
        return partial.commit(path_, existing_);
    }

    bool is_stdout() const noexcept { return to_stdout_; }
    const Path& path() const noexcept { return path_; }
    Path directory() const { return path_.parent_path(); }

private:
    static tl::unexpected<Error> taken(const Path& path) {
        return fail(Errc::output_exists, printable(path.string()) + " is there already",
                    "give another name, or --force to replace it");
    }
    Path named_by(ByteView beginning) const {
        Path path = path_;
        if (named_by_content_) path += image_extension(beginning);
        return path;
    }

    // What image_extension() looks at, and more.
    static constexpr std::size_t kSniffed = 4096;

    bool to_stdout_ = false;
    bool named_by_content_ = false;
    Path path_;
    AtomicFile::Existing existing_ = AtomicFile::Existing::refuse;
    std::optional<AtomicFile> file_;
};

// Whether the same command may go on later with what there is.
bool may_go_on(Errc code) { return may_pass_by_itself(code) || code == Errc::cancelled; }

// The image into `partial`, behind what an earlier run left there.  Where that turns out to be no part of it, all of it
// once more.
Result<void> fetch_into(PartialFile& partial, Destination& to, VaultClient& vault, const Work& work, Output& output,
                        const ProgressFunction& progress) {
    const std::uint64_t size = work.registration.body.bytes;
    SAT_TRY_VALUE(FetchedBeginning have, partial.take_stock(size));
    const std::uint64_t had = have.bytes;
    if (had > 0) output.note("resuming at " + format_percentage(had, size));
    bool is_free = false;
    const PlaintextSink sink = [&](ByteView plaintext) -> Result<void> {
        SAT_TRY(partial.write(plaintext));
        if (is_free) return {};
        is_free = true;
        return to.require_free(partial);
    };
    auto fetched = vault.fetch_image(work, std::move(have), sink, progress);
    if (fetched || had == 0 || fetched.error().code != Errc::hash_mismatch) return fetched;
    output.note("what an earlier run left of it is damaged: it is fetched anew");
    SAT_TRY(partial.restart());
    return vault.fetch_image(work, {}, sink, progress);
}

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
        std::optional<PartialFile> partial;
        if (!to.is_stdout()) {
            SAT_TRY_VALUE(partial, PartialFile::open(PartialFile::name_in(to.directory(), id, hash)));
        }
        Progress progress("receiving", app.may_animate());
        const ProgressFunction update = [&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); };
        if (partial) {
            auto fetched = fetch_into(*partial, to, *vault, work, app.output(), update);
            if (!fetched && may_go_on(fetched.error().code) && partial->holds_a_chunk()) {
                fetched.error().hint = "run the same command again: it goes on where it stood";
                partial->keep();
            }
            if (!fetched) return fail(std::move(fetched.error()));
            SAT_TRY(to.commit(*partial));
        } else {
            SAT_TRY(vault->fetch_image(
                work, {}, [&](ByteView plaintext) { return to.write(plaintext); }, update));
        }
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
