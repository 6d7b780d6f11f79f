// Threads for what blocks, of which the one that was idle last is taken first: its stack and its allocator's cache are
// warm, where a pool of many that takes turns finds them cold each time, and threads that nobody needs stay untouched.
// docs/architecture.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace sat {

class WorkerPool {
public:
    // All threads are there from the beginning; std::system_error where they cannot be had.
    explicit WorkerPool(std::size_t threads);
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // Any thread.  Jobs are begun in their order; `work` throws nothing.
    template <typename F>
    void post(F work) {
        post_job(std::make_unique<JobOf<F>>(std::move(work)));
    }
    // Returns when all that was posted is done, and what that posted, and the threads have ended.  Nothing is posted
    // from elsewhere any more.
    void join();
    // How many have nothing to do.
    std::size_t idle() const;

private:
    struct Job {
        Job() = default;
        Job(const Job&) = delete;
        Job& operator=(const Job&) = delete;
        virtual ~Job() = default;
        virtual void run() = 0;
    };
    template <typename F>
    struct JobOf final : Job {
        explicit JobOf(F f) : work(std::move(f)) {}
        void run() override { work(); }
        F work;
    };
    struct Worker {
        std::condition_variable woken;
        std::unique_ptr<Job> job;  // handed to it while it was idle
        std::thread thread;
    };

    void post_job(std::unique_ptr<Job> job);
    void work(Worker& me);

    mutable std::mutex mutex_;
    std::deque<std::unique_ptr<Job>> waiting_;  // none while anybody is idle
    std::vector<Worker*> idle_;                 // the last one since the shortest time
    bool ended_ = false;
    std::deque<Worker> workers_;
};

template <typename F>
void post_to(WorkerPool& pool, F work) {
    pool.post(std::move(work));
}

}  // namespace sat
