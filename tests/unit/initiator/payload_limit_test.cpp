#include "initiator/payload_limit.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr Instant at(std::int64_t seconds) {
  return Instant{1'000'000'000} + Duration::seconds(seconds);
}

TEST(PayloadLimit, GoesDownToWhatEveryEthernetCarriesThenToOneSector) {
  PayloadLimit limit;
  EXPECT_FALSE(limit.step_down(at(0)));
  limit.set_allowed(127);
  EXPECT_TRUE(limit.step_down(at(0)));
  EXPECT_EQ(limit.sectors(), 2U);
  EXPECT_TRUE(limit.step_down(at(0)));
  EXPECT_EQ(limit.sectors(), 1U);
  EXPECT_FALSE(limit.step_down(at(0)));
}

TEST(PayloadLimit, TriesTheNextStepUpAfterARest) {
  PayloadLimit limit;
  limit.set_allowed(17);
  ASSERT_TRUE(limit.step_down(at(0)));
  limit.on_answer(at(9), 2);
  EXPECT_EQ(limit.sectors(), 2U);
  for (const std::uint32_t expected : {4U, 8U, 17U, 17U}) {
    limit.on_answer(at(expected * 10), limit.sectors());
    EXPECT_EQ(limit.sectors(), expected);
  }
}

TEST(PayloadLimit, AFailedTryGoesBackAndDoublesTheRest) {
  PayloadLimit limit;
  limit.set_allowed(17);
  ASSERT_TRUE(limit.step_down(at(0)));
  limit.on_answer(at(10), 2);
  limit.on_answer(at(11), 4);
  limit.on_answer(at(20), 4);
  ASSERT_EQ(limit.sectors(), 8U);
  ASSERT_TRUE(limit.step_down(at(21)));
  EXPECT_EQ(limit.sectors(), 4U) << "what passed";
  limit.on_answer(at(40), 4);
  EXPECT_EQ(limit.sectors(), 4U) << "the rest is 20 s now";
  limit.on_answer(at(41), 4);
  EXPECT_EQ(limit.sectors(), 8U);
  limit.on_answer(at(42), 8);
  limit.on_answer(at(61), 8);
  ASSERT_EQ(limit.sectors(), 17U);
  ASSERT_TRUE(limit.step_down(at(62)));
  limit.on_answer(at(82), 8);
  EXPECT_EQ(limit.sectors(), 17U) << "a try that succeeded made the rest short again";
}

TEST(PayloadLimit, AnotherAllowanceStartsAfresh) {
  PayloadLimit limit;
  limit.set_allowed(17);
  ASSERT_TRUE(limit.step_down(at(0)));
  limit.set_allowed(17);
  EXPECT_EQ(limit.sectors(), 2U);
  limit.set_allowed(8);
  EXPECT_EQ(limit.sectors(), 8U);
}

}  // namespace
}  // namespace aoe::initiator
