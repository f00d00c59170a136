#include "initiator/delay_baseline.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr Instant kStart{1'000'000'000};

Duration us(std::int64_t value) {
  return Duration::microseconds(value);
}

TEST(DelayMedian, OneVeryLateAnswerMovesItNoMoreThanOneThatIsALittleLate) {
  DelayMedian median;
  for (int i = 0; i < 100; ++i) {
    median.sample(us(1000));
  }
  const Duration before = median.value();
  median.sample(Duration::seconds(10));
  EXPECT_LE(median.value().ns, before.ns * 17 / 16);
}

TEST(DelayMedian, FollowsTheRoundTrips) {
  DelayMedian median;
  for (int i = 0; i < 200; ++i) {
    median.sample(us(i < 100 ? 1000 : 8000));
  }
  EXPECT_NEAR(static_cast<double>(median.value().ns), 8e6, 0.6e6);
}

TEST(LeastDelay, FindsTheLeastFromTheFirstSampleOnWhateverTheTime) {
  LeastDelay least;
  EXPECT_EQ(least.value(), Duration{});
  least.sample(kStart, us(500));
  EXPECT_EQ(least.value(), us(500));
  least.sample(kStart, us(300));
  least.sample(kStart, us(900));
  EXPECT_EQ(least.value(), us(300));
}

TEST(LeastDelay, ForgetsWithinTenMinutes) {
  LeastDelay least;
  least.sample(kStart, us(100));
  const Duration step = LeastDelay::kSpan;
  least.sample(kStart + step, us(700));
  EXPECT_EQ(least.value(), us(100)) << "of the span before";
  least.sample(kStart + step * 2, us(800));
  EXPECT_EQ(least.value(), us(700));
  // And after a long rest at once.
  least.sample(kStart + step * 9, us(900));
  EXPECT_EQ(least.value(), us(900));
}

TEST(DelayBaseline, TheLeastMeanIsOfFiftySamplesNotOfOne) {
  DelayBaseline baseline;
  for (int i = 0; i < 15; ++i) {
    baseline.sample(kStart, us(1000));
  }
  EXPECT_EQ(baseline.least_mean(), Duration{}) << "too few";
  for (int i = 0; i < 1000; ++i) {
    baseline.sample(kStart, us(i % 2 == 0 ? 100 : 1900));
  }
  EXPECT_EQ(baseline.quickest(), us(100));
  EXPECT_NEAR(static_cast<double>(baseline.least_mean().ns), 1e6, 0.1e6);
}

}  // namespace
}  // namespace aoe::initiator
