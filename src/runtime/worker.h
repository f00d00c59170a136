// A background thread for what may block: opening a store, resolving a name, writing a state file.
#pragma once

#include "base/result.h"
#include "os/event_fd.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace aoe::runtime {

// Runs jobs one after the other, in the order they were posted, on one thread of its own, and hands
// their completions back to the thread that owns the worker. Jobs and completions must not throw.
//
//   worker->post([state] { state->result = slow(); }, [state] { use(state->result); });
//   loop->add_fd(worker->wait_fd(), EPOLLIN, [&](std::uint32_t) { worker->drain(); });
//
// A job's writes are visible to its completion. post(), drain() and the destructor belong to the
// owner's thread (the loop); a job may not touch the worker. All signals are blocked in the thread.
// The queue has no bound of its own: post what is bounded elsewhere.
class Worker {
 public:
  using Job = std::function<void()>;

  [[nodiscard]] static Result<std::unique_ptr<Worker>> start();

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  // Finishes as finish() does. Completions that were not drained are dropped without being called.
  ~Worker();

  // Queues `job`; once it has run, drain() calls `completion` (which may be empty). Not after
  // finish().
  void post(Job job, Job completion);

  // Readable when drain() has something.
  [[nodiscard]] int wait_fd() const { return wake_owner_.fd(); }

  // Calls the completions of the jobs that have run, in order; they may post
  // again, but not drain. Returns how many.
  std::size_t drain();

  // Jobs posted whose completions have not been called.
  [[nodiscard]] std::size_t outstanding() const { return outstanding_; }

  // Waits until every queued job has run and ends the thread; their completions wait for a last
  // drain(). For an orderly stop. Idempotent.
  void finish();

 private:
  struct Task {
    Job job;
    Job completion;
  };

  explicit Worker(os::EventFd wake_owner);
  void run();

  os::EventFd wake_owner_;
  std::size_t outstanding_ = 0;  // owner's thread only
  std::vector<Job> draining_;    // owner's thread only

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_worker_;
  std::deque<Task> queue_;
  std::vector<Job> done_;
  bool finishing_ = false;

  std::thread thread_;
};

}  // namespace aoe::runtime
