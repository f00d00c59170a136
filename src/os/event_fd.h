// A wake-up from one thread to another that a poll can wait for.
#pragma once

#include "base/result.h"
#include "os/fd.h"

namespace aoe::os {

// An eventfd. signal() from any thread makes fd() readable until drain().
class EventFd {
 public:
  static Result<EventFd> open();

  [[nodiscard]] int fd() const { return fd_.get(); }

  void signal() const;
  void drain() const;

 private:
  explicit EventFd(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
};

}  // namespace aoe::os
