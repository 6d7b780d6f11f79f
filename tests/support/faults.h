// The test's side of fault.cc.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "base/file.h"
#include "support/fault_plan.h"

namespace sat::test {

class Faults {
public:
    // The shared page is `file`, made here.
    explicit Faults(const Path& file);
    ~Faults();
    Faults(const Faults&) = delete;
    Faults& operator=(const Faults&) = delete;

    // For the program to be made faulty.
    std::map<std::string, std::string> env() const;

    void count();  // and do no harm
    void kill_at(std::uint64_t call);
    void full_at(std::uint64_t call);
    void disarm();
    // Calls since the last of the three.
    std::uint64_t calls() const { return plan_->calls; }

private:
    void arm(std::uint64_t kill, std::uint64_t full);

    Path file_;
    FaultPlan* plan_ = nullptr;
};

}  // namespace sat::test
