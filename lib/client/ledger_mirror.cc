// SPDX-License-Identifier: Apache-2.0
#include "client/ledger_mirror.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "ledger/tiles.h"

namespace sat {

namespace {

constexpr const char* kCheckpoint = "checkpoint";
constexpr const char* kLock = ".lock";  // no tile's name
constexpr std::size_t kMaxBundle = kTileWidth * (kMaxLeafEntry + 2);

// How many nodes tile level `level` has in a tree of `size` leaves.
std::uint64_t nodes_on(unsigned level, std::uint64_t size) { return size >> (8 * level); }

tl::unexpected<Error> damaged(const Path& directory, const std::string& why) {
    return fail(Errc::config, "the copy of the ledger in " + printable(directory.string()) + " is damaged: " + why,
                "remove it: it is fetched anew");
}

}  // namespace

LedgerMirror::LedgerMirror(VaultClient& client, Path directory)
    : client_(&client), directory_(std::move(directory)), vault_(std::make_unique<IdentityChain>(client.vault())) {
    follower_ = std::make_unique<LedgerFollower>(
        *vault_, [client_in = client_](const Wallet& wallet) { return client_in->find_identity(wallet); });
}

Result<LedgerMirror> LedgerMirror::open(VaultClient& client, const Path& directory) {
    LedgerMirror mirror(client, directory);
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return fail(errno_error("make", directory, error.value()));
    SAT_TRY_VALUE(mirror.lock_, lock_file(directory / kLock));
    SAT_TRY(mirror.replay());
    return mirror;
}

Result<void> LedgerMirror::replay() {
    const Path path = directory_ / kCheckpoint;
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 && errno == ENOENT) return {};
    const auto bytes = read_file(path, kMaxNote);
    if (!bytes) return damaged(directory_, bytes.error().message);
    const std::string note = to_string(*bytes);
    const auto head = open_checkpoint(note, vault_->wallet(), *vault_->log_key());
    if (!head) return damaged(directory_, head.error().message);
    // What is the files' fault is found before the vault is asked about anything in them.
    MerkleBuilder tree;
    for (std::uint64_t at = 0; at < head->size; at += kTileWidth) {
        SAT_TRY_VALUE(const auto entries, read_bundle(at, head->size));
        for (const std::string& entry : entries) tree.append(leaf_hash(entry));
    }
    if (tree.head() != *head) return damaged(directory_, "its entries do not add up to its checkpoint");
    SAT_TRY(client_->require_continuation(note));
    for (std::uint64_t at = 0; at < head->size; at += kTileWidth) {
        SAT_TRY_VALUE(const auto entries, read_bundle(at, head->size));
        written_ = at + entries.size();  // what is read is not written again
        SAT_TRY(take(entries, note));
    }
    note_ = note;
    return {};
}

// The entries from `at` on that stand in one file, of a ledger of `size`.
Result<std::vector<std::string>> LedgerMirror::read_bundle(std::uint64_t at, std::uint64_t size) const {
    const auto width = static_cast<std::size_t>(std::min<std::uint64_t>(kTileWidth, size - at));
    const auto bytes = read_file(directory_ / bundle_path(at / kTileWidth, width), kMaxBundle);
    if (!bytes) return damaged(directory_, bytes.error().message);
    auto entries = parse_bundle(*bytes, width);
    if (!entries) return damaged(directory_, entries.error().message);
    return entries;
}

Result<void> LedgerMirror::take_entry(const std::string& entry, const std::string& note) {
    auto taken = follower_->take(entry);
    if (!taken && taken.error().code == Errc::bad_signature) {  // keys that were rotated since they were kept
        SAT_TRY(client_->learn_signers(std::span(&entry, 1), true));
        taken = follower_->take(entry);
    }
    if (taken) return {};
    // A vault that does not answer a question contradicts nothing.
    std::vector<Wallet> signers;
    collect_signers(entry, signers);
    const bool withheld = std::any_of(signers.begin(), signers.end(),
                                      [&](const Wallet& wallet) { return client_->find_identity(wallet) == nullptr; });
    if (withheld && taken.error().code == Errc::bad_signature) return taken;
    Error error = client_->accuse(note, "entry " + std::to_string(follower_->size()) + "\n" + entry);
    error.message.insert(0, taken.error().message + "; ");
    return fail(std::move(error));
}

