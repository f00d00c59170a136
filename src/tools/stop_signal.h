// Ctrl-C as something that long work looks at, so that it can end with a clear message.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "os/signals.h"

#include <memory>

namespace aoe::tools {

// While it lives, SIGINT, SIGTERM and SIGHUP do not end the program but make requested() true.
// Single-threaded programs only.
class StopSignal {
 public:
  [[nodiscard]] static Result<StopSignal> install();

  [[nodiscard]] bool requested() { return wait(Duration{}); }

  // Waits that long, or until the signal comes: true in that case.
  [[nodiscard]] bool wait(Duration duration);

  // Forgets a signal that was the expected end of one part of the work, so that the next is told of
  // a second one.
  void clear();

 private:
  explicit StopSignal(std::unique_ptr<os::SignalSet> signals) : signals_(std::move(signals)) {}

  std::unique_ptr<os::SignalSet> signals_;
  bool requested_ = false;
};

}  // namespace aoe::tools
