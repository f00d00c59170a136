// Latencies counted in buckets of a fixed relative width: percentiles of any number of samples in
// constant memory.
#pragma once

#include "base/time.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace aoe {

// Each power of two is cut into 64 buckets, so a percentile is at most 1.6 % above the true value;
// minimum, maximum, mean and deviation are exact. Takes 0 ns and up; negative samples count as 0.
class LatencyHistogram {
 public:
  void add(Duration sample);
  void add_all(const LatencyHistogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }

  // All are 0 without samples.
  [[nodiscard]] Duration min() const { return {min_ns_}; }

  [[nodiscard]] Duration max() const { return {max_ns_}; }

  [[nodiscard]] Duration mean() const;
  // The square root of the variance, which ping(8) calls mdev.
  [[nodiscard]] Duration deviation() const;
  // The smallest bucket's upper end below which `percent` of the samples lie, but never above
  // max(). `percent` in 0..100.
  [[nodiscard]] Duration percentile(double percent) const;

 private:
  static constexpr unsigned kSubBits = 6;
  static constexpr std::size_t kBuckets = (64 - kSubBits) << kSubBits;

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::int64_t min_ns_ = 0;
  std::int64_t max_ns_ = 0;
  double sum_ns_ = 0;
  double sum_of_squares_ = 0;
};

}  // namespace aoe
