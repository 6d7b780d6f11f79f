// Backoff.
// SPDX-License-Identifier: Apache-2.0
#include "common/retry.h"

#include <algorithm>

#include "crypto/random.h"

namespace sat {

bool may_pass_by_itself(Errc code) noexcept {
    switch (code) {
        case Errc::interrupted:
        case Errc::timeout:
        case Errc::going_away:
        case Errc::unreachable:
        case Errc::overloaded:
        case Errc::rate_limited:
        case Errc::internal:
            return true;
        default:
            return false;
    }
}

std::chrono::milliseconds Backoff::next() {
    const auto mean = static_cast<std::uint64_t>(mean_.count());
    mean_ = std::min(mean_ * 2, kLast);
    return std::chrono::milliseconds(mean / 2 + random_below(mean));
}

}  // namespace sat
