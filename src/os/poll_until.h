// Waiting for what the kernel does by and by and tells nobody: nodes in /dev, the end of a device.
#pragma once

#include "base/time.h"

#include <utility>

namespace aoe::os {

// Blocks the thread. For processes that have nothing else to do.
void pause_for(Duration time);

// Asks every `pause` until the answer is true or `patience` is over; returns the last answer.
template <class Condition>
bool poll_until(Duration patience, Duration pause, Condition&& condition) {
  for (std::int64_t left_ns = patience.ns; left_ns > 0; left_ns -= pause.ns) {
    if (condition()) {
      return true;
    }
    pause_for(pause);
  }
  return condition();
}

}  // namespace aoe::os
