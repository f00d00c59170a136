// The longest round trips of a device: what a disk's bad moments take.
#pragma once

#include "base/time.h"

#include <cstdint>

namespace aoe::initiator {

// Disk latency has a heavy tail that mean and deviation do not describe: a timer made of those
// takes one answer in a hundred for lost when a disk retries a sector. So the timer also stays
// above the longest round trip in memory, by a margin that is wide while few were seen: of n
// samples of a Pareto distribution with exponent 1, one in ten thousand exceeds the longest times
// 10000/n.
//
// The memory fades with the number of samples, not with time: half of it in some 3000.
class TailEstimator {
 public:
  void sample(Duration round_trip);

  [[nodiscard]] std::uint32_t samples() const { return samples_; }

  [[nodiscard]] Duration longest() const { return longest_; }

  // Longest times margin. `loss_share` of the frames are lost anyhow (0..1): where losses are
  // common a false alarm now and then costs less than the waiting, so one in ten losses may be
  // false.
  [[nodiscard]] Duration bound(double loss_share) const;

 private:
  std::uint32_t samples_ = 0;  // counts to 10000
  Duration longest_;
};

}  // namespace aoe::initiator
