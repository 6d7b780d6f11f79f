// So many at a time for each key; whoever comes next waits as a coroutine, first come, first served, and holds no
// thread meanwhile.  One thread, the network's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <list>
#include <unordered_map>
#include <utility>

#include "net/co.h"

namespace sat {

// Outlives its places and those who wait for one.
template <typename Key>
class Places {
public:
    // Given back when it is destroyed.
    class Place {
    public:
        Place(Places& places, Key key) : places_(&places), key_(std::move(key)) {}
        Place(Place&& other) noexcept : places_(std::exchange(other.places_, nullptr)), key_(std::move(other.key_)) {}
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        Place& operator=(Place&&) = delete;
        ~Place() {
            if (places_ != nullptr) places_->give_back(key_);
        }

    private:
        Places* places_;  // null once moved from
        Key key_;
    };

    Places(asio::any_io_executor executor, std::size_t each) : executor_(std::move(executor)), each_(each) {}
    Places(const Places&) = delete;
    Places& operator=(const Places&) = delete;

    // Waits as long as those before it need theirs, which have limits of their own.
    asio::awaitable<Place> take(Key key) {
        if (Of& of = by_key_[key]; of.taken < each_) {
            ++of.taken;
        } else {
            Waiter me(executor_);
            of.waiters.push_back(&me);
            while (!me.has_it) co_await me.changed.wait();
        }
        // NOLINTNEXTLINE(clang-analyzer-cplusplus.Move): clang 14 sees a coroutine's parameter moved into its frame
        co_return Place(*this, std::move(key));
    }

    std::size_t keys() const noexcept { return by_key_.size(); }

private:
    struct Waiter {
        explicit Waiter(const asio::any_io_executor& executor) : changed(executor) {}
        bool has_it = false;
        Signal changed;
    };
    struct Of {
        std::size_t taken = 0;
        std::list<Waiter*> waiters;  // oldest first
    };

    void give_back(const Key& key) {
        const auto found = by_key_.find(key);
        Of& of = found->second;
        if (of.waiters.empty()) {
            if (--of.taken == 0) by_key_.erase(found);
            return;
        }
        Waiter* next = of.waiters.front();
        of.waiters.pop_front();
        next->has_it = true;
        next->changed.notify();
    }

    asio::any_io_executor executor_;
    std::size_t each_;
    std::unordered_map<Key, Of> by_key_;
};

}  // namespace sat
