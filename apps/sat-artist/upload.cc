// upload: the metadata is judged, and the picture's header looked at, before anything is dialled; the preview is made
// while the image is sent.
// SPDX-License-Identifier: Apache-2.0
#include "sat-artist/upload.h"

#include <sys/stat.h>

#include "base/text.h"
#include "common/picture_helper.h"
#include "common/progress.h"
#include "common/views.h"

namespace sat {

namespace {

// Everything of the registration that a person says.
Result<Registration> draft_from(const Options& options, const Path& image) {
    SAT_TRY(check_text("title", options.title, kMaxTitle));
    SAT_TRY(check_text("description", options.description, kMaxDescription));
    SAT_TRY(check_text("artist's name", options.artist, kMaxArtist));
    if (options.title.empty()) return fail(Errc::bad_data, "the title is empty");
    if (!options.created.empty() && !is_creation_date(options.created))
        return fail(Errc::bad_data, "the date is none", "write --created YYYY, YYYY-MM or YYYY-MM-DD");
    Registration draft;
    draft.title = options.title;
    draft.description = options.description;
    draft.artist = options.artist;
    draft.creation_date = options.created;
    draft.file_path = image.filename().string();
    draft.release = options.release == "preview" ? ReleasePolicy::preview : ReleasePolicy::original;
    if (!is_base_name(draft.file_path))
        return fail(Errc::bad_data, "the file's name is not UTF-8, or longer than 255 bytes", "rename the file");
    return draft;
}

}  // namespace

Result<Report> run_upload(ClientApp& app) {
    const Options& options = app.options();
    const Path image = options.image;
    SAT_TRY_VALUE(const FileDescriptor file, open_regular(image));
    SAT_TRY_VALUE(Registration draft, draft_from(options, image));
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return fail(errno_error("read", image, errno));
    if (status.st_size == 0) return fail(Errc::bad_data, printable(image.string()) + " is empty");
    SAT_TRY_VALUE(const Path helper, find_picture_helper());
    SAT_TRY_VALUE(PictureExam exam, PictureExam::begin(helper, file.get()));
    SAT_TRY_VALUE(const Picture picture, exam.header());
    draft.media_type = picture.media_type;
    draft.width = static_cast<std::uint32_t>(picture.width);
    draft.height = static_cast<std::uint32_t>(picture.height);
    app.output().detail(picture.media_type + ", " + std::to_string(picture.width) + " x " +
                        std::to_string(picture.height));

    SAT_TRY_VALUE(const SigningKey* key, app.signing_key());
    SAT_TRY_VALUE(VaultClient * vault, app.connect());
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    const auto preview = [&]() -> Result<std::optional<Bytes>> {
        SAT_TRY_VALUE(Picture whole, exam.finish());
        app.output().detail(whole.preview ? "preview " + format_bytes(whole.preview->size()) : "no preview");
        return std::move(whole.preview);
    };
    UploadSource source{file.get(), image, std::move(draft), preview, status};
    Result<UploadResult> uploaded = fail(Errc::cancelled, "");
    {
        Progress progress("sending", app.may_animate());
        uploaded = vault->upload(source, *key,
                                 {[&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); },
                                  [&](std::uint64_t done, std::uint64_t total) {
                                      app.output().note("resuming at " + format_percentage(done, total));
                                  },
                                  [&](const std::string& text) { app.output().note(text); }});
    }
    if (!uploaded) return fail(std::move(uploaded.error()));
    Report answer;
    answer.data = artwork_json(uploaded->work);
    answer.data["receipt"] = uploaded->receipt;
    answer.data["copies"] = uploaded->copies;
    answer.data["found"] = uploaded->found;
    answer.text = artwork_text(uploaded->work, home->wallet());
    answer.text += "  stored        " + std::to_string(uploaded->copies) +
                   (uploaded->copies == 1 ? " copy" : " copies") + ", receipt verified\n";
    answer.brief = uploaded->work.id().str() + "\n";
    return answer;
}

}  // namespace sat
