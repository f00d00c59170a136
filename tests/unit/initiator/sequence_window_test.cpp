#include "initiator/sequence_window.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

TEST(SequenceWindow, CountsUpAndLowIsTheOldestOpenOne) {
  SequenceWindow window(8, 5);
  EXPECT_EQ(window.low(), 5U) << "nothing is open: the next one";
  EXPECT_EQ(window.acquire(), 5U);
  EXPECT_EQ(window.acquire(), 6U);
  EXPECT_EQ(window.acquire(), 7U);
  EXPECT_EQ(window.low(), 5U);
  window.finish(6);
  EXPECT_EQ(window.low(), 5U);
  window.finish(5);
  EXPECT_EQ(window.low(), 7U);
  window.finish(7);
  EXPECT_EQ(window.low(), 8U);
  EXPECT_EQ(window.next(), 8U);
}

TEST(SequenceWindow, NeverReachesLowPlusTheLimit) {
  SequenceWindow window(8);
  window.set_limit(3);
  EXPECT_EQ(window.acquire(), 1U);
  EXPECT_EQ(window.acquire(), 2U);
  EXPECT_EQ(window.acquire(), 3U);
  EXPECT_FALSE(window.has_room());
  EXPECT_EQ(window.acquire(), std::nullopt);
  window.finish(2);
  EXPECT_EQ(window.acquire(), std::nullopt) << "the oldest one is still open";
  window.finish(1);
  EXPECT_EQ(window.acquire(), 4U);
  EXPECT_EQ(window.acquire(), 5U);
  EXPECT_EQ(window.acquire(), std::nullopt);
}

TEST(SequenceWindow, ALimitBeyondTheCapacityIsCut) {
  SequenceWindow window(4);
  window.set_limit(1000);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(window.acquire().has_value());
  }
  EXPECT_FALSE(window.acquire().has_value());
}

TEST(SequenceWindow, SkipsZeroWhereTheCircleCloses) {
  SequenceWindow window(4, 0xFFFFFFFE);
  EXPECT_EQ(window.acquire(), 0xFFFFFFFEU);
  EXPECT_EQ(window.acquire(), 0xFFFFFFFFU);
  EXPECT_EQ(window.acquire(), 1U);
  EXPECT_EQ(window.acquire(), std::nullopt) << "the place of 0 counts";
  window.finish(0xFFFFFFFE);
  window.finish(0xFFFFFFFF);
  EXPECT_EQ(window.low(), 1U);
  window.finish(1);
  EXPECT_EQ(window.low(), 2U);
}

TEST(SequenceWindow, ManyRoundsKeepOrder) {
  SequenceWindow window(16, 0xFFFFFF00);
  std::uint32_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto a = window.acquire();
    const auto b = window.acquire();
    ASSERT_TRUE(a && b);
    EXPECT_NE(*a, 0U);
    EXPECT_NE(*a, last);
    window.finish(*b);
    window.finish(*a);
    last = *b;
  }
  EXPECT_EQ(window.low(), window.next());
}

}  // namespace
}  // namespace aoe::initiator
