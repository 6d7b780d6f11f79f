// Mending while serving.  docs/storage.md, "Rot and repair".
// SPDX-License-Identifier: Apache-2.0
#include "vault/healer.h"

#include "ledger/leaf.h"
#include "store/repair_file.h"

namespace sat {

using Place = DirectoryBlobStore::Place;

namespace {

constexpr std::chrono::minutes kHopelessFor{10};

// Before somebody listens: a start that has more to tell of is one for a check.
constexpr std::size_t kMostUntold = 1000;

}  // namespace

Healer::Healer(const VaultOptions& options, const VaultKeys& keys, Catalog& catalog, AtRestSealer sealer)
    : keys_(keys), catalog_(catalog), sealer_(std::move(sealer)) {
    places_.push_back(Place::of_data(options.data));
    if (options.duplicate) places_.push_back(Place::of_duplicate(*options.duplicate));
    thread_ = std::thread([this] { run(); });
}

Healer::~Healer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Healer::look_at(const ArtworkId& artwork) {
    {
        const std::lock_guard lock(mutex_);
        const auto now = std::chrono::steady_clock::now();
        std::erase_if(hopeless_, [now](const auto& work) { return work.second <= now; });
        if (hopeless_.contains(artwork) || !queued_.insert(artwork).second) return;
        queue_.push_back(artwork);
    }
    changed_.notify_all();
}

void Healer::set_report(Vault::HealReport report) {
    const std::lock_guard lock(report_mutex_);
    report_ = std::move(report);
    if (!report_) return;
    for (const HealEvent& event : untold_) report_(event);
    untold_.clear();
}

void Healer::run() {
    for (;;) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        const ArtworkId artwork = queue_.front();
        queue_.pop_front();
        // What is found from here on may be news.
        queued_.erase(artwork);
        lock.unlock();
        if (mend(artwork)) continue;
        lock.lock();
        hopeless_.emplace(artwork, std::chrono::steady_clock::now() + kHopelessFor);
        // Whoever asked meanwhile asked for the same.
        if (queued_.erase(artwork) > 0) std::erase(queue_, artwork);
    }
}

Result<StoredWork> Healer::find(const ArtworkId& artwork) {
    SAT_TRY_VALUE(const auto reader, catalog_.read());
    SAT_TRY_VALUE(const auto work, reader->work(artwork));
    SAT_TRY_VALUE(const auto history, reader->history(artwork, 0, 1));
    if (!work || history.empty()) return fail(Errc::io_error, "the catalogue has no such work");
    SAT_TRY_VALUE(const auto registration, parse_statement<Registration>(work->registration));
    return StoredWork::of(registration, work->registered_at, leaf_hash(history.front()));
}

bool Healer::mend(const ArtworkId& artwork) {
    const auto work = find(artwork);
    if (!work) {
        report({artwork, "catalogue", work.error().message, false});
        return false;
    }
    const bool image = mend(Kind::image, *work);
    const bool metadata = mend(Kind::metadata, *work);
    return image && metadata;
}

bool Healer::mend(Kind kind, const StoredWork& work) {
    const char* part = kind == Kind::image ? "image" : "metadata";
    const Place* good = nullptr;
    std::vector<std::pair<const Place*, Error>> bad;
    for (const Place& place : places_) {
        auto checked = check(kind, path_of(kind, place, work.artwork), work);
        if (!checked) {
            bad.emplace_back(&place, std::move(checked.error()));
        } else if (good == nullptr) {
            good = &place;
        }
    }
    bool all = true;
    for (const auto& [place, problem] : bad) {
        HealEvent event{work.artwork, part, problem.message, false};
        if (good != nullptr) {
            const auto healed =
                heal_file(path_of(kind, *good, work.artwork), place->root, path_of(kind, *place, work.artwork),
                          [&](const Path& copy) { return check(kind, copy, work); });
            event.healed = healed.has_value();
            if (!healed) event.problem += "; it could not be healed: " + healed.error().message;
        }
        report(event);
        all = all && event.healed;
    }
    return all;
}

Result<void> Healer::check(Kind kind, const Path& file, const StoredWork& work) {
    if (kind == Kind::image) return check_image_file(file, work, keys_);
    SAT_TRY(check_work_file(file, work, keys_, sealer_));
    return {};
}

Path Healer::path_of(Kind kind, const Place& place, const ArtworkId& artwork) const {
    return kind == Kind::image ? place.image(artwork) : place.metadata_file(artwork);
}

void Healer::report(const HealEvent& event) {
    const std::lock_guard lock(report_mutex_);
    if (report_) {
        report_(event);
    } else if (untold_.size() < kMostUntold) {
        untold_.push_back(event);
    }
}

Result<bool> Healer::is_sound(const ArtworkId& artwork, const Path& image, const Path& metadata) {
    SAT_TRY_VALUE(const StoredWork work, find(artwork));
    bool sound = true;
    for (const Kind kind : {Kind::image, Kind::metadata}) {
        const auto checked = check(kind, kind == Kind::image ? image : metadata, work);
        if (checked) continue;
        sound = false;
        report({artwork, kind == Kind::image ? "image" : "metadata",
                checked.error().message + "; it is not copied to the duplicate", false});
    }
    return sound;
}

}  // namespace sat
