#include "initiator/shelf_evidence.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

using Verdict = ShelfEvidence::Verdict;

constexpr Instant kStart{1'000'000'000'000};

Duration ms(std::int64_t value) {
  return Duration::milliseconds(value);
}

ShelfEvidence::Loss slow_loss(Duration typical) {
  return {.typical = typical, .aim = ms(20), .quickest = ms(8), .share = 0.01};
}

ShelfEvidence::Loss quick_loss(Duration typical) {
  return {
      .typical = typical, .aim = ms(20), .quickest = Duration::microseconds(200), .share = 0.01};
}

TEST(ShelfEvidence, ALossWithAnswersInTimeIsChance) {
  ShelfEvidence evidence;
  EXPECT_EQ(evidence.judge(kStart, slow_loss(ms(29))), Verdict::chance);
  EXPECT_EQ(evidence.judge(kStart, slow_loss(ms(30))), Verdict::congestion);
  EXPECT_FALSE(evidence.has_learned()) << "the table holds a slow shelf";
}

TEST(ShelfEvidence, ManyAtOnceAreNoChance) {
  ShelfEvidence evidence;
  ShelfEvidence::Loss loss = slow_loss(ms(10));
  loss.share = 0.1;
  EXPECT_EQ(evidence.judge(kStart, loss), Verdict::congestion);
  // Unless so many are lost always.
  loss.usual_share = 0.06;
  EXPECT_EQ(evidence.judge(kStart, loss), Verdict::chance);
  loss.share = 0.25;
  EXPECT_EQ(evidence.judge(kStart, loss), Verdict::congestion);
}

TEST(ShelfEvidence, WithoutAMeasureALossIsCongestion) {
  ShelfEvidence evidence;
  EXPECT_EQ(evidence.judge(kStart, {.aim = ms(20)}), Verdict::congestion);
}

TEST(ShelfEvidence, AQuickShelfIsFullWhenItsAnswersTakeLongerThanEver) {
  ShelfEvidence evidence;
  EXPECT_EQ(evidence.judge(kStart, quick_loss(Duration::microseconds(790))), Verdict::chance);
  EXPECT_EQ(evidence.judge(kStart, quick_loss(Duration::microseconds(800))), Verdict::congestion);
  EXPECT_TRUE(evidence.has_learned());
}

TEST(ShelfEvidence, LossesThatGoOnAreNoChanceOnAQuickShelf) {
  // A queue that never was empty does not show in the answers.
  ShelfEvidence evidence;
  ShelfEvidence::Loss loss = quick_loss(Duration::microseconds(300));
  loss.usual_share = 0.02;
  EXPECT_EQ(evidence.judge(kStart, loss), Verdict::congestion);
}

TEST(ShelfEvidence, LossesThatGoOnCutNoWindowThatIsSmall) {
  ShelfEvidence evidence;
  ShelfEvidence::Loss loss = quick_loss(Duration::microseconds(300));
  loss.usual_share = 0.1;
  loss.share = 0.1;
  loss.is_small = true;
  EXPECT_EQ(evidence.judge(kStart, loss), Verdict::chance);
  loss.share = 0.25;
  EXPECT_EQ(evidence.judge(kStart, loss), Verdict::congestion) << "it is crowded all the same";
}

TEST(ShelfEvidence, ScalesTheAimsToWhatAQuickShelfHolds) {
  ShelfEvidence evidence;
  EXPECT_EQ(evidence.scale(kStart), 1);
  ASSERT_EQ(evidence.judge(kStart, quick_loss(ms(4))), Verdict::congestion);
  EXPECT_NEAR(evidence.scale(kStart), 4.0 / 64, 1e-6);
  // Each minute without congestion doubles the measure.
  EXPECT_NEAR(evidence.scale(kStart + Duration::seconds(60)), 8.0 / 64, 1e-6);
  EXPECT_EQ(evidence.scale(kStart + Duration::seconds(600)), 1);
}

TEST(ShelfEvidence, WhatWasLearnedFromALossThatWasNoneIsForgotten) {
  ShelfEvidence evidence;
  ASSERT_EQ(evidence.judge(kStart, quick_loss(ms(4))), Verdict::congestion);
  evidence.undo();
  EXPECT_FALSE(evidence.has_learned());
  EXPECT_EQ(evidence.scale(kStart), 1);
}

}  // namespace
}  // namespace aoe::initiator
