#include "initiator/tail_estimator.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

Duration ms(std::int64_t value) {
  return Duration::milliseconds(value);
}

TailEstimator after(int samples, Duration round_trip) {
  TailEstimator tail;
  for (int i = 0; i < samples; ++i) {
    tail.sample(round_trip);
  }
  return tail;
}

TEST(TailEstimator, NothingIsKnownBeforeTheFirstSample) {
  EXPECT_EQ(TailEstimator{}.bound(0), Duration{});
}

TEST(TailEstimator, TheMarginIsWideWhileFewWereSeen) {
  EXPECT_EQ(after(100, ms(10)).bound(0), ms(1000));
  EXPECT_EQ(after(1000, ms(10)).bound(0), ms(100));
  EXPECT_EQ(after(20'000, ms(10)).bound(0), Duration::microseconds(12'500));
}

TEST(TailEstimator, StaysAboveTheLongestRoundTripForLong) {
  TailEstimator tail = after(20'000, ms(10));
  tail.sample(ms(800));
  EXPECT_EQ(tail.longest(), ms(800));
  EXPECT_EQ(tail.bound(0), ms(1000));
  for (int i = 0; i < 2800; ++i) {
    tail.sample(ms(10));
  }
  EXPECT_NEAR(static_cast<double>(tail.longest().ns), 410e6, 20e6) << "half of it";
}

TEST(TailEstimator, WhereFramesAreLostOftenAFalseAlarmCostsLess) {
  const TailEstimator tail = after(100, ms(10));
  EXPECT_EQ(tail.bound(0.01), ms(100));
  EXPECT_EQ(tail.bound(0.1), Duration::microseconds(12'500));
  EXPECT_LE(tail.bound(0.001), tail.bound(0));
}

}  // namespace
}  // namespace aoe::initiator
