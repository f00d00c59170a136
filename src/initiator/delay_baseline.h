// What the round trips of one kind of frame are like.
#pragma once

#include "base/time.h"
#include "initiator/delay_median.h"
#include "initiator/least_delay.h"

#include <algorithm>
#include <cstdint>

namespace aoe::initiator {

// Kept for reads and for changes of a device apart: a flash disk may take ten times as long for one
// as for the other, and what is usual for the one would look like a queue for the other.
class DelayBaseline {
 public:
  void sample(Instant now, Duration round_trip) {
    median_.sample(round_trip);
    quickest_.sample(now, round_trip);
    samples_ = std::min(samples_ + 1, kMeanOf);
    mean_ = mean_ + (round_trip - mean_) / samples_;
    if (samples_ >= kEnough) {
      least_mean_.sample(now, mean_);
    }
  }

  // Of late. Zero before the first sample.
  [[nodiscard]] Duration typical() const { return median_.value(); }

  // The least of the last minutes. Zero before the first sample.
  [[nodiscard]] Duration quickest() const { return quickest_.value(); }

  // The least that the mean of some fifty has been: what they take without a queue, if it ever was
  // short. Zero until there were enough.
  [[nodiscard]] Duration least_mean() const { return least_mean_.value(); }

 private:
  static constexpr std::int64_t kMeanOf = 64;
  static constexpr std::int64_t kEnough = 16;

  std::int64_t samples_ = 0;  // counts to kMeanOf
  Duration mean_;
  DelayMedian median_;
  LeastDelay quickest_;
  LeastDelay least_mean_;
};

}  // namespace aoe::initiator
