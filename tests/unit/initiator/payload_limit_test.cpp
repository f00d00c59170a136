#include "initiator/payload_limit.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr Instant at(std::int64_t seconds) {
  return Instant{1'000'000'000} + Duration::seconds(seconds);
}

PayloadLimit proven(std::uint32_t sectors) {
  PayloadLimit limit;
  limit.set_allowed(sectors);
  EXPECT_TRUE(limit.on_passed(at(0), sectors));
  return limit;
}

TEST(PayloadLimit, StartsWithWhatEveryEthernetCarriesAndAsksForMore) {
  PayloadLimit limit;
  limit.set_allowed(17);
  EXPECT_EQ(limit.sectors(), 2U);
  EXPECT_EQ(limit.wanted(at(0)), 17U);
  EXPECT_TRUE(limit.on_passed(at(0), 17));
  EXPECT_EQ(limit.sectors(), 17U);
  EXPECT_EQ(limit.wanted(at(1000)), 0U);
  EXPECT_FALSE(limit.next_time().has_value());
}

TEST(PayloadLimit, NothingIsAskedWhereTwoSectorsAreAll) {
  PayloadLimit limit;
  limit.set_allowed(2);
  EXPECT_EQ(limit.sectors(), 2U);
  EXPECT_EQ(limit.wanted(at(0)), 0U);
  limit.set_allowed(1);
  EXPECT_EQ(limit.sectors(), 1U);
}

TEST(PayloadLimit, FindsWhatLiesBetween) {
  PayloadLimit limit;
  limit.set_allowed(17);
  EXPECT_FALSE(limit.on_vanished(at(0), 17));
  EXPECT_EQ(limit.sectors(), 2U);
  EXPECT_EQ(limit.wanted(at(0)), 8U);
  EXPECT_TRUE(limit.on_passed(at(0), 8));
  EXPECT_EQ(limit.sectors(), 8U);
  EXPECT_EQ(limit.wanted(at(0)), 0U);
}

TEST(PayloadLimit, DataThatVanishGoDownToTwoSectorsAndUpAgainStepByStep) {
  PayloadLimit limit = proven(17);
  limit.doubt(17);
  EXPECT_EQ(limit.wanted(at(1)), 17U);
  EXPECT_TRUE(limit.on_vanished(at(1), 17));
  EXPECT_EQ(limit.sectors(), 2U);
  EXPECT_EQ(limit.wanted(at(1)), 8U);
  EXPECT_FALSE(limit.on_vanished(at(1), 8));
  EXPECT_EQ(limit.wanted(at(1)), 4U);
  EXPECT_FALSE(limit.on_vanished(at(1), 4));
  EXPECT_EQ(limit.wanted(at(1)), 0U);
  EXPECT_EQ(limit.next_time(), at(6));
}

TEST(PayloadLimit, ADoubtThatIsAnsweredChangesNothing) {
  PayloadLimit limit = proven(17);
  limit.doubt(16);
  EXPECT_EQ(limit.wanted(at(1)), 16U);
  EXPECT_FALSE(limit.on_passed(at(1), 16));
  EXPECT_EQ(limit.sectors(), 17U);
  EXPECT_EQ(limit.wanted(at(1)), 0U);
}

TEST(PayloadLimit, TriesTheFullSizeAgainLessAndLessOftenUpToOnceAMinute) {
  PayloadLimit limit = proven(17);
  std::int64_t now = 1;
  EXPECT_TRUE(limit.on_vanished(at(now), 17));
  for (const std::int64_t rest : {5, 10, 20, 40, 60, 60}) {
    while (limit.wanted(at(now)) != 0) {
      EXPECT_FALSE(limit.on_vanished(at(now), limit.wanted(at(now))));
    }
    EXPECT_EQ(limit.next_time(), at(now + rest));
    EXPECT_EQ(limit.wanted(at(now + rest - 1)), 0U);
    now += rest;
    EXPECT_EQ(limit.wanted(at(now)), 17U);
  }
  EXPECT_TRUE(limit.on_passed(at(now), 17));
  EXPECT_EQ(limit.sectors(), 17U);
}

TEST(PayloadLimit, TwoSectorsThatVanishLeaveOne) {
  PayloadLimit limit;
  limit.set_allowed(2);
  EXPECT_TRUE(limit.on_vanished(at(0), 2));
  EXPECT_EQ(limit.sectors(), 1U);
  EXPECT_FALSE(limit.on_vanished(at(0), 1));
  EXPECT_EQ(limit.wanted(at(5)), 2U);
}

TEST(PayloadLimit, ASmallerAllowanceCountsAtOnceALargerOneIsAskedFor) {
  PayloadLimit limit = proven(17);
  limit.set_allowed(17);
  EXPECT_EQ(limit.sectors(), 17U);
  limit.set_allowed(8);
  EXPECT_EQ(limit.sectors(), 8U);
  EXPECT_EQ(limit.wanted(at(1)), 0U);
  limit.set_allowed(17);
  EXPECT_EQ(limit.sectors(), 8U);
  EXPECT_EQ(limit.wanted(at(1)), 17U);
}

TEST(PayloadLimit, SmallDataDoNotHideWhenBigOnesPassed) {
  PayloadLimit limit = proven(17);
  limit.on_data(at(10), 17);
  limit.on_data(at(10), 1);
  EXPECT_TRUE(limit.passed_since(at(9), 17));
  EXPECT_FALSE(limit.passed_since(at(10), 17));
  limit.on_data(at(12), 1);
  EXPECT_FALSE(limit.passed_since(at(9), 17)) << "the last big one is long ago";
}

}  // namespace
}  // namespace aoe::initiator
