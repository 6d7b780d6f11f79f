// Turns among groups: see fair_turns.h.
// SPDX-License-Identifier: Apache-2.0
#include "net/fair_turns.h"

#include <algorithm>

namespace sat {

asio::awaitable<std::optional<FairTurns::Turn>> FairTurns::take(std::string group, SteadyTime until) {
    if (stopped_) co_return std::nullopt;
    if (!std::exchange(taken_, true)) co_return std::optional<Turn>(std::in_place, *this);
    auto known = by_name_.find(group);
    if (known == by_name_.end()) {
        groups_.push_back({group, {}});
        known = by_name_.emplace(group, std::prev(groups_.end())).first;
    }
    Waiter me(executor_);
    known->second->waiters.push_back(&me);
    ++waiting_;
    const Alarm alarm(executor_, until, [&me] {
        if (me.state == State::waits) me.state = State::in_vain;
        me.changed.notify();
    });
    while (me.state == State::waits) co_await me.changed.wait();
    --waiting_;
    if (me.state == State::has_it) co_return std::optional<Turn>(std::in_place, *this);
    const auto mine = by_name_.find(group);
    if (mine != by_name_.end()) {
        mine->second->waiters.remove(&me);
        if (mine->second->waiters.empty()) {
            groups_.erase(mine->second);
            by_name_.erase(mine);
        }
    }
    co_return std::nullopt;
}

void FairTurns::stop() {
    stopped_ = true;
    for (const Group& group : groups_) {
        for (Waiter* waiter : group.waiters) {
            waiter->state = State::in_vain;
            waiter->changed.notify();
        }
    }
}

// To the group in front, which then goes to the end.
void FairTurns::give_on() {
    for (auto group = groups_.begin(); group != groups_.end(); ++group) {
        // Those whose time is over are about to leave by themselves.
        const auto next =
            std::ranges::find_if(group->waiters, [](const Waiter* w) { return w->state == State::waits; });
        if (next == group->waiters.end()) continue;
        Waiter* waiter = *next;
        group->waiters.erase(next);
        if (group->waiters.empty()) {
            by_name_.erase(group->name);
            groups_.erase(group);
        } else {
            groups_.splice(groups_.end(), groups_, group);
        }
        waiter->state = State::has_it;
        waiter->changed.notify();
        return;
    }
    taken_ = false;
}

}  // namespace sat
