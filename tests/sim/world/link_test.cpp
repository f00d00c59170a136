#include "sim/world/link.h"

#include "sim/world/network_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace aoe::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class LinkTest : public ::testing::Test {
 protected:
  LinkTest() {
    link_.attach(near_, 0, far_, 5);
    link_.set_plugged(world_.now(), true);
  }

  void send(std::uint32_t number, std::size_t size_bytes = 60) {
    link_.to_far().send(world_.now(), numbered_frame(world_, number, size_bytes));
  }

  // One frame every 10 microseconds.
  void send_many(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      send(i);
      world_.events().run_until(world_.now() + Duration::microseconds(10));
    }
    settle();
  }

  void settle() { world_.events().run_until(world_.now() + Duration::seconds(10)); }

  [[nodiscard]] bool in_order() const {
    return std::is_sorted(far_.heard.begin(), far_.heard.end(),
                          [](const auto& a, const auto& b) { return a.number() < b.number(); });
  }

  World world_{{.seed = 3}};
  Ear near_;
  Ear far_;
  Link link_{world_, 0};
};

TEST_F(LinkTest, TakesTheTimeOnTheWireAndTheDelay) {
  link_.set_quality({.bits_per_second = 1'000'000'000, .delay = Duration::microseconds(5)});
  const Instant start = world_.now();
  send(1, 976);  // with 24 bytes of overhead 8 microseconds
  send(2, 976);
  settle();
  ASSERT_EQ(far_.heard.size(), 2U);
  EXPECT_EQ(far_.heard[0].at - start, Duration::microseconds(13));
  EXPECT_EQ(far_.heard[1].at - start, Duration::microseconds(21));
  EXPECT_EQ(far_.heard[0].port, 5U);
  EXPECT_TRUE(near_.heard.empty());
}

TEST_F(LinkTest, LosesWhatItsQueueCannotHold) {
  link_.set_quality({.bits_per_second = 1'000'000'000, .queue_bytes = 10'000});
  for (std::uint32_t i = 0; i < 30; ++i) {
    send(i, 1000);
  }
  settle();
  EXPECT_NEAR(static_cast<double>(far_.heard.size()), 10.0, 1.0);
  EXPECT_EQ(link_.to_far().counters().overflowed, 30 - far_.heard.size());
  EXPECT_EQ(world_.frames_out(), 0U);
}

TEST_F(LinkTest, LosesAboutAsManyAsTold) {
  link_.set_quality({.loss_ppm = 100'000});
  send_many(2000);
  EXPECT_NEAR(static_cast<double>(far_.heard.size()), 1800.0, 60.0);
  EXPECT_EQ(link_.to_far().counters().lost, 2000 - far_.heard.size());
}

TEST_F(LinkTest, LosesInBursts) {
  link_.set_quality({.burst_ppm = 2'000, .burst_frames = 20});
  send_many(5000);
  std::uint32_t gaps = 0;
  for (std::size_t i = 1; i < far_.heard.size(); ++i) {
    const std::uint32_t missing = far_.heard[i].number() - far_.heard[i - 1].number() - 1;
    if (missing != 0) {
      EXPECT_GE(missing, 20U);
      ++gaps;
    }
  }
  EXPECT_GT(gaps, 2U);
}

TEST_F(LinkTest, LosesNothingMoreOfABurstOnceItIsMended) {
  link_.set_quality({.burst_ppm = 1'000'000, .burst_frames = 100});
  send_many(1);
  link_.set_quality({});
  send_many(5);
  EXPECT_EQ(far_.heard.size(), 5U);
}

TEST_F(LinkTest, KeepsTheOrderWithJitterAndBreaksItWithReordering) {
  link_.set_quality({.jitter = Duration::milliseconds(1)});
  send_many(500);
  EXPECT_TRUE(in_order());
  EXPECT_EQ(far_.heard.size(), 500U);
  link_.set_quality({.reorder_ppm = 100'000, .reorder_delay = Duration::milliseconds(1)});
  far_.heard.clear();
  send_many(500);
  EXPECT_FALSE(in_order());
  EXPECT_EQ(far_.heard.size(), 500U);
}

TEST_F(LinkTest, HasAHeavyTailOfDelays) {
  link_.set_quality({.tail_ppm = 1'000'000, .tail_delay = Duration::milliseconds(100)});
  std::vector<std::int64_t> delays_us;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const Instant start = world_.now();
    send(i);
    world_.events().run_until(start + Duration::milliseconds(200));
    delays_us.push_back((far_.heard.back().at - start).ns / 1000);
  }
  std::sort(delays_us.begin(), delays_us.end());
  EXPECT_LT(delays_us[1000], 100'000 / 32);
  EXPECT_GT(delays_us[1980], 40'000);
  EXPECT_LE(delays_us.back(), 100'010);
}

TEST_F(LinkTest, DeliversSomeTwice) {
  link_.set_quality({.duplicate_ppm = 200'000, .duplicate_delay = Duration::milliseconds(1)});
  send_many(1000);
  EXPECT_NEAR(static_cast<double>(far_.heard.size()), 1200.0, 60.0);
}

TEST_F(LinkTest, DamagesOnlyWhatTheChecksumLetsThrough) {
  link_.set_quality({.corrupt_ppm = 1'000'000});
  send(1);
  settle();
  EXPECT_TRUE(far_.heard.empty());
  EXPECT_EQ(link_.to_far().counters().checksum_caught, 1U);
  link_.to_far().set_survives_corruption([](ConstByteSpan) { return true; });
  send(1);
  settle();
  ASSERT_EQ(far_.heard.size(), 1U);
  const PacketBuffer sent = numbered_frame(world_, 1);
  EXPECT_TRUE(equal_bytes(ConstByteSpan(far_.heard[0].bytes).first(14), sent.bytes().first(14)));
  EXPECT_FALSE(equal_bytes(far_.heard[0].bytes, sent.bytes()));
}

TEST_F(LinkTest, IsABlackHoleForLongFrames) {
  link_.set_quality({.mtu_bytes = 1500});
  send(1, 1514);
  send(2, 1515);
  settle();
  ASSERT_EQ(far_.heard.size(), 1U);
  EXPECT_EQ(far_.heard[0].number(), 1U);
}

TEST_F(LinkTest, CanBeCutOneWay) {
  link_.to_far().set_cut(true);
  send(1);
  link_.to_near().send(world_.now(), numbered_frame(world_, 2));
  settle();
  EXPECT_TRUE(far_.heard.empty());
  EXPECT_EQ(near_.heard.size(), 1U);
  EXPECT_TRUE(link_.is_plugged());
}

TEST_F(LinkTest, HoldsFramesWhileItIsClogged) {
  const Instant until = world_.now() + Duration::seconds(2);
  link_.to_far().clog_until(until);
  send(1);
  send(2);
  settle();
  ASSERT_EQ(far_.heard.size(), 2U);
  EXPECT_EQ(far_.heard[0].at, until);
  EXPECT_TRUE(in_order());
}

TEST_F(LinkTest, LosesWhatIsOnTheWayWhenPulledOutAndTellsBothEnds) {
  send(1);
  link_.set_plugged(world_.now(), false);
  send(2);
  settle();
  EXPECT_TRUE(far_.heard.empty());
  EXPECT_EQ(world_.frames_out(), 0U);
  EXPECT_THAT(near_.carrier, ElementsAre(Pair(0, true), Pair(0, false)));
  EXPECT_THAT(far_.carrier, ElementsAre(Pair(5, true), Pair(5, false)));
  link_.set_plugged(world_.now(), true);
  send(3);
  settle();
  EXPECT_EQ(far_.heard.size(), 1U);
}

}  // namespace
}  // namespace aoe::sim
