// How many uploads run, of whom, and how much of the disk they have been promised.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"

namespace sat {

// Each holds buffers of some 200 KiB and an open file a copy.
inline constexpr std::size_t kMaxUploads = 64;
// One person's program sends one after the other; a few machines may share a wallet.
inline constexpr std::size_t kMaxUploadsPerWallet = 4;

// Thread-safe; outlives its slots.
class UploadRoom {
public:
    // One running upload.  What it was promised and has not written is given back when it is destroyed.
    class Slot {
    public:
        Slot(Slot&& other) noexcept
            : room_(std::exchange(other.room_, nullptr)),
              wallet_(other.wallet_),
              bytes_(other.bytes_),
              promised_(other.promised_) {}
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;
        Slot& operator=(Slot&&) = delete;
        ~Slot();

        // So much of it is on the disk now, where the disk's own count shows it.
        void written(std::uint64_t bytes);

    private:
        friend class UploadRoom;
        Slot(UploadRoom& room, const Wallet& wallet, std::uint64_t bytes, std::uint64_t promised)
            : room_(&room), wallet_(wallet), bytes_(bytes), promised_(promised) {}

        UploadRoom* room_;  // null once moved from
        Wallet wallet_;
        std::uint64_t bytes_;  // of plaintext
        std::uint64_t promised_;
    };

    // For `bytes` of plaintext, which need `room` on the disk.  busy: too many uploads, in all or of this wallet;
    // storage_full: less than `room` of `free` is promised to nobody.
    Result<Slot> take(const Wallet& wallet, std::uint64_t bytes, std::uint64_t room, std::uint64_t free);

    std::uint64_t running() const;
    // What the uploads that run were promised and have not written.
    std::uint64_t promised() const;
    // Of plaintext, of this wallet's uploads that run.
    std::uint64_t bytes_of(const Wallet& wallet) const;

private:
    struct Share {
        std::size_t uploads = 0;
        std::uint64_t bytes = 0;
    };

    mutable std::mutex mutex_;
    std::unordered_map<Wallet, Share> by_wallet_;
    std::uint64_t running_ = 0;
    std::uint64_t promised_ = 0;
};

}  // namespace sat
