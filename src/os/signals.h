// Signals as readable events instead of interruptions.
#pragma once

#include "base/result.h"
#include "os/fd.h"

#include <sys/types.h>

#include <csignal>
#include <initializer_list>
#include <memory>
#include <optional>

namespace aoe::os {

struct SignalEvent {
  int number = 0;        // SIGTERM and so on
  pid_t sender_pid = 0;  // 0 when the kernel sent it
};

// Blocks a set of signals in the calling thread and reads them from a descriptor. Create it before
// any other thread starts: threads inherit the block, and one that does not block a signal would
// take it (for SIGTERM: end the process). SIGPIPE is better ignored.
class SignalSet {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SignalSet>> open(std::initializer_list<int> signals);

  SignalSet(const SignalSet&) = delete;
  SignalSet& operator=(const SignalSet&) = delete;
  // Restores the calling thread's mask. Signals that still wait are discarded: a second SIGTERM
  // during an orderly stop must not turn it into a death by signal.
  ~SignalSet();

  // Readable when next() has something.
  [[nodiscard]] int wait_fd() const { return fd_.get(); }

  // The next waiting signal. Of several equal ones the kernel keeps one.
  [[nodiscard]] std::optional<SignalEvent> next();

 private:
  SignalSet(Fd fd, const sigset_t& previous_mask)
      : fd_(std::move(fd)), previous_mask_(previous_mask) {}

  Fd fd_;
  sigset_t previous_mask_;
};

}  // namespace aoe::os