Result<void> LedgerMirror::take(const std::vector<std::string>& entries, const std::string& note) {
    SAT_TRY(client_->learn_signers(entries));
    for (const std::string& entry : entries) {
        SAT_TRY(take_entry(entry, note));
        // Hashes of the tiles' levels: a full tile is one node of the next level.
        Digest node = leaf_hash(entry);
        for (unsigned level = 0;; ++level) {
            if (levels_.size() == level) levels_.emplace_back();
            std::vector<Digest>& nodes = levels_[level];
            nodes.push_back(node);
            if (nodes.size() % kTileWidth != 0) break;
            MerkleBuilder tile;
            for (auto hash = nodes.end() - kTileWidth; hash != nodes.end(); ++hash) tile.append(*hash);
            node = tile.root();
        }
        open_bundle_.push_back(entry);
        if (open_bundle_.size() < kTileWidth) continue;
        if (follower_->size() > written_) SAT_TRY(write_bundle(open_bundle_, follower_->size() / kTileWidth - 1));
        open_bundle_.clear();
    }
    return {};
}

Result<void> LedgerMirror::follow() {
    const TreeHead target = client_->tree_head();
    const std::string note = client_->checkpoint();
    const std::uint64_t before = written_;
    SAT_ASSERT(follower_->size() <= target.size);
    while (follower_->size() < target.size) {
        SAT_TRY_VALUE(auto entries, client_->get_entries(follower_->size()));
        const std::uint64_t wanted = target.size - follower_->size();
        if (entries.size() > wanted) entries.resize(static_cast<std::size_t>(wanted));
        SAT_TRY(take(entries, note));
    }
    if (auto same = follower_->require(target); !same) {
        Error error = client_->accuse(
            note, std::to_string(target.size) + " entries\nroot " + to_base64(follower_->head().root.view()) + "\n");
        error.message.insert(0, same.error().message + "; ");
        return fail(std::move(error));
    }
    if (!open_bundle_.empty()) SAT_TRY(write_bundle(open_bundle_, target.size / kTileWidth));
    SAT_TRY(write_tiles(before, target.size));
    SAT_TRY(write(kCheckpoint, as_bytes(note)));
    written_ = target.size;
    note_ = note;
    return remove_partial(before, target.size);
}

Result<void> LedgerMirror::write_bundle(const std::vector<std::string>& entries, std::uint64_t index) const {
    return write(bundle_path(index, entries.size()), encode_bundle(entries));
}

Result<void> LedgerMirror::write_tiles(std::uint64_t before, std::uint64_t size) const {
    for (unsigned level = 0; level < levels_.size(); ++level) {
        const std::uint64_t nodes = nodes_on(level, size);
        if (nodes == nodes_on(level, before)) continue;
        for (std::uint64_t at = nodes_on(level, before) / kTileWidth * kTileWidth; at < nodes; at += kTileWidth) {
            const auto width = static_cast<std::size_t>(std::min<std::uint64_t>(kTileWidth, nodes - at));
            Bytes tile;
            for (std::size_t i = 0; i < width; ++i)
                append(tile, levels_[level][static_cast<std::size_t>(at) + i].view());
            SAT_TRY(write(tile_path(level, at / kTileWidth, width), tile));
        }
    }
    return {};
}

// Of the checkpoint before: nobody who reads the new one asks for them.
Result<void> LedgerMirror::remove_partial(std::uint64_t before, std::uint64_t size) const {
    std::error_code ignored;
    const auto remove = [&](const auto& path_of, std::uint64_t old_nodes, std::uint64_t nodes) {
        const auto width = static_cast<std::size_t>(old_nodes % kTileWidth);
        if (width == 0 || old_nodes == nodes) return;
        const Path path = directory_ / path_of(old_nodes / kTileWidth, width);
        std::filesystem::remove(path, ignored);
        std::filesystem::remove(path.parent_path(), ignored);  // where it is empty
    };
    for (unsigned level = 0; level < levels_.size(); ++level)
        remove([&](std::uint64_t index, std::size_t width) { return tile_path(level, index, width); },
               nodes_on(level, before), nodes_on(level, size));
    remove([](std::uint64_t index, std::size_t width) { return bundle_path(index, width); }, before, size);
    return {};
}

Result<void> LedgerMirror::write(const std::string& path, ByteView bytes) const {
    const Path file = directory_ / path;
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    if (error) return fail(errno_error("make", file.parent_path(), error.value()));
    return write_file_atomically(file, bytes, AtomicFile::Existing::replace);
}

}  // namespace sat
