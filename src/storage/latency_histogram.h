// How long things took, in little memory.
#pragma once

#include "base/time.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace aoe::storage {

// Log-linear: eight steps to each power of two of nanoseconds, so a value is known to an eighth of
// itself from 1 ns to centuries. 4 KiB, no allocation.
class LatencyHistogram {
 public:
  // Negative counts as 0.
  void record(Duration latency);

  [[nodiscard]] std::uint64_t count() const { return count_; }

  // The sum of all that was recorded, for an average or a rate.
  [[nodiscard]] Duration total() const { return total_; }

  [[nodiscard]] Duration longest() const { return longest_; }

  // The value that `permille` of a thousand values do not exceed (500: the median), rounded up to
  // its step; never above longest(). 0 when nothing was recorded. permille: 0..1000.
  [[nodiscard]] Duration quantile(std::uint32_t permille) const;

 private:
  static constexpr unsigned kStepBits = 3;
  static constexpr std::size_t kBuckets = (64 - kStepBits + 1) << kStepBits;

  [[nodiscard]] static std::size_t bucket_of(std::uint64_t ns);
  [[nodiscard]] static std::uint64_t last_of(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  Duration total_;
  Duration longest_;
};

}  // namespace aoe::storage
