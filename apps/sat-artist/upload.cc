// upload: the metadata is judged, and the picture's header looked at, before anything of it is sent; the preview is
// made while the image is sent.  Several images go over a few connections at once: while the vault syncs one of them,
// others are on their way.
// SPDX-License-Identifier: Apache-2.0
#include "sat-artist/upload.h"

#include <sys/stat.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "base/assert.h"
#include "base/memory.h"
#include "base/text.h"
#include "common/exit_codes.h"
#include "common/interrupt.h"
#include "common/picture_helper.h"
#include "common/progress.h"
#include "common/views.h"

namespace sat {

namespace {

// As many uploads as a vault lets one wallet have under way (docs/protocol.md, "Bulk streams").
constexpr std::size_t kConnections = 4;
// What a checkpoint covers is told once that is kept: after so many images of a connection, or so long.
constexpr std::size_t kToldTogether = 16;
constexpr std::chrono::seconds kToldAfter{2};

// Everything of the registration that a person says.
Result<Registration> draft_from(const Options& options, const std::string& title, const Path& image) {
    SAT_TRY(check_text("title", title, kMaxTitle));
    SAT_TRY(check_text("description", options.description, kMaxDescription));
    SAT_TRY(check_text("artist's name", options.artist, kMaxArtist));
    if (title.empty()) return fail(Errc::bad_data, "the title is empty", "say what the work is called: --title TITLE");
    if (!options.created.empty() && !is_creation_date(options.created))
        return fail(Errc::bad_data, "the value of --created is no date", "write --created YYYY, YYYY-MM or YYYY-MM-DD");
    Registration draft;
    draft.title = title;
    draft.description = options.description;
    draft.artist = options.artist;
    draft.creation_date = options.created;
    draft.file_path = image.filename().string();
    draft.release = options.release == "preview" ? ReleasePolicy::preview : ReleasePolicy::original;
    if (!is_base_name(draft.file_path))
        return fail(Errc::bad_data, "the file's name is not UTF-8, or longer than 255 bytes", "rename the file");
    return draft;
}

// An image whose header was looked at.  What makes its preview runs on.
struct Prepared {
    FileDescriptor file;
    std::unique_ptr<PictureExam> exam;
    UploadSource source;
    std::string why_no_preview;  // of one that was wanted
};

// Where it fails, `prepared` has what was begun.
Result<void> prepare(ClientApp& app, PictureHelper& helper, const std::string& title, const Path& image,
                     Prepared& prepared) {
    SAT_TRY_VALUE(prepared.file, open_regular(image));
    SAT_TRY_VALUE(Registration draft, draft_from(app.options(), title, image));
    struct stat status {};
    if (::fstat(prepared.file.get(), &status) != 0) return fail(errno_error("read", image, errno));
    if (status.st_size == 0)
        return fail(Errc::bad_data, printable(image.string()) + " is empty", "look at the file that is named");
    const PictureDetail detail = app.options().no_preview ? PictureDetail::header : PictureDetail::preview;
    SAT_TRY_VALUE(PictureExam begun, helper.examine(prepared.file.get(), kPicturePatience, detail));
    prepared.exam = std::make_unique<PictureExam>(std::move(begun));
    SAT_TRY_VALUE(const Picture picture, prepared.exam->header());
    draft.media_type = picture.media_type;
    draft.width = static_cast<std::uint32_t>(picture.width);
    draft.height = static_cast<std::uint32_t>(picture.height);
    app.output().detail(picture.media_type + ", " + std::to_string(picture.width) + " x " +
                        std::to_string(picture.height));
    // What has a preview here and none in the end has one that the vault's limit is below.
    prepared.why_no_preview = "it is larger than the vault takes";
    const auto preview = [&app, &prepared]() -> Result<std::optional<Bytes>> {
        SAT_TRY_VALUE(Picture whole, prepared.exam->finish());
        if (!whole.preview)
            prepared.why_no_preview = prepared.exam->took_too_long()
                                          ? "that took too long"
                                          : "the image is damaged, or takes too much memory or time";
        app.output().detail(whole.preview ? "preview " + format_bytes(whole.preview->size()) : "no preview");
        return std::move(whole.preview);
    };
    prepared.source = {prepared.file.get(), image, std::move(draft), preview, status};
    return {};
}

// `why_no_preview`: empty where this run does not know, an earlier one having stored the work.
Report report_of(ClientApp& app, const UploadResult& uploaded, const std::string& why_no_preview, const Wallet& me) {
    const Registration& registered = uploaded.work.registration.body;
    if (!app.options().no_preview && !registered.preview) {
        const std::string why = uploaded.found ? "" : " (" + why_no_preview + ")";
        const bool alone = registered.release == ReleasePolicy::preview;
        app.output().warn("no preview of " + registered.file_path + why + ": " +
                          (alone ? "until they own " + uploaded.work.id().str() + ", collectors see nothing of it"
                                 : uploaded.work.id().str() + " is stored without one"));
    }
    Report answer;
    answer.data = artwork_json(uploaded.work);
    answer.data["receipt"] = uploaded.receipt;
    answer.data["copies"] = uploaded.copies;
    answer.data["found"] = uploaded.found;
    answer.text = artwork_text(uploaded.work, me);
    answer.text += "  stored        " + std::to_string(uploaded.copies) + (uploaded.copies == 1 ? " copy" : " copies") +
                   ", receipt verified\n";
    answer.brief = uploaded.work.id().str() + "\n";
    return answer;
}

// What the picture's helper says of an image does not name it.
Error of_image(Error error, const Prepared& prepared, const Path& image) {
    if (error.code == Errc::bad_data && prepared.exam && prepared.exam->failed())
        error.message = printable(image.string()) + ": " + error.message;
    return error;
}

Result<Report> upload_one(ClientApp& app) {
    const Options& options = app.options();
    SAT_TRY_VALUE(const Path program, find_picture_helper());
    PictureHelper helper(program);
    Prepared prepared;
    const Path image = options.images.front();
    if (auto done = prepare(app, helper, *options.title, image, prepared); !done)
        return fail(of_image(std::move(done.error()), prepared, image));
    SAT_TRY_VALUE(const SigningKey* key, app.signing_key());
    SAT_TRY_VALUE(VaultClient * vault, app.connect());
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    Progress progress("sending", app.may_animate());
    const auto uploaded =
        vault->upload_of_many(prepared.source, *key,
                              {[&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); },
                               [&](std::uint64_t done, std::uint64_t total) {
                                   app.output().note("resuming at " + format_percentage(done, total));
                               },
                               [&](const std::string& text) { app.output().note(text); }});
    if (!uploaded) return fail(of_image(uploaded.error(), prepared, image));
    SAT_TRY(vault->keep_checkpoint());
    Report report = report_of(app, *uploaded, prepared.why_no_preview, home->wallet());
    // Last of all: whoever ends with an error is told to run the same command again, which looks for the commit.  What
    // cannot be removed is found by the next upload of this file, and told to be there.
    report.told = [vault] {
        end_well_without_memory();
        vault->close();
        (void)vault->forget_commits();
    };
    return report;
}

// The image's own, so that the others can go on.
bool is_of_one_image(const Error& error, const Prepared& prepared) {
    const Errc code = error.code;
    if (prepared.exam && prepared.exam->failed() && code != Errc::cancelled) return true;
    return code == Errc::bad_data || code == Errc::input_unreadable || code == Errc::content_too_large ||
           code == Errc::hash_mismatch || code == Errc::interrupted || code == Errc::timeout;
}

// Connections take the images in turn, each on a thread of its own; what became of them is told by one thread, in the
// order of the arguments.
class ManyUploads {
public:
    ManyUploads(ClientApp& app, PictureHelper& helper, const SigningKey& key)
        : app_(app), helper_(helper), key_(key), done_(app.options().images.size()) {}

