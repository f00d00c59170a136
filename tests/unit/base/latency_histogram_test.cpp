#include "base/latency_histogram.h"

#include "base/prng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace aoe {
namespace {

TEST(LatencyHistogram, IsZeroWithoutSamples) {
  const LatencyHistogram empty;
  EXPECT_EQ(empty.mean(), Duration{});
  EXPECT_EQ(empty.percentile(99), Duration{});
  EXPECT_EQ(empty.deviation(), Duration{});
}

TEST(LatencyHistogram, SmallSetsAreExact) {
  LatencyHistogram histogram;
  for (const std::int64_t ns : {10, 20, 30, 40}) {
    histogram.add({ns});
  }
  EXPECT_EQ(histogram.min().ns, 10);
  EXPECT_EQ(histogram.max().ns, 40);
  EXPECT_EQ(histogram.mean().ns, 25);
  EXPECT_EQ(histogram.deviation().ns, 11);  // sqrt(125)
  EXPECT_EQ(histogram.percentile(50).ns, 20);
  EXPECT_EQ(histogram.percentile(51).ns, 30);
  EXPECT_EQ(histogram.percentile(0).ns, 10);
  EXPECT_EQ(histogram.percentile(100).ns, 40);
}

TEST(LatencyHistogram, PercentilesAreAtMostTwoPercentTooHigh) {
  Prng prng(1);
  LatencyHistogram histogram;
  std::vector<std::int64_t> samples;
  for (int i = 0; i < 10'000; ++i) {
    const auto ns = static_cast<std::int64_t>(prng.next() >> (20 + prng.below(40)));
    samples.push_back(ns);
    histogram.add({ns});
  }
  std::sort(samples.begin(), samples.end());
  for (const int percent : {1, 10, 50, 90, 99}) {
    const auto exact = samples[samples.size() * static_cast<std::size_t>(percent) / 100 - 1];
    const auto said = histogram.percentile(percent).ns;
    EXPECT_GE(said, exact) << percent;
    EXPECT_LE(static_cast<double>(said), static_cast<double>(exact) * 1.02 + 1) << percent;
  }
}

TEST(LatencyHistogram, TakesTheLargestAndImpossibleSamples) {
  LatencyHistogram histogram;
  histogram.add({std::numeric_limits<std::int64_t>::max()});
  histogram.add({-5});
  EXPECT_EQ(histogram.min().ns, 0);
  EXPECT_EQ(histogram.percentile(100).ns, std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace aoe
