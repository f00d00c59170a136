#include "targetd/shard_thread.h"

#include "base/check.h"
#include "os/clock.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <system_error>
#include <utility>

namespace aoe::targetd {
namespace {

constexpr Duration kBetweenNews = Duration::milliseconds(1);

// Signals are the daemon's: a thread inherits what is blocked while it is made.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }

  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

void bind_to_cpu(std::thread& thread, int cpu) {
  if (cpu >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    // Refused where the processor has gone meanwhile: then the kernel places the thread.
    (void)pthread_setaffinity_np(thread.native_handle(), sizeof set, &set);
  }
}

}  // namespace

Result<std::unique_ptr<ShardThread>> ShardThread::start(Shard& shard, runtime::EventLoop& loop,
                                                        const os::EventFd& news, int cpu) {
  AOE_TRY_ASSIGN(os::EventFd wake, os::EventFd::open());
  std::unique_ptr<ShardThread> made(new ShardThread(shard, loop, news, std::move(wake)));
  ShardThread* self = made.get();
  AOE_TRY(loop.add_fd(self->wake_.fd(), EPOLLIN, [self](std::uint32_t) { self->wake_.drain(); }));
  // A spinning loop looks up when the shard is wanted.
  loop.add_poller([self] { return self->is_wanted_.load(std::memory_order_relaxed); });
  loop.set_sleep_hooks([self] { self->mutex_.unlock(); }, [self] { self->mutex_.lock(); });
  self->want();
  self->take();
  try {
    const BlockedSignals blocked;
    self->thread_ = std::thread([self] { self->run(); });
  } catch (const std::system_error& error) {
    self->mutex_.unlock();
    return fail(os::os_error(error.code().value(), "shard: start a thread"));
  }
  bind_to_cpu(self->thread_, cpu);
  return made;
}

ShardThread::ShardThread(Shard& shard, runtime::EventLoop& loop, const os::EventFd& news,
                         os::EventFd wake)
    : shard_(shard), loop_(loop), news_(news), wake_(std::move(wake)) {}

ShardThread::~ShardThread() {
  if (thread_.joinable()) {
    is_ending_.store(true);
    if (is_taken_) {
      give_back();
    } else {
      wake_.signal();
    }
    thread_.join();
  }
  loop_.remove_fd(wake_.fd());
}

void ShardThread::want() {
  is_wanted_.store(true);
}

void ShardThread::take() {
  AOE_CHECK(!is_taken_ && is_wanted_.load(), "a shard is wanted, then taken, then given back");
  mutex_.lock();
  is_taken_ = true;
  has_told_ = false;
}

void ShardThread::give_back() {
  AOE_CHECK(is_taken_, "a shard that is given back was taken");
  is_taken_ = false;
  is_wanted_.store(false);
  mutex_.unlock();
  is_wanted_.notify_one();
  wake_.signal();
}

void ShardThread::run() {
  mutex_.lock();
  while (!is_ending_.load()) {
    std::optional<Instant> next = shard_.turn();
    if (is_wanted_.load(std::memory_order_relaxed)) {
      mutex_.unlock();
      // A mutex alone would let this thread have it again at once.
      is_wanted_.wait(true);
      mutex_.lock();
      continue;
    }
    tell_news(next);
    loop_.run_once(next);
  }
  mutex_.unlock();
}

// `next` comes to be no later than when news may be told.
void ShardThread::tell_news(std::optional<Instant>& next) {
  if (has_told_ || !shard_.has_news()) {
    return;
  }
  const Instant now = os::monotonic_now();
  if (now < next_telling_) {
    next = next ? std::min(*next, next_telling_) : next_telling_;
    return;
  }
  next_telling_ = now + kBetweenNews;
  has_told_ = true;
  news_.signal();
}

}  // namespace aoe::targetd
