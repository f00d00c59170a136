// The only place that reads a clock.
#pragma once

#include "base/time.h"

namespace aoe::os {

// CLOCK_MONOTONIC: never goes back, does not jump with the wall clock, stands still while the
// machine is suspended. Any thread.
[[nodiscard]] Instant monotonic_now();

}  // namespace aoe::os
