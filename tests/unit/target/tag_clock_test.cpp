#include "target/tag_clock.h"

#include "base/prng.h"
#include "support/linux_host.h"

#include <gtest/gtest.h>

#include <vector>

namespace aoe::target {
namespace {

using test::LinuxHost;
using Sight = TagClock::Sight;

constexpr Duration kLife = Duration::seconds(1);

class Clock : public testing::Test {
 protected:
  // One frame, `late` after it was sent.
  Sight see(LinuxHost& host, Duration late = {}) {
    const Sight sight = clock.see(now, host.next(now - late), kLife);
    return sight;
  }

  // Frames in so many steps of 20 ms; what the last one was.
  Sight talk(LinuxHost& host, unsigned frames, Duration step = Duration::milliseconds(20)) {
    Sight sight = Sight::ignored;
    for (unsigned i = 0; i < frames; ++i) {
      now = now + step;
      sight = see(host, Duration::microseconds(static_cast<std::int64_t>(random.below(2000))));
    }
    return sight;
  }

 public:
  TagClock clock;
  Instant now{5'000'000'000};
  Prng random{1};
};

TEST_F(Clock, LearnsEveryFrequencyThatLinuxHas) {
  for (const std::uint32_t hz : {100U, 250U, 300U, 1000U}) {
    clock = TagClock{};
    LinuxHost host(hz);
    EXPECT_EQ(talk(host, 100), Sight::fits) << hz;
    EXPECT_EQ(clock.hz(), hz);
  }
}

TEST_F(Clock, BelievesNothingBeforeASecondOfAgreement) {
  LinuxHost host(250);
  for (int i = 0; i < 1000; ++i) {
    now = now + Duration::microseconds(900);
    ASSERT_EQ(see(host), Sight::unknown) << i;
  }
  EXPECT_EQ(talk(host, 20), Sight::fits);
}

TEST_F(Clock, BelievesNothingFromTwoBursts) {
  LinuxHost host(250);
  for (int burst = 0; burst < 2; ++burst) {
    for (int i = 0; i < 1000; ++i) {
      ASSERT_EQ(see(host), Sight::unknown);
    }
    now = now + Duration::seconds(2);
  }
}

TEST_F(Clock, TheCounterAndTheClockMayWrap) {
  LinuxHost host(1000, 0xFF00);
  EXPECT_EQ(talk(host, 40'000, Duration::milliseconds(2)), Sight::fits);
  EXPECT_EQ(clock.hz(), 1000U);
}

// Each has a counter of its own, and a mirror uses them in turn.
TEST_F(Clock, DisksOfOneHostThatCountInStepDoNotHideIt) {
  std::vector<LinuxHost> disks(5, LinuxHost(250));
  Sight sight = Sight::unknown;
  for (int i = 0; i < 40; ++i) {
    for (LinuxHost& disk : disks) {
      now = now + Duration::milliseconds(20);
      sight = see(disk);
    }
  }
  EXPECT_EQ(sight, Sight::fits);
  EXPECT_EQ(clock.hz(), 250U);
}

TEST_F(Clock, AFrameThatCameLateFitsWithinItsLife) {
  LinuxHost host(250);
  (void)talk(host, 100);
  EXPECT_EQ(see(host, Duration::milliseconds(990)), Sight::fits);
  EXPECT_EQ(see(host, Duration::milliseconds(300)), Sight::fits);
  EXPECT_EQ(see(host), Sight::fits);
}

TEST_F(Clock, AFrameOlderThanItsLifeContradicts) {
  LinuxHost host(250);
  (void)talk(host, 100);
  EXPECT_EQ(see(host, Duration::milliseconds(1200)), Sight::contradicts);
  EXPECT_FALSE(clock.is_known());
  EXPECT_EQ(see(host), Sight::unknown);
}

TEST_F(Clock, AFrameFromTheFutureContradicts) {
  LinuxHost host(250);
  (void)talk(host, 100);
  EXPECT_EQ(see(host, Duration::milliseconds(-100)), Sight::contradicts);
  EXPECT_FALSE(clock.is_known());
}

// A clock that runs away in small steps never makes one big one.
TEST_F(Clock, AClockThatIsTooQuickContradictsAfterAWhile) {
  LinuxHost host(250);
  (void)talk(host, 100);
  bool contradicted = false;
  const Instant begin = now;
  for (int i = 0; i < 500 && !contradicted; ++i) {
    now = now + Duration::milliseconds(20);
    // 3 % quicker.
    const Duration gained = (now - begin) * 3 / 100;
    contradicted = see(host, Duration{} - gained) == Sight::contradicts;
  }
  EXPECT_TRUE(contradicted);
}

TEST_F(Clock, AClockThatIsTooSlowContradictsAfterAWhile) {
  LinuxHost host(250);
  (void)talk(host, 100);
  bool contradicted = false;
  const Instant begin = now;
  for (int i = 0; i < 5000 && !contradicted; ++i) {
    now = now + Duration::milliseconds(20);
    contradicted = see(host, (now - begin) * 3 / 100) == Sight::contradicts;
  }
  EXPECT_TRUE(contradicted);
}

// Crystals differ by up to 100 ppm each; an hour of that is a second.
TEST_F(Clock, FollowsTheDriftOfACrystal) {
  for (const int ppm : {-200, 200}) {
    clock = TagClock{};
    LinuxHost host(1000);
    const Instant begin = now;
    for (int i = 0; i < 36'000; ++i) {
      now = now + Duration::milliseconds(200);
      const Duration gained = (now - begin) / 1000 * ppm / 1000;
      const Sight sight = see(host, Duration::milliseconds(1) - gained);
      ASSERT_NE(sight, Sight::contradicts) << i;
    }
    EXPECT_TRUE(clock.is_known());
  }
}

TEST_F(Clock, ASourceThatWasSilentForLongIsLearnedAnew) {
  LinuxHost host(250);
  (void)talk(host, 100);
  now = now + Duration::seconds(61);
  EXPECT_EQ(see(host), Sight::unknown);
  EXPECT_EQ(talk(host, 100), Sight::fits);
}

TEST_F(Clock, ToolsOnTheSameHostAreIgnored) {
  LinuxHost host(250);
  (void)talk(host, 100);
  EXPECT_EQ(clock.see(now, Tag{0x80000001}, kLife), Sight::ignored);
  EXPECT_EQ(clock.see(now, Tag{0xFFFFFFFF}, kLife), Sight::ignored);
  EXPECT_EQ(see(host), Sight::fits);
}

// ---- Everybody else
// -----------------------------------------------------------------------------

template <class NextTag>
void expect_never_known(NextTag next) {
  TagClock clock;
  Instant now{5'000'000'000};
  Prng random(3);
  for (std::uint32_t i = 0; i < 50'000; ++i) {
    now = now + Duration::microseconds(static_cast<std::int64_t>(random.below(8000)));
    (void)clock.see(now, Tag{next(i)}, kLife);
    ASSERT_FALSE(clock.is_known()) << i;
  }
}

TEST(TagClockOfOthers, RandomTagsAreNoClock) {
  Prng tags(9);
  expect_never_known([&tags](std::uint32_t) { return static_cast<std::uint32_t>(tags.next()); });
}

TEST(TagClockOfOthers, CountersAreNoClock) {
  expect_never_known([](std::uint32_t i) { return i; });
  // Ours, from a random start.
  expect_never_known([](std::uint32_t i) { return 0x1234'5678 + i; });
}

TEST(TagClockOfOthers, WinAoeCountsWithTheBytesTurnedRound) {
  expect_never_known([](std::uint32_t i) { return __builtin_bswap32(i + 1); });
}

TEST(TagClockOfOthers, ABusyIpxeIsNoClock) {
  expect_never_known([](std::uint32_t i) { return 0x18AE'0000U | (i & 0xFFFFU); });
}

// The worst case: a counter in the low half at the very pace of a clock.
TEST(TagClockOfOthers, AnIpxeAtThePaceOfAClockIsNoClock) {
  TagClock clock;
  Instant now{5'000'000'000};
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    now = now + Duration::milliseconds(4);
    (void)clock.see(now, Tag{0x18AE'0000U | (i & 0xFFFFU)}, kLife);
    ASSERT_FALSE(clock.is_known()) << i;
  }
}

TEST(TagClockOfOthers, AConstantTagIsNoClock) {
  expect_never_known([](std::uint32_t) { return 7U; });
}

// ---- Order
// ---------------------------------------------------------------------------------------

TEST(TagOrder, TheClockDecidesAndTheCounterBreaksTies) {
  const auto tag = [](std::uint32_t counter, std::uint32_t clock) {
    return Tag{counter << 16U | clock};
  };
  EXPECT_TRUE(is_sent_after(tag(1, 101), tag(9, 100)));
  EXPECT_FALSE(is_sent_after(tag(9, 100), tag(1, 101)));
  EXPECT_TRUE(is_sent_after(tag(2, 100), tag(1, 100)));
  EXPECT_FALSE(is_sent_after(tag(1, 100), tag(2, 100)));
  EXPECT_FALSE(is_sent_after(tag(1, 100), tag(1, 100))) << "the same frame";
  EXPECT_TRUE(is_sent_after(tag(1, 3), tag(2, 0xFFFE)));
  EXPECT_FALSE(is_sent_after(tag(2, 0xFFFE), tag(1, 3)));
  EXPECT_TRUE(is_sent_after(tag(1, 100), tag(0x7FFF, 100)));
  EXPECT_FALSE(is_sent_after(tag(0x7FFF, 100), tag(1, 100)));
}

TEST(TagHosts, TwoPortsOfOneHostAreOneAndTwoHostsAreTwo) {
  LinuxHost host(250);
  LinuxHost other(250, 1000);
  TagClock first;
  TagClock second;
  TagClock third;
  Instant now{5'000'000'000};
  EXPECT_FALSE(first.is_same_host(second)) << "nothing is known";
  for (int i = 0; i < 100; ++i) {
    now = now + Duration::milliseconds(20);
    (void)first.see(now, host.next(now), kLife);
    (void)second.see(now, host.next(now - Duration::milliseconds(3)), kLife);
    (void)third.see(now, other.next(now), kLife);
  }
  ASSERT_TRUE(first.is_known() && second.is_known() && third.is_known());
  EXPECT_TRUE(first.is_same_host(second));
  EXPECT_FALSE(first.is_same_host(third));
}

}  // namespace
}  // namespace aoe::target
