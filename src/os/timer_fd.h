// A deadline that a poll can wait for.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "os/fd.h"

namespace aoe::os {

// A timerfd on the clock of monotonic_now(). fd() is readable from the armed instant until drain().
class TimerFd {
 public:
  // Errors: io (no descriptor left).
  static Result<TimerFd> open();

  [[nodiscard]] int fd() const { return fd_.get(); }

  // Replaces what was armed before. An instant in the past makes it readable now.
  void arm(Instant when) const;
  void drain() const;

 private:
  explicit TimerFd(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
};

}  // namespace aoe::os
