#include "initiator/loss_window.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr Instant at(std::int64_t ms) {
  return Instant{1'000'000'000} + Duration::milliseconds(ms);
}

// One answer to a window that was full.
void grow(LossWindow& window, std::int64_t ms = 0) {
  window.on_sent(window.frames());
  window.on_answer(at(ms));
}

// A window that has grown to `frames` in slow start.
LossWindow grown(std::uint32_t limit, std::uint32_t frames) {
  LossWindow window(limit);
  while (window.frames() < frames) {
    grow(window);
  }
  return window;
}

TEST(LossWindow, StartsAtFourAndGrowsByOneAnAnswer) {
  LossWindow window(64);
  EXPECT_EQ(window.frames(), 4U);
  for (int i = 0; i < 10; ++i) {
    grow(window);
  }
  EXPECT_EQ(window.frames(), 14U);
}

TEST(LossWindow, NeverExceedsTheTargetsBuffers) {
  LossWindow window(6);
  for (int i = 0; i < 100; ++i) {
    grow(window, i);
  }
  EXPECT_EQ(window.frames(), 6U);
  EXPECT_EQ(LossWindow(1).frames(), 1U);
  EXPECT_EQ(LossWindow(2).frames(), 2U);
}

TEST(LossWindow, ATargetWithoutBuffersStillGetsOneFrame) {
  const LossWindow window(0);
  EXPECT_EQ(window.frames(), 1U);
  EXPECT_TRUE(window.has_room(0));
  EXPECT_FALSE(window.has_room(1));
}

TEST(LossWindow, IsNotGrownWhileItIsNotUsed) {
  LossWindow window(64);
  window.on_sent(3);
  window.on_answer(at(0));
  EXPECT_EQ(window.frames(), 4U);
}

TEST(LossWindow, EveryAnswerToAFullWindowCountsEvenWhenTheyComeTogether) {
  LossWindow window(64);
  for (std::uint32_t i = 1; i <= 4; ++i) {
    window.on_sent(i);
  }
  for (int i = 0; i < 6; ++i) {
    window.on_answer(at(0));
  }
  EXPECT_EQ(window.frames(), 8U);
}

TEST(LossWindow, IsCutOnceARoundTrip) {
  LossWindow window = grown(64, 40);
  EXPECT_TRUE(window.on_loss(at(0), at(50)));
  EXPECT_EQ(window.frames(), 28U);
  // Sent before the cut: the same congestion.
  EXPECT_FALSE(window.on_loss(at(1), at(51)));
  EXPECT_FALSE(window.on_loss(at(50), at(60)));
  EXPECT_EQ(window.frames(), 28U);
  EXPECT_TRUE(window.on_loss(at(55), at(105)));
  EXPECT_EQ(window.frames(), 19U);
}

TEST(LossWindow, ComesBackAlongACubicCurveOfTime) {
  LossWindow window = grown(64, 40);
  ASSERT_TRUE(window.on_loss(at(0), at(0)));
  // K = cbrt(40 * 0.3 / 0.4) = 3.1 s until it is where it was cut.
  for (std::int64_t ms = 0; ms <= 1500; ++ms) {
    grow(window, ms);
  }
  EXPECT_GT(window.size(), 37);
  EXPECT_LT(window.size(), 40);
  for (std::int64_t ms = 1500; ms <= 3100; ++ms) {
    grow(window, ms);
  }
  EXPECT_NEAR(window.size(), 40, 0.5);
}

TEST(LossWindow, GrowsWithTimeAndNotWithTheNumberOfAnswers) {
  LossWindow few = grown(64, 40);
  LossWindow many = grown(64, 40);
  ASSERT_TRUE(few.on_loss(at(0), at(0)));
  ASSERT_TRUE(many.on_loss(at(0), at(0)));
  for (std::int64_t ms = 1; ms <= 1000; ++ms) {
    grow(many, ms);
    if (ms % 10 == 0) {
      grow(few, ms);
    }
  }
  EXPECT_NEAR(few.size(), many.size(), 2);
}

TEST(LossWindow, BelowOneFrameItIsAShareOfTheTime) {
  LossWindow window(64);
  for (int i = 0; i < 40; ++i) {
    static_cast<void>(window.on_loss(at(100 * i + 60), at(100 * i + 70)));
  }
  EXPECT_EQ(window.size(), LossWindow::kFramesMin);
  EXPECT_EQ(window.frames(), 1U);
}

TEST(LossWindow, ACutForAFrameThatWasNotLostIsUndone) {
  LossWindow window = grown(64, 40);
  ASSERT_TRUE(window.on_loss(at(0), at(50)));
  window.undo_cut();
  EXPECT_EQ(window.frames(), 40U);
  // Only once.
  ASSERT_TRUE(window.on_loss(at(55), at(105)));
  window.undo_cut();
  window.undo_cut();
  EXPECT_EQ(window.frames(), 40U);
}

TEST(LossWindow, AfterASilenceItStartsAgainFromFour) {
  LossWindow window = grown(64, 40);
  window.on_silence(at(0));
  EXPECT_EQ(window.frames(), 4U);
  EXPECT_TRUE(window.in_slow_start());
  // Frames from before belong to the silence.
  EXPECT_FALSE(window.on_loss(at(-10), at(10)));
}

TEST(LossWindow, NoSlowStartOnceAnswersComeLate) {
  LossWindow window = grown(64, 10);
  window.end_slow_start();
  grow(window, 1);
  EXPECT_EQ(window.frames(), 10U);
}

TEST(LossWindow, FollowsALimitThatShrinks) {
  LossWindow window(64);
  window.set_limit(2);
  EXPECT_EQ(window.frames(), 2U);
}

}  // namespace
}  // namespace aoe::initiator
