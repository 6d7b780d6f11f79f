// The test's side of fault.cc and fault_memory.cc.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "support/fault_plan.h"

namespace sat::test {

class Faults {
public:
    // The shared pages are `file`, made here.  Counted are files below its directory.
    explicit Faults(const Path& file);
    ~Faults();
    Faults(const Faults&) = delete;
    Faults& operator=(const Faults&) = delete;

    // For the program to be made faulty; `program`: it alone, not what it starts.
    std::map<std::string, std::string> env(const std::string& program = {}) const;
    // The same, its allocations too.  Not beside a sanitizer, which has an allocator of its own.
    std::map<std::string, std::string> memory_env(const std::string& program) const;
    // The same as the first, and everything that reaches the disk is written to `journal`.
    std::map<std::string, std::string> journal_env(const Path& journal) const;

    // Each of these begins to count anew.
    void count(FaultKind kind = FaultKind::change);  // and do no harm
    void kill_at(std::uint64_t call);
    // `partial`: what is written at that call is written by half.
    void full_at(std::uint64_t call, bool partial = false);
    void fail_at(FaultKind kind, std::uint64_t call, int error);
    void record_stacks();
    void fail_stack(std::uint64_t stack);
    void disarm();
    // Syncs of files whose path has `name` in it wait until open_gate(); whatever else is armed stays so.
    void close_gate(std::string_view name);
    void open_gate();
    // Reads of files and directories whose path has `name` in it fail, for good; whatever else is armed stays so.
    void make_unreadable(std::string_view name, int error = EIO);
    // How many came to it since it was closed.
    std::uint64_t at_gate() const { return plan_->at_gate; }

    // Since the last of them.
    std::uint64_t calls() const { return plan_->calls; }
    std::uint64_t injected() const { return plan_->faults; }
    // Since record_stacks(), in a fixed order.
    std::vector<std::uint64_t> stacks() const;
    // In the journal so far.
    std::uint64_t records() const { return plan_->records; }

private:
    void arm(FaultKind kind);

    Path file_;
    FaultPlan* plan_ = nullptr;
};

}  // namespace sat::test
