#include "initiator/rtt_estimator.h"

#include <algorithm>
#include <bit>

namespace aoe::initiator {
namespace {

// The clock's granularity G of RFC 6298: what a timer of an event loop keeps.
constexpr Duration kGranularity = Duration::milliseconds(1);
constexpr std::uint32_t kShiftMax = 16;  // 50 ms << 16 is beyond every limit

Duration shifted(Duration value, std::uint32_t shift, Duration max) {
  const std::int64_t factor = std::int64_t{1} << std::min(shift, kShiftMax);
  return value.ns > max.ns / factor ? max : value * factor;
}

}  // namespace

void RttEstimator::sample(Duration rtt) {
  if (!has_sample_) {
    has_sample_ = true;
    srtt_ = rtt;
    rttvar_ = rtt / 2;
    min_rtt_ = rtt;
  } else {
    const Duration error = rtt > srtt_ ? rtt - srtt_ : srtt_ - rtt;
    rttvar_ = rttvar_ + (error - rttvar_) / 4;
    srtt_ = srtt_ + (rtt - srtt_) / 8;
    min_rtt_ = std::min(min_rtt_, rtt);
  }
}

Duration RttEstimator::rto() const {
  if (!has_sample_) {
    return limits_.initial;
  }
  return std::clamp(unlimited_rto(), limits_.min, limits_.max);
}

Duration RttEstimator::unlimited_rto() const {
  return srtt_ + std::max(kGranularity, rttvar_ * 4);
}

Duration RttEstimator::doubled(std::uint32_t times) const {
  return shifted(rto(), times, limits_.max);
}

void RttHistogram::add(Duration rtt) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(rtt.ns / 1000, 1));
  const std::size_t exponent = std::bit_width(us) - 1U;
  // The two bits behind the leading one choose the cell inside the power of two.
  const std::size_t quarter =
      exponent >= 2 ? us >> (exponent - 2) & 3U : (us << (2 - exponent)) & 3U;
  ++cells_[std::min(exponent * 4 + quarter, kCells - 1)];
  ++count_;
}

Duration RttHistogram::percentile(std::uint32_t percent) const {
  if (count_ == 0) {
    return {};
  }
  const std::uint64_t rank = (count_ * percent + 99) / 100;
  std::uint64_t seen = 0;
  for (std::size_t cell = 0; cell < kCells; ++cell) {
    seen += cells_[cell];
    if (seen >= rank && seen > 0) {
      const std::uint64_t upper_quarters = (5 + cell % 4) << (cell / 4);
      return Duration::microseconds(static_cast<std::int64_t>((upper_quarters + 3) / 4));
    }
  }
  return {};
}

}  // namespace aoe::initiator
