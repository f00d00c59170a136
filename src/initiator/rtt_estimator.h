// The round trips of one path: smoothed, and by size.
#pragma once

#include "base/time.h"
#include "initiator/options.h"

#include <array>
#include <cstdint>

namespace aoe::initiator {

// RFC 6298: SRTT with gain 1/8, RTTVAR with gain 1/4, RTO = SRTT + 4 * RTTVAR between the limits.
// (Karn: the caller samples only frames that were sent once, because a retransmission carries the
// same tag.)
//
// The Linux driver uses gains of 1/256 and no back-off: it needs a thousand answers to learn a new
// round trip, and keeps its rate up when everything is lost.
class RttEstimator {
 public:
  explicit RttEstimator(const RttLimits& limits) : limits_(limits) {}

  void sample(Duration rtt);

  [[nodiscard]] Duration rto() const;

  // The same whatever the limits; the clock's granularity before the first sample.
  [[nodiscard]] Duration unlimited_rto() const;

  // rto() doubled `times` times, at most the limit.
  [[nodiscard]] Duration doubled(std::uint32_t times) const;

  [[nodiscard]] bool has_sample() const { return has_sample_; }

  // 0 before the first sample, as is rttvar().
  [[nodiscard]] Duration srtt() const { return srtt_; }

  [[nodiscard]] Duration rttvar() const { return rttvar_; }

  [[nodiscard]] Duration min_rtt() const { return min_rtt_; }

 private:
  RttLimits limits_;
  bool has_sample_ = false;
  Duration srtt_;
  Duration rttvar_;
  Duration min_rtt_;
};

// Round trips of a path by size: four cells a power of two, from a microsecond to a minute, so that
// a percentile is right within a fifth.
class RttHistogram {
 public:
  void add(Duration rtt);

  // The round trip that `percent` of the samples do not exceed (the upper edge of its cell); 0
  // without samples.
  [[nodiscard]] Duration percentile(std::uint32_t percent) const;

  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  static constexpr std::size_t kCells = 108;

  std::array<std::uint32_t, kCells> cells_{};
  std::uint64_t count_ = 0;
};

}  // namespace aoe::initiator
