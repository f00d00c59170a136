// A thread that turns a shard, and lets go of it between two turns when the daemon wants it.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "os/event_fd.h"
#include "runtime/event_loop.h"
#include "targetd/shard.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

namespace aoe::targetd {

// The shard belongs to one of the two threads at any moment: to this one while it turns, to the
// daemon's between take() and give_back(). While this thread sleeps it belongs to nobody, and
// take() need not wait.
//
// take(), give_back() and the destructor are the daemon's.
class ShardThread {
 public:
  // As after a take(): the thread turns only once it is given back. `shard` is on `loop`, whose
  // sleep hooks this sets; both outlive the thread. `news` is signalled when the shard has some: at
  // most once in a millisecond, and not again before the next take(). The thread runs on `cpu`
  // alone, unless that is negative or the kernel refuses.
  [[nodiscard]] static Result<std::unique_ptr<ShardThread>> start(Shard& shard,
                                                                  runtime::EventLoop& loop,
                                                                  const os::EventFd& news, int cpu);

  ShardThread(const ShardThread&) = delete;
  ShardThread& operator=(const ShardThread&) = delete;
  // Ends it between two turns; it may be taken or not.
  ~ShardThread();

  // Says that the shard is wanted, so that several can be taken in the time of one.
  void want();
  // Waits until the shard is between two turns: a burst of frames at most.
  void take();
  // The thread takes its next turn at once: what was done meanwhile may be due.
  void give_back();

 private:
  ShardThread(Shard& shard, runtime::EventLoop& loop, const os::EventFd& news, os::EventFd wake);
  void run();
  void tell_news(std::optional<Instant>& next);

  Shard& shard_;
  runtime::EventLoop& loop_;
  const os::EventFd& news_;
  os::EventFd wake_;

  // Of the daemon's thread.
  bool is_taken_ = false;

  // Of who owns the shard.
  bool has_told_ = false;  // of news, since the last take()
  Instant next_telling_;

  // Looked at in every turn and written when the daemon wants something: in a cache line of its
  // own.
  alignas(64) std::atomic<bool> is_wanted_{false};
  std::atomic<bool> is_ending_{false};
  alignas(64) std::mutex mutex_;  // whose holder owns the shard
  std::thread thread_;
};

}  // namespace aoe::targetd
