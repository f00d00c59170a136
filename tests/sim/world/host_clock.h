// The clock of one host: it may run fast or slow, and time may pass while the host stands still.
#pragma once

#include "base/time.h"

#include <cstdint>

namespace aoe::sim {

// Monotonic, as CLOCK_MONOTONIC is: a change of the rate bends it, nothing makes it go back.
class HostClock {
 public:
  // `drift_ppm` more (or less) than the true seconds pass on it.
  explicit HostClock(Instant now, std::int32_t drift_ppm = 0)
      : true_base_(now), local_base_(now), drift_ppm_(drift_ppm) {}

  void set_drift(Instant now, std::int32_t drift_ppm) {
    local_base_ = local(now);
    true_base_ = now;
    drift_ppm_ = drift_ppm;
  }

  [[nodiscard]] Instant local(Instant now) const {
    const Duration passed = now - true_base_;
    return local_base_ + passed + passed_extra(passed);
  }

  // The first true instant at which local() shows at least `local`.
  [[nodiscard]] Instant true_time(Instant local_time) const {
    const Duration passed = local_time - local_base_;
    // One step of Newton's method, then the remainder of the rounding.
    Instant guess =
        true_base_ + passed -
        Duration{passed.ns / (kMillion + drift_ppm_) * drift_ppm_ +
                 passed.ns % (kMillion + drift_ppm_) * drift_ppm_ / (kMillion + drift_ppm_)};
    while (local(guess) < local_time) {
      guess = guess + Duration::nanoseconds(1);
    }
    return guess;
  }

 private:
  static constexpr std::int64_t kMillion = 1'000'000;

  [[nodiscard]] Duration passed_extra(Duration passed) const {
    return Duration{passed.ns / kMillion * drift_ppm_ +
                    passed.ns % kMillion * drift_ppm_ / kMillion};
  }

  Instant true_base_;
  Instant local_base_;
  std::int32_t drift_ppm_;
};

}  // namespace aoe::sim
