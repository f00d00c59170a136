#include "base/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace aoe {
namespace {

// Values below 2^bits have a bucket each; above, the leading one and the `bits` bits behind it
// choose the bucket.
std::size_t bucket_of(std::uint64_t value, unsigned bits) {
  const std::uint64_t linear = std::uint64_t{1} << bits;
  if (value < linear) {
    return value;
  }
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - bits;
  return (std::uint64_t{shift} << bits) + (value >> shift);
}

std::uint64_t upper_end(std::size_t bucket, unsigned bits) {
  const std::uint64_t linear = std::uint64_t{1} << bits;
  if (bucket < 2 * linear) {
    return bucket;
  }
  const std::uint64_t shift = (bucket >> bits) - 1;
  const std::uint64_t mantissa = (bucket & (linear - 1)) | linear;
  return ((mantissa + 1) << shift) - 1;
}

}  // namespace

void LatencyHistogram::add(Duration sample) {
  const std::int64_t ns = std::max<std::int64_t>(sample.ns, 0);
  ++buckets_[bucket_of(static_cast<std::uint64_t>(ns), kSubBits)];
  min_ns_ = count_ == 0 ? ns : std::min(min_ns_, ns);
  max_ns_ = std::max(max_ns_, ns);
  ++count_;
  const auto value = static_cast<double>(ns);
  sum_ns_ += value;
  sum_of_squares_ += value * value;
}

void LatencyHistogram::add_all(const LatencyHistogram& other) {
  if (other.count_ == 0) {
    return;
  }
  for (std::size_t i = 0; i < kBuckets; ++i) {
    buckets_[i] += other.buckets_[i];
  }
  min_ns_ = count_ == 0 ? other.min_ns_ : std::min(min_ns_, other.min_ns_);
  max_ns_ = std::max(max_ns_, other.max_ns_);
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  sum_of_squares_ += other.sum_of_squares_;
}

Duration LatencyHistogram::mean() const {
  return {count_ == 0 ? 0 : std::llround(sum_ns_ / static_cast<double>(count_))};
}

Duration LatencyHistogram::deviation() const {
  if (count_ == 0) {
    return {};
  }
  const auto n = static_cast<double>(count_);
  const double mean = sum_ns_ / n;
  return {std::llround(std::sqrt(std::max(0.0, sum_of_squares_ / n - mean * mean)))};
}

Duration LatencyHistogram::percentile(double percent) const {
  if (count_ == 0) {
    return {};
  }
  const double wanted = std::ceil(percent / 100 * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= rank) {
      return {std::clamp(static_cast<std::int64_t>(upper_end(i, kSubBits)), min_ns_, max_ns_)};
    }
  }
  return max();
}

}  // namespace aoe
