// Preloaded into a program under test (LD_PRELOAD): the first allocation by a call path that the test chose fails.  A
// path is the innermost frames, by their place in their libraries: the same in every run, whatever the threads do.
// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <unwind.h>

#include "support/fault_plan.h"

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

using sat::test::FaultKind;
using sat::test::FaultPlan;

constexpr int kFrames = 6;

FaultPlan* plan = nullptr;
thread_local bool inside __attribute__((tls_model("initial-exec"))) = false;

__attribute__((constructor)) void map_plan() { plan = sat::test::map_fault_plan(); }

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
    hash ^= value + 0x9e3779b97f4a7c15U + (hash << 6U) + (hash >> 2U);
    return hash * 0xff51afd7ed558ccdU;
}

struct Walk {
    std::uint64_t hash = 1;
    int frames = -2;  // the walker's own and the wrapper
};

_Unwind_Reason_Code visit(_Unwind_Context* context, void* data) {
    Walk& walk = *static_cast<Walk*>(data);
    if (walk.frames++ < 0) return _URC_NO_REASON;
    const auto at = static_cast<std::uintptr_t>(_Unwind_GetIP(context));
    dl_find_object object{};
    if (_dl_find_object(reinterpret_cast<void*>(at), &object) != 0) return _URC_END_OF_STACK;
    const auto start = reinterpret_cast<std::uintptr_t>(object.dlfo_map_start);
    const auto end = reinterpret_cast<std::uintptr_t>(object.dlfo_map_end);
    walk.hash = mix(mix(walk.hash, end - start), at - start);
    return walk.frames >= kFrames ? _URC_END_OF_STACK : _URC_NO_REASON;
}

void record(std::uint64_t stack) {
    auto& stacks = plan->stacks;
    for (std::size_t i = 0; i < stacks.size(); ++i) {
        auto& place = stacks[(stack + i) % stacks.size()];
        std::uint64_t there = 0;
        if (place.compare_exchange_strong(there, stack) || there == stack) return;
    }
}

// True where this allocation is the one to fail.
__attribute__((noinline)) bool fails() {
    if (plan == nullptr || plan->kind != FaultKind::memory || inside) return false;
    if (plan->recording == 0 && plan->stack == 0) return false;
    inside = true;
    Walk walk;
    _Unwind_Backtrace(visit, &walk);
    inside = false;
    ++plan->calls;
    if (plan->recording != 0) record(walk.hash);
    std::uint64_t chosen = walk.hash;
    if (!plan->stack.compare_exchange_strong(chosen, 0)) return false;
    ++plan->faults;
    errno = ENOMEM;
    return true;
}

}  // namespace

#define SAT_EXPORT extern "C" __attribute__((visibility("default")))

SAT_EXPORT void* malloc(std::size_t size) { return fails() ? nullptr : __libc_malloc(size); }
SAT_EXPORT void* calloc(std::size_t count, std::size_t size) { return fails() ? nullptr : __libc_calloc(count, size); }
SAT_EXPORT void* realloc(void* block, std::size_t size) { return fails() ? nullptr : __libc_realloc(block, size); }
SAT_EXPORT void* aligned_alloc(std::size_t alignment, std::size_t size) {
    return fails() ? nullptr : __libc_memalign(alignment, size);
}
SAT_EXPORT void* memalign(std::size_t alignment, std::size_t size) {
    return fails() ? nullptr : __libc_memalign(alignment, size);
}
SAT_EXPORT int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
    void* got = fails() ? nullptr : __libc_memalign(alignment, size);
    if (got == nullptr) return ENOMEM;
    *block = got;
    return 0;
}
