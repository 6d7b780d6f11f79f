// SPDX-License-Identifier: Apache-2.0
#include "net/worker_pool.h"

#include "base/assert.h"

namespace sat {

WorkerPool::WorkerPool(std::size_t threads) : workers_(threads) {
    idle_.reserve(threads);
    try {
        for (Worker& worker : workers_) worker.thread = std::thread([this, &worker] { work(worker); });
    } catch (...) {
        join();  // those that there are
        throw;
    }
}

WorkerPool::~WorkerPool() {
    join();
    SAT_ASSERT(waiting_.empty());  // posted when nobody was there any more: it would be waited for without end
}

void WorkerPool::join() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
        for (Worker* worker : idle_) worker->woken.notify_one();
        idle_.clear();  // what the others still post they do themselves
    }
    for (Worker& worker : workers_)
        if (worker.thread.joinable()) worker.thread.join();
}

std::size_t WorkerPool::idle() const {
    const std::lock_guard lock(mutex_);
    return idle_.size();
}

void WorkerPool::post_job(std::unique_ptr<Job> job) {
    Worker* chosen = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) {
            waiting_.push_back(std::move(job));
            return;
        }
        chosen = idle_.back();
        idle_.pop_back();
        chosen->job = std::move(job);
    }
    // Without the mutex, which it needs first of all.
    chosen->woken.notify_one();
}

void WorkerPool::work(Worker& me) {
    std::unique_lock lock(mutex_);
    for (;;) {
        std::unique_ptr<Job> job;
        if (!waiting_.empty()) {
            job = std::move(waiting_.front());
            waiting_.pop_front();
        } else if (ended_) {
            return;
        } else {
            idle_.push_back(&me);
            me.woken.wait(lock, [&] { return me.job || ended_; });
            if (!me.job) return;
            job = std::move(me.job);
        }
        lock.unlock();
        job->run();
        job.reset();
        lock.lock();
    }
}

}  // namespace sat