    // `first` is connected.
    Result<Report> run(VaultClient& first, const Wallet& me) {
        std::vector<std::unique_ptr<ClientApp::BesideClient>> beside;
        std::vector<VaultClient*> clients{&first};
        while (clients.size() < std::min(kConnections, done_.size())) {
            beside.push_back(app_.client_beside());
            clients.push_back(&beside.back()->client);
        }
        working_ = clients.size();
        std::vector<std::thread> threads;
        threads.reserve(clients.size());
        for (VaultClient* client : clients) threads.emplace_back([this, client] { work(*client); });
        auto told = tell_all(me);
        if (!told) stop(told.error());
        for (std::thread& thread : threads) thread.join();
        SAT_TRY(std::move(told));
        // After a failure the same command is run again: it finds what is stored by these, which go last of all.
        if (exit_ == kExitDone) {
            end_well_without_memory();
            for (VaultClient* client : clients) client->close();
            for (VaultClient* client : clients) (void)client->forget_commits();
        }
        Report report;
        report.shown = true;
        report.exit = exit_;
        return report;
    }

private:
    struct Stored {
        UploadResult result;
        std::string why_no_preview;
    };
    using Outcome = Result<Stored>;

    void work(VaultClient& vault) {
        std::vector<std::pair<std::size_t, Outcome>> untold;
        auto told_at = std::chrono::steady_clock::now();
        for (;;) {
            const std::optional<std::size_t> number = take();
            if (number) {
                Prepared prepared;
                Outcome outcome = upload(vault, *number, prepared);
                if (!outcome && !is_of_one_image(outcome.error(), prepared)) stop(outcome.error());
                untold.emplace_back(*number, std::move(outcome));
            }
            const auto now = std::chrono::steady_clock::now();
            if (!number || untold.size() >= kToldTogether || now - told_at >= kToldAfter) {
                hand_over(vault, std::exchange(untold, {}));
                told_at = now;
            }
            if (!number) break;
        }
        const std::lock_guard lock(mutex_);
        --working_;
        changed_.notify_one();
    }

