#include "initiatord/hand_over.h"

#include <gtest/gtest.h>

namespace aoe::initiatord {
namespace {

using Step = HandOver::Step;

constexpr Instant kStart{1'000'000'000};

TEST(HandOver, EndsAsSoonAsNothingIsUnderWay) {
  for (const auto kernel : {HandOver::Kernel::asks_again, HandOver::Kernel::forgets}) {
    HandOver hand_over(kStart, kernel);
    EXPECT_EQ(hand_over.look(kStart, true), Step::wait);
    EXPECT_EQ(hand_over.look(kStart, false), Step::end);
  }
}

TEST(HandOver, WhatTheKernelAsksAgainIsNotWaitedForLong) {
  HandOver hand_over(kStart, HandOver::Kernel::asks_again);
  EXPECT_EQ(hand_over.look(kStart + Duration::milliseconds(4999), true), Step::wait);
  EXPECT_EQ(hand_over.look(kStart + Duration::seconds(5), true), Step::end);
}

TEST(HandOver, WhatTheKernelForgetsEndsBeforeTheProcess) {
  HandOver hand_over(kStart, HandOver::Kernel::forgets);
  EXPECT_EQ(hand_over.look(kStart + Duration::seconds(179), true), Step::wait);
  const Instant late = kStart + HandOver::kTimeToDrain;
  EXPECT_EQ(hand_over.look(late, true), Step::fail_requests);
  EXPECT_EQ(hand_over.look(late, true), Step::wait) << "their users are told first";
  EXPECT_EQ(hand_over.look(late + Duration::seconds(5), true), Step::end);
}

}  // namespace
}  // namespace aoe::initiatord
