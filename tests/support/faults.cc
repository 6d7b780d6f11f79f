// SPDX-License-Identifier: Apache-2.0
#include "support/faults.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "base/assert.h"

namespace sat::test {

Faults::Faults(const Path& file) : file_(file) {
    const FileDescriptor fd(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    SAT_ASSERT(fd.get() >= 0 && ftruncate(fd.get(), sizeof(FaultPlan)) == 0);
    void* page = mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    SAT_ASSERT(page != MAP_FAILED);
    plan_ = static_cast<FaultPlan*>(page);
}

Faults::~Faults() { munmap(plan_, sizeof(FaultPlan)); }

std::map<std::string, std::string> Faults::env() const {
    std::map<std::string, std::string> out{{"LD_PRELOAD", SAT_FAULT_LIBRARY}, {kFaultPlanVariable, file_.string()}};
    // A sanitizer's runtime wants to be first and would refuse to start behind us.
    const char* asan = std::getenv("ASAN_OPTIONS");
    out["ASAN_OPTIONS"] = std::string(asan == nullptr ? "" : std::string(asan) + ":") + "verify_asan_link_order=0";
    return out;
}

void Faults::arm(std::uint64_t kill, std::uint64_t full) {
    plan_->armed = 0;
    plan_->calls = 0;
    plan_->kill_at = kill;
    plan_->full_at = full;
    plan_->armed = 1;
}

void Faults::count() { arm(0, 0); }
void Faults::kill_at(std::uint64_t call) { arm(call, 0); }
void Faults::full_at(std::uint64_t call) { arm(0, call); }
void Faults::disarm() { plan_->armed = 0; }

}  // namespace sat::test
