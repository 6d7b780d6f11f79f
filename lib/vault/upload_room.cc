// The count of running uploads and of the room they were promised.
// SPDX-License-Identifier: Apache-2.0
#include "vault/upload_room.h"

#include <algorithm>

namespace sat {

UploadRoom::Slot::~Slot() {
    if (room_ == nullptr) return;
    const std::lock_guard lock(room_->mutex_);
    room_->promised_ -= promised_;
    --room_->running_;
    const auto mine = room_->by_wallet_.find(wallet_);
    mine->second.bytes -= bytes_;
    if (--mine->second.uploads == 0) room_->by_wallet_.erase(mine);
}

void UploadRoom::Slot::written(std::uint64_t bytes) {
    const std::uint64_t less = std::min(bytes, promised_);
    promised_ -= less;
    const std::lock_guard lock(room_->mutex_);
    room_->promised_ -= less;
}

Result<UploadRoom::Slot> UploadRoom::take(const Wallet& wallet, std::uint64_t bytes, std::uint64_t room,
                                          std::uint64_t free) {
    const std::lock_guard lock(mutex_);
    const auto mine = by_wallet_.find(wallet);
    if (running_ >= kMaxUploads || (mine != by_wallet_.end() && mine->second.uploads >= kMaxUploadsPerWallet))
        return fail(Errc::busy, "too many uploads are under way", "try again later");
    if (free < promised_ || free - promised_ < room)
        return fail(Errc::storage_full, "there is no room for this artwork", "make room on the vault's disk");
    Share& mine_now = by_wallet_[wallet];
    ++mine_now.uploads;
    mine_now.bytes += bytes;
    ++running_;
    promised_ += room;
    return Slot(*this, wallet, bytes, room);
}

std::uint64_t UploadRoom::promised() const {
    const std::lock_guard lock(mutex_);
    return promised_;
}

std::uint64_t UploadRoom::bytes_of(const Wallet& wallet) const {
    const std::lock_guard lock(mutex_);
    const auto mine = by_wallet_.find(wallet);
    return mine == by_wallet_.end() ? 0 : mine->second.bytes;
}

std::uint64_t UploadRoom::running() const {
    const std::lock_guard lock(mutex_);
    return running_;
}

}  // namespace sat
