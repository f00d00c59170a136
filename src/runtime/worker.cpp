#include "runtime/worker.h"

#include "base/check.h"
#include "os/error_text.h"

#include <csignal>
#include <system_error>
#include <utility>

namespace aoe::runtime {

Result<std::unique_ptr<Worker>> Worker::start() {
  AOE_TRY_ASSIGN(os::EventFd wake_owner, os::EventFd::open());
  std::unique_ptr<Worker> worker(new Worker(std::move(wake_owner)));
  // The new thread inherits the mask: signals stay the business of the owner's descriptor.
  sigset_t all;
  sigset_t previous;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &previous);
  int error = 0;
  try {
    worker->thread_ = std::thread([raw = worker.get()] { raw->run(); });
  } catch (const std::system_error& failure) {
    error = failure.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  if (error != 0) {
    return fail(os::os_error(error, "worker: start thread"));
  }
  return worker;
}

Worker::Worker(os::EventFd wake_owner) : wake_owner_(std::move(wake_owner)) {}

Worker::~Worker() {
  finish();
}

void Worker::post(Job job, Job completion) {
  ++outstanding_;
  {
    const std::scoped_lock lock(mutex_);
    AOE_CHECK(!finishing_, "no job is posted after the end");
    queue_.push_back({std::move(job), std::move(completion)});
  }
  wake_worker_.notify_one();
}

std::size_t Worker::drain() {
  // Before taking the list: a completion added in between signals again.
  wake_owner_.drain();
  {
    const std::scoped_lock lock(mutex_);
    draining_.swap(done_);
  }
  const std::size_t count = draining_.size();
  for (Job& completion : draining_) {
    --outstanding_;
    if (completion) {
      completion();
    }
  }
  draining_.clear();
  return count;
}

void Worker::finish() {
  {
    const std::scoped_lock lock(mutex_);
    finishing_ = true;
  }
  wake_worker_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Worker::run() {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      wake_worker_.wait(lock, [this] { return finishing_ || !queue_.empty(); });
      if (queue_.empty()) {
        return;
      }
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task.job();
    // What the job holds is let go here, not together with the completion.
    task.job = nullptr;
    {
      const std::scoped_lock lock(mutex_);
      done_.push_back(std::move(task.completion));
    }
    wake_owner_.signal();
  }
}

}  // namespace aoe::runtime
