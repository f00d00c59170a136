#include "storage/thread_engine.h"

#include "storage/io_call.h"

#include <fmt/format.h>

#include <signal.h>  // NOLINT(modernize-deprecated-headers): pthread_sigmask is POSIX

#include <system_error>

namespace aoe::storage {

namespace {

// Threads inherit the signal mask of their maker; all of ours leave signals to the main loop.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }

  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Result<std::unique_ptr<ThreadEngine>> ThreadEngine::open(std::uint32_t threads) {
  constexpr std::uint32_t kThreadsMax = 64;
  if (threads == 0 || threads > kThreadsMax) {
    return fail_with(
        Errc::invalid_argument, 0,
        fmt::format("storage: {} I/O threads: expected 1 to {}", threads, kThreadsMax));
  }
  AOE_TRY_ASSIGN(os::EventFd wake, os::EventFd::open());
  std::unique_ptr<ThreadEngine> engine(new ThreadEngine(std::move(wake)));
  const AllSignalsBlocked blocked;
  try {
    for (std::uint32_t i = 0; i < threads; ++i) {
      engine->threads_.emplace_back([raw = engine.get()] { raw->run(); });
    }
  } catch (const std::system_error& error) {
    return fail_with(
        Errc::no_space, error.code().value(),
        fmt::format("storage: cannot start {} I/O threads: {}", threads, error.code().message()));
  }
  return engine;
}

ThreadEngine::~ThreadEngine() {
  wait_until_idle();
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  has_jobs_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

std::string ThreadEngine::describe() const {
  return fmt::format("{} I/O threads", threads_.size());
}

void ThreadEngine::start(std::uint64_t user_data, const IoOp& op, int /*held_file*/) {
  started_.push_back({user_data, op});
}

void ThreadEngine::kick() {
  {
    const std::lock_guard lock(mutex_);
    jobs_.insert(jobs_.end(), started_.begin(), started_.end());
  }
  if (started_.size() == 1) {
    has_jobs_.notify_one();
  } else {
    has_jobs_.notify_all();
  }
  started_.clear();
}

void ThreadEngine::collect() {
  if (in_flight() == 0) {
    return;
  }
  {
    // Signalled and drained under the lock: the descriptor is readable exactly while the list is
    // not empty, so the main loop never wakes for nothing.
    const std::lock_guard lock(mutex_);
    if (!done_.empty()) {
      wake_.drain();
      arrived_.swap(done_);
    }
  }
  for (const Done& done : arrived_) {
    finish(done.user_data, done.result);
  }
  arrived_.clear();
}

void ThreadEngine::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    has_jobs_.wait(lock, [this] { return !jobs_.empty() || is_stopping_; });
    if (is_stopping_) {
      return;
    }
    const Job job = jobs_.front();
    jobs_.pop_front();
    lock.unlock();
    const std::int64_t result = call_kernel(job.op);
    lock.lock();
    done_.push_back({job.user_data, result});
    if (done_.size() == 1) {
      wake_.signal();
    }
  }
}

}  // namespace aoe::storage
