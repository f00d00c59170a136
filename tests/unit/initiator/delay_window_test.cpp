#include "initiator/delay_window.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr Instant kStart{1'000'000'000'000};

Duration ms(std::int64_t value) {
  return Duration::milliseconds(value);
}

// One answer to a window that was full.
void answer(DelayWindow& window, Duration round_trip, DelayWindow::Surroundings around = {},
            Instant now = kStart) {
  window.on_sent(window.frames());
  window.on_answer(now, round_trip, around);
}

DelayWindow after(int answers, Duration round_trip, DelayWindow::Surroundings around = {}) {
  DelayWindow window;
  for (int i = 0; i < answers; ++i) {
    answer(window, round_trip, around);
  }
  return window;
}

TEST(DelayWindow, GrowsWhileAnswersComeSoonerThanItsAimAndShrinksWhenLater) {
  EXPECT_GT(after(1, ms(5)).size(), DelayWindow::kStartFrames);
  EXPECT_LT(after(1, ms(50)).size(), DelayWindow::kStartFrames);
}

TEST(DelayWindow, RestsWhereTheRoundTripIsTheAim) {
  // The table of the header.
  EXPECT_NEAR(after(3000, ms(20)).size(), 2, 0.1);
  EXPECT_NEAR(after(3000, ms(32)).size(), 1, 0.05);
  EXPECT_NEAR(after(3000, ms(44)).size(), 0.5, 0.05);
  EXPECT_NEAR(after(9000, ms(10)).size(), 64, 2);
}

TEST(DelayWindow, NoPauseIsLongerThanTheLongestOfTheTable) {
  // A store that had stalled: the least mean of its commits is seconds.
  const DelayWindow::Surroundings stalled{.least = Duration::seconds(2), .commits_together = true};
  DelayWindow window = after(2000, Duration::seconds(9), stalled);
  ASSERT_LT(window.size(), 0.1);
  answer(window, Duration::seconds(9), stalled, kStart);
  EXPECT_GT(window.pause_ends(), kStart);
  EXPECT_LE(window.pause_ends(), kStart + Duration::seconds(3));
}

TEST(DelayWindow, GrowsBackSoonWhenTheQueueIsGone) {
  DelayWindow window = after(2000, Duration::seconds(9));
  ASSERT_LT(window.size(), 0.1);
  Instant now = kStart;
  while (window.size() < 1) {
    answer(window, ms(8), {}, now);
    now = std::max(now, window.pause_ends()) + ms(8);
  }
  EXPECT_LT(now, kStart + Duration::seconds(10));
}

TEST(DelayWindow, HostsThatSeeTheSameQueueGetTheSameWindow) {
  DelayWindow early = after(100, ms(1));
  DelayWindow late = after(100, ms(200));
  EXPECT_GT(early.size(), 4 * late.size());
  for (int i = 0; i < 2000; ++i) {
    answer(early, ms(26));
    answer(late, ms(26));
  }
  EXPECT_NEAR(early.size(), late.size(), 0.1);
}

TEST(DelayWindow, OneVeryLateAnswerWeighsNoMoreThanOneThatTookTwiceTheAim) {
  EXPECT_EQ(after(1, ms(40)).size(), after(1, Duration::seconds(1)).size());
}

TEST(DelayWindow, IsNotGrownWhileItIsNotUsed) {
  DelayWindow window;
  window.on_sent(1);
  window.on_answer(kStart, ms(1), {});
  EXPECT_EQ(window.size(), DelayWindow::kStartFrames);
}

TEST(DelayWindow, EveryAnswerToAFullWindowCountsEvenWhenTheyComeTogether) {
  DelayWindow window;
  window.on_sent(1);
  window.on_sent(2);
  window.on_answer(kStart, ms(1), {});
  const double once = window.size();
  window.on_answer(kStart, ms(1), {});
  EXPECT_GT(window.size(), once);
}

TEST(DelayWindow, AnAnswerThatMeasuresNothingChangesNothing) {
  DelayWindow window;
  window.on_sent(2);
  window.on_answer(kStart, std::nullopt, {});
  EXPECT_EQ(window.size(), DelayWindow::kStartFrames);
}

TEST(DelayWindow, NeverExceedsItsLimitNorFallsBelowAThirtySecond) {
  EXPECT_EQ(after(1000, ms(1), {.limit = 5}).frames(), 5U);
  EXPECT_EQ(after(1000, Duration::seconds(1)).size(), DelayWindow::kFramesMin);
  EXPECT_EQ(after(1000, Duration::seconds(1)).frames(), 1U);
}

TEST(DelayWindow, BelowOneFrameItPausesAfterEachAnswer) {
  DelayWindow window = after(3000, ms(44));
  answer(window, ms(44));
  // One frame half of the time: the pause is as long as the aim.
  EXPECT_NEAR(static_cast<double>((window.pause_ends() - kStart).ns), 44e6, 6e6);
  EXPECT_EQ(after(3000, ms(20)).pause_ends(), Instant{});
  // What will not be answered ends as an answer does.
  window.on_gone(kStart + ms(500), {});
  EXPECT_GT(window.pause_ends(), kStart + ms(500));
}

TEST(DelayWindow, AFractionAboveOneIsAFrameMoreNowAndThen) {
  DelayWindow window = after(4000, ms(26));
  ASSERT_GT(window.size(), 1.2);
  ASSERT_LT(window.size(), 1.8);
  int twice = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::uint32_t frames = window.frames();
    twice += frames == 2 ? 1 : 0;
    window.on_sent(frames);
    window.on_answer(kStart, std::nullopt, {});
  }
  EXPECT_NEAR(twice / 1000.0, window.size() - 1, 0.1);
}

TEST(DelayWindow, TheNetworkIsNotTheDisk) {
  // 30 ms of cable are no queue.
  EXPECT_NEAR(after(3000, ms(50), {.network = ms(30)}).size(), 2, 0.1);
}

TEST(DelayWindow, AQuickShelfIsHeldAtShorterDelays) {
  const DelayWindow::Surroundings quick{.scale = 0.1};
  EXPECT_NEAR(after(3000, ms(2), quick).size(), 2, 0.1);
  // But what its answers take without a queue is none.
  EXPECT_GT(after(3000, ms(2), {.least = ms(3), .scale = 0.1}).size(), 8);
}

TEST(DelayWindow, ASlowStoreIsBelievedUntilFramesAreLost) {
  const DelayWindow::Surroundings slow{.quickest = ms(50)};
  DelayWindow window = after(3000, ms(60), slow);
  EXPECT_GT(window.size(), 100);
  window.on_congestion(kStart);
  for (int i = 0; i < 3000; ++i) {
    answer(window, ms(60), slow);
  }
  EXPECT_LT(window.size(), 1);
  // Not for ever.
  const Instant later = kStart + DelayWindow::kDistrust;
  for (int i = 0; i < 3000; ++i) {
    answer(window, ms(60), slow, later);
  }
  EXPECT_GT(window.size(), 10);
}

TEST(DelayWindow, ADiskThatAnswersWithinFortyMillisecondsIsNoSlowStore) {
  EXPECT_LT(after(3000, ms(60), {.quickest = ms(39)}).size(), 1);
}

}  // namespace
}  // namespace aoe::initiator
