// The sweeper of deadlines: see deadlines.h.
// SPDX-License-Identifier: Apache-2.0
#include "net/deadlines.h"

#include <algorithm>
#include <vector>

namespace sat {

namespace {

// Deadlines that fall close together are seen in one look.  A look at ten thousand takes about a millisecond, so that
// many deadlines are late by up to 0.2 s rather than looked for two hundred times a second.
constexpr std::chrono::milliseconds kGrain{5};
constexpr std::size_t kMembersAGrain = 250;

}  // namespace

asio::execution_context::id DeadlineSweeper::id;

DeadlineSweeper& DeadlineSweeper::of(const asio::any_io_executor& executor) {
    auto& sweeper = asio::use_service<DeadlineSweeper>(executor.context());
    if (!sweeper.timer_) sweeper.timer_ = std::make_unique<asio::steady_timer>(executor);
    return sweeper;
}

void DeadlineSweeper::add(Timed& timed) { members_.insert(&timed); }

void DeadlineSweeper::remove(Timed& timed) noexcept {
    members_.erase(&timed);
    if (members_.empty() && timer_) {
        armed_ = kNever;
        timer_->cancel();
    }
}

void DeadlineSweeper::wake_at(SteadyTime when) {
    if (when < armed_) arm(when);
}

void DeadlineSweeper::shutdown() noexcept {
    members_.clear();
    timer_.reset();
}

void DeadlineSweeper::arm(SteadyTime when) {
    if (!timer_) return;
    armed_ = when;
    timer_->expires_at(when);
    timer_->async_wait([this](const std::error_code& error) {
        if (!error) fire();
    });
}

void DeadlineSweeper::fire() {
    const auto now = std::chrono::steady_clock::now();
    if (now < armed_) return;  // armed anew after this wait had already ended
    armed_ = kNever;
    SteadyTime next = kNever;
    // A copy: what is due ends connections, and those leave the set.
    const std::vector<Timed*> members(members_.begin(), members_.end());
    for (Timed* member : members) {
        if (members_.contains(member)) next = std::min(next, member->sweep(now));
    }
    if (next != kNever && !members_.empty())
        wake_at(std::max(next, now + kGrain * static_cast<int>(1 + members_.size() / kMembersAGrain)));
}

Alarm::Alarm(const asio::any_io_executor& executor, SteadyTime when, std::function<void()> ring)
    : sweeper_(DeadlineSweeper::of(executor)), when_(when), ring_(std::move(ring)) {
    sweeper_.add(*this);
    sweeper_.wake_at(when_);
}

Alarm::~Alarm() { sweeper_.remove(*this); }

SteadyTime Alarm::sweep(SteadyTime now) {
    if (rang_ || when_ == kNever) return kNever;
    if (now < when_) return when_;
    rang_ = true;
    ring_();
    return kNever;
}

}  // namespace sat
