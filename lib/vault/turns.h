// One at a time for each statement: who repeats a request while the first is still being worked on waits for its
// outcome, instead of hearing that there is none.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "base/bytes.h"

namespace sat {

// Thread-safe; outlives its turns.
class Turns {
public:
    class Turn {
    public:
        Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)), id_(other.id_) {}
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        Turn& operator=(Turn&&) = delete;
        ~Turn() {
            if (turns_ == nullptr) return;
            {
                const std::lock_guard lock(turns_->mutex_);
                turns_->taken_.erase(id_);
            }
            turns_->given_back_.notify_all();
        }

    private:
        friend class Turns;
        Turn(Turns& turns, const StatementId& id) : turns_(&turns), id_(id) {}

        Turns* turns_;  // null once moved from
        StatementId id_;
    };

    // Waits until nobody else has the statement's turn.
    Turn take(const StatementId& id) {
        std::unique_lock lock(mutex_);
        given_back_.wait(lock, [&] { return !taken_.contains(id); });
        taken_.insert(id);
        return {*this, id};
    }

private:
    std::mutex mutex_;
    std::condition_variable given_back_;
    std::unordered_set<StatementId> taken_;
};

}  // namespace sat
