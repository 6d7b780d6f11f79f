// SPDX-License-Identifier: Apache-2.0
#include "faults/power_cut.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <random>

#include "base/assert.h"
#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {

namespace {

constexpr std::size_t kSector = 512;

std::string parent(const std::string& path) { return Path(path).parent_path().string(); }

// SQLite's shared memory is no part of what it stores.
bool is_memory(const std::string& path) { return path.ends_with("-shm"); }

}  // namespace

PowerCut::PowerCut(std::vector<Path> roots) : roots_(std::move(roots)) {
    const auto add = [this](const Path& path) {
        struct stat status {};
        SAT_ASSERT(lstat(path.c_str(), &status) == 0);
        if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return;
        Object object;
        object.directory = S_ISDIR(status.st_mode);
        if (!object.directory) object.synced = to_bytes(as_bytes(read_text(path)));
        by_inode_[status.st_ino] = objects_.size();
        now_[path] = synced_[path] = objects_.size();
        objects_.push_back(std::move(object));
    };
    for (const Path& root : roots_) {
        if (!fs::exists(root)) continue;
        add(root);
        for (const auto& entry : fs::recursive_directory_iterator(root)) add(entry.path());
    }
}

void PowerCut::read_journal(const Path& journal) {
    const std::string text = read_text(journal);
    std::size_t at = 0;
    const auto take = [&](std::size_t size) {
        SAT_ASSERT(text.size() - at >= size);
        at += size;
        return text.substr(at - size, size);
    };
    while (at < text.size()) {
        Record record;
        std::memcpy(&record.header, take(sizeof record.header).data(), sizeof record.header);
        record.path = take(record.header.path_size);
        record.other = take(record.header.other_size);
        record.data = to_bytes(as_bytes(take(record.header.data_size)));
        records_.push_back(std::move(record));
    }
}

void PowerCut::apply(const Change& change, Bytes& content) {
    if (change.truncates) {
        content.resize(change.offset);
        return;
    }
    if (content.size() < change.offset + change.data.size()) content.resize(change.offset + change.data.size());
    std::copy(change.data.begin(), change.data.end(), content.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

void PowerCut::apply(const Naming& naming, Names& names) {
    if (!naming.from.empty() && !naming.keeps_from) names.erase(naming.from);
    if (!naming.to.empty()) names[naming.to] = naming.object;
}

void PowerCut::name(Naming naming) {
    apply(naming, now_);
    pending_.push_back(std::move(naming));
}

void PowerCut::sync_directory(const std::string& path) {
    for (std::size_t i = 0; i < pending_.size();) {
        const Naming naming = pending_[i];
        if (parent(naming.from) != path && parent(naming.to) != path) {
            ++i;
            continue;
        }
        apply(naming, synced_);
        pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
        if (naming.from.empty() || naming.keeps_from) continue;
        // What gave it the name that it no longer has is over as well.
        const auto obsolete = [&](const Naming& earlier) {
            return earlier.to == naming.from && earlier.object == naming.object;
        };
        const auto until = pending_.begin() + static_cast<std::ptrdiff_t>(i);
        const auto kept = std::remove_if(pending_.begin(), until, obsolete);
        i -= static_cast<std::size_t>(until - kept);
        pending_.erase(kept, until);
    }
}

void PowerCut::advance(std::size_t count) {
    SAT_ASSERT(count >= played_ && count <= records_.size());
    for (; played_ < count; ++played_) {
        const Record& record = records_[played_];
        const auto object = [&]() -> Object* {
            const auto found = by_inode_.find(record.header.inode);
            return found == by_inode_.end() ? nullptr : &objects_[found->second];
        };
        switch (record.header.op) {
            case JournalOp::create:
                by_inode_[record.header.inode] = objects_.size();
                name({{}, record.path, objects_.size(), false});
                objects_.emplace_back();
                break;
            case JournalOp::make_directory:
                name({{}, record.path, objects_.size(), false});
                objects_.emplace_back().directory = true;
                break;
            case JournalOp::write:
                if (Object* to = object()) to->pending.push_back({record.header.offset, false, record.data});
                break;
            case JournalOp::truncate:
                if (Object* to = object()) to->pending.push_back({record.header.offset, true, {}});
                break;
            case JournalOp::sync:
                if (Object* of = object()) {
                    for (const Change& change : of->pending) apply(change, of->synced);
                    of->pending.clear();
                }
                break;
            case JournalOp::sync_directory:
                sync_directory(record.path);
                break;
            case JournalOp::rename:
            case JournalOp::link:
                if (const auto found = now_.find(record.path); found != now_.end())
                    name({record.path, record.other, found->second, record.header.op == JournalOp::link});
                break;
            case JournalOp::unlink:
                if (const auto found = now_.find(record.path); found != now_.end())
                    name({record.path, {}, found->second, false});
                break;
        }
    }
}

void PowerCut::restore(Unsynced unsynced, std::uint64_t seed) const {
    std::mt19937_64 random(seed);
    Names names = unsynced == Unsynced::named ? now_ : synced_;
    if (unsynced == Unsynced::torn) {
        std::size_t kept = pending_.empty() ? 0 : random() % (pending_.size() + 1);
        for (const Naming& naming : pending_)
            if (kept > 0 && kept-- > 0) apply(naming, names);
    }
    for (const Path& root : roots_) fs::remove_all(root);
    // In the order of paths a directory comes before what is in it.
    for (const auto& [path, number] : names) {
        const Object& object = objects_[number];
        if (is_memory(path)) continue;
        const bool is_root = std::find(roots_.begin(), roots_.end(), Path(path)) != roots_.end();
        if (!is_root && !fs::is_directory(parent(path))) continue;  // its directory did not get its name
        if (object.directory) {
            SAT_ASSERT(mkdir(path.c_str(), 0700) == 0);
            continue;
        }
        Bytes content = object.synced;
        if (unsynced == Unsynced::torn) {
            for (Change change : object.pending) {
                if (random() % 2 == 0) continue;
                if (!change.truncates && random() % 2 == 0)
                    change.data.resize(change.data.size() / 2 / kSector * kSector);
                apply(change, content);
            }
        }
        write_bytes(path, content);
        SAT_ASSERT(chmod(path.c_str(), 0600) == 0);
    }
}

}  // namespace sat::test
