#include "storage/latency_histogram.h"

#include "base/check.h"

#include <algorithm>
#include <bit>

namespace aoe::storage {

void LatencyHistogram::record(Duration latency) {
  latency.ns = std::max<std::int64_t>(latency.ns, 0);
  ++buckets_[bucket_of(static_cast<std::uint64_t>(latency.ns))];
  ++count_;
  total_ = total_ + latency;
  longest_ = std::max(longest_, latency);
}

Duration LatencyHistogram::quantile(std::uint32_t permille) const {
  AOE_CHECK(permille <= 1000, "a part of the whole");
  // The rank of the value looked for, from 1, rounded up.
  const std::uint64_t rank = std::max<std::uint64_t>(
      1, count_ / 1000 * permille + (count_ % 1000 * permille + 999) / 1000);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size() && count_ > 0; ++i) {
    seen += buckets_[i];
    if (seen >= rank) {
      return std::min(Duration{static_cast<std::int64_t>(last_of(i))}, longest_);
    }
  }
  return {};
}

// Values below 8 have a bucket each; above, the three bits behind the leading one choose the step.
std::size_t LatencyHistogram::bucket_of(std::uint64_t ns) {
  constexpr std::uint64_t kSteps = 1U << kStepBits;
  if (ns < kSteps) {
    return ns;
  }
  const auto shift = static_cast<unsigned>(std::bit_width(ns)) - 1 - kStepBits;
  return (std::size_t{shift + 1} << kStepBits) + ((ns >> shift) & (kSteps - 1));
}

std::uint64_t LatencyHistogram::last_of(std::size_t bucket) {
  constexpr std::uint64_t kSteps = 1U << kStepBits;
  if (bucket < kSteps) {
    return bucket;
  }
  const std::size_t shift = (bucket >> kStepBits) - 1;
  const std::uint64_t first = (kSteps + (bucket & (kSteps - 1))) << shift;
  return first + (std::uint64_t{1} << shift) - 1;
}

}  // namespace aoe::storage
