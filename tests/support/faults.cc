// SPDX-License-Identifier: Apache-2.0
#include "support/faults.h"

#include <algorithm>

#include "base/assert.h"

namespace sat::test {

namespace {

void put_name(std::string_view name, std::array<char, 64>& place) {
    SAT_ASSERT(name.size() < place.size());
    place.fill(0);
    std::copy(name.begin(), name.end(), place.begin());
}

}  // namespace

Faults::Faults(const Path& file) : file_(file) {
    const FileDescriptor fd(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    SAT_ASSERT(fd.get() >= 0 && ftruncate(fd.get(), sizeof(FaultPlan)) == 0);
    void* page = mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    SAT_ASSERT(page != MAP_FAILED);
    plan_ = static_cast<FaultPlan*>(page);
}

Faults::~Faults() { munmap(plan_, sizeof(FaultPlan)); }

std::map<std::string, std::string> Faults::env(const std::string& program) const {
    std::map<std::string, std::string> out{{"LD_PRELOAD", SAT_FAULT_LIBRARY},
                                           {kFaultPlanVariable, file_.string()},
                                           {kFaultProgramVariable, program},
                                           {kFaultRootVariable, file_.parent_path().string() + "/"}};
    // A sanitizer's runtime wants to be first and would refuse to start behind us.
    const char* asan = std::getenv("ASAN_OPTIONS");
    out["ASAN_OPTIONS"] = std::string(asan == nullptr ? "" : std::string(asan) + ":") + "verify_asan_link_order=0";
    return out;
}

std::map<std::string, std::string> Faults::memory_env(const std::string& program) const {
    auto out = env(program);
    out["LD_PRELOAD"] = SAT_FAULT_MEMORY_LIBRARY;
    return out;
}

std::map<std::string, std::string> Faults::journal_env(const Path& journal) const {
    auto out = env();
    out[kFaultJournalVariable] = journal.string();
    return out;
}

void Faults::arm(FaultKind kind) {
    plan_->kind = FaultKind::none;
    plan_->error = 0;
    plan_->partial = 0;
    plan_->recording = 0;
    plan_->calls = 0;
    plan_->faults = 0;
    plan_->kill_at = 0;
    plan_->fail_at = 0;
    plan_->full_at = 0;
    plan_->stack = 0;
    plan_->kind = kind;
}

void Faults::count(FaultKind kind) { arm(kind); }

void Faults::kill_at(std::uint64_t call) {
    arm(FaultKind::none);
    plan_->kill_at = call;
    plan_->kind = FaultKind::change;
}

void Faults::full_at(std::uint64_t call, bool partial) {
    arm(FaultKind::none);
    plan_->full_at = call;
    plan_->partial = partial ? 1 : 0;
    plan_->kind = FaultKind::change;
}

void Faults::fail_at(FaultKind kind, std::uint64_t call, int error) {
    arm(FaultKind::none);
    plan_->fail_at = call;
    plan_->error = static_cast<std::uint32_t>(error);
    plan_->kind = kind;
}

void Faults::record_stacks() {
    arm(FaultKind::none);
    for (auto& stack : plan_->stacks) stack = 0;
    plan_->recording = 1;
    plan_->kind = FaultKind::memory;
}

void Faults::fail_stack(std::uint64_t stack) {
    arm(FaultKind::none);
    plan_->stack = stack;
    plan_->kind = FaultKind::memory;
}

// What happened stays to be read.
void Faults::disarm() { plan_->kind = FaultKind::none; }

void Faults::close_gate(std::string_view name) {
    SAT_ASSERT(plan_->gate == 0);
    put_name(name, plan_->gate_name);
    plan_->at_gate = 0;
    plan_->gate = 1;
}

void Faults::open_gate() { plan_->gate = 0; }

void Faults::make_unreadable(std::string_view name, int error) {
    put_name(name, plan_->unreadable_name);
    plan_->unreadable = static_cast<std::uint32_t>(error);
}

std::vector<std::uint64_t> Faults::stacks() const {
    std::vector<std::uint64_t> out;
    for (const auto& stack : plan_->stacks)
        if (stack != 0) out.push_back(stack);
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace sat::test