    std::optional<std::size_t> take() {
        const std::lock_guard lock(mutex_);
        if (stopped_ || next_ == done_.size()) return std::nullopt;
        return next_++;
    }

    void stop(const Error& why) {
        const std::lock_guard lock(mutex_);
        if (!stopped_) stopped_ = why;
    }

    Outcome upload(VaultClient& vault, std::size_t number, Prepared& prepared) {
        const Path image = app_.options().images[number];
        SAT_TRY(prepare(app_, helper_, image.stem().string(), image, prepared));
        if (!vault.connected()) {
            auto connected = vault.connect();
            // It is cut as easily as the one before.
            for (int tries = 1; !connected && connected.error().code == Errc::interrupted && tries < kMaxTries; ++tries)
                connected = vault.connect();
            if (!connected) {
                stop(connected.error());
                return fail(std::move(connected.error()));
            }
        }
        const std::string name = printable(image.string()) + ": ";
        SAT_TRY_VALUE(
            UploadResult uploaded,
            vault.upload_of_many(prepared.source, key_,
                                 {nullptr,
                                  [&](std::uint64_t done, std::uint64_t total) {
                                      app_.output().note(name + "resuming at " + format_percentage(done, total));
                                  },
                                  [&](const std::string& text) { app_.output().note(name + text); }}));
        return Stored{std::move(uploaded), std::move(prepared.why_no_preview)};
    }

    void hand_over(VaultClient& vault, std::vector<std::pair<std::size_t, Outcome>>&& outcomes) {
        const auto kept = vault.keep_checkpoint();
        if (!kept) stop(kept.error());
        const std::lock_guard lock(mutex_);
        for (auto& [number, outcome] : outcomes)
            done_[number] = outcome && !kept ? Outcome(fail(kept.error())) : std::move(outcome);
        changed_.notify_one();
    }

    // Fails where standard output does not take it.
    Result<void> tell_all(const Wallet& me) {
        for (std::size_t number = 0; number < done_.size(); ++number) {
            std::optional<Outcome> outcome;
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [&] { return done_[number].has_value() || working_ == 0; });
                outcome = std::exchange(done_[number], std::nullopt);
                SAT_ASSERT(outcome || stopped_);
                if (!outcome) outcome = fail(stopped_->code, "not begun, since another one failed");
            }
            if (*outcome) {
                SAT_TRY(app_.output().item(report_of(app_, (*outcome)->result, (*outcome)->why_no_preview, me)));
                continue;
            }
            Error error = app_.explained(outcome->error());
            error.message = printable(app_.options().images[number]) + ": " + error.message;
            const int exit = app_.output().failure(error, Interrupt::signal());
            if (exit_ == kExitDone) exit_ = exit;
        }
        return {};
    }

    ClientApp& app_;
    PictureHelper& helper_;
    const SigningKey& key_;
    int exit_ = kExitDone;  // of the first that failed; the telling thread's

    std::mutex mutex_;
    std::condition_variable changed_;           // something is done, or a thread is
    std::size_t next_ = 0;                      // to be begun
    std::size_t working_ = 0;                   // threads
    std::optional<Error> stopped_;              // why no more are begun
    std::vector<std::optional<Outcome>> done_;  // and not told
};

Result<Report> upload_many(ClientApp& app) {
    if (app.options().title)
        return fail(Errc::usage, "--title goes with a single image",
                    "each of several has its file's name as its title");
    std::set<std::pair<dev_t, ino_t>> files;
    for (const std::string& image : app.options().images) {
        struct stat status {};
        if (::stat(image.c_str(), &status) == 0 && !files.emplace(status.st_dev, status.st_ino).second)
            return fail(Errc::usage, printable(image) + " is named twice", "name each image once");
    }
    SAT_TRY_VALUE(const Path program, find_picture_helper());
    PictureHelper helper(program);
    // It loads its libraries while the key is unlocked.
    SAT_TRY(helper.start());
    SAT_TRY_VALUE(const SigningKey* key, app.signing_key());
    SAT_TRY_VALUE(VaultClient * vault, app.connect());
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    return ManyUploads(app, helper, *key).run(*vault, home->wallet());
}

}  // namespace

Result<Report> run_upload(ClientApp& app) {
    if (app.options().no_preview && app.options().release == "preview")
        return fail(Errc::usage, "--no-preview leaves collectors nothing of an image released as a preview",
                    "leave out one of --no-preview and --release preview");
    if (app.options().images.size() > 1) return upload_many(app);
    if (!app.options().title)
        return fail(Errc::usage, "--title is required", "say what the work is called: --title TITLE");
    return upload_one(app);
}

}  // namespace sat
