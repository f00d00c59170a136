#include "initiator/device_flow.h"

#include <algorithm>

namespace aoe::initiator {

Duration DeviceFlow::patience(const RttEstimator& path) const {
  // What was seen counts for more the more was seen.
  const std::uint32_t halvings = std::min(tail.samples() / 8, 16U);
  const Duration floor =
      std::max(limits.min, Duration::nanoseconds(limits.data_initial.ns >> halvings));
  const Duration measured = std::max(timer(path).unlimited_rto(), tail_bound);
  return std::clamp(measured, floor, std::max(floor, limits.max));
}

}  // namespace aoe::initiator
