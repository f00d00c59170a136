#include "initiator/rtt_estimator.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr Duration ms(std::int64_t n) {
  return Duration::milliseconds(n);
}

constexpr RttLimits kLimits{.initial = ms(200), .min = ms(5), .max = ms(2000)};

TEST(RttEstimator, StartsAtTwoHundredMilliseconds) {
  EXPECT_EQ(RttEstimator(RttLimits{}).rto(), ms(200));
}

TEST(RttEstimator, FirstSampleSetsMeanAndHalfDeviation) {
  RttEstimator rtt(kLimits);
  rtt.sample(ms(100));
  EXPECT_EQ(rtt.srtt(), ms(100));
  EXPECT_EQ(rtt.rttvar(), ms(50));
  EXPECT_EQ(rtt.rto(), ms(300));
}

TEST(RttEstimator, GainsAreAnEighthAndAQuarter) {
  RttEstimator rtt(kLimits);
  rtt.sample(ms(100));
  rtt.sample(ms(180));
  EXPECT_EQ(rtt.srtt(), ms(110));
  // 50 + (80 - 50) / 4
  EXPECT_EQ(rtt.rttvar(), Duration::microseconds(57'500));
  EXPECT_EQ(rtt.min_rtt(), ms(100));
}

TEST(RttEstimator, LearnsAFastPathInFewSamples) {
  RttEstimator rtt(kLimits);
  for (int i = 0; i < 20; ++i) {
    rtt.sample(ms(1));
  }
  EXPECT_EQ(rtt.rto(), ms(5));
}

TEST(RttEstimator, DoublesUpToTheLimit) {
  RttEstimator rtt(kLimits);
  EXPECT_EQ(rtt.doubled(0), ms(200));
  EXPECT_EQ(rtt.doubled(1), ms(400));
  EXPECT_EQ(rtt.doubled(2), ms(800));
  EXPECT_EQ(rtt.doubled(100), ms(2000));
  rtt.sample(ms(10));
  EXPECT_EQ(rtt.doubled(0), ms(30));
  EXPECT_EQ(rtt.doubled(1), ms(60));
}

TEST(RttHistogram, PercentilesAreUpperEdgesOfTheirCells) {
  RttHistogram histogram;
  EXPECT_EQ(histogram.percentile(50), Duration{});
  for (int i = 0; i < 99; ++i) {
    histogram.add(Duration::microseconds(100));
  }
  histogram.add(ms(50));
  EXPECT_GE(histogram.percentile(50), Duration::microseconds(100));
  EXPECT_LE(histogram.percentile(50), Duration::microseconds(125));
  EXPECT_LE(histogram.percentile(99), Duration::microseconds(125));
  EXPECT_GE(histogram.percentile(100), ms(50));
  EXPECT_LE(histogram.percentile(100), ms(63));
}

TEST(RttHistogram, TakesTheExtremes) {
  RttHistogram histogram;
  histogram.add(Duration{});
  histogram.add(Duration{-5});
  histogram.add(Duration::seconds(100'000));
  EXPECT_EQ(histogram.count(), 3U);
}

}  // namespace
}  // namespace aoe::initiator
