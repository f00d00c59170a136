#include "initiator/window.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr Instant at(std::int64_t ms) {
  return Instant{1'000'000'000} + Duration::milliseconds(ms);
}

// One answer to a window that was full.
void grow(Window& window) {
  window.on_sent(window.frames());
  window.on_answer();
}

TEST(Window, StartsAtFourAndGrowsByOneAnAnswer) {
  Window window(64);
  EXPECT_EQ(window.frames(), 4U);
  for (int i = 0; i < 10; ++i) {
    grow(window);
  }
  EXPECT_EQ(window.frames(), 14U);
}

TEST(Window, NeverExceedsTheTargetsBuffers) {
  Window window(6);
  for (int i = 0; i < 100; ++i) {
    grow(window);
  }
  EXPECT_EQ(window.frames(), 6U);
  EXPECT_EQ(Window(1).frames(), 1U);
  EXPECT_EQ(Window(2).frames(), 2U);
}

TEST(Window, ATargetWithoutBuffersStillGetsOneFrame) {
  const Window window(0);
  EXPECT_EQ(window.frames(), 1U);
  EXPECT_TRUE(window.has_room(0));
  EXPECT_FALSE(window.has_room(1));
}

TEST(Window, IsNotGrownWhileItIsNotUsed) {
  Window window(64);
  window.on_sent(3);
  window.on_answer();
  EXPECT_EQ(window.frames(), 4U);
}

TEST(Window, EveryAnswerToAFullWindowCountsEvenWhenTheyComeTogether) {
  Window window(64);
  for (std::uint32_t i = 1; i <= 4; ++i) {
    window.on_sent(i);
  }
  for (int i = 0; i < 6; ++i) {
    window.on_answer();
  }
  EXPECT_EQ(window.frames(), 8U);
}

TEST(Window, HalvesOnceARoundTrip) {
  Window window(64);
  for (int i = 0; i < 28; ++i) {
    grow(window);
  }
  ASSERT_EQ(window.frames(), 32U);
  EXPECT_TRUE(window.on_loss(at(0), at(50)));
  EXPECT_EQ(window.frames(), 16U);
  // Sent before the cut: the same congestion.
  EXPECT_FALSE(window.on_loss(at(1), at(51)));
  EXPECT_FALSE(window.on_loss(at(50), at(60)));
  EXPECT_EQ(window.frames(), 16U);
  EXPECT_TRUE(window.on_loss(at(55), at(105)));
  EXPECT_EQ(window.frames(), 8U);
}

TEST(Window, GrowsByOneARoundTripAfterALoss) {
  Window window(64);
  ASSERT_TRUE(window.on_loss(at(0), at(50)));
  ASSERT_EQ(window.frames(), 2U);
  grow(window);
  EXPECT_EQ(window.frames(), 2U);
  grow(window);
  EXPECT_EQ(window.frames(), 3U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(window.frames(), 3U);
    grow(window);
  }
  EXPECT_EQ(window.frames(), 4U);
}

TEST(Window, NeverFallsBelowOne) {
  Window window(64);
  for (int i = 0; i < 20; ++i) {
    static_cast<void>(window.on_loss(at(100 * i + 60), at(100 * i + 70)));
  }
  EXPECT_EQ(window.frames(), 1U);
}

TEST(Window, FollowsALimitThatShrinks) {
  Window window(64);
  window.set_limit(2);
  EXPECT_EQ(window.frames(), 2U);
}

}  // namespace
}  // namespace aoe::initiator
