// Waiting commands outlive their connection: which failures pass by themselves, and how long to pause.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "base/result.h"

namespace sat {

// Whether a new connection may mend it.
bool may_pass_by_itself(Errc code) noexcept;

// Random pauses around a mean that doubles from half a second to half a minute.
class Backoff {
public:
    std::chrono::milliseconds next();
    void reset() noexcept { mean_ = kFirst; }

private:
    static constexpr std::chrono::milliseconds kFirst{500};
    static constexpr std::chrono::milliseconds kLast{30'000};
    std::chrono::milliseconds mean_ = kFirst;
};

}  // namespace sat
