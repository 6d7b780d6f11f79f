// Token buckets by key: who may do how much how often.  docs/protocol.md, "Limits".
// A bucket fills at `per_second` up to `burst`; what is taken from an empty one is owed, and whoever owes waits.  A
// bucket that has filled up again is as good as none, so none is kept; of those that are kept there are never more than
// `most`, and the one that was asked for longest ago makes room.  Whoever has so many keys that this forgets a debt has
// as many fresh buckets anyway.  One thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <unordered_map>

#include "net/deadlines.h"

namespace sat {

struct Rate {
    double per_second = 0;  // 0: no limit
    double burst = 1;       // at least 1
};

template <typename Key>
class TokenBuckets {
public:
    using Wait = std::chrono::steady_clock::duration;

    TokenBuckets(Rate rate, std::size_t most) : rate_(rate), most_(most) {}

    // Takes a token of `key`'s bucket: how long to wait before it is used, often not at all.  Nothing, and none is
    // taken, where that would be longer than `longest`.
    std::optional<Wait> take(const Key& key, SteadyTime now, Wait longest) {
        if (rate_.per_second <= 0) return Wait::zero();
        Bucket& bucket = filled(key, now);
        const double owed = 1 - bucket.tokens;
        const auto wait =
            std::chrono::duration_cast<Wait>(std::chrono::duration<double>(std::max(0.0, owed) / rate_.per_second));
        if (wait > longest) return std::nullopt;
        bucket.tokens -= 1;
        return wait;
    }

    // What was used without asking: whoever comes next waits until it is paid.
    void charge(const Key& key, SteadyTime now, double tokens) {
        if (rate_.per_second > 0) filled(key, now).tokens -= tokens;
    }

    std::size_t size() const noexcept { return buckets_.size(); }

private:
    struct Bucket {
        Key key;
        double tokens = 0;
        SteadyTime at;
    };
    using Place = typename std::list<Bucket>::iterator;

    static double seconds(Wait wait) { return std::chrono::duration<double>(wait).count(); }

    Bucket& filled(const Key& key, SteadyTime now) {
        Bucket& bucket = find(key, now);
        bucket.tokens = std::min(rate_.burst, bucket.tokens + seconds(now - bucket.at) * rate_.per_second);
        bucket.at = now;
        return bucket;
    }

    // Moves it to the end of the list, which begins with the one that was asked for longest ago.
    Bucket& find(const Key& key, SteadyTime now) {
        const auto found = places_.find(key);
        if (found != places_.end()) {
            buckets_.splice(buckets_.end(), buckets_, found->second);
            return *found->second;
        }
        forget(now);
        buckets_.push_back({key, rate_.burst, now});
        places_.emplace(key, std::prev(buckets_.end()));
        return buckets_.back();
    }

    // A few that are full again, so that the table shrinks with its traffic; one in any case where there is no room.
    void forget(SteadyTime now) {
        constexpr int kAtOnce = 2;
        for (int i = 0; i < kAtOnce && !buckets_.empty(); ++i) {
            const Bucket& oldest = buckets_.front();
            const bool full = oldest.tokens + seconds(now - oldest.at) * rate_.per_second >= rate_.burst;
            if (!full && buckets_.size() < most_) return;
            places_.erase(oldest.key);
            buckets_.pop_front();
        }
    }

    Rate rate_;
    std::size_t most_;
    std::list<Bucket> buckets_;
    std::unordered_map<Key, Place> places_;
};

}  // namespace sat
