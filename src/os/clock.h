// The only place that reads a clock.
#pragma once

#include "base/time.h"

#include <cstdint>

namespace aoe::os {

// CLOCK_MONOTONIC: never goes back, does not jump with the wall clock, stands still while the
// machine is suspended. Any thread.
[[nodiscard]] Instant monotonic_now();

// Milliseconds since 1970 (CLOCK_REALTIME), for what people and other machines read. Any thread.
[[nodiscard]] std::int64_t wall_clock_ms();

}  // namespace aoe::os
